package auth

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"kolibri/core/api"
	"kolibri/store"
)

// pin reads a PIN of four digits of any script from a body; an absent one is empty. What is no PIN is
// refused.
func pin(r *api.Request) (code string, refused *api.Response, err error) {
	data, err := r.Data()
	if err != nil {
		return "", nil, err
	}
	body, ok := data.(map[string]any)
	if !ok {
		return "", badPIN("Invalid pin input"), nil
	}
	raw, given := body["pin_code"]
	if !given {
		return "", nil, nil
	}
	code, _ = raw.(string)
	if n, ok := raw.(json.Number); ok {
		code = n.String()
	}
	code = strings.TrimSpace(code)
	if utf8.RuneCountInString(code) != 4 || strings.ContainsFunc(code, func(c rune) bool { return !unicode.IsDigit(c) }) {
		return "", badPIN("Invalid pin input"), nil
	}
	return code, nil, nil
}

// badPIN is a 400 in plain text, as a Django view answers.
func badPIN(text string) *api.Response {
	return api.Text(http.StatusBadRequest, "text/html; charset=utf-8", text)
}

// updatePIN sets the PIN with which people get at the device page of a device for learners, or
// removes it (PATCH without one). Setting is a superuser's; the original lets everybody remove it,
// here it takes who may change the settings.
func (v *datasetView) updatePIN(r *api.Request) (any, error) {
	if r.HTTP.Method == http.MethodPost {
		data, err := r.Data()
		if err == nil && api.Truth(data) {
			err = Require(r, Create, Datasets, Object{})
		}
		if err != nil {
			return nil, err
		}
	}
	code, refused, err := pin(r)
	if err != nil {
		return nil, err
	}
	if refused == nil && code == "" && r.HTTP.Method == http.MethodPost {
		refused = badPIN("Please provide a pin")
	}
	if refused != nil {
		return refused, nil
	}
	d, err := v.find(r, Update)
	if err != nil {
		return nil, err
	}
	if err := d.setExtra("pin_code", store.Null(code)); err != nil {
		return nil, err
	}
	if err := d.Save(r.Tx); err != nil {
		return nil, shapeIncompatible(err)
	}
	return d.JSON(), nil
}

// checkPIN tells somebody who manages the device whether a PIN is the one that was set.
// kolibri/core/auth/api.py: IsPINValidView
func checkPIN(r *api.Request) (any, error) {
	if _, err := RequireContentManager(r); err != nil {
		return nil, err
	}
	code, refused, err := pin(r)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return refused, nil
	}
	if code == "" {
		return badPIN("Invalid pin input"), nil
	}
	id, _ := api.ParseUUID(r.Param("pk"))
	d, err := LoadDataset(r.Tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	saved, _ := d.extra("pin_code").(string)
	return map[string]bool{"is_pin_valid": subtle.ConstantTimeCompare([]byte(saved), []byte(code)) == 1}, nil
}
