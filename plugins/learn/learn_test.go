package learn_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
	"kolibri/store"
)

// school has a channel, and in class A a lesson, a quiz and a course; the lesson is for group A1.
func school(t *testing.T) *servertest.School {
	s := servertest.NewSchool(t)
	id := servertest.ID
	s.Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Rivers", Kind: "video"}, {Title: "Lakes", Kind: "video", Hidden: true}, {Title: "Sums", Kind: "exercise", Questions: 5},
		{Title: "Course", Kind: "topic", Modality: "COURSE", Children: []servertest.Node{{Title: "Unit", Kind: "topic", Modality: "UNIT", Children: []servertest.Node{
			{Title: "Lesson", Kind: "topic", Modality: "LESSON", Children: []servertest.Node{{Title: "Seas", Kind: "video"}, {Title: "Tides", Kind: "video"}}}}}}}}})
	now, dataset := store.Zoned(time.Now()), id("dataset")
	resource := func(name string) string {
		return fmt.Sprintf(`{"contentnode_id": %q, "content_id": %q, "channel_id": %q}`, id(name), id("content "+name), id("Science"))
	}
	s.Exec(t, `INSERT INTO lessons_lesson (id, _morango_dirty_bit, _morango_source_id, _morango_partition, description, resources, is_active, collection_id, dataset_id, title, date_created)
		VALUES (?, TRUE, 's', 'p', 'About water', ?, TRUE, ?, ?, 'Water', ?)`, id("lesson"), "["+resource("Rivers")+","+resource("Lakes")+"]", id("class a"), dataset, now)
	s.Exec(t, "INSERT INTO lessons_lessonassignment VALUES (?, TRUE, 's', 'p', ?, ?, ?, NULL)", id("lesson a1"), id("group a1"), dataset, id("lesson"))
	s.Exec(t, `INSERT INTO exams_exam (id, _morango_dirty_bit, _morango_source_id, _morango_partition, title, question_count, question_sources, seed, active, archive, collection_id,
		dataset_id, data_model_version, learners_see_fixed_order, date_created) VALUES (?, TRUE, 's', 'p', 'Quiz', 2, ?, 1, TRUE, FALSE, ?, ?, 3, FALSE, ?)`,
		id("exam"), fmt.Sprintf(`[{"questions": [{"exercise_id": %q}, {"exercise_id": %q}]}]`, id("Sums"), id("nobody")), id("class a"), dataset, time.Now())
	s.Exec(t, "INSERT INTO exams_examassignment VALUES (?, TRUE, 's', 'p', ?, ?, ?, NULL)", id("exam a"), id("class a"), dataset, id("exam"))
	s.Exec(t, "INSERT INTO courses_coursesession VALUES (?, TRUE, 's', 'p', ?, 'A course', NULL, TRUE, ?, ?, NULL, ?, NULL)", id("course session"), id("Course"), now, id("class a"), dataset)
	s.Exec(t, "INSERT INTO courses_coursesessionassignment VALUES (?, TRUE, 's', 'p', NULL, ?, ?, ?)", id("course a"), id("class a"), id("course session"), dataset)
	return s
}

func work(t *testing.T, c *servertest.Client, node string, progress float64) {
	t.Helper()
	a := c.Post("/api/logger/trackprogress/", map[string]any{"node_id": servertest.ID(node), "content_id": servertest.ID("content " + node),
		"channel_id": servertest.ID("Science"), "kind": "video"})
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	require.Equal(t, http.StatusOK, c.Put("/api/logger/trackprogress/"+a.Field("session_id").(string)+"/", map[string]any{"progress": progress}).Status)
}

func TestWhoSeesWhat(t *testing.T) {
	s := school(t)
	id := servertest.ID
	for _, tc := range []struct {
		who               string
		inClasses         bool
		classes, lesson   int // statuses of the list and of one
		lessons, ofClassA int
	}{
		{"anonymous", false, 403, 403, 0, 403},
		{"loner", false, 200, 404, 0, 404},
		{"learner", true, 200, 404, 0, 200},
		{"learner2", true, 200, 200, 1, 200},
		{"learner3", true, 200, 404, 0, 404},
		{"classcoach", false, 200, 404, 0, 404},
		{"admin", false, 200, 404, 0, 404},
		{"superuser", false, 200, 404, 0, 404},
	} {
		t.Run(tc.who, func(t *testing.T) {
			c := s.As(t, tc.who)
			require.Equal(t, tc.inClasses, c.Get("/learn/api/state").Field("in_classes"))
			require.Equal(t, tc.classes, c.Get("/learn/api/learnerclassroom/").Status)
			require.Equal(t, tc.classes, c.Get("/learn/api/learnercourse/").Status)
			list := c.Get("/learn/api/learnerlesson/")
			require.Equal(t, tc.classes, list.Status)
			if list.Status == http.StatusOK {
				require.Len(t, list.JSON, tc.lessons)
			}
			require.Equal(t, tc.lesson, c.Get("/learn/api/learnerlesson/"+id("lesson")+"/").Status)
			require.Equal(t, tc.ofClassA, c.Get("/learn/api/learnerclassroom/"+id("class a")+"/").Status)
			require.Equal(t, tc.ofClassA, c.Get("/learn/api/learnercourse/"+id("course session")+"/").Status)
			require.Equal(t, http.StatusOK, c.Get("/learn/api/homehydrate").Status)
		})
	}
}

func TestClassroom(t *testing.T) {
	s := school(t)
	c := s.As(t, "learner2")
	work(t, c, "Rivers", 0.5)
	work(t, c, "Seas", 1)
	a := c.Get("/learn/api/learnerclassroom/" + servertest.ID("class a") + "/")
	require.Equal(t, "class a", a.Field("name"))
	require.Equal(t, map[string]any{"resource_progress": 0.5, "total_resources": 2.0}, a.Field("lessons", "0", "progress"))
	require.Equal(t, true, a.Field("lessons", "0", "missing_resource"))
	require.Equal(t, "Rivers", a.Field("lessons", "0", "resources", "0", "contentnode", "title"))
	require.Nil(t, a.Field("lessons", "0", "resources", "1", "contentnode"))
	require.Equal(t, true, a.Field("exams", "0", "missing_resource"))
	require.Equal(t, map[string]any{"started": false, "closed": nil, "score": nil, "answer_count": nil}, a.Field("exams", "0", "progress"))
	require.Equal(t, 0.5, a.Field("courses", "0", "progress"))
	require.Equal(t, 1.0, a.Field("courses", "0", "unit_count"))
	require.Equal(t, servertest.ID("Course"), a.Field("courses", "0", "course_id"))

	quiz := c.Post("/api/logger/trackprogress/", map[string]any{"quiz_id": servertest.ID("exam")})
	require.Equal(t, http.StatusOK, quiz.Status, quiz.Text)
	require.Less(t, quiz.Field("context", "mastery_level"), 0.0)
	session := "/api/logger/trackprogress/" + quiz.Field("session_id").(string) + "/"
	answers := []any{map[string]any{"item": "a", "correct": 1, "complete": true, "time_spent": 1, "answer": map[string]any{}}, map[string]any{"item": "b", "correct": 0, "complete": true, "time_spent": 1, "answer": map[string]any{}}}
	require.Equal(t, http.StatusOK, c.Put(session, map[string]any{"interactions": answers, "progress": 1}).Status)
	after := c.Get("/learn/api/learnerclassroom/" + servertest.ID("class a") + "/")
	require.Equal(t, map[string]any{"started": true, "closed": true, "score": 1.0, "answer_count": 2.0}, after.Field("exams", "0", "progress"))
	require.Equal(t, http.StatusForbidden, c.Put(session, map[string]any{"interactions": answers}).Status, "handed in")

	s.Exec(t, "UPDATE exams_exam SET active = FALSE")
	s.Exec(t, "UPDATE lessons_lesson SET is_active = FALSE")
	closed := c.Get("/learn/api/learnerclassroom/" + servertest.ID("class a") + "/")
	require.Len(t, closed.Field("exams"), 1, "a quiz that was begun stays")
	require.Empty(t, closed.Field("lessons"))
	require.Empty(t, s.As(t, "learner").Get("/learn/api/learnerclassroom/"+servertest.ID("class a")+"/").Field("exams"))
}

func TestHome(t *testing.T) {
	s := school(t)
	empty := map[string]any{"classrooms": []any{}, "courses": []any{}, "resumable_resources": []any{}, "resumable_resources_progress": []any{}}
	require.Equal(t, empty, s.Client(t).Get("/learn/api/homehydrate").JSON)

	c := s.As(t, "learner")
	work(t, c, "Rivers", 0.5)
	work(t, c, "Seas", 0.5)
	work(t, c, "Sums", 1)
	home := c.Get("/learn/api/homehydrate")
	require.Len(t, home.Field("classrooms"), 1)
	require.Len(t, home.Field("courses"), 1)
	require.Len(t, home.Field("resumable_resources", "results"), 1, "nothing of courses, nothing that is done")
	require.Equal(t, "Rivers", home.Field("resumable_resources", "results", "0", "title"))
	require.Equal(t, 0.5, home.Field("resumable_resources_progress", "0", "progress"))

	two := s.As(t, "learner2")
	work(t, two, "Rivers", 0.5)
	require.Equal(t, []any{}, two.Get("/learn/api/homehydrate").Field("resumable_resources"), "the lesson comes first")

	progress := c.Get("/api/content/contentnodeprogress/?resume=true&ordering=-last_interacted&max_results=1")
	require.Equal(t, servertest.ID("content Seas"), progress.Field("0", "content_id"), "the latest first")
	page := c.Get("/api/content/usercontentnode/?resume=true&ordering=-last_interacted&max_results=1")
	next := c.Get("/api/content/usercontentnode/?resume=true&ordering=-last_interacted&max_results=1&cursor=" + page.Field("more", "cursor").(string))
	require.Equal(t, "Rivers", next.Field("results", "0", "title"))
	require.Nil(t, next.Field("more"))
	require.Equal(t, []any{}, s.Client(t).Get("/api/content/contentnodeprogress/").JSON)
	tree := c.Get("/api/content/contentnodeprogress/" + servertest.ID("Science") + "/tree/")
	require.Len(t, tree.JSON, 3)
	require.Len(t, two.Get("/api/content/usercontentnode/?lesson="+servertest.ID("lesson")).JSON, 1)
	require.Empty(t, c.Get("/api/content/usercontentnode/?lesson="+servertest.ID("lesson")).JSON)
	require.NotEmpty(t, c.Get("/api/content/usercontentnode/?popular=true").JSON)
	require.Equal(t, "Course", c.Get("/api/content/usercontentnode/?next_steps=true").Field("0", "title"), "what stands to the right")
}

func TestResumingACourse(t *testing.T) {
	s := school(t)
	c := s.As(t, "learner")
	id := servertest.ID
	resume := func() any { return c.Get("/learn/api/learnercourse/" + id("course session") + "/resume/").JSON }
	require.Equal(t, map[string]any{"started": false, "active_test": nil, "resume_position": nil}, resume())
	s.Exec(t, "INSERT INTO courses_unittestassignment VALUES (?, TRUE, 's', 'p', ?, 'pre', NULL, ?, ?, ?, FALSE)",
		id("test"), id("Unit"), id("class a"), id("course session"), id("dataset"))
	require.Equal(t, map[string]any{"started": true, "active_test": map[string]any{"unit_id": id("Unit"), "test_type": "pre"}, "resume_position": nil}, resume())
	s.Exec(t, "UPDATE courses_unittestassignment SET closed = TRUE")
	work(t, c, "Seas", 1)
	require.Equal(t, map[string]any{"unit_id": id("Unit"), "lesson_id": id("Lesson"), "resource_id": id("Tides")}, resume().(map[string]any)["resume_position"])
	work(t, c, "Tides", 1)
	require.Equal(t, map[string]any{"unit_id": id("Unit"), "lesson_id": nil, "resource_id": nil}, resume().(map[string]any)["resume_position"])
	test := c.Post("/api/logger/trackprogress/", map[string]any{"unit_id": id("Unit"), "test_type": "pre", "course_session_id": id("course session")})
	require.Equal(t, "pre_post_test", test.Field("mastery_criterion", "type"), test.Text)
}
