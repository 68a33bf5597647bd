package auth

import (
	"encoding/json"
	"errors"
	"fmt"

	"kolibri/core/api"
	"kolibri/store"
)

// question is a facility's own question about its people.
type question struct {
	ID         string `json:"id"`
	EnumValues []struct {
		Value string `json:"value"`
	} `json:"enumValues"`
}

// checkDemographics tells whether answers fit the questions of a dataset: each is answered with one
// of its values. No answers at all are always good.
// kolibri/core/auth/models.py: FacilityDataset.validate_demographic_data
func checkDemographics(tx *store.Tx, dataset string, answers any) error {
	bad := func(message string) error { return api.FieldError(api.Invalid, "extra_demographics", message) }
	given, isObject := answers.(map[string]any)
	switch {
	case isObject && len(given) == 0, answers == false, answers == "":
		return nil
	case !isObject:
		return bad("The answers must be an object.")
	}
	var text *string
	err := tx.QueryRow("SELECT extra_fields FROM kolibriauth_facilitydataset WHERE id = ?", dataset).Scan(&text)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	var extra struct {
		Questions []question `json:"demographic_fields"`
	}
	if text == nil || json.Unmarshal([]byte(*text), &extra) != nil || extra.Questions == nil {
		return bad("The facility asks no questions of its own.")
	}
	for _, q := range extra.Questions {
		answer, ok := given[q.ID].(string)
		if !ok {
			return bad(fmt.Sprintf("The answer to %q is missing or is no text.", q.ID))
		}
		known := false
		for _, v := range q.EnumValues {
			known = known || v.Value == answer
		}
		if !known {
			return bad(fmt.Sprintf("%q is none of the answers to %q.", answer, q.ID))
		}
	}
	return nil
}
