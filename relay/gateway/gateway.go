// Package gateway lets paired tabs reach servers that do not allow other sites' pages to read from
// them: those that the operator has named, and no others. A browser tells a page nothing of an answer
// from elsewhere unless that server agrees (CORS); the gateway agrees in its place.
package gateway

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kolibri/egress"
)

// Gateway answers /<scheme>/<host>/<path>. It does not ask who asks: its caller does.
type Gateway struct {
	policy *egress.Policy
	client *http.Client
	log    *slog.Logger
}

const (
	headerTimeout = 60 * time.Second
	maxUpload     = 1 << 30
)

// New makes a gateway to the named hosts: see egress.Named.
func New(allowed []string, lookup egress.Lookup, log *slog.Logger) (*Gateway, error) {
	policy, err := egress.Named(allowed, lookup)
	if err != nil {
		return nil, err
	}
	return &Gateway{policy: policy, log: log, client: &http.Client{Transport: policy.Transport(headerTimeout), CheckRedirect: policy.Redirect}}, nil
}

// Hosts lists what is allowed, for the tab.
func (g *Gateway) Hosts() []string { return g.policy.Hosts() }

// target reads /<scheme>/<host>/<path>?<query>.
func target(r *http.Request) (*url.URL, error) {
	scheme, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	host, path, _ := strings.Cut(rest, "/")
	u, err := url.Parse(scheme + "://" + host + "/" + path)
	if err != nil {
		return nil, egress.ErrNotAllowed
	}
	u.RawQuery = r.URL.RawQuery
	return u, nil
}

// Allow gives an answer the headers that let a page of any site read it.
func Allow(header http.Header, r *http.Request) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Expose-Headers", "*")
	header.Set("Access-Control-Max-Age", "600")
	header.Add("Vary", "Origin")
	if method := r.Header.Get("Access-Control-Request-Method"); method != "" {
		header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		header.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
		header.Set("Access-Control-Allow-Private-Network", "true")
	}
}

// passedOn are the headers of a request that concern the server behind the gateway.
var passedOn = []string{"Accept", "Accept-Language", "Authorization", "Content-Type", "If-Match", "If-None-Match", "If-Modified-Since",
	"If-Range", "Range", "X-Csrftoken", "X-Requested-With", "X-Morango-Capabilities"} // without the last, Kolibri ends no transfer

// keptBack are the headers of an answer that would mean something else coming from the gateway.
var keptBack = []string{"Set-Cookie", "Set-Cookie2", "Clear-Site-Data", "Strict-Transport-Security", "Public-Key-Pins", "Alt-Svc", "Connection",
	"Keep-Alive", "Transfer-Encoding", "Trailer", "Upgrade", "Service-Worker-Allowed", "Location", "Refresh",
	"Access-Control-Allow-Credentials"}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u, err := target(r)
	if err == nil {
		err = g.policy.Check(u)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	body := http.MaxBytesReader(w, r.Body, maxUpload)
	request, err := http.NewRequestWithContext(r.Context(), r.Method, u.String(), body)
	if err != nil {
		http.Error(w, "this request cannot be passed on", http.StatusBadRequest)
		return
	}
	if r.ContentLength == 0 {
		request.Body = http.NoBody
	}
	request.ContentLength = r.ContentLength
	request.Header.Set("User-Agent", "Kolibri relay gateway")
	for _, name := range passedOn {
		if values := r.Header.Values(name); len(values) > 0 {
			request.Header[name] = values
		}
	}
	answer, err := g.client.Do(request)
	if err != nil {
		g.fail(w, u, err)
		return
	}
	defer answer.Body.Close()
	header := w.Header()
	for name, values := range answer.Header {
		if !strings.HasPrefix(name, "Access-Control-") {
			header[name] = values
		}
	}
	for _, name := range keptBack {
		header.Del(name)
	}
	Allow(header, r)
	header.Set("X-Relay-Url", answer.Request.URL.String())
	// opened by itself in a browser, nothing of another site runs with this one's rights
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(answer.StatusCode)
	if _, err := io.Copy(w, answer.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (g *Gateway) fail(w http.ResponseWriter, u *url.URL, err error) {
	g.log.Info("the gateway could not reach a host", "host", u.Host, "error", err)
	status, text := http.StatusBadGateway, "the host "+u.Host+" cannot be reached"
	var netErr net.Error
	switch {
	case errors.Is(err, egress.ErrNotAllowed):
		status, text = http.StatusForbidden, egress.ErrNotAllowed.Error()
	case errors.Is(err, egress.ErrPrivate):
		status, text = http.StatusForbidden, egress.ErrPrivate.Error()
	case errors.As(err, &netErr) && netErr.Timeout():
		status, text = http.StatusGatewayTimeout, "the host "+u.Host+" does not answer"
	}
	http.Error(w, text, status)
}
