package assignments_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/assignments"
	"kolibri/morango/transfer"
	"kolibri/server/servertest"
	"kolibri/store"
)

// run carries out the operations of a stage, as a synchronization does.
func run(t *testing.T, w *servertest.World, stage transfer.Stage, e *transfer.Event) {
	t.Helper()
	require.NoError(t, w.DB.Write(context.Background(), func(tx *store.Tx) error {
		for _, o := range assignments.SyncHook.Operations {
			if o.Stage == stage {
				if err := o.Run(tx, e); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

func TestPersonalCopies(t *testing.T) { copies(t, servertest.NewWorld(t)) }

func TestPersonalCopiesOnPostgreSQL(t *testing.T) {
	copies(t, servertest.NewWorld(t, servertest.StartPostgres(t).Option(t)))
}

func copies(t *testing.T, w *servertest.World) {
	exec := func(query string, args ...any) {
		t.Helper()
		require.NoError(t, w.DB.Write(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err }))
	}
	list := func(query string, args ...any) (all []string) {
		t.Helper()
		require.NoError(t, w.DB.Read(context.Background(), func(tx *store.Tx) (err error) { all, err = tx.Strings(query, args...); return err }))
		return all
	}
	coach := w.As(t, "coach")
	body := map[string]any{"title": "Birds", "description": "", "resources": []any{}, "is_active": true, "active": true,
		"collection": w.IDs["class_a"], "assignments": []string{w.IDs["class_a"], w.IDs["group_a"]}, "learner_ids": []string{}}
	require.Equal(t, 201, coach.Post("/api/lessons/lesson/", body).Status)
	body["title"], body["assignments"] = "Of others", []string{w.IDs["class_b"]}
	body["collection"] = w.IDs["class_b"]
	require.Equal(t, 201, coach.Post("/api/lessons/lesson/", body).Status)

	server := &transfer.Event{Session: transfer.Session{Server: true}, RemoteSingleUser: true, UserID: w.IDs["learner"]}
	device := &transfer.Event{LocalSingleUser: true, UserID: w.IDs["learner"]}
	copied := "SELECT serialized_lesson FROM lessons_individualsyncablelesson WHERE user_id = ?"
	run(t, w, transfer.Serializing, device)
	require.Empty(t, list(copied, w.IDs["learner"]), "a device makes none")
	run(t, w, transfer.Serializing, server)
	texts := list(copied, w.IDs["learner"])
	require.Len(t, texts, 1)
	require.Contains(t, texts[0], `"title": "Birds"`)
	require.NotContains(t, texts[0], "created_by_id")
	require.Equal(t, []string{w.IDs["class_a"]}, list("SELECT collection_id FROM lessons_individualsyncablelesson"), "the widest collection")
	exec("UPDATE lessons_individualsyncablelesson SET _morango_dirty_bit = ?", false)
	run(t, w, transfer.Serializing, server)
	require.Empty(t, list("SELECT id FROM lessons_individualsyncablelesson WHERE _morango_dirty_bit = ?", true), "nothing has changed")

	// on the device are neither the lessons nor the assignments
	lesson := list("SELECT lesson_id FROM lessons_individualsyncablelesson")[0]
	exec("DELETE FROM lessons_lessonassignment")
	exec("DELETE FROM lessons_lesson")
	run(t, w, transfer.Cleanup, device)
	require.Equal(t, []string{lesson}, list("SELECT id FROM lessons_lesson WHERE title = 'Birds' AND is_active = ? AND created_by_id = ? AND _morango_dirty_bit = ?", true, w.IDs["learner"], false))
	require.Equal(t, []string{w.IDs["class_a"]}, list("SELECT collection_id FROM lessons_lessonassignment WHERE lesson_id = ? AND _morango_dirty_bit = ?", lesson, false))
	exec("UPDATE lessons_individualsyncablelesson SET serialized_lesson = replace(serialized_lesson, 'Birds', 'Fish')")
	run(t, w, transfer.Cleanup, device)
	require.Equal(t, []string{"Fish"}, list("SELECT title FROM lessons_lesson"))
	exec("UPDATE lessons_individualsyncablelesson SET serialized_lesson = '{}'")
	run(t, w, transfer.Cleanup, server)
	require.Equal(t, []string{"Fish"}, list("SELECT title FROM lessons_lesson"), "a server takes none")
	exec("DELETE FROM lessons_individualsyncablelesson")
	run(t, w, transfer.Cleanup, device)
	require.Empty(t, list("SELECT id FROM lessons_lessonassignment"))
	require.Empty(t, list("SELECT id FROM morango_deletedmodels"), "which is no deletion for others")

	exec("UPDATE lessons_lesson SET is_active = ?", false)
	run(t, w, transfer.Serializing, server)
	require.Empty(t, list(copied, w.IDs["learner"]))
}
