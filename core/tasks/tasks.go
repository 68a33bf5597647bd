// Package tasks does the server's long work: jobs that are kept in the table of the same name, run
// by workers in the order of their priority, and survive a restart
// (kolibri/core/tasks). A job holds no transaction while it works: it uses short ones.
package tasks

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// Spec is what a job is to do.
type Spec struct {
	// ID is the job's id; empty takes the type's fixed id or a new one.
	ID            string
	Args          []any
	Kwargs        map[string]any
	ExtraMetadata map[string]any
	FacilityID    string
	// Cancellable, when set, overrides what the type says.
	Cancellable *bool
}

// Work is what an app gives a task type: how to read a request for it and how to do it.
type Work struct {
	// Validate turns the body of a request into a job. Nil accepts no arguments. who is the person
	// who asks.
	Validate func(r *api.Request, who *auth.Person, data map[string]any) (Spec, error)
	// Ask completes a job that is valid and allowed by what another device says, or refuses it. It is
	// called without a transaction, since others take their time: Request.Tx is nil. Nil asks nobody.
	Ask func(r *api.Request, spec *Spec) error
	// Run does the work and returns the job's result. It uses short transactions, calls Progress or
	// Check now and then, and ends soon once ctx is done. A server that dies runs its jobs again:
	// work that must not happen twice calls Complete in its last transaction.
	Run func(ctx context.Context, t *Task) (result any, err error)
	// RetryOn tells which failures a job with a retry interval is tried again for; nil: all.
	RetryOn func(error) bool
}

// Runner keeps and runs jobs. Make one with New, give the types their work with Handle, then Start.
type Runner struct {
	host  *api.Host
	id    string // names this process in the table
	types map[string]*Type
	wake  chan struct{}
	done  sync.WaitGroup

	mu      sync.Mutex
	running map[string]context.CancelCauseFunc
	busy    int // running jobs, by which the free workers are known
	created time.Time
}

// New makes a runner that knows every task type of Kolibri, none of them with work yet.
func New(host *api.Host) *Runner {
	return &Runner{host: host, types: catalog(), wake: make(chan struct{}, 1), running: map[string]context.CancelCauseFunc{}}
}

// Handle gives a task type its work. An unknown name and a type that has work are mistakes of ours.
func (r *Runner) Handle(name string, work Work) {
	t := r.types[name]
	if t == nil {
		panic("tasks: no type " + name + " in the catalog")
	}
	if t.built() {
		panic("tasks: " + name + " has work already")
	}
	t.Work = work
}

func (t *Type) built() bool { return t.Run != nil }

// Can tells whether this server can do a task.
func (r *Runner) Can(name string) bool {
	t := r.types[name]
	return t != nil && t.built()
}

// Forever is the Repeat of a job that is repeated until it is cleared.
const Forever = -1

// Schedule says when a job runs; the zero value is once, now.
type Schedule struct {
	At            time.Time
	Priority      int   // 0: the type's
	Interval      int64 // seconds between repeats
	Repeat        int64 // how many more times after the first, or Forever
	RetryInterval *int64
	MaxRetries    *int64
}

// ErrRunning is returned for a job that is running and therefore cannot be scheduled anew.
var ErrRunning = errors.New("job is already running")

// Enqueue makes a job within the transaction and returns it; it runs after the commit. A job whose
// id exists is scheduled anew, or left alone with ErrRunning.
func (r *Runner) Enqueue(tx *store.Tx, name string, spec Spec, when Schedule) (*Job, error) {
	t := r.types[name]
	if t == nil {
		return nil, fmt.Errorf("tasks: no type %s", name)
	}
	job, err := t.newJob(spec, r.host.Rand)
	if err != nil {
		return nil, err
	}
	if err := r.schedule(tx, job, t.Queue, when); err != nil {
		return nil, err
	}
	return job, nil
}

// EnqueueIfNone is Enqueue unless a job of this type is waiting or running.
func (r *Runner) EnqueueIfNone(tx *store.Tx, name string, spec Spec, when Schedule) error {
	active, err := tx.Exists("SELECT 1 FROM jobs WHERE func = ? AND state IN ?", name, store.In([]State{Queued, Selected, Running}))
	if err != nil || active {
		return err
	}
	_, err = r.Enqueue(tx, name, spec, when)
	return err
}

// EnqueueIfBuilt starts a task without arguments that is not waiting or running yet, on a server that
// can do it: work in the background that is nobody's wish.
func (r *Runner) EnqueueIfBuilt(tx *store.Tx, name string) error {
	if !r.Can(name) {
		return nil
	}
	return r.EnqueueIfNone(tx, name, Spec{}, Schedule{})
}

func (t *Type) newJob(spec Spec, random io.Reader) (*Job, error) {
	j := &Job{ID: spec.ID, Func: t.Name, Cancellable: t.Cancellable, TrackProgress: t.TracksProgress, LongRunning: t.LongRunning,
		Args: spec.Args, Kwargs: spec.Kwargs, ExtraMetadata: spec.ExtraMetadata, Priority: t.Priority}
	if spec.Cancellable != nil {
		j.Cancellable = *spec.Cancellable
	}
	if spec.FacilityID != "" {
		j.FacilityID = &spec.FacilityID
	}
	if j.ID == "" {
		j.ID = t.FixedID
	}
	if j.ID == "" {
		id := make([]byte, 16)
		if _, err := io.ReadFull(random, id); err != nil {
			return nil, err
		}
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // a version 4 UUID, as uuid4().hex
		j.ID = hex.EncodeToString(id)
	}
	if j.Args == nil {
		j.Args = []any{}
	}
	if j.Kwargs == nil {
		j.Kwargs = map[string]any{}
	}
	if j.ExtraMetadata == nil {
		j.ExtraMetadata = map[string]any{}
	}
	return j, nil
}

// schedule puts a job into the queue (kolibri/core/tasks/storage.py: schedule).
func (r *Runner) schedule(tx *store.Tx, job *Job, queue string, when Schedule) error {
	running, err := tx.Exists("SELECT 1 FROM jobs WHERE id = ? AND state = ?", job.ID, Running)
	if err != nil {
		return err
	}
	if running {
		return ErrRunning
	}
	job.State, job.Queue, job.Interval = Queued, queue, when.Interval
	job.RetryInterval, job.MaxRetries, job.Retries = when.RetryInterval, when.MaxRetries, nil
	job.ScheduledTime = when.At
	if when.At.IsZero() {
		job.ScheduledTime = tx.Now()
	}
	if when.Priority != 0 {
		job.Priority = when.Priority
	}
	job.Repeat = nil
	if when.Repeat != Forever {
		job.Repeat = &when.Repeat
	}
	if err := job.insert(tx, r.nextCreated(tx)); err != nil {
		return err
	}
	tx.OnCommit(r.Wake)
	return nil
}

// nextCreated gives jobs of one transaction different times, which lists are ordered by.
func (r *Runner) nextCreated(tx *store.Tx) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := tx.Now()
	if !now.After(r.created) && r.created.Sub(now) < time.Second {
		now = r.created.Add(time.Microsecond)
	}
	r.created = now
	return now
}

// Wake makes the runner look for work at once.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// get reads a job, or returns store.ErrNotFound.
func get(tx *store.Tx, id string) (*Job, error) {
	return store.Get(tx, scanJob, "SELECT "+jobColumns+" FROM jobs WHERE id = ?", id)
}

// Clear deletes finished jobs, of one queue if it is named.
func Clear(tx *store.Tx, queue string) error {
	q := "DELETE FROM jobs WHERE state IN ?"
	args := []any{store.In([]State{Completed, Failed, Canceled})}
	if queue != "" {
		q, args = q+" AND queue = ?", append(args, queue)
	}
	_, err := tx.Exec(q, args...)
	return err
}

// Remove deletes a job that is not running, such as a repeating one that is not wanted any more.
func Remove(tx *store.Tx, id string) error {
	_, err := tx.Exec("DELETE FROM jobs WHERE id = ? AND state <> ?", id, Running)
	return err
}

// Cancel asks a job to stop: one that waits is deleted, a running one is told.
func (r *Runner) Cancel(tx *store.Tx, id string) error {
	job, err := get(tx, id)
	if err != nil {
		return err
	}
	if job.State == Queued {
		_, err := tx.Exec("DELETE FROM jobs WHERE id = ?", id)
		return err
	}
	job.State = Canceling
	if err := job.save(tx); err != nil {
		return err
	}
	tx.OnCommit(func() {
		r.stop(id, ErrCanceled)
		r.Wake()
	})
	return nil
}

// CancelAll cancels every waiting or running job of a type.
func (r *Runner) CancelAll(tx *store.Tx, name string) error {
	ids, err := tx.Strings("SELECT id FROM jobs WHERE func = ? AND state IN ?", name, store.In([]State{Queued, Selected, Running}))
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := r.Cancel(tx, id); err != nil {
			return err
		}
	}
	return nil
}

// stop tells the worker of a job, if this process has it, that it shall end.
func (r *Runner) stop(id string, cause error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	cancel := r.running[id]
	if cancel != nil {
		cancel(cause)
	}
	return cancel != nil
}
