package lessons_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/server/servertest"
)

const lessons = "/api/lessons/lesson/"

func world(t *testing.T, w *servertest.World) *servertest.World {
	(&servertest.School{Server: w.Server}).Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Rivers", Kind: "video"}, {Title: "Fire", Kind: "document", NoPicture: true}}})
	return w
}

func resource(name string) map[string]any {
	id := servertest.ID
	return map[string]any{"contentnode_id": id(name), "content_id": id("content " + name), "channel_id": id("Science")}
}

// lesson is a body; changes are pairs of field and value, and nil takes a field away.
func lesson(w *servertest.World, changes ...any) map[string]any {
	body := map[string]any{"title": "Water", "description": "", "resources": []any{resource("Rivers")}, "collection": w.IDs["class_a"],
		"assignments": []string{w.IDs["class_a"]}, "learner_ids": []string{}, "active": true}
	return servertest.With(body, changes...)
}

func made(t *testing.T, w *servertest.World, changes ...any) (id string) {
	t.Helper()
	a := w.As(t, "coach").Post(lessons, lesson(w, changes...))
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	return a.Field("id").(string)
}

func TestWhoMakesLessons(t *testing.T) { ladder(t, world(t, servertest.NewWorld(t))) }

func ladder(t *testing.T, w *servertest.World) {
	elsewhere := made(t, w, "title", "Elsewhere", "collection", w.IDs["class_b"], "assignments", []string{})
	for _, tc := range []struct {
		who                        string
		create, inB                int
		list                       int
		read, change, put, destroy int
	}{
		{"anonymous", 400, 400, 0, 404, 403, 403, 403},
		{"loner", 403, 403, 0, 404, 403, 403, 403},
		{"learner", 403, 403, 0, 404, 403, 403, 403},
		{"other_coach", 403, 403, 0, 404, 403, 403, 403},
		{"other_admin", 403, 403, 0, 404, 403, 403, 403},
		{"classcoach", 201, 403, 1, 200, 200, 200, 204},
		{"coach", 201, 201, 2, 200, 200, 200, 204},
		{"admin", 201, 201, 3, 200, 200, 200, 204},
		{"superuser", 201, 201, 4, 200, 200, 200, 204},
	} {
		t.Run(tc.who, func(t *testing.T) {
			one := lessons + made(t, w, "title", "Given to "+tc.who) + "/"
			c := w.As(t, tc.who)
			require.Len(t, c.Get(lessons).JSON, tc.list)
			require.Len(t, c.Get(lessons+"size/").JSON, tc.list)
			require.Equal(t, tc.read, c.Get(one).Status)
			require.Equal(t, tc.change, c.Patch(one, map[string]any{"active": false}).Status)
			require.Equal(t, tc.put, c.Put(one, lesson(w, "title", "Given to "+tc.who)).Status)
			require.Equal(t, tc.destroy, c.Delete(one).Status)
			if tc.destroy != http.StatusNoContent {
				require.Equal(t, http.StatusNoContent, w.As(t, "superuser").Delete(one).Status)
			}
			mine := c.Post(lessons, lesson(w, "title", "Made by "+tc.who))
			require.Equal(t, tc.create, mine.Status, mine.Text)
			if mine.Status == http.StatusCreated {
				require.Equal(t, w.IDs[tc.who], mine.Field("created_by"))
				require.Equal(t, http.StatusNoContent, c.Delete(lessons+mine.Field("id").(string)+"/").Status)
			}
			require.Equal(t, tc.inB, c.Post(lessons, lesson(w, "title", "In B by "+tc.who, "collection", w.IDs["class_b"])).Status)
			require.Equal(t, tc.inB == 201, c.Get(lessons+elsewhere+"/").Status == 200)
		})
	}
}

func TestWhatALessonLooksLike(t *testing.T) { look(t, world(t, servertest.NewWorld(t))) }

func look(t *testing.T, w *servertest.World) {
	c := w.As(t, "coach")
	first := made(t, w, "resources", []any{resource("Rivers"), resource("Fire"), resource("Rivers")})
	second := made(t, w, "title", "Empty", "resources", nil, "description", nil, "active", nil, "assignments", nil, "learner_ids", nil)
	a := c.Get(lessons + first + "/")
	require.Equal(t, map[string]any{"id": w.IDs["class_a"], "name": "Class A", "parent": w.IDs["facility"]}, a.Field("classroom"))
	require.Equal(t, []any{w.IDs["class_a"]}, a.Field("assignments"))
	require.Equal(t, []any{}, a.Field("learner_ids"))
	require.Len(t, a.Field("resources"), 3)
	b := c.Get(lessons + second + "/")
	for field, value := range map[string]any{"resources": []any{}, "assignments": []any{}, "learner_ids": []any{}, "active": false, "description": ""} {
		require.Equal(t, value, b.Field(field), field)
	}
	list := c.Get(lessons)
	require.Equal(t, []any{second, first}, []any{list.Field("0", "id"), list.Field("1", "id")}, "the newest first")
	sizes := c.Get(lessons + "size/")
	require.Equal(t, 0.0, sizes.Field("0", second))
	require.Equal(t, 3000.0, sizes.Field("1", first), "a file counts once: a video with its picture, and a document")

	for path, n := range map[string]int{"?collection={class_a}": 2, "?collection={class_b}": 0, "?id=" + first: 1, "?id=x": 0, "?id={coach}": 0} {
		require.Len(t, c.Get(lessons+w.Path(path)).JSON, n, path)
	}
	for _, path := range []string{"?collection=x", "?collection={coach}"} {
		require.Equal(t, "INVALID_CHOICE", c.Get(lessons+w.Path(path)).Field("0", "id"), path)
	}
	for _, path := range []string{"x/", w.IDs["coach"] + "/"} {
		for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodDelete} {
			require.Equal(t, http.StatusNotFound, c.Do(method, lessons+path, map[string]any{}).Status, method)
		}
	}
}

func TestBadLessons(t *testing.T) {
	w := world(t, servertest.NewWorld(t))
	made(t, w)
	c := w.As(t, "coach")
	for _, tc := range []struct {
		name, id string
		body     any
	}{
		{"no JSON", "", "{"},
		{"null", "NULL", "null"},
		{"a list", "INVALID", []any{}},
		{"a text", "INVALID", `"x"`},
		{"nothing", "REQUIRED", map[string]any{}},
		{"no title", "REQUIRED", lesson(w, "title", nil)},
		{"a blank title", "BLANK", lesson(w, "title", "  ")},
		{"a long title", "MAX_LENGTH", lesson(w, "title", strings.Repeat("é", 51))},
		{"a title that is there", "UNIQUE", lesson(w, "title", "WATER")},
		{"a title with a zero", "NULL_CHARACTERS_NOT_ALLOWED", lesson(w, "title", "a\x00b")},
		{"a number as active", "INVALID", lesson(w, "title", "x", "active", 5)},
		{"a class that is none", "INCORRECT_TYPE", lesson(w, "title", "x", "collection", "x")},
		{"no such class", "DOES_NOT_EXIST", lesson(w, "title", "x", "collection", w.IDs["coach"])},
		{"assignments that are no list", "NOT_A_LIST", lesson(w, "title", "x", "assignments", "x")},
		{"resources that are no list", "NOT_A_LIST", lesson(w, "title", "x", "resources", map[string]any{})},
		{"a learner of another class", "INVALID", lesson(w, "title", "x", "learner_ids", []string{w.IDs["learner3"]})},
		{"a learner twice", "INVALID", lesson(w, "title", "x", "learner_ids", []string{w.IDs["learner"], w.IDs["learner"]})},
		{"another school's class", "INVALID", lesson(w, "title", "x", "assignments", []string{w.IDs["other_class"]})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Post(lessons, tc.body)
			require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
			if tc.id != "" {
				require.Equal(t, tc.id, a.Field("0", "id"), a.Text)
			}
		})
	}
	for name, tc := range map[string]struct {
		body any
		path []string
		text string
	}{
		"an assignment to nobody":   {lesson(w, "title", "x", "assignments", []string{w.IDs["class_a"], w.IDs["coach"]}), []string{"assignments", "1", "0"}, `Invalid pk "` + w.IDs["coach"] + `" - object does not exist.`},
		"an assignment to null":     {lesson(w, "title", "x", "assignments", []any{nil}), []string{"assignments", "0", "0"}, "This field may not be null."},
		"a resource without a node": {lesson(w, "title", "x", "resources", []any{map[string]any{"contentnode_id": "x"}}), []string{"resources", "0", "contentnode_id", "0"}, "Must be a valid UUID."},
		"a resource that is none":   {lesson(w, "title", "x", "resources", []any{5}), []string{"resources", "0", "non_field_errors", "0"}, "Invalid data. Expected a dictionary, but got int."},
	} {
		t.Run(name, func(t *testing.T) {
			a := c.Post(lessons, tc.body)
			require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
			require.Equal(t, tc.text, a.Field(tc.path...), a.Text)
		})
	}
	require.Len(t, c.Get(lessons).JSON, 1, "none of them is half made")
	groups := 0
	require.NoError(t, w.DB.Pool().QueryRow("SELECT count(*) FROM kolibriauth_collection WHERE kind = 'adhoclearnersgroup'").Scan(&groups))
	require.Zero(t, groups)
}

func TestAssigning(t *testing.T) { assign(t, world(t, servertest.NewWorld(t))) }

func assign(t *testing.T, w *servertest.World) {
	c := w.As(t, "coach")
	one := lessons + made(t, w) + "/"
	id := func(name string) string { return w.IDs[name] }
	for _, tc := range []struct {
		name     string
		change   map[string]any
		to, each []any
	}{
		{"a learner more", map[string]any{"learner_ids": []string{id("learner2")}}, []any{id("class_a")}, []any{id("learner2")}},
		{"a group instead of the class", map[string]any{"assignments": []string{id("group_a")}}, []any{id("group_a")}, []any{id("learner2")}},
		{"two learners", map[string]any{"learner_ids": []string{id("learner2"), id("learner")}}, []any{id("group_a")}, []any{id("learner"), id("learner2")}},
		{"another learner", map[string]any{"learner_ids": []string{id("learner")}}, []any{id("group_a")}, []any{id("learner")}},
		{"something else", map[string]any{"description": "Read this"}, []any{id("group_a")}, []any{id("learner")}},
		{"nobody", map[string]any{"assignments": []string{}, "learner_ids": []string{}}, []any{}, []any{}},
		{"the class again", map[string]any{"assignments": []string{id("class_a"), id("class_a")}}, []any{id("class_a")}, []any{}},
	} {
		a := c.Patch(one, tc.change)
		require.Equal(t, http.StatusOK, a.Status, a.Text)
		require.ElementsMatch(t, tc.to, a.Field("assignments"), tc.name)
		require.ElementsMatch(t, tc.each, a.Field("learner_ids"), tc.name)
		require.Equal(t, a.JSON, c.Get(one).JSON)
	}
	require.Equal(t, http.StatusOK, c.Patch(one, map[string]any{"learner_ids": []string{id("learner")}}).Status)
	rows, err := w.DB.Pool().Query("SELECT a.id, a._morango_source_id, a._morango_partition, a._morango_dirty_bit, a.lesson_id, a.collection_id, a.assigned_by_id, l.dataset_id FROM lessons_lessonassignment a JOIN lessons_lesson l ON l.id = a.lesson_id")
	require.NoError(t, err)
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var key, source, partition, owner, collection, by, dataset string
		var dirty bool
		require.NoError(t, rows.Scan(&key, &source, &partition, &dirty, &owner, &collection, &by, &dataset))
		for _, v := range []*string{&key, &owner, &collection, &by, &dataset} {
			*v = strings.ReplaceAll(*v, "-", "")
		}
		require.Equal(t, owner+":"+collection, source)
		require.Equal(t, dataset, partition)
		require.Equal(t, morango.UUID(partition, source, "lessonassignment"), key)
		require.True(t, dirty)
		require.Equal(t, id("coach"), by)
	}
	require.Equal(t, 2, n, "the class and the learner's own group")

	require.Equal(t, http.StatusNoContent, w.As(t, "admin").Delete("/api/auth/membership/?user="+id("learner")+"&collection="+id("class_a")).Status)
	require.Empty(t, c.Get(one).Field("learner_ids"), "who leaves the class leaves the lesson")
}

func TestOnPostgreSQL(t *testing.T) {
	pg := servertest.StartPostgres(t)
	for name, test := range map[string]func(*testing.T, *servertest.World){"ladder": ladder, "look": look, "assigning": assign} {
		t.Run(name, func(t *testing.T) { test(t, world(t, servertest.NewWorld(t, pg.Option(t)))) })
	}
}
