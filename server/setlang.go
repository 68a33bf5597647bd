package server

import (
	"net/http"
	neturl "net/url"
	"strings"

	"kolibri/core/api"
	"kolibri/core/views"
	"kolibri/server/pages"
)

// setLanguage changes the language of a session, or gives it back to the device's when none that is
// offered was named, and answers with the address in the new language of the page the reader is on.
// kolibri/core/views.py: set_language
func (s *Server) setLanguage(r *api.Request) (any, error) {
	lang := r.FormValue("language")
	if s.pages.HasLanguage(lang) {
		r.Session.Set(LanguageKey, lang)
	} else {
		device, err := deviceLanguage(r.Tx)
		if err != nil {
			return nil, err
		}
		lang, _ = s.pages.pages.Negotiate(pages.Preference{Device: device, Accept: r.HTTP.Header.Get("Accept-Language"), Default: defaultLanguage})
		r.Session.Unset(LanguageKey)
	}
	return api.Text(http.StatusOK, "text/html; charset=utf-8", s.translated(r, r.FormValue("next"), lang)), nil
}

// translated is an address of ours in another language; what is none of ours becomes the start.
func (s *Server) translated(r *api.Request, next, lang string) string {
	start := s.cfg.Options.URLPathPrefix + lang + "/redirectuser/"
	u, err := neturl.Parse(next)
	if err != nil || next == "" || !views.SameHost(next, r.HTTP) {
		return start
	}
	path := s.withoutPrefix(u.EscapedPath())
	rt, params := s.find(path)
	switch {
	case rt == nil, params["lang"] != "" && params["lang"] != r.Lang:
		return start
	case params["lang"] != "":
		path = "/" + lang + strings.TrimPrefix(path, "/"+r.Lang)
	}
	moved := s.cfg.Options.URLPathPrefix + strings.TrimPrefix(path, "/")
	if u.Host != "" {
		moved = "//" + u.Host + moved
		if u.Scheme != "" {
			moved = u.Scheme + ":" + moved
		}
	}
	if u.RawQuery != "" {
		moved += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		moved += "#" + u.EscapedFragment()
	}
	return moved
}
