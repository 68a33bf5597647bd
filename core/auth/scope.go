package auth

import (
	"encoding/json"
	"errors"

	"kolibri/store"
)

// FullFacility tells whether this device holds a dataset's facility whole, and not some of its
// people only: it then owns a certificate for the full facility, or one derived from it.
// kolibri/core/device/utils.py: is_full_facility_import
func FullFacility(tx *store.Tx, dataset string) (bool, error) {
	return tx.Exists(`SELECT 1 FROM morango_certificate root JOIN morango_certificate c
		ON c.tree_id = root.tree_id AND c.lft >= root.lft AND c.lft <= root.rght
		WHERE root.id = ? AND c.private_key IS NOT NULL AND c.scope_definition_id = 'full-facility'`, dataset)
}

// OnMyOwn tells whether a dataset's facility was set up for one person alone.
// kolibri/core/auth/models.py: Facility.on_my_own_setup
func OnMyOwn(tx *store.Tx, dataset string) (bool, error) {
	var text *string
	err := tx.QueryRow("SELECT extra_fields FROM kolibriauth_facilitydataset WHERE id = ?", dataset).Scan(&text)
	if errors.Is(err, store.ErrNotFound) || err == nil && text == nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var extra struct {
		OnMyOwn bool `json:"on_my_own_setup"`
	}
	// extra_fields of another shape, which nothing forbids, say nothing about it
	_ = json.Unmarshal([]byte(*text), &extra)
	return extra.OnMyOwn, nil
}
