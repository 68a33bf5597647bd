package auth

import (
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// passwordView answers what the sign-in pages ask before anybody is signed in: whether a name is
// free, and the first password of somebody who has none.
type passwordView struct{ *accounts }

func (v passwordView) routes() []api.Route {
	return []api.Route{
		{Name: "kolibri:core:usernameavailable", Method: http.MethodPost, Handle: v.available},
		{Name: "kolibri:core:setnonspecifiedpassword", Method: http.MethodPost, Handle: v.setFirst, NoTx: true},
	}
}

// available tells whether a name can be given to a new account of a facility.
// kolibri/core/auth/api.py: UsernameAvailableView
func (v passwordView) available(r *api.Request) (any, error) {
	object, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(object, []api.Field{
		{Name: "username", Clean: api.CleanString(0, false)},
		{Name: "facility", Clean: api.CleanUUID},
	}, false)
	if err != nil {
		return nil, err
	}
	c, err := LoadCollection(r.Tx, values.String("facility"))
	if errors.Is(err, store.ErrNotFound) || err == nil && c.Kind != KindFacility {
		return nil, &api.Error{Status: http.StatusNotFound, Body: "Facility not found"}
	}
	if err != nil {
		return nil, err
	}
	same, err := named(r.Tx, values.String("username"), inFacility, c.ID)
	if err != nil {
		return nil, err
	}
	if len(same) > 0 {
		return nil, api.FieldError(api.UsernameAlreadyExists, "username", "Username already exists.")
	}
	return true, nil
}

// setFirst sets the password of an account that has none.
// kolibri/core/auth/api.py: SetNonSpecifiedPasswordView
func (v passwordView) setFirst(r *api.Request) (any, error) {
	object, err := r.Object()
	if err != nil {
		return nil, err
	}
	username, _ := object["username"].(string)
	password, text := object["password"].(string)
	facility, _ := object["facility"].(string)
	if !api.Truth(object["username"]) || !api.Truth(object["password"]) || !api.Truth(object["facility"]) {
		return nil, &api.Error{Status: http.StatusBadRequest, Body: "Must specify username, password, and facility"}
	}
	if !text {
		return nil, r.NotFound()
	}
	var user string
	err = inTx(r, v.h.DB.Read, func() (err error) {
		user, err = v.withoutPassword(r, username, facility)
		return err
	})
	if err != nil {
		return nil, err
	}
	hash, err := HashPassword(r.Ctx, v.h.Hasher, v.h.Rand, password)
	if err != nil {
		return nil, err
	}
	err = inTx(r, v.h.DB.Write, func() error {
		n, err := morango.UpdateWhere(r.Tx, morango.FacilityUser, morango.Row{"password": hash}, "id = ? AND password = ?", user, NotSpecified)
		if err == nil && n == 0 { // somebody else was quicker
			err = r.NotFound()
		}
		return err
	})
	return &api.Response{Status: http.StatusOK, Raw: []byte{}}, err
}

// withoutPassword finds the account of exactly this name that waits for its first password. The
// accounts of an app's users never get one.
func (v passwordView) withoutPassword(r *api.Request, username, facility string) (string, error) {
	facility, ok := api.ParseUUID(facility)
	if !ok {
		return "", r.NotFound()
	}
	username = api.Storable(username)
	same, err := named(r.Tx, username, inFacility, facility)
	if err != nil {
		return "", err
	}
	if len(same) == 0 || same[0].Username != username || same[0].Password != NotSpecified || same[0].HasOSUser {
		return "", r.NotFound()
	}
	return same[0].ID, nil
}
