package notifications_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
	"kolibri/store"
)

const track = "/api/logger/trackprogress/"

// class is a world in which class A has a lesson of a video and an exercise, and group A1 a lesson
// of the video alone. Class B has the lesson of class A too.
type class struct {
	*servertest.World
	both, alone, inB string
}

func newClass(t *testing.T, w *servertest.World) *class {
	(&servertest.School{Server: w.Server}).Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Rivers", Kind: "video"}, {Title: "Sums", Kind: "exercise"}, {Title: "Fire", Kind: "document"}}})
	c := &class{World: w}
	lesson := func(title, of, to string, names ...string) string {
		resources := []any{}
		for _, n := range names {
			resources = append(resources, map[string]any{"contentnode_id": servertest.ID(n), "content_id": servertest.ID("content " + n), "channel_id": servertest.ID("Science")})
		}
		a := w.As(t, "coach").Post("/api/lessons/lesson/", map[string]any{"title": title, "collection": w.IDs[of], "assignments": []string{w.IDs[to]},
			"resources": resources, "active": true})
		require.Equal(t, http.StatusCreated, a.Status, a.Text)
		return a.Field("id").(string)
	}
	c.both = lesson("Both", "class_a", "class_a", "Rivers", "Sums")
	c.alone = lesson("Alone", "class_a", "group_a", "Rivers")
	c.inB = lesson("In B", "class_b", "class_b", "Rivers", "Sums")
	return c
}

// work opens a resource and returns the session's address.
func (c *class) work(t *testing.T, who *servertest.Client, name, kind string, more ...any) string {
	t.Helper()
	body := map[string]any{"node_id": servertest.ID(name), "content_id": servertest.ID("content " + name), "channel_id": servertest.ID("Science"), "kind": kind}
	if kind == "exercise" {
		body["mastery_model"] = map[string]any{"type": "m_of_n", "m": 2, "n": 3}
	}
	for i := 0; i < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	a := who.Post(track, body)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return track + a.Field("session_id").(string) + "/"
}

func put(t *testing.T, who *servertest.Client, session string, body map[string]any) {
	t.Helper()
	a := who.Put(session, body)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
}

func answer(correct int) map[string]any {
	return map[string]any{"interactions": []any{map[string]any{"item": "q", "correct": correct, "complete": true, "time_spent": 1.5, "answer": map[string]any{}}}}
}

// told is what the coaches of class A are told, each as "who what object event", in no order. Ids
// are shown by names.
func (c *class) told(t *testing.T, query string) []string {
	t.Helper()
	a := c.As(t, "classcoach").Get("/coach/api/notifications/?classroom_id=" + c.IDs["class_a"] + query)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	names := map[any]string{c.both: "both", c.alone: "alone", nil: "-"}
	for _, n := range []string{"learner", "learner2"} {
		names[c.IDs[n]] = n
	}
	for _, n := range []string{"Rivers", "Sums"} {
		names[servertest.ID(n)] = n
	}
	out := []string{}
	for i := range a.Field("results").([]any) {
		at := func(field string) any { return a.Field("results", fmt.Sprint(i), field) }
		out = append(out, fmt.Sprintf("%s %s %s %v %v", names[at("user_id")], names[at("lesson_id")], names[at("contentnode_id")], at("object"), at("event")))
	}
	slices.Sort(out)
	return out
}

func TestLessons(t *testing.T) { lessons(t, newClass(t, servertest.NewWorld(t))) }

func lessons(t *testing.T, c *class) {
	learner, other := c.As(t, "learner"), c.As(t, "learner2")
	require.Empty(t, c.told(t, ""))
	c.work(t, c.As(t, "loner"), "Rivers", "video")
	c.work(t, learner, "Fire", "document")
	session := c.work(t, learner, "Sums", "exercise", "lesson_id", c.both)
	require.Empty(t, c.told(t, ""), "an exercise begins with the first answer")

	begun := []string{"learner both - Lesson Started", "learner both Sums Resource Answered", "learner both Sums Resource Started"}
	put(t, learner, session, answer(1))
	require.Equal(t, begun, c.told(t, ""))
	put(t, learner, session, map[string]any{"progress": 1})
	require.Equal(t, append(begun, "learner both Sums Resource Completed"), sorted(c.told(t, ""), "Completed"))

	session = c.work(t, learner, "Rivers", "video", "lesson_id", c.both)
	c.work(t, learner, "Rivers", "video", "lesson_id", c.both)
	put(t, learner, session, map[string]any{"progress": 1})
	put(t, learner, session, map[string]any{"progress": 1})
	for _, expected := range []string{"learner both Rivers Resource Started", "learner both Rivers Resource Completed", "learner both - Lesson Completed",
		"learner alone - Lesson Started", "learner alone Rivers Resource Started", "learner alone Rivers Resource Completed", "learner alone - Lesson Completed"} {
		require.Equal(t, 1, count(c.told(t, ""), expected), expected)
	}
	require.Len(t, c.told(t, ""), 11)

	c.work(t, other, "Rivers", "video", "lesson_id", c.both)
	require.Equal(t, []string{"learner2 both - Lesson Started", "learner2 both Rivers Resource Started"}, c.told(t, "&learner_id="+c.IDs["learner2"]), "group A1's lesson is not hers")
	require.Len(t, c.told(t, "&group_id="+c.IDs["group_a"]), 4)

	require.Equal(t, http.StatusNoContent, c.As(t, "coach").Delete("/api/lessons/lesson/"+c.both+"/").Status)
	require.Len(t, c.told(t, ""), 4, "of a deleted lesson nothing is told any more")
}

// sorted moves what contains a word to the end.
func sorted(all []string, last string) []string {
	slices.SortStableFunc(all, func(a, b string) int {
		return strings.Count(a, last) - strings.Count(b, last)
	})
	return all
}

func count(all []string, one string) (n int) {
	for _, v := range all {
		if v == one {
			n++
		}
	}
	return n
}

func TestHelp(t *testing.T) {
	c := newClass(t, servertest.NewWorld(t))
	learner := c.As(t, "learner")
	session := c.work(t, learner, "Sums", "exercise", "lesson_id", c.both)
	const help = "learner both Sums Resource HelpNeeded"
	for i := range 3 {
		put(t, learner, session, answer(0))
		require.Zero(t, count(c.told(t, ""), help), i)
	}
	put(t, learner, session, answer(0))
	require.Equal(t, 1, count(c.told(t, ""), help))
	put(t, learner, session, answer(0))
	require.Equal(t, 1, count(c.told(t, ""), help), "once, with the time of the last failure")
	a := c.As(t, "coach").Get("/coach/api/notifications/?classroom_id=" + c.IDs["class_a"])
	require.Equal(t, "MultipleUnsuccessfulAttempts", a.Field("results", "0", "reason"), a.Text)

	outside := c.As(t, "learner2")
	session = c.work(t, outside, "Sums", "exercise")
	for range 5 {
		put(t, outside, session, answer(0))
	}
	require.Empty(t, c.told(t, "&learner_id="+c.IDs["learner2"]), "who practises outside of a lesson is left alone")
}

func TestQuizzes(t *testing.T) { quizzes(t, newClass(t, servertest.NewWorld(t))) }

func quizzes(t *testing.T, c *class) {
	made := c.As(t, "coach").Post("/api/exams/exam/", map[string]any{"title": "Quiz", "collection": c.IDs["class_a"], "assignments": []string{c.IDs["class_a"]},
		"draft": false, "active": true, "question_sources": []any{map[string]any{"questions": []any{map[string]any{"exercise_id": servertest.ID("Sums"),
			"question_id": servertest.ID("q"), "counter_in_exercise": 1}}}}})
	require.Equal(t, http.StatusCreated, made.Status, made.Text)
	learner := c.As(t, "learner")
	begin := learner.Post(track, map[string]any{"quiz_id": made.Field("id")})
	require.Equal(t, http.StatusOK, begin.Status, begin.Text)
	learner.Post(track, map[string]any{"quiz_id": made.Field("id")})
	require.Equal(t, []string{"learner - - Quiz Started"}, c.told(t, ""))
	session := track + begin.Field("session_id").(string) + "/"
	body := answer(1)
	body["interactions"] = append(body["interactions"].([]any), map[string]any{"item": "r", "correct": 0, "complete": true, "time_spent": 1, "answer": map[string]any{}})
	body["progress"] = 1
	put(t, learner, session, body)
	require.Equal(t, []string{"learner - - Quiz Answered", "learner - - Quiz Completed", "learner - - Quiz Started"}, c.told(t, ""))
	a := c.As(t, "coach").Get("/coach/api/notifications/?classroom_id=" + c.IDs["class_a"])
	require.Equal(t, []any{1.0, 2.0}, []any{a.Field("results", "0", "quiz_num_correct"), a.Field("results", "0", "quiz_num_answered")}, a.Text)
	require.Equal(t, made.Field("id"), a.Field("results", "0", "quiz_id"))
	require.Equal(t, []any{c.IDs["class_a"]}, a.Field("results", "0", "assignment_collections"))
}

// A course's lessons are topics of its channel, and its sessions what is assigned.
func TestCourses(t *testing.T) {
	w := servertest.NewWorld(t)
	id := servertest.ID
	(&servertest.School{Server: w.Server}).Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Course", Kind: "topic", Modality: "COURSE", Children: []servertest.Node{{Title: "Unit", Kind: "topic", Modality: "UNIT", Children: []servertest.Node{
			{Title: "Lesson", Kind: "topic", Modality: "LESSON", Children: []servertest.Node{{Title: "Rivers", Kind: "video"}, {Title: "Sums", Kind: "exercise"}}}}}}}}})
	w.Exec(t, "INSERT INTO courses_coursesession VALUES (?, TRUE, 's', 'p', ?, 'A course', NULL, TRUE, ?, ?, NULL, ?, NULL)",
		id("session"), id("Course"), store.Zoned(time.Now()), w.IDs["class_a"], w.IDs["dataset"])
	w.Exec(t, "INSERT INTO courses_coursesessionassignment VALUES (?, TRUE, 's', 'p', NULL, ?, ?, ?)", id("assignment"), w.IDs["class_a"], id("session"), w.IDs["dataset"])
	c := &class{World: w, both: id("Lesson")}
	learner := c.As(t, "learner")
	put(t, learner, c.work(t, learner, "Rivers", "video", "course_session_id", id("session")), map[string]any{"progress": 1})
	require.Equal(t, []string{"learner both - Lesson Started", "learner both Rivers Resource Completed", "learner both Rivers Resource Started"}, c.told(t, ""))
	sums := c.work(t, learner, "Sums", "exercise", "course_session_id", id("session"))
	put(t, learner, sums, answer(1))
	put(t, learner, sums, map[string]any{"progress": 1})
	for _, expected := range []string{"learner both Sums Resource Started", "learner both Sums Resource Answered", "learner both Sums Resource Completed", "learner both - Lesson Completed"} {
		require.Equal(t, 1, count(c.told(t, ""), expected), expected)
	}
	test := learner.Post(track, map[string]any{"unit_id": id("Unit"), "course_session_id": id("session"), "test_type": "pre"})
	require.Equal(t, http.StatusOK, test.Status, test.Text)
	put(t, learner, track+test.Field("session_id").(string)+"/", answer(1))
	for _, expected := range []string{"learner - - Quiz Started", "learner - - Quiz Answered"} {
		require.Equal(t, 1, count(c.told(t, ""), expected), expected)
	}
}

func TestWhoIsTold(t *testing.T) {
	c := newClass(t, servertest.NewWorld(t))
	c.work(t, c.As(t, "learner"), "Rivers", "video", "lesson_id", c.both)
	const list = "/coach/api/notifications/"
	in := "?classroom_id=" + c.IDs["class_a"]
	first := c.As(t, "coach").Get(list + in)
	one := fmt.Sprintf("%s%v/", list, first.Field("results", "0", "id"))
	for who, status := range map[string]int{"anonymous": 403, "learner": 403, "other_coach": 403, "classcoach": 200, "coach": 200, "admin": 200, "superuser": 200} {
		client := c.As(t, who)
		require.Equal(t, status, client.Get(list+in).Status, who)
		require.Equal(t, status, client.Get(one+in).Status, who)
		require.Equal(t, status, client.Patch(one+in, map[string]any{"reason": "x"}).Status, who)
		require.Equal(t, map[int]int{403: 403, 200: 400}[status], client.Post(list+in, map[string]any{}).Status, who)
		require.Equal(t, 412, client.Get(list).Status, who)
	}
	require.Equal(t, first.Field("results", "0"), c.As(t, "coach").Get(one+in).JSON, "which nobody can change")
	require.Equal(t, 403, c.As(t, "classcoach").Get(list+"?classroom_id="+c.IDs["class_b"]).Status)
	require.Equal(t, 404, c.As(t, "coach").Get(one+"?classroom_id="+c.IDs["class_b"]).Status, "another class's")
	for _, query := range []string{"?classroom_id=", "?classroom_id=x", "?classroom_id=" + c.IDs["learner"]} {
		require.Equal(t, 403, c.As(t, "coach").Get(list+query).Status, query)
	}
	for _, query := range []string{"&learner_id=x", "&after=x", "&before=x"} {
		require.Equal(t, 400, c.As(t, "coach").Get(list+in+query).Status, query)
	}
	require.Equal(t, 404, c.As(t, "coach").Get(list+"x/"+in).Status)
	require.Equal(t, 204, c.As(t, "coach").Delete(one+in).Status)
	require.Equal(t, 404, c.As(t, "coach").Delete(one+in).Status)
}

func TestPolling(t *testing.T) {
	c := newClass(t, servertest.NewWorld(t))
	get := func(who, query string) *servertest.Answer {
		return c.As(t, who).Get("/coach/api/notifications/?classroom_id=" + c.IDs["class_a"] + query)
	}
	for n, who := range []string{"coach", "classcoach", "coach", "admin"} {
		require.Equal(t, float64(min(n, 2)), get(who, "").Field("coaches_polling"))
	}
	learner := c.As(t, "learner")
	c.work(t, learner, "Rivers", "video", "lesson_id", c.both)
	c.Skip(30 * time.Hour)
	require.Equal(t, 0.0, get("coach", "").Field("coaches_polling"), "after five minutes a coach is gone")
	require.Len(t, c.told(t, ""), 4, "the last day on which something happened")
	learner = c.As(t, "learner") // whose session has ended
	session := c.work(t, learner, "Rivers", "video", "lesson_id", c.both)
	put(t, learner, session, map[string]any{"progress": 1})
	require.Len(t, c.told(t, ""), 3, "a resource in two lessons, of which one is complete")

	page := get("coach", "&limit=2")
	require.Len(t, page.Field("results"), 2)
	require.Equal(t, true, page.Field("more_results"))
	last := page.Field("results", "1", "timestamp").(string)
	require.Len(t, get("coach", "&limit=9&before="+url.QueryEscape(last)).Field("results"), 4, "pages look back further")
	require.Len(t, get("coach", "&before="+url.QueryEscape(last)).Field("results"), 3, "who asks for no page does not")
	require.Empty(t, get("coach", "&after="+url.QueryEscape(last)).Field("results"))
	for _, limit := range []string{"x", "0"} {
		require.Len(t, get("coach", "&limit="+limit).Field("results"), 3, limit)
	}
	require.Equal(t, http.StatusBadRequest, get("coach", "&limit=-1").Status)
}

func TestOnPostgreSQL(t *testing.T) {
	pg := servertest.StartPostgres(t)
	for name, test := range map[string]func(*testing.T, *class){"lessons": lessons, "quizzes": quizzes} {
		t.Run(name, func(t *testing.T) { test(t, newClass(t, servertest.NewWorld(t, pg.Option(t)))) })
	}
}
