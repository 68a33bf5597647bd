//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content/storage"
	"kolibri/server"
	"kolibri/server/zipcontent"
	"kolibri/store"
)

const (
	maxHeader   = 64 << 10
	maxBody     = 1 << 30 // a request's body, an uploaded file included; handlers have smaller limits for what they read into memory
	idleTimeout = 2 * time.Minute
	stopGrace   = 5 * time.Second
)

// assemble makes the handler of everything on the main port, and the function that ends its
// background work. Requests under the name for zip content are for apps.
func assemble(ctx context.Context, h *home, front *frontEnd, apps http.Handler) (*health, func(), error) {
	s := h.settings
	kolibri, err := newServer(ctx, h, front)
	if err != nil {
		return nil, nil, err
	}
	files := map[string]http.Handler{"content/": contentFiles(append([]string{s.ContentDir}, s.FallbackDirs...))}
	if front.root != nil {
		files["static/"] = staticFiles(front.root, kolibri)
	}
	gated := newGate(kolibri, s)
	lasting := steadfast(gated)
	isApps := byHost(s.ZipContentOrigin)
	everything := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isApps(r) {
			apps.ServeHTTP(w, r)
			return
		}
		if rest, ok := strings.CutPrefix(r.URL.Path, s.URLPathPrefix); ok {
			for prefix, handler := range files {
				if strings.HasPrefix(rest, prefix) {
					http.StripPrefix(s.URLPathPrefix+strings.TrimSuffix(prefix, "/"), handler).ServeHTTP(w, r)
					return
				}
			}
			if front.root == nil && isPage(rest) {
				missing(w)
				return
			}
		}
		lasting.ServeHTTP(w, r)
	})
	m := newMetrics(h)
	m.gate = gated
	return &health{home: h, metrics: m, next: observe(everything, m, h.log, s.LogRequests)}, kolibri.Close, nil
}

// zipContent makes the handler of the port for zip content: files in archives, Kolibri's player around them,
// and the archives themselves (kolibri/deployment/default/alt_wsgi.py).
func zipContent(s *settings, front *frontEnd) http.Handler {
	folders := append([]string{s.ContentDir}, s.FallbackDirs...)
	prefix := "/" + strings.TrimPrefix(s.ZipContentPathPrefix, "/") + "content"
	mux := http.NewServeMux()
	mux.Handle(prefix+"/zipcontent/", http.StripPrefix(prefix+"/zipcontent", zipcontent.Handler(folders, contentType)))
	mux.Handle(prefix+"/storage/", http.StripPrefix(prefix, contentFiles(folders)))
	if front.root != nil {
		mux.Handle(prefix+"/static/", http.StripPrefix(prefix+"/static", staticFiles(front.root, http.NotFoundHandler())))
	}
	return mux
}

// byHost tells the requests that came by the host of an origin, with its port or none. A platform that gives a
// server one port alone can lead the name for zip content to it; under that name there is nothing else.
func byHost(origin string) func(*http.Request) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return func(*http.Request) bool { return false }
	}
	return func(r *http.Request) bool {
		return strings.EqualFold(r.Host, u.Host) || strings.EqualFold(r.Host, u.Hostname())
	}
}

func newServer(ctx context.Context, h *home, front *frontEnd) (*server.Server, error) {
	content, err := storage.Folder(h.settings.ContentDir, api.NewOutgoing(forContent()))
	if err != nil {
		return nil, err
	}
	host, own := hostOf(h), filepath.Join(h.settings.Home, "media")
	exports := own
	if h.db.Dialect() == store.Postgres { // others may serve the same people, and share no folder but this
		exports = filepath.Join(h.settings.ContentDir, "media")
		if host.Secret, err = sharedSecret(ctx, h.db); err != nil {
			return nil, err
		}
	}
	media, err := storage.Folder(exports, nil)
	if err != nil && exports != own { // channels may be served from a folder that nobody here can write
		h.log.Warn("exports stay on this server: the content folder cannot be written", "error", err)
		media, err = storage.Folder(own, nil)
	}
	if err != nil {
		return nil, err
	}
	host.Media = api.Media{FS: media.FS}
	plugins, err := readPlugins(h.settings.Home)
	if err != nil {
		return nil, err
	}
	host.Options.DisabledPlugins = plugins.off()
	return server.New(ctx, server.Config{Host: host, Build: front.files, Content: content})
}

// forContent keeps as many connections to a source as files are fetched at the same time; Go's default
// would close all but two of them after each file.
func forContent() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 8
	return t
}

// hostOf is what a home and this machine give the handlers.
func hostOf(h *home) api.Host {
	s := h.settings
	return api.Host{DB: h.db, Rand: rand.Reader, Hasher: auth.GoHasher{}, HTTP: api.NewOutgoing(http.DefaultTransport),
		Options: s.Options, Log: h.log, Device: machine{home: s.Home, content: s.ContentDir, fallback: s.FallbackDirs}}
}

// webServer bounds what a client can hold: headers and each further piece of a body must arrive, and
// each piece of an answer must be taken, within the socket timeout.
func webServer(handler http.Handler, timeout time.Duration, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           impatient(http.MaxBytesHandler(handler, maxBody), timeout),
		ReadHeaderTimeout: timeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// steadfast serves what changes something to its end, although whoever sent it has gone: a page that is
// left right after a click has sent what was clicked, and the original's server does not notice that
// nobody waits for the answer.
func steadfast(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			r = r.WithContext(context.WithoutCancel(r.Context()))
		}
		next.ServeHTTP(w, r)
	})
}

// impatient sets a deadline before every read of a body and every write of an answer, so that a slow
// client may take all the time it needs, and one that stands still loses its connection.
func impatient(next http.Handler, timeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if r.ContentLength != 0 {
			_ = control.SetReadDeadline(time.Now().Add(timeout))
			r.Body = &impatientBody{ReadCloser: r.Body, control: control, timeout: timeout}
		}
		next.ServeHTTP(&impatientWriter{ResponseWriter: w, control: control, timeout: timeout}, r)
	})
}

type impatientBody struct {
	io.ReadCloser
	control *http.ResponseController
	timeout time.Duration
}

func (b *impatientBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(b.timeout))
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		// the connection is watched while the handler works on; that may take longer
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

type impatientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
}

// Unwrap lets http.ResponseController reach the connection.
func (w *impatientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *impatientWriter) Write(p []byte) (int, error) {
	written := 0
	for first := true; first || len(p) > 0; first = false {
		piece := p[:min(len(p), 64<<10)]
		_ = w.control.SetWriteDeadline(time.Now().Add(w.timeout))
		n, err := w.ResponseWriter.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
		p = p[len(piece):]
	}
	return written, nil
}

// ReadFrom keeps the kernel's copying of files (sendfile), which needs to see the file itself, piece
// by piece.
func (w *impatientWriter) ReadFrom(r io.Reader) (int64, error) {
	source := &io.LimitedReader{R: r, N: math.MaxInt64}
	if limited, ok := r.(*io.LimitedReader); ok {
		source = limited
	}
	total := int64(0)
	for source.N > 0 {
		_ = w.control.SetWriteDeadline(time.Now().Add(w.timeout))
		const piece = 1 << 20
		n, err := io.CopyN(w.ResponseWriter, source.R, min(piece, source.N))
		total += n
		source.N -= n
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// listen takes a port; port 0 takes any.
func listen(address string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is occupied: check that no other program listens on it, or choose another with --port", port)
	}
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("port %d may not be used by this user: choose one above 1023 with --port", port)
	}
	return l, err
}

func portOf(l net.Listener) int {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}
