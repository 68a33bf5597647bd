// Package relay lets browser tabs answer requests from outside: an HTTP server in front, WebSockets to
// the tabs behind it. A tab holds a Kolibri, or runs apps that were deployed to it.
// docs/relay.md describes use, protocol and security.
package relay

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kolibri/relay/depot"
	"kolibri/relay/gateway"
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
	// (60 s), and Expect how long a request waits for a tab that has just gone and
	// comes back by itself, such as one that is reloaded (30 s).
	Timeout, Stall, Expect time.Duration
	// MaxRequests is how many may be open at once (4096).
	MaxRequests int
	// Depot keeps deployed apps; without it there are none. AdminKey is what deploying takes.
	Depot    *depot.Depot
	AdminKey string
	// AppDomain is a domain below which each app has a host of its own; "localhost" works everywhere on
	// this computer.
	AppDomain string
	// PeerURL is where the other relays of a common database reach this one. Empty: there are none.
	PeerURL string
	// Gateway leads paired tabs to other servers; nil leads nowhere.
	Gateway *gateway.Gateway
	Log     *slog.Logger
	Now     func() time.Time
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
	live    live
	peers   peers
}

// New makes a relay.
func New(cfg Config) (*Relay, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.Stall == 0 {
		cfg.Stall = time.Minute
	}
	if cfg.Expect == 0 {
		cfg.Expect = 30 * time.Second
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
	r.own.HandleFunc("POST "+Own+"body/{session}/{stream}", r.takeBody)
	r.own.HandleFunc("POST "+Own+"body", func(w http.ResponseWriter, req *http.Request) {
		gateway.Allow(w.Header(), req)
		w.WriteHeader(http.StatusNoContent)
	})
	r.tabs.Go(r.keepCodes)
	if cfg.Gateway != nil {
		r.own.HandleFunc(Own+"gateway/", r.throughGateway)
	}
	if cfg.Depot == nil {
		return r, nil
	}
	r.appRoutes()
	r.runtimeRoutes()
	if err := r.look(r.ctx); err != nil {
		return nil, err
	}
	r.tabs.Go(r.keepLooking)
	if cfg.PeerURL == "" {
		return r, nil
	}
	var err error
	if r.peers.secret, err = cfg.Depot.Secret(r.ctx, "hop", random(32)); err != nil {
		return nil, err
	}
	r.peers.proxy = &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, DisableCompression: true,
		DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext}
	if err := r.announce(r.ctx); err != nil {
		return nil, err
	}
	r.tabs.Go(r.keepAnnouncing)
	return r, nil
}

// keepCodes makes the next code when the last has grown too old, so that the operator sees a valid one.
func (r *Relay) keepCodes() {
	ticker := time.NewTicker(codeLife / 60)
	defer ticker.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-ticker.C:
			r.pairing.current()
		}
	}
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
	// an app's own host has nothing of the relay's
	if _, ownHost := r.appOf(req); !ownHost && strings.HasPrefix(req.URL.Path, Own) {
		r.own.ServeHTTP(w, req)
		return
	}
	r.front(w, req)
}
