package notifications_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/notifications"
	"kolibri/morango"
	"kolibri/morango/transfer"
	"kolibri/server/servertest"
	"kolibri/store"
)

// What was done elsewhere is told just as what is done here.
func TestSyncedLogs(t *testing.T) { synced(t, newClass(t, servertest.NewWorld(t))) }

func TestSyncedLogsOnPostgreSQL(t *testing.T) {
	synced(t, newClass(t, servertest.NewWorld(t, servertest.StartPostgres(t).Option(t))))
}

func synced(t *testing.T, c *class) {
	learner := c.As(t, "learner")
	put(t, learner, c.work(t, learner, "Rivers", "video", "lesson_id", c.both), map[string]any{"progress": 1})
	put(t, learner, c.work(t, learner, "Sums", "exercise", "lesson_id", c.both), answer(1))
	c.work(t, learner, "Fire", "document")
	c.work(t, c.As(t, "loner"), "Rivers", "video")
	made := c.As(t, "coach").Post("/api/exams/exam/", map[string]any{"title": "Quiz", "collection": c.IDs["class_a"], "assignments": []string{c.IDs["class_a"]},
		"draft": false, "active": true, "question_sources": []any{map[string]any{"questions": []any{map[string]any{"exercise_id": servertest.ID("Sums"),
			"question_id": servertest.ID("q"), "counter_in_exercise": 1}}}}})
	require.Equal(t, http.StatusCreated, made.Status, made.Text)
	begin := learner.Post(track, map[string]any{"quiz_id": made.Field("id")})
	require.Equal(t, http.StatusOK, begin.Status, begin.Text)
	body := answer(1)
	body["progress"] = 1
	put(t, learner, track+begin.Field("session_id").(string)+"/", body)
	here := c.told(t, "")
	require.Len(t, here, 12)

	const session = "00000000000000000000000000000001"
	e := &transfer.Event{Session: transfer.Session{ID: session, Filter: transfer.Filter{c.IDs["dataset"]}, Server: true, Push: true}}
	behind := func() {
		t.Helper()
		require.NoError(t, c.DB.Write(context.Background(), func(tx *store.Tx) error { return notifications.SyncHook.Behind(tx, e) }))
	}
	c.Exec(t, "DELETE FROM notifications_learnerprogressnotification")
	behind()
	require.Empty(t, c.told(t, ""), "nothing has come")
	require.NoError(t, c.DB.Write(context.Background(), func(tx *store.Tx) error {
		if _, err := morango.EnsureInstance(tx, rand.Reader, morango.Machine{}); err != nil {
			return err
		}
		if _, err := transfer.Serialize(tx, e.Filter, transfer.Options{}); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE morango_store SET last_transfer_session_id = ?", session)
		return err
	}))
	e.LocalSingleUser = true
	behind()
	require.Empty(t, c.told(t, ""), "a learner's own device tells nobody")
	e.LocalSingleUser = false
	for range 2 {
		behind()
		require.Equal(t, here, c.told(t, ""))
	}
}
