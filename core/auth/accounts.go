package auth

import (
	"iter"
	"slices"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// accounts is what the views of users and sessions share.
type accounts struct {
	h *api.Host
	// cleanUp starts the job that later deletes deleted accounts for good.
	cleanUp func(*store.Tx) error
}

// AccountRoutes are the routes of users, their sessions and their passwords. cleanUp starts the job
// that deletes accounts for good a while after they were deleted.
func AccountRoutes(h *api.Host, cleanUp func(*store.Tx) error) []api.Route {
	a := &accounts{h, cleanUp}
	var all []api.Route
	for _, routes := range [][]api.Route{
		sessionView{a}.routes(),
		userView{a}.routes(),
		deletedUserView{a}.routes(),
		signUpView{a}.routes(),
		passwordView{a}.routes(),
		remoteUserView{a}.routes(),
		importedUserRoutes(),
		usernameRoutes(),
		publicUserView{a}.routes(),
	} {
		all = append(all, routes...)
	}
	return all
}

// SignIn makes the session a user's and notes when that was.
// django/contrib/auth: login, update_last_login
func SignIn(r *api.Request, user string) error { return signIn(r, user, "") }

// signIn is SignIn that also stores a hash, if one is given: the user's password, which was just
// proved, derived anew.
func signIn(r *api.Request, user, hash string) error {
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

// RenewCSRF gives an answer that signs somebody in a fresh CSRF token.
func RenewCSRF(h *api.Host, answer *api.Response) (*api.Response, error) {
	cookie, err := NewCSRFCookie(h.Rand, h.Options.URLPathPrefix)
	if err != nil {
		return nil, err
	}
	return answer.SetCookie(cookie), nil
}

// cleanFacility is the body field of a facility: the id of one that exists.
var cleanFacility = api.CleanKey("SELECT 1 FROM kolibriauth_collection WHERE id = ? AND kind = '" + KindFacility + "'")

// chunks splits ids into lists that fit into one statement.
func chunks(ids []string) iter.Seq[[]string] { return slices.Chunk(ids, 500) }
