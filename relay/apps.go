package relay

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"kolibri/relay/depot"
	"kolibri/relay/gateway"
	"kolibri/relay/wire"
)

// appPrefix begins the path of an app's endpoint on the relay's own host: /@name/...
const appPrefix = "/@"

// sandbox is what a page of an app gets on the relay's own host: an origin of its own, which shares
// nothing with the Kolibri beside it.
const sandbox = "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads"

// lookEvery is how soon a deployment on another relay is seen.
const lookEvery = 250 * time.Millisecond

// live is what runtimes serve: versions by app.
type live struct {
	mu   sync.Mutex
	apps map[string]int64
}

func (l *live) get() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.apps
}

// appOf tells which app a request is for, and whether by a host of its own.
func (r *Relay) appOf(req *http.Request) (name string, ownHost bool) {
	host, _, _ := strings.Cut(strings.ToLower(req.Host), ":")
	if name, ok := strings.CutSuffix(host, "."+r.cfg.AppDomain); ok && r.cfg.AppDomain != "" && depot.IsName(name) {
		return name, true
	}
	if rest, ok := strings.CutPrefix(req.URL.EscapedPath(), appPrefix); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name, false
	}
	return "", false
}

// toApp turns an exchange into one with an app.
func (x *exchange) toApp(name string, ownHost bool) *failure {
	if _, ok := x.relay.live.get()[name]; !ok {
		return failNoApp
	}
	x.want = want{kind: wire.KindRuntime}
	x.head.App = name
	if ownHost {
		return nil
	}
	u, err := url.Parse(x.head.URL)
	if err != nil {
		return failBad
	}
	x.shared = true
	rest := strings.TrimPrefix(u.EscapedPath(), appPrefix+name)
	if rest == "" {
		u.Path += "/"
		http.Redirect(x.w, x.r, u.RequestURI(), http.StatusPermanentRedirect)
		return failAnswered
	}
	query := ""
	if _, q, ok := strings.Cut(x.head.URL, "?"); ok {
		query = "?" + q
	}
	x.head.URL = u.Scheme + "://" + u.Host + rest + query
	// what the Kolibri on this host, or its visitor, has kept here is not the app's
	kept := x.head.Headers[:0]
	for _, pair := range x.head.Headers {
		switch http.CanonicalHeaderKey(pair[0]) {
		case "Cookie", "Authorization", "X-Csrftoken":
		case "Service-Worker":
			return failBad
		default:
			kept = append(kept, pair)
		}
	}
	x.head.Headers = kept
	return nil
}

// confine takes from an app's answer what would reach beyond the app.
func (x *exchange) confine(header http.Header) {
	if x.head.App == "" {
		return
	}
	for _, name := range []string{"Clear-Site-Data", "Service-Worker-Allowed", "Strict-Transport-Security", "Public-Key-Pins", "Alt-Svc", "Nel", "Report-To"} {
		header.Del(name)
	}
	if x.shared {
		header.Del("Set-Cookie")
		header.Add("Content-Security-Policy", sandbox)
	}
	cookies := header["Set-Cookie"]
	header.Del("Set-Cookie")
	for _, c := range cookies {
		if !strings.Contains(strings.ToLower(strings.ReplaceAll(c, " ", "")), ";domain=") {
			header.Add("Set-Cookie", c)
		}
	}
	header.Set("X-Content-Type-Options", "nosniff")
}

// appRoutes are the addresses at which apps are deployed and at which runtimes find them.
func (r *Relay) appRoutes() {
	handle := func(pattern string, may func(*http.Request) bool, do func(*http.Request) (any, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		r.own.HandleFunc(method+" "+Own+path, func(w http.ResponseWriter, req *http.Request) {
			if !may(req) {
				answerJSON(w, http.StatusUnauthorized, map[string]string{"error": "the key is missing or wrong"})
				return
			}
			req.Body = http.MaxBytesReader(w, req.Body, depot.MaxCode)
			result, err := do(req)
			if err != nil {
				r.failApp(w, err)
				return
			}
			answerJSON(w, http.StatusOK, result)
		})
	}
	handle("GET apps", r.isAdmin, func(*http.Request) (any, error) { return r.live.get(), nil })
	handle("PUT apps/{name}", r.isAdmin, r.deploy)
	handle("GET apps/{name}", r.isAdmin, func(q *http.Request) (any, error) { return r.cfg.Depot.Versions(q.Context(), q.PathValue("name")) })
	handle("DELETE apps/{name}", r.isAdmin, r.remove)
	handle("POST apps/{name}/rollback", r.isAdmin, r.rollBack)
	handle("GET apps/{name}/{version}", r.isRuntime, func(q *http.Request) (any, error) {
		version, err := strconv.ParseInt(q.PathValue("version"), 10, 64)
		if err != nil {
			return nil, depot.ErrNotFound
		}
		code, err := r.cfg.Depot.Code(q.Context(), q.PathValue("name"), version)
		return map[string]string{"code": code}, err
	})
	r.valueRoutes()
}

// failApp answers what went wrong with an app or its values.
func (r *Relay) failApp(w http.ResponseWriter, err error) {
	status, text := http.StatusInternalServerError, "the relay's database failed"
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, depot.ErrNotFound):
		status, text = http.StatusNotFound, "there is none"
	case errors.Is(err, depot.ErrConflict):
		status, text = http.StatusPreconditionFailed, err.Error()
	case errors.As(err, &tooLarge):
		status, text = http.StatusRequestEntityTooLarge, "it is too large"
	case errors.Is(err, depot.ErrName), errors.Is(err, depot.ErrKey), errors.Is(err, depot.ErrTooMany), errors.Is(err, depot.ErrTooLarge), errors.Is(err, errParameter):
		status, text = http.StatusBadRequest, err.Error()
	default:
		r.cfg.Log.Error("apps", "error", err)
	}
	answerJSON(w, status, map[string]string{"error": text})
}

var errParameter = errors.New("a parameter cannot be read")

func answerJSON(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what)
}

// isAdmin tells whether a request has the operator's key.
func (r *Relay) isAdmin(req *http.Request) bool {
	key, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	return ok && r.cfg.AdminKey != "" && same(key, r.cfg.AdminKey)
}

// hasSession tells whether a request comes from a paired tab: "X-Relay-Session: id.key".
func (r *Relay) hasSession(req *http.Request) bool {
	id, key, ok := strings.Cut(req.Header.Get("X-Relay-Session"), ".")
	return ok && r.pairing.knows(id, key)
}

func (r *Relay) isRuntime(req *http.Request) bool { return r.hasSession(req) || r.isAdmin(req) }

func (r *Relay) deploy(req *http.Request) (any, error) {
	code, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	name := req.PathValue("name")
	version, err := r.cfg.Depot.Deploy(req.Context(), name, string(code))
	if err != nil {
		return nil, err
	}
	return r.published(req.Context(), name, version)
}

func (r *Relay) rollBack(req *http.Request) (any, error) {
	to := int64(0)
	if text := req.URL.Query().Get("to"); text != "" {
		var err error
		if to, err = strconv.ParseInt(text, 10, 64); err != nil || to < 1 {
			return nil, errParameter
		}
	}
	name := req.PathValue("name")
	version, err := r.cfg.Depot.RollBack(req.Context(), name, to)
	if err != nil {
		return nil, err
	}
	return r.published(req.Context(), name, version)
}

func (r *Relay) remove(req *http.Request) (any, error) {
	if err := r.cfg.Depot.Remove(req.Context(), req.PathValue("name")); err != nil {
		return nil, err
	}
	return map[string]bool{"removed": true}, r.look(req.Context())
}

// Endpoint tells where an app is served.
type Endpoint struct {
	Name    string   `json:"name"`
	Version int64    `json:"version"`
	URLs    []string `json:"urls"`
}

func (r *Relay) published(ctx context.Context, name string, version int64) (any, error) {
	e := Endpoint{Name: name, Version: version, URLs: []string{}}
	if len(r.cfg.Addresses) > 0 {
		a := r.cfg.Addresses[0]
		e.URLs = append(e.URLs, strings.TrimSuffix(a, "/")+appPrefix+name+"/")
		if u, err := url.Parse(a); err == nil && r.cfg.AppDomain != "" {
			u.Host = strings.Replace(u.Host, u.Hostname(), name+"."+r.cfg.AppDomain, 1)
			e.URLs = append(e.URLs, u.String())
		}
	}
	return e, r.look(ctx)
}

// look reads which apps are live and tells the runtimes what has changed.
func (r *Relay) look(ctx context.Context) error {
	apps, err := r.cfg.Depot.Live(ctx)
	if err != nil {
		return err
	}
	r.live.mu.Lock()
	changed := !maps.Equal(apps, r.live.apps)
	r.live.apps = apps
	r.live.mu.Unlock()
	if changed {
		for _, t := range r.pool.all() {
			go r.tellApps(t)
		}
	}
	return nil
}

// tellApps tells a runtime what to serve.
func (r *Relay) tellApps(t *tab) {
	if t.joined.Kind != wire.KindRuntime {
		return
	}
	payload, err := json.Marshal(map[string]any{"apps": r.live.get()})
	if err == nil {
		_ = t.send(wire.Frame{Kind: wire.Apps, Payload: payload})
	}
}

// keepLooking follows what other relays of the same database do, until the relay stops.
func (r *Relay) keepLooking() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-r.ctx.Done():
			return
		case <-ticker.C:
		}
		err := r.look(r.ctx)
		if n%240 == 0 {
			err = errors.Join(err, r.cfg.Depot.Sweep(r.ctx))
		}
		if err != nil && r.ctx.Err() == nil {
			r.cfg.Log.Error("the relay's database", "error", err)
		}
	}
}

// throughGateway lets paired tabs, and nobody else, use the gateway.
func (r *Relay) throughGateway(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodOptions && req.Header.Get("Access-Control-Request-Method") != "" {
		gateway.Allow(w.Header(), req)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !r.hasSession(req) {
		gateway.Allow(w.Header(), req)
		http.Error(w, "only a paired tab may use the gateway", http.StatusUnauthorized)
		return
	}
	http.StripPrefix(Own+"gateway", r.cfg.Gateway).ServeHTTP(w, req)
}
