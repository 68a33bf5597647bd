package discovery

import (
	"encoding/json"
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/discovery/network"
)

// validatePortalToken asks the data portal whose project a token is for, on behalf of somebody who
// registers a facility there. The portal's answer is passed on as it is.
// kolibri/core/api.py: KolibriDataPortalViewSet
func (d *Discovery) validatePortalToken(r *api.Request) (any, error) {
	portal := network.NewClient(d.host, d.host.Options.DataPortalBaseURL)
	answer, err := portal.Get(r.Ctx, "portal/api/public/v1/registerfacility/validate_token?"+r.Query().Encode())
	var failure *network.Error
	if answer == nil && errors.As(err, &failure) {
		return api.Status(http.StatusServiceUnavailable, map[string]string{"status": "offline"}), nil
	}
	if answer == nil {
		return nil, err
	}
	return passOn(answer), nil
}

// passOn is another server's answer as our own.
func passOn(answer *network.Answer) *api.Response {
	var body any = string(answer.Body)
	if json.Valid(answer.Body) {
		body = json.RawMessage(answer.Body)
	}
	return api.Status(answer.Status, body)
}
