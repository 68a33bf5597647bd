// Package relay lets browser tabs answer requests from outside: an HTTP server in front, WebSockets to
// the tabs behind it. A tab holds a Kolibri, or runs apps that were deployed to it.
// docs/relay.md describes use, protocol and security.
package relay

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kolibri/relay/wire"
)

// Own is where the relay's own addresses begin; everything else is the tabs'.
const Own = "/_relay/"

// Config is what a host gives. Zero values are the defaults.
type Config struct {
	// Code is the operator's pairing code, which stays valid. Without one the relay makes codes that
	// serve once, and tells Fresh each.
	Code  string
	Fresh func(code string)
	// Addresses are where others find this relay, the best first.
	Addresses []string
	// Timeout is how long the head of an answer may take (60 s), Stall how long a body may stand still
	// (60 s), and Expect how long a request waits for a tab that has just gone (10 s).
	Timeout, Stall, Expect time.Duration
	// MaxRequests is how many may be open at once (4096).
	MaxRequests int
	Log         *slog.Logger
	Now         func() time.Time
}

// Relay is the front and its tabs. Make one with New.
type Relay struct {
	cfg     Config
	id      string
	pool    *pool
	pairing *pairing
	own     *http.ServeMux
	open    atomic.Int64
	ctx     context.Context
	stop    context.CancelCauseFunc
	tabs    sync.WaitGroup
}

// New makes a relay.
func New(cfg Config) *Relay {
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.Stall == 0 {
		cfg.Stall = time.Minute
	}
	if cfg.Expect == 0 {
		cfg.Expect = 10 * time.Second
	}
	if cfg.MaxRequests == 0 {
		cfg.MaxRequests = 4096
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	r := &Relay{cfg: cfg, id: random(8), pool: newPool(cfg.Expect), own: http.NewServeMux()}
	r.pairing = newPairing(cfg.Code, cfg.Now, cfg.Fresh)
	r.ctx, r.stop = context.WithCancelCause(context.Background())
	r.own.HandleFunc("GET "+Own+"tab", r.accept)
	r.own.HandleFunc("GET "+Own+"status", r.status)
	return r
}

// Code is the pairing code that is valid now.
func (r *Relay) Code() string { return r.pairing.current() }

// Close tells the tabs that the relay stops, and ends their connections.
func (r *Relay) Close() {
	r.stop(failStops)
	for _, t := range r.pool.all() {
		_ = t.send(wire.Frame{Kind: wire.GoAway, Payload: []byte("the relay stops")})
		go t.conn.Close(wire.CloseStopped, "the relay stops")
	}
	r.tabs.Wait()
}

// ServeHTTP implements http.Handler.
func (r *Relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if strings.HasPrefix(req.URL.Path, Own) {
		r.own.ServeHTTP(w, req)
		return
	}
	r.front(w, req)
}
