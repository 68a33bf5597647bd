package auth

import (
	"context"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// accounts is what the views of users and sessions share.
type accounts struct{ h *api.Host }

// AccountRoutes are the routes of users, their sessions and their passwords.
func AccountRoutes(h *api.Host) []api.Route {
	a := &accounts{h}
	var all []api.Route
	for _, routes := range [][]api.Route{
		sessionView{a}.routes(),
	} {
		all = append(all, routes...)
	}
	return all
}

// within runs part of a NoTx handler in a transaction, which the request carries meanwhile.
func (a *accounts) within(r *api.Request, run func(context.Context, func(*store.Tx) error) error, fn func() error) error {
	return run(r.Ctx, func(tx *store.Tx) error {
		r.Tx = tx
		defer func() { r.Tx = nil }()
		return fn()
	})
}

// signInAs makes the session a user's and notes when that was. A hash, if given, becomes the user's
// password: the one that was just proved, derived anew.
// django/contrib/auth: login, update_last_login
func (a *accounts) signInAs(r *api.Request, user, hash string) error {
	changes := morango.Row{"last_login": r.Now()}
	if hash != "" {
		changes["password"] = hash
	}
	if err := morango.Update(r.Tx, morango.FacilityUser, user, changes); err != nil {
		return err
	}
	r.Session.SignIn(user)
	ForgetUser(r)
	return nil
}

// renewCSRF gives an answer that signs somebody in a fresh CSRF token.
func (a *accounts) renewCSRF(answer *api.Response) (*api.Response, error) {
	cookie, err := NewCSRFCookie(a.h.Rand, a.h.Options.URLPathPrefix)
	if err != nil {
		return nil, err
	}
	return answer.SetCookie(cookie), nil
}

// cleanFacility is the body field of a facility: the id of one that exists.
var cleanFacility = api.CleanKey("SELECT 1 FROM kolibriauth_collection WHERE id = ? AND kind = '" + KindFacility + "'")
