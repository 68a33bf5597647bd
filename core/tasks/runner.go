package tasks

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"kolibri/store"
)

// The longest that the runner sleeps: clocks jump, and on PostgreSQL another process may have queued
// a job. A battery is spared where nobody else writes.
const (
	idleAlone  = time.Minute
	idleShared = 5 * time.Second
)

// On one PostgreSQL several processes share the jobs: each tells every beat that its jobs are alive,
// and takes up those of others that have been silent for the time of several beats. All go by the
// database's clock. A process that cannot tell gives its jobs up before others take them.
const (
	beat   = 5 * time.Second
	silent = 30 * time.Second
)

// Start takes up the jobs that an earlier server left unfinished and begins to run jobs. The runner
// ends with the host's Base context; Wait waits for that.
func (r *Runner) Start(ctx context.Context) error {
	id := make([]byte, 8)
	if _, err := io.ReadFull(r.host.Rand, id); err != nil {
		return err
	}
	r.id = hex.EncodeToString(id)
	if err := r.host.DB.Write(ctx, r.requeue); err != nil {
		return fmt.Errorf("tasks: unfinished jobs cannot be taken up: %w", err)
	}
	r.done.Add(1)
	go r.loop()
	return nil
}

// Wait waits for the end of all workers, once the host's Base context is done.
func (r *Runner) Wait() { r.done.Wait() }

// requeue puts the jobs of a dead server back (kolibri/core/tasks/worker.py: requeue_stalled_jobs).
// The original forgets those that were selected and not yet running; here they come back too. A
// SQLite file has one server: whatever another one held, it holds no more.
func (r *Runner) requeue(tx *store.Tx) error {
	query, args := "SELECT "+jobColumns+" FROM jobs WHERE state IN ?", []any{store.In([]State{Running, Selected})}
	if tx.Dialect() == store.Postgres {
		query += " AND (time_updated IS NULL OR time_updated < ?) FOR UPDATE SKIP LOCKED"
		args = append(args, tx.Now().Add(-silent))
	}
	left, err := store.Select(tx, scanJob, query, args...)
	if err != nil {
		return err
	}
	for _, job := range left {
		job.State = Queued
		if err := job.save(tx); err != nil {
			return err
		}
		// whoever had it may not end it any more, should it only have been slow
		if _, err := tx.Exec("UPDATE jobs SET worker_process = NULL WHERE id = ?", job.ID); err != nil {
			return err
		}
	}
	return nil
}

// share tells the other processes of this one's jobs, and takes up those of dead ones.
func (r *Runner) share(ctx context.Context) error {
	r.mu.Lock()
	ids := slices.Collect(maps.Keys(r.running))
	r.mu.Unlock()
	var lost []string
	err := r.host.DB.Write(ctx, func(tx *store.Tx) (err error) {
		if _, err := tx.Exec("UPDATE jobs SET time_updated = ? WHERE id IN ? AND worker_process = ?", tx.Now(), store.In(ids), r.id); err != nil {
			return err
		}
		lost, err = tx.Strings("SELECT id FROM jobs WHERE id IN ? AND (worker_process IS NULL OR worker_process <> ?)", store.In(ids), r.id)
		if err != nil {
			return err
		}
		return r.requeue(tx)
	})
	if err != nil {
		return err
	}
	for _, id := range lost {
		r.stop(id, errLost)
	}
	return nil
}

// giveUp ends all of this process's jobs, because others will take them for abandoned.
func (r *Runner) giveUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, cancel := range r.running {
		r.host.Log.Warn("tasks: the database has been out of reach for too long; the job will run again", "job", id)
		cancel(errLost)
	}
}

func (r *Runner) loop() {
	defer r.done.Done()
	base := r.host.Base
	shared, told := time.Now(), time.Now()
	for base.Err() == nil {
		var err error
		next := time.Second
		if r.host.DB.Dialect() == store.Postgres && time.Since(shared) >= beat {
			shared, err = time.Now(), r.share(base)
			if err == nil {
				told = time.Now()
			} else if time.Since(told) > silent-2*beat {
				r.giveUp()
			}
		}
		if err == nil {
			next, err = r.round(base)
		}
		if err != nil && base.Err() == nil {
			r.host.Log.Error("tasks: jobs cannot be started", "error", err)
			next = time.Second
		}
		timer := time.NewTimer(next)
		select {
		case <-base.Done():
		case <-r.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	r.mu.Lock()
	for _, cancel := range r.running {
		cancel(errShutdown)
	}
	r.mu.Unlock()
}

// round ends what was cancelled, starts what is due, and returns how long to sleep.
func (r *Runner) round(ctx context.Context) (time.Duration, error) {
	next := r.idle()
	err := r.host.DB.Read(ctx, func(tx *store.Tx) error {
		due, err := store.Get(tx, func(row store.Scanner) (t store.NullTime, err error) { return t, row.Scan(&t) },
			"SELECT scheduled_time FROM jobs WHERE state = ? ORDER BY scheduled_time LIMIT 1", Queued)
		if err == nil && !due.Time.IsZero() {
			next = max(0, min(next, due.Time.Sub(tx.Now())))
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		ending, err := tx.Exists("SELECT 1 FROM jobs WHERE state = ?", Canceling)
		if ending {
			next = 0 // looked at now; the end of a worker, or idle, brings the next look
		}
		return err
	})
	if err != nil || next > 0 { // nothing to do: no write transaction is opened for nothing
		return next, err
	}
	if err := r.endCanceled(ctx); err != nil {
		return 0, err
	}
	for {
		limit := r.freePriority()
		if limit == 0 {
			return r.idle(), nil // the end of a job wakes the loop
		}
		job, err := r.take(ctx, limit)
		if err != nil {
			return 0, err
		}
		if job == nil {
			return r.untilNext(ctx)
		}
		r.launch(job)
	}
}

func (r *Runner) idle() time.Duration {
	if r.host.DB.Dialect() == store.Postgres {
		return idleShared
	}
	return idleAlone
}

// untilNext is how long nothing will be due for the workers that are free.
func (r *Runner) untilNext(ctx context.Context) (next time.Duration, err error) {
	next = r.idle()
	err = r.host.DB.Read(ctx, func(tx *store.Tx) error {
		due, err := store.Get(tx, func(row store.Scanner) (t store.NullTime, err error) { return t, row.Scan(&t) },
			"SELECT scheduled_time FROM jobs WHERE state = ? AND scheduled_time > ? ORDER BY scheduled_time LIMIT 1", Queued, tx.Now())
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err == nil {
			next = max(time.Millisecond, min(next, due.Time.Sub(tx.Now())))
		}
		return err
	})
	return next, err
}

// endCanceled tells the workers of jobs that were cancelled, by whichever process, and marks those
// that no worker has.
func (r *Runner) endCanceled(ctx context.Context) error {
	return r.host.DB.Write(ctx, func(tx *store.Tx) error {
		query, args := "SELECT "+jobColumns+" FROM jobs WHERE state = ?", []any{Canceling}
		if tx.Dialect() == store.Postgres {
			query += " AND (worker_process IS NULL OR worker_process = ? OR time_updated < ?)"
			args = append(args, r.id, tx.Now().Add(-silent))
		}
		jobs, err := store.Select(tx, scanJob, query, args...)
		if err != nil {
			return err
		}
		for _, job := range jobs {
			if r.stop(job.ID, ErrCanceled) {
				continue
			}
			job.State = Canceled
			if err := job.save(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// freePriority is the lowest priority that a free worker takes: regular workers take all, the
// others only what is of high priority. 0: no worker is free.
func (r *Runner) freePriority() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	regular := max(1, r.host.Options.RegularPriorityWorkers)
	switch {
	case r.busy < regular:
		return Low
	case r.busy < regular+r.host.Options.HighPriorityWorkers:
		return High
	}
	return 0
}

// take selects the next job for one worker. Several processes on one PostgreSQL never take the same.
func (r *Runner) take(ctx context.Context, priority int) (job *Job, err error) {
	err = r.host.DB.Write(ctx, func(tx *store.Tx) error {
		lock := ""
		if tx.Dialect() == store.Postgres {
			lock = " FOR UPDATE SKIP LOCKED"
		}
		job, err = store.Get(tx, scanJob, "SELECT "+jobColumns+" FROM jobs WHERE state = ? AND scheduled_time <= ? AND priority <= ? ORDER BY priority, scheduled_time, time_created LIMIT 1"+lock,
			Queued, tx.Now(), priority)
		if errors.Is(err, store.ErrNotFound) {
			job = nil
			return nil
		}
		if err != nil {
			return err
		}
		job.State = Selected
		if err := job.save(tx); err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE jobs SET worker_process = ? WHERE id = ?", r.id, job.ID)
		return err
	})
	return job, err
}

// launch runs a selected job on a goroutine.
func (r *Runner) launch(job *Job) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.host.Base))
	r.mu.Lock()
	r.running[job.ID] = cancel
	r.busy++
	r.mu.Unlock()
	r.done.Add(1)
	go func() {
		defer r.done.Done()
		if err := r.execute(ctx, job); err != nil {
			r.host.Log.Error("tasks: a job's end cannot be written; it will run again", "job", job.ID, "type", job.Func, "error", err)
		}
		cancel(nil)
		r.mu.Lock()
		delete(r.running, job.ID)
		r.busy--
		r.mu.Unlock()
		r.Wake()
	}()
}

// execute runs a job to its end (kolibri/core/tasks/job.py: execute).
func (r *Runner) execute(ctx context.Context, job *Job) error {
	t := &Task{Job: job, Host: r.host, runner: r, ctx: ctx, yield: time.Now()}
	work := r.types[job.Func]
	if work == nil || !work.built() {
		return r.finish(t, nil, Fail("NotImplementedError", job.Func+" is a task that this server cannot do yet"))
	}
	if err := t.update(func(saved *Job) { saved.State = Running }); err != nil {
		if ctx.Err() != nil {
			return r.finish(t, nil, context.Cause(ctx))
		}
		return err
	}
	job.State = Running
	result, err := guard(func() (any, error) { return work.Run(ctx, t) })
	if t.ended {
		return nil
	}
	ending := r.finish(t, result, err)
	if errors.Is(ending, errLost) {
		r.host.Log.Warn("tasks: another process has taken a job over", "job", job.ID, "type", job.Func)
		return nil
	}
	if ending != nil && err == nil { // the result is nothing that can be kept
		ending = r.finish(t, nil, ending)
	}
	return ending
}

// guard turns a panic of a job's work into its failure.
func guard(work func() (any, error)) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Failure{"Exception", fmt.Errorf("%v\n%s", p, debug.Stack())}
		}
	}()
	return work()
}

// roomAgain is how long a full disk is left alone before a job's end is written once more.
const roomAgain = time.Second

// finish writes the end of a job, even when the server is shutting down. On a full disk it goes on
// trying: the job would stay at work in everybody's eyes until the next start.
func (r *Runner) finish(t *Task, result any, failure error) error {
	for {
		err := r.host.DB.Write(context.WithoutCancel(t.ctx), func(tx *store.Tx) error { return r.end(tx, t, result, failure) })
		if !errors.Is(err, store.ErrFull) {
			return err
		}
		select {
		case <-time.After(roomAgain):
		case <-r.host.Base.Done():
			return err
		}
	}
}

// said is what a failed job shows: the name of its exception, and words. A full disk is met anywhere
// and is named as the original names it (kolibri/core/content/errors.py: InsufficientStorageSpaceError).
func said(failure error) (exception, text string) {
	var named *Failure
	switch {
	case errors.As(failure, &named):
		return named.Exception, failure.Error()
	case errors.Is(failure, store.ErrFull):
		return "InsufficientStorageSpaceError", failure.Error() + "; free some space on this device, then try again"
	}
	return "Exception", failure.Error()
}

func (r *Runner) end(tx *store.Tx, t *Task, result any, failure error) error {
	job, err := r.own(tx, t.Job.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // somebody deleted it meanwhile
	}
	if err != nil {
		return err
	}
	cause := context.Cause(t.ctx)
	switch {
	case failure == nil:
		job.State, job.Result = Completed, result
	case cause == errShutdown, cause == errLost:
		job.State = Queued // to be done at the next start, or by another process
		return job.save(tx)
	case cause == ErrCanceled || errors.Is(failure, ErrCanceled):
		job.State = Canceled
	default:
		name, text := said(failure)
		job.State, job.Exception, job.Traceback = Failed, &name, text
		r.host.Log.Error("tasks: a job failed", "job", job.ID, "type", job.Func, "error", failure)
	}
	if err := job.save(tx); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE jobs SET worker_process = NULL WHERE id = ?", job.ID); err != nil {
		return err
	}
	return r.again(tx, t, job, failure)
}

// own reads a job of this process; errLost says that it is another's by now.
func (r *Runner) own(tx *store.Tx, id string) (*Job, error) {
	job, err := get(tx, id)
	if err != nil {
		return nil, err
	}
	mine, err := tx.Exists("SELECT 1 FROM jobs WHERE id = ? AND worker_process = ?", id, r.id)
	if err == nil && !mine {
		err = errLost
	}
	return job, err
}

// again schedules a finished job anew where it asked for that, failed and is retried, or repeats
// (kolibri/core/tasks/storage.py: reschedule_finished_job_if_needed).
func (r *Runner) again(tx *store.Tx, t *Task, job *Job, failure error) error {
	when := Schedule{Priority: job.Priority, Interval: job.Interval, Repeat: Forever, RetryInterval: job.RetryInterval, MaxRetries: job.MaxRetries}
	if job.Repeat != nil {
		when.Repeat = *job.Repeat
	}
	retries := job.Retries
	switch {
	case t.delay > 0:
		when.At = tx.Now().Add(t.delay)
	case job.State == Failed && r.retried(job, failure):
		wait := int64(10)
		if job.RetryInterval != nil {
			wait = *job.RetryInterval
		}
		when.At = tx.Now().Add(time.Duration(wait) * time.Second)
		n := int64(1)
		if retries != nil {
			n += *retries
		}
		retries = &n
	case when.Repeat != 0:
		if when.Repeat != Forever {
			when.Repeat--
		}
		when.At = tx.Now().Add(time.Duration(when.Interval) * time.Second)
	default:
		return nil
	}
	if err := r.schedule(tx, job, job.Queue, when); err != nil {
		return err
	}
	_, err := tx.Exec("UPDATE jobs SET retries = ? WHERE id = ?", retries, job.ID)
	return err
}

func (r *Runner) retried(job *Job, failure error) bool {
	if job.RetryInterval == nil && job.MaxRetries == nil {
		return false
	}
	if job.MaxRetries != nil && job.Retries != nil && *job.Retries >= *job.MaxRetries {
		return false
	}
	if work := r.types[job.Func]; work != nil && work.RetryOn != nil {
		return work.RetryOn(failure)
	}
	return true
}
