package public

import (
	"encoding/json"
	"errors"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// facility is what another device needs to know before somebody joins or imports.
// kolibri/core/auth/serializers.py: PublicFacilitySerializer
type facility struct {
	ID               string          `json:"id"`
	Dataset          string          `json:"dataset"`
	Name             string          `json:"name"`
	NoPassword       bool            `json:"learner_can_login_with_no_password"`
	SignUp           bool            `json:"learner_can_sign_up"`
	OnMyOwn          bool            `json:"on_my_own_setup"`
	PicturePasswords json.RawMessage `json:"picture_password_settings"`
}

const facilities = `SELECT c.id, c.dataset_id, c.name, d.learner_can_login_with_no_password, d.learner_can_sign_up, d.picture_password_settings, d.extra_fields
	FROM kolibriauth_collection c JOIN kolibriauth_facilitydataset d ON d.id = c.dataset_id WHERE c.kind = ?`

func scanFacility(row store.Scanner) (facility, error) {
	var f facility
	var pictures, extra *string
	err := row.Scan(&f.ID, &f.Dataset, &f.Name, &f.NoPassword, &f.SignUp, &pictures, &extra)
	if pictures != nil {
		f.PicturePasswords = api.Raw(*pictures)
	}
	if err == nil && extra != nil {
		var fields struct {
			OnMyOwn bool `json:"on_my_own_setup"`
		}
		// extra_fields of another shape, which nothing forbids, say nothing about it
		_ = json.Unmarshal([]byte(*extra), &fields)
		f.OnMyOwn = fields.OnMyOwn
	}
	return f, err
}

// facilities: kolibri/core/auth/api.py: PublicFacilityViewSet
func (p *Public) facilities(r *api.Request) (any, error) {
	return store.Select(r.Tx, scanFacility, facilities+" ORDER BY c.id", auth.KindFacility)
}

func (p *Public) facility(r *api.Request) (any, error) {
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, r.NotFound()
	}
	f, err := store.Get(r.Tx, scanFacility, facilities+" AND c.id = ?", auth.KindFacility, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, r.NotFound()
	}
	return f, err
}
