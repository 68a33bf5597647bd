package provider_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/egress"
	"kolibri/provider"
	"kolibri/provider/registry"
	"kolibri/provider/session"
)

const token = "a-token-of-some-length"

var key = bytes.Repeat([]byte{7}, 32)

// service is a running service, and what it logged.
type service struct {
	*provider.Service
	t    testing.TB
	http *httptest.Server
	log  *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newService(t testing.TB, options ...func(*provider.Config)) *service {
	t.Helper()
	reg, err := registry.Open(t.Context(), filepath.Join(t.TempDir(), "provider.sqlite3"), key)
	require.NoError(t, err)
	policy, err := egress.Public([]string{"127.0.0.1"}, nil)
	require.NoError(t, err)
	log := &syncBuffer{}
	c := provider.Config{Token: token, Registry: reg, Policy: policy, Log: slog.New(slog.NewTextHandler(log, nil)), Wait: time.Minute,
		Timeout: 2 * time.Minute, Fresh: time.Minute, CacheDir: t.TempDir(),
		Session: session.Options{FirstDelay: 20 * time.Millisecond, LongestDelay: 100 * time.Millisecond, Timeout: time.Minute}}
	for _, o := range options {
		o(&c)
	}
	made, err := provider.New(c)
	require.NoError(t, err)
	s := &service{made, t, httptest.NewServer(made), log}
	t.Cleanup(func() {
		s.http.Close()
		s.Close()
		reg.Close()
	})
	return s
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
}

func (a *answer) read(t testing.TB, into any) {
	require.NoError(t, json.Unmarshal([]byte(a.text), into), a.text)
}

// code is that of an error.
func (a *answer) code() string {
	var v struct{ Error provider.Problem }
	_ = json.Unmarshal([]byte(a.text), &v)
	return v.Error.Code
}

// items are those of a list.
func (a *answer) items(t testing.TB) []map[string]any {
	t.Helper()
	require.Equal(t, http.StatusOK, a.status, a.text)
	var v struct{ Items []map[string]any }
	a.read(t, &v)
	return v.Items
}

func (s *service) do(method, path string, body any, headers ...string) *answer {
	s.t.Helper()
	a, err := s.try(method, path, body, headers...)
	require.NoError(s.t, err)
	return a
}

func (s *service) try(method, path string, body any, headers ...string) (*answer, error) {
	var reader io.Reader
	if text, ok := body.(string); ok {
		reader = strings.NewReader(text)
	} else if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, s.http.URL+path, reader)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil {
		err = described(method, r.URL.Path, res, text)
	}
	return &answer{res.StatusCode, res.Header, string(text)}, err
}

func (s *service) get(path string, headers ...string) *answer {
	s.t.Helper()
	return s.do(http.MethodGet, path, nil, headers...)
}

// register tells of a Kolibri.
func (s *service) register(id, base, username, password string) {
	s.t.Helper()
	a := s.do(http.MethodPost, "/api/providers", map[string]any{"id": id, "type": "kolibri", "base_url": base, "username": username, "password": password})
	require.Equal(s.t, http.StatusCreated, a.status, a.text)
	require.NotContains(s.t, a.text, password)
}
