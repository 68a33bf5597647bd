package provider_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/provider"
)

func TestOnlyTheTokenOpens(t *testing.T) {
	s := newService(t)
	for _, header := range []string{"", token[:len(token)-1], token + "x", "a-token-of-some-lengtH", "Bearer", "Bearer " + token[1:], "Basic " + token, token + "\t" + token} {
		for _, path := range []string{"/api/users?id=1", "/api/providers", "/metrics", "/nothing"} {
			a := s.get(path, "Authorization", header)
			require.Equal(t, http.StatusUnauthorized, a.status, "%q %s", header, path)
			require.Equal(t, "unauthorized", a.code())
		}
	}
	require.Equal(t, http.StatusOK, s.get("/api/providers", "Authorization", "Bearer "+token).status)
	require.Equal(t, http.StatusOK, s.get("/api/providers").status)
	require.Equal(t, http.StatusOK, s.get("/healthz", "Authorization", "").status)
	require.Equal(t, http.StatusOK, s.get("/readyz", "Authorization", "").status)
}

func TestRequestsThatAreNone(t *testing.T) {
	s := newService(t)
	for _, test := range []struct {
		method, path string
		body         any
		status       int
		code         string
	}{
		{"GET", "/api/users", nil, 400, "invalid_request"},
		{"GET", "/api/users?id=../x", nil, 400, "invalid_request"},
		{"GET", "/api/users?id=1&limit=0", nil, 400, "invalid_request"},
		{"GET", "/api/users?id=1&limit=x", nil, 400, "invalid_request"},
		{"GET", "/api/users?id=1&cursor=x", nil, 400, "invalid_request"},
		{"GET", "/api/users?id=1&colour=red", nil, 400, "invalid_request"},
		{"GET", "/api/users?id=1&role=a&role=b", nil, 400, "invalid_request"},
		{"GET", "/api/activity?id=1&since=yesterday", nil, 400, "invalid_request"},
		{"GET", "/api/users?id=1", nil, 404, "unknown_provider"},
		{"GET", "/api/teapots?id=1", nil, 404, "not_found"},
		{"GET", "/", nil, 404, "not_found"},
		{"GET", "/api/providers/1", nil, 404, "unknown_provider"},
		{"DELETE", "/api/providers/1", nil, 404, "unknown_provider"},
		{"POST", "/api/providers", "", 400, "invalid_request"},
		{"POST", "/api/providers", "[]", 400, "invalid_request"},
		{"POST", "/api/providers", `{"id":1}{"id":2}`, 400, "invalid_request"},
		{"POST", "/api/providers", map[string]any{"id": "a/b", "type": "kolibri", "base_url": s.http.URL, "username": "x"}, 400, "invalid_request"},
		{"POST", "/api/providers", map[string]any{"id": 1, "type": "moodle", "base_url": s.http.URL, "username": "x"}, 400, "invalid_request"},
		{"POST", "/api/providers", map[string]any{"id": 1, "type": "kolibri", "base_url": s.http.URL}, 400, "invalid_request"},
		{"POST", "/api/providers", map[string]any{"id": 1, "type": "kolibri", "base_url": s.http.URL, "username": "x", "pasword": "y"}, 400, "invalid_request"},
	} {
		a := s.do(test.method, test.path, test.body)
		require.Equal(t, test.status, a.status, "%s %s %v: %s", test.method, test.path, test.body, a.text)
		require.Equal(t, test.code, a.code(), "%s %s %v: %s", test.method, test.path, test.body, a.text)
	}
}

func TestAddressesThatMustNotBeContacted(t *testing.T) {
	s := newService(t)
	for _, base := range []string{"", "nonsense", "file:///etc/passwd", "gopher://example.org", "http://169.254.169.254/latest", "http://10.0.0.1", "http://[::1]:80",
		"http://0x7f.1", "http://2130706433", "http://127.1", "http://[::ffff:10.0.0.1]", "http://user:pass@example.org", "http://example.org/?a=b", "http://[fe80::1%25eth0]/"} {
		a := s.do("POST", "/api/providers", map[string]any{"id": 1, "type": "kolibri", "base_url": base, "username": "x", "password": "y"})
		require.Equal(t, http.StatusBadRequest, a.status, base)
		require.Equal(t, "address_refused", a.code(), base)
	}
	require.Empty(t, s.get("/api/providers").items(t))
}

func TestEachAddressHasItsRate(t *testing.T) {
	s := newService(t, func(c *provider.Config) { c.Rate = 0.5 })
	statuses := map[int]int{}
	for range 30 {
		a := s.get("/api/providers")
		statuses[a.status]++
		if a.status == http.StatusTooManyRequests {
			require.NotEmpty(t, a.header.Get("Retry-After"))
		}
	}
	require.GreaterOrEqual(t, statuses[http.StatusOK], 10)
	require.Positive(t, statuses[http.StatusTooManyRequests])
	require.Equal(t, 30, statuses[http.StatusOK]+statuses[http.StatusTooManyRequests])
}
