//go:build !js

package api

import (
	"errors"
	"net/http"
	"strings"
)

// NewOutgoing is the Outgoing of a native server.
func NewOutgoing(transport http.RoundTripper) Outgoing {
	return &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > 10 || !strings.EqualFold(r.URL.Host, via[0].URL.Host) {
			return errors.New("redirected to another host")
		}
		return nil
	}}
}
