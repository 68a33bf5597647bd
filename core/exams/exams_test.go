package exams_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

const (
	exams = "/api/exams/exam/"
	track = "/api/logger/trackprogress/"
)

func world(t *testing.T, w *servertest.World) *servertest.World {
	(&servertest.School{Server: w.Server}).Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Sums", Kind: "exercise"}, {Title: "Products", Kind: "exercise", NoPicture: true}}})
	return w
}

// section has a question for each name of an exercise.
func section(title string, exercises ...string) map[string]any {
	questions := []any{}
	for i, name := range exercises {
		questions = append(questions, map[string]any{"exercise_id": servertest.ID(name), "question_id": servertest.ID(fmt.Sprint(name, i)),
			"title": name, "counter_in_exercise": i + 1})
	}
	return map[string]any{"section_title": title, "description": "", "questions": questions, "learners_see_fixed_order": true}
}

// quiz is a body; changes are pairs of field and value, and nil takes a field away.
func quiz(w *servertest.World, changes ...any) map[string]any {
	body := map[string]any{"title": "Quiz", "collection": w.IDs["class_a"], "assignments": []string{w.IDs["class_a"]}, "learner_ids": []string{},
		"question_sources": []any{section("One", "Sums", "Sums", "Products")}, "draft": false}
	return servertest.With(body, changes...)
}

// path is the address of a quiz or a draft.
func path(a *servertest.Answer) string {
	if number, ok := a.Field("id").(float64); ok {
		return fmt.Sprintf("%s%d/", exams, int(number))
	}
	id, _ := a.Field("id").(string)
	return exams + id + "/"
}

func made(t *testing.T, w *servertest.World, changes ...any) *servertest.Answer {
	t.Helper()
	a := w.As(t, "coach").Post(exams, quiz(w, changes...))
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	return a
}

func TestWhoMakesQuizzes(t *testing.T) { ladder(t, world(t, servertest.NewWorld(t))) }

func ladder(t *testing.T, w *servertest.World) {
	for _, tc := range []struct {
		who             string
		create, inB     int
		list            int
		change, destroy int
	}{
		{"anonymous", 403, 403, 0, 403, 403},
		{"loner", 403, 403, 0, 403, 403},
		{"learner", 403, 403, 0, 403, 403},
		{"other_coach", 403, 403, 0, 403, 403},
		{"other_admin", 403, 403, 0, 403, 403},
		{"classcoach", 201, 403, 2, 200, 204},
		{"coach", 201, 201, 2, 200, 204},
		{"admin", 201, 201, 2, 200, 204},
		{"superuser", 201, 201, 2, 200, 204},
	} {
		t.Run(tc.who, func(t *testing.T) {
			both := []string{path(made(t, w, "title", "A quiz for "+tc.who)), path(made(t, w, "title", "A draft for "+tc.who, "draft", true))}
			c := w.As(t, tc.who)
			require.Len(t, c.Get(exams+"?collection="+w.IDs["class_a"]).JSON, tc.list)
			require.Len(t, c.Get(exams+"size/?collection="+w.IDs["class_a"]).JSON, tc.list)
			for _, one := range both {
				require.Equal(t, http.StatusOK, c.Get(one).Status, "whoever knows the id reads it")
				require.Equal(t, tc.change, c.Patch(one, map[string]any{"learners_see_fixed_order": true}).Status)
				require.Equal(t, tc.destroy, c.Delete(one).Status)
				if tc.destroy != http.StatusNoContent {
					require.Equal(t, http.StatusNoContent, w.As(t, "superuser").Delete(one).Status)
				}
				require.Equal(t, http.StatusNotFound, c.Get(one).Status)
			}
			for _, draft := range []bool{true, false} {
				mine := c.Post(exams, quiz(w, "title", "Made by "+tc.who, "draft", draft))
				require.Equal(t, tc.create, mine.Status, mine.Text)
				require.Equal(t, tc.inB, c.Post(exams, quiz(w, "title", fmt.Sprint("In B by ", tc.who, draft), "draft", draft, "collection", w.IDs["class_b"])).Status)
				if mine.Status == http.StatusCreated {
					require.Equal(t, w.IDs[tc.who], mine.Field("creator"))
					require.Equal(t, draft, mine.Field("draft"))
					require.Equal(t, http.StatusNoContent, c.Delete(path(mine)).Status)
				}
			}
		})
	}
}

func TestBadQuizzes(t *testing.T) {
	w := world(t, servertest.NewWorld(t))
	made(t, w)
	made(t, w, "title", "Draft", "draft", true)
	c := w.As(t, "coach")
	many := make([]string, 26)
	for i := range many {
		many[i] = "Sums"
	}
	for _, tc := range []struct {
		name, id, message string
		body              any
	}{
		{"no JSON", "", "", "{"},
		{"null", "NULL", "", "null"},
		{"nothing", "REQUIRED", "", map[string]any{}},
		{"no assignments", "REQUIRED", "", quiz(w, "title", "x", "assignments", nil)},
		{"no questions at all", "REQUIRED", "", quiz(w, "title", "x", "question_sources", nil)},
		{"no section", "INVALID", "Cannot create an Exam without any question_sources", quiz(w, "title", "x", "question_sources", []any{})},
		{"only an empty section", "INVALID", "Cannot create an Exam without any questions", quiz(w, "title", "x", "question_sources", []any{section("One")})},
		{"a section of nothing", "INVALID", "Cannot create an Exam without any questions", quiz(w, "title", "x", "question_sources", []any{map[string]any{}})},
		{"a quiz's title", "UNIQUE", "", quiz(w, "title", "qUIZ")},
		{"a draft's title", "UNIQUE", "", quiz(w, "title", "DRAFT")},
		{"a long title", "MAX_LENGTH", "", quiz(w, "title", strings.Repeat("x", 201))},
		{"an open draft", "INVALID", "Cannot update active to true on a DraftExam object", quiz(w, "title", "x", "draft", true, "active", true)},
		{"a closed draft", "INVALID", "Cannot update archive to true on a DraftExam object", quiz(w, "title", "x", "draft", nil, "archive", true)},
		{"a learner of another class", "INVALID", "", quiz(w, "title", "x", "learner_ids", []string{w.IDs["learner3"]})},
		{"another school's class", "INVALID", "", quiz(w, "title", "x", "assignments", []string{w.IDs["other_class"]})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Post(exams, tc.body)
			require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
			if tc.id != "" {
				require.Equal(t, tc.id, a.Field("0", "id"), a.Text)
			}
			if tc.message != "" {
				require.Equal(t, tc.message, a.Field("0", "metadata", "message"))
			}
		})
	}
	for name, tc := range map[string]struct {
		sources any
		path    []string
		text    string
	}{
		"too many questions":         {[]any{section("One", many...)}, []string{"questions", "0"}, "Ensure this field has no more than 25 elements."},
		"a question of nothing":      {[]any{map[string]any{"questions": []any{map[string]any{}}}}, []string{"questions", "0", "exercise_id", "0"}, "This field is required."},
		"questions that are no list": {[]any{map[string]any{"questions": 5}}, []string{"questions", "0"}, `Expected a list of items but got type "int".`},
		"a section that is none":     {[]any{"x"}, []string{"non_field_errors", "0"}, "Invalid data. Expected a dictionary, but got str."},
	} {
		t.Run(name, func(t *testing.T) {
			a := c.Post(exams, quiz(w, "title", "x", "question_sources", tc.sources))
			require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
			require.Equal(t, tc.text, a.Field(append([]string{"question_sources", "0"}, tc.path...)...), a.Text)
		})
	}
	for _, one := range []string{"x/", "7777/", "99999999999999999999/", w.IDs["coach"] + "/"} {
		require.Equal(t, http.StatusNotFound, c.Get(exams+one).Status, one)
		require.Equal(t, http.StatusNotFound, c.Patch(exams+one, map[string]any{}).Status, one)
		require.Equal(t, http.StatusNotFound, c.Delete(exams+one).Status, one)
	}
	require.Len(t, c.Get(exams).JSON, 2, "none of them is half made")
}

func TestFromDraftToClosed(t *testing.T) { lifeOf(t, world(t, servertest.NewWorld(t))) }

func lifeOf(t *testing.T, w *servertest.World) {
	c := w.As(t, "classcoach")
	draft := c.Post(exams, quiz(w, "draft", nil, "question_sources", []any{section("Empty")}))
	require.Equal(t, http.StatusCreated, draft.Status, draft.Text)
	one := path(draft)
	require.Equal(t, 0.0, draft.Field("question_count"))
	require.Equal(t, 3.0, draft.Field("data_model_version"))
	require.Equal(t, true, draft.Field("instant_report_visibility"))

	early := c.Patch(one, map[string]any{"draft": false, "title": "Quiz"})
	require.Equal(t, http.StatusBadRequest, early.Status)
	require.Equal(t, []any{"Cannot publish a draft exam with no questions"}, early.JSON)

	saved := c.Patch(one, map[string]any{"question_sources": []any{section("Empty"), section("One", "Sums", "Products")}, "instant_report_visibility": false,
		"assignments": []string{w.IDs["group_a"]}, "learner_ids": []string{w.IDs["learner2"], w.IDs["learner"]}, "title": "Sums"})
	require.Equal(t, http.StatusOK, saved.Status, saved.Text)
	require.Equal(t, 2.0, saved.Field("question_count"))
	require.Len(t, saved.Field("question_sources"), 2, "a draft keeps its empty sections")
	require.Equal(t, []any{w.IDs["learner2"], w.IDs["learner"]}, saved.Field("learner_ids"))
	require.Empty(t, w.As(t, "learner").Get(exams).JSON)

	require.Equal(t, http.StatusNoContent, w.As(t, "admin").Delete("/api/auth/membership/?user="+w.IDs["learner2"]+"&collection="+w.IDs["class_a"]).Status)
	open := c.Patch(one, map[string]any{"draft": false, "active": true})
	require.Equal(t, http.StatusOK, open.Status, open.Text)
	require.Equal(t, http.StatusNotFound, c.Get(one).Status, "the draft is gone")
	require.Equal(t, draft.Field("date_created"), open.Field("date_created"))
	require.Equal(t, w.IDs["classcoach"], open.Field("creator"))
	require.Len(t, open.Field("question_sources"), 1, "a quiz has no empty sections")
	require.Equal(t, []any{w.IDs["group_a"]}, open.Field("assignments"))
	require.Equal(t, []any{w.IDs["learner"]}, open.Field("learner_ids"), "who left the class is passed over")
	require.Equal(t, false, open.Field("instant_report_visibility"))
	require.NotNil(t, open.Field("date_activated"))
	require.Nil(t, open.Field("date_archived"))
	one = path(open)

	for name, body := range map[string]map[string]any{
		"questions": {"question_sources": []any{section("One", "Sums")}}, "a taken title": {"title": "Other"}, "no title": {"title": ""},
	} {
		if name == "a taken title" {
			require.Equal(t, http.StatusCreated, c.Post(exams, quiz(w, "title", "Other", "draft", true)).Status)
		}
		require.Equal(t, http.StatusBadRequest, c.Patch(one, body).Status, name)
	}
	back := c.Patch(one, map[string]any{"draft": true})
	require.Equal(t, []any{"Cannot change an Exam to a DraftExam"}, back.JSON)

	l := w.As(t, "learner")
	require.Len(t, l.Get(exams).JSON, 1)
	require.Equal(t, []any{w.IDs["group_a"]}, l.Get(exams).Field("0", "assignments"))
	id := open.Field("id").(string)
	session := l.Post(track, map[string]any{"quiz_id": id})
	require.Equal(t, http.StatusOK, session.Status, session.Text)
	require.Equal(t, http.StatusOK, l.Put(track+session.Field("session_id").(string)+"/", map[string]any{"time_spent_delta": 1}).Status)

	tries := func() (n, ended, complete int) {
		require.NoError(t, w.DB.Pool().QueryRow(`SELECT count(*), count(completion_timestamp), sum(CASE WHEN complete THEN 1 ELSE 0 END) FROM logger_masterylog`).Scan(&n, &ended, &complete))
		return
	}
	require.Equal(t, [3]int{1, 0, 0}, three(tries()))
	shut := c.Patch(one, map[string]any{"active": false})
	require.Equal(t, http.StatusOK, shut.Status)
	require.Equal(t, [3]int{1, 1, 0}, three(tries()), "ends with the quiz")
	require.Len(t, l.Get(exams).JSON, 1, "who began it still sees it")
	closed := c.Patch(one, map[string]any{"archive": true})
	require.NotNil(t, closed.Field("date_archived"))
	require.Equal(t, open.Field("date_activated"), closed.Field("date_activated"))
	require.Equal(t, [3]int{1, 1, 1}, three(tries()), "counts as handed in")
	again := c.Patch(one, map[string]any{"archive": false})
	require.Equal(t, closed.Field("date_archived"), again.Field("date_archived"))

	put := c.Put(one, quiz(w, "question_sources", nil, "learner_ids", nil, "title", "Put"))
	require.Equal(t, http.StatusOK, put.Status, put.Text)
	require.Equal(t, "Put", put.Field("title"))
	require.Equal(t, []any{w.IDs["class_a"]}, put.Field("assignments"))
	require.Equal(t, []any{w.IDs["learner"]}, put.Field("learner_ids"))
	require.Equal(t, http.StatusNoContent, c.Delete(one).Status)
	var left int
	require.NoError(t, w.DB.Pool().QueryRow("SELECT (SELECT count(*) FROM exams_examassignment) + (SELECT count(*) FROM notifications_learnerprogressnotification)").Scan(&left))
	require.Zero(t, left)
}

func three(a, b, c int) [3]int { return [3]int{a, b, c} }

func TestListsAndSizes(t *testing.T) {
	w := world(t, servertest.NewWorld(t))
	c := w.As(t, "coach")
	first := made(t, w)
	second := made(t, w, "title", "A draft", "draft", true, "question_sources", []any{section("One", "Products")})
	third := made(t, w, "title", "B", "collection", w.IDs["class_b"], "assignments", []string{w.IDs["class_b"]})
	list := c.Get(exams)
	require.Equal(t, []any{third.Field("id"), second.Field("id"), first.Field("id")},
		[]any{list.Field("0", "id"), list.Field("1", "id"), list.Field("2", "id")}, "the newest first")
	require.Len(t, c.Get(exams+"?collection="+w.IDs["class_b"]).JSON, 1)
	require.Equal(t, "INVALID_CHOICE", c.Get(exams+"?collection=x").Field("0", "id"))
	sizes := c.Get(exams + "size/?collection=" + w.IDs["class_a"])
	require.Equal(t, 3000.0, sizes.Field("0", first.Field("id").(string)))
	require.Equal(t, 1000.0, sizes.Field("1", "1"))

	// before version 3 the sources were questions, and reports had no visibility
	w.Exec(t, "UPDATE exams_exam SET data_model_version = 1, instant_report_visibility = NULL, question_sources = ? WHERE id = ?",
		`[{"exercise_id": "`+servertest.ID("Sums")+`", "question_id": "x", "title": "Sums"}]`, first.Field("id"))
	old := c.Get(path(first))
	require.Equal(t, true, old.Field("instant_report_visibility"))
	require.Equal(t, 2000.0, c.Get(exams+"size/?collection="+w.IDs["class_a"]).Field("0", first.Field("id").(string)))
	renamed := c.Patch(path(first), map[string]any{"title": "Old"})
	require.Equal(t, http.StatusOK, renamed.Status, renamed.Text)
	require.Len(t, renamed.Field("question_sources"), 1)
	require.Equal(t, 1.0, renamed.Field("question_count"), "every save counts anew")
	// a peer may send anything
	w.Exec(t, "UPDATE exams_exam SET question_sources = '{}' WHERE id = ?", first.Field("id"))
	require.Equal(t, 0.0, c.Get(exams+"size/?collection="+w.IDs["class_a"]).Field("0", first.Field("id").(string)))
}

func TestOnPostgreSQL(t *testing.T) {
	pg := servertest.StartPostgres(t)
	for name, test := range map[string]func(*testing.T, *servertest.World){"ladder": ladder, "life": lifeOf} {
		t.Run(name, func(t *testing.T) { test(t, world(t, servertest.NewWorld(t, pg.Option(t)))) })
	}
}
