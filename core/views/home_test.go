package views_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/views"
	"kolibri/server/servertest"
)

func TestEverybodyIsLedToTheirPage(t *testing.T) {
	const setLanding = "UPDATE device_devicesettings SET landing_page = 'learn', allow_guest_access = FALSE"
	for _, tc := range []struct {
		name, change      string
		anonymous, guest  string
		loner, classcoach string
		admin, superuser  string
	}{
		{"a device set up", "", "auth", "learn", "learn", "coach", "facility", "device"},
		{"learn is the landing page", setLanding, "learn", "learn", "learn", "coach", "facility", "device"},
		{"no guests", "UPDATE device_devicesettings SET allow_guest_access = FALSE", "auth", "auth", "learn", "coach", "facility", "device"},
		{"a part of a facility", "UPDATE morango_certificate SET private_key = NULL", "auth", "learn", "learn", "learn", "learn", "learn"},
		{"on my own", `UPDATE kolibriauth_facilitydataset SET extra_fields = '{"on_my_own_setup":true}'`, "auth", "learn", "learn", "learn", "learn", "learn"},
		{"a facility without extra fields", "UPDATE kolibriauth_facilitydataset SET extra_fields = NULL", "auth", "learn", "learn", "coach", "facility", "device"},
		{"a device not set up", "UPDATE device_devicesettings SET is_provisioned = FALSE", "setup", "setup", "setup", "setup", "setup", "setup"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := servertest.NewSchool(t)
			if tc.change != "" {
				s.Exec(t, tc.change)
			}
			for who, page := range map[string]string{"anonymous": tc.anonymous, "loner": tc.loner, "learner": tc.loner, "classcoach": tc.classcoach,
				"coach": tc.classcoach, "admin": tc.admin, "superuser": tc.superuser} {
				for _, path := range []string{"/", "/en/", "/en/redirectuser/", "/redirectuser/"} {
					a := s.As(t, who).Get(path)
					require.Equal(t, http.StatusFound, a.Status, who+" "+path)
					require.Equal(t, "/en/"+page+"/", a.Header.Get("Location"), who+" "+path)
				}
			}
			require.Equal(t, "/en/"+tc.guest+"/", s.Client(t).Get("/en/guestaccess/").Header.Get("Location"))
		})
	}
}

func TestNextIsPassedOn(t *testing.T) {
	s := servertest.NewSchool(t)
	for _, tc := range []struct{ name, query, location string }{
		{"a page of ours", "?next=/en/learn/", "/en/coach/?next=/en/learn/"},
		{"with a fragment in another script", "?next=/en/learn/%23/t%C3%B6pics", "/en/coach/?next=/en/learn/#/t%C3%B6pics"},
		{"a header smuggled in", "?next=/a%0d%0aSet-Cookie:x", "/en/coach/"},
		{"another host", "?next=https://evil.example/", "/en/coach/"},
		{"another host without scheme", "?next=//evil.example/", "/en/coach/"},
		{"another host with backslashes", `?next=/%5Cevil.example/`, "/en/coach/"},
		{"a script", "?next=javascript:alert(1)", "/en/coach/"},
		{"nothing", "?next=", "/en/coach/"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.location, s.As(t, "coach").Get("/en/redirectuser/"+tc.query).Header.Get("Location"))
		})
	}
}

func TestSameHost(t *testing.T) {
	plain, _ := http.NewRequest(http.MethodGet, "http://school.example:8080/", nil)
	secure := plain.Clone(t.Context())
	secure.Header.Set("X-Forwarded-Proto", "https")
	for _, tc := range []struct {
		address           string
		overHTTP, overTLS bool
	}{
		{"/en/learn/", true, true}, {"learn", true, true}, {"?a=b", true, true},
		{"http://school.example:8080/x", true, false}, {"https://school.example:8080/x", true, true},
		{"//school.example:8080/x", true, false}, {"http://school.example/x", false, false},
		{"", false, false}, {"  ", false, false}, {"///school.example:8080/", false, false}, {"http:///x", false, false},
		{"\x08//x", false, false}, {"ftp://school.example:8080/", false, false}, {"http:\\\\evil.example", false, false},
	} {
		t.Run(tc.address, func(t *testing.T) {
			require.Equal(t, tc.overHTTP, views.SameHost(tc.address, plain))
			require.Equal(t, tc.overTLS, views.SameHost(tc.address, secure))
		})
	}
}

func TestLeaving(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "learner")
	require.Equal(t, "/en/learn/", c.Get("/").Header.Get("Location"))
	a := c.Get("/en/logout/")
	require.Equal(t, "/en/redirectuser/", a.Header.Get("Location"))
	require.Empty(t, c.Cookie("kolibri"))
	require.Equal(t, "/en/auth/", c.Get("/").Header.Get("Location"))
	require.Empty(t, strings.Join(c.Get("/en/logout/").Header.Values("Set-Cookie"), ""), "nobody leaves twice")
	moved := c.Get("/user/")
	require.Equal(t, http.StatusMovedPermanently, moved.Status)
	require.Equal(t, "/en/auth/", moved.Header.Get("Location"))
}
