package discovery_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server"
	"kolibri/server/servertest"
)

func TestRegisterWithThePortal(t *testing.T) {
	var got url.Values
	var status int
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "POST /api/morango/v1/nonces/":
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(`{"id":"0123456789abcdef0123456789abcdef"}`))
		case "POST /portal/api/public/v1/registerfacility/":
			_ = r.ParseForm()
			got = r.PostForm
			w.WriteHeader(status)
			if status >= 400 {
				_, _ = w.Write([]byte(`[{"id":"INVALID_KDP_REGISTRATION_TOKEN","metadata":{}}]`))
			}
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer portal.Close()
	w := servertest.NewWorld(t, func(c *server.Config) { c.Options.DataPortalBaseURL = portal.URL })
	const path = "/api/auth/portal/register/"
	body := map[string]string{"facility_id": w.IDs["facility"], "token": "secret"}
	for who, want := range map[string]int{"anonymous": 403, "learner": 403, "coach": 403, "other_admin": 403} {
		require.Equal(t, want, w.As(t, who).Post(path, body).Status, who)
	}
	require.Nil(t, got, "nobody asked the portal")
	admin := w.As(t, "admin")
	require.Equal(t, 404, admin.Post(path, map[string]string{}).Status)

	status = http.StatusCreated
	require.Equal(t, 201, admin.Post(path, body).Status)
	require.Equal(t, w.IDs["facility"], got.Get("facility_id"))
	require.Equal(t, "secret", got.Get("token"))
	var chain []map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.Get("certificate_chain")), &chain))
	require.Equal(t, got.Get("client_certificate_id"), chain[len(chain)-1]["id"])
	require.NotEmpty(t, got.Get("signature"))
	require.NotContains(t, got.Get("certificate_chain"), "PRIVATE")

	status = http.StatusBadRequest
	refused := admin.Post(path, body)
	require.Equal(t, 400, refused.Status)
	require.Equal(t, "INVALID_KDP_REGISTRATION_TOKEN", refused.Field("0", "id"))
	portal.Close()
	require.Equal(t, 503, admin.Post(path, body).Status)
}
