package relay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/coder/websocket"

	"kolibri/relay/wire"
)

// joinTimeout is how long a new connection may take to say who it is.
const joinTimeout = 10 * time.Second

// accept lets a tab in. Any page may knock: the code decides, not the page's origin.
func (r *Relay) accept(w http.ResponseWriter, req *http.Request) {
	if r.ctx.Err() != nil {
		failStops.write(w)
		return
	}
	conn, err := websocket.Accept(w, req, &websocket.AcceptOptions{
		Subprotocols: []string{wire.Protocol}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // it has been answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(wire.MaxFrame)
	if conn.Subprotocol() != wire.Protocol {
		conn.Close(wire.CloseProtocol, "this relay speaks "+wire.Protocol)
		return
	}
	remote, _ := netip.ParseAddrPort(req.RemoteAddr)
	t, err := r.join(req.Context(), conn, remote)
	if err != nil {
		r.refuse(conn, remote, err)
		return
	}
	r.tabs.Add(1)
	defer r.tabs.Done()
	t.onEnd = func(err error) { r.pool.remove(t, comesBack(err)) }
	r.replace(t)
	r.pool.add(t)
	go r.tellApps(t)
	r.cfg.Log.Info("a tab has joined", "kind", t.joined.Kind, "name", t.joined.Name, "from", t.remote)
	err = t.run(context.WithoutCancel(req.Context()))
	if websocket.CloseStatus(err) == wire.CloseStopped {
		r.pairing.end(t.session)
	}
	r.cfg.Log.Info("a tab has gone", "kind", t.joined.Kind, "name", t.joined.Name, "from", t.remote, "cause", err, "served", t.served.Load())
}

func (r *Relay) refuse(conn *websocket.Conn, remote netip.AddrPort, err error) {
	code := wire.CloseProtocol
	switch {
	case errors.Is(err, errWrongCode):
		code = wire.CloseForbidden
	case errors.Is(err, errTooMany):
		code = wire.CloseBusy
	}
	r.cfg.Log.Info("a tab was refused", "from", remote, "cause", err)
	conn.Close(websocket.StatusCode(code), shortened(err.Error()))
}

// join greets a new connection and checks its answer.
func (r *Relay) join(ctx context.Context, conn *websocket.Conn, remote netip.AddrPort) (*tab, error) {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	if !r.pairing.mayTry(remote.Addr()) {
		return nil, errTooMany
	}
	nonce := random(32)
	if err := r.tell(ctx, conn, wire.Hello, wire.Greeting{Version: wire.Version, Relay: r.id, Nonce: nonce, Window: wire.InitialWindow}); err != nil {
		return nil, err
	}
	kind, message, err := conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	f, err := wire.Decode(message)
	if err != nil {
		return nil, err
	}
	var joined wire.Application
	if kind != websocket.MessageBinary || f.Kind != wire.Join || json.Unmarshal(f.Payload, &joined) != nil || joined.Version != wire.Version ||
		!slices.Contains([]string{wire.KindKolibri, wire.KindRuntime}, joined.Kind) || !plain(joined.Home) || !plain(joined.Name) {
		return nil, errors.New("the first frame is no Join of version 1")
	}
	id, key, err := r.pairing.admit(remote.Addr(), nonce, joined.Session, joined.Proof)
	if err != nil {
		return nil, err
	}
	addresses := slices.Clone(r.cfg.Addresses)
	admission := wire.Admission{Session: id, Key: key, Addresses: addresses, Hosts: []string{}}
	if r.cfg.Gateway != nil {
		admission.Hosts = r.cfg.Gateway.Hosts()
	}
	if len(addresses) > 0 {
		admission.Picture = Picture(addresses[0])
	}
	if err := r.tell(ctx, conn, wire.Welcome, admission); err != nil {
		return nil, err
	}
	return newTab(conn, joined, id, nonce, remote.Addr().String(), time.Now()), nil
}

// plain tells whether a name can stand in a log and in a cookie.
func plain(name string) bool {
	if len(name) > 100 {
		return false
	}
	for _, c := range name {
		if c < ' ' || c > '~' || c == '"' || c == ';' || c == ',' || c == '\\' {
			return false
		}
	}
	return true
}

func (r *Relay) tell(ctx context.Context, conn *websocket.Conn, kind wire.Kind, what any) error {
	payload, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageBinary, wire.Frame{Kind: kind, Payload: payload}.Append(nil))
}

// replace ends an older connection of the same session: the tab came back before it was missed.
func (r *Relay) replace(t *tab) {
	for _, old := range r.pool.all() {
		if old.session == t.session {
			old.end(errors.New("the same tab has come back"))
			go old.conn.Close(wire.CloseReplaced, "the same tab has come back")
		}
	}
}

// status tells, without secrets, how many tabs there are.
func (r *Relay) status(w http.ResponseWriter, _ *http.Request) {
	kinds := map[string]int{wire.KindKolibri: 0, wire.KindRuntime: 0}
	for _, t := range r.pool.all() {
		kinds[t.joined.Kind]++
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"protocol": wire.Protocol, "relay": r.id, "tabs": kinds, "requests": r.open.Load()})
}
