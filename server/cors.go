package server

import (
	"net/http"
	"strings"
)

// shared are the routes that a tab of another host may call: it synchronizes with this server itself,
// having no port of its own that this server could call. None of them looks at cookies, and browsers
// send none along.
var shared = []string{"/api/morango/", "/api/public/"}

// allowOrigins lets pages of other origins read a shared route's answer, and answers the question
// (a preflight) that browsers ask before other requests than simple ones. It tells whether it did.
func allowOrigins(w http.ResponseWriter, r *http.Request, path string) bool {
	if r.Header.Get("Origin") == "" || !sharedPath(path) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Morango-Capabilities")
	h.Set("Access-Control-Max-Age", "86400")
	// A page of the public network may ask for a device of the local one (Private Network Access).
	if r.Header.Get("Access-Control-Request-Private-Network") != "" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

func sharedPath(path string) bool {
	for _, prefix := range shared {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}
