package logger_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

const track = "/api/logger/trackprogress/"

func library(t *testing.T) *servertest.School {
	s := servertest.NewSchool(t)
	s.Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Rivers", Kind: "video"}, {Title: "Sums", Kind: "exercise", Questions: 5}}})
	return s
}

func video() map[string]any {
	return map[string]any{"node_id": servertest.ID("Rivers"), "content_id": servertest.ID("content Rivers"), "channel_id": servertest.ID("Science"), "kind": "video"}
}

func exercise(more ...any) map[string]any {
	body := map[string]any{"node_id": servertest.ID("Sums"), "content_id": servertest.ID("content Sums"), "channel_id": servertest.ID("Science"), "kind": "exercise",
		"mastery_model": map[string]any{"type": "m_of_n", "m": 2, "n": 3}}
	for i := 0; i < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return body
}

func open(t *testing.T, c *servertest.Client, body map[string]any) (*servertest.Answer, string) {
	t.Helper()
	a := c.Post(track, body)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a, track + a.Field("session_id").(string) + "/"
}

func TestProgressAddsUp(t *testing.T) {
	c := library(t).As(t, "learner")
	_, session := open(t, c, video())
	for _, tc := range []struct {
		name     string
		body     map[string]any
		complete bool
		progress float64
		spent    float64
	}{
		{"a step", map[string]any{"progress_delta": 0.25, "time_spent_delta": 5.5}, false, 0.25, 5.5},
		{"rounded up to thousandths", map[string]any{"progress_delta": 0.0001}, false, 0.251, 5.5},
		{"set", map[string]any{"progress": 0.1}, false, 0.1, 5.5},
		{"nothing", map[string]any{}, false, 0.1, 5.5},
		{"never above one", map[string]any{"progress_delta": 0.95, "time_spent_delta": 1}, true, 1, 6.5},
		{"kept complete", map[string]any{"progress_delta": 0.5}, true, 1, 6.5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Put(session, tc.body)
			require.Equal(t, http.StatusOK, a.Status, a.Text)
			require.Equal(t, tc.complete, a.Field("complete"))
			again, _ := open(t, c, video())
			require.InDelta(t, tc.progress, again.Field("progress"), 1e-9)
			require.InDelta(t, tc.spent, again.Field("time_spent"), 1e-9)
		})
	}
	require.Equal(t, http.StatusOK, c.Put(session, map[string]any{"extra_fields": map[string]any{"at": 3}}).Status)
	repeated, _ := open(t, c, func() map[string]any { v := video(); v["repeat"] = true; return v }())
	require.Equal(t, 0.0, repeated.Field("progress"))
	require.Equal(t, 3.0, repeated.Field("extra_fields", "at"))
}

func TestTriesOfAnExercise(t *testing.T) {
	s := library(t)
	c := s.As(t, "learner")
	first, session := open(t, c, exercise())
	require.Equal(t, []any{}, first.Field("pastattempts"))
	require.Equal(t, 1.0, first.Field("context", "mastery_level"))
	answer := func(item string, correct float64, more ...any) map[string]any {
		i := map[string]any{"item": item, "correct": correct, "complete": true, "time_spent": 2.5, "answer": map[string]any{"v": item}}
		for k := 0; k < len(more); k += 2 {
			i[more[k].(string)] = more[k+1]
		}
		return i
	}
	put := func(body map[string]any) *servertest.Answer {
		t.Helper()
		a := c.Put(session, body)
		require.Equal(t, http.StatusOK, a.Status, a.Text)
		return a
	}
	a := put(map[string]any{"interactions": []any{answer("q1", 0, "complete", false), answer("q1", 1), answer("q2", 0, "correct", true)}, "time_spent_delta": 4})
	require.Len(t, a.Field("attempts"), 2, "what follows about one question is one answer")
	require.Equal(t, 0.0, a.Field("attempts", "0", "correct"), "the first answer counts")
	require.Equal(t, true, a.Field("attempts", "0", "complete"))
	require.Equal(t, 1.0, a.Field("attempts", "1", "correct"), "viewers say true or false")
	id := a.Field("attempts", "0", "id")
	replaced := put(map[string]any{"interactions": []any{answer("q1", 1, "id", id, "replace", true)}})
	require.Equal(t, 1.0, replaced.Field("attempts", "0", "correct"))
	hinted := put(map[string]any{"interactions": []any{answer("q1", 1, "id", id, "hinted", true)}})
	require.Equal(t, false, hinted.Field("attempts", "0", "hinted"), "a right answer needed no hint")
	failed := put(map[string]any{"interactions": []any{map[string]any{"item": "q3", "correct": 0, "time_spent": 1, "error": true}}})
	require.Equal(t, map[string]any{}, failed.Field("attempts", "0", "answer"))
	require.Equal(t, true, put(map[string]any{"progress": 1}).Field("complete"))

	again, _ := open(t, c, exercise())
	require.Equal(t, 3.0, again.Field("totalattempts"))
	require.Len(t, again.Field("pastattempts"), 3)
	require.Equal(t, true, again.Field("complete"))
	repeated, _ := open(t, c, exercise("repeat", true))
	require.Equal(t, 2.0, repeated.Field("context", "mastery_level"))
	require.Equal(t, []any{}, repeated.Field("pastattempts"))

	// the points, the tries and the answers, as reports read them
	require.Equal(t, 1.0, c.Get("/api/logger/userprogress/"+servertest.ID("learner")+"/").Field("progress"))
	query := "?content=" + servertest.ID("content Sums") + "&user=" + servertest.ID("learner")
	tries := c.Get("/api/logger/masterylog/" + query)
	require.Len(t, tries.JSON, 2)
	require.Equal(t, 2.0, c.Get("/api/logger/masterylog/"+query+"&complete=true").Field("0", "correct"))
	diff := c.Get("/api/logger/masterylog/0/diff/" + query)
	require.Equal(t, -2.0, diff.Field("diff", "correct"))
	require.Equal(t, []any{}, diff.Field("attemptlogs"))
	require.Len(t, c.Get("/api/logger/masterylog/1/diff/"+query).Field("attemptlogs"), 3)
	require.Equal(t, http.StatusNotFound, c.Get("/api/logger/masterylog/7/diff/"+query).Status)
	require.Equal(t, http.StatusNotFound, c.Get("/api/logger/masterylog/x/diff/"+query).Status)
	require.Equal(t, http.StatusPreconditionFailed, c.Get("/api/logger/masterylog/").Status)

	for who, count := range map[string]int{"anonymous": 0, "learner2": 0, "loner": 0, "learner": 3, "classcoach": 3, "coach": 3, "admin": 3, "superuser": 3} {
		require.Len(t, s.As(t, who).Get("/api/logger/attemptlog/").JSON, count, who)
		require.Equal(t, map[bool]int{true: 200, false: 404}[count > 0], s.As(t, who).Get("/api/logger/attemptlog/"+id.(string)+"/").Status, who)
	}
	coach := s.As(t, "coach")
	for filter, count := range map[string]int{"classroom=" + servertest.ID("class a"): 3, "classroom=" + servertest.ID("class b"): 0, "item=q1": 1, "mastery_level=1": 3,
		"mastery_level=2": 0, "learner_group=" + servertest.ID("group a1"): 0, "facility=" + servertest.ID("facility"): 3, "content=" + servertest.ID("content Sums"): 3} {
		require.Len(t, coach.Get("/api/logger/attemptlog/?"+filter).JSON, count, filter)
	}
	require.Equal(t, http.StatusBadRequest, coach.Get("/api/logger/attemptlog/?mastery_level=x").Status)
}

func TestWhatIsRefused(t *testing.T) {
	s := library(t)
	c := s.As(t, "learner")
	with := func(body map[string]any, more ...any) map[string]any {
		for i := 0; i < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		return body
	}
	nobody := servertest.ID("nobody")
	for _, tc := range []struct {
		name   string
		body   any
		status int
		text   string
	}{
		{"nothing", map[string]any{}, 400, "One of node_id"},
		{"no object", "[]", 400, "dictionary"},
		{"no JSON", "{", 400, "parse error"},
		{"an unknown kind", with(video(), "kind", "book"), 400, "INVALID_CHOICE"},
		{"a model for a video", with(video(), "mastery_model", map[string]any{"type": "do_all"}), 400, "must not be specified"},
		{"an exercise without a model", with(exercise(), "mastery_model", nil), 400, "NULL"},
		{"an unknown model", with(exercise(), "mastery_model", map[string]any{"type": "luck"}), 400, "mastery_model.type"},
		{"a lesson of others", with(video(), "lesson_id", nobody), 400, "Invalid lesson_id"},
		{"a course of others", with(video(), "course_session_id", nobody), 400, "Invalid course_session_id"},
		{"two contexts", with(video(), "lesson_id", nobody, "course_session_id", nobody), 400, "mutually exclusive"},
		{"a quiz of others", map[string]any{"quiz_id": nobody}, 403, "PERMISSION_DENIED"},
		{"a quiz in a lesson", map[string]any{"quiz_id": nobody, "lesson_id": nobody}, 400, "must not be mixed"},
		{"a test without its course", map[string]any{"unit_id": nobody}, 400, "test_type is required"},
		{"no id", with(video(), "node_id", "../../etc"), 400, "Must be a valid UUID"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Post(track, tc.body)
			require.Equal(t, tc.status, a.Status, a.Text)
			require.Contains(t, a.Text, tc.text)
		})
	}
	_, session := open(t, c, exercise())
	for name, body := range map[string]any{
		"both ways of progress":  map[string]any{"progress": 0.5, "progress_delta": 0.5},
		"time that runs back":    map[string]any{"time_spent_delta": -1},
		"more than all":          map[string]any{"progress": 1.5},
		"text for a number":      map[string]any{"progress": "much"},
		"infinity":               map[string]any{"time_spent_delta": "Infinity"},
		"extra fields as a list": map[string]any{"extra_fields": []any{}},
		"interactions as text":   map[string]any{"interactions": "x"},
		"an interaction as text": map[string]any{"interactions": []any{"x"}},
		"no item":                map[string]any{"interactions": []any{map[string]any{"correct": 1, "time_spent": 1, "answer": map[string]any{}}}},
		"no answer":              map[string]any{"interactions": []any{map[string]any{"item": "q", "correct": 1, "time_spent": 1}}},
		"ages for an answer":     map[string]any{"interactions": []any{map[string]any{"item": "q", "correct": 1, "time_spent": 1e300, "answer": map[string]any{}}}},
		"another's answer":       map[string]any{"interactions": []any{map[string]any{"id": nobody, "item": "q", "correct": 1, "time_spent": 1, "answer": map[string]any{}}}},
	} {
		require.Equal(t, http.StatusBadRequest, c.Put(session, body).Status, name)
	}
	require.Equal(t, http.StatusNotFound, c.Put(track+"x/", map[string]any{}).Status)
	require.Equal(t, http.StatusNotFound, s.As(t, "learner2").Put(session, map[string]any{}).Status, "another's session")
	require.Equal(t, http.StatusForbidden, s.Client(t).Post(track, video()).Status, "not without the token, guest or not")
	require.Equal(t, http.StatusForbidden, c.Get("/api/logger/userprogress/"+servertest.ID("learner2")+"/").Status)
}

func TestGuests(t *testing.T) {
	s := library(t)
	c := s.Client(t)
	c.Put("/api/auth/session/current/", map[string]any{})
	a, session := open(t, c, exercise())
	require.Equal(t, 0.0, a.Field("totalattempts"))
	answer := map[string]any{"item": "q1", "correct": 0, "time_spent": 1, "answer": map[string]any{}}
	require.Equal(t, http.StatusOK, c.Put(session, map[string]any{"interactions": []any{answer}, "progress": 0.5}).Status)
	answer["replace"], answer["correct"] = true, 1
	replaced := c.Put(session, map[string]any{"interactions": []any{answer}})
	require.Equal(t, 1.0, replaced.Field("attempts", "0", "correct"))
	var summaries, attempts int
	require.NoError(t, s.DB.Pool().QueryRow("SELECT (SELECT COUNT(*) FROM logger_contentsummarylog), (SELECT COUNT(*) FROM logger_attemptlog)").Scan(&summaries, &attempts))
	require.Equal(t, "0 1", fmt.Sprint(summaries, " ", attempts))
	var partition string
	require.NoError(t, s.DB.Pool().QueryRow("SELECT _morango_partition FROM logger_contentsessionlog").Scan(&partition))
	require.Equal(t, servertest.ID("dataset")+":anonymous", partition)
	require.Equal(t, http.StatusForbidden, c.Post(track, map[string]any{"quiz_id": servertest.ID("x")}).Status)
}
