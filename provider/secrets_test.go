package provider_test

import (
	"database/sql"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/provider"
	"kolibri/provider/registry"
)

// TestNoSecretIsTold goes through all that a secret is used for, well and badly, and looks for each in the log, in every
// answer, and in the file.
func TestNoSecretIsTold(t *testing.T) {
	secrets := []string{token, "right", "pass-word-that-is-wrong", "client-secret", "admin-token", "refresh-lea", "lea-0", "lea-1", "code-of-lea", "session-a", "csrf-token-value",
		"hook-secret", base64.StdEncoding.EncodeToString(key), string(key)}
	k := newStandIn(t, one)
	c := newCanvas(t)
	c.life = 60
	product := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	product.Close() // it cannot be reached
	log := &syncBuffer{}
	dir := t.TempDir()
	file := filepath.Join(dir, "sealed.sqlite3")
	s := newService(t, func(o *provider.Config) {
		o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.Callback, o.PublicURL, o.DataDir = product.URL+"/?key=hook-secret", "https://service.example", dir
		reg, err := registry.Open(t.Context(), file, key)
		require.NoError(t, err)
		o.Registry.Close()
		o.Registry = reg
	})
	var told strings.Builder
	ask := func(method, path string, body any) *answer {
		a := s.do(method, path, body)
		told.WriteString(a.text)
		for name, values := range a.header {
			told.WriteString(name + ": " + strings.Join(values, ",") + "\n")
		}
		return a
	}
	kolibri := map[string]any{"id": 1, "type": "kolibri", "base_url": k.URL, "username": "admin", "password": "right"}
	ask("POST", "/api/providers", kolibri)
	require.Equal(t, 200, ask("GET", "/api/users?id=1", nil).status)
	require.Equal(t, 502, ask("GET", "/api/users?id=2", nil).status)
	kolibri["password"] = "pass-word-that-is-wrong"
	ask("POST", "/api/providers", kolibri)
	require.Equal(t, "credentials_refused", ask("GET", "/api/users?id=1", nil).code())
	kolibri["password"] = "right"
	ask("POST", "/api/providers", kolibri)
	broken := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // a platform that repeats what it is told
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, r.Header.Get("Cookie"))
	})
	k.users.Store(&broken)
	require.Equal(t, 502, ask("GET", "/api/users?id=1", nil).status)
	ask("POST", "/api/providers", map[string]any{"id": 3, "type": "kolibri", "base_url": "http://admin:right@127.0.0.1", "username": "admin", "password": "right"})
	ask("POST", "/api/providers", map[string]any{"id": 3, "type": "kolibri", "base_url": k.URL, "username": "admin", "pasword": "right"})

	ask("POST", "/api/providers", map[string]any{"id": "c", "type": "canvas", "base_url": c.URL, "client_id": "client", "client_secret": "client-secret", "access_token": "admin-token"})
	require.Equal(t, 200, ask("GET", "/api/users?id=c", nil).status)
	var consent struct{ URL string }
	ask("POST", "/api/oauth?id=c", map[string]string{"user": "lea"}).read(t, &consent)
	u, err := url.Parse(consent.URL)
	require.NoError(t, err)
	require.Equal(t, 200, ask("GET", "/api/oauth/callback?code=code-of-lea&state="+u.Query().Get("state"), nil).status)
	require.Equal(t, 200, ask("GET", "/api/courses?id=c&user=lea", nil).status)
	c.revoked = true
	ask("GET", "/api/oauth/callback?code=code-of-lea&state=guessed", nil)
	ask("GET", "/api/media?id=c&url="+url.QueryEscape("/x?token=admin-token"), nil)
	for _, path := range []string{"/api/providers", "/api/providers/1", "/api/providers/c", "/metrics", "/readyz"} {
		ask("GET", path, nil)
	}

	db, err := os.ReadFile(file)
	require.NoError(t, err)
	wal, err := os.ReadFile(file + "-wal")
	require.NoError(t, err)
	for _, secret := range secrets {
		require.NotContains(t, log.String(), secret)
		require.NotContains(t, told.String(), secret)
		require.NotContains(t, string(db)+string(wal), secret)
	}
}

// TestADatabaseThatAnotherHolds has another program hold the file: what needs it says so in bounded time, the rest goes on.
func TestADatabaseThatAnotherHolds(t *testing.T) {
	t.Parallel() // it waits for five seconds
	file := filepath.Join(t.TempDir(), "held.sqlite3")
	k := newStandIn(t, one)
	s := newService(t, func(o *provider.Config) {
		reg, err := registry.Open(t.Context(), file, key)
		require.NoError(t, err)
		o.Registry.Close()
		o.Registry = reg
	})
	s.register("1", k.URL, "admin", "right")
	other, err := sql.Open("sqlite3", "file:"+file)
	require.NoError(t, err)
	defer other.Close()
	held, err := other.Conn(t.Context())
	require.NoError(t, err)
	defer held.Close()
	_, err = held.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	a := s.do("POST", "/api/providers", map[string]any{"id": 2, "type": "kolibri", "base_url": k.URL, "username": "admin", "password": "right"})
	require.Equal(t, http.StatusServiceUnavailable, a.status, a.text)
	require.Equal(t, "database_busy", a.code())
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Len(t, s.get("/api/users?id=1").items(t), 1)
	require.Equal(t, http.StatusOK, s.get("/readyz", "Authorization", "").status)
	_, err = held.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	s.register("2", k.URL, "admin", "right")
}

// TestADatabaseThatIsDamaged: a page of the file is no page any more.
func TestADatabaseThatIsDamaged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "damaged.sqlite3")
	s := newService(t, func(o *provider.Config) {
		reg, err := registry.Open(t.Context(), file, key)
		require.NoError(t, err)
		require.NoError(t, reg.Save(t.Context(), registry.Provider{ID: "1", Type: registry.Kolibri, BaseURL: "http://127.0.0.1:1/page-to-be-damaged", Username: "admin"}))
		require.NoError(t, reg.Close())
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		const page = 4096
		at := strings.Index(string(text), "page-to-be-damaged") / page * page
		require.Positive(t, at)
		copy(text[at:at+page], strings.Repeat("\xee", page))
		require.NoError(t, os.WriteFile(file, text, 0o600))
		reg, err = registry.Open(t.Context(), file, key)
		require.NoError(t, err)
		o.Registry.Close()
		o.Registry = reg
	})
	for _, path := range []string{"/api/providers", "/api/providers/1"} {
		a := s.get(path)
		require.Equal(t, http.StatusInternalServerError, a.status, a.text)
		require.Equal(t, "database_damaged", a.code(), path)
	}
	require.Equal(t, http.StatusOK, s.get("/healthz", "Authorization", "").status)
}
