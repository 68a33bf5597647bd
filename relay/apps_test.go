package relay

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/relay/depot"
	"kolibri/relay/gateway"
	"kolibri/relay/wire"
	"kolibri/store/postgres/pgtest"
)

const adminKey = "the operator's key"

func withApps(t *testing.T) func(*Config) {
	d, err := depot.Open(t.Context(), filepath.Join(t.TempDir(), "relay.sqlite3"))
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	return func(c *Config) {
		c.Depot, c.AdminKey, c.AppDomain, c.Addresses = d, adminKey, "apps.example", []string{"http://relay.example:8090/"}
	}
}

// as sends a request with a key or a session.
func (s *started) as(t *testing.T, who, method, at, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, s.url+Own+at, strings.NewReader(body))
	require.NoError(t, err)
	if who == adminKey {
		request.Header.Set("Authorization", "Bearer "+who)
	} else {
		request.Header.Set("X-Relay-Session", who)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return send(t, request)
}

// joinRuntime makes a tab that runs apps, and returns its session.
func (s *started) joinRuntime(t *testing.T) (*browser, string) {
	t.Helper()
	b := s.dial(t)
	require.NoError(t, b.apply(testCode, func(a *wire.Application) { a.Kind = wire.KindRuntime }))
	f := b.read()
	require.Equal(t, wire.Welcome, f.Kind)
	var a wire.Admission
	require.NoError(t, json.Unmarshal(f.Payload, &a))
	require.Eventually(t, func() bool { return s.pool.has(want{kind: wire.KindRuntime}) }, time.Minute, time.Millisecond)
	return b, a.Session + "." + a.Key
}

func (b *browser) apps() map[string]int64 {
	b.t.Helper()
	f := b.read()
	require.Equal(b.t, wire.Apps, f.Kind)
	var news struct {
		Apps map[string]int64 `json:"apps"`
	}
	require.NoError(b.t, json.Unmarshal(f.Payload, &news))
	return news.Apps
}

func TestDeploying(t *testing.T) {
	s := start(t, withApps(t))
	b, session := s.joinRuntime(t)
	require.Empty(t, b.apps())
	answer, text := s.as(t, adminKey, http.MethodPut, "apps/hello", "one")
	require.Equal(t, 200, answer.StatusCode, text)
	require.JSONEq(t, `{"name":"hello","version":1,"urls":["http://relay.example:8090/@hello/","http://hello.apps.example:8090/"]}`, text)
	require.Equal(t, map[string]int64{"hello": 1}, b.apps())
	s.as(t, adminKey, http.MethodPut, "apps/hello", "two")
	require.Equal(t, map[string]int64{"hello": 2}, b.apps())
	_, text = s.as(t, session, http.MethodGet, "apps/hello/2", "")
	require.JSONEq(t, `{"code":"two"}`, text)
	s.as(t, adminKey, http.MethodPost, "apps/hello/rollback", "")
	require.Equal(t, map[string]int64{"hello": 1}, b.apps())
	for _, test := range []struct {
		who, method, at, body string
		status                int
	}{
		{"", "PUT", "apps/x", "code", 401},
		{"forged.forged", "GET", "apps/hello/1", "", 401},
		{session, "PUT", "apps/x", "code", 401},
		{session, "DELETE", "apps/hello", "", 401},
		{adminKey, "PUT", "apps/Not%20a%20name", "code", 400},
		{adminKey, "PUT", "apps/big", strings.Repeat("x", depot.MaxCode+1), 413},
		{adminKey, "POST", "apps/hello/rollback?to=9", "", 404},
		{adminKey, "POST", "apps/hello/rollback?to=x", "", 400},
		{adminKey, "GET", "apps/none", "", 404},
		{adminKey, "GET", "apps/hello/x", "", 404},
		{adminKey, "GET", "nothing", "", 404},
	} {
		answer, text := s.as(t, test.who, test.method, test.at, test.body)
		require.Equal(t, test.status, answer.StatusCode, "%s %s: %s", test.method, test.at, text)
	}
}

func TestEndpointsOfApps(t *testing.T) {
	s := start(t, withApps(t))
	s.as(t, adminKey, http.MethodPut, "apps/hello", "code")
	answer, _ := s.get(t, "/@hello/")
	require.Equal(t, "no-runtime", answer.Header.Get("X-Relay-Error"))
	answer, _ = s.get(t, "/@none/")
	require.Equal(t, "no-app", answer.Header.Get("X-Relay-Error"))
	answer, _ = s.get(t, "/@hello")
	require.Equal(t, 308, answer.StatusCode)
	require.Equal(t, "/@hello/", answer.Header.Get("Location"))

	b, _ := s.joinRuntime(t)
	go func() {
		for {
			f, err := b.tryRead()
			if err != nil {
				return
			}
			if f.Kind != wire.Request {
				continue
			}
			head, _, _ := wire.ReadRequest(f)
			text := head.App + " " + head.URL + " " + head.Headers.Get("Cookie") + head.Headers.Get("Authorization")
			b.respond(f.Stream, 200, wire.Headers{{"Set-Cookie", "a=b"}, {"Set-Cookie", "c=d; Domain=apps.example"}, {"Clear-Site-Data", "*"}}, text, true)
		}
	}()
	ask := func(host, at string) (*http.Response, string) {
		request, err := http.NewRequest(http.MethodGet, s.url+at, nil)
		require.NoError(t, err)
		if host != "" {
			request.Host = host
		}
		request.Header = http.Header{"Cookie": {"kolibri=secret"}, "Authorization": {"secret"}}
		return send(t, request)
	}
	answer, body := ask("", "/@hello/a%2Fb?c")
	require.Equal(t, "hello "+s.url+"/a%2Fb?c ", body, "nothing of the Kolibri beside it reaches the app")
	require.Empty(t, answer.Header.Values("Set-Cookie"))
	require.Equal(t, sandbox, answer.Header.Get("Content-Security-Policy"))
	require.Empty(t, answer.Header.Get("Clear-Site-Data"))
	answer, body = ask("hello.apps.example:1", "/_relay/status")
	require.Equal(t, "hello http://hello.apps.example:1/_relay/status kolibri=secretsecret", body, "on a host of its own all is the app's")
	require.Equal(t, []string{"a=b"}, answer.Header.Values("Set-Cookie"))
	require.Empty(t, answer.Header.Get("Content-Security-Policy"))
	request, err := http.NewRequest(http.MethodGet, s.url+"/@hello/sw.js", nil)
	require.NoError(t, err)
	request.Header.Set("Service-Worker", "script")
	answer, _ = send(t, request)
	require.Equal(t, 400, answer.StatusCode)
}

func TestValuesOfApps(t *testing.T) {
	s := start(t, withApps(t))
	s.as(t, adminKey, http.MethodPut, "apps/hello", "code")
	_, session := s.joinRuntime(t)
	key := "kv/hello/value?key=a%2F..%2Fb"
	answer, _ := s.as(t, session, http.MethodGet, key, "")
	require.Equal(t, 404, answer.StatusCode)
	answer, _ = s.as(t, session, http.MethodPut, key, "one", "If-None-Match", "*")
	require.Equal(t, 204, answer.StatusCode)
	first := answer.Header.Get("ETag")
	answer, _ = s.as(t, session, http.MethodPut, key, "two", "If-None-Match", "*")
	require.Equal(t, 412, answer.StatusCode)
	answer, _ = s.as(t, session, http.MethodPut, key+"&ttl=60", "two", "If-Match", first)
	require.Equal(t, 204, answer.StatusCode)
	answer, text := s.as(t, session, http.MethodGet, key, "")
	require.Equal(t, "two", text)
	require.NotEmpty(t, answer.Header.Get("Expires"))
	_, text = s.as(t, session, http.MethodGet, "kv/hello?prefix=a", "")
	require.Contains(t, text, `"key":"a/../b"`)
	for _, test := range []struct {
		who, method, at, body string
		status                int
	}{
		{"forged.key", "GET", key, "", 401},
		{session, "GET", "kv/other/value?key=x", "", 404},
		{session, "PUT", "kv/hello/value?key=", "x", 400},
		{session, "PUT", key + "&ttl=NaN", "x", 400},
		{session, "PUT", key + "&ttl=-1", "x", 400},
		{session, "PUT", key, strings.Repeat("x", depot.MaxValue+1), 413},
		{session, "GET", "kv/hello?limit=x", "", 400},
		{session, "DELETE", key, "", 204},
		{session, "DELETE", key, "", 404},
	} {
		answer, text := s.as(t, test.who, test.method, test.at, test.body)
		require.Equal(t, test.status, answer.StatusCode, "%s %s: %s", test.method, test.at, text)
	}
}

func TestTheGatewayIsForPairedTabs(t *testing.T) {
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.Path)) }))
	defer host.Close()
	at := strings.TrimPrefix(host.URL, "http://")
	s := start(t, withApps(t), func(c *Config) {
		g, err := gateway.New([]string{at}, nil, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		c.Gateway = g
	})
	_, session := s.joinRuntime(t)
	answer, text := s.as(t, session, http.MethodGet, "gateway/http/"+at+"/x", "")
	require.Equal(t, 200, answer.StatusCode, text)
	require.Equal(t, "/x", text)
	require.Equal(t, "*", answer.Header.Get("Access-Control-Allow-Origin"))
	answer, _ = s.as(t, "a.b", http.MethodGet, "gateway/http/"+at+"/x", "")
	require.Equal(t, 401, answer.StatusCode)
	answer, _ = s.as(t, session, http.MethodGet, "gateway/http/127.0.0.1:1/x", "")
	require.Equal(t, 403, answer.StatusCode)
	answer, _ = s.as(t, "", http.MethodOptions, "gateway/http/"+at+"/x", "", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "x-relay-session")
	require.Equal(t, 204, answer.StatusCode)
	require.Equal(t, "x-relay-session", answer.Header.Get("Access-Control-Allow-Headers"))
}

// Three relays on one PostgreSQL: requests enter where no tab is.
func TestSeveralRelaysAreOneFront(t *testing.T) {
	server := pgtest.Start(t)
	server.CreateDatabase(t, "relay")
	address := fmt.Sprintf("postgres://postgres@%s:%d/relay", server.Host, server.Port)
	var relays []*started
	for range 3 {
		front := httptest.NewUnstartedServer(nil)
		d, err := depot.Open(t.Context(), address)
		require.NoError(t, err)
		r, err := New(Config{Code: testCode, Depot: d, AdminKey: adminKey, PeerURL: "http://" + front.Listener.Addr().String(),
			Timeout: 2 * time.Second, Expect: 200 * time.Millisecond})
		require.NoError(t, err)
		front.Config.Handler = r
		front.Start()
		t.Cleanup(func() {
			r.Close()
			front.CloseClientConnections()
			front.Close()
			d.Close()
		})
		relays = append(relays, &started{r, front.URL})
	}
	relays[1].join(t).serve()
	for _, s := range relays {
		require.Eventually(t, func() bool {
			answer, body := s.get(t, "/a%2Fb?c=d")
			return answer.StatusCode == 200 && body == s.url+"/a%2Fb?c=d"
		}, time.Minute, 20*time.Millisecond)
	}
	request, err := http.NewRequest(http.MethodPost, relays[0].url+"/x", strings.NewReader(strings.Repeat("x", 200_000)))
	require.NoError(t, err)
	answer, _ := send(t, request)
	require.Equal(t, 200, answer.StatusCode)

	b, _ := relays[2].joinRuntime(t)
	require.Empty(t, b.apps())
	answer, text := relays[0].as(t, adminKey, http.MethodPut, "apps/hello", "code")
	require.Equal(t, 200, answer.StatusCode, text)
	require.Equal(t, map[string]int64{"hello": 1}, b.apps(), "a deployment on one is served by the runtimes of all")
	b.serve()
	require.Eventually(t, func() bool {
		answer, _ := relays[1].get(t, "/@hello/x")
		return answer.StatusCode == 200
	}, time.Minute, 20*time.Millisecond)

	// the relay with the tab goes away
	relays[1].Close()
	require.Eventually(t, func() bool {
		answer, _ := relays[0].get(t, "/")
		return answer.StatusCode == 503 && answer.Header.Get("X-Relay-Error") == "no-tab"
	}, time.Minute, 50*time.Millisecond)
}
