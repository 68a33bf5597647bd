package device_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

// route is a request of the permission ladder.
type route struct {
	method, path string
	body         any
}

func TestWhoMayDoWhat(t *testing.T) {
	s := servertest.NewSchool(t)
	const d = "/api/device/"
	s.Exec(t, "INSERT INTO device_devicepermissions VALUES (?, FALSE, TRUE)", servertest.ID("coach")) // who manages content
	for _, tc := range []struct {
		route
		anonymous, learner, coach, admin, superuser int
	}{
		{route{"GET", d + "devicesettings/", nil}, 403, 403, 200, 403, 200},
		{route{"PATCH", d + "devicesettings/", map[string]any{"allow_guest_access": true}}, 403, 403, 200, 403, 200},
		{route{"GET", d + "devicename/", nil}, 403, 403, 200, 403, 200},
		{route{"PATCH", d + "devicename/", map[string]any{"name": "Box"}}, 403, 403, 200, 403, 200},
		{route{"GET", d + "deviceinfo/", nil}, 403, 403, 200, 403, 200},
		{route{"GET", d + "pathpermission/", nil}, 403, 403, 200, 403, 200},
		{route{"GET", d + "driveinfo/", nil}, 403, 403, 200, 403, 200},
		{route{"GET", d + "driveinfo/none/", nil}, 403, 403, 404, 403, 404},
		{route{"GET", d + "freespace/?path=Content", nil}, 403, 200, 200, 200, 200},
		{route{"GET", d + "freespace/", nil}, 403, 400, 400, 400, 400},
		{route{"GET", d + "check_metered_connection/", nil}, 403, 200, 200, 200, 200},
		{route{"GET", d + "devicerestart/", nil}, 403, 403, 403, 403, 200},
		{route{"POST", d + "devicerestart/", nil}, 403, 403, 403, 403, 400},
		{route{"GET", d + "devicepermissions/", nil}, 200, 200, 200, 200, 200},
		{route{"GET", d + "devicepermissions/" + servertest.ID("coach") + "/", nil}, 404, 404, 404, 404, 200},
		{route{"POST", d + "devicepermissions/", map[string]any{"user": servertest.ID("loner")}}, 403, 403, 403, 403, 201},
		{route{"PATCH", d + "devicepermissions/" + servertest.ID("loner") + "/", map[string]any{}}, 403, 403, 403, 403, 200},
		{route{"DELETE", d + "devicepermissions/" + servertest.ID("loner") + "/", nil}, 403, 403, 403, 403, 204},
		{route{"GET", d + "usersyncstatus/", nil}, 403, 200, 200, 200, 200},
		{route{"GET", d + "usersyncstatus/1/", nil}, 403, 404, 404, 404, 404},
		{route{"GET", d + "initialize/0123456789abcdef0123456789abcdef", nil}, 403, 403, 403, 403, 403},
		{route{"GET", "/en/plugins/", nil}, 403, 403, 403, 403, 200},
		{route{"GET", "/en/plugins/kolibri*plugins*learn/", nil}, 403, 403, 403, 403, 200},
		{route{"PATCH", "/en/plugins/kolibri*plugins*learn/", map[string]any{"enabled": true}}, 403, 403, 403, 403, 200},
		{route{"PATCH", "/en/plugins/kolibri*plugins*learn/", map[string]any{"enabled": false}}, 403, 403, 403, 403, 501},
		{route{"GET", "/api/public/info/", nil}, 200, 200, 200, 200, 200},
	} {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			for who, status := range map[string]int{"anonymous": tc.anonymous, "learner": tc.learner, "coach": tc.coach, "admin": tc.admin} {
				a := s.As(t, who).Do(tc.method, tc.path, tc.body)
				require.Equal(t, status, a.Status, "%s: %s", who, a.Text)
			}
			a := s.As(t, "superuser").Do(tc.method, tc.path, tc.body)
			require.Equal(t, tc.superuser, a.Status, a.Text)
		})
	}
	t.Run("only superusers see the list of rights", func(t *testing.T) {
		require.Empty(t, s.As(t, "admin").Get(d+"devicepermissions/").JSON)
		require.Len(t, s.As(t, "superuser").Get(d+"devicepermissions/").JSON, 2)
	})
	t.Run("only superusers learn about the machine", func(t *testing.T) {
		require.Len(t, s.As(t, "coach").Get(d+"deviceinfo/").JSON, 2)
		info := s.As(t, "superuser").Get(d + "deviceinfo/")
		require.Len(t, info.JSON, 10)
		require.Len(t, info.Field("device_id"), 32)
	})
}

func TestSettings(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "superuser")
	const url = "/api/device/devicesettings/"
	extra := func(change func(map[string]any)) map[string]any {
		m := map[string]any{"allow_download_on_metered_connection": false, "enable_automatic_download": true, "own": "kept"}
		change(m)
		return map[string]any{"extra_settings": m}
	}
	for _, tc := range []struct {
		name, field string
		body        any
		status      int
		want        any // of the field
	}{
		{"another language", "language_id", map[string]any{"language_id": "ar"}, 200, "ar"},
		{"no language", "language_id", map[string]any{"language_id": nil}, 200, nil},
		{"an unknown language", "language_id", map[string]any{"language_id": "xx"}, 400, "language_id"},
		{"an empty language", "language_id", map[string]any{"language_id": ""}, 400, "language_id"},
		{"a landing page", "landing_page", map[string]any{"landing_page": "learn"}, 200, "learn"},
		{"an unknown landing page", "landing_page", map[string]any{"landing_page": "coach"}, 400, "landing_page"},
		{"a word for a flag", "allow_guest_access", map[string]any{"allow_guest_access": "perhaps"}, 400, "allow_guest_access"},
		{"no guests", "allow_guest_access", map[string]any{"allow_guest_access": false}, 200, false},
		{"unlisted channels", "allow_peer_unlisted_channel_import", map[string]any{"allow_peer_unlisted_channel_import": "true"}, 200, true},
		{"unassigned resources", "allow_learner_unassigned_resource_access", map[string]any{"allow_learner_unassigned_resource_access": false}, 200, false},
		{"other browsers", "allow_other_browsers_to_connect", map[string]any{"allow_other_browsers_to_connect": false}, 200, false},
		{"two faults", "", map[string]any{"language_id": "xx", "landing_page": 7}, 400, "landing_pagelanguage_id"},
		{"extra settings", "extra_settings", extra(func(m map[string]any) { m["limit_for_autodownload"] = 5 }), 200,
			map[string]any{"allow_download_on_metered_connection": false, "enable_automatic_download": true, "own": "kept", "limit_for_autodownload": 5.0}},
		{"extra settings that are text", "", map[string]any{"extra_settings": "x"}, 400, "extra_settings"},
		{"extra settings without a flag", "", extra(func(m map[string]any) { delete(m, "enable_automatic_download") }), 400, "extra_settings"},
		{"a broken limit", "", extra(func(m map[string]any) { m["limit_for_autodownload"] = 1.5 }), 400, "extra_settings"},
		{"no body", "landing_page", map[string]any{}, 200, "learn"},
		{"a place that is none", "", map[string]any{"primary_storage_location": "/nonexistent/dir"}, 400, "primary_storage_location"},
		{"a place that is a file", "", map[string]any{"primary_storage_location": os.Args[0]}, 400, "primary_storage_location"},
		{"a place this host cannot keep", "", map[string]any{"primary_storage_location": t.TempDir()}, 400, "primary_storage_location"},
		{"the place it has", "primary_storage_location", map[string]any{"primary_storage_location": "/content"}, 200, "/content"},
		{"more places that are none", "", map[string]any{"secondary_storage_locations": []string{"/nonexistent/dir"}}, 400, "secondary_storage_locations"},
		{"an empty place", "landing_page", map[string]any{"secondary_storage_locations": []string{""}}, 200, "learn"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Patch(url, tc.body)
			require.Equal(t, tc.status, a.Status, a.Text)
			if tc.status != 200 {
				require.Equal(t, tc.want, a.Text)
				require.Equal(t, "text/html; charset=utf-8", a.Header.Get("Content-Type"))
				return
			}
			require.Equal(t, tc.want, a.Field(tc.field))
			require.Equal(t, tc.want, c.Get(url).Field(tc.field), "it is kept")
		})
	}
}

func TestName(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "superuser")
	const url = "/api/device/devicename/"
	for _, tc := range []struct {
		name   string
		body   any
		status int
	}{
		{"nothing", map[string]any{}, 400}, {"blank", map[string]any{"name": " "}, 400}, {"null", map[string]any{"name": nil}, 400},
		{"a list", map[string]any{"name": []any{}}, 400}, {"too long", map[string]any{"name": string(make([]byte, 51))}, 400},
		{"in another script", map[string]any{"name": "جهاز المدرسة ١"}, 200},
	} {
		require.Equal(t, tc.status, c.Patch(url, tc.body).Status, tc.name)
	}
	require.Equal(t, "جهاز المدرسة ١", c.Get(url).Field("name"))
	require.Equal(t, "جهاز المدرسة ١", s.Client(t).Get("/api/public/info/").Field("device_name"))
}

func TestRights(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "superuser")
	const url = "/api/device/devicepermissions/"
	admin, own := servertest.ID("admin"), servertest.ID("superuser")
	for _, tc := range []struct {
		name string
		route
		status int
		text   string
	}{
		{"no user", route{"POST", url, map[string]any{}}, 400, `"REQUIRED"`},
		{"an unknown user", route{"POST", url, map[string]any{"user": servertest.ID("x")}}, 400, `"DOES_NOT_EXIST"`},
		{"a user", route{"POST", url, map[string]any{"user": admin, "can_manage_content": true}}, 201, `"is_superuser":false,"can_manage_content":true`},
		{"the same user", route{"POST", url, map[string]any{"user": admin}}, 400, `"UNIQUE"`},
		{"more rights", route{"PATCH", url + admin + "/", map[string]any{"is_superuser": true}}, 200, `"is_superuser":true,"can_manage_content":true`},
		{"a word for a right", route{"PATCH", url + admin + "/", map[string]any{"is_superuser": "very"}}, 400, `"INVALID"`},
		{"another's row", route{"PATCH", url + admin + "/", map[string]any{"user": servertest.ID("coach")}}, 400, `"user"`},
		{"all of it", route{"PUT", url + admin + "/", map[string]any{"user": admin, "is_superuser": false}}, 200, `"is_superuser":false`},
		{"all of it without user", route{"PUT", url + admin + "/", map[string]any{}}, 400, `"REQUIRED"`},
		{"one's own", route{"PATCH", url + own + "/", map[string]any{"is_superuser": false}}, 403, `"PERMISSION_DENIED"`},
		{"one's own away", route{"DELETE", url + own + "/", nil}, 403, `"PERMISSION_DENIED"`},
		{"away", route{"DELETE", url + admin + "/", nil}, 204, ""},
		{"away again", route{"DELETE", url + admin + "/", nil}, 404, `"Device Permissions Instance"`},
		{"an id that is none", route{"GET", url + "x/", nil}, 404, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Do(tc.method, tc.path, tc.body)
			require.Equal(t, tc.status, a.Status, a.Text)
			require.Contains(t, a.Text, tc.text)
		})
	}
}

func TestSyncStatus(t *testing.T) {
	s := servertest.NewSchool(t)
	const url = "/api/device/usersyncstatus/"
	status := func(user, state, seen, stage string) {
		session := servertest.ID("session " + user)
		s.Exec(t, `INSERT INTO morango_syncsession (id, start_timestamp, last_activity_timestamp, active, connection_kind, connection_path, is_server, client_ip, profile, server_ip, extra_fields, client_instance_json, server_instance_json, client_instance_id)
			VALUES (?, datetime('now', ?), datetime('now', ?), TRUE, 'network', '', TRUE, '', 'facilitydata', '', '{}', '{}', '{}', ?)`, session, seen, seen, servertest.ID("peer"))
		s.Exec(t, "INSERT INTO device_usersyncstatus (user_id, sync_session_id, status, updated) VALUES (?, ?, ?, datetime('now'))", servertest.ID(user), session, state)
		if stage != "" {
			s.Exec(t, `INSERT INTO morango_transfersession (id, filter, push, active, sync_session_id, last_activity_timestamp, client_fsic, records_transferred, server_fsic, start_timestamp, transfer_stage_status)
				VALUES (?, '', TRUE, TRUE, ?, datetime('now'), '{}', 0, '{}', datetime('now'), ?)`, session, session, stage)
		}
	}
	status("learner", "PENDING", "-1 minutes", "")
	status("learner2", "QUEUED", "-2 hours", "")
	status("learner3", "PENDING", "-2 hours", "started")
	status("loner", "PENDING", "-2 hours", "errored")
	seen := func(who, query string) map[string]any {
		t.Helper()
		a := s.As(t, who).Get(url + query)
		require.Equal(t, http.StatusOK, a.Status, a.Text)
		all := map[string]any{}
		for _, row := range a.JSON.([]any) {
			r := row.(map[string]any)
			require.Len(t, r, 8)
			for _, name := range servertest.People {
				if r["user"] == servertest.ID(name) {
					all[name] = r["status"]
				}
			}
		}
		return all
	}
	everybody := map[string]any{"learner": "RECENTLY_SYNCED", "learner2": "QUEUED", "learner3": "SYNCING", "loner": "UNABLE_TO_SYNC"}
	require.Equal(t, everybody, seen("superuser", ""))
	require.Equal(t, everybody, seen("admin", ""))
	require.Equal(t, everybody, seen("coach", ""))
	require.Equal(t, map[string]any{"learner": "RECENTLY_SYNCED", "learner2": "QUEUED"}, seen("classcoach", ""), "his class")
	require.Equal(t, map[string]any{"learner": "RECENTLY_SYNCED"}, seen("learner", ""), "himself")
	require.Equal(t, map[string]any{"learner3": "SYNCING"}, seen("admin", "?member_of="+servertest.ID("class b")))
	require.Equal(t, everybody, seen("admin", "?member_of="+servertest.ID("facility")))
	require.Equal(t, map[string]any{"loner": "UNABLE_TO_SYNC"}, seen("admin", "?user="+servertest.ID("loner")))
	require.Equal(t, 400, s.As(t, "admin").Get(url+"?user=x").Status)
	require.Equal(t, 400, s.As(t, "admin").Get(url+"?member_of="+servertest.ID("none")).Status)

	s.Exec(t, `INSERT INTO device_learnerdevicestatus VALUES ('1', TRUE, 's', 'p', ?, datetime('now'), datetime('now'), 'InsufficientStorage', -1, ?, ?)`,
		servertest.ID("peer"), servertest.ID("dataset"), servertest.ID("learner"))
	require.Equal(t, "INSUFFICIENT_STORAGE", seen("learner", "")["learner"])
	s.Exec(t, "UPDATE device_learnerdevicestatus SET status = 'OnFire'")
	require.Equal(t, "UNABLE_TO_SYNC", seen("learner", "")["learner"], "a status of a later release")

	s.Exec(t, "DELETE FROM discovery_networklocation") // Studio and the data portal are there from the start
	s.Exec(t, "UPDATE device_devicesettings SET subset_of_users_device = TRUE")
	require.Empty(t, seen("learner", ""), "no device to synchronize with is known")
}

func TestPathPermission(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "superuser")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for path, want := range map[string][2]bool{dir: {true, true}, file: {false, false}, "/nonexistent": {false, false}, "": {false, false}} {
		a := c.Get("/api/device/pathpermission/?path=" + path)
		require.Equal(t, map[string]any{"writable": want[0], "directory": want[1], "path": path}, a.JSON)
	}
}

func TestEmbeddingApp(t *testing.T) {
	s := servertest.NewSchool(t)
	s.Exec(t, "INSERT INTO device_deviceappkey VALUES (1, ?)", servertest.ID("key"))
	c := s.Client(t)
	a := c.Get("/api/device/initialize/" + servertest.ID("key") + "?next=/en/learn/")
	require.Equal(t, 302, a.Status)
	require.Equal(t, "/en/learn/", a.Header.Get("Location"))
	require.Equal(t, servertest.ID("key"), c.Cookie("app_key_cookie"))
	require.Equal(t, "/", c.Get("/api/device/initialize/"+servertest.ID("key")+"?next=//elsewhere.org/").Header.Get("Location"))
	require.Equal(t, 403, c.Get("/api/device/initialize/"+servertest.ID("wrong")).Status)
}

func TestInfoForOtherDevices(t *testing.T) {
	c := servertest.NewSchool(t).Client(t)
	for query, keys := range map[string]int{"": 5, "?v=1": 5, "?v=2": 6, "?v=3": 7, "?v=99": 7, "?v=": 7} {
		require.Len(t, c.Get("/api/public/info/"+query).JSON, keys, query)
	}
	id := c.Get("/api/public/info/").Field("instance_id")
	require.Len(t, id, 32)
	require.Equal(t, id, c.Get("/api/public/info/").Field("instance_id"))
}
