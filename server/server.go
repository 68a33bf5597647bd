// Package server assembles Kolibri's apps into one http.Handler: the URL table, sessions, CSRF,
// languages, pages, and the one place where answers and errors get their shape. It does not know
// whether it runs in a browser or natively.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content/storage"
	"kolibri/core/views"
	"kolibri/store"
)

// Config is what a host gives.
type Config struct {
	api.Host
	// Build is the root of the built front end: data/pages.json and data/messages/<lang>.json.
	Build fs.FS
	// Content is the folder of channels' files and databases. Nil: no channel can be imported.
	Content *storage.Store
	// Trusted tells whether a request is same-origin by construction, as one is that comes through
	// the tab's message port; such a request needs no CSRF token. Nil trusts none.
	Trusted func(*http.Request) bool
	// Settle is how long background work (unfinished jobs, maintenance) waits after a start, so
	// that a person's first page does not wait for it. Zero: New begins it.
	Settle time.Duration
}

// Server is Kolibri's server. Make one with New; Close ends its background work.
type Server struct {
	cfg      Config
	urls     []url
	router   *router
	handlers map[string]map[string]*api.Route
	pages    *pageHost
	views    *views.Views
	csp      string
	cancel   context.CancelFunc
	closers  []func()
}

// New assembles the server on a migrated database.
func New(ctx context.Context, cfg Config) (*Server, error) {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cfg.Base = base
	if cfg.Trusted == nil {
		cfg.Trusted = func(*http.Request) bool { return false }
	}
	if cfg.Secret == nil {
		cfg.Secret = make([]byte, 32)
		if _, err := io.ReadFull(cfg.Rand, cfg.Secret); err != nil {
			cancel()
			return nil, err
		}
	}
	s := &Server{cfg: cfg, urls: without(cfg.Options, parseURLs(urlTable)), handlers: map[string]map[string]*api.Route{}, cancel: cancel,
		csp: contentSecurityPolicy(cfg.Options)}
	if err := s.start(); err != nil {
		cancel()
		return nil, err
	}
	s.router = newRouter(s.urls, s.handlers)
	return s, nil
}

// Close ends background work and waits for it.
func (s *Server) Close() {
	s.cancel()
	for _, c := range s.closers {
		c()
	}
}

// bind registers an app's routes. A name that the URL table lacks is a mistake of ours.
func (s *Server) bind(routes []api.Route) error {
	known := map[string]bool{}
	for _, u := range s.urls {
		known[u.Name] = true
	}
	for _, r := range routes {
		if off(s.cfg.Options, r.Name) {
			continue
		}
		if !known[r.Name] {
			return fmt.Errorf("route %s is not in the URL table", r.Name)
		}
		if s.handlers[r.Name] == nil {
			s.handlers[r.Name] = map[string]*api.Route{}
		}
		if s.handlers[r.Name][r.Method] != nil {
			return fmt.Errorf("route %s %s is bound twice", r.Name, r.Method)
		}
		s.handlers[r.Name][r.Method] = &r
	}
	return nil
}

// ServeHTTP implements http.Handler. A panic in a handler is a 500, never the end of the server.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			s.cfg.Log.Error("panic", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			s.fail(w, errors.New("panic"))
		}
	}()
	s.commonHeaders(w.Header())
	path := r.URL.EscapedPath()
	if prefix := s.cfg.Options.URLPathPrefix; prefix != "/" {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok {
			s.notFound(w)
			return
		}
		path = "/" + rest
	}
	if allowOrigins(w, r, path) {
		return
	}
	rt, params := s.find(path)
	if rt == nil {
		s.unrouted(w, r, path)
		return
	}
	s.serve(w, r, rt, params)
}

// find returns the route of a path and its parameters, or nil. A language is one that is on offer.
func (s *Server) find(path string) (*route, map[string]string) {
	rt, params := s.router.find(path)
	if rt != nil && rt.localized && !s.pages.HasLanguage(params["lang"]) {
		return nil, nil
	}
	return rt, params
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt *route, params map[string]string) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	header := w.Header()
	if !rt.Page {
		header.Set("Vary", "Accept, Cookie")
		header.Set("Allow", rt.allow)
	}
	request := api.NewRequest(r, nil, nil, params)
	request.ViewName, request.URLName = rt.viewName(method), rt.Name
	handler := rt.handlers[method]
	if handler == nil {
		handler = rt.handlers["ANY"]
	}
	if handler == nil {
		s.ensureCSRF(w, r, rt, nil)
		s.unhandled(w, request, rt, method)
		return
	}
	answer, err := s.handle(request, rt, handler, method)
	s.ensureCSRF(w, r, rt, answer)
	if rt.localized && request.Lang != "" {
		header.Set("Content-Language", request.Lang)
	}
	if err != nil {
		if handler.VolatileErrors {
			header.Set("Cache-Control", neverKept)
		}
		s.forgetUnknown(w, request)
		s.fail(w, err)
		return
	}
	s.send(w, r, request, answer)
}

// unhandled answers a method that a view does not have, or does not have yet.
func (s *Server) unhandled(w http.ResponseWriter, r *api.Request, rt *route, method string) {
	_, named := rt.Actions[method]
	_, anyMethod := rt.Actions["ANY"]
	if rt.Page {
		if err := s.checkCSRF(r, true, method); err != nil {
			s.fail(w, err)
			return
		}
	}
	switch {
	case named || anyMethod && len(rt.handlers) == 0:
		s.fail(w, api.Fail(http.StatusNotImplemented, "NOT_IMPLEMENTED", map[string]any{"view": rt.viewName(method)}))
	case method == http.MethodOptions && !rt.Page:
		s.send(w, r.HTTP, r, rt.describe())
	case rt.Page: // django/views/generic/base.py: View.http_method_not_allowed, View.options
		w.Header().Set("Allow", rt.allow)
		status := http.StatusMethodNotAllowed
		if method == http.MethodOptions {
			status = http.StatusOK
		}
		s.send(w, r.HTTP, r, api.Text(status, "text/html; charset=utf-8", ""))
	default:
		if get := rt.handlers[http.MethodGet]; get != nil && get.VolatileErrors {
			w.Header().Set("Cache-Control", neverKept)
		}
		s.fail(w, api.Detail(http.StatusMethodNotAllowed, `Method "`+r.HTTP.Method+`" not allowed.`))
	}
}

// handle runs the request in one transaction: who asks, in which language, whether they may send
// this at all, the handler, and the session's change.
func (s *Server) handle(r *api.Request, rt *route, h *api.Route, method string) (answer any, err error) {
	if h.NoTx || h.NoTxFor != nil && h.NoTxFor(r.HTTP) {
		err := s.cfg.DB.Read(r.Ctx, func(tx *store.Tx) (err error) {
			answer, err = s.prepare(tx, r, rt, h, method)
			return err
		})
		if answer != nil || err != nil {
			return answer, err
		}
		if answer, err = h.Handle(r); err != nil {
			return nil, err
		}
		return answer, s.saveSession(r)
	}
	reading := method == http.MethodGet && !h.Writes
	run := s.cfg.DB.Write
	if reading {
		run = s.cfg.DB.Read
	}
	var kept error
	attempt := func(tx *store.Tx) (err error) {
		r.Tx, kept = tx, nil
		if answer, err = s.prepare(tx, r, rt, h, method); answer != nil || err != nil {
			return err
		}
		if answer, err = h.Handle(r); err != nil {
			var shaped *api.Error
			if !h.AfterError || !errors.As(err, &shaped) {
				return err
			}
			kept = err
		}
		if reading {
			return nil
		}
		return auth.SaveSession(tx, r.Session, s.cfg.Rand)
	}
	begun := time.Now()
	err = run(r.Ctx, attempt)
	for n := 1; n < attempts && s.collided(err) && time.Since(begun) < patience && r.Again(); n++ {
		err = run(r.Ctx, attempt)
	}
	if err == nil && reading {
		err = s.saveSession(r)
	}
	if err == nil {
		err = kept
	}
	return answer, err
}

// A request that collided with another is handled again, at most so often, and not when it has waited
// for so long already.
const (
	attempts = 12
	patience = 20 * time.Second
)

// collided tells whether a transaction failed because of another that ran at the same time, as when a
// class is deleted while somebody puts a lesson into it, and is not found any more, or is missing in the
// end. SQLite, which has one writer and readers that see one state, knows no such.
func (s *Server) collided(err error) bool {
	return s.cfg.DB.Dialect() == store.Postgres &&
		(errors.Is(err, store.ErrForeignKey) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBusy))
}

// prepare finds the session and the language of a request, and answers it itself where a plugin's
// page is asked for on a device that is not set up. It enforces the CSRF check.
func (s *Server) prepare(tx *store.Tx, r *api.Request, rt *route, h *api.Route, method string) (answer any, err error) {
	if r.Session, err = loadSession(tx, r.HTTP); err != nil {
		return nil, err
	}
	if r.Lang, err = s.language(tx, r.HTTP, r.Session); err != nil {
		return nil, err
	}
	if rt.needsSetup() {
		if ready, err := views.Provisioned(tx); err != nil || !ready {
			return s.views.Setup(r), err
		}
	}
	if h.CSRFExempt {
		return nil, nil
	}
	return nil, s.checkCSRF(r, h.CSRFAlways || rt.Page, method)
}

// saveSession writes a changed session in a transaction of its own.
func (s *Server) saveSession(r *api.Request) error {
	if !r.Session.Modified && !r.Session.Flushed {
		return nil
	}
	return s.cfg.DB.Write(r.Ctx, func(tx *store.Tx) error { return auth.SaveSession(tx, r.Session, s.cfg.Rand) })
}

// send writes an answer.
func (s *Server) send(w http.ResponseWriter, r *http.Request, request *api.Request, answer any) {
	p, ok := answer.(*api.Response)
	if !ok {
		p = &api.Response{Status: http.StatusOK, Body: answer}
		if answer == nil {
			p = api.NoContent()
		}
	}
	s.sessionCookies(w, request)
	header := w.Header()
	for name, values := range p.Header {
		if name == "Set-Cookie" {
			header[name] = append(header[name], values...)
			continue
		}
		header[name] = values
	}
	if p.ETag != "" {
		header.Set("ETag", `"`+p.ETag+`"`)
		if api.ETagMatches(r.Header.Get("If-None-Match"), p.ETag) {
			freshness(header, r, http.StatusNotModified)
			header.Del("Allow")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	if p.Stream == nil {
		freshness(header, r, p.Status)
	}
	switch {
	case p.Stream != nil:
		p.Stream(w, r)
	case p.Raw != nil:
		s.write(w, r, p.Status, p.Raw)
	default:
		body, err := api.JSON(p.Body)
		if err != nil {
			s.fail(w, err)
			return
		}
		header.Set("Content-Type", "application/json")
		s.write(w, r, p.Status, body)
	}
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if status != http.StatusNoContent && status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// Routes lists every named route with the methods that are answered, for people.
func (s *Server) Routes() []string {
	var lines []string
	for _, u := range s.urls {
		var methods []string
		for m := range s.handlers[u.Name] {
			methods = append(methods, m)
		}
		sort.Strings(methods)
		lines = append(lines, fmt.Sprintf("%s %s %s", u.Name, u.Path, strings.Join(methods, ",")))
	}
	return lines
}
