//go:build unix

package main

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// readyTimeout is how long the database may take to answer before the server says that it is not ready.
const readyTimeout = 2 * time.Second

// health answers those who watch the server: /healthz while the process works at all, /readyz while
// it can serve, /metrics for Prometheus. They stand beside Kolibri's own addresses, outside of any
// URL_PATH_PREFIX, and need no place at the gate: a busy server is not a dead one.
type health struct {
	next     http.Handler
	home     *home
	metrics  *serverMetrics
	draining atomic.Bool
}

// ServeHTTP implements http.Handler.
func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		plain(w, r, http.StatusOK, "ok\n")
	case "/readyz":
		status, text := h.ready(r.Context())
		plain(w, r, status, text)
	case "/metrics":
		if !h.mayMeasure(r) {
			h.next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if readable(w, r) {
			h.metrics.write(r.Context(), w)
		}
	default:
		h.next.ServeHTTP(w, r)
	}
}

func plain(w http.ResponseWriter, r *http.Request, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if !readable(w, r) {
		return
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(text))
	}
}

// ready tells whether this server should get requests. The reason is a few words: who asks may be anybody.
func (h *health) ready(ctx context.Context) (int, string) {
	if h.draining.Load() {
		return http.StatusServiceUnavailable, "shutting down\n"
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := h.home.db.Pool().PingContext(ctx); err != nil {
		h.home.log.Error("not ready: the database does not answer", "error", err)
		return http.StatusServiceUnavailable, "the database does not answer\n"
	}
	return http.StatusOK, "ready\n"
}

// mayMeasure: who bears the token of METRICS_TOKEN, and, without one, whoever asks from this very
// machine and not through a proxy on it.
func (h *health) mayMeasure(r *http.Request) bool {
	if token := h.home.settings.MetricsToken; token != "" {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		return ok && subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
	}
	ip := net.ParseIP(clientOf(r))
	return ip != nil && ip.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
}

// readyVerb asks the server of this home whether it is ready, for containers without any other program.
func readyVerb(c *command, args []string) int {
	s, code := c.settings("ready", args, nil)
	if s == nil {
		return code
	}
	if err := askReady("http://" + s.at(readProcess(s.Home).Port)); err != nil {
		return c.fail(err)
	}
	return 0
}

// askReady returns why the server at an address is not ready. It is one on this machine that is told nothing, so its
// certificate, which is for another name, proves nothing that is needed here.
func askReady(at string) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	client := http.Client{Timeout: readyTimeout + time.Second, Transport: transport}
	answer, err := client.Get(at + "/readyz")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(text)))
	}
	return err
}
