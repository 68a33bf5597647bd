package gateway

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func get(t *testing.T, g *Gateway, at string) (int, http.Header, string) {
	t.Helper()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, at, nil))
	return w.Code, w.Header(), w.Body.String()
}

// upstream is a server on the loopback, which is a private address.
func upstream(t *testing.T, serve http.HandlerFunc) (address string) {
	s := httptest.NewServer(serve)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func newGateway(t *testing.T, lookup map[string][]string, allowed ...string) *Gateway {
	g, err := New(allowed, func(_ context.Context, name string) (all []netip.Addr, _ error) {
		for _, a := range lookup[name] {
			all = append(all, netip.MustParseAddr(a))
		}
		return all, nil
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return g
}

func TestNamedHostsAndNothingElse(t *testing.T) {
	at := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Access-Control-Allow-Origin", "https://only.example")
		_, _ = io.WriteString(w, r.URL.RequestURI()+r.Header.Get("Cookie"))
	})
	g := newGateway(t, nil, at)
	code, header, body := get(t, g, "/http/"+at+"/a%2Fb/c?d=e%20f")
	require.Equal(t, 200, code, body)
	require.Equal(t, "/a%2Fb/c?d=e%20f", body)
	require.Equal(t, "*", header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, header.Values("Set-Cookie"))

	port := at[strings.LastIndex(at, ":"):]
	for _, target := range []string{
		"/http/127.0.0.1:1/", "/http/127.0.0.1/", "/https/" + strings.Replace(at, "127.0.0.1", "localhost", 1) + "/", "/http/0x7f.1" + port + "/",
		"/http/2130706433" + port + "/", "/http/127.1" + port + "/", "/http/[::1]" + port + "/", "/http/[::ffff:127.0.0.2]" + port + "/",
		"/http/user@" + at + "/", "/http/evil.example%2f@" + at + "/", "/file/etc/passwd", "/http//", "/", "/http/" + at + "%00/", "/gopher/" + at + "/",
		"/http/[fe80::1%25lo]" + port + "/", "/http/[::127.0.0.1]" + port + "/", "/http/[64:ff9b::7f00:1]" + port + "/",
	} {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		u, err := url.Parse(target)
		if err != nil {
			continue // net/http's server would not have taken it either
		}
		request.URL = u
		w := httptest.NewRecorder()
		g.ServeHTTP(w, request)
		require.Equal(t, 403, w.Code, target)
	}
	// another way to write the same named address
	code, _, _ = get(t, g, "/http/[::ffff:127.0.0.1]"+port+"/")
	require.Equal(t, 200, code)
}

func TestHeadersThatConcernTheHost(t *testing.T) {
	at := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			w.Header().Set("Got-"+name, r.Header.Get(name))
		}
	})
	request := httptest.NewRequest(http.MethodPatch, "/http/"+at+"/", strings.NewReader("{}"))
	for _, name := range []string{"Authorization", "Content-Type", "X-Morango-Capabilities", "Cookie", "X-Relay-Session"} {
		request.Header.Set(name, "as sent")
	}
	w := httptest.NewRecorder()
	newGateway(t, nil, at).ServeHTTP(w, request)
	for _, name := range []string{"Authorization", "Content-Type", "X-Morango-Capabilities"} {
		require.Equal(t, "as sent", w.Header().Get("Got-"+name), name)
	}
	for _, name := range []string{"Cookie", "X-Relay-Session"} {
		require.Empty(t, w.Header().Get("Got-"+name), name)
	}
}

func TestNamesThatLeadToPrivateAddresses(t *testing.T) {
	at := upstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") })
	_, port, _ := strings.Cut(at, ":")
	for _, address := range []string{"127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.0.0.0", "::1",
		"fe80::1", "fc00::1", "64:ff9b::a00:1", "2002:a00:1::", "::127.0.0.1", "224.0.0.1"} {
		g := newGateway(t, map[string][]string{"rebind.example": {address}}, "rebind.example:"+port)
		code, _, body := get(t, g, "/http/rebind.example:"+port+"/")
		require.Equal(t, 403, code, address)
		require.Contains(t, body, "private address", address)
	}
	g := newGateway(t, map[string][]string{"school.example": {"10.255.255.1", "127.0.0.1"}}, "school.example:"+port, "127.0.0.0/8")
	code, _, body := get(t, g, "/http/school.example:"+port+"/")
	require.Equal(t, 200, code, "a named network may be reached by name, and the other address is left out")
	require.Equal(t, "inside", body)
}

func TestRedirectsAreChecked(t *testing.T) {
	secret := upstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") })
	var at string
	at = upstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "http://"+secret+"/", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/here":
			http.Redirect(w, r, "http://"+at+"/end", http.StatusMovedPermanently)
		default:
			_, _ = io.WriteString(w, r.URL.Path)
		}
	})
	g := newGateway(t, nil, at)
	code, _, body := get(t, g, "/http/"+at+"/away")
	require.Equal(t, 403, code)
	require.NotContains(t, body, "secret")
	code, _, _ = get(t, g, "/http/"+at+"/loop")
	require.Equal(t, 502, code)
	code, header, body := get(t, g, "/http/"+at+"/here")
	require.Equal(t, 200, code)
	require.Equal(t, "/end", body)
	require.Equal(t, "http://"+at+"/end", header.Get("X-Relay-Url"))
}

func TestWhatCannotBeAllowed(t *testing.T) {
	for _, text := range []string{"", "a b", "http://x", "x:99999", "0x7f.1", "2130706433", "*.example"} {
		_, err := New([]string{text}, nil, slog.New(slog.DiscardHandler))
		require.Error(t, err, text)
	}
}

func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/http/ok.example/", "/https/ok.example:8443/x", "/http/[::1]/", "/http/ok.example@127.0.0.1/", "/http/127.1/", "/http/%6fk.example/"} {
		f.Add(seed)
	}
	g, err := New([]string{"ok.example"}, nil, slog.New(slog.DiscardHandler))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, at string) {
		u, err := url.Parse(at)
		if err != nil {
			return
		}
		to, err := target(&http.Request{URL: u})
		if err != nil || g.policy.Check(to) != nil {
			return
		}
		require.Equal(t, "ok.example", strings.TrimSuffix(strings.ToLower(to.Hostname()), "."))
		require.Contains(t, []string{"http", "https"}, to.Scheme)
	})
}
