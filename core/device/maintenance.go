package device

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"kolibri/core/api"
	"kolibri/core/tasks"
	"kolibri/morango"
	"kolibri/store"
)

// The tasks that keep the device tidy (kolibri/core/deviceadmin/tasks.py).
const (
	vacuumTask  = "kolibri.core.deviceadmin.tasks.perform_vacuum"
	cleanupTask = "kolibri.core.deviceadmin.tasks.streamed_cache_cleanup"
)

// Start plans the device's maintenance: a vacuum at three every night, a
// clean-up every hour. kolibri/utils/server: DefaultScheduledTasksPlugin
func (d *Device) Start(ctx context.Context) error {
	return d.host.DB.Write(ctx, func(tx *store.Tx) error {
		now := tx.Now().In(time.Local)
		night := time.Date(now.Year(), now.Month(), now.Day(), 3, 0, 0, 0, time.Local)
		if night.Before(now) {
			night = night.AddDate(0, 0, 1)
		}
		return errors.Join(
			d.plan(tx, vacuumTask, night, 24*time.Hour),
			d.plan(tx, cleanupTask, tx.Now().Add(time.Hour), time.Hour),
			forgetWizard(tx),
		)
	})
}

// Identify makes sure that the device has an identity by which others know it.
func Identify(tx *store.Tx, h *api.Host) error {
	machine := morango.ThisMachine()
	machine.DBPath = filepath.Join(h.Options.Home, "db.sqlite3")
	if _, err := morango.EnsureInstance(tx, h.Rand, machine); err != nil {
		return fmt.Errorf("the device has no identity: %w", err)
	}
	return nil
}

func (d *Device) plan(tx *store.Tx, name string, at time.Time, every time.Duration) error {
	_, err := d.runner.Enqueue(tx, name, tasks.Spec{}, tasks.Schedule{At: at, Interval: int64(every.Seconds()), Repeat: tasks.Forever})
	if errors.Is(err, tasks.ErrRunning) {
		return nil
	}
	return err
}

// wasted is the share of empty pages from which on a database is worth rewriting.
const wasted = 0.2

// vacuum gives back the space of deleted rows and renews the statistics that queries are planned by.
// A database with little to give back is not rewritten: that would wear out flash memory, and fill
// a browser's storage twice over, for nothing.
func (d *Device) vacuum(ctx context.Context, _ *tasks.Task) (any, error) {
	pool := d.host.DB.Pool()
	if d.host.DB.Dialect() == store.Postgres {
		for _, table := range []string{"morango_recordmaxcounterbuffer", "morango_buffer", "morango_store", "morango_recordmaxcounter"} {
			if _, err := pool.ExecContext(ctx, "VACUUM ANALYZE "+table); err != nil {
				return nil, fmt.Errorf("vacuum of %s: %w", table, err)
			}
		}
		return nil, nil
	}
	var pages, free int64
	if err := pool.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return nil, err
	}
	if err := pool.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free); err != nil {
		return nil, err
	}
	if float64(free) > wasted*float64(pages) {
		if _, err := pool.ExecContext(ctx, "VACUUM"); err != nil {
			return nil, fmt.Errorf("vacuum (a statement or transaction may have been running): %w", err)
		}
	}
	_, err := pool.ExecContext(ctx, "PRAGMA optimize")
	return nil, err
}

// cleanUp deletes what is left behind: sessions that have expired, for which Django has a command
// that nothing runs, and what the wizard sent.
func (d *Device) cleanUp(_ context.Context, t *tasks.Task) (any, error) {
	return nil, t.Write(func(tx *store.Tx) error {
		if _, err := tx.Exec("DELETE FROM kolibriauth_session WHERE expire_date <= ?", tx.Now()); err != nil {
			return err
		}
		return forgetWizard(tx)
	})
}

// forgetWizard deletes the finished jobs of the wizard an hour later: their arguments hold the
// superuser's password, and everybody may look at them. The original keeps them until somebody
// clears all tasks.
func forgetWizard(tx *store.Tx) error {
	_, err := tx.Exec("DELETE FROM jobs WHERE func = ? AND state IN ? AND (time_updated IS NULL OR time_updated < ?)",
		provisionTask, store.In([]tasks.State{tasks.Completed, tasks.Failed, tasks.Canceled}), tx.Now().Add(-time.Hour))
	return err
}
