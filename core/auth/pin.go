package auth

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"kolibri/core/api"
	"kolibri/store"
)

// pin reads a PIN of four digits from a body; an absent one is empty. What is no PIN is refused.
func pin(r *api.Request) (code string, refused *api.Response) {
	body, err := r.Object()
	if err != nil {
		return "", badPIN("Invalid pin input")
	}
	raw, given := body["pin_code"]
	if !given {
		return "", nil
	}
	code, _ = raw.(string)
	if n, ok := raw.(json.Number); ok {
		code = n.String()
	}
	code = strings.TrimSpace(code)
	if len(code) != 4 || strings.Trim(code, "0123456789") != "" {
		return "", badPIN("Invalid pin input")
	}
	return code, nil
}

// badPIN is a 400 in plain text, as a Django view answers.
func badPIN(text string) *api.Response {
	return api.Text(http.StatusBadRequest, "text/html; charset=utf-8", text)
}

// updatePIN sets the PIN with which people get at the device page of a device for learners, or
// removes it (PATCH without one). Setting is a superuser's; the original lets everybody remove it,
// here it takes who may change the settings.
func (v *datasetView) updatePIN(r *api.Request) (any, error) {
	code, refused := pin(r)
	if refused != nil {
		return refused, nil
	}
	if r.HTTP.Method == http.MethodPost {
		if code == "" {
			return badPIN("Please provide a pin"), nil
		}
		if err := Require(r, Create, Datasets, Object{}); err != nil {
			return nil, err
		}
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
	code, refused := pin(r)
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
