package tasks

import (
	"context"
	"errors"
	"math"
	"time"

	"kolibri/core/api"
	"kolibri/store"
)

// ErrCanceled is why a job's context is done when somebody cancelled it.
var ErrCanceled = errors.New("cancelled by the user")

// errShutdown is why it is done when the server ends: the job is then run again at the next start.
var errShutdown = errors.New("the server is shutting down")

// errLost is why it is done when another process has the job: this one was silent for too long.
var errLost = errors.New("another process has taken the job over")

// Failure is an error with the name that the front end knows it by: the original shows the class of
// its exception.
type Failure struct {
	Exception string
	Cause     error
}

// Error implements error.
func (f *Failure) Error() string { return f.Exception + ": " + f.Cause.Error() }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// Fail names a job's failure.
func Fail(exception, text string) error { return &Failure{exception, errors.New(text)} }

// Task is a running job as its work sees it.
type Task struct {
	// Job holds the arguments; treat it as read-only.
	Job  *Job
	Host *api.Host

	runner *Runner
	ctx    context.Context
	ended  bool // Complete's transaction was committed
	delay  time.Duration
	yield  time.Time
}

// Check returns an error once the job shall stop, and gives way to the rest of the server now and
// then: in a browser's worker nothing else runs while a job computes.
func (t *Task) Check() error {
	if now := time.Now(); now.Sub(t.yield) > 10*time.Millisecond {
		time.Sleep(time.Millisecond)
		t.yield = time.Now()
	}
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	return nil
}

// Progress tells how much of the work is done. It is written when it says something new: one per
// cent more, less than before, another total, or the end. It returns Check's error.
// kolibri/core/tasks/job.py: update_progress
func (t *Task) Progress(done, total float64, metadata map[string]any) error {
	if err := t.Check(); err != nil {
		return err
	}
	j := t.Job
	if !j.TrackProgress {
		return nil
	}
	if math.IsNaN(done) || math.IsInf(done, 0) || math.IsNaN(total) || math.IsInf(total, 0) {
		return nil
	}
	j.Progress, j.TotalProgress = done, total
	for k, v := range metadata {
		j.ExtraMetadata[k] = v
	}
	now := j.fraction()
	if total == j.savedTotal && !(j.savedFraction < 1 && now >= 1) && now >= j.savedFraction && now-j.savedFraction < 0.01 {
		return nil
	}
	j.savedFraction, j.savedTotal = now, total
	return t.update(func(saved *Job) {
		saved.Progress, saved.TotalProgress, saved.ExtraMetadata = done, total, j.ExtraMetadata
	})
}

// Metadata adds to the job's extra_metadata, which the front end reads, and writes the progress that
// Progress was last told, however small it was.
func (t *Task) Metadata(metadata map[string]any) error {
	return t.Write(func(tx *store.Tx) error { return t.MetadataIn(tx, metadata) })
}

// MetadataIn is Metadata within a transaction of the job's work.
func (t *Task) MetadataIn(tx *store.Tx, metadata map[string]any) error {
	for k, v := range metadata {
		t.Job.ExtraMetadata[k] = v
	}
	return t.change(tx, func(saved *Job) {
		saved.ExtraMetadata, saved.Progress, saved.TotalProgress = t.Job.ExtraMetadata, t.Job.Progress, t.Job.TotalProgress
	})
}

// Cancellable changes whether the job can be cancelled from now on.
func (t *Task) Cancellable(yes bool) error {
	t.Job.Cancellable = yes
	return t.update(func(saved *Job) { saved.Cancellable = yes })
}

// RetryIn makes the job run again after a delay, whatever its end.
func (t *Task) RetryIn(delay time.Duration) { t.delay = delay }

// Write runs fn in a short writing transaction.
func (t *Task) Write(fn func(*store.Tx) error) error {
	return t.Host.DB.Write(t.ctx, fn)
}

// Read runs fn in a short reading transaction.
func (t *Task) Read(fn func(*store.Tx) error) error {
	return t.Host.DB.Read(t.ctx, fn)
}

// Complete ends the job within a transaction of its own work, so that both happen or neither does.
func (t *Task) Complete(tx *store.Tx, result any) error {
	tx.OnCommit(func() { t.ended = true })
	return t.runner.end(tx, t, result, nil)
}

// update changes the kept job; one that was deleted meanwhile is left deleted.
func (t *Task) update(change func(*Job)) error {
	return t.Write(func(tx *store.Tx) error { return t.change(tx, change) })
}

func (t *Task) change(tx *store.Tx, change func(*Job)) error {
	saved, err := t.runner.own(tx, t.Job.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	change(saved)
	return saved.save(tx)
}
