package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

// trial is a request and what comes of it.
type trial struct {
	name, actor, method, path, body string
	status                          int
	contains                        string
}

func try(t *testing.T, w *servertest.World, trials []trial) {
	t.Helper()
	for _, tc := range trials {
		t.Run(tc.name, func(t *testing.T) {
			var body any
			if tc.body != "" {
				body = w.Path(tc.body)
			}
			got := w.As(t, tc.actor).Do(tc.method, w.Path(tc.path), body)
			require.Equal(t, tc.status, got.Status, got.Text)
			require.Contains(t, got.Text, w.Path(tc.contains))
		})
	}
}

func TestCollections(t *testing.T) { collections(t, servertest.NewWorld(t)) }

func collections(t *testing.T, w *servertest.World) {
	const classes, groups = "/api/auth/classroom/", "/api/auth/learnergroup/"
	unknown := strings.Repeat("0", 32)
	try(t, w, []trial{
		{"a class shows its learners and coaches", "coach", "GET", classes + "{class_a}/", "", 200, `"learner_count":2,"coaches":[{"id":"{classcoach}","facility":"{facility}","is_superuser":false,"full_name":"Claude Classcoach","username":"classcoach","roles":[{"kind":"classroom assignable coach","collection":"{facility}"`},
		{"a group shows its members", "coach", "GET", groups + "{group_a}/", "", 200, `"user_ids":["{learner}"]`},
		{"a class may be named in any script", "admin", "POST", classes, `{"name":"  الصف ٣ 😀 ","parent":"{facility}"}`, 201, `"name":"الصف ٣ 😀"`},
		{"names are unique among siblings", "admin", "POST", classes, `{"name":"Class A","parent":"{facility}"}`, 400, "UNIQUE"},
		{"in the case they are written in", "admin", "POST", classes, `{"name":"class a","parent":"{facility}"}`, 201, ""},
		{"a rename to a sibling's name is refused", "admin", "PATCH", classes + "{class_a}/", `{"name":"Class B"}`, 400, "UNIQUE"},
		{"a class may keep its name", "admin", "PATCH", classes + "{class_a}/", `{"name":"Class A"}`, 200, ""},
		{"a PUT needs the name", "admin", "PUT", classes + "{class_a}/", `{"parent":"{facility}"}`, 400, "REQUIRED"},
		{"a class is no child of a class", "admin", "POST", classes, `{"name":"x","parent":"{class_a}"}`, 400, `["Invalid collection hierarchy"]`},
		{"a group is no child of a facility", "admin", "POST", groups, `{"name":"x","parent":"{facility}"}`, 400, `["Invalid collection hierarchy"]`},
		{"nothing is without a parent", "superuser", "POST", classes, `{"name":"x"}`, 403, ""},
		{"nor with an empty one", "superuser", "POST", groups, `{"name":"x","parent":null}`, 403, ""},
		{"an unknown parent is named", "admin", "POST", classes, `{"name":"x","parent":"` + unknown + `"}`, 400, `Invalid pk \"` + unknown + `\" - object does not exist.`},
		{"a parent is text", "admin", "POST", classes, `{"name":"x","parent":{}}`, 400, "INCORRECT_TYPE"},
		{"a name is not blank", "admin", "POST", classes, `{"name":" ","parent":"{facility}"}`, 400, "BLANK"},
		{"a name is not null", "admin", "POST", classes, `{"name":null,"parent":"{facility}"}`, 400, "NULL"},
		{"a name is no list", "admin", "POST", classes, `{"name":[],"parent":"{facility}"}`, 400, "INVALID"},
		{"a name has an end", "admin", "POST", classes, `{"name":"` + strings.Repeat("ж", 101) + `","parent":"{facility}"}`, 400, "MAX_LENGTH"},
		{"a body is an object", "admin", "POST", classes, `["x"]`, 400, "Expected a dictionary"},
		{"a body is JSON", "admin", "POST", classes, `{"name":`, 400, "JSON parse error"},
		{"an unknown class", "admin", "GET", classes + unknown + "/", "", 404, "Classroom Instance"},
		{"an id that is none", "admin", "GET", classes + "x/", "", 404, "NOT_FOUND"},
		{"a facility is no class", "admin", "PATCH", classes + "{facility}/", `{"name":"x"}`, 404, "NOT_FOUND"},
		{"a group is no class", "admin", "DELETE", classes + "{group_a}/", "", 404, "NOT_FOUND"},
		{"no filter by a class as a facility", "admin", "GET", classes + "?parent={class_a}", "", 400, "INVALID_CHOICE"},
		{"no filter by nonsense", "admin", "GET", groups + "?parent=x", "", 400, "INVALID_CHOICE"},
		{"a group moves within the facility", "admin", "PATCH", groups + "{group_a}/", `{"parent":"{class_b}"}`, 200, `"parent":"{class_b}"`},
		{"and never to another one", "superuser", "PATCH", groups + "{group_a}/", `{"parent":"{other_class}"}`, 400, "Invalid collection hierarchy"},
		{"nor does a class", "superuser", "PATCH", classes + "{class_a}/", `{"parent":"{other_facility}"}`, 400, "Invalid collection hierarchy"},
		{"a coach moves no group into a class that is not his", "classcoach", "PATCH", groups + "{group_b}/", `{"parent":"{class_a}"}`, 403, ""},
		{"a wrong method", "admin", "POST", classes + "{class_a}/", `{}`, 405, "not allowed"},
	})
}

func TestMembershipsBounds(t *testing.T) { membershipBounds(t, servertest.NewWorld(t)) }

func membershipBounds(t *testing.T, w *servertest.World) {
	const members = "/api/auth/membership/"
	unknown := strings.Repeat("0", 32)
	try(t, w, []trial{
		{"many at once", "admin", "POST", members, `[{"user":"{loner}","collection":"{class_a}"},{"user":"{loner}","collection":"{class_b}"}]`, 201, `"user":"{loner}"`},
		{"those that are there are passed over", "admin", "POST", members, `[{"user":"{loner}","collection":"{class_a}"},{"user":"{learner3}","collection":"{class_a}"}]`, 201, `"user":"{learner3}"`},
		{"a single one that is there is refused", "admin", "POST", members, `{"user":"{loner}","collection":"{class_a}"}`, 400, "UNIQUE"},
		{"none at once", "admin", "POST", members, `[]`, 201, `[]`},
		{"all or none", "admin", "POST", members, `[{"user":"{learner2}","collection":"{class_b}"},{"user":"` + unknown + `","collection":"{class_b}"}]`, 400, "DOES_NOT_EXIST"},
		{"none was made", "admin", "GET", members + "?user={learner2}&collection={class_b}", "", 200, `[]`},
		{"no members of facilities", "admin", "POST", members, `{"user":"{learner2}","collection":"{facility}"}`, 400, `["Invalid membership"]`},
		{"no members of facilities at once", "admin", "POST", members, `[{"user":"{learner2}","collection":"{facility}"}]`, 400, "non_field_errors"},
		{"a group's members are in its class", "admin", "POST", members, `{"user":"{learner2}","collection":"{group_b}"}`, 400, `["Invalid membership"]`},
		{"a group's members at once too", "admin", "POST", members, `[{"user":"{learner2}","collection":"{group_b}"}]`, 400, "not a member of the parent Classroom"},
		{"an element that is no object", "admin", "POST", members, `["x"]`, 400, "Expected a dictionary"},
		{"ids of the wrong type", "admin", "POST", members, `{"user":5,"collection":["x"]}`, 400, "INCORRECT_TYPE"},
		{"everything is missing", "anonymous", "POST", members, `{}`, 400, "REQUIRED"},
		{"nobody deletes all", "superuser", "DELETE", members, "", 400, ""},
		{"nor all by a parameter that is none", "superuser", "DELETE", members + "?x=1", "", 400, ""},
		{"filters are checked", "superuser", "DELETE", members + "?user=x", "", 400, "INVALID_CHOICE"},
	})
	got := w.As(t, "superuser").Get(w.Path(members + "?user={learner2}"))
	w.IDs["mem"] = got.Field("0", "id").(string)
	try(t, w, []trial{
		{"a superuser may put what is there", "superuser", "PUT", members + "{mem}/", `{"user":"{learner2}","collection":"{class_a}"}`, 200, "{mem}"},
		{"and nothing else", "superuser", "PATCH", members + "{mem}/", `{"collection":"{class_b}"}`, 400, "INVALID"},
		{"leaving the class", "admin", "DELETE", members + "?user={learner}&collection={class_a}", "", 204, ""},
		{"is leaving its groups", "admin", "GET", members + "?user={learner}", "", 200, "[]"},
	})
}

func TestRolesBounds(t *testing.T) { roleBounds(t, servertest.NewWorld(t)) }

func roleBounds(t *testing.T, w *servertest.World) {
	const roles = "/api/auth/role/"
	try(t, w, []trial{
		{"a class's coach is the facility's too", "admin", "POST", roles, `{"user":"{loner}","collection":"{class_a}","kind":"coach"}`, 201, `"kind":"coach"`},
		{"by a role that lets him coach classes", "admin", "GET", roles + "?user={loner}&collection={facility}", "", 200, "classroom assignable coach"},
		{"the admin stays what he is", "admin", "POST", roles, `[{"user":"{admin}","collection":"{class_a}","kind":"coach"},{"user":"{learner2}","collection":"{class_b}","kind":"coach"}]`, 201, "{learner2}"},
		{"and is no assignable coach", "admin", "GET", roles + "?user={admin}&kind=classroom%20assignable%20coach", "", 200, "[]"},
		{"who comes with others is", "admin", "GET", roles + "?user={learner2}&collection={facility}", "", 200, "classroom assignable coach"},
		{"once is enough", "admin", "POST", roles, `{"user":"{loner}","collection":"{class_a}","kind":"coach"}`, 400, "UNIQUE"},
		{"a class has no admin", "admin", "POST", roles, `{"user":"{learner}","collection":"{class_a}","kind":"admin"}`, 400, "Invalid role kind"},
		{"a class has no admin, at once", "admin", "POST", roles, `[{"user":"{learner}","collection":"{class_a}","kind":"admin"}]`, 400, "non_field_errors"},
		{"a group has no roles", "admin", "POST", roles, `{"user":"{learner}","collection":"{group_a}","kind":"coach"}`, 400, "Invalid role kind"},
		{"an unknown kind", "admin", "POST", roles, `{"user":"{learner}","collection":"{class_a}","kind":"king"}`, 400, "INVALID_CHOICE"},
		{"a filter by an unknown kind", "admin", "GET", roles + "?kind=king", "", 400, "king is not one of the available choices"},
		{"who stops being assignable", "admin", "DELETE", roles + "?user={classcoach}&collection={facility}", "", 204, ""},
		{"has no class any more", "admin", "GET", roles + "?user={classcoach}", "", 200, "[]"},
	})
	require.Equal(t, http.StatusOK, w.As(t, "loner").Get(w.Path("/api/auth/classroom/{class_a}/")).Status, "the new coach sees his class")
	require.Equal(t, http.StatusNotFound, w.As(t, "classcoach").Get(w.Path("/api/auth/classroom/{class_a}/")).Status, "the old one does not")
}
