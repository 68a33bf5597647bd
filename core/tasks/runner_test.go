package tasks

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/store"
	"kolibri/store/sqlite"
)

// The types that the tests give work: one that can be cancelled and tells its progress, one of high
// priority, and a plain one.
const (
	slow   = "kolibri.core.content.tasks.diskexport"
	urgent = "kolibri.core.content.tasks.remotechannelimport"
	tidy   = "kolibri.core.logger.tasks.log_exports_cleanup"
)

// home is a database with a clock that tests can move, and the servers that come and go on it.
type home struct {
	t   *testing.T
	db  *store.DB
	now atomic.Pointer[time.Time]
}

func newHome(t *testing.T) *home {
	h := &home{t: t}
	h.setClock(time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC))
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "db.sqlite3"), func() time.Time { return *h.now.Load() })
	require.NoError(t, err)
	h.db = db
	t.Cleanup(func() { db.Close() })
	return h
}

func (h *home) setClock(now time.Time) { h.now.Store(&now) }

// server is a runner with the end of its life.
type server struct {
	*Runner
	stop func() // as a server that is told to end
}

func (h *home) start(work map[string]Work, options ...func(*api.Options)) *server {
	base, cancel := context.WithCancel(context.Background())
	host := &api.Host{DB: h.db, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Options: api.DefaultOptions(), Base: base}
	for _, o := range options {
		o(&host.Options)
	}
	s := &server{Runner: New(host)}
	for name, w := range work {
		s.Handle(name, w)
	}
	var once sync.Once
	s.stop = func() { once.Do(func() { cancel(); s.Wait() }) }
	h.t.Cleanup(s.stop)
	require.NoError(h.t, s.Start(base))
	return s
}

// oneWorker leaves a server that hangs in a job no worker to take that job up once more.
func oneWorker(o *api.Options) { o.RegularPriorityWorkers, o.HighPriorityWorkers = 1, 0 }

func (h *home) enqueue(r *server, name string, spec Spec, when Schedule) string {
	h.t.Helper()
	var id string
	require.NoError(h.t, h.db.Write(context.Background(), func(tx *store.Tx) error {
		job, err := r.Enqueue(tx, name, spec, when)
		if err == nil {
			id = job.ID
		}
		return err
	}))
	return id
}

func (h *home) job(id string) *Job {
	h.t.Helper()
	var job *Job
	require.NoError(h.t, h.db.Read(context.Background(), func(tx *store.Tx) (err error) {
		job, err = get(tx, id)
		return err
	}))
	return job
}

// until waits for a job's state.
func (h *home) until(id string, state State) *Job {
	h.t.Helper()
	var job *Job
	require.Eventually(h.t, func() bool { job = h.job(id); return job.State == state }, time.Minute, 2*time.Millisecond)
	return job
}

func TestJobIsDoneAndKept(t *testing.T) {
	h := newHome(t)
	s := h.start(map[string]Work{slow: {Run: func(_ context.Context, task *Task) (any, error) {
		if err := task.Progress(1, 4, map[string]any{"file": "a"}); err != nil {
			return nil, err
		}
		return task.Job.Kwargs["n"], task.Metadata(map[string]any{"seen": true})
	}}})
	id := h.enqueue(s, slow, Spec{Args: []any{"x"}, Kwargs: map[string]any{"n": 7}, ExtraMetadata: map[string]any{"channel_name": "C"}, FacilityID: "f"}, Schedule{})
	job := h.until(id, Completed)
	require.Len(t, id, 32)
	require.Equal(t, "4", id[12:13], "the id is a version 4 UUID")
	require.Equal(t, json.Number("7"), job.Result)
	require.Equal(t, map[string]any{"channel_name": "C", "file": "a", "seen": true}, job.ExtraMetadata)
	require.Equal(t, 0.25, job.fraction())
	require.Equal(t, "f", *job.FacilityID)
	require.Nil(t, job.Exception)

	var saved string
	require.NoError(t, h.db.Read(context.Background(), func(tx *store.Tx) error {
		return tx.QueryRow("SELECT saved_job FROM jobs WHERE id = ?", id).Scan(&saved)
	}))
	var keys map[string]any
	require.NoError(t, json.Unmarshal([]byte(saved), &keys))
	// kolibri/core/tasks/job.py: JSON_KEYS
	for _, key := range []string{"job_id", "facility_id", "func", "long_running", "state", "exception", "traceback", "track_progress",
		"cancellable", "extra_metadata", "progress", "total_progress", "result", "args", "kwargs"} {
		require.Contains(t, keys, key)
		delete(keys, key)
	}
	require.Empty(t, keys, "the original refuses a job with keys it does not know")
}

func TestRealKolibrisJobsAreRead(t *testing.T) {
	h := newHome(t)
	ran := make(chan *Job, 1)
	require.NoError(t, h.db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO jobs (id, state, func, priority, queue, saved_job, interval, repeat, scheduled_time) VALUES ('18', 'RUNNING', ?, 10, 'kolibri', ?, 0, 0, ?)`,
			tidy, `{"job_id":"18","facility_id":null,"state":"RUNNING","exception":null,"traceback":"","track_progress":false,"cancellable":false,"extra_metadata":{"big":12345678901234567890},"progress":0,"total_progress":0,"result":null,"args":[],"kwargs":{},"func":"kolibri.core.logger.tasks.log_exports_cleanup","long_running":false}`, tx.Now())
		return err
	}))
	h.start(map[string]Work{tidy: {Run: func(_ context.Context, task *Task) (any, error) { ran <- task.Job; return nil, nil }}})
	require.Equal(t, json.Number("12345678901234567890"), (<-ran).ExtraMetadata["big"])
	h.until("18", Completed)
}

func TestJobOfADeadServerIsDoneByTheNext(t *testing.T) {
	h := newHome(t)
	begun, never := make(chan bool, 1), make(chan bool)
	dead := h.start(map[string]Work{tidy: {Run: func(context.Context, *Task) (any, error) { begun <- true; <-never; return nil, errors.New("too late") }}}, oneWorker)
	t.Cleanup(func() { close(never) })
	id := h.enqueue(dead, tidy, Spec{}, Schedule{})
	<-begun
	require.Equal(t, Running, h.job(id).State)

	h.start(map[string]Work{tidy: {Run: func(context.Context, *Task) (any, error) { return "done", nil }}})
	require.Equal(t, "done", h.until(id, Completed).Result)
}

func TestShutdownLeavesJobsForTheNextStart(t *testing.T) {
	h := newHome(t)
	begun := make(chan bool, 1)
	first := h.start(map[string]Work{slow: {Run: func(ctx context.Context, task *Task) (any, error) {
		begun <- true
		<-ctx.Done()
		return nil, task.Check()
	}}})
	id := h.enqueue(first, slow, Spec{}, Schedule{})
	<-begun
	first.stop()
	require.Equal(t, Queued, h.job(id).State)

	h.start(map[string]Work{slow: {Run: func(context.Context, *Task) (any, error) { return nil, nil }}})
	h.until(id, Completed)
}

func TestWorkAndItsEndAreOneTransaction(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault error
		state State
		rows  int64
	}{
		{"both are written", nil, Completed, 1},
		{"a fault undoes both", errors.New("no"), Failed, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHome(t)
			s := h.start(map[string]Work{tidy: {Run: func(_ context.Context, task *Task) (any, error) {
				err := task.Write(func(tx *store.Tx) error {
					if _, err := tx.Exec("INSERT INTO analytics_localnotification (key, created_at) VALUES ('k', ?)", tx.Now()); err != nil {
						return err
					}
					if err := task.Complete(tx, "done"); err != nil {
						return err
					}
					return tc.fault
				})
				return nil, err
			}}})
			job := h.until(h.enqueue(s, tidy, Spec{}, Schedule{}), tc.state)
			if tc.fault == nil {
				require.Equal(t, "done", job.Result)
			}
			require.NoError(t, h.db.Read(context.Background(), func(tx *store.Tx) error {
				n, err := tx.Int("SELECT count(*) FROM analytics_localnotification")
				require.Equal(t, tc.rows, n)
				return err
			}))
		})
	}
}

func TestCancel(t *testing.T) {
	h := newHome(t)
	begun := make(chan bool, 1)
	s := h.start(map[string]Work{slow: {Run: func(ctx context.Context, task *Task) (any, error) {
		begun <- true
		<-ctx.Done()
		return nil, task.Progress(1, 2, nil)
	}}})
	cancel := func(id string) {
		require.NoError(t, h.db.Write(context.Background(), func(tx *store.Tx) error { return s.Cancel(tx, id) }))
	}
	running := h.enqueue(s, slow, Spec{}, Schedule{})
	<-begun
	cancel(running)
	job := h.until(running, Canceled)
	require.Nil(t, job.Exception, "to be cancelled is no failure")

	waiting := h.enqueue(s, slow, Spec{}, Schedule{At: h.db.Now().Add(time.Hour)})
	cancel(waiting)
	require.ErrorIs(t, h.db.Read(context.Background(), func(tx *store.Tx) error { _, err := get(tx, waiting); return err }), store.ErrNotFound)

	cancel(running) // a finished one: as in the original it is marked, and ends at once
	h.until(running, Canceled)
}

func TestFailures(t *testing.T) {
	for _, tc := range []struct {
		name, exception, traceback string
		run                        func(context.Context, *Task) (any, error)
	}{
		{"an error", "Exception", "it broke", func(context.Context, *Task) (any, error) { return nil, errors.New("it broke") }},
		{"a named failure", "KeyError", "no such channel", func(context.Context, *Task) (any, error) { return nil, Fail("KeyError", "no such channel") }},
		{"a full disk", "InsufficientStorageSpaceError", "free some space", func(context.Context, *Task) (any, error) { return nil, fmt.Errorf("write a row: %w", store.ErrFull) }},
		{"a panic", "Exception", "runner_test.go", func(context.Context, *Task) (any, error) { panic("oh") }},
		{"a result that is no JSON", "Exception", "JSON", func(context.Context, *Task) (any, error) { return make(chan int), nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHome(t)
			s := h.start(map[string]Work{tidy: {Run: tc.run}})
			job := h.until(h.enqueue(s, tidy, Spec{}, Schedule{}), Failed)
			require.Equal(t, tc.exception, *job.Exception)
			require.Contains(t, job.Traceback, tc.traceback)
		})
	}
	t.Run("a type without work, as in a home of another Kolibri", func(t *testing.T) {
		h := newHome(t)
		job := h.until(h.enqueue(h.start(nil), tidy, Spec{}, Schedule{}), Failed)
		require.Equal(t, "NotImplementedError", *job.Exception)
		require.Contains(t, job.Traceback, tidy)
	})
}

// A disk that is too full for the end of a job keeps it for later.
func TestTheEndOfAJobIsWrittenOnceThereIsRoom(t *testing.T) {
	h := newHome(t)
	h.db.Pool().SetMaxOpenConns(1) // the limit is a connection's
	full := make(chan struct{})
	s := h.start(map[string]Work{tidy: {Run: func(context.Context, *Task) (any, error) {
		defer close(full)
		_, err := h.db.Pool().Exec("PRAGMA max_page_count = 1") // which means: no more than there are
		require.NoError(t, err)
		return nil, errors.New(strings.Repeat("long ", 20_000))
	}}})
	id := h.enqueue(s, tidy, Spec{}, Schedule{})
	<-full
	require.Equal(t, Running, h.job(id).State)
	_, err := h.db.Pool().Exec("PRAGMA max_page_count = 1000000")
	require.NoError(t, err)
	require.Len(t, h.until(id, Failed).Traceback, 100_000)
}

func TestRepeats(t *testing.T) {
	two := int64(2)
	for _, tc := range []struct {
		name   string
		when   Schedule
		fail   bool
		state  State
		wait   time.Duration
		repeat *int64
		tries  *int64
	}{
		{"for ever", Schedule{Interval: 3600, Repeat: Forever}, false, Queued, time.Hour, nil, nil},
		{"twice more", Schedule{Interval: 60, Repeat: 2}, false, Queued, time.Minute, ptr(1), nil},
		{"for ever although it failed", Schedule{Interval: 3600, Repeat: Forever}, true, Queued, time.Hour, nil, nil},
		{"again because it failed", Schedule{RetryInterval: &two, MaxRetries: &two}, true, Queued, 2 * time.Second, ptr(0), ptr(1)},
		{"not again", Schedule{}, true, Failed, 0, ptr(0), nil},
		{"not again after success", Schedule{RetryInterval: &two}, false, Completed, 0, ptr(0), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHome(t)
			runs := make(chan bool, 9)
			s := h.start(map[string]Work{tidy: {Run: func(context.Context, *Task) (any, error) {
				runs <- true
				if tc.fail {
					return nil, errors.New("no")
				}
				return nil, nil
			}}})
			start := h.db.Now()
			id := h.enqueue(s, tidy, Spec{}, tc.when)
			<-runs
			job := h.until(id, tc.state)
			require.Equal(t, start.Add(tc.wait), job.ScheduledTime)
			require.Equal(t, tc.repeat, job.Repeat)
			require.Equal(t, tc.tries, job.Retries)
			if tc.state == Queued {
				h.setClock(job.ScheduledTime)
				s.Wake()
				<-runs
			}
		})
	}
}

func ptr(n int64) *int64 { return &n }

func TestRetriesEnd(t *testing.T) {
	h := newHome(t)
	zero, most := int64(0), int64(2)
	var runs atomic.Int64
	s := h.start(map[string]Work{tidy: {Run: func(context.Context, *Task) (any, error) { runs.Add(1); return nil, errors.New("no") }}})
	id := h.enqueue(s, tidy, Spec{}, Schedule{RetryInterval: &zero, MaxRetries: &most})
	require.Eventually(t, func() bool { return runs.Load() == 3 }, time.Minute, time.Millisecond)
	h.until(id, Failed)
	require.EqualValues(t, 3, runs.Load())
}

func TestRetryIn(t *testing.T) {
	h := newHome(t)
	s := h.start(map[string]Work{tidy: {Run: func(_ context.Context, task *Task) (any, error) { task.RetryIn(time.Hour); return nil, nil }}})
	id := h.enqueue(s, tidy, Spec{}, Schedule{})
	require.Equal(t, "18", id, "the type's jobs have one id")
	require.Eventually(t, func() bool {
		job := h.job(id)
		return job.State == Queued && job.ScheduledTime.Equal(h.db.Now().Add(time.Hour))
	}, time.Minute, time.Millisecond)
}

func TestHighPriorityHasWorkersOfItsOwn(t *testing.T) {
	h := newHome(t)
	release := make(chan bool)
	block := func(context.Context, *Task) (any, error) { <-release; return nil, nil }
	s := h.start(map[string]Work{slow: {Run: block}, urgent: {Run: block}}, func(o *api.Options) { o.RegularPriorityWorkers, o.HighPriorityWorkers = 1, 1 })
	first := h.enqueue(s, slow, Spec{}, Schedule{})
	h.until(first, Running)
	second := h.enqueue(s, slow, Spec{}, Schedule{})
	high := h.enqueue(s, urgent, Spec{}, Schedule{})
	h.until(high, Running)
	require.Equal(t, Queued, h.job(second).State)
	close(release)
	h.until(second, Completed)
}

func TestOrderIsPriorityThenTime(t *testing.T) {
	h := newHome(t)
	var mu sync.Mutex
	var order []any
	note := func(_ context.Context, task *Task) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, task.Job.Args[0])
		return nil, nil
	}
	hold := make(chan bool)
	s := h.start(map[string]Work{slow: {Run: note}, tidy: {Run: func(context.Context, *Task) (any, error) { <-hold; return nil, nil }}},
		oneWorker)
	h.until(h.enqueue(s, tidy, Spec{}, Schedule{}), Running)
	now := h.db.Now()
	for _, j := range []struct {
		name string
		when Schedule
	}{{"third", Schedule{At: now}}, {"fourth", Schedule{At: now, Priority: Low}}, {"second", Schedule{At: now.Add(-time.Minute)}}, {"first", Schedule{At: now, Priority: High}}} {
		h.enqueue(s, slow, Spec{Args: []any{j.name}}, j.when)
	}
	close(hold)
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(order) == 4 }, time.Minute, time.Millisecond)
	require.Equal(t, []any{"first", "second", "third", "fourth"}, order)
}

func TestProgressIsWrittenWhenItSaysSomethingNew(t *testing.T) {
	h := newHome(t)
	step, seen := make(chan [2]float64), make(chan bool)
	s := h.start(map[string]Work{slow: {Run: func(_ context.Context, task *Task) (any, error) {
		for p := range step {
			if err := task.Progress(p[0], p[1], nil); err != nil {
				return nil, err
			}
			seen <- true
		}
		return nil, nil
	}}})
	id := h.enqueue(s, slow, Spec{}, Schedule{})
	for _, tc := range []struct {
		name        string
		done, total float64
		kept        float64
	}{
		{"the first total", 0, 1000, 0},
		{"less than a per cent more", 9, 1000, 0},
		{"a per cent", 10, 1000, 10},
		{"back again", 2, 1000, 2},
		{"another total", 2, 500, 2},
		{"nearly the end", 499, 500, 499},
		{"the end", 500, 500, 500},
	} {
		step <- [2]float64{tc.done, tc.total}
		<-seen
		require.Equal(t, tc.kept, h.job(id).Progress, tc.name)
	}
	close(step)
	h.until(id, Completed)
}

func TestARunningJobIsNotScheduledAnew(t *testing.T) {
	h := newHome(t)
	release := make(chan bool)
	s := h.start(map[string]Work{tidy: {Run: func(context.Context, *Task) (any, error) { <-release; return nil, nil }}})
	id := h.enqueue(s, tidy, Spec{}, Schedule{})
	h.until(id, Running)
	require.ErrorIs(t, h.db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := s.Enqueue(tx, tidy, Spec{}, Schedule{})
		return err
	}), ErrRunning)
	close(release)
	h.until(id, Completed)
}

func TestEveryTypeOfKolibriIsKnown(t *testing.T) {
	all := catalog()
	require.Len(t, all, 42)
	for name, want := range map[string]Type{
		"kolibri.core.device.tasks.provisiondevice":     {Queue: "device_provision", Priority: Regular, Permission: FirstProvisioning},
		"kolibri.core.content.tasks.remoteimport":       {Queue: "content", Priority: Regular, Cancellable: true, TracksProgress: true, LongRunning: true, Permission: ContentManager},
		"kolibri.core.auth.tasks.peeruserimport":        {Queue: "soud_sync", Priority: High, TracksProgress: true, LongRunning: true, Permission: SuperuserOrUnprovisioned},
		"kolibri.core.deviceadmin.tasks.perform_vacuum": {Queue: "kolibri", Priority: Regular, FixedID: "1"},
	} {
		want.Name = name
		require.Equal(t, want, *all[name])
	}
}
