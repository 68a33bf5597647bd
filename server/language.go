package server

import (
	"errors"
	"net/http"
	"strings"

	"kolibri/core/api"
	"kolibri/server/pages"
	"kolibri/store"
)

// defaultLanguage is what is left when nobody asked for any language on offer.
const defaultLanguage = "en"

// LanguageKey is the session value that holds the chosen language (django.utils.translation).
const LanguageKey = "_language"

// language chooses the language of a request (kolibri/core/device/middleware.py:
// KolibriLocaleMiddleware): the path's, then the session's, the device's, the browser's.
func (s *Server) language(tx *store.Tx, r *http.Request, session *api.Session) (string, error) {
	device, err := deviceLanguage(tx)
	if err != nil {
		return "", err
	}
	lang, _ := s.pages.pages.Negotiate(pages.Preference{
		Path: s.withoutPrefix(r.URL.EscapedPath()), Session: session.Get(LanguageKey), Device: device,
		Accept: r.Header.Get("Accept-Language"), Default: defaultLanguage,
	})
	return lang, nil
}

// deviceLanguage is the language the device was set up in, or empty.
func deviceLanguage(tx *store.Tx) (string, error) {
	var code *string
	err := tx.QueryRow("SELECT language_id FROM device_devicesettings WHERE is_provisioned ORDER BY id LIMIT 1").Scan(&code)
	if errors.Is(err, store.ErrNotFound) || err == nil && code == nil {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return *code, nil
}

func (s *Server) withoutPrefix(path string) string {
	return "/" + strings.TrimPrefix(path, s.cfg.Options.URLPathPrefix)
}

// unrouted answers a path that no route has: with a slash added or a language put in front where
// that makes it known (django.middleware.common, KolibriLocaleMiddleware), else 404.
func (s *Server) unrouted(w http.ResponseWriter, r *http.Request, path string) {
	query := ""
	if r.URL.RawQuery != "" {
		query = "?" + r.URL.RawQuery
	}
	prefix := strings.TrimSuffix(s.cfg.Options.URLPathPrefix, "/")
	if !strings.HasSuffix(path, "/") {
		if rt, _ := s.find(path + "/"); rt != nil {
			s.redirect(w, http.StatusMovedPermanently, prefix+path+"/"+query)
			return
		}
	}
	if _, named := s.pages.pages.LanguageOfPath(path); !named {
		var lang string
		err := s.cfg.DB.Read(r.Context(), func(tx *store.Tx) error {
			session, err := loadSession(tx, r)
			if err != nil {
				return err
			}
			lang, err = s.language(tx, r, session)
			return err
		})
		if err != nil {
			s.fail(w, err)
			return
		}
		target := "/" + lang + path
		if !strings.HasSuffix(target, "/") {
			if rt, _ := s.find(target); rt == nil {
				target += "/"
			}
		}
		if rt, params := s.find(target); rt != nil && rt.localized {
			s.localized(w, r, rt, params, prefix+target+query)
			return
		}
	}
	s.notFound(w)
}

// localized redirects to the page in the reader's language. Where that page is a redirect itself,
// its answer is given at once: the original saves the browser the second hop.
func (s *Server) localized(w http.ResponseWriter, r *http.Request, rt *route, params map[string]string, location string) {
	switch rt.Name {
	case "kolibri:core:root_redirect", "kolibri:core:redirect_user", "kolibri:core:guest", "redirect_user":
		s.serve(w, r, rt, params)
	default:
		w.Header().Set("Vary", "Accept-Language, Cookie")
		s.redirect(w, http.StatusFound, location)
	}
}

func (s *Server) redirect(w http.ResponseWriter, status int, location string) {
	w.Header().Set("Location", location)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}
