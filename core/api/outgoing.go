package api

import "net/http"

// Outgoing sends requests to other servers, as http.Client does. It follows redirects on the same
// host only, so that whom a person named can send this server nowhere else. It is an interface of our
// own because naming net/http's client links all of TLS and HTTP/2 into the browser's program, which
// has fetch for that.
type Outgoing interface {
	Do(*http.Request) (*http.Response, error)
}
