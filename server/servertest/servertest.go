// Package servertest starts whole servers for tests, on a real SQLite file, and speaks to them as a
// browser does: with cookies and the CSRF header.
package servertest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content/storage"
	"kolibri/server"
	"kolibri/store"
	"kolibri/store/sqlite"
)

// Server is a running server.
type Server struct {
	*server.Server
	DB   *store.DB
	HTTP *httptest.Server
	Log  *bytes.Buffer
	skew atomic.Int64

	queries atomic.Int64
	told    atomic.Pointer[func(query string)]
}

// Queries counts the statements that the database is asked while fn runs.
func (s *Server) Queries(fn func()) int64 {
	before := s.queries.Load()
	fn()
	return s.queries.Load() - before
}

// Asked returns the statements with any of some words that the database is asked while fn runs.
func (s *Server) Asked(fn func(), words ...string) []string {
	var mu sync.Mutex
	var all []string
	told := func(query string) {
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(query, word) }) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, query)
		}
	}
	s.told.Store(&told)
	fn()
	s.told.Store(nil)
	mu.Lock()
	defer mu.Unlock()
	return all
}

// Skip makes the server's clock jump, forwards or back.
func (s *Server) Skip(d time.Duration) { s.skew.Add(int64(d)) }

func (s *Server) now() time.Time { return time.Now().Add(time.Duration(s.skew.Load())) }

// Front is a front end whose bundles have no files: enough for everything but what pages look like.
var Front = fstest.MapFS{
	"data/pages.json": {Data: []byte(`{"kolibri":"0.19.5","core":"core","bundles":{"core":{},"kolibri.plugins.learn.app":{},"kolibri.plugins.learn.my_downloads_app":{},
		"kolibri.plugins.learn.my_downloads_side_nav":{},"kolibri.plugins.coach.app":{},"kolibri.plugins.coach.side_nav":{},"kolibri.plugins.facility.app":{},
		"kolibri.plugins.device.app":{},"kolibri.plugins.user_profile.app":{},"kolibri.plugins.user_auth.app":{},"kolibri.plugins.setup_wizard.app":{},
		"viewer":{"presets":["high_res_video","low_res_video","audio","document","exercise","html5_zip"]}},"viewers":["viewer"],
		"navigation":["kolibri.plugins.learn.my_downloads_side_nav","kolibri.plugins.coach.side_nav"],
		"pages":{"learn":"kolibri.plugins.learn.app","learn/my-downloads":"kolibri.plugins.learn.my_downloads_app","coach":"kolibri.plugins.coach.app",
		"facility":"kolibri.plugins.facility.app","device":"kolibri.plugins.device.app","profile":"kolibri.plugins.user_profile.app",
		"auth":"kolibri.plugins.user_auth.app","setup":"kolibri.plugins.setup_wizard.app"},"theme":{},
		"languages":[{"id":"en","name":"English","englishName":"English","title":"Kolibri"},{"id":"ar","name":"العربية","englishName":"Arabic","rtl":true,"title":"كوليبري"}]}`)},
	"data/messages/en.json": {Data: []byte("{\n\"core\":{}\n}\n")},
	"data/messages/ar.json": {Data: []byte("{\n\"core\":{}\n}\n")},
}

// New starts a server on a new home. Options change its configuration before it starts.
func New(t testing.TB, options ...func(*server.Config)) *Server {
	t.Helper()
	ctx := context.Background()
	s := &Server{Log: &bytes.Buffer{}}
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "db.sqlite3"), s.now)
	require.NoError(t, err)
	cfg := server.Config{
		Host: api.Host{DB: db, Rand: rand.Reader, Hasher: auth.GoHasher{}, HTTP: api.NewOutgoing(http.DefaultTransport),
			Options: api.DefaultOptions(), Log: slog.New(slog.NewTextHandler(s.Log, nil)), Device: device{}},
		Build: Front,
	}
	cfg.Options.Home = t.TempDir()
	media, err := storage.Folder(filepath.Join(cfg.Options.Home, "media"), nil)
	require.NoError(t, err)
	cfg.Media = api.Media{FS: media.FS}
	for _, o := range options {
		o(&cfg)
	}
	s.DB = cfg.DB
	s.DB.Watch(func(query string) {
		s.queries.Add(1)
		if told := s.told.Load(); told != nil {
			(*told)(query)
		}
	})
	s.Server, err = server.New(ctx, cfg)
	require.NoError(t, err)
	s.HTTP = httptest.NewServer(s.Server)
	t.Cleanup(func() {
		s.HTTP.Close()
		s.Server.Close()
		db.Close()
	})
	return s
}

type device struct{}

func (device) FreeSpace(context.Context) (int64, error) { return 10 << 30, nil }
func (device) OS() string                               { return "Linux" }
func (device) Hostname() string                         { return "testbox" }
func (device) ContentDir() string                       { return "/content" }
func (device) InTab() bool                              { return false }

// Client is one browser.
type Client struct {
	t    testing.TB
	base string
	http *http.Client
}

// Client opens a browser without cookies.
func (s *Server) Client(t testing.TB) *Client {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &Client{t: t, base: s.HTTP.URL, http: &http.Client{Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Text   string
	JSON   any
}

// Get sends a GET.
func (c *Client) Get(path string) *Answer { return c.Do(http.MethodGet, path, nil) }

// Post sends a POST with a JSON body.
func (c *Client) Post(path string, body any) *Answer { return c.Do(http.MethodPost, path, body) }

// Patch sends a PATCH with a JSON body.
func (c *Client) Patch(path string, body any) *Answer { return c.Do(http.MethodPatch, path, body) }

// Put sends a PUT with a JSON body.
func (c *Client) Put(path string, body any) *Answer { return c.Do(http.MethodPut, path, body) }

// Delete sends a DELETE.
func (c *Client) Delete(path string) *Answer { return c.Do(http.MethodDelete, path, nil) }

// Do sends a request; a string body is sent as it is, anything else as JSON.
func (c *Client) Do(method, path string, body any) *Answer {
	c.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		require.NoError(c.t, err)
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, c.base+path, reader)
	require.NoError(c.t, err)
	if reader != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token := c.Cookie(auth.CSRFCookie); token != "" {
		req.Header.Set("X-CSRFToken", token)
	}
	return c.Send(req)
}

// Send sends a request as it is, with the cookies.
func (c *Client) Send(req *http.Request) *Answer {
	c.t.Helper()
	res, err := c.http.Do(req)
	require.NoError(c.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	a := &Answer{Status: res.StatusCode, Header: res.Header, Text: string(text)}
	if len(text) > 0 && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		require.NoError(c.t, json.Unmarshal(text, &a.JSON), a.Text)
	}
	return a
}

// Cookie is the value of a cookie the browser holds.
func (c *Client) Cookie(name string) string {
	u, err := url.Parse(c.base)
	require.NoError(c.t, err)
	for _, k := range c.http.Jar.Cookies(u) {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}

// Field digs into the JSON answer: Field("0", "id") or Field("results", "0", "name").
func (a *Answer) Field(path ...string) any {
	v := a.JSON
	for _, p := range path {
		switch t := v.(type) {
		case map[string]any:
			v = t[p]
		case []any:
			i := 0
			for _, c := range p {
				i = i*10 + int(c-'0')
			}
			if i >= len(t) {
				return nil
			}
			v = t[i]
		default:
			return nil
		}
	}
	return v
}

// With changes a body by pairs of field and value; nil takes a field away.
func With(body map[string]any, changes ...any) map[string]any {
	for i := 0; i < len(changes); i += 2 {
		if name := changes[i].(string); changes[i+1] == nil {
			delete(body, name)
		} else {
			body[name] = changes[i+1]
		}
	}
	return body
}
