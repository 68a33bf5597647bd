package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
	"kolibri/store"
)

func TestDeletedAccountsGoAfterAMonth(t *testing.T) {
	w := servertest.NewWorld(t)
	deleted := func(name string, ago time.Duration) {
		require.NoError(t, w.DB.Write(context.Background(), func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE kolibriauth_facilityuser SET date_deleted = ? WHERE id = ?", store.Zoned(tx.Now().Add(-ago)), w.IDs[name])
			return err
		}))
	}
	deleted("learner", 31*24*time.Hour)
	deleted("learner2", 29*24*time.Hour)
	count := func(query string, args ...any) (n int64) {
		require.NoError(t, w.DB.Read(context.Background(), func(tx *store.Tx) (err error) {
			n, err = tx.Int(query, args...)
			return err
		}))
		return n
	}
	require.Equal(t, 204, w.As(t, "admin").Delete(w.Path("/api/auth/facilityuser/{loner}/")).Status)
	require.Eventually(t, func() bool {
		return count("SELECT count(*) FROM kolibriauth_facilityuser WHERE id = ?", w.IDs["learner"]) == 0
	}, time.Minute, 20*time.Millisecond)
	require.Equal(t, int64(2), count("SELECT count(*) FROM kolibriauth_facilityuser WHERE date_deleted IS NOT NULL"))
	require.Equal(t, int64(3), count("SELECT count(*) FROM morango_deletedmodels"), "the learner and two memberships")
	require.Eventually(t, func() bool {
		return count("SELECT count(*) FROM jobs WHERE id = 'cleanup_expired_deleted_users' AND state = 'QUEUED'") == 1
	}, time.Minute, 20*time.Millisecond, "and comes again")
}
