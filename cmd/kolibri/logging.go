//go:build unix

package main

import (
	"bufio"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"time"
)

// newLog writes what the options ask for: text for people, or a JSON object a line for a collector.
func newLog(w io.Writer, s *settings) *slog.Logger {
	options := &slog.HandlerOptions{}
	if s.Debug {
		options.Level = slog.LevelDebug
	}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// requestIDs are those that a proxy may choose; anything else could forge lines of the log.
var requestIDs = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// observer is told of every request.
type observer interface {
	Begin()
	End(path string, status int, took time.Duration)
}

// observe counts and logs every request. Of a request the log has method, path, status, size, time and
// id, and nothing that could be secret: no query, no headers, no cookies, no body.
func observe(next http.Handler, m observer, log *slog.Logger, logged bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !requestIDs.MatchString(id) {
			id = rand.Text()
		}
		started := time.Now()
		seen := &witness{ResponseWriter: w}
		w.Header().Set("X-Request-Id", id)
		m.Begin()
		defer func() {
			took := time.Since(started)
			status := seen.status
			if status == 0 {
				status = http.StatusOK
			}
			m.End(r.URL.Path, status, took)
			if logged {
				log.Info("request", "id", id, "method", r.Method, "path", r.URL.Path, "status", status, "bytes", seen.size,
					"ms", float64(took.Microseconds())/1000, "client", clientOf(r))
			}
		}()
		next.ServeHTTP(seen, r)
	})
}

// clientOf is the address at the other end of the connection.
func clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// witness remembers what was answered.
type witness struct {
	http.ResponseWriter
	status int
	size   int64
}

// Unwrap lets http.ResponseController reach the connection.
func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *witness) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *witness) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.size += int64(n)
	return n, err
}

// ReadFrom keeps the kernel's copying of files.
func (w *witness) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := io.Copy(w.ResponseWriter, r)
	w.size += n
	return n, err
}

// Hijack implements http.Hijacker, where the server below does.
func (w *witness) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Flush implements http.Flusher.
func (w *witness) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }
