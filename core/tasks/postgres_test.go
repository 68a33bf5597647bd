package tasks

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/postgres"
	"kolibri/store/postgres/pgtest"
)

// newSharedHome is one PostgreSQL database, for several processes.
func newSharedHome(t *testing.T) *home {
	server := pgtest.Start(t)
	server.CreateDatabase(t, "kolibri")
	h := &home{t: t}
	h.setClock(time.Now().UTC())
	db, err := postgres.Open(context.Background(), postgres.Options{Host: server.Host, Port: strconv.Itoa(server.Port), User: "postgres", Name: "kolibri"},
		func() time.Time { return *h.now.Load() })
	require.NoError(t, err)
	h.db = db
	t.Cleanup(func() { db.Close() })
	return h
}

func TestProcessesShareJobs(t *testing.T) {
	h := newSharedHome(t)
	t.Run("each job is done once", func(t *testing.T) {
		var mu sync.Mutex
		done := map[string]int{}
		work := map[string]Work{slow: {Run: func(_ context.Context, task *Task) (any, error) {
			mu.Lock()
			defer mu.Unlock()
			done[task.Job.ID]++
			return nil, nil
		}}}
		a, b, c := h.start(work), h.start(work), h.start(work)
		const n = 60
		require.NoError(t, h.db.Write(context.Background(), func(tx *store.Tx) error {
			for range n {
				if _, err := a.Enqueue(tx, slow, Spec{}, Schedule{}); err != nil {
					return err
				}
			}
			return nil
		}))
		b.Wake()
		c.Wake()
		require.Eventually(t, func() bool {
			b.Wake()
			c.Wake()
			mu.Lock()
			defer mu.Unlock()
			return len(done) == n
		}, time.Minute, 10*time.Millisecond)
		for _, s := range []*server{a, b, c} {
			s.stop()
		}
		for id, times := range done {
			require.Equal(t, 1, times, id)
		}
	})
	t.Run("one process cancels what another does", func(t *testing.T) {
		a := h.start(map[string]Work{slow: {Run: func(ctx context.Context, task *Task) (any, error) { <-ctx.Done(); return nil, task.Check() }}})
		id := h.enqueue(a, slow, Spec{}, Schedule{})
		h.until(id, Running)
		b := h.start(nil)
		require.NoError(t, h.db.Write(context.Background(), func(tx *store.Tx) error { return b.Cancel(tx, id) }))
		require.Equal(t, Canceling, h.job(id).State, "the other process decides")
		a.Wake()
		h.until(id, Canceled)
		a.stop()
		b.stop()
	})
	t.Run("a living process keeps its jobs, a dead one's are taken up", func(t *testing.T) {
		never := make(chan bool)
		a := h.start(map[string]Work{slow: {Run: func(context.Context, *Task) (any, error) { <-never; return nil, nil }}}, oneWorker)
		id := h.enqueue(a, slow, Spec{}, Schedule{})
		h.until(id, Running)
		ran := make(chan bool, 1)
		b := h.start(map[string]Work{slow: {Run: func(context.Context, *Task) (any, error) { ran <- true; return nil, nil }}})
		require.NoError(t, b.share(context.Background()))
		require.Equal(t, Running, h.job(id).State)

		h.setClock(h.db.Now().Add(silent + time.Second))
		require.NoError(t, a.share(context.Background())) // it tells that it lives
		require.NoError(t, b.share(context.Background()))
		require.Equal(t, Running, h.job(id).State)

		h.setClock(h.db.Now().Add(silent + time.Second)) // now it is silent
		require.NoError(t, b.share(context.Background()))
		b.Wake()
		<-ran
		h.until(id, Completed)
		b.stop()
		close(never)
		a.stop() // or it would take the jobs of other tests
	})
	t.Run("a process that was only slow does not end what another has taken", func(t *testing.T) {
		goOn, ended := make(chan bool), make(chan error, 1)
		a := h.start(map[string]Work{slow: {Run: func(_ context.Context, task *Task) (any, error) {
			<-goOn
			err := task.Write(func(tx *store.Tx) error { return task.Complete(tx, "from the slow one") })
			ended <- err
			return nil, err
		}}}, oneWorker)
		id := h.enqueue(a, slow, Spec{}, Schedule{})
		h.until(id, Running)
		h.setClock(h.db.Now().Add(silent + time.Second))
		b := h.start(map[string]Work{slow: {Run: func(context.Context, *Task) (any, error) { return "from the other", nil }}})
		h.until(id, Completed)
		goOn <- true
		require.ErrorIs(t, <-ended, errLost, "its transaction is undone")
		a.stop()
		require.Equal(t, "from the other", h.job(id).Result)
		require.Equal(t, Completed, h.job(id).State)
		b.stop()
	})
}
