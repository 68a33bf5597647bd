package server

import (
	"net/http"
	"strings"

	"kolibri/core/api"
)

// contentSecurityPolicy is what pages may load. Zip content comes from its own origin; where none
// is named its port is not known beforehand, so frames and media may come from anywhere.
// kolibri/deployment/default/settings/base.py: CSP_*
func contentSecurityPolicy(o api.Options) string {
	hosts := ""
	for _, h := range o.CSPHostSources {
		hosts += " " + h
	}
	frames := "http: https:"
	if o.ZipContentOrigin != "" {
		frames = o.ZipContentOrigin
	}
	return strings.Join([]string{
		"default-src 'self' data: blob:" + hosts,
		"script-src 'self' blob:" + hosts,
		"style-src 'self' data: blob: 'unsafe-inline'" + hosts,
		"frame-src 'self' data: blob: " + frames,
		"media-src 'self' data: blob: " + frames,
	}, "; ")
}

// commonHeaders go with every answer. The device's page shows what Server says and fails without it.
func (s *Server) commonHeaders(h http.Header) {
	h.Set("Server", "Kolibri/"+api.Version)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", s.csp)
}

// neverKept forbids to keep an answer (django/utils/cache.py: add_never_cache_headers).
const neverKept = "max-age=0, no-cache, no-store, must-revalidate, private"

// freshness makes browsers ask again for what says nothing about its age. A handler that wants no
// header at all sets Cache-Control to no values. A 304 is never fresh by itself.
// django/middleware/cache.py: UpdateCacheMiddleware
func freshness(h http.Header, r *http.Request, status int) {
	reading := r.Method == http.MethodGet || r.Method == http.MethodHead
	_, chosen := h["Cache-Control"]
	if reading && (status == http.StatusNotModified && !strings.Contains(h.Get("Cache-Control"), "public") || status == http.StatusOK && !chosen) {
		h.Set("Cache-Control", "max-age=0")
	}
}
