package auth_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/auth"
	"kolibri/server/servertest"
	"kolibri/store"
)

// actors are who tries everything: the ladder of this facility, then people of another one.
var actors = append(append([]string{}, servertest.Everybody...), "other_learner", "other_coach", "other_admin")

// attempt is a request and the answer each actor gets.
type attempt struct {
	method, path, body string
	// make makes a fresh {target} for each actor.
	make func(w *servertest.World, tx *store.Tx) (string, error)
	//            anonymous, learner, classcoach, coach, admin, superuser; learner, coach, admin from elsewhere
	status string
}

func inClass(name string) func(*servertest.World, *store.Tx) (string, error) {
	return func(w *servertest.World, tx *store.Tx) (string, error) {
		class, err := auth.LoadCollection(tx, w.IDs[name])
		if err != nil {
			return "", err
		}
		return newCollection(tx, auth.KindLearnerGroup, class)
	}
}

func newClass(w *servertest.World, tx *store.Tx) (string, error) {
	facility, err := auth.LoadCollection(tx, w.IDs["facility"])
	if err != nil {
		return "", err
	}
	return newCollection(tx, auth.KindClassroom, facility)
}

var made int

func newCollection(tx *store.Tx, kind string, parent *auth.Collection) (string, error) {
	made++
	c, err := auth.CreateCollection(tx, rand.Reader, kind, fmt.Sprint("made ", made), parent)
	if err != nil {
		return "", err
	}
	return c.ID, nil
}

// newLearner is a fresh account in a class, or in none.
func newLearner(w *servertest.World, tx *store.Tx, class string) (string, error) {
	made++
	facility, err := auth.LoadCollection(tx, w.IDs["facility"])
	if err != nil {
		return "", err
	}
	user, err := auth.CreateUser(tx, rand.Reader, facility, auth.NewUser{Username: fmt.Sprint("made", made), Password: auth.NotSpecified})
	if err != nil || class == "" {
		return user, err
	}
	c, err := auth.LoadCollection(tx, w.IDs[class])
	if err != nil {
		return "", err
	}
	return user, auth.AddMembers(tx, rand.Reader, c, user)
}

func learnerIn(class string) func(*servertest.World, *store.Tx) (string, error) {
	return func(w *servertest.World, tx *store.Tx) (string, error) { return newLearner(w, tx, class) }
}

// linkOf is the membership of a fresh learner in a class, or, with a group in it, in the group.
func membershipIn(class, group string) func(*servertest.World, *store.Tx) (string, error) {
	return func(w *servertest.World, tx *store.Tx) (string, error) {
		user, err := newLearner(w, tx, class)
		if err != nil {
			return "", err
		}
		at := w.IDs[class]
		if group != "" {
			at = w.IDs[group]
			g, err := auth.LoadCollection(tx, at)
			if err != nil {
				return "", err
			}
			if err := auth.AddMembers(tx, rand.Reader, g, user); err != nil {
				return "", err
			}
		}
		var id string
		return id, tx.QueryRow("SELECT id FROM kolibriauth_membership WHERE user_id = ? AND collection_id = ?", user, at).Scan(&id)
	}
}

func roleAt(collection, kind string) func(*servertest.World, *store.Tx) (string, error) {
	return func(w *servertest.World, tx *store.Tx) (string, error) {
		user, err := newLearner(w, tx, "")
		if err != nil {
			return "", err
		}
		c, err := auth.LoadCollection(tx, w.IDs[collection])
		if err != nil {
			return "", err
		}
		if err := auth.AddRole(tx, rand.Reader, user, c, kind); err != nil {
			return "", err
		}
		var id string
		return id, tx.QueryRow("SELECT id FROM kolibriauth_role WHERE user_id = ? AND collection_id = ?", user, c.ID).Scan(&id)
	}
}

var attempts = []attempt{
	// facilities: everybody may know of them, their admins rename them, superusers make and delete them
	{"GET", "/api/auth/facility/{facility}/", "", nil, "200 200 200 200 200 200 200 200 200"},
	{"GET", "/api/public/v1/facility/{facility}/", "", nil, "200 200 200 200 200 200 200 200 200"},
	{"PATCH", "/api/auth/facility/{facility}/", `{"name":"N"}`, nil, "403 403 403 403 200 200 403 403 403"},
	{"PUT", "/api/auth/facility/{facility}/", `{"name":"N"}`, nil, "403 403 403 403 200 200 403 403 403"},
	{"DELETE", "/api/auth/facility/{facility}/", "", nil, "403 403 403 403 403 skip 403 403 403"},
	{"POST", "/api/auth/facility/", `{"name":"N"}`, nil, "403 403 403 403 403 skip 403 403 403"},
	{"POST", "/api/auth/facility/create_facility/", `{"name":"N","preset":"formal"}`, nil, "403 403 403 403 403 skip 403 403 403"},
	// settings
	{"GET", "/api/auth/facilitydataset/{dataset}/", "", nil, "200 200 200 200 200 200 200 200 200"},
	{"PATCH", "/api/auth/facilitydataset/{dataset}/", `{"location":"L"}`, nil, "403 403 403 403 200 200 403 403 403"},
	{"PUT", "/api/auth/facilitydataset/{dataset}/", `{"location":"L"}`, nil, "403 403 403 403 200 200 403 403 403"},
	{"POST", "/api/auth/facilitydataset/", `{"location":"L"}`, nil, "403 403 403 403 403 404 403 403 403"},
	{"DELETE", "/api/auth/facilitydataset/{dataset}/", "", nil, "403 403 403 403 403 skip 403 403 403"},
	{"POST", "/api/auth/facilitydataset/{dataset}/resetsettings/", "", nil, "403 403 403 403 200 200 403 403 403"},
	{"POST", "/api/auth/facilitydataset/{dataset}/update-pin/", `{"pin_code":"1234"}`, nil, "403 403 403 403 403 200 403 403 403"},
	{"PATCH", "/api/auth/facilitydataset/{dataset}/update-pin/", `{}`, nil, "403 403 403 403 200 200 403 403 403"},
	{"POST", "/api/auth/ispinvalid/{dataset}", `{"pin_code":"1234"}`, nil, "403 403 403 403 403 200 403 403 403"},
	{"PATCH", "/api/auth/facilitydataset/{dataset}/save-facility-login-settings/", `{"learner_can_login_with_no_password":false}`, nil, "403 403 403 403 200 200 403 403 403"},
	// classes
	{"GET", "/api/auth/classroom/{class_a}/", "", nil, "404 404 200 200 200 200 404 404 404"},
	{"GET", "/api/auth/classroom/{class_b}/", "", nil, "404 404 404 200 200 200 404 404 404"},
	{"POST", "/api/auth/classroom/", `{"name":"by {actor}","parent":"{facility}"}`, nil, "403 403 403 403 201 201 403 403 403"},
	{"PATCH", "/api/auth/classroom/{class_a}/", `{"name":"A"}`, nil, "403 403 403 403 200 200 403 403 403"},
	{"PUT", "/api/auth/classroom/{class_b}/", `{"name":"B","parent":"{facility}"}`, nil, "403 403 403 403 200 200 403 403 403"},
	{"DELETE", "/api/auth/classroom/{target}/", "", newClass, "403 403 403 403 204 204 403 403 403"},
	// groups: coaches manage those of their classes
	{"GET", "/api/auth/learnergroup/{group_a}/", "", nil, "404 404 200 200 200 200 404 404 404"},
	{"GET", "/api/auth/learnergroup/{group_b}/", "", nil, "404 404 404 200 200 200 404 404 404"},
	{"POST", "/api/auth/learnergroup/", `{"name":"by {actor}","parent":"{class_a}"}`, nil, "403 403 201 201 201 201 403 403 403"},
	{"POST", "/api/auth/learnergroup/", `{"name":"by {actor}","parent":"{class_b}"}`, nil, "403 403 403 201 201 201 403 403 403"},
	{"PATCH", "/api/auth/learnergroup/{target}/", `{"name":"of {actor}"}`, inClass("class_a"), "403 403 200 200 200 200 403 403 403"},
	{"PATCH", "/api/auth/learnergroup/{target}/", `{"name":"of {actor}"}`, inClass("class_b"), "403 403 403 200 200 200 403 403 403"},
	{"PATCH", "/api/auth/learnergroup/{target}/", `{"parent":"{class_b}"}`, inClass("class_a"), "403 403 403 200 200 200 403 403 403"},
	{"DELETE", "/api/auth/learnergroup/{target}/", "", inClass("class_a"), "403 403 204 204 204 204 403 403 403"},
	{"DELETE", "/api/auth/learnergroup/{target}/", "", inClass("class_b"), "403 403 403 204 204 204 403 403 403"},
	// roles are the admins'
	{"GET", "/api/auth/role/{target}/", "", roleAt("class_a", auth.Coach), "404 404 200 200 200 200 404 404 404"},
	{"GET", "/api/auth/role/{target}/", "", roleAt("class_b", auth.Coach), "404 404 404 200 200 200 404 404 404"},
	{"POST", "/api/auth/role/", `{"user":"{target}","collection":"{class_a}","kind":"coach"}`, learnerIn(""), "403 403 403 403 201 201 403 403 403"},
	{"POST", "/api/auth/role/", `{"user":"{target}","collection":"{facility}","kind":"admin"}`, learnerIn(""), "403 403 403 403 201 201 403 403 403"},
	{"POST", "/api/auth/role/", `[{"user":"{target}","collection":"{class_a}","kind":"coach"}]`, learnerIn(""), "403 403 403 403 201 201 403 403 403"},
	{"POST", "/api/auth/role/", `{"user":"{target}","collection":"{other_facility}","kind":"admin"}`, learnerIn(""), "403 403 403 403 403 403 403 403 403"},
	{"PATCH", "/api/auth/role/{target}/", `{"kind":"coach"}`, roleAt("class_a", auth.Coach), "403 403 403 403 403 200 403 403 403"},
	{"DELETE", "/api/auth/role/{target}/", "", roleAt("class_a", auth.Coach), "403 403 403 403 204 204 403 403 403"},
	{"DELETE", "/api/auth/role/?by_ids={target}", "", roleAt("class_a", auth.Coach), "403 403 403 403 204 204 403 403 403"},
	// memberships: coaches move members of their classes between groups
	{"GET", "/api/auth/membership/{target}/", "", membershipIn("class_a", ""), "404 404 200 200 200 200 404 404 404"},
	{"GET", "/api/auth/membership/{target}/", "", membershipIn("class_b", ""), "404 404 404 200 200 200 404 404 404"},
	{"POST", "/api/auth/membership/", `{"user":"{target}","collection":"{class_a}"}`, learnerIn(""), "403 403 403 403 201 201 403 403 403"},
	{"POST", "/api/auth/membership/", `{"user":"{target}","collection":"{group_a}"}`, learnerIn("class_a"), "403 403 201 201 201 201 403 403 403"},
	{"POST", "/api/auth/membership/", `[{"user":"{target}","collection":"{group_a}"}]`, learnerIn("class_a"), "403 403 201 201 201 201 403 403 403"},
	{"POST", "/api/auth/membership/", `{"user":"{target}","collection":"{group_b}"}`, learnerIn("class_b"), "403 403 403 201 201 201 403 403 403"},
	{"POST", "/api/auth/membership/", `{"user":"{target}","collection":"{group_a}"}`, learnerIn("class_b"), "403 403 403 403 400 400 403 403 403"},
	{"POST", "/api/auth/membership/", `{"user":"{other_learner}","collection":"{class_a}"}`, nil, "403 403 403 403 403 403 403 403 403"},
	{"DELETE", "/api/auth/membership/{target}/", "", membershipIn("class_a", ""), "403 403 403 403 204 204 403 403 403"},
	{"DELETE", "/api/auth/membership/{target}/", "", membershipIn("class_a", "group_a"), "403 403 204 204 204 204 403 403 403"},
	{"DELETE", "/api/auth/membership/{target}/", "", membershipIn("class_b", "group_b"), "403 403 403 204 204 204 403 403 403"},
	{"DELETE", "/api/auth/membership/?by_ids={target}", "", membershipIn("class_a", "group_a"), "403 403 204 204 204 204 403 403 403"},
	{"DELETE", "/api/auth/membership/?by_ids={target}", "", membershipIn("class_b", "group_b"), "403 403 403 204 204 204 403 403 403"},
}

func TestPermissionLadder(t *testing.T) { climb(t, servertest.NewWorld(t)) }

func climb(t *testing.T, w *servertest.World) {
	browsers := map[string]*servertest.Client{}
	for _, actor := range actors {
		browsers[actor] = w.As(t, actor)
	}
	for _, a := range attempts {
		t.Run(a.method+" "+a.path+" "+a.body, func(t *testing.T) {
			for i, want := range strings.Fields(a.status) {
				if want == "skip" { // what would end the world is tested by itself
					continue
				}
				w.IDs["actor"] = actors[i]
				if a.make != nil {
					require.NoError(t, w.DB.Write(context.Background(), func(tx *store.Tx) (err error) {
						w.IDs["target"], err = a.make(w, tx)
						return err
					}))
				}
				var body any
				if a.body != "" {
					body = w.Path(a.body)
				}
				got := browsers[actors[i]].Do(a.method, w.Path(a.path), body)
				require.Equal(t, want, fmt.Sprint(got.Status), "%s: %s", actors[i], got.Text)
				if got.Status == http.StatusForbidden {
					id := "PERMISSION_DENIED"
					if actors[i] == "anonymous" && !strings.HasSuffix(a.path, "/resetsettings/") { // who asks for that is not asked to sign in
						id = "NOT_AUTHENTICATED"
					}
					require.Equal(t, id, got.Field("0", "id"), actors[i])
				}
			}
		})
	}
}

func TestListsShowWhatSomebodyMayRead(t *testing.T) { lists(t, servertest.NewWorld(t)) }

func lists(t *testing.T, w *servertest.World) {
	for _, tc := range []struct {
		path string
		//      anonymous, learner, classcoach, coach, admin, superuser; learner, coach, admin from elsewhere
		rows string
	}{
		{"/api/auth/facility/", "2 2 2 2 2 2 2 2 2"},
		{"/api/public/v1/facility/", "2 2 2 2 2 2 2 2 2"},
		{"/api/auth/facilitydataset/", "2 2 2 2 2 2 2 2 2"},
		{"/api/auth/facilitydataset/?facility_id={facility}", "1 1 1 1 1 1 1 1 1"},
		{"/api/auth/classroom/", "0 0 1 2 2 3 0 1 1"},
		{"/api/auth/classroom/?role=coach", "0 0 1 2 2 3 0 1 1"},
		{"/api/auth/classroom/?parent={facility}", "0 0 1 2 2 2 0 0 0"},
		{"/api/auth/learnergroup/", "0 0 1 2 2 2 0 0 0"},
		{"/api/auth/learnergroup/?parent={class_b}", "0 0 0 1 1 1 0 0 0"},
		{"/api/auth/membership/", "0 2 3 5 5 6 1 1 1"},
		{"/api/auth/membership/?user={learner3}", "0 0 0 2 2 2 0 0 0"},
		{"/api/auth/membership/?user_ids={learner},{learner3}", "0 2 2 4 4 4 0 0 0"},
		{"/api/auth/role/", "0 0 2 5 5 7 0 2 2"},
		{"/api/auth/role/?kind=admin", "0 0 0 2 2 3 0 1 1"},
	} {
		t.Run(tc.path, func(t *testing.T) {
			for i, want := range strings.Fields(tc.rows) {
				got := w.As(t, actors[i]).Get(w.Path(tc.path))
				require.Equal(t, http.StatusOK, got.Status, got.Text)
				require.Len(t, got.JSON, int(want[0]-'0'), "%s: %s", actors[i], got.Text)
			}
		})
	}
}

// The engine's answers for what has no route here: logs, and users as targets of roles.
func TestEngine(t *testing.T) {
	w := servertest.NewWorld(t)
	require.NoError(t, w.DB.Read(context.Background(), func(tx *store.Tx) error {
		person := func(name string) *auth.Person {
			p, err := auth.LoadPerson(tx, w.IDs[name])
			require.NoError(t, err)
			return p
		}
		for _, tc := range []struct {
			actor string
			do    auth.Action
			model *auth.Model
			on    auth.Object
			want  bool
		}{
			{"anonymous", auth.Create, auth.Logs, auth.Object{}, true},
			{"anonymous", auth.Update, auth.Logs, auth.Object{}, true},
			{"anonymous", auth.Delete, auth.Logs, auth.Object{UserID: w.IDs["learner"]}, false},
			{"learner", auth.Create, auth.Logs, auth.Object{UserID: w.IDs["learner"]}, true},
			{"learner", auth.Read, auth.Logs, auth.Object{UserID: w.IDs["learner2"]}, false},
			{"classcoach", auth.Read, auth.Logs, auth.Object{UserID: w.IDs["learner2"]}, true},
			{"classcoach", auth.Update, auth.Logs, auth.Object{UserID: w.IDs["learner2"]}, false},
			{"classcoach", auth.Read, auth.Logs, auth.Object{UserID: w.IDs["learner3"]}, false},
			{"coach", auth.Read, auth.Logs, auth.Object{UserID: w.IDs["learner3"]}, true},
			{"coach", auth.Read, auth.Logs, auth.Object{UserID: w.IDs["other_learner"]}, false},
			{"admin", auth.Delete, auth.Logs, auth.Object{UserID: w.IDs["learner3"]}, true},
			{"superuser", auth.Delete, auth.Logs, auth.Object{UserID: w.IDs["other_learner"]}, true},
			{"superuser", auth.Delete, auth.Users, auth.Object{ID: w.IDs["superuser"]}, false},
			{"superuser", auth.Delete, auth.Users, auth.Object{ID: w.IDs["admin"]}, true},
			{"learner", auth.Update, auth.Users, auth.Object{ID: w.IDs["learner"], DatasetID: w.IDs["dataset"]}, true},
			{"learner", auth.Delete, auth.Users, auth.Object{ID: w.IDs["learner"], DatasetID: w.IDs["dataset"]}, false},
			{"classcoach", auth.Read, auth.Users, auth.Object{ID: w.IDs["learner"], DatasetID: w.IDs["dataset"]}, true},
			{"classcoach", auth.Update, auth.Users, auth.Object{ID: w.IDs["learner"], DatasetID: w.IDs["dataset"]}, false},
			{"admin", auth.Create, auth.Users, auth.Object{DatasetID: w.IDs["dataset"]}, true},
			{"admin", auth.Create, auth.Users, auth.Object{DatasetID: w.IDs["other_dataset"]}, false},
		} {
			got, err := person(tc.actor).Can(tx, tc.do, tc.model, tc.on)
			require.NoError(t, err)
			require.Equal(t, tc.want, got, "%s %d %s %+v", tc.actor, tc.do, tc.model.Name, tc.on)
		}

		for name, users := range map[string]int{"anonymous": 0, "loner": 1, "learner": 1, "classcoach": 3, "coach": 8, "admin": 8, "superuser": 11, "other_admin": 3} {
			where, args := person(name).Readable(auth.Users, "u")
			n, err := tx.Int("SELECT count(*) FROM kolibriauth_facilityuser u WHERE "+where, args...)
			require.NoError(t, err)
			require.EqualValues(t, users, n, name)
		}
		return nil
	}))
}
