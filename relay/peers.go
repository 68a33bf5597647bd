package relay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"kolibri/relay/depot"
)

const (
	announceEvery = time.Second
	hopHeader     = "X-Relay-Hop" // the relays' common secret: a request that may not go on to a third
	fromHeader    = "X-Relay-From"
	schemeHeader  = "X-Relay-Scheme"
)

// peers are the other relays of the same database.
type peers struct {
	mu     sync.Mutex
	list   []peer
	secret string
	proxy  http.RoundTripper
}

// peer is one of them, and how busy its tabs are.
type peer struct {
	url   *url.URL
	id    string
	tabs  map[string]int // by kind
	homes map[string]int
	busy  int
}

// standing is what a relay tells the others of itself.
type standing struct {
	Tabs  map[string]int `json:"tabs"`
	Homes map[string]int `json:"homes"`
	Busy  int            `json:"busy"`
}

func (r *Relay) standing() standing {
	s := standing{Tabs: map[string]int{}, Homes: r.pool.homes(), Busy: int(r.open.Load())}
	for _, t := range r.pool.all() {
		s.Tabs[t.joined.Kind]++
	}
	return s
}

// announce tells the other relays of this one and reads who they are.
func (r *Relay) announce(ctx context.Context) error {
	text, err := json.Marshal(r.standing())
	if err != nil {
		return err
	}
	nodes, err := r.cfg.Depot.Announce(ctx, depot.Node{ID: r.id, URL: r.cfg.PeerURL, Tabs: string(text)})
	if err != nil {
		return err
	}
	var list []peer
	for _, n := range nodes {
		var s standing
		u, err := url.Parse(n.URL)
		if err != nil || json.Unmarshal([]byte(n.Tabs), &s) != nil {
			continue
		}
		list = append(list, peer{url: u, id: n.ID, tabs: s.Tabs, homes: s.Homes, busy: s.Busy})
	}
	r.peers.mu.Lock()
	defer r.peers.mu.Unlock()
	r.peers.list = list
	return nil
}

// keepAnnouncing does so until the relay stops.
func (r *Relay) keepAnnouncing() {
	ticker := time.NewTicker(announceEvery)
	defer ticker.Stop()
	for {
		changed := r.pool.changes()
		select {
		case <-r.ctx.Done():
			ctx, cancel := context.WithTimeout(context.Background(), announceEvery)
			defer cancel()
			if err := r.cfg.Depot.Leave(ctx, r.id); err != nil {
				r.cfg.Log.Error("the relay's database", "error", err)
			}
			return
		case <-ticker.C:
		case <-changed:
		}
		if err := r.announce(r.ctx); err != nil && r.ctx.Err() == nil {
			r.cfg.Log.Error("the relay's database", "error", err)
		}
	}
}

// with returns the least busy peer that has a fitting tab, except those already tried.
func (p *peers) with(w want, tried map[string]bool) *peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	var best *peer
	for i := range p.list {
		one := &p.list[i]
		if tried[one.id] || one.tabs[w.kind] == 0 || w.home != "" && one.homes[w.home] == 0 {
			continue
		}
		if best == nil || one.busy < best.busy {
			best = one
		}
	}
	return best
}

// fromPeer tells whether a request comes from another relay of the same database, and takes its words
// for who asked and how.
func (r *Relay) fromPeer(req *http.Request) bool {
	hop, from := req.Header.Get(hopHeader), req.Header.Get(fromHeader)
	for _, name := range []string{hopHeader, fromHeader, schemeHeader} {
		req.Header.Del(name)
	}
	if r.peers.secret == "" || !same(hop, r.peers.secret) {
		return false
	}
	if from != "" {
		req.RemoteAddr = from
	}
	return true
}

// errPeer: the other relay could not be asked; nothing has gone out to the client.
var errPeer = errors.New("the relay does not answer")

// askPeer passes a request on to another relay, whose tab answers it.
func (x *exchange) askPeer(p *peer) (err error) {
	proxy := &httputil.ReverseProxy{
		Transport:     x.relay.peers.proxy,
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = p.url.Scheme, p.url.Host
			r.Out.URL.RawQuery = r.In.URL.RawQuery
			r.Out.Host = r.In.Host
			r.Out.Header.Set(hopHeader, x.relay.peers.secret)
			r.Out.Header.Set(fromHeader, x.r.RemoteAddr)
			if x.r.TLS != nil {
				r.Out.Header.Set(schemeHeader, "https")
			}
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, cause error) {
			err = errors.Join(errPeer, cause)
		},
	}
	proxy.ServeHTTP(x.w, x.r)
	return err
}

// elsewhere lets another relay's tab answer, if one can. done says that it has.
func (x *exchange) elsewhere() (done bool, err error) {
	tried := map[string]bool{}
	for {
		p := x.relay.peers.with(x.want, tried)
		if p == nil {
			return false, nil
		}
		tried[p.id] = true
		err := x.askPeer(p)
		if err == nil {
			return true, nil
		}
		x.relay.cfg.Log.Info("another relay could not be asked", "url", p.url.String(), "error", err)
		if x.r.Context().Err() != nil {
			return true, err
		}
		if !repeatable(x.r.Method) || x.r.Body != nil && x.r.Body != http.NoBody {
			return true, failPeer
		}
	}
}
