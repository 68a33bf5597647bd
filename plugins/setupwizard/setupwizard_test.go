package setupwizard_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/auth"
	"kolibri/server/servertest"
)

const (
	facilityimport = "/setup/api/facilityimport/"
	onRemote       = "/setup/api/setupwizard/createuseronremote/"
)

// imported is a device that holds a facility and is not set up yet; the admin's password is "secret".
func imported(t *testing.T) (*servertest.School, *servertest.Client) {
	s := servertest.NewSchool(t)
	s.Exec(t, "UPDATE device_devicesettings SET is_provisioned = FALSE")
	s.Exec(t, "DELETE FROM device_devicepermissions")
	hash, err := auth.HashPassword(context.Background(), auth.GoHasher{}, noise{}, "secret")
	require.NoError(t, err)
	s.Exec(t, "UPDATE kolibriauth_facilityuser SET password = ?", hash)
	c := s.Client(t)
	c.Put("/api/auth/session/current/", map[string]any{})
	return s, c
}

type noise struct{}

func (noise) Read(p []byte) (int, error) { return len(p), nil }

func TestEverythingIsClosedOnceTheDeviceIsSetUp(t *testing.T) {
	s := servertest.NewSchool(t)
	for _, who := range []string{"anonymous", "learner", "superuser"} {
		c := s.As(t, who)
		if who == "anonymous" {
			c.Put("/api/auth/session/current/", map[string]any{})
		}
		require.Equal(t, 403, c.Get(facilityimport+"facilityadmins/").Status)
		for _, path := range []string{facilityimport + "grantsuperuserpermissions/", facilityimport + "createsuperuser/", onRemote} {
			require.Equal(t, 403, c.Post(path, map[string]any{"user_id": servertest.ID("admin"), "username": "x", "password": "secret"}).Status, "%s %s", who, path)
		}
		page := c.Get("/en/setup/")
		require.Equal(t, 302, page.Status)
		require.Equal(t, "/en/redirectuser/", page.Header.Get("Location"))
	}
}

func TestAnAdminBecomesSuperuser(t *testing.T) {
	s, c := imported(t)
	admins := c.Get(facilityimport + "facilityadmins/").JSON
	require.Contains(t, admins, map[string]any{"full_name": "admin", "username": "admin", "id": servertest.ID("admin")})
	require.NotContains(t, admins, map[string]any{"full_name": "coach", "username": "coach", "id": servertest.ID("coach")})
	grant := func(user any, password string) *servertest.Answer {
		return c.Post(facilityimport+"grantsuperuserpermissions/", map[string]any{"user_id": user, "password": password})
	}
	require.Equal(t, 404, grant(servertest.ID("nobody"), "secret").Status)
	require.Equal(t, 404, grant("x", "secret").Status)
	require.Equal(t, 404, grant(nil, "secret").Status)
	require.Equal(t, 403, grant(servertest.ID("admin"), "wrong").Status)
	require.Equal(t, 403, grant(servertest.ID("coach"), "secret").Status, "coaches are no admins")
	require.Empty(t, s.As(t, "admin").Get("/api/device/devicepermissions/").JSON)
	require.Equal(t, 200, grant(servertest.ID("admin"), "secret").Status)
	require.Len(t, s.As(t, "admin").Get("/api/device/devicepermissions/").JSON, 1)
}

func TestANewSuperuser(t *testing.T) {
	s, c := imported(t)
	try := func(body map[string]any) *servertest.Answer { return c.Post(facilityimport+"createsuperuser/", body) }
	require.Equal(t, 400, try(map[string]any{}).Status)
	require.Equal(t, 400, try(map[string]any{"username": "a b", "password": "x"}).Status)
	taken := try(map[string]any{"username": "ADMIN", "password": "x"})
	require.Equal(t, 400, taken.Status)
	require.JSONEq(t, `["duplicate"]`, taken.Text)
	a := try(map[string]any{"username": "boss", "password": "pass-word1", "full_name": "The Boss", "facility_name": "New Name"})
	require.Equal(t, 200, a.Status, a.Text)
	require.JSONEq(t, `{"username":"boss"}`, a.Text)
	require.Contains(t, s.Client(t).Get("/api/public/v1/facility/").Text, "New Name")
	signed := c.Post("/api/auth/session/", map[string]any{"username": "boss", "password": "pass-word1", "facility": servertest.ID("facility")})
	require.Equal(t, 200, signed.Status, signed.Text)
	require.Contains(t, signed.Field("kind"), "superuser")
}

func TestANewSuperuserOnAnEmptyDevice(t *testing.T) {
	s := servertest.New(t)
	c := s.Client(t)
	c.Put("/api/auth/session/current/", map[string]any{})
	require.Equal(t, 400, c.Post(facilityimport+"createsuperuser/", map[string]any{"username": "boss", "password": "x"}).Status, "a facility needs a name")
	require.Equal(t, 200, c.Post(facilityimport+"createsuperuser/", map[string]any{"username": "boss", "password": "x", "facility_name": "Hope"}).Status)
	require.Contains(t, c.Get("/api/public/v1/facility/").Text, "Hope")
}

func TestAnAccountOnAnotherDevice(t *testing.T) {
	var asked map[string]any
	answer, status := `{"id":"1"}`, 201
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/api/public/signup/", r.URL.Path)
		require.NoError(t, json.NewDecoder(r.Body).Decode(&asked))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	defer peer.Close()
	s, c := imported(t)
	body := map[string]any{"baseurl": peer.URL, "facility_id": "f", "username": "u", "password": "p"}
	require.Equal(t, 400, c.Post(onRemote, body).Status, "devices that nobody named are not asked")
	require.Nil(t, asked)

	s.Exec(t, `INSERT INTO discovery_networklocation VALUES ('p', ?, 'kolibri', '0.19.5', 'i', 'Peer', 'Linux', datetime('now'), datetime('now'), '', FALSE, NULL, 0, 'Okay', NULL, NULL, TRUE, 'static')`, peer.URL)
	require.JSONEq(t, `{"status":201,"errors":[]}`, c.Post(onRemote, body).Text)
	require.Equal(t, map[string]any{"facility": "f", "username": "u", "password": "p", "full_name": ""}, asked)
	answer, status = `[{"id":"USERNAME_ALREADY_EXISTS","metadata":{}}]`, 400
	require.JSONEq(t, `{"status":400,"errors":[{"id":"USERNAME_ALREADY_EXISTS"}]}`, c.Post(onRemote, body).Text)
	answer, status = `<html>`, 500
	require.JSONEq(t, `{"status":500,"errors":[]}`, c.Post(onRemote, body).Text)
	peer.Close()
	gone := c.Post(onRemote, body)
	require.Equal(t, 400, gone.Status)
	require.Contains(t, gone.Text, "NETWORK_LOCATION_NOT_FOUND")
}
