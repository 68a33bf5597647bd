package courses_test

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/logger"
	"kolibri/morango"
	"kolibri/server/servertest"
)

const courses = "/api/courses/coursesession/"

var id = servertest.ID

// world has a course of two units, the first of two lessons, and a course that is not on the device.
func world(t *testing.T, w *servertest.World) *servertest.World {
	lesson := func(title string, resources ...string) servertest.Node {
		n := servertest.Node{Title: title, Kind: "topic", Modality: "LESSON"}
		for _, r := range resources {
			n.Children = append(n.Children, servertest.Node{Title: r, Kind: "video"})
		}
		return n
	}
	unit := func(title string, lessons ...servertest.Node) servertest.Node {
		return servertest.Node{Title: title, Kind: "topic", Modality: "UNIT", Children: lessons}
	}
	(&servertest.School{Server: w.Server}).Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Water", Kind: "topic", Modality: "COURSE", Description: "All of it", Children: []servertest.Node{
			unit("Rivers", lesson("Springs", "Well", "Source"), lesson("Mouths", "Delta")), unit("Seas", lesson("Tides", "Ebb"))}},
		{Title: "Fire", Kind: "topic", Modality: "COURSE", Hidden: true, Children: []servertest.Node{unit("Flames")}},
	}})
	return w
}

// session is a body; changes are pairs of field and value, and nil takes a field away.
func session(w *servertest.World, changes ...any) map[string]any {
	body := map[string]any{"course": id("Water"), "collection": w.IDs["class_a"], "assignments": []string{w.IDs["class_a"]}, "learner_ids": []string{}, "active": true}
	return servertest.With(body, changes...)
}

func made(t *testing.T, w *servertest.World, changes ...any) string {
	t.Helper()
	a := w.As(t, "superuser").Post(courses, session(w, changes...))
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	return a.Field("id").(string)
}

func TestWhoGivesCourses(t *testing.T) { ladder(t, world(t, servertest.NewWorld(t))) }

func ladder(t *testing.T, w *servertest.World) {
	elsewhere := made(t, w, "collection", w.IDs["class_b"], "assignments", []string{w.IDs["group_b"]})
	for _, tc := range []struct {
		who                             string
		create, inB                     int
		list                            int
		read, active, last, change, end int
	}{
		{"anonymous", 403, 403, 0, 404, 404, 404, 403, 403},
		{"loner", 403, 403, 0, 404, 404, 404, 403, 403},
		{"learner", 403, 403, 0, 404, 404, 404, 403, 403},
		{"other_coach", 403, 403, 0, 404, 404, 404, 403, 403},
		{"other_admin", 403, 403, 0, 404, 404, 404, 403, 403},
		{"classcoach", 201, 403, 1, 200, 200, 200, 200, 204},
		{"coach", 201, 201, 2, 200, 200, 200, 200, 204},
		{"admin", 201, 201, 2, 200, 200, 200, 200, 204},
		{"superuser", 201, 201, 2, 200, 200, 200, 200, 204},
	} {
		t.Run(tc.who, func(t *testing.T) {
			one := courses + made(t, w) + "/"
			c := w.As(t, tc.who)
			test := map[string]any{"unit_contentnode_id": id("Rivers"), "test_type": "pre"}
			require.Len(t, c.Get(courses).JSON, tc.list)
			require.Equal(t, tc.read, c.Get(one).Status)
			require.Equal(t, tc.active, c.Get(one+"active_test/").Status)
			require.Equal(t, tc.last, c.Get(one+"last_unit_test/").Status)
			require.Equal(t, tc.change, c.Post(one+"activate_test/", test).Status)
			require.Equal(t, tc.change, c.Post(one+"close_test/", test).Status)
			require.Equal(t, tc.change, c.Patch(one, map[string]any{"active": false}).Status)
			require.Equal(t, tc.change, c.Put(one, session(w)).Status)
			for _, report := range []string{"report/", "lessonprogress/"} {
				status := tc.read
				if status == http.StatusNotFound {
					status = http.StatusForbidden
				}
				require.Equal(t, status, c.Get("/coach/api/coursesession/"+strings.TrimPrefix(one, courses)+"unit/"+id("Rivers")+"/"+report).Status, report)
			}
			require.Equal(t, tc.end, c.Delete(one).Status)
			if tc.end != http.StatusNoContent {
				require.Equal(t, http.StatusNoContent, w.As(t, "superuser").Delete(one).Status)
			}
			mine := c.Post(courses, session(w))
			require.Equal(t, tc.create, mine.Status, mine.Text)
			if mine.Status == http.StatusCreated {
				require.Equal(t, w.IDs[tc.who], mine.Field("created_by"))
				require.Equal(t, http.StatusNoContent, c.Delete(courses+mine.Field("id").(string)+"/").Status)
			}
			other := c.Post(courses, session(w, "collection", w.IDs["class_b"]))
			require.Equal(t, tc.inB, other.Status, other.Text)
			if other.Status == http.StatusCreated {
				require.Equal(t, http.StatusNoContent, c.Delete(courses+other.Field("id").(string)+"/").Status)
			}
			require.Equal(t, tc.inB == 201, c.Get(courses+elsewhere+"/").Status == 200)
		})
	}
}

func TestWhatACourseLooksLike(t *testing.T) { look(t, world(t, servertest.NewWorld(t))) }

func look(t *testing.T, w *servertest.World) {
	c := w.As(t, "coach")
	first := made(t, w, "learner_ids", []string{w.IDs["learner2"]}, "assignments", []string{w.IDs["group_a"]})
	second := made(t, w, "course", id("Fire"), "active", nil, "assignments", nil, "learner_ids", nil)
	a := c.Get(courses + first + "/")
	for field, value := range map[string]any{"title": "Water", "description": "All of it", "course": id("Water"), "active": true, "missing_resource": false,
		"classroom":   map[string]any{"id": w.IDs["class_a"], "name": "Class A", "parent": w.IDs["facility"]},
		"assignments": []any{w.IDs["group_a"]}, "learner_ids": []any{w.IDs["learner2"]}} {
		require.Equal(t, value, a.Field(field), field)
	}
	b := c.Get(courses + second + "/")
	for field, value := range map[string]any{"title": "Fire", "active": false, "missing_resource": true, "assignments": []any{}, "learner_ids": []any{}} {
		require.Equal(t, value, b.Field(field), field)
	}
	list := c.Get(courses)
	require.Equal(t, []any{second, first}, []any{list.Field("0", "id"), list.Field("1", "id")}, "the newest first")
	for path, n := range map[string]int{"?collection={class_a}": 2, "?collection={class_b}": 0, "?id=" + first: 1, "?id=x": 0} {
		require.Len(t, c.Get(courses+w.Path(path)).JSON, n, path)
	}
	require.Equal(t, "INVALID_CHOICE", c.Get(courses+"?collection=x").Field("0", "id"))

	changed := c.Patch(courses+first+"/", map[string]any{"course": id("Fire"), "learner_ids": []string{}, "assignments": []string{w.IDs["class_a"]}})
	for field, value := range map[string]any{"title": "Fire", "active": true, "missing_resource": true, "assignments": []any{w.IDs["class_a"]}, "learner_ids": []any{}} {
		require.Equal(t, value, changed.Field(field), field)
	}
	for _, path := range []string{"x/", w.IDs["coach"] + "/"} {
		for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodDelete} {
			require.Equal(t, http.StatusNotFound, c.Do(method, courses+path, map[string]any{}).Status, method)
		}
	}
}

func TestBadCourses(t *testing.T) { bad(t, world(t, servertest.NewWorld(t))) }

func bad(t *testing.T, w *servertest.World) {
	c := w.As(t, "superuser")
	for _, tc := range []struct {
		name, id string
		body     any
	}{
		{"no JSON", "", "{"},
		{"null", "NULL", "null"},
		{"a list", "INVALID", []any{}},
		{"nothing", "REQUIRED", map[string]any{}},
		{"no class", "REQUIRED", session(w, "collection", nil)},
		{"a number as active", "INVALID", session(w, "active", 5)},
		{"a course that is a unit", "DOES_NOT_EXIST", session(w, "course", id("Rivers"))},
		{"a course that is no id", "INCORRECT_TYPE", session(w, "course", "x")},
		{"a course that is a list", "INCORRECT_TYPE", session(w, "course", []any{})},
		{"a class that is none", "INCORRECT_TYPE", session(w, "collection", 5)},
		{"no such class", "DOES_NOT_EXIST", session(w, "collection", w.IDs["coach"])},
		{"a school", "INVALID", session(w, "collection", w.IDs["facility"], "assignments", []string{})},
		{"a group", "INVALID", session(w, "collection", w.IDs["group_a"], "assignments", []string{})},
		{"assignments that are no list", "NOT_A_LIST", session(w, "assignments", "x")},
		{"learners that are no list", "NOT_A_LIST", session(w, "learner_ids", "x")},
		{"an assignment to a school", "", session(w, "assignments", []string{w.IDs["facility"]})},
		{"a learner of another class", "INVALID", session(w, "learner_ids", []string{w.IDs["learner3"]})},
		{"a learner twice", "INVALID", session(w, "learner_ids", []string{w.IDs["learner"], w.IDs["learner"]})},
		{"another school's class", "INVALID", session(w, "assignments", []string{w.IDs["other_class"]})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Post(courses, tc.body)
			require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
			if tc.id != "" {
				require.Equal(t, tc.id, a.Field("0", "id"), a.Text)
			}
		})
	}
	require.Empty(t, c.Get(courses).JSON, "none of them is half made")
	one := courses + made(t, w) + "/"
	for _, tc := range []struct {
		name, id string
		body     any
	}{
		{"nothing", "REQUIRED", map[string]any{}},
		{"a list", "INVALID", []any{}},
		{"no unit", "DOES_NOT_EXIST", map[string]any{"unit_contentnode_id": id("Springs"), "test_type": "pre"}},
		{"no id", "INCORRECT_TYPE", map[string]any{"unit_contentnode_id": 1, "test_type": "pre"}},
		{"another course's unit", "INVALID", map[string]any{"unit_contentnode_id": id("Flames"), "test_type": "pre"}},
		{"no test", "INVALID_CHOICE", map[string]any{"unit_contentnode_id": id("Rivers"), "test_type": "mid"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, action := range []string{"activate_test/", "close_test/"} {
				a := c.Post(one+action, tc.body)
				require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
				require.Equal(t, tc.id, a.Field("0", "id"), a.Text)
			}
		})
	}
}

func TestTestsOfUnits(t *testing.T) { tests(t, world(t, servertest.NewWorld(t))) }

func tests(t *testing.T, w *servertest.World) {
	c := w.As(t, "coach")
	key := made(t, w)
	one := courses + key + "/"
	require.Nil(t, c.Get(one+"active_test/").Field("active_test"))
	for _, step := range []struct {
		action, unit, test string
		status             int
		phase              string
		active             any
	}{
		{"close", "Rivers", "pre", 404, "", nil},
		{"", "", "", 0, "pre_test_pending", id("Rivers")},
		{"activate", "Rivers", "pre", 200, "pre_test_active", id("Rivers")},
		{"close", "Rivers", "post", 400, "", nil},
		{"close", "Seas", "pre", 400, "", nil},
		{"close", "Rivers", "pre", 200, "post_test_pending", id("Rivers")},
		{"", "", "", 0, "post_test_pending", id("Rivers")},
		{"activate", "Rivers", "post", 200, "post_test_active", id("Rivers")},
		{"", "", "", 0, "post_test_active", id("Rivers")},
		{"close", "Rivers", "post", 200, "pre_test_pending", id("Seas")},
		{"activate", "Seas", "pre", 200, "pre_test_active", id("Seas")},
		{"activate", "Seas", "post", 200, "post_test_active", id("Seas")},
		{"close", "Seas", "post", 200, "complete", nil},
		{"", "", "", 0, "complete", nil},
		{"activate", "Rivers", "pre", 200, "pre_test_active", id("Rivers")},
	} {
		var a *servertest.Answer
		if step.action == "" {
			a = c.Get(one + "last_unit_test/")
			step.status = http.StatusOK
		} else {
			a = c.Post(one+step.action+"_test/", map[string]any{"unit_contentnode_id": id(step.unit), "test_type": step.test})
		}
		require.Equal(t, step.status, a.Status, a.Text)
		if step.phase != "" {
			require.Equal(t, step.phase, a.Field("unit_phase"), a.Text)
			require.Equal(t, step.active, a.Field("active_unit_id"), a.Text)
		}
		if step.unit != "" && a.Status == http.StatusOK {
			require.Equal(t, id(step.unit), a.Field("unit_contentnode_id"))
			require.Equal(t, step.test, a.Field("test_type"))
			require.Equal(t, step.action == "close", a.Field("closed"))
			require.Equal(t, map[string]any{"id": w.IDs["coach"], "username": "coach", "full_name": "Cora Coach"}, a.Field("activated_by"))
		}
	}
	active := c.Get(one + "active_test/")
	require.Equal(t, "Rivers", active.Field("unit_title"))
	require.Equal(t, "pre", active.Field("test_type"))

	var row struct{ key, source, partition string }
	require.NoError(t, w.DB.Pool().QueryRow("SELECT id, _morango_source_id, _morango_partition FROM courses_unittestassignment WHERE closed = FALSE").
		Scan(&row.key, &row.source, &row.partition))
	sum := md5.Sum([]byte("unittestassignment:" + id("Rivers") + ":" + w.IDs["class_a"] + ":pre"))
	require.Equal(t, key+":"+hex.EncodeToString(sum[:]), row.source)
	require.Equal(t, w.IDs["dataset"]+":classroom:"+w.IDs["class_a"]+":coach-rw", row.partition)
	require.Equal(t, morango.UUID(row.partition, row.source, "unittestassignment"), strings.ReplaceAll(row.key, "-", ""))
}

func TestUnitReports(t *testing.T) { reports(t, world(t, servertest.NewWorld(t))) }

func reports(t *testing.T, w *servertest.World) {
	s := &servertest.School{Server: w.Server}
	s.Exec(t, "UPDATE content_contentnode SET options = ? WHERE id = ?", `{"learning_objectives": [{"id": "lo1", "text": "Flows"}, {"id": 2, "text": "Ends", "metadata": null}],
		"assessment_objectives": {"a1": ["lo1"], "a2": ["lo1", 2], "b1": ["lo1"], "b2": ["lo1", 2], "x": null},
		"completion_criteria": {"model": "pre_post_test", "threshold": {"pre_post_test": {"version_a_item_ids": ["a1", "a2"], "version_b_item_ids": ["b1", "b2"]}}}}`, id("Rivers"))
	key := made(t, w)
	coach, learner := w.As(t, "coach"), w.As(t, "learner")
	test := map[string]any{"unit_contentnode_id": id("Rivers"), "test_type": "pre"}
	require.Equal(t, 200, coach.Post(courses+key+"/activate_test/", test).Status)
	report := "/coach/api/coursesession/" + key + "/unit/" + id("Rivers") + "/"
	a := coach.Get(report + "report/")
	require.Equal(t, "Rivers", a.Field("unit_title"))
	require.Equal(t, []any{map[string]any{"id": "lo1", "text": "Flows", "num_questions": 2.0}, map[string]any{"id": 2.0, "text": "Ends", "num_questions": 1.0}}, a.Field("learning_objectives"))
	require.Equal(t, map[string]any{"status": "open", "scores": map[string]any{}}, a.Field("pre_test"))
	require.Equal(t, "not_activated", a.Field("post_test", "status"))
	require.Len(t, a.Field("learners"), 2)

	started := learner.Post("/api/logger/trackprogress/", map[string]any{"unit_id": id("Rivers"), "course_session_id": key, "test_type": "pre"})
	require.Equal(t, 200, started.Status, started.Text)
	answer := func(item string, correct float64) map[string]any {
		return map[string]any{"item": item, "correct": correct, "complete": true, "time_spent": 1, "answer": map[string]any{}}
	}
	put := func(body map[string]any) {
		t.Helper()
		a := learner.Put("/api/logger/trackprogress/"+started.Field("session_id").(string)+"/", body)
		require.Equal(t, 200, a.Status, a.Text)
	}
	put(map[string]any{"interactions": []any{answer("a1", 0), answer("a2", 1), answer("b1", 0.5)}})
	require.Empty(t, coach.Get(report+"report/").Field("pre_test", "scores"), "not handed in yet")
	put(map[string]any{"interactions": []any{answer("a1", 1)}, "progress": 1})
	require.Equal(t, 200, coach.Post(courses+key+"/close_test/", test).Status)
	a = coach.Get(report + "report/")
	require.Equal(t, map[string]any{"status": "closed", "scores": map[string]any{w.IDs["learner"]: map[string]any{"lo1": 2.0, "2": 1.0}}}, a.Field("pre_test"), "the last answers count")
	require.Equal(t, w.IDs["learner2"], a.Field("learners", "0", "id"), "who knows less comes first")
	require.NotEmpty(t, logger.UnitTestContentID(key, id("Rivers"), "pre"))

	lessons := coach.Get(report + "lessonprogress/")
	require.Equal(t, []any{map[string]any{"id": id("Springs"), "title": "Springs", "content_ids": []any{id("content Well"), id("content Source")}},
		map[string]any{"id": id("Mouths"), "title": "Mouths", "content_ids": []any{id("content Delta")}}}, lessons.Field("lessons"))
	require.Empty(t, lessons.Field("content_learner_status"))
	seen := learner.Post("/api/logger/trackprogress/", map[string]any{"node_id": id("Well"), "content_id": id("content Well"), "channel_id": id("Science"), "kind": "video",
		"course_session_id": key})
	require.Equal(t, 200, seen.Status, seen.Text)
	status := coach.Get(report+"lessonprogress/").Field("content_learner_status", "0")
	require.Equal(t, "Started", status.(map[string]any)["status"])
	require.Equal(t, w.IDs["learner"], status.(map[string]any)["learner_id"])

	for path, want := range map[string]int{"unit/" + id("Springs") + "/report/": 404, "unit/" + id("Water") + "/lessonprogress/": 404, "unit/x/report/": 404} {
		require.Equal(t, want, coach.Get("/coach/api/coursesession/"+key+"/"+path).Status, path)
	}
	require.Equal(t, 404, coach.Get("/coach/api/coursesession/"+id("none")+"/unit/"+id("Rivers")+"/report/").Status)
}

func TestTheLearnersSide(t *testing.T) { learners(t, world(t, servertest.NewWorld(t))) }

func learners(t *testing.T, w *servertest.World) {
	coach, learner := w.As(t, "coach"), w.As(t, "learner")
	key := made(t, w)
	made(t, w, "course", id("Fire"), "active", false)
	made(t, w, "collection", w.IDs["class_b"], "assignments", []string{w.IDs["class_b"]})
	mine := "/learn/api/learnercourse/"
	list := learner.Get(mine)
	require.Len(t, list.JSON, 1)
	for field, value := range map[string]any{"id": key, "course_id": id("Water"), "unit_count": 2.0, "lesson_count": 3.0, "progress": 0.0} {
		require.Equal(t, value, list.Field("0", field), field)
	}
	require.Equal(t, 404, w.As(t, "learner3").Get(mine+key+"/resume/").Status)
	resume := func() any { return learner.Get(mine + key + "/resume/").JSON }
	require.Equal(t, map[string]any{"started": false, "active_test": nil, "resume_position": nil}, resume())
	test := map[string]any{"unit_contentnode_id": id("Rivers"), "test_type": "pre"}
	require.Equal(t, 200, coach.Post(courses+key+"/activate_test/", test).Status)
	require.Equal(t, map[string]any{"started": true, "active_test": map[string]any{"unit_id": id("Rivers"), "test_type": "pre"}, "resume_position": nil}, resume())
	require.Equal(t, 200, coach.Post(courses+key+"/close_test/", test).Status)
	at := func(lesson, resource any) map[string]any {
		return map[string]any{"started": true, "active_test": nil, "resume_position": map[string]any{"unit_id": id("Rivers"), "lesson_id": lesson, "resource_id": resource}}
	}
	require.Equal(t, at(id("Springs"), id("Well")), resume())
	for i, name := range []string{"Well", "Source", "Delta"} {
		started := learner.Post("/api/logger/trackprogress/", map[string]any{"node_id": id(name), "content_id": id("content " + name), "channel_id": id("Science"),
			"kind": "video", "course_session_id": key})
		require.Equal(t, 200, started.Status, started.Text)
		require.Equal(t, 200, learner.Put("/api/logger/trackprogress/"+started.Field("session_id").(string)+"/", map[string]any{"progress": 1}).Status)
		next := [][2]any{{id("Springs"), id("Source")}, {id("Mouths"), id("Delta")}, {nil, nil}}[i]
		require.Equal(t, at(next[0], next[1]), resume(), name)
	}
	require.Equal(t, 0.75, learner.Get(mine+key+"/").Field("progress"))
	require.Equal(t, 0.75, learner.Get("/learn/api/learnerclassroom/"+w.IDs["class_a"]+"/").Field("courses", "0", "progress"))
}

func TestOnPostgreSQL(t *testing.T) {
	pg := servertest.StartPostgres(t)
	for name, test := range map[string]func(*testing.T, *servertest.World){"ladder": ladder, "look": look, "bad": bad, "tests": tests, "reports": reports, "learners": learners} {
		t.Run(name, func(t *testing.T) { test(t, world(t, servertest.NewWorld(t, pg.Option(t)))) })
	}
}
