package auth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/auth"
	"kolibri/server/servertest"
)

func TestSignUp(t *testing.T) {
	w := servertest.NewWorld(t)
	body := obj{"username": "joined", "full_name": "Joined", "password": "pass-word1", "facility": w.IDs["facility"]}

	c := w.As(t, "anonymous")
	refused := c.Post("/api/auth/signup/", body)
	require.Equal(t, 403, refused.Status, "without the token of a page")
	require.Contains(t, refused.Header.Get("Content-Type"), "text/html")
	require.Empty(t, refused.Header.Get("Allow"))

	c.Put(current, obj{})
	token := c.Cookie(auth.CSRFCookie)
	made := c.Post("/api/auth/signup/", body)
	require.Equal(t, 201, made.Status, made.Text)
	require.Equal(t, obj{"id": made.Field("id"), "username": "joined", "full_name": "Joined", "facility": w.IDs["facility"], "roles": []any{}, "is_superuser": false,
		"id_number": "", "gender": "", "birth_year": "", "extra_demographics": nil, "picture_password": nil}, made.JSON)
	require.NotEqual(t, token, c.Cookie(auth.CSRFCookie))
	require.Equal(t, made.Field("id"), c.Put(current, obj{}).Field("user_id"), "and is signed in")

	again := w.As(t, "anonymous")
	again.Put(current, obj{})
	body["username"] = "JOINED"
	require.Equal(t, "USERNAME_ALREADY_EXISTS", again.Post("/api/auth/signup/", body).Field("0", "id"))

	exec(t, w, "UPDATE kolibriauth_facilitydataset SET learner_can_sign_up = FALSE WHERE id = ?", w.IDs["dataset"])
	body["username"] = "late"
	require.Equal(t, "PERMISSION_DENIED", again.Post("/api/auth/signup/", body).Field("0", "id"))
	exec(t, w, "UPDATE kolibriauth_facilitydataset SET learner_can_sign_up = TRUE WHERE id = ?", w.IDs["dataset"])
	exec(t, w, "UPDATE morango_certificate SET private_key = NULL WHERE id = ?", w.IDs["dataset"])
	require.Equal(t, 403, again.Post("/api/auth/signup/", body).Status, "a part of a facility takes nobody in")
}

func TestPublicSignUp(t *testing.T) {
	w := servertest.NewWorld(t)
	c := w.As(t, "anonymous")
	made := c.Post("/api/public/signup/", obj{"username": "pub", "full_name": "Pub", "password": "pass-word1", "facility": w.IDs["facility"]})
	require.Equal(t, 201, made.Status, made.Text)
	require.Empty(t, c.Cookie("kolibri"), "and is not signed in")
	require.Equal(t, 400, c.Post("/api/public/signup/", obj{}).Status)
	require.Equal(t, 405, c.Get("/api/public/signup/").Status)
}

func TestUsernameAvailable(t *testing.T) {
	w := servertest.NewWorld(t)
	c := w.As(t, "anonymous")
	const path = "/api/auth/usernameavailable"
	free := c.Post(path, obj{"username": "free", "facility": w.IDs["facility"]})
	require.Equal(t, 200, free.Status)
	require.Equal(t, true, free.JSON)
	require.Equal(t, 200, c.Post(path, obj{"username": "learner", "facility": w.IDs["other_facility"]}).Status)
	gone := c.Post(path, obj{"username": "free", "facility": strings.Repeat("0", 32)})
	require.Equal(t, 404, gone.Status)
	require.Equal(t, "Facility not found", gone.JSON)
	for id, body := range map[string]any{"REQUIRED": obj{"username": "free"}, "BLANK": obj{"username": "", "facility": w.IDs["facility"]},
		"INVALID": obj{"username": "x", "facility": "nope"}, "NULL": "null"} {
		a := c.Post(path, body)
		require.Equal(t, 400, a.Status)
		require.Equal(t, id, a.Field("0", "id"))
	}
}

func TestTheFirstPassword(t *testing.T) {
	w := servertest.NewWorld(t)
	exec(t, w, "UPDATE kolibriauth_facilityuser SET password = 'NOT_SPECIFIED' WHERE username IN ('learner', 'learner2')")
	exec(t, w, "INSERT INTO device_osuser (user_id, os_username) VALUES (?, 'os')", w.IDs["learner2"])
	c := w.As(t, "anonymous")
	post := func(username, password any) *servertest.Answer {
		return c.Post("/api/auth/setnonspecifiedpassword", obj{"username": username, "password": password, "facility": w.IDs["facility"]})
	}
	require.Equal(t, "Must specify username, password, and facility", post("learner", "").JSON)
	require.Equal(t, 400, post(5, []any{}).Status)
	for _, name := range []string{"nobody", "LEARNER", "coach", "learner2"} {
		a := post(name, "new-pass1")
		require.Equal(t, 404, a.Status, name)
		require.Equal(t, "Set Non Specified Password", a.Field("0", "metadata", "view"))
	}
	done := post("learner", "new-pass1")
	require.Equal(t, 200, done.Status)
	require.Empty(t, done.Text)
	require.Equal(t, 404, post("learner", "other-pass1").Status, "only once")
	require.Equal(t, 200, c.Post(session, obj{"username": "learner", "password": "new-pass1"}).Status)
	require.Equal(t, 400, c.Post("/api/auth/setnonspecifiedpassword", "[]").Status)
}

func TestUsersOfOtherDevices(t *testing.T) {
	w := servertest.NewWorld(t)
	id := strings.Repeat("a", 32)
	peer := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/api/public/facilitysearchuser/" {
			if r.URL.Query().Get("search") == "broken" {
				_, _ = rw.Write([]byte("<html>"))
				return
			}
			_ = json.NewEncoder(rw).Encode([]obj{{"id": "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", "username": r.URL.Query().Get("search")}})
			return
		}
		name, password, _ := r.BasicAuth()
		if password != "right" {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		users := []obj{{"id": id, "username": "rita", "full_name": "Rita", "facility": id, "roles": []string{}}}
		if name == "username=boss&facility="+id {
			users = append(users, obj{"id": id, "username": "boss", "full_name": "Boss", "facility": id, "roles": []string{"admin"}})
		}
		_ = json.NewEncoder(rw).Encode(users)
	}))
	defer peer.Close()
	exec(t, w, `INSERT INTO discovery_networklocation (id, base_url, nickname, added, last_accessed, application, kolibri_version, instance_id, device_name, operating_system, subset_of_users_device, connection_status, connection_faults, location_type, is_local)
		SELECT ?, ?, nickname, added, last_accessed, application, kolibri_version, instance_id, device_name, operating_system, subset_of_users_device, connection_status, connection_faults, location_type, is_local FROM discovery_networklocation LIMIT 1`, id, peer.URL)

	find := "/api/auth/remotefacilityuser?facility=" + id + "&baseurl="
	require.Equal(t, 403, w.As(t, "anonymous").Get(find+peer.URL+"&username=rita").Status)
	c := w.As(t, "learner")
	require.Equal(t, []any{obj{"id": id, "username": "rita"}}, c.Get(find+peer.URL+"/&username=rita").JSON)
	require.Equal(t, []any{}, c.Get(find+peer.URL+"&username=broken").JSON)
	require.Equal(t, []any{"Both username and facility are required"}, c.Get("/api/auth/remotefacilityuser?baseurl="+peer.URL).JSON)
	for _, address := range []string{"http://127.0.0.1:9", "", "nonsense", "file:///etc/passwd"} {
		require.Equal(t, []any{"Unknown peer: " + address}, c.Get(find+address+"&username=rita").JSON, "only known devices are asked")
	}

	const prove = "/api/auth/remotefacilityauthenticateduserinfo"
	body := obj{"baseurl": peer.URL, "facility_id": id, "username": "rita", "password": "right"}
	require.Equal(t, "rita", c.Post(prove, body).Field("0", "username"))
	body["username"] = "boss"
	require.Len(t, c.Post(prove, body).JSON, 2, "an admin gets everybody")
	body["password"] = "wrong"
	require.Equal(t, "PERMISSION_DENIED", c.Post(prove, body).Field("0", "id"))
	require.Equal(t, 400, c.Post(prove, obj{}).Status)
	peer.Close()
	require.Equal(t, 410, c.Post(prove, body).Status)
	require.Equal(t, []any{"Remote user lookup failed"}, c.Get(find+peer.URL+"&username=rita").JSON)
}
