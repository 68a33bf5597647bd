package setupwizard

import (
	"encoding/json"
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/discovery/network"
	"kolibri/store"
)

// remoteSignUp is how another device answered the wish for an account.
type remoteSignUp struct {
	Status int              `json:"status"`
	Errors []map[string]any `json:"errors"`
}

// createOnRemote makes an account on another device, which a learner's own device will then import.
// Only devices that were named before are asked.
// kolibri/plugins/setup_wizard/api.py: SetupWizardResource
func (s *SetupWizard) createOnRemote(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	address, _ := body["baseurl"].(string)
	var peer *network.Location
	err = s.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) {
		if err := open(r, tx); err != nil {
			return err
		}
		peer, err = network.Known(tx, address)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, api.FieldError(api.NetworkLocationNotFound, "baseurl", "Unknown peer: "+address)
	}
	if err != nil {
		return nil, err
	}
	fullName := body["full_name"]
	if fullName == nil {
		fullName = ""
	}
	answer, err := network.NewClient(s.host, peer.BaseURL).Post(r.Ctx, "api/public/signup/", map[string]any{
		"facility": body["facility_id"], "username": body["username"], "password": body["password"], "full_name": fullName})
	if answer == nil {
		s.host.Log.Warn("another device cannot be reached", "address", peer.BaseURL, "error", err)
		return nil, api.FieldError(api.NetworkLocationNotFound, "baseurl", "The device at "+peer.BaseURL+" cannot be reached.")
	}
	result := remoteSignUp{Status: answer.Status, Errors: []map[string]any{}}
	if answer.Status == http.StatusCreated {
		return result, nil
	}
	var told []struct {
		ID *string `json:"id"`
	}
	if json.Unmarshal(answer.Body, &told) == nil {
		for _, e := range told {
			if e.ID == nil {
				result.Errors = []map[string]any{}
				break
			}
			result.Errors = append(result.Errors, map[string]any{"id": *e.ID})
		}
	}
	return result, nil
}
