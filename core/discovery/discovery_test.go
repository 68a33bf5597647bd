package discovery_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/server"
	"kolibri/server/servertest"
)

const locations = "/api/discovery/networklocation/"

// peer is another Kolibri whose answers a test can change.
type peer struct {
	*httptest.Server
	id, facilities atomic.Value
	status         atomic.Int64
}

func newPeer(t *testing.T) *peer {
	p := &peer{}
	p.id.Store(servertest.ID("peer"))
	p.facilities.Store(`[{"id":"` + servertest.ID("facility") + `","dataset":"` + servertest.ID("dataset") + `","name":"F","learner_can_login_with_no_password":false,
		"learner_can_sign_up":true,"on_my_own_setup":false,"picture_password_settings":null}]`)
	p.status.Store(200)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(int(p.status.Load()))
		switch r.URL.Path {
		case "/api/public/info/":
			fmt.Fprintf(w, `{"application":"kolibri","kolibri_version":"0.19.5","instance_id":%q,"device_name":"Peer","operating_system":"Linux","subset_of_users_device":false,"min_content_schema_version":"5"}`, p.id.Load())
		case "/api/public/v1/facility/":
			fmt.Fprint(w, p.facilities.Load())
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func TestWhoMaySeeOtherDevices(t *testing.T) {
	s := servertest.NewSchool(t)
	anonymous := s.Client(t)
	id := servertest.ID("none")
	for _, kind := range []string{"networklocation", "staticnetworklocation", "dynamicnetworklocation"} {
		url := "/api/discovery/" + kind + "/"
		for _, r := range [][2]string{{"GET", url}, {"POST", url}, {"GET", url + id + "/"}, {"PATCH", url + id + "/"}, {"DELETE", url + id + "/"}, {"POST", url + id + "/update_connection_status/"}} {
			require.Equal(t, 403, anonymous.Do(r[0], r[1], map[string]any{}).Status, r)
		}
		require.Equal(t, 200, s.As(t, "learner").Get(url).Status)
		require.Equal(t, 404, s.As(t, "learner").Get(url+id+"/").Status)
	}
	require.Equal(t, 403, anonymous.Get("/api/discovery/networklocation_facilities/"+id+"/").Status)
	s.Exec(t, "UPDATE device_devicesettings SET is_provisioned = FALSE")
	require.Equal(t, 200, anonymous.Get(locations).Status, "the wizard needs them")
	require.Equal(t, 403, anonymous.Patch(locations+id+"/", map[string]any{}).Status)
}

func TestLocations(t *testing.T) {
	s, p := servertest.NewSchool(t), newPeer(t)
	c := s.As(t, "superuser")
	a := c.Post(locations, map[string]any{"base_url": strings.TrimPrefix(p.URL, "http://"), "nickname": "Nick"})
	require.Equal(t, 201, a.Status, a.Text)
	id := a.Field("id").(string)
	for field, want := range map[string]any{"available": true, "nickname": "Nick", "base_url": p.URL + "/", "device_name": "Peer", "instance_id": servertest.ID("peer"), "operating_system": "Linux",
		"application": "kolibri", "kolibri_version": "0.19.5", "subset_of_users_device": false, "connection_status": "Okay", "is_local": true, "location_type": "static", "since_last_accessed": 0.0} {
		require.Equal(t, want, a.Field(field), field)
	}
	require.Len(t, a.JSON, 16)
	t.Run("found again", func(t *testing.T) {
		require.Equal(t, id, c.Get(locations+id+"/").Field("id"))
		require.Equal(t, id, c.Get(locations+servertest.ID("peer")+"/").Field("id"), "by the device's own id")
		for query, n := range map[string]int{"": 1, "?syncable=1": 2, "?syncable=0": 2, "?syncable=x": 1, "?instance_id=" + servertest.ID("peer"): 1, "?instance_id=x": 0,
			"?subset_of_users_device=true": 0, "?subset_of_users_device=false": 1, "?id=" + id: 1} {
			require.Len(t, c.Get(locations+query).JSON, n, query)
		}
	})
	t.Run("changed", func(t *testing.T) {
		require.Equal(t, "New", c.Patch(locations+id+"/", map[string]any{"nickname": "New"}).Field("nickname"))
		require.Equal(t, 400, c.Put(locations+id+"/", map[string]any{"nickname": "New"}).Status)
		require.Equal(t, 400, c.Patch(locations+id+"/", map[string]any{"base_url": "http://127.0.0.1:1/x"}).Status)
		require.Equal(t, "New", c.Get(locations+id+"/").Field("nickname"))
	})
	t.Run("facilities", func(t *testing.T) {
		url := "/api/discovery/networklocation_facilities/" + id + "/"
		f := c.Get(url)
		require.Equal(t, "New", f.Field("device_name"))
		require.Equal(t, p.URL+"/", f.Field("device_address"))
		require.Equal(t, servertest.ID("facility"), f.Field("facilities", "0", "id"))
		good := p.facilities.Swap(`[{"id":"x"}]`)
		require.Equal(t, []any{}, c.Get(url).Field("facilities"), "nonsense is no facility")
		p.facilities.Store(good)
		p.status.Store(500)
		require.Equal(t, 404, c.Get(url).Status)
		require.Equal(t, "ResponseFailure", c.Get(locations+id+"/").Field("connection_status"))
		p.status.Store(200)
	})
	t.Run("checked", func(t *testing.T) {
		check := func() any {
			a := c.Post(locations+id+"/update_connection_status/", nil)
			require.Equal(t, 200, a.Status, a.Text)
			return a.Field("connection_status")
		}
		require.Equal(t, "Okay", check())
		p.id.Store(servertest.ID("another"))
		require.Equal(t, "Conflict", check(), "another device answers there")
		mine := p.facilities.Swap("[]")
		require.Equal(t, "Conflict", check())
		p.facilities.Store(mine)
		require.Equal(t, "Okay", check(), "it has our facility")
		require.Equal(t, servertest.ID("another"), c.Get(locations+id+"/").Field("instance_id"))
		p.Close()
		require.Equal(t, "ConnectionFailure", check())
		require.Equal(t, false, c.Get(locations+id+"/").Field("available"))
	})
	require.Equal(t, 204, c.Delete(locations+id+"/").Status)
	require.Equal(t, 404, c.Delete(locations+id+"/").Status)
}

func TestBadLocations(t *testing.T) {
	var reachable []string // addresses with other ports of this machine are tried too: nobody shall be found there
	s := servertest.NewSchool(t, func(c *server.Config) {
		c.HTTP = api.NewOutgoing(roundTrip(func(r *http.Request) (*http.Response, error) {
			if !slices.Contains(reachable, "http://"+r.URL.Host) {
				return nil, errors.New("unreachable")
			}
			return http.DefaultTransport.RoundTrip(r)
		}))
	})
	c := s.As(t, "superuser")
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	away := httptest.NewServer(http.RedirectHandler("http://example.invalid/api/public/info/", http.StatusFound))
	defer away.Close()
	reachable = []string{other.URL, away.URL, s.HTTP.URL}
	for _, tc := range []struct {
		name string
		body any
		text string
	}{
		{"nothing", map[string]any{}, `"REQUIRED"`},
		{"nonsense", map[string]any{"base_url": "ftp://x"}, "INVALID_NETWORK_LOCATION_FORMAT"},
		{"too long", map[string]any{"base_url": strings.Repeat("x", 101)}, `"MAX_LENGTH"`},
		{"no Kolibri", map[string]any{"base_url": other.URL}, "(NetworkLocationNotFound)"},
		{"one that sends us elsewhere", map[string]any{"base_url": away.URL}, "NETWORK_LOCATION_NOT_FOUND"},
		{"this server", map[string]any{"base_url": s.HTTP.URL}, "NETWORK_LOCATION_NOT_FOUND"},
	} {
		a := c.Post(locations, tc.body)
		require.Equal(t, 400, a.Status, "%s: %s", tc.name, a.Text)
		require.Contains(t, a.Text, tc.text, tc.name)
	}
}

func TestPortalToken(t *testing.T) {
	answer, status, asked := `{"name":"Project"}`, 200, ""
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	s := servertest.NewSchool(t, func(c *server.Config) { c.Options.DataPortalBaseURL = portal.URL })
	c := s.As(t, "superuser")
	const url = "/api/auth/portal/validate_token/?token=a%26b"
	require.JSONEq(t, answer, c.Get(url).Text)
	require.Equal(t, "/portal/api/public/v1/registerfacility/validate_token?token=a%26b", asked)
	answer, status = `[{"id":"INVALID_KDP_REGISTRATION_TOKEN"}]`, 400
	require.Equal(t, 400, c.Get(url).Status)
	require.JSONEq(t, answer, c.Get(url).Text)
	answer = "<html>"
	require.Equal(t, "<html>", c.Get(url).JSON, "what is no JSON comes as text")
	portal.Close()
	require.Equal(t, 503, c.Get(url).Status)
	require.JSONEq(t, `{"status":"offline"}`, c.Get(url).Text)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPins(t *testing.T) {
	s := servertest.NewSchool(t)
	const url = "/api/discovery/pinned_devices/"
	require.Equal(t, 403, s.Client(t).Get(url).Status)
	require.Equal(t, 403, s.Client(t).Post(url, map[string]any{"instance_id": servertest.ID("a")}).Status)
	learner, other := s.As(t, "learner"), s.As(t, "learner2")
	a := learner.Post(url, map[string]any{"instance_id": servertest.ID("a")})
	require.Equal(t, 201, a.Status, a.Text)
	id := fmt.Sprint(a.Field("id"))
	require.Equal(t, 400, learner.Post(url, map[string]any{"instance_id": servertest.ID("a")}).Status, "twice")
	require.Equal(t, 400, learner.Post(url, map[string]any{"instance_id": "x"}).Status)
	require.Equal(t, 400, learner.Post(url, map[string]any{}).Status)
	require.Len(t, learner.Get(url).JSON, 1)
	require.Empty(t, other.Get(url).JSON)
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		require.Equal(t, 404, other.Do(method, url+id+"/", map[string]any{}).Status, "another's: %s", method)
	}
	require.Equal(t, servertest.ID("b"), learner.Patch(url+id+"/", map[string]any{"instance_id": servertest.ID("b")}).Field("instance_id"))
	require.Equal(t, 400, learner.Put(url+id+"/", map[string]any{}).Status)
	require.Equal(t, 204, learner.Delete(url+id+"/").Status)
	require.Equal(t, 404, learner.Get(url+"x/").Status)
}
