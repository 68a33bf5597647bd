package jobs

import (
	"context"
	"time"

	"kolibri/core/auth"
	"kolibri/core/tasks"
	"kolibri/morango"
	"kolibri/store"
)

// A deleted account can be restored for keepDeleted; what is due is looked for once a day.
const (
	keepDeleted = 30 * 24 * time.Hour
	cleanAgain  = 24 * time.Hour
)

// CleanUp starts the job that deletes accounts for good, if it is not waiting or running.
func (j *Jobs) CleanUp(tx *store.Tx) error {
	return j.runner.EnqueueIfNone(tx, cleanUpDeleted, tasks.Spec{}, tasks.Schedule{})
}

// runCleanup deletes the accounts that were deleted long enough ago for good, and comes again as
// long as there are others. kolibri/core/auth/tasks.py: cleanup_expired_deleted_users
func runCleanup(_ context.Context, t *tasks.Task) (any, error) {
	return nil, t.Write(func(tx *store.Tx) error {
		due, err := tx.Strings("SELECT id FROM kolibriauth_facilityuser WHERE date_deleted <= ?", store.FormatZoned(tx.Now().Add(-keepDeleted)))
		if err != nil {
			return err
		}
		if err := auth.PurgeUsers(tx, morango.Delete, due...); err != nil {
			return err
		}
		more, err := tx.Exists("SELECT 1 FROM kolibriauth_facilityuser WHERE date_deleted IS NOT NULL")
		if more {
			t.RetryIn(cleanAgain)
		}
		return err
	})
}
