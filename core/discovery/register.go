package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/store"
)

// How often a registered facility goes to the portal, and how soon after a failure, in seconds.
// kolibri/core/auth/tasks.py
const (
	portalSync  = "kolibri.core.auth.tasks.dataportalsync"
	portalEvery = 24 * 60 * 60
	portalRetry = 60 * 60
)

// register makes the data portal know a facility by a project's token, and has the facility sent
// there every day from now on. The original lets everybody do that; here it takes an admin of the
// facility. kolibri/core/api.py: KolibriDataPortalViewSet.register
func (d *Discovery) register(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	token, _ := body["token"].(string)
	id, _ := body["facility_id"].(string)
	id, _ = api.ParseUUID(id)
	var f *auth.Collection
	var chain []*morango.Certificate
	err = d.host.DB.Read(r.Ctx, func(tx *store.Tx) error {
		p, err := auth.LoadPerson(tx, r.Session.UserID)
		if err != nil {
			return err
		}
		if f, err = auth.LoadCollection(tx, id); errors.Is(err, store.ErrNotFound) || err == nil && f.Kind != auth.KindFacility {
			return r.NotFound()
		}
		if err != nil {
			return err
		}
		ok, err := p.HasRoleForCollection(tx, f.ID, auth.Admin)
		if err != nil {
			return err
		}
		if !ok {
			return r.Forbidden()
		}
		owned, err := certificates.Owned(tx, f.DatasetID, morango.FullFacility)
		if err != nil {
			return err
		}
		if len(owned) == 0 {
			return api.FieldError(api.Invalid, "facility_id", "This device does not own a certificate for Facility: "+f.Name)
		}
		chain, err = morango.Chain(tx, owned[0].ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	answer, err := d.claim(r.Ctx, f, chain, token)
	var failure *network.Error
	switch {
	case errors.As(err, &failure) && answer != nil:
		return passOn(answer), nil
	case errors.As(err, &failure):
		return api.Status(http.StatusServiceUnavailable, map[string]string{"status": "offline"}), nil
	case err != nil:
		return nil, err
	}
	return api.Status(answer.Status, nil), d.host.DB.Write(r.Ctx, func(tx *store.Tx) error { return d.scheduleSync(tx, f) })
}

// claim proves to the portal that this device has the facility's key, the last certificate's of the chain.
// kolibri/core/utils/portal.py: registerfacility
func (d *Discovery) claim(ctx context.Context, f *auth.Collection, chain []*morango.Certificate, token string) (*network.Answer, error) {
	portal := network.NewClient(d.host, d.host.Options.DataPortalBaseURL)
	answer, err := portal.Send(ctx, "api/morango/v1/nonces/", "application/x-www-form-urlencoded", nil)
	if err != nil {
		return answer, err
	}
	var nonce struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer.Body, &nonce); err != nil || nonce.ID == "" {
		return nil, &api.Error{Status: http.StatusBadGateway, Detail: "The data portal gave no nonce.", Cause: err}
	}
	own := chain[len(chain)-1]
	signature, err := own.Sign(nonce.ID)
	if err != nil {
		return nil, err
	}
	travelling, err := api.JSON(certificates.TravellingAll(chain))
	if err != nil {
		return nil, err
	}
	form := url.Values{"facility_id": {f.ID}, "server_nonce": {nonce.ID}, "client_certificate_id": {own.ID},
		"certificate_chain": {string(travelling)}, "token": {token}, "signature": {signature}}
	return portal.Send(ctx, "portal/api/public/v1/registerfacility/", "application/x-www-form-urlencoded", []byte(form.Encode()))
}

// scheduleSync sends a facility to the portal now and every day, where this server can.
// kolibri/core/auth/tasks.py: enqueue_automatic_kdp_sync
func (d *Discovery) scheduleSync(tx *store.Tx, f *auth.Collection) error {
	if !d.runner.Can(portalSync) {
		return nil
	}
	retry := int64(portalRetry)
	_, err := d.runner.Enqueue(tx, portalSync, tasks.Spec{ID: "kdp_sync_" + f.ID, Args: []any{"sync"}, FacilityID: f.ID,
		Kwargs:        map[string]any{"chunk_size": 200, "noninteractive": true, "facility": f.ID},
		ExtraMetadata: map[string]any{"facility_id": f.ID, "facility_name": f.Name, "sync_state": "PENDING", "bytes_sent": 0, "bytes_received": 0},
	}, tasks.Schedule{Interval: portalEvery, Repeat: tasks.Forever, RetryInterval: &retry})
	if errors.Is(err, tasks.ErrRunning) {
		return nil
	}
	return err
}
