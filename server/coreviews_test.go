package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server"
	"kolibri/server/servertest"
)

func TestLanguageOfUnprefixedAddresses(t *testing.T) {
	s := servertest.NewSchool(t)
	for _, tc := range []struct {
		name, change, accept, path, location string
		status                               int
	}{
		{"the device's language comes before the browser's", "", "ar", "/learn/", "/en/learn/", 302},
		{"a slash is added on the way", "", "", "/coach", "/en/coach/", 302},
		{"a page without slash stays so", "", "", "/learn/my-downloads", "/en/learn/my-downloads", 302},
		{"the query stays", "", "", "/learn/?a=b&c=d", "/en/learn/?a=b&c=d", 302},
		{"a page that only leads on is passed over", "", "", "/redirectuser/", "/en/auth/", 302},
		{"an unknown page", "", "", "/nothing/", "", 404},
		{"a language that is not on offer", "", "", "/xx/learn/", "", 404},
		{"a language named in another way", "", "", "/en-us/learn/", "", 404},
		{"slashes are not a host", "", "", "//evil.example/learn", "", 404},
		{"the browser's language, where the device has none", "UPDATE device_devicesettings SET language_id = NULL", "xx, ar;q=0.5", "/learn/", "/ar/learn/", 302},
		{"English, where nobody asks for anything", "", "", "/learn/", "/en/learn/", 302},
		{"the browser's language before the device is set up", "UPDATE device_devicesettings SET is_provisioned = FALSE, language_id = 'en'", "ar", "/", "/ar/setup/", 302},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.change != "" {
				s.Exec(t, tc.change)
			}
			req, err := http.NewRequest(http.MethodGet, s.HTTP.URL+tc.path, nil)
			require.NoError(t, err)
			req.Header.Set("Accept-Language", tc.accept)
			a := s.Client(t).Send(req)
			require.Equal(t, tc.status, a.Status)
			require.Equal(t, tc.location, a.Header.Get("Location"))
		})
	}
}

func TestSetLanguage(t *testing.T) {
	for _, tc := range []struct{ name, language, next, want, later string }{
		{"the page one is on", "ar", "/en/learn/#/topics", "/ar/learn/#/topics", "/ar/learn/"},
		{"with host and query", "ar", "{base}/en/learn/?a=b", "{base}/ar/learn/?a=b", "/ar/learn/"},
		{"an address without language", "ar", "/api/auth/facility/", "/api/auth/facility/", "/ar/learn/"},
		{"no page of ours", "ar", "/en/nothing/", "/ar/redirectuser/", "/ar/learn/"},
		{"another host", "ar", "https://evil.example/en/learn/", "/ar/redirectuser/", "/ar/learn/"},
		{"nowhere", "ar", "", "/ar/redirectuser/", "/ar/learn/"},
		{"a language not on offer gives the device's", "zz", "/en/learn/", "/en/learn/", "/en/learn/"},
		{"no language gives the device's", "", "", "/en/redirectuser/", "/en/learn/"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := servertest.NewSchool(t)
			c := s.As(t, "learner")
			send := func(token string) *servertest.Answer {
				form := url.Values{"language": {tc.language}, "next": {strings.ReplaceAll(tc.next, "{base}", s.HTTP.URL)}}
				req, err := http.NewRequest(http.MethodPost, s.HTTP.URL+"/en/i18n/setlang/", strings.NewReader(form.Encode()))
				require.NoError(t, err)
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				req.Header.Set("X-CSRFToken", token)
				return c.Send(req)
			}
			require.Equal(t, http.StatusForbidden, send("").Status)
			require.Equal(t, http.StatusForbidden, send("wrong").Status)
			a := send(c.Cookie("kolibri_csrftoken"))
			require.Equal(t, http.StatusOK, a.Status, a.Text)
			require.Equal(t, strings.ReplaceAll(tc.want, "{base}", s.HTTP.URL), a.Text)
			require.Equal(t, tc.later, c.Get("/learn/").Header.Get("Location"))
		})
	}
}

func TestHeaders(t *testing.T) {
	s := servertest.NewSchool(t)
	for _, tc := range []struct {
		path                   string
		status                 int
		cache, vary, language  string
		strong, takesNoCookies bool
	}{
		{"/status/", 200, "max-age=0", "", "", false, false},
		{"/en/learn/", 200, "max-age=15", "accept-encoding, accept", "en", true, true},
		{"/ar/unsupported/", 200, "max-age=15", "accept-encoding, accept", "ar", true, true},
		{"/en/redirectuser/", 302, "", "Cookie", "en", false, false},
		{"/nothing", 404, "", "", "", false, false},
	} {
		t.Run(tc.path, func(t *testing.T) {
			a := s.As(t, "learner").Get(tc.path)
			require.Equal(t, tc.status, a.Status)
			require.Equal(t, "DENY", a.Header.Get("X-Frame-Options"))
			require.Equal(t, "Kolibri/0.19.5", a.Header.Get("Server"))
			require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
			require.Equal(t, "same-origin", a.Header.Get("Referrer-Policy"))
			require.Contains(t, a.Header.Get("Content-Security-Policy"), "script-src 'self' blob:;")
			require.Equal(t, tc.cache, a.Header.Get("Cache-Control"))
			require.Equal(t, tc.vary, a.Header.Get("Vary"))
			require.Equal(t, tc.language, a.Header.Get("Content-Language"))
			require.Equal(t, tc.strong, strings.HasPrefix(a.Header.Get("ETag"), `"`))
		})
	}
}

func TestContentSecurityPolicyNamesTheZipOrigin(t *testing.T) {
	s := servertest.New(t, func(c *server.Config) {
		c.Options.ZipContentOrigin = "https://zip.example"
		c.Options.CSPHostSources = []string{"https://cdn.example"}
	})
	csp := s.Client(t).Get("/status/").Header.Get("Content-Security-Policy")
	require.Contains(t, csp, "frame-src 'self' data: blob: https://zip.example;")
	require.Contains(t, csp, "default-src 'self' data: blob: https://cdn.example;")
	require.NotContains(t, csp, "http: https:")
}

func TestPages(t *testing.T) {
	s := servertest.NewSchool(t)
	for _, who := range append([]string{"anonymous"}, servertest.People...) {
		c := s.As(t, who)
		for _, path := range []string{"learn/", "learn/my-downloads", "coach/", "facility/", "unsupported/"} {
			require.Equal(t, http.StatusOK, c.Get("/en/"+path).Status, who+" "+path)
		}
	}
	c := s.Client(t)
	first := c.Get("/en/learn/")
	require.Contains(t, first.Text, `"allowGuestAccess":true`)
	require.Contains(t, first.Text, `"courses_exist":false`)
	req, err := http.NewRequest(http.MethodGet, s.HTTP.URL+"/en/learn/", nil)
	require.NoError(t, err)
	req.Header.Set("If-None-Match", first.Header.Get("ETag"))
	again := c.Send(req)
	require.Equal(t, http.StatusNotModified, again.Status)
	require.Equal(t, "max-age=0", again.Header.Get("Cache-Control"))
	s.Exec(t, "UPDATE device_devicesettings SET allow_guest_access = FALSE")
	require.Contains(t, c.Send(req).Text, `"allowGuestAccess":false`)

	s.Exec(t, "UPDATE device_devicesettings SET is_provisioned = FALSE")
	for _, path := range []string{"learn/", "coach/", "facility/"} {
		require.Equal(t, "/en/setup/", c.Get("/en/"+path).Header.Get("Location"), path)
	}
	require.Equal(t, http.StatusOK, c.Get("/en/unsupported/").Status)
}
