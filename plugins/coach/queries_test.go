package coach_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/bench/bigschool"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/server"
	"kolibri/server/servertest"
	"kolibri/store"
)

// No page asks the database more often because there is more to show.
func TestQueriesStayTheSame(t *testing.T) {
	certificate, err := morango.NewRootCertificate(rand.Reader)
	require.NoError(t, err)
	hash, err := auth.HashPassword(context.Background(), servertest.CheapHasher{}, rand.Reader, servertest.Password)
	require.NoError(t, err)
	counts := map[string][]int64{}
	for _, size := range []bigschool.Size{
		{Learners: 10, Classes: 1, Lessons: 3, Quizzes: 3, Attempts: 400},
		{Learners: 1000, Classes: 2, Lessons: 6, Quizzes: 12, Attempts: 2000},
	} {
		s := servertest.New(t, func(c *server.Config) { c.Hasher = servertest.CheapHasher{} })
		school, err := bigschool.Make(context.Background(), s.DB, rand.Reader, hash, certificate, size)
		require.NoError(t, err)
		w := &servertest.World{Server: s, IDs: map[string]string{"class": school.Classes[0], "lesson": school.Lessons[0], "quiz": school.Quizzes[0],
			"exercise": school.Exercise, "drill": school.Drill, "learner": school.Learners[0]}}
		require.NoError(t, s.DB.Read(context.Background(), func(tx *store.Tx) error {
			found, err := tx.Strings("SELECT id FROM kolibriauth_facilityuser WHERE username = ?", bigschool.Coach)
			w.IDs["coach"] = found[0]
			return err
		}))
		teach(t, w, school)
		for who, paths := range map[string][]string{
			"coach": {"/coach/api/classsummary/{class}/", "/coach/api/lessonreport/", "/coach/api/lessonreport/{lesson}/", "/coach/api/quizdifficulties/{quiz}/",
				"/coach/api/exercisedifficulties/{exercise}/?classroom_id={class}", "/coach/api/exercisedifficulties/{exercise}/?classroom_id={class}&lesson_id={lesson}",
				"/coach/api/practicequizdifficulties/{drill}/?classroom_id={class}", "/coach/api/notifications/?classroom_id={class}&limit=10",
				"/api/lessons/lesson/?collection={class}", "/api/lessons/lesson/size/?collection={class}", "/api/exams/exam/?collection={class}", "/api/exams/exam/size/?collection={class}",
				"/api/auth/facilityuser/", "/api/auth/facilityuser/?page=1&page_size=30", "/api/auth/facilityuser/?member_of={class}", "/api/auth/facilityuser/?search=a",
				"/api/auth/facilityusername/", "/api/auth/facility/", "/api/auth/facilitydataset/", "/api/auth/classroom/", "/api/auth/classroom/{class}/",
				"/api/auth/learnergroup/?parent={class}", "/api/auth/membership/", "/api/auth/role/", "/api/auth/deletedfacilityuser/", "/api/device/usersyncstatus/",
				"/api/logger/attemptlog/", "/api/logger/attemptlog/?user={learner}", "/api/logger/masterylog/?content={exercise}&user={learner}", "/api/bookmarks/bookmarks/",
				"/api/courses/coursesession/?collection={class}", "/api/attendance/attendancesession/?collection={class}", "/api/attendance/attendancerecord/"},
			"learner": {"/learn/api/learnerclassroom/", "/learn/api/homehydrate/", "/learn/api/learnerlesson/", "/learn/api/learnercourse/", "/api/exams/exam/"},
		} {
			c := w.As(t, who)
			for _, path := range paths {
				counts[path] = append(counts[path], s.Queries(func() {
					a := c.Get(w.Path(path))
					require.Equal(t, http.StatusOK, a.Status, "%s: %s", path, a.Text)
				}))
			}
		}
		admin := w.Client(t)
		require.Equal(t, http.StatusOK, admin.Post("/api/auth/session/", map[string]any{"username": bigschool.Superuser, "password": servertest.Password, "facility": school.Facility}).Status)
		for _, task := range []string{"auth.tasks.exportuserstocsv", "logger.tasks.exportsessionlogcsv", "logger.tasks.exportsummarylogcsv"} {
			require.Less(t, exported(t, s, admin, task, school.Facility), 10, task) // one for each few hundred lines
		}
	}
	for path, n := range counts {
		require.Len(t, n, 2, path)
		require.Equal(t, n[0], n[1], path)
		require.Less(t, n[0], int64(30), path)
	}
}

// teach takes the register of a class, as often as it has quizzes.
func teach(t *testing.T, w *servertest.World, school *bigschool.School) {
	t.Helper()
	coach := w.As(t, "coach")
	var present []any
	for _, id := range school.Learners[:len(school.Learners)/len(school.Classes)] {
		present = append(present, map[string]any{"user": id, "present": true})
	}
	for range school.Quizzes {
		a := coach.Post("/api/attendance/attendancesession/", map[string]any{"collection": school.Classes[0], "attendance_records": present})
		require.Equal(t, http.StatusCreated, a.Status, a.Text)
	}
}

// exported has a file written, and returns how often that asked for what is in it. Asking whether it
// is done does not count.
func exported(t *testing.T, s *servertest.Server, admin *servertest.Client, task, facility string) int {
	t.Helper()
	asked := s.Asked(func() {
		job := admin.Ended(admin.Post("/api/tasks/tasks/", map[string]any{"type": "kolibri.core." + task, "facility": facility, "locale": "en",
			"start_date": "2000-01-01T00:00:00Z", "end_date": "2100-01-01T00:00:00Z"}))
		require.Equal(t, "COMPLETED", job.Field("status"), job.Text)
	}, "logger_content", "kolibriauth_membership")
	require.NotEmpty(t, asked, task)
	return len(asked)
}
