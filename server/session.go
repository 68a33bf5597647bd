package server

import (
	"crypto/subtle"
	_ "embed"
	"net/http"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// The names of the cookies (kolibri/deployment/default/settings/base.py).
const (
	sessionCookie = "kolibri"
	csrfCookie    = auth.CSRFCookie
)

func cookie(r *http.Request, name string) string {
	if c, err := r.Cookie(name); err == nil {
		return c.Value
	}
	return ""
}

// sessionCookies tells the browser of a new or an ended session. The cookie lives until the browser
// closes; how long the session lives is the server's matter.
func (s *Server) sessionCookies(w http.ResponseWriter, r *api.Request) {
	switch {
	case r.Session == nil:
	case r.Session.Modified:
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: r.Session.Key, Path: s.cfg.Options.URLPathPrefix, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	case r.Session.Flushed:
		s.forgetSession(w, r)
	default:
		s.forgetUnknown(w, r)
	}
}

// forgetUnknown has the browser forget a session that is unknown.
func (s *Server) forgetUnknown(w http.ResponseWriter, r *api.Request) {
	if r.Session != nil && r.Session.Unknown && !r.Session.Modified {
		s.forgetSession(w, r)
	}
}

func (s *Server) forgetSession(w http.ResponseWriter, r *api.Request) {
	if cookie(r.HTTP, sessionCookie) != "" {
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: s.cfg.Options.URLPathPrefix, MaxAge: -1, SameSite: http.SameSiteLaxMode})
		w.Header().Add("Vary", "Cookie")
	}
}

// checkCSRF enforces Django's double-submit check: for API views only when somebody is signed in
// (rest_framework/authentication.py: SessionAuthentication), for plain views always.
func (s *Server) checkCSRF(r *api.Request, always bool, method string) error {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return nil
	}
	if !always && r.Session.UserID == "" || s.cfg.Trusted(r.HTTP) {
		return nil
	}
	sent := r.HTTP.Header.Get("X-CSRFToken")
	if sent == "" && always {
		sent = r.FormValue("csrfmiddlewaretoken")
	}
	kept := cookie(r.HTTP, csrfCookie)
	if kept != "" && subtle.ConstantTimeCompare([]byte(kept), []byte(sent)) == 1 {
		return nil
	}
	if always {
		return csrfPage()
	}
	return r.PermissionDenied()
}

// ensureCSRF gives every answer of the session views the cookie with the page's token, unless the
// answer brings one itself, as a sign-in does (kolibri/core/auth/api.py: ensure_csrf_cookie).
func (s *Server) ensureCSRF(w http.ResponseWriter, r *http.Request, rt *route, answer any) {
	if rt.View != "SessionViewSet" {
		return
	}
	if p, ok := answer.(*api.Response); ok && strings.Contains(strings.Join(p.Header.Values("Set-Cookie"), "\n"), csrfCookie+"=") {
		return
	}
	token := auth.CSRFCookieFor(cookie(r, csrfCookie), s.cfg.Options.URLPathPrefix)
	if token.Value == "" {
		var err error
		if token, err = auth.NewCSRFCookie(s.cfg.Rand, s.cfg.Options.URLPathPrefix); err != nil {
			s.cfg.Log.Error("no CSRF token", "error", err)
			return
		}
	}
	http.SetCookie(w, token)
}

// csrfText is the page that Django shows for a form without its token.
//
//go:embed csrf.html
var csrfText string

// csrfPage answers before any view does: with a page, not JSON, and without the view's headers.
func csrfPage() *api.Error {
	return &api.Error{Status: http.StatusForbidden, HTML: csrfText, Header: http.Header{"Allow": nil}}
}

func loadSession(tx *store.Tx, r *http.Request) (*api.Session, error) {
	return auth.LoadSession(tx, cookie(r, sessionCookie))
}
