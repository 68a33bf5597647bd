package auth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/auth"
	"kolibri/server"
	"kolibri/server/servertest"
	"kolibri/store"
)

const session, current = "/api/auth/session/", "/api/auth/session/current/"

// obj is a JSON object.
type obj = map[string]any

// scalar reads the one value of a query.
func scalar[T any](t *testing.T, s *servertest.World, query string, args ...any) (v T) {
	t.Helper()
	require.NoError(t, s.DB.Read(context.Background(), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&v) }))
	return v
}

func exec(t *testing.T, s *servertest.World, query string, args ...any) {
	t.Helper()
	require.NoError(t, s.DB.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	}))
}

func TestEverybodyIsToldWhoTheyAre(t *testing.T) {
	w := servertest.NewWorld(t)
	for name, kind := range map[string][]any{
		"anonymous": {"anonymous"}, "learner": {"learner"}, "classcoach": {"coach", "classroom assignable coach"},
		"coach": {"coach"}, "admin": {"admin"}, "superuser": {"superuser", "admin"}, "other_learner": {"learner"},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.As(t, name).Put(current, obj{"active": false})
			require.Equal(t, 200, a.Status, a.Text)
			require.Equal(t, kind, a.Field("kind"))
			require.Equal(t, "current", a.Field("id"))
			require.Equal(t, true, a.Field("full_facility_import"))
			require.NotEmpty(t, a.Field("server_time"))
			if name == "anonymous" {
				require.Nil(t, a.Field("user_id"))
				require.Equal(t, w.IDs["facility"], a.Field("facility_id"))
				require.NotContains(t, a.JSON, "can_manage_content")
				return
			}
			require.Equal(t, name, a.Field("username"))
			require.Equal(t, w.IDs[name], a.Field("user_id"))
			require.Equal(t, name == "superuser", a.Field("can_manage_content"))
		})
	}
}

func TestSignInAnswers(t *testing.T) { signInAnswers(t, servertest.NewWorld(t)) }

func signInAnswers(t *testing.T, w *servertest.World) {
	f := w.IDs["facility"]
	exec(t, w, "UPDATE kolibriauth_facilityuser SET password = 'NOT_SPECIFIED' WHERE username = 'loner'")
	exec(t, w, "UPDATE kolibriauth_facilityuser SET password = '!unusable' WHERE username = 'learner3'")
	for _, tc := range []struct {
		name   string
		body   any
		status int
		answer string
	}{
		{"name and password", obj{"username": "learner", "password": servertest.Password, "facility": f}, 200, `"username":"learner"`},
		{"a name in another case", obj{"username": "LeArNeR", "password": servertest.Password, "facility": f}, 200, `"username":"learner"`},
		{"the default facility", obj{"username": "learner", "password": servertest.Password}, 200, `"username":"learner"`},
		{"a superuser from another facility's page", obj{"username": "superuser", "password": servertest.Password, "facility": w.IDs["other_facility"]}, 200, `"username":"superuser"`},
		{"no password", obj{"username": "learner", "facility": f}, 400, "MISSING_PASSWORD"},
		{"a wrong password", obj{"username": "learner", "password": "x", "facility": f}, 401, `[{"id":"INVALID_CREDENTIALS","metadata":{}}]`},
		{"a password that is not set yet", obj{"username": "loner", "password": "x", "facility": f}, 400, "PASSWORD_NOT_SPECIFIED"},
		{"that text as the password", obj{"username": "loner", "password": "NOT_SPECIFIED", "facility": f}, 400, "PASSWORD_NOT_SPECIFIED"},
		{"an unusable password", obj{"username": "learner3", "password": "!unusable", "facility": f}, 401, "INVALID_CREDENTIALS"},
		{"nobody", obj{"username": "nobody", "password": "x", "facility": f}, 400, `"field":"username"`},
		{"somebody of another facility", obj{"username": "other_learner", "password": servertest.Password, "facility": f}, 400, "NOT_FOUND"},
		{"no name at all", obj{}, 400, "NOT_FOUND"},
		{"a facility that is no id", obj{"username": "learner", "facility": "x"}, 400, `["Incorrect type. Expected pk value, received str."]`},
		{"an unknown facility", obj{"username": "learner", "facility": strings.Repeat("0", 32)}, 400, "object does not exist"},
		{"a class for a facility", obj{"username": "learner", "facility": w.IDs["class_a"]}, 400, "object does not exist"},
		{"numbers for a name", obj{"username": 5, "password": "x"}, 400, "NOT_FOUND"},
		{"an object for a name", obj{"username": obj{}}, 400, "Not a valid string."},
		{"null for a name", obj{"username": nil}, 400, "may not be null"},
		{"a picture password nobody has", obj{"picture_password": "1.2.3", "facility": f}, 400, `"field":"picture_password"`},
		{"a picture password of no form", obj{"picture_password": "x"}, 400, "three dot-separated integers"},
		{"a token that is none", obj{"user_id": w.IDs["learner"], "auth_token": "x-y", "facility": f}, 400, "NOT_FOUND"},
		{"a list", []any{}, 400, "Expected a dictionary, but got list"},
		{"null", "null", 400, "No data provided"},
		{"no JSON", "{", 400, `"detail":"JSON parse error`},
		{"ten megabytes", obj{"username": strings.Repeat("a", 10<<20)}, 400, "NOT_FOUND"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := w.As(t, "anonymous")
			a := c.Post(session, tc.body)
			require.Equal(t, tc.status, a.Status, a.Text)
			require.Contains(t, a.Text, tc.answer)
			require.NotEmpty(t, c.Cookie(auth.CSRFCookie))
			require.Equal(t, tc.status == 200, c.Cookie("kolibri") != "")
		})
	}
}

func TestPrevalidationSignsNobodyIn(t *testing.T) {
	w := servertest.NewWorld(t)
	c := w.As(t, "anonymous")
	a := c.Post(session+"?prevalidate=true", obj{"username": "learner", "password": servertest.Password})
	require.Equal(t, 200, a.Status)
	require.Equal(t, obj{"full_name": "Lea Learner"}, a.JSON)
	require.Empty(t, c.Cookie("kolibri"))
}

func TestLearnersSignInWithoutPasswordWhereTheyMay(t *testing.T) {
	passwordlessLearners(t, servertest.NewWorld(t))
}

func passwordlessLearners(t *testing.T, w *servertest.World) {
	exec(t, w, "UPDATE kolibriauth_facilitydataset SET learner_can_login_with_no_password = TRUE, learner_can_edit_password = FALSE WHERE id = ?", w.IDs["dataset"])
	for name, status := range map[string]int{"learner": 200, "coach": 400, "classcoach": 400, "admin": 400, "superuser": 400} {
		a := w.As(t, "anonymous").Post(session, obj{"username": name, "facility": w.IDs["facility"]})
		require.Equal(t, status, a.Status, name)
	}
	require.Equal(t, 400, w.As(t, "anonymous").Post(session, obj{"username": "other_learner", "facility": w.IDs["other_facility"]}).Status)
	names := w.As(t, "anonymous").Get("/api/auth/facilityusername/?search=LE&facility=" + w.IDs["facility"])
	require.ElementsMatch(t, []any{obj{"username": "learner"}, obj{"username": "learner2"}, obj{"username": "learner3"}}, names.JSON)
	require.Equal(t, 404, w.As(t, "anonymous").Get(w.Path("/api/auth/facilityusername/{coach}/")).Status)
	require.Equal(t, 200, w.As(t, "anonymous").Get(w.Path("/api/auth/facilityusername/{learner}/")).Status)
	require.Equal(t, 400, w.As(t, "anonymous").Get("/api/auth/facilityusername/?facility=nope").Status)
}

func TestPicturePasswords(t *testing.T) { picturePasswords(t, servertest.NewWorld(t)) }

func picturePasswords(t *testing.T, w *servertest.World) {
	exec(t, w, "UPDATE kolibriauth_facilityuser SET picture_password = '3.7.12' WHERE username = 'learner'")
	exec(t, w, "UPDATE kolibriauth_facilityuser SET picture_password = '1.2.3' WHERE username = 'coach'")
	post := func(body obj) *servertest.Answer { return w.As(t, "anonymous").Post(session, body) }
	require.Equal(t, 400, post(obj{"picture_password": "3.7.12"}).Status, "the facility has none")
	exec(t, w, `UPDATE kolibriauth_facilitydataset SET picture_password_settings = '{"icon_style":"standard","show_icon_text":true}' WHERE id = ?`, w.IDs["dataset"])
	require.Equal(t, "learner", post(obj{"picture_password": "3.7.12"}).Field("username"))
	require.Equal(t, 400, post(obj{"picture_password": "1.2.3"}).Status, "only for learners")
	require.Equal(t, 400, post(obj{"picture_password": "4.5.6", "username": "learner", "password": servertest.Password}).Status, "a wrong one is not followed by the name")
	require.Equal(t, 400, post(obj{"picture_password": "3.7.12", "facility": w.IDs["other_facility"]}).Status)

	made := w.As(t, "admin").Post("/api/auth/facilityuser/", obj{"username": "new", "password": "x", "facility": w.IDs["facility"]})
	require.Equal(t, 201, made.Status, made.Text)
	require.Regexp(t, `^\d+\.\d+\.\d+$`, made.Field("picture_password"))
}

func TestTokensSignIn(t *testing.T) {
	w := servertest.NewWorld(t, func(c *server.Config) { c.Secret = []byte("secret") })
	host := server.Config{}.Host
	host.Secret = []byte("secret")
	post := func(token string) int {
		return w.As(t, "anonymous").Post(session, obj{"user_id": w.IDs["learner"], "auth_token": token}).Status
	}
	token := auth.MakeToken(&host, time.Now(), w.IDs["learner"])
	require.Equal(t, 200, post(token))
	require.Equal(t, 400, post(auth.MakeToken(&host, time.Now(), w.IDs["admin"])), "another user's")
	require.Equal(t, 400, post(token+"0"))
	w.Skip(16 * time.Minute)
	require.Equal(t, 400, post(token), "too old")
	w.Skip(-time.Hour)
	require.Equal(t, 400, post(token), "from the future")
}

func TestSigningInRenewsKeyAndToken(t *testing.T) {
	w := servertest.NewWorld(t)
	c := w.As(t, "anonymous")
	c.Put(current, obj{})
	before := c.Cookie(auth.CSRFCookie)
	require.NotEmpty(t, before)
	require.NotEmpty(t, c.Cookie("visitor_id"))
	require.Equal(t, 200, c.Post(session, obj{"username": "learner", "password": servertest.Password}).Status)
	key := c.Cookie("kolibri")
	require.NotEqual(t, before, c.Cookie(auth.CSRFCookie))
	require.Equal(t, 200, c.Post(session, obj{"username": "learner2", "password": servertest.Password}).Status)
	require.NotEqual(t, key, c.Cookie("kolibri"))
	require.Zero(t, scalar[int](t, w, "SELECT count(*) FROM kolibriauth_session WHERE session_key = ?", key))
	require.Equal(t, 1, scalar[int](t, w, "SELECT count(*) FROM kolibriauth_facilityuser WHERE username = 'learner' AND last_login IS NOT NULL AND _morango_dirty_bit = TRUE"))

	out := c.Delete(current)
	require.Equal(t, 200, out.Status)
	require.Equal(t, []any{}, out.JSON)
	require.Empty(t, c.Cookie("kolibri"))
	require.Zero(t, scalar[int](t, w, "SELECT count(*) FROM kolibriauth_session"))
	require.Equal(t, []any{"anonymous"}, c.Put(current, obj{}).Field("kind"))
}

func TestOldHashesAreRenewedAtSignIn(t *testing.T) {
	w := servertest.NewWorld(t)
	exec(t, w, "UPDATE kolibriauth_facilityuser SET password = ? WHERE username = 'learner'", "pbkdf2_sha1$10000$oldsalt12345$hJtNorQ2f7SCah9RpXkzfDxIaMU=")
	require.Equal(t, 200, w.As(t, "anonymous").Post(session, obj{"username": "learner", "password": "pass-word1"}).Status)
	require.Contains(t, scalar[string](t, w, "SELECT password FROM kolibriauth_facilityuser WHERE username = 'learner'"), "pbkdf2_sha256$260000$")
	require.Equal(t, 200, w.As(t, "anonymous").Post(session, obj{"username": "learner", "password": "pass-word1"}).Status)
}

func TestWrongMethodsGetTheTokenToo(t *testing.T) {
	w := servertest.NewWorld(t)
	for _, tc := range []struct{ method, path, allow string }{
		{"GET", current, "PUT, DELETE, OPTIONS"}, {"PATCH", current, "PUT, DELETE, OPTIONS"}, {"POST", current, "PUT, DELETE, OPTIONS"},
		{"GET", session, "POST, OPTIONS"}, {"PUT", session, "POST, OPTIONS"},
	} {
		c := w.As(t, "anonymous")
		a := c.Do(tc.method, tc.path, obj{})
		require.Equal(t, 405, a.Status)
		require.Equal(t, tc.allow, a.Header.Get("Allow"))
		require.NotEmpty(t, c.Cookie(auth.CSRFCookie))
	}
}

func TestStaleCSRFTokens(t *testing.T) {
	w := servertest.NewWorld(t)
	c := w.As(t, "learner")
	send := func(token string) *servertest.Answer {
		req, err := http.NewRequest("PUT", w.HTTP.URL+current, strings.NewReader("{}"))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-CSRFToken", token)
		return c.Send(req)
	}
	for _, token := range []string{"", "stale", strings.Repeat("x", 64)} {
		a := send(token)
		require.Equal(t, 403, a.Status)
		require.JSONEq(t, `[{"id":"PERMISSION_DENIED","metadata":{"view":"Session Instance"}}]`, a.Text)
	}
	require.Equal(t, 200, send(c.Cookie(auth.CSRFCookie)).Status)
}

func TestSessionsEndAndHeartbeatsKeepThemAlive(t *testing.T) {
	w := servertest.NewWorld(t)
	c := w.As(t, "learner")
	user := func() any { return c.Put(current, obj{}).Field("user_id") }
	for range 3 {
		w.Skip(19 * time.Minute)
		require.Equal(t, w.IDs["learner"], user())
	}
	w.Skip(auth.SessionAge + time.Second)
	require.Nil(t, user())

	c = w.As(t, "learner")
	w.Skip(-10 * 365 * 24 * time.Hour) // a clock that was wrong
	require.Equal(t, w.IDs["learner"], user())
	w.Skip(20 * 365 * 24 * time.Hour)
	require.Nil(t, user())
}

func TestSessionsOfTheDeletedAndTheRenamed(t *testing.T) {
	w := servertest.NewWorld(t)
	learner, admin := w.As(t, "learner"), w.As(t, "admin")
	require.Equal(t, 200, admin.Patch(w.Path("/api/auth/facilityuser/{learner}/"), obj{"username": "renamed"}).Status)
	require.Equal(t, "renamed", learner.Put(current, obj{}).Field("username"))
	require.Equal(t, 200, admin.Patch(w.Path("/api/auth/facilityuser/{learner}/"), obj{"password": "another-one"}).Status)
	require.Nil(t, learner.Put(current, obj{}).Field("user_id"), "who came in by the old password is out")
	require.Equal(t, 200, learner.Post(session, obj{"username": "renamed", "password": "another-one"}).Status)
	require.Equal(t, 204, admin.Delete(w.Path("/api/auth/facilityuser/{learner}/")).Status)
	require.Nil(t, learner.Put(current, obj{}).Field("user_id"))
	require.Equal(t, 400, learner.Post(session, obj{"username": "renamed", "password": "another-one"}).Status)
}

func TestPresenceIsLogged(t *testing.T) {
	w := servertest.NewWorld(t)
	c := w.As(t, "learner")
	logs := func() int { return scalar[int](t, w, "SELECT count(*) FROM logger_usersessionlog") }
	beat := obj{"active": true, "os": obj{"name": "Linux", "major": "6"}, "browser": obj{"name": "Chrome", "major": "130"}}
	c.Put(current, obj{})
	require.Zero(t, logs())
	require.Equal(t, 200, c.Put(current, beat).Status)
	require.Equal(t, "Linux,6/Chrome,130", scalar[string](t, w, "SELECT device_info FROM logger_usersessionlog"))
	require.Equal(t, w.Path("{dataset}:user-rw:{learner}"), scalar[string](t, w, "SELECT _morango_partition FROM logger_usersessionlog"))
	exec(t, w, "UPDATE logger_usersessionlog SET _morango_dirty_bit = FALSE")
	w.Skip(4 * time.Minute)
	c.Put(current, beat)
	require.Equal(t, 1, logs())
	require.True(t, scalar[bool](t, w, "SELECT _morango_dirty_bit FROM logger_usersessionlog"))
	w.Skip(6 * time.Minute)
	c.Put(current, beat)
	require.Equal(t, 2, logs())
	w.Skip(-time.Hour)
	c.Put(current, beat)
	c.Put(current, beat)
	require.Equal(t, 3, logs(), "a clock that went back")
	require.Equal(t, 200, c.Put(current, obj{"active": true, "os": "x", "browser": []any{strings.Repeat("y", 300)}}).Status)
	require.Equal(t, 400, c.Put(current, "[1,2").Status)
	require.Equal(t, 400, c.Put(current, "[1]").Status)
	require.Equal(t, 200, c.Put(current, beat).Status, "a bad body does not end the session")
}

func TestOnlyTheAppWhereOthersMayNotConnect(t *testing.T) {
	w := servertest.NewWorld(t)
	exec(t, w, "UPDATE device_devicesettings SET allow_other_browsers_to_connect = FALSE")
	exec(t, w, "INSERT INTO device_deviceappkey (key) VALUES ('0123456789abcdef0123456789abcdef')")
	c := w.As(t, "anonymous")
	body := obj{"username": "learner", "password": servertest.Password}
	require.Equal(t, 401, c.Post(session, body).Status)
	req, err := http.NewRequest("POST", w.HTTP.URL+session, strings.NewReader(`{"username":"learner","password":"`+servertest.Password+`"}`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.AddCookie(&http.Cookie{Name: "app_key_cookie", Value: "0123456789abcdef0123456789abcdef"})
	a := c.Send(req)
	require.Equal(t, 200, a.Status)
	require.Equal(t, true, a.Field("app_context"))
}

func TestBrowsersForgetSessionsThatAreNotKnownAnyMore(t *testing.T) {
	w := servertest.NewWorld(t)
	for _, tc := range []struct {
		path   string
		status int
	}{{"/api/auth/facilityuser/", 200}, {"/learn/api/learnerlesson/", 403}} {
		w.Exec(t, "UPDATE kolibriauth_facilityuser SET date_deleted = NULL WHERE username = 'learner'")
		c := w.As(t, "learner")
		require.NotEmpty(t, c.Cookie("kolibri"))
		require.Equal(t, 204, w.As(t, "admin").Delete("/api/auth/facilityuser/"+w.IDs["learner"]+"/").Status)
		require.Equal(t, tc.status, c.Get(tc.path).Status, tc.path)
		require.Empty(t, c.Cookie("kolibri"), tc.path)
	}
	c := w.As(t, "coach")
	require.Equal(t, 405, c.Delete("/learn/api/state").Status)
	require.NotEmpty(t, c.Cookie("kolibri"), "a call that asks for no session ends none")
}
