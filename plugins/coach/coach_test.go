package coach_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

var id = servertest.ID

const track = "/api/logger/trackprogress/"

// world has a channel, a lesson with a video and an exercise for class A, a quiz of three questions
// that is open for it, and a lesson and a quiz for class B. Their ids are in w.IDs.
func world(t *testing.T, w *servertest.World) *servertest.World {
	(&servertest.School{Server: w.Server}).Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Rivers", Kind: "video"}, {Title: "Sums", Kind: "exercise", Questions: 5}, {Title: "Fire", Kind: "document"},
		{Title: "Drill", Kind: "exercise", Modality: "QUIZ", Questions: 3}}})
	coach := w.As(t, "coach")
	resource := func(name string) map[string]any {
		return map[string]any{"contentnode_id": id(name), "content_id": id("content " + name), "channel_id": id("Science")}
	}
	post := func(name, path string, body map[string]any) {
		t.Helper()
		a := coach.Post(path, body)
		require.Equal(t, http.StatusCreated, a.Status, a.Text)
		w.IDs[name], _ = a.Field("id").(string)
	}
	questions := []any{}
	for i := range 3 {
		questions = append(questions, map[string]any{"exercise_id": id("Sums"), "question_id": id(fmt.Sprint("q", i)), "title": "Q", "counter_in_exercise": i})
	}
	for _, class := range []string{"class_a", "class_b"} {
		post("lesson_"+class, "/api/lessons/lesson/", map[string]any{"title": "Water", "resources": []any{resource("Rivers"), resource("Sums"), resource("Drill")},
			"collection": w.IDs[class], "assignments": []string{w.IDs[class]}, "active": true})
		post("quiz_"+class, "/api/exams/exam/", map[string]any{"title": "Test", "draft": false, "active": true, "collection": w.IDs[class], "assignments": []string{w.IDs[class]},
			"question_sources": []any{map[string]any{"questions": questions}}})
	}
	return w
}

func begin(t *testing.T, c *servertest.Client, body map[string]any) string {
	t.Helper()
	a := c.Post(track, body)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return track + a.Field("session_id").(string) + "/"
}

func put(t *testing.T, c *servertest.Client, session string, body map[string]any) {
	t.Helper()
	a := c.Put(session, body)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
}

func answer(item string, correct float64) map[string]any {
	return map[string]any{"item": item, "correct": correct, "complete": true, "time_spent": 1, "answer": map[string]any{}}
}

func on(w *servertest.World, name, kind string, model map[string]any) map[string]any {
	body := map[string]any{"node_id": id(name), "content_id": id("content " + name), "channel_id": id("Science"), "kind": kind, "lesson_id": w.IDs["lesson_class_a"]}
	if model != nil {
		body["mastery_model"] = model
	}
	return body
}

var (
	mOfN = map[string]any{"type": "m_of_n", "m": 3, "n": 5}
	quiz = map[string]any{"type": "quiz"}
)

func TestWhoSeesReports(t *testing.T) { ladder(t, world(t, servertest.NewWorld(t))) }

func ladder(t *testing.T, w *servertest.World) {
	paths := []string{"classsummary/{class}/", "lessonreport/{lesson_class}/", "quizdifficulties/{quiz_class}/", "exercisedifficulties/{node}/?classroom_id={class}",
		"exercisedifficulties/{node}/?classroom_id={class}&group_id={group}", "practicequizdifficulties/{node}/?classroom_id={class}",
		"practicequizdifficulties/{node}/?classroom_id=x&lesson_id={lesson_class}", "notifications/?classroom_id={class}"}
	for _, tc := range []struct {
		who             string
		inA, inB, lists int
	}{
		{"anonymous", 403, 403, 403}, {"loner", 403, 403, 403}, {"learner", 403, 403, 403}, {"other_coach", 403, 403, 200}, {"other_admin", 403, 403, 200},
		{"classcoach", 200, 403, 403}, {"coach", 200, 200, 200}, {"admin", 200, 200, 200}, {"superuser", 200, 200, 200},
	} {
		t.Run(tc.who, func(t *testing.T) {
			c := w.As(t, tc.who)
			for suffix, want := range map[string]int{"_a": tc.inA, "_b": tc.inB} {
				w.IDs["class"], w.IDs["group"], w.IDs["node"] = w.IDs["class"+suffix], w.IDs["group"+suffix], id("content Sums")
				w.IDs["lesson_class"], w.IDs["quiz_class"] = w.IDs["lesson_class"+suffix], w.IDs["quiz_class"+suffix]
				for _, path := range paths {
					a := c.Get("/coach/api/" + w.Path(path))
					require.Equal(t, want, a.Status, "%s of %s: %s", path, suffix, a.Text)
				}
			}
			require.Equal(t, tc.lists, c.Get("/coach/api/lessonreport/").Status)
		})
	}
	c := w.As(t, "superuser")
	for path, want := range map[string]int{"classsummary/x/": 403, "classsummary/{coach}/": 403, "classsummary/{group_a}/": 404, "classsummary/{facility}/": 404,
		"lessonreport/x/": 404, "lessonreport/{coach}/": 404, "quizdifficulties/x/": 403, "quizdifficulties/1/": 403,
		"exercisedifficulties/{node}/": 412, "practicequizdifficulties/{node}/": 412, "exercisedifficulties/{node}/?classroom_id=x": 403,
		"exercisedifficulties/{node}/?classroom_id={class_a}&lesson_id=x": 403, "exercisedifficulties/x/?classroom_id={class_a}": 404,
		"quizdifficulties/{quiz_class_a}/?group_id=x": 400, "notifications/?classroom_id={class_a}&limit=-1": 400,
		"notifications/": 412, "notifications/?classroom_id=x": 403} {
		a := c.Get("/coach/api/" + w.Path(path))
		require.Equal(t, want, a.Status, "%s: %s", path, a.Text)
	}
}

func TestHowLearnersAreDoing(t *testing.T) { status(t, world(t, servertest.NewWorld(t))) }

func status(t *testing.T, w *servertest.World) {
	coach, learner, second := w.As(t, "coach"), w.As(t, "learner"), w.As(t, "learner2")
	put(t, learner, begin(t, learner, on(w, "Rivers", "video", nil)), map[string]any{"progress": 1, "time_spent_delta": 4})
	begin(t, second, on(w, "Rivers", "video", nil))
	begin(t, learner, on(w, "Sums", "exercise", mOfN))
	stuck := begin(t, second, on(w, "Sums", "exercise", mOfN))
	for i := range 5 {
		put(t, second, stuck, map[string]any{"interactions": []any{answer(fmt.Sprint("s", i), 0)}})
	}
	for range 2 { // the second try at the practice quiz is better
		try := on(w, "Drill", "exercise", quiz)
		try["repeat"] = true
		put(t, learner, begin(t, learner, try), map[string]any{"interactions": []any{answer("d1", 1), answer("d2", 0), answer("d2", 0)}, "progress": 1})
	}
	taking := begin(t, learner, map[string]any{"quiz_id": w.IDs["quiz_class_a"]})
	put(t, learner, taking, map[string]any{"interactions": []any{answer("x1", 1), answer("x2", 0.5)}})

	a := coach.Get("/coach/api/classsummary/" + w.IDs["class_a"] + "/")
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	at := map[string]map[string]any{}
	for _, v := range a.Field("content_learner_status").([]any) {
		s := v.(map[string]any)
		who := map[any]string{w.IDs["learner"]: "learner", w.IDs["learner2"]: "learner2"}[s["learner_id"]]
		what := map[any]string{id("content Rivers"): "Rivers", id("content Sums"): "Sums", id("content Drill"): "Drill"}[s["content_id"]]
		at[who+" "+what] = s
	}
	require.Len(t, at, 5)
	for name, want := range map[string]string{"learner Rivers": "Completed", "learner2 Rivers": "Started", "learner Sums": "NotStarted", "learner2 Sums": "HelpNeeded", "learner Drill": "Completed"} {
		require.Equal(t, want, at[name]["status"], name)
	}
	require.Equal(t, 4.0, at["learner Rivers"]["time_spent"])
	require.NotContains(t, at["learner2 Sums"], "num_correct", "only quizzes have a score")
	for field, want := range map[string]any{"tries": 2.0, "complete": true, "num_correct": 1.0, "num_answered": 2.0, "previous_num_correct": 1.0} {
		require.Equal(t, want, at["learner Drill"][field], field)
	}
	exam := a.Field("exam_learner_status", "0").(map[string]any)
	for field, want := range map[string]any{"exam_id": w.IDs["quiz_class_a"], "learner_id": w.IDs["learner"], "status": "Started", "num_correct": 1.5, "num_answered": 2.0, "previous_num_correct": 0.0} {
		require.Equal(t, want, exam[field], field)
	}
	require.Len(t, a.Field("learners"), 2)
	require.Equal(t, "classcoach", a.Field("coaches", "0", "username"))
	require.Equal(t, []any{map[string]any{"id": w.IDs["group_a"], "name": "Group A1", "member_ids": []any{w.IDs["learner"]}}}, a.Field("groups"))
	require.Equal(t, []any{}, a.Field("adhoclearners"))
	require.Equal(t, []any{id("Rivers"), id("Sums"), id("Drill")}, a.Field("lessons", "0", "node_ids"))
	require.Equal(t, []any{id("Sums"), id("Sums"), id("Sums")}, a.Field("exams", "0", "node_ids"))
	require.Equal(t, false, a.Field("lessons", "0", "missing_resource"))
	require.Len(t, a.Field("content"), 3)

	report := coach.Get("/coach/api/lessonreport/" + w.IDs["lesson_class_a"] + "/")
	require.Equal(t, map[string]any{"id": w.IDs["lesson_class_a"], "title": "Water", "total_learners": 2.0, "progress": []any{
		map[string]any{"contentnode_id": id("Rivers"), "num_learners_completed": 1.0}, map[string]any{"contentnode_id": id("Sums"), "num_learners_completed": 0.0},
		map[string]any{"contentnode_id": id("Drill"), "num_learners_completed": 1.0}}}, report.JSON)
	require.Len(t, coach.Get("/coach/api/lessonreport/").JSON, 2)

	difficulty := func(item string, correct, total float64) map[string]any {
		return map[string]any{"item": item, "correct": correct, "total": total}
	}
	quizPath := "/coach/api/quizdifficulties/" + w.IDs["quiz_class_a"] + "/"
	require.Empty(t, coach.Get(quizPath).JSON, "nobody has handed it in")
	require.Equal(t, http.StatusOK, coach.Patch("/api/exams/exam/"+w.IDs["quiz_class_a"]+"/", map[string]any{"active": false, "draft": false}).Status)
	begun := []any{difficulty("x1", 1, 1), difficulty("x2", 0.5, 1)}
	require.Equal(t, begun, coach.Get(quizPath).JSON)
	require.Equal(t, begun, coach.Get(quizPath+"?group_id="+w.IDs["group_a"]).JSON)
	require.Empty(t, coach.Get(quizPath+"?group_id="+w.IDs["group_b"]).JSON)

	sums := "/coach/api/exercisedifficulties/" + id("content Sums") + "/?classroom_id=" + w.IDs["class_a"]
	wrong := []any{difficulty("s0", 0, 1), difficulty("s1", 0, 1), difficulty("s2", 0, 1), difficulty("s3", 0, 1), difficulty("s4", 0, 1)}
	require.Equal(t, wrong, coach.Get(sums).JSON)
	require.Equal(t, wrong, coach.Get(sums+"&lesson_id="+w.IDs["lesson_class_a"]).JSON)
	require.Empty(t, coach.Get(sums+"&group_id="+w.IDs["group_a"]).JSON, "who failed is not in the group")
	require.Empty(t, coach.Get(sums+"&lesson_id="+w.IDs["lesson_class_b"]).JSON)
	drill := "/coach/api/practicequizdifficulties/" + id("content Drill") + "/?classroom_id=" + w.IDs["class_a"]
	last := []any{difficulty("d1", 1, 1), difficulty("d2", 0, 1)}
	for _, more := range []string{"", "&group_id=" + w.IDs["group_a"], "&lesson_id=" + w.IDs["lesson_class_a"], "&group_id="} {
		require.Equal(t, last, coach.Get(drill+more).JSON, more)
	}
	require.Empty(t, coach.Get(drill+"&group_id="+w.IDs["group_b"]+"&lesson_id="+w.IDs["lesson_class_b"]).JSON)

	s := &servertest.School{Server: w.Server}
	s.Exec(t, "UPDATE content_contentnode SET available = FALSE WHERE id = ?", id("Sums"))
	s.Exec(t, "DELETE FROM content_assessmentmetadata WHERE contentnode_id = ?", id("Drill"))
	gone := coach.Get("/coach/api/classsummary/" + w.IDs["class_a"] + "/")
	require.Equal(t, true, gone.Field("lessons", "0", "missing_resource"))
	require.Equal(t, true, gone.Field("exams", "0", "missing_resource"))
	require.Equal(t, http.StatusNoContent, w.As(t, "admin").Delete("/api/auth/facilityuser/"+w.IDs["learner2"]+"/").Status)
	require.Len(t, coach.Get("/coach/api/classsummary/"+w.IDs["class_a"]+"/").Field("learners"), 1)
	require.Empty(t, coach.Get(sums).JSON, "who is deleted no longer counts")
}

func TestOnPostgreSQL(t *testing.T) {
	pg := servertest.StartPostgres(t)
	for name, test := range map[string]func(*testing.T, *servertest.World){"ladder": ladder, "status": status} {
		t.Run(name, func(t *testing.T) { test(t, world(t, servertest.NewWorld(t, pg.Option(t)))) })
	}
}
