package device_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

func TestDeviceOnPostgres(t *testing.T) {
	s := servertest.New(t, servertest.StartPostgres(t).Option(t))
	c := visitor(t, s)
	a := run(t, c, wizard(nil))
	require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
	facility, user := a.Field("extra_metadata", "facility_id").(string), a.Field("extra_metadata", "superuser_id").(string)
	require.Equal(t, 200, c.Post("/api/auth/session/", map[string]any{"username": "superuser", "password": "pass-word1", "facility": facility}).Status)
	for _, r := range []struct {
		route
		status int
		text   string
	}{
		{route{"GET", "/api/device/devicesettings/", nil}, 200, `"language_id":"ar"`},
		{route{"PATCH", "/api/device/devicesettings/", map[string]any{"landing_page": "learn", "extra_settings": map[string]any{"allow_download_on_metered_connection": true, "enable_automatic_download": false}}}, 200, `"landing_page":"learn"`},
		{route{"PATCH", "/api/device/devicename/", map[string]any{"name": "N"}}, 200, `"N"`},
		{route{"GET", "/api/device/deviceinfo/", nil}, 200, `"database_path":"postgresql"`},
		{route{"GET", "/api/device/devicepermissions/", nil}, 200, user},
		{route{"GET", "/api/device/devicepermissions/" + user + "/", nil}, 200, `"is_superuser":true`},
		{route{"GET", "/api/device/usersyncstatus/?member_of=" + facility, nil}, 200, "[]"},
		{route{"GET", "/api/device/usersyncstatus/1/", nil}, 404, ""},
		{route{"GET", "/api/device/initialize/" + servertest.ID("x"), nil}, 403, ""},
		{route{"GET", "/api/public/info/?v=3", nil}, 200, `"N"`},
		{route{"GET", tasksURL, nil}, 200, "perform_vacuum"},
		{route{"GET", tasksURL + "?queue=kolibri&repeating=true", nil}, 200, "streamed_cache_cleanup"},
		{route{"POST", tasksURL + "clearall/", nil}, 200, "{}"},
		{route{"GET", "/api/discovery/networklocation/?syncable=1&subset_of_users_device=false", nil}, 200, "kolibridataportal"},
		{route{"GET", "/api/discovery/networklocation/x/", nil}, 404, ""},
		{route{"POST", "/api/discovery/pinned_devices/", map[string]any{"instance_id": user}}, 201, user},
		{route{"GET", "/api/discovery/pinned_devices/", nil}, 200, user},
		{route{"GET", "/api/notifications/localnotification/", nil}, 200, "[]"},
		{route{"GET", "/api/notifications/pingbacknotification/", nil}, 200, "[]"},
		{route{"GET", "/api/notifications/pingbacknotificationdismissed/", nil}, 200, "[]"},
		{route{"GET", "/api/public/v1/facility/", nil}, 200, facility},
	} {
		answer := c.Do(r.method, r.path, r.body)
		require.Equal(t, r.status, answer.Status, "%s %s: %s", r.method, r.path, answer.Text)
		require.Contains(t, answer.Text, r.text, r.path)
	}
	for _, id := range []string{"1", "streamed_cache_cleanup", "local-notifications"} {
		s.Exec(t, "UPDATE jobs SET state = 'FAILED' WHERE id = ?", id)
		require.Equal(t, 200, c.Post(tasksURL+id+"/restart/", nil).Status)
		require.Eventually(t, func() bool {
			job := c.Get(tasksURL + id + "/")
			require.NotEqual(t, "FAILED", job.Field("status"), job.Text)
			return job.Field("status") == "COMPLETED" || id == "local-notifications" && job.Field("status") == "QUEUED"
		}, time.Minute, 5*time.Millisecond)
	}
}
