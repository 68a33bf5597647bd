// Command wasm is Kolibri's server as it runs in a browser: a program that the tab's worker
// (worker/worker.js) starts, and that answers the requests which arrive as messages. This file
// gives the server what the browser has in place of an operating system.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"syscall/js"
	"time"

	"kolibri/core/api"
	"kolibri/server"
	"kolibri/store"
	"kolibri/wasm/bridge"
)

// database is the one file of a home that SQLite keeps; a home is a KOLIBRI_HOME.
const database = "db.sqlite3"

// settle is when the first page has come to rest on a slow machine, mostly.
const settle = 4 * time.Second

func main() {
	// SQLite's memory is one slice that is copied when it grows: a tight collector keeps the peak,
	// which WebAssembly never gives back, low.
	debug.SetGCPercent(50)
	host := js.Global().Get("kolibriHost")
	a := &app{host: host, ctx: context.Background(), log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	host.Call("mark", "module")
	a.start()
	select {}
}

// app is the running program.
type app struct {
	host  js.Value
	ctx   context.Context
	log   *slog.Logger
	home  *home
	gate  gate
	close func()
}

// start opens the database and the server, and begins to answer. When that fails the shell is told
// why, and only the host's own routes (backup, restore, reset) answer.
func (a *app) start() {
	err := a.open()
	a.host.Call("started", bridge.New(a, a.host).Hooks())
	if err != nil {
		a.log.Error("start", "error", err)
		a.host.Call("failed", failureCode(err), describe(err))
	}
}

// open may meet anything in a person's storage: even a panic is only a failure to start.
func (a *app) open() (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("panic at start", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	root, err := url.Parse(a.host.Get("root").String())
	if err != nil {
		return err
	}
	build := assets{host: a.host}
	if a.home, err = findHome(a.ctx, a.host.Get("home").String()); err != nil {
		return err
	}
	db, err := a.home.open(a.ctx, build, a.host.Get("build").Get("home").String())
	if err != nil {
		return err
	}
	a.host.Call("mark", "database")
	options := api.DefaultOptions()
	options.URLPathPrefix = root.Path
	options.CentralContentBaseURL = root.String()
	options.Home = a.home.dir
	s, err := server.New(a.ctx, server.Config{
		Host: api.Host{
			DB: db, Rand: rand.Reader, Hasher: webCrypto{}, HTTP: mirror{outgoing{}, root.String()},
			Options: options, Log: a.log, Device: browser{}, Media: a.home.media(),
		},
		Build:   build,
		Content: a.home.content(),
		Settle:  settle,
		// Only this origin's pages can have a port, and the service worker refuses other sites. Who comes
		// through a relay has to show a token like everybody else.
		Trusted: func(r *http.Request) bool { return r.RemoteAddr == bridge.OwnPage },
	})
	if err != nil {
		return errors.Join(err, db.Close())
	}
	a.close = func() { s.Close(); _ = db.Close() }
	a.gate.open(s, db)
	return nil
}

// ServeHTTP implements http.Handler: the host's own routes first, then Kolibri's.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if serve := a.hostRoute(r); serve != nil {
		serve(w, r)
		return
	}
	a.gate.ServeHTTP(w, r)
}

// failureCode sorts failures to start by what a person can do about them; web/screens/failure.js
// has a text for each.
func failureCode(err error) string {
	for _, f := range []struct {
		cause error
		code  string
	}{
		{store.ErrCorrupt, "damaged-database"},
		{store.ErrNewer, "newer-database"},
		{store.ErrFull, "full"},
		{store.ErrBusy, "busy"},
		{errNoStorage, "no-storage"},
	} {
		if errors.Is(err, f.cause) {
			return f.code
		}
	}
	return "crashed"
}

func describe(err error) string {
	var open *store.OpenError
	if errors.As(err, &open) && open.Hint != "" {
		return err.Error() + "\n" + open.Hint
	}
	return err.Error()
}

// now is the browser's clock.
func now() time.Time { return time.Now() }
