// Package userprofile is the plugin in which people see and change their own account
// (kolibri/plugins/user_profile).
package userprofile

import (
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

const plugin = "kolibri.plugins.user_profile"

// UserProfile answers for the plugin.
type UserProfile struct{ host *api.Host }

// New makes the plugin of a host.
func New(host *api.Host) *UserProfile { return &UserProfile{host} }

// Routes are the plugin's page and APIs.
func (u *UserProfile) Routes() []api.Route {
	return []api.Route{
		{Name: "kolibri:" + plugin + ":user_profile", Method: http.MethodGet, Handle: u.page},
		{Name: "kolibri:" + plugin + ":onmyownsetup", Method: http.MethodGet, Handle: u.onMyOwn},
		{Name: "kolibri:" + plugin + ":loginmergeduser", Method: http.MethodPost, Handle: u.signInMerged},
	}
}

func (u *UserProfile) page(r *api.Request) (any, error) {
	return u.host.Pages.Page(r, "profile", true, nil)
}

// onMyOwn tells a user whether his facility is for himself alone.
// kolibri/plugins/user_profile/viewsets.py: OnMyOwnSetupViewset
func (u *UserProfile) onMyOwn(r *api.Request) (any, error) {
	p, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, err
	}
	alone, err := auth.OnMyOwn(r.Tx, p.DatasetID)
	return map[string]bool{"on_my_own_setup": alone}, err
}

// signInMerged signs in a user whose account has just been merged into one of another facility: the
// task that did it gave the page a token.
// kolibri/plugins/user_profile/viewsets.py: LoginMergedUserViewset
func (u *UserProfile) signInMerged(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	text, _ := body["pk"].(string)
	token, _ := body["token"].(string)
	refused := &api.Error{Status: http.StatusUnauthorized, Body: map[string]string{"error": "Unauthorized"}}
	id, _ := api.ParseUUID(text)
	if !auth.ValidToken(u.host, r.Now(), id, token) {
		return nil, refused
	}
	var picture *string
	err = r.Tx.QueryRow("SELECT picture_password FROM kolibriauth_facilityuser WHERE id = ? AND date_deleted IS NULL", id).Scan(&picture)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	if err := auth.SignIn(r, id); err != nil {
		return nil, err
	}
	return auth.RenewCSRF(u.host, api.Status(http.StatusOK, map[string]any{"success": true, "picture_password": picture}))
}
