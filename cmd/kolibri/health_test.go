//go:build unix

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store/postgres/pgtest"
)

func (b *box) get(path string, headers ...string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequest("GET", b.url(path), nil)
	require.NoError(b.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	return res.StatusCode, string(body)
}

func TestWatching(t *testing.T) {
	b := newBox(t, "KOLIBRI_LOG_FORMAT=json", "KOLIBRI_URL_PATH_PREFIX=school", "KOLIBRI_DRAIN_TIME=4")
	c := b.command("start", "--foreground")
	log := &strings.Builder{}
	c.Stdout, c.Stderr = log, log
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	require.Eventually(t, func() bool { status, _ := b.get("/readyz"); return status == 200 }, time.Minute, 10*time.Millisecond)
	status, _ := b.get("/healthz")
	require.Equal(t, 200, status)
	w := b.browser()
	status, _, err := w.send("POST", "/school/api/auth/session/?secret=in-the-query", map[string]any{"username": "admin", "password": secret})
	require.NoError(t, err)
	require.Equal(t, 400, status)

	status, page := b.get("/metrics")
	require.Equal(t, 200, status)
	require.Contains(t, page, `kolibri_request_duration_seconds_count{area="api",status="4xx"} 1`)
	require.Contains(t, page, "kolibri_database_up 1\n")
	require.Contains(t, page, "kolibri_requests_in_flight 0\n")
	for _, line := range strings.Split(strings.TrimSpace(page), "\n") {
		require.Regexp(t, `^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [-+.0-9e]+)$`, line)
	}
	status, _ = b.get("/metrics", "X-Forwarded-For", "192.0.2.1")
	require.Equal(t, 404, status, "who comes through a proxy may be anybody")

	code, out := b.run("ready")
	require.Zero(t, code, out)
	// drained: it tells that it is going, and still answers
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { status, _ := b.get("/readyz"); return status == 503 }, time.Minute, 5*time.Millisecond)
	code, out = b.run("ready")
	require.Equal(t, 1, code)
	require.Contains(t, out, "shutting down")
	status, _ = b.get("/school/api/public/info/")
	require.Equal(t, 200, status)
	require.NoError(t, c.Wait())

	seen := 0
	for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
		var entry map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &entry), line)
		if entry["msg"] == "request" && entry["path"] == "/school/api/auth/session/" {
			seen++
			require.EqualValues(t, 400, entry["status"])
			require.NotEmpty(t, entry["id"])
		}
	}
	require.Equal(t, 1, seen)
	for _, hidden := range []string{secret, "in-the-query", "Cookie", "csrftoken"} {
		require.NotContains(t, log.String(), hidden)
	}
}

func TestMetricsToken(t *testing.T) {
	b := newBox(t, "KOLIBRI_METRICS_TOKEN=sesame")
	b.foreground()
	for header, want := range map[string]int{"": 404, "sesame": 404, "Bearer sesam": 404, "Bearer sesame": 200} {
		status, _ := b.get("/metrics", "Authorization", header)
		require.Equal(t, want, status, header)
	}
}

// A server whose database is gone says so, to the balancer before it and to people, and recovers.
func TestDatabaseGone(t *testing.T) {
	server := pgtest.Start(t)
	server.CreateDatabase(t, "school")
	b := newBox(t, postgresEnv(server, "school")...)
	_, log := b.foreground()
	server.Stop(t, syscall.SIGQUIT)
	status, text := b.get("/readyz")
	require.Equal(t, 503, status)
	require.Equal(t, "the database does not answer\n", text)
	status, _ = b.get("/healthz")
	require.Equal(t, 200, status, "starting it anew would not help")
	status, text = b.get("/api/auth/facility/")
	require.Equal(t, 503, status, text)
	status, page := b.get("/metrics")
	require.Equal(t, 200, status)
	require.Contains(t, page, "kolibri_database_up 0\n")
	server.Again(t)
	status, _ = b.get("/readyz")
	require.Equal(t, 200, status, log)
	status, _ = b.get("/api/auth/facility/")
	require.Equal(t, 200, status)
}
