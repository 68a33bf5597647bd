package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

func TestRouting(t *testing.T) {
	c := servertest.New(t).Client(t)
	for _, tc := range []struct {
		name, method, path string
		status             int
		location, contains string
	}{
		{"the status is a plain 200", "GET", "/status/", 200, "", ""},
		{"an unknown address is a small page", "GET", "/api/nothing/here/", 404, "", "Not Found"},
		{"a missing slash is added", "GET", "/api/auth/facility?x=1", 301, "/api/auth/facility/?x=1", ""},
		{"an unknown language is unknown", "GET", "/xx/learn/", 404, "", "Not Found"},
		{"a page takes nothing without its token", "DELETE", "/status/", 403, "", "CSRF"},
		{"a page is described by its methods", "OPTIONS", "/en/learn/", 200, "", ""},
		{"an API is described by its name", "OPTIONS", "/learn/api/state", 200, "", `"name":"Learn State"`},
		{"a wrong method is refused", "DELETE", "/learn/api/state", 405, "", "not allowed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Do(tc.method, tc.path, nil)
			require.Equal(t, tc.status, a.Status, a.Text)
			require.Equal(t, tc.location, a.Header.Get("Location"))
			require.Contains(t, a.Text, tc.contains)
		})
	}
}
