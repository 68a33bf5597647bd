package auth_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/morango/transfer"
	"kolibri/server/servertest"
	"kolibri/store"
)

func TestAccountsAfterASynchronization(t *testing.T) { accountsSynced(t, servertest.NewWorld(t)) }

func TestAccountsAfterASynchronizationOnPostgreSQL(t *testing.T) {
	accountsSynced(t, servertest.NewWorld(t, servertest.StartPostgres(t).Option(t)))
}

func accountsSynced(t *testing.T, w *servertest.World) {
	write := func(fn func(tx *store.Tx) error) {
		t.Helper()
		require.NoError(t, w.DB.Write(context.Background(), fn))
	}
	exec := func(query string, args ...any) {
		t.Helper()
		write(func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err })
	}
	one := func(query string, args ...any) (text string) {
		t.Helper()
		write(func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&text) })
		return text
	}
	const session, pictures = "00000000000000000000000000000001", "SELECT coalesce(picture_password, '') FROM kolibriauth_facilityuser WHERE id = ?"
	dataset := w.IDs["dataset"]
	e := &transfer.Event{Session: transfer.Session{ID: session, Filter: transfer.Filter{dataset}, Server: true, Push: true}, DatasetID: dataset, Random: rand.Reader}
	exec("UPDATE kolibriauth_facilitydataset SET learner_can_edit_password = ?, picture_password_settings = '{}' WHERE id = ?", false, dataset)
	exec("UPDATE kolibriauth_facilityuser SET picture_password = '1.2.3' WHERE id = ?", w.IDs["learner"])
	write(func(tx *store.Tx) error {
		if _, err := morango.EnsureInstance(tx, rand.Reader, morango.Machine{}); err != nil {
			return err
		}
		_, err := transfer.Serialize(tx, e.Filter, transfer.Options{})
		return err
	})
	run := func(name string) {
		t.Helper()
		for _, o := range auth.SyncHook.Operations {
			if o.Name == name {
				write(func(tx *store.Tx) error { return o.Run(tx, e) })
			}
		}
	}

	// another device gave the same pictures to learner3
	exec(`UPDATE morango_store SET serialized = replace(serialized, '"picture_password": null', '"picture_password": "1.2.3"'), dirty_bit = ?, last_transfer_session_id = ? WHERE id = ?`,
		true, session, w.IDs["learner3"])
	write(func(tx *store.Tx) error {
		done, err := transfer.Deserialize(tx, e.Filter, transfer.Options{})
		require.Equal(t, 1, done.Failed)
		return err
	})
	run("PicturePasswordCollisionOperation")
	require.Equal(t, "1.2.3", one(pictures, w.IDs["learner3"]))
	require.NotContains(t, []string{"", "1.2.3"}, one(pictures, w.IDs["learner"]))

	// a learner who came gets pictures, nobody with a role does, and who was deleted is signed out
	client := w.As(t, "learner2")
	exec("UPDATE morango_store SET last_transfer_session_id = ? WHERE id IN ?", session, store.In([]string{w.IDs["learner2"], w.IDs["coach"]}))
	exec("UPDATE kolibriauth_facilityuser SET date_deleted = ? WHERE id = ?", store.Zoned(w.DB.Now()), w.IDs["learner2"])
	coach := w.As(t, "coach")
	write(func(tx *store.Tx) error { return auth.SyncHook.Behind(tx, e) })
	require.NotEmpty(t, one(pictures, w.IDs["loner"]))
	require.Empty(t, one(pictures, w.IDs["coach"]))
	require.NotEqual(t, 200, client.Get("/api/auth/facilityuser/"+w.IDs["learner2"]+"/").Status)
	require.Equal(t, 200, coach.Get("/api/auth/facilityuser/"+w.IDs["coach"]+"/").Status)

	// the account of a single user's device does not travel from there
	dirty := "SELECT CASE WHEN _morango_dirty_bit THEN 'dirty' ELSE 'clean' END FROM kolibriauth_facilityuser WHERE id = ?"
	exec("UPDATE kolibriauth_facilityuser SET _morango_dirty_bit = ? WHERE id = ?", true, w.IDs["learner"])
	run("SingleFacilityUserChangeClearingOperation")
	require.Equal(t, "dirty", one(dirty, w.IDs["learner"]))
	e.LocalSingleUser, e.UserID = true, w.IDs["learner"]
	run("SingleFacilityUserChangeClearingOperation")
	require.Equal(t, "clean", one(dirty, w.IDs["learner"]))
}
