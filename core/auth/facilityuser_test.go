package auth_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/server/servertest"
	"kolibri/store"
)

const users = "/api/auth/facilityuser/"

// names are the usernames of a list, in its order.
func names(a *servertest.Answer) []string {
	list, ok := a.JSON.([]any)
	if !ok {
		list, _ = a.Field("results").([]any)
	}
	out := []string{}
	for _, u := range list {
		out = append(out, u.(obj)["username"].(string))
	}
	return out
}

var all = []string{"admin", "classcoach", "coach", "learner", "learner2", "learner3", "loner", "superuser"}

func TestWhoReadsUsers(t *testing.T) {
	w := servertest.NewWorld(t)
	for name, sees := range map[string][]string{
		"anonymous": {}, "learner": {"learner"}, "classcoach": {"classcoach", "learner", "learner2"}, "coach": all, "admin": all,
		"superuser": append(append([]string{}, all[:7]...), "other_admin", "other_coach", "other_learner", "superuser"), "other_admin": {"other_admin", "other_coach", "other_learner"},
	} {
		c := w.As(t, name)
		require.Equal(t, sees, names(c.Get(users)), name)
		for _, who := range []string{"learner", "learner3"} {
			status := 404
			for _, s := range sees {
				if s == who {
					status = 200
				}
			}
			require.Equal(t, status, c.Get(users+w.IDs[who]+"/").Status, name)
		}
	}
}

func TestWhoWritesUsers(t *testing.T) { whoWritesUsers(t, servertest.NewWorld(t)) }

func whoWritesUsers(t *testing.T, w *servertest.World) {
	for _, tc := range []struct {
		who                                        string
		create, change, changeSelf, delete, rename int
	}{
		{"anonymous", 403, 403, 0, 403, 403}, {"learner", 403, 403, 200, 403, 403}, {"classcoach", 403, 403, 200, 403, 403},
		{"coach", 403, 403, 200, 403, 403}, {"other_admin", 403, 403, 200, 403, 403}, {"admin", 201, 200, 200, 204, 200}, {"superuser", 201, 200, 200, 204, 200},
	} {
		t.Run(tc.who, func(t *testing.T) {
			c := w.As(t, tc.who)
			made := c.Post(users, obj{"username": "by_" + tc.who, "password": "x", "facility": w.IDs["facility"]})
			require.Equal(t, tc.create, made.Status, made.Text)
			require.Equal(t, tc.change, c.Patch(w.Path(users+"{learner3}/"), obj{"full_name": "Changed"}).Status)
			require.Equal(t, tc.rename, c.Put(w.Path(users+"{learner3}/"), obj{"username": "learner3", "password": "x"}).Status)
			if tc.changeSelf != 0 {
				require.Equal(t, tc.changeSelf, c.Patch(users+w.IDs[tc.who]+"/", obj{"full_name": "Myself"}).Status)
				require.Equal(t, 403, c.Delete(users+w.IDs[tc.who]+"/").Status, "nobody deletes himself")
				require.Equal(t, 403, c.Delete(users+"?by_ids="+w.IDs[tc.who]).Status)
			}
			id, _ := made.Field("id").(string)
			if id == "" {
				id = w.IDs["loner"]
			}
			a := c.Delete(users + id + "/")
			require.Equal(t, tc.delete, a.Status)
			if tc.delete == 403 {
				want := "PERMISSION_DENIED"
				if tc.who == "anonymous" {
					want = "NOT_AUTHENTICATED"
				}
				require.Equal(t, want, a.Field("0", "id"))
				require.Equal(t, 204, c.Delete(users+"?by_ids="+w.IDs["loner"]).Status)
				require.Equal(t, 1, scalar[int](t, w, "SELECT count(*) FROM kolibriauth_facilityuser WHERE username = 'loner' AND date_deleted IS NULL"), "passed over")
			}
		})
	}
}

func TestNamesInEveryScriptAndCase(t *testing.T) { namesInEveryScript(t, servertest.NewWorld(t)) }

func namesInEveryScript(t *testing.T, w *servertest.World) {
	c := w.As(t, "admin")
	post := func(name string) *servertest.Answer {
		return c.Post(users, obj{"username": name, "full_name": name, "password": "pass-word1", "facility": w.IDs["facility"]})
	}
	for _, tc := range []struct{ name, same string }{
		{"Anna", "aNNA"}, {"élève", "ÉLÈVE"}, {"Учень", "уЧЕНЬ"}, {"Ολγα", "ΟΛΓΑ"}, {"ԱՆԻ", "անի"}, {"ⴀⴁ", "ႠႡ"},
		{"öğrenci", "ÖĞRENCI"}, {"طالب", "طالب"}, {"学生", "学生"}, {"विद्यार्थी", "विद्यार्थी"}, {"ꮳꮃꭹ", "ᏣᎳᎩ"}, {"😀", "😀"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			made := post(tc.name)
			require.Equal(t, 201, made.Status, made.Text)
			require.Equal(t, tc.name, made.Field("username"))
			again := post(tc.same)
			require.Equal(t, 400, again.Status)
			require.JSONEq(t, `[{"id":"USERNAME_ALREADY_EXISTS","metadata":{"field":"non_field_errors","message":"An account with that username already exists."}}]`, again.Text)
			free := c.Post("/api/auth/usernameavailable", obj{"username": tc.same, "facility": w.IDs["facility"]})
			require.Equal(t, 400, free.Status)
			require.Equal(t, "USERNAME_ALREADY_EXISTS", free.Field("0", "id"))
			in := w.As(t, "anonymous").Post(session, obj{"username": tc.same, "password": "pass-word1"})
			require.Equal(t, 200, in.Status, in.Text)
			require.Equal(t, tc.name, in.Field("username"))
			require.Equal(t, []string{tc.name}, names(c.Get(users+"?search="+url.QueryEscape(tc.same))))
			other := c.Patch(w.Path(users+"{loner}/"), obj{"username": tc.same})
			require.Equal(t, 400, other.Status, "a change is looked at too")
			require.Equal(t, 200, c.Patch(users+made.Field("id").(string)+"/", obj{"username": tc.same}).Status, "one's own name is free")
		})
	}
	require.Equal(t, 201, w.As(t, "other_admin").Post(users, obj{"username": "Anna", "password": "x", "facility": w.IDs["other_facility"]}).Status, "in another facility")
}

func TestWhatIsWrongWithANewUser(t *testing.T) {
	w := servertest.NewWorld(t)
	c := w.As(t, "admin")
	f := w.IDs["facility"]
	good := func(change obj) obj {
		body := obj{"username": "new", "password": "pass-word1", "facility": f}
		for k, v := range change {
			body[k] = v
		}
		return body
	}
	for _, tc := range []struct {
		name   string
		body   any
		ids    []string
		fields []string
	}{
		{"nothing", obj{}, []string{"REQUIRED", "REQUIRED"}, []string{"username", "password"}},
		{"a list", []any{}, []string{"INVALID"}, []string{"non_field_errors"}},
		{"null", "null", []string{"NULL"}, []string{"non_field_errors"}},
		{"a blank name", good(obj{"username": " "}), []string{"BLANK"}, []string{"username"}},
		{"null everywhere", good(obj{"username": nil, "full_name": nil, "password": nil, "facility": nil}), []string{"NULL", "NULL", "NULL", "NULL"}, []string{"username", "full_name", "password", "facility"}},
		{"wrong types", good(obj{"username": []any{}, "full_name": true, "facility": 5, "gender": obj{}}), []string{"INVALID", "INVALID", "INCORRECT_TYPE", "INVALID_CHOICE"}, []string{"username", "full_name", "facility", "gender"}},
		{"a name too long", good(obj{"username": strings.Repeat("é", 31)}), []string{"MAX_LENGTH"}, []string{"username"}},
		{"a full name too long", good(obj{"full_name": strings.Repeat("é", 121)}), []string{"MAX_LENGTH"}, []string{"full_name"}},
		{"a password too long", good(obj{"password": strings.Repeat("é", 129)}), []string{"MAX_LENGTH"}, []string{"password"}},
		{"a null character", good(obj{"full_name": "a\x00b"}), []string{"NULL_CHARACTERS_NOT_ALLOWED"}, []string{"full_name"}},
		{"an unknown facility", good(obj{"facility": strings.Repeat("0", 32)}), []string{"DOES_NOT_EXIST"}, []string{"facility"}},
		{"a class for a facility", good(obj{"facility": w.IDs["class_a"]}), []string{"DOES_NOT_EXIST"}, []string{"facility"}},
		{"a facility that is no id", good(obj{"facility": "nope"}), []string{"INCORRECT_TYPE"}, []string{"facility"}},
		{"a year before time", good(obj{"birth_year": "1899"}), []string{"INVALID"}, []string{"birth_year"}},
		{"a year after time", good(obj{"birth_year": 3001}), []string{"INVALID"}, []string{"birth_year"}},
		{"a year in words", good(obj{"birth_year": "young"}), []string{"INVALID"}, []string{"birth_year"}},
		{"no password where one is needed", good(obj{"password": "NOT_SPECIFIED"}), []string{"PASSWORD_NOT_SPECIFIED"}, []string{"non_field_errors"}},
		{"a name that is taken", good(obj{"username": "LEARNER"}), []string{"USERNAME_ALREADY_EXISTS"}, []string{"non_field_errors"}},
		{"answers to no questions", good(obj{"extra_demographics": obj{"q": "a"}}), []string{"INVALID"}, []string{"extra_demographics"}},
		{"answers that are none", good(obj{"extra_demographics": 7}), []string{"INVALID"}, []string{"extra_demographics"}},
		{"ten megabytes", good(obj{"full_name": strings.Repeat("a", 10<<20)}), []string{"MAX_LENGTH"}, []string{"full_name"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Post(users, tc.body)
			require.Equal(t, 400, a.Status, a.Text)
			ids, fields := []string{}, []string{}
			for _, e := range a.JSON.([]any) {
				ids = append(ids, e.(obj)["id"].(string))
				fields = append(fields, e.(obj)["metadata"].(obj)["field"].(string))
			}
			require.Equal(t, tc.ids, ids, a.Text)
			require.Equal(t, tc.fields, fields)
		})
	}
	require.Equal(t, 400, c.Post(users, `{"username": "x`).Status)
	require.Equal(t, 413, c.Post(users, strings.Repeat(" ", 33<<20)).Status)
	require.Equal(t, 405, c.Put(users, obj{}).Status)
	require.Equal(t, 405, c.Patch(users, obj{}).Status)
	require.Equal(t, 405, c.Post(users+w.IDs["learner"]+"/", obj{}).Status)
	for _, id := range []string{"nope", strings.Repeat("0", 32), "%00", "😀"} {
		require.Equal(t, 404, c.Get(users+id+"/").Status, id)
		require.Equal(t, 404, c.Patch(users+id+"/", obj{}).Status, id)
		require.Equal(t, 404, c.Delete(users+id+"/").Status, id)
	}
}

func TestDemographicsFitTheFacilitysQuestions(t *testing.T) {
	w := servertest.NewWorld(t)
	exec(t, w, `UPDATE kolibriauth_facilitydataset SET extra_fields = '{"demographic_fields":[{"id":"q","description":"?","enumValues":[{"value":"a"},{"value":"b"}]}]}' WHERE id = ?`, w.IDs["dataset"])
	c := w.As(t, "admin")
	for value, status := range map[string]int{"a": 200, "b": 200, "c": 400} {
		require.Equal(t, status, c.Patch(w.Path(users+"{learner}/"), obj{"extra_demographics": obj{"q": value}}).Status)
	}
	require.Equal(t, 200, c.Patch(w.Path(users+"{learner}/"), obj{"extra_demographics": obj{"q": "a", "more": 1}}).Status)
	require.Equal(t, obj{"q": "a", "more": 1.0}, c.Get(w.Path(users+"{learner}/")).Field("extra_demographics"))
	require.Equal(t, 400, c.Patch(w.Path(users+"{learner}/"), obj{"extra_demographics": obj{"q": 1}}).Status)
	require.Equal(t, 400, c.Patch(w.Path(users+"{learner}/"), obj{"extra_demographics": nil}).Status)
}

func TestANewUserIsARecordOfMorango(t *testing.T) {
	w := servertest.NewWorld(t)
	c := w.As(t, "admin")
	made := c.Post(users, obj{"username": "new", "password": "pass-word1", "facility": w.IDs["facility"]})
	require.Equal(t, 201, made.Status)
	id := made.Field("id").(string)
	source := scalar[string](t, w, "SELECT _morango_source_id FROM kolibriauth_facilityuser WHERE id = ?", id)
	require.Len(t, source, 32)
	require.Equal(t, morango.UUID(w.IDs["dataset"]+":user-ro:${id}", source, "facilityuser"), id)
	require.Equal(t, w.IDs["dataset"]+":user-ro:"+id, scalar[string](t, w, "SELECT _morango_partition FROM kolibriauth_facilityuser WHERE id = ?", id))
	dirty := func() bool {
		d := scalar[bool](t, w, "SELECT _morango_dirty_bit FROM kolibriauth_facilityuser WHERE id = ?", id)
		exec(t, w, "UPDATE kolibriauth_facilityuser SET _morango_dirty_bit = FALSE WHERE id = ?", id)
		return d
	}
	require.True(t, dirty())
	require.False(t, dirty())
	c.Patch(users+id+"/", obj{"full_name": "x"})
	require.True(t, dirty())
	c.Delete(users + id + "/")
	require.True(t, dirty(), "a soft deletion is an edit")
	require.Zero(t, scalar[int](t, w, "SELECT count(*) FROM morango_deletedmodels"))
	c.Post("/api/auth/deletedfacilityuser/restore/?by_ids="+id, nil)
	require.True(t, dirty())
	c.Delete(users + id + "/")
	require.Equal(t, 204, c.Delete("/api/auth/deletedfacilityuser/"+id+"/").Status)
	require.Equal(t, id, scalar[string](t, w, "SELECT id FROM morango_deletedmodels"))
	require.Zero(t, scalar[int](t, w, "SELECT count(*) FROM morango_harddeletedmodels"))
}

func TestListsOfUsers(t *testing.T) { listsOfUsers(t, servertest.NewWorld(t)) }

func listsOfUsers(t *testing.T, w *servertest.World) {
	exec(t, w, "UPDATE kolibriauth_facilityuser SET full_name = 'ÉVA 100%_\\' WHERE username = 'loner'")
	c := w.As(t, "admin")
	for query, want := range map[string]string{
		"member_of={facility}":                     strings.Join(all, ","),
		"member_of={class_a}":                      "learner,learner2",
		"member_of={group_a}":                      "learner",
		"exclude_member_of={class_a}":              "admin,classcoach,coach,learner3,loner,superuser",
		"related_to__in={class_a},{class_b}":       "classcoach,learner,learner2,learner3",
		"user_type=learner":                        "learner,learner2,learner3,loner",
		"user_type=coach":                          "classcoach,coach",
		"user_type=superuser":                      "superuser",
		"user_type__in=admin,superuser":            "admin,superuser",
		"user_type__in=learner,admin":              "admin,learner,learner2,learner3,loner,superuser",
		"exclude_user_type=learner":                "admin,classcoach,coach,superuser",
		"exclude_user_type=superuser":              "admin,classcoach,coach,learner,learner2,learner3,loner",
		"exclude_user_type=coach":                  "admin,learner,learner2,learner3,loner,superuser",
		"exclude_coach_for={class_a}":              "admin,coach,learner,learner2,learner3,loner,superuser",
		"by_ids={learner},{loner}":                 "learner,loner",
		"by_ids={other_learner}":                   "",
		"birth_year_gte=2012":                      "learner",
		"birth_year_lte=2011&birth_year_gte=2000":  "learner2",
		"date_joined__gte=2020-01-01":              strings.Join(all, ","),
		"date_joined__lte=2020-01-01T00:00:00Z":    "",
		"search=LEARNER":                           "learner,learner2,learner3",
		"search=learner,lin":                       "learner3",
		"search=éva":                               "loner",
		"search=%25":                               "loner",
		"search=100%25_%5C":                        "loner",
		"search=_":                                 "loner",
		"search=%27+OR+1=1":                        "",
		"ordering=-username":                       "superuser,loner,learner3,learner2,learner,coach,classcoach,admin",
		"ordering=full_name&user_type=learner":     "learner,learner2,learner3,loner",
		"ordering=birth_year&birth_year_gte=2000":  "learner2,learner",
		"page_size=3":                              "admin,classcoach,coach",
		"page_size=3&page=3":                       "loner,superuser",
		"page_size=3&page=last":                    "loner,superuser",
		"page_size=2&ordering=-username":           "superuser,loner",
		"page_size=2&member_of={facility}&search=": "admin,classcoach",
		"page_size=0":                              strings.Join(all, ","),
		"page_size=many":                           strings.Join(all, ","),
	} {
		path := users + "?" + w.Path(strings.ReplaceAll(query, "é", "%C3%A9"))
		a := c.Get(path)
		require.Equal(t, 200, a.Status, "%s: %s", query, a.Text)
		require.Equal(t, want, strings.Join(names(a), ","), query)
	}
	page := c.Get(users + "?page_size=3&page=2")
	require.Equal(t, []any{2.0, 8.0, 3.0}, []any{page.Field("page"), page.Field("count"), page.Field("total_pages")})
	roles := c.Get(w.Path(users+"?related_to__in={class_a}&user_type=coach")).Field("0", "roles").([]any)
	require.Len(t, roles, 1, "of the roles those that were asked for")
	for query, status := range map[string]int{
		"member_of=nope": 400, "member_of=" + strings.Repeat("0", 32): 400, "related_to__in={class_a},nope": 400, "user_type=bogus": 400,
		"user_type__in=admin,bogus": 400, "by_ids=bad": 400, "date_joined__gte=yesterday": 400, "ordering=password": 400,
		"ordering=username,full_name": 400, "page_size=3&page=4": 404, "page_size=3&page=0": 404, "page_size=3&page=x": 404,
		"search=" + strings.Repeat("a,", 5000): 200, "by_ids=" + strings.Repeat(w.IDs["learner"]+",", 2000) + w.IDs["learner"]: 200,
	} {
		require.Equal(t, status, c.Get(users+"?"+w.Path(query)).Status, "%.60s", query)
	}
}

func TestDeletedUsers(t *testing.T) { deletedUsers(t, servertest.NewWorld(t)) }

func deletedUsers(t *testing.T, w *servertest.World) {
	const deleted = "/api/auth/deletedfacilityuser/"
	admin := w.As(t, "admin")
	require.Equal(t, 400, admin.Delete(users).Status)
	require.Equal(t, 204, admin.Delete(users+"?user_type=learner").Status)
	require.Equal(t, []string{"admin", "classcoach", "coach", "superuser"}, names(admin.Get(users)))
	learners := func() any { return admin.Get(w.Path("/api/auth/classroom/{class_a}/")).Field("learner_count") }
	require.Equal(t, 0.0, learners())
	require.Equal(t, 204, w.As(t, "superuser").Delete(w.Path(users+"?by_ids={other_learner}")).Status)
	for name, sees := range map[string]int{"anonymous": 0, "learner": 0, "classcoach": 2, "coach": 4, "admin": 4, "superuser": 5, "other_admin": 1} {
		require.Len(t, w.As(t, name).Get(deleted).JSON, sees, name)
	}
	one := admin.Get(w.Path(deleted + "{learner}/"))
	require.Equal(t, 200, one.Status)
	require.NotEmpty(t, one.Field("date_deleted"))
	require.Equal(t, 404, admin.Get(w.Path(deleted+"{coach}/")).Status)
	require.Equal(t, 404, admin.Delete(w.Path(deleted+"{coach}/")).Status)
	require.Equal(t, 403, w.As(t, "coach").Delete(w.Path(deleted+"{learner}/")).Status)
	require.Equal(t, 204, w.As(t, "coach").Delete(w.Path(deleted+"?by_ids={learner}")).Status)
	require.Equal(t, 200, admin.Get(w.Path(deleted+"{learner}/")).Status, "passed over")

	require.Equal(t, 400, admin.Post(deleted+"restore/", nil).Status)
	require.Equal(t, 404, w.As(t, "anonymous").Post(w.Path(deleted+"restore/?by_ids={learner}"), nil).Status)
	require.Equal(t, 204, admin.Post(w.Path(deleted+"restore/?by_ids={learner}"), nil).Status)
	require.Equal(t, 404, admin.Post(w.Path(deleted+"restore/?by_ids={learner}"), nil).Status)
	require.Equal(t, 1.0, learners())
	require.Equal(t, 200, w.As(t, "anonymous").Post(session, obj{"username": "learner", "password": servertest.Password}).Status)

	roles := scalar[int](t, w, "SELECT count(*) FROM kolibriauth_membership WHERE user_id = ?", w.IDs["learner3"])
	require.Equal(t, 2, roles)
	require.Equal(t, 204, admin.Delete(w.Path(deleted+"?by_ids={learner3},{loner},{other_learner}")).Status)
	require.Zero(t, scalar[int](t, w, "SELECT count(*) FROM kolibriauth_facilityuser WHERE username IN ('learner3', 'loner')"))
	require.Zero(t, scalar[int](t, w, "SELECT count(*) FROM kolibriauth_membership WHERE user_id = ?", w.IDs["learner3"]))
	require.Equal(t, 4, scalar[int](t, w, "SELECT count(*) FROM morango_deletedmodels"), "two users and two memberships")
	require.Equal(t, 1, scalar[int](t, w, "SELECT count(*) FROM kolibriauth_facilityuser WHERE username = 'other_learner'"))
}

func TestAnImportedUserLeavesWithoutATrace(t *testing.T) {
	importedUserLeaves(t, servertest.NewWorld(t))
}

func importedUserLeaves(t *testing.T, w *servertest.World) {
	c := w.As(t, "admin")
	exec(t, w, `INSERT INTO morango_store (id, serialized, deleted, last_saved_instance, last_saved_counter, model_name, profile, partition, conflicting_serialized_data, _self_ref_fk, dirty_bit, source_id, hard_deleted)
		VALUES (?, '{}', FALSE, '00000000000000000000000000000001', 1, 'facilityuser', 'facilitydata', ?, '', '', FALSE, 's', FALSE)`, w.IDs["learner"], w.Path("{dataset}:user-ro:{learner}"))
	require.Equal(t, 403, w.As(t, "coach").Delete(w.Path("/api/auth/deleteimporteduser/{learner}")).Status)
	require.Equal(t, 404, c.Delete("/api/auth/deleteimporteduser/"+strings.Repeat("0", 32)).Status)
	a := c.Delete(w.Path("/api/auth/deleteimporteduser/{learner}"))
	require.Equal(t, 200, a.Status, a.Text)
	require.Equal(t, obj{"user_id": w.IDs["learner"]}, a.JSON)
	for _, table := range []string{"morango_store", "morango_deletedmodels", "kolibriauth_membership WHERE user_id = '" + w.IDs["learner"] + "'"} {
		require.Zero(t, scalar[int](t, w, "SELECT count(*) FROM "+table), table)
	}
}

func TestAListOfThousands(t *testing.T) {
	w := servertest.NewWorld(t)
	require.NoError(t, w.DB.Write(context.Background(), func(tx *store.Tx) error {
		for i := range 3000 {
			if _, err := tx.Exec(`INSERT INTO kolibriauth_facilityuser SELECT password, last_login, ?, _morango_dirty_bit, _morango_source_id, _morango_partition,
				?, 'Somebody', date_joined, dataset_id, facility_id, '', '', '', NULL, NULL, NULL FROM kolibriauth_facilityuser WHERE username = 'loner'`,
				fmt.Sprintf("%032x", i), fmt.Sprintf("u%d", i)); err != nil {
				return err
			}
		}
		return nil
	}))
	c := w.As(t, "admin")
	require.Len(t, names(c.Get(users)), 3008)
	page := c.Get(users + "?page_size=10&search=SOMEbody&page=300")
	require.Equal(t, 3000.0, page.Field("count"))
	require.Len(t, page.Field("results"), 10)
	require.Equal(t, 200, w.As(t, "anonymous").Post(session, obj{"username": "U2999", "password": servertest.Password}).Status)
}
