package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

// together runs all at the same time, as browser tabs do that are open side by side, and returns what
// each was answered.
func together(calls ...func() *servertest.Answer) []*servertest.Answer {
	answers := make([]*servertest.Answer, len(calls))
	var start, done sync.WaitGroup
	start.Add(1)
	for i, call := range calls {
		done.Go(func() {
			start.Wait()
			answers[i] = call()
		})
	}
	start.Done()
	done.Wait()
	return answers
}

// statuses are those of answers, in order.
func statuses(answers []*servertest.Answer) (all []int) {
	for _, a := range answers {
		all = append(all, a.Status)
	}
	slices.Sort(all)
	return all
}

func TestEditsOfOneThingAtOnce(t *testing.T) { editAtOnce(t, servertest.NewWorld(t)) }

func TestEditsOfOneThingAtOnceOnPostgreSQL(t *testing.T) {
	editAtOnce(t, servertest.NewWorld(t, servertest.StartPostgres(t).Option(t)))
}

// editAtOnce has things made, edited and deleted by two at once: no edit is lost, nothing is made or
// deleted twice, and nobody is answered with an error of the server's own.
func editAtOnce(t *testing.T, w *servertest.World) {
	left, right := w.As(t, "admin"), w.As(t, "coach")
	lesson := map[string]any{"title": "Water", "description": "", "resources": []any{}, "collection": w.IDs["class_a"], "assignments": []string{w.IDs["class_a"]}, "learner_ids": []string{}}
	quiz := map[string]any{"title": "Quiz", "collection": w.IDs["class_a"], "assignments": []string{w.IDs["class_a"]}, "learner_ids": []string{}, "question_sources": []any{}, "draft": true}
	roll := map[string]any{"collection": w.IDs["class_a"], "attendance_records": []any{map[string]any{"user": w.IDs["learner"], "present": true}}}
	for _, tc := range []struct {
		at             string
		body           map[string]any
		one, other     string // fields that are edited at once
		oneTo, otherTo any
		twins          []int // what two are told who make the same
	}{
		{"/api/lessons/lesson/", lesson, "description", "active", "rivers", true, []int{201, 400}},
		{"/api/exams/exam/", quiz, "title", "learners_see_fixed_order", "Test", true, []int{201, 400}},
		{"/api/attendance/attendancesession/", roll, "", "", nil, nil, []int{201, 201}},
		{"/api/auth/learnergroup/", map[string]any{"name": "Reds", "parent": w.IDs["class_a"]}, "name", "name", "Blues", "Blues", []int{201, 400}},
		{"/api/bookmarks/bookmarks/", map[string]any{"contentnode_id": servertest.ID("nothing"), "user": w.IDs["admin"]}, "", "", nil, nil, nil},
	} {
		t.Run(tc.at, func(t *testing.T) {
			made := together(func() *servertest.Answer { return left.Post(tc.at, tc.body) }, func() *servertest.Answer { return right.Post(tc.at, tc.body) })
			for _, a := range made {
				require.Less(t, a.Status, 500, a.Text)
			}
			if tc.twins == nil {
				return
			}
			require.Equal(t, tc.twins, statuses(made), "%s %s", made[0].Text, made[1].Text)
			if made[0].Status != http.StatusCreated {
				made[0], made[1] = made[1], made[0]
			}
			if tc.one == "" {
				return
			}
			at := fmt.Sprint(tc.at, made[0].Field("id"), "/") // drafts are numbered
			for range 3 {
				edited := together(func() *servertest.Answer { return left.Patch(at, map[string]any{tc.one: tc.oneTo}) },
					func() *servertest.Answer { return right.Patch(at, map[string]any{tc.other: tc.otherTo}) })
				require.Equal(t, []int{200, 200}, statuses(edited), "%s %s", edited[0].Text, edited[1].Text)
				now := left.Get(at)
				require.Equal(t, tc.oneTo, now.Field(tc.one), "%s is lost: %s", tc.one, now.Text)
				require.Equal(t, tc.otherTo, now.Field(tc.other), "%s is lost: %s", tc.other, now.Text)
			}
			gone := together(func() *servertest.Answer { return left.Delete(at) }, func() *servertest.Answer { return right.Delete(at) })
			require.Subset(t, []int{204, 404}, statuses(gone), "%s %s", gone[0].Text, gone[1].Text)
			require.Equal(t, 404, left.Get(at).Status)
		})
	}
	t.Run("an account", func(t *testing.T) {
		super := w.As(t, "superuser")
		body := map[string]any{"username": "twin", "full_name": "Twin", "password": "pass-word1", "facility": w.IDs["facility"]}
		made := together(func() *servertest.Answer { return left.Post("/api/auth/facilityuser/", body) }, func() *servertest.Answer { return super.Post("/api/auth/facilityuser/", body) })
		require.Equal(t, []int{201, 400}, statuses(made), "%s %s", made[0].Text, made[1].Text)
	})
	t.Run("a membership", func(t *testing.T) {
		body := map[string]any{"user": w.IDs["loner"], "collection": w.IDs["class_b"]}
		for _, a := range together(func() *servertest.Answer { return left.Post("/api/auth/membership/", body) }, func() *servertest.Answer { return right.Post("/api/auth/membership/", body) }) {
			require.Less(t, a.Status, 500, a.Text)
		}
		list := left.Get(fmt.Sprintf("/api/auth/membership/?user=%s&collection=%s", w.IDs["loner"], w.IDs["class_b"]))
		require.Len(t, list.JSON, 1, list.Text)
	})
}

func TestAClassGoesWhileItIsUsed(t *testing.T) { classGoes(t, servertest.NewWorld(t)) }

func TestAClassGoesWhileItIsUsedOnPostgreSQL(t *testing.T) {
	classGoes(t, servertest.NewWorld(t, servertest.StartPostgres(t).Option(t)))
}

// classGoes has a class deleted while others fill it: the class is gone afterwards, with everything
// that was put into it, and the others are told so or were in time.
func classGoes(t *testing.T, w *servertest.World) {
	admin, coach, super := w.As(t, "admin"), w.As(t, "coach"), w.As(t, "superuser")
	for range 2 {
		made := admin.Post("/api/auth/classroom/", map[string]any{"name": "Short", "parent": w.IDs["facility"]})
		require.Equal(t, http.StatusCreated, made.Status, made.Text)
		class := made.Field("id")
		fill := func(c *servertest.Client, at string, body map[string]any) func() *servertest.Answer {
			return func() *servertest.Answer { return c.Post(at, body) }
		}
		answers := together(
			func() *servertest.Answer { return admin.Delete(fmt.Sprint("/api/auth/classroom/", class, "/")) },
			fill(coach, "/api/lessons/lesson/", map[string]any{"title": "Water", "resources": []any{}, "collection": class, "assignments": []any{class}, "learner_ids": []string{}}),
			fill(super, "/api/auth/learnergroup/", map[string]any{"name": "Reds", "parent": class}),
			fill(coach, "/api/auth/membership/", map[string]any{"user": w.IDs["learner"], "collection": class}),
			fill(super, "/api/auth/role/", map[string]any{"user": w.IDs["coach"], "collection": class, "kind": "coach"}),
			fill(coach, "/api/exams/exam/", map[string]any{"title": "Quiz", "collection": class, "assignments": []any{class}, "learner_ids": []string{}, "question_sources": []any{}, "draft": true}),
		)
		require.Equal(t, http.StatusNoContent, answers[0].Status, "%s\n%s", answers[0].Text, w.Log)
		for _, a := range answers[1:] {
			require.Less(t, a.Status, 500, "%s\n%s", a.Text, w.Log)
		}
		require.Equal(t, http.StatusNotFound, admin.Get(fmt.Sprint("/api/auth/classroom/", class, "/")).Status)
	}
}
