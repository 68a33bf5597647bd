//go:build unix || js

package transfer

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/store"
)

// grow adds answers until a home has so many; each travels as about 1.7 kB, as real ones do.
func (d *device) grow(t testing.TB, count int) {
	write(t, d.DB, func(tx *store.Tx) {
		var row struct{ dataset, user, try, session, answer, history string }
		require.NoError(t, tx.QueryRow("SELECT dataset_id, user_id, masterylog_id, sessionlog_id, answer, interaction_history FROM logger_attemptlog LIMIT 1").
			Scan(&row.dataset, &row.user, &row.try, &row.session, &row.answer, &row.history))
		history := "[" + row.history[1:len(row.history)-1]
		for len(history) < 600 {
			history += ", " + row.history[1:len(row.history)-1]
		}
		rows := make([]morango.Row, 0, batch)
		for i := range count {
			at := store.Zoned(time.Date(2026, 1, 5, 8, 0, i, 0, time.UTC))
			rows = append(rows, morango.Row{"$source": fmt.Sprintf("%032x", i), "dataset_id": row.dataset, "user_id": row.user, "masterylog_id": row.try,
				"sessionlog_id": row.session, "item": fmt.Sprintf("%032x", i), "start_timestamp": at, "end_timestamp": at, "completion_timestamp": at, "time_spent": 20.5,
				"complete": true, "correct": float64(i % 2), "hinted": false, "answer": row.answer, "simple_answer": fmt.Sprint("a", i), "interaction_history": history + "]", "error": false})
			if len(rows) == batch || i == count-1 {
				_, err := morango.InsertNew(tx, rand.Reader, morango.AttemptLog, rows...)
				require.NoError(t, err)
				rows = rows[:0]
			}
		}
	})
}

// BenchmarkStages measures the stages of a transfer in records per second of the processor, natively and in
// a browser, and the memory that all has needed there, both devices' databases included:
//
//	go test ./morango/transfer -run ^$ -bench Stages -benchtime 1x
//	node e2e/storage/run.mjs ./morango/transfer -test.run=^$ -test.bench=Stages -test.benchtime=1x
//
// KOLIBRI_BENCH_HOME names a file that gets the database as it is before the first stage, for a real
// Kolibri to do the same (bench/sync.mjs).
func BenchmarkStages(b *testing.B) {
	for _, count := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for range b.N {
				benchStages(b, count)
			}
		})
	}
}

func benchStages(b *testing.B, count int) {
	h, from, to := readHome(b), &device{openDB(b), "from"}, &device{openDB(b), "to"}
	h.fill(b, from.DB)
	from.grow(b, count)
	if path := os.Getenv("KOLIBRI_BENCH_HOME"); path != "" {
		require.NoError(b, os.RemoveAll(path))
		_, err := from.Pool().Exec("VACUUM INTO ?", path)
		require.NoError(b, err)
	}
	s := &Session{ID: testSession, Filter: h.filter(), Push: true, V2: true, ServerFSIC: `{"super": {}, "sub": {}}`}
	from.begin(b, s)
	to.begin(b, s)
	b.ResetTimer()
	// each transaction does as much as a session's does (server/transfers.go)
	stage := func(name string, d *device, step func(tx *store.Tx, o Options) (more bool, err error)) {
		start := processor(b)
		for o := (Options{Limit: 1000}); ; o.Continue = true {
			var more bool
			write(b, d.DB, func(tx *store.Tx) {
				var err error
				more, err = step(tx, o)
				require.NoError(b, err)
			})
			if !more {
				break
			}
		}
		b.ReportMetric(float64(count)/(processor(b)-start).Seconds(), name+"/s")
	}
	stage("serialize", from, func(tx *store.Tx, o Options) (bool, error) {
		done, err := Serialize(tx, s.Filter, o)
		return done.More, err
	})
	write(b, from.DB, func(tx *store.Tx) {
		var err error
		s.ClientFSIC, err = MaxCounters(tx, s.Filter, true, true)
		require.NoError(b, err)
	})
	stage("queue", from, func(tx *store.Tx, _ Options) (bool, error) { _, err := Queue(tx, s); return false, err })
	const size = 500
	var chunks [][]byte
	stage("read", from, func(tx *store.Tx, _ Options) (bool, error) {
		records, err := Buffers(tx, s.ID, int64(len(chunks)*size), size)
		if err != nil || len(records) == 0 {
			return false, err
		}
		chunks = append(chunks, AppendBuffers(nil, records))
		return true, nil
	})
	next := 0
	stage("buffer", to, func(tx *store.Tx, _ Options) (bool, error) {
		records, err := DecodeBuffers(bytes.NewReader(chunks[next]))
		if err != nil {
			return false, err
		}
		next++
		_, err = Receive(tx, s, records)
		return next < len(chunks), err
	})
	stage("dequeue", to, func(tx *store.Tx, _ Options) (bool, error) { return false, Dequeue(tx, s) })
	stage("deserialize", to, func(tx *store.Tx, o Options) (bool, error) {
		done, err := Deserialize(tx, s.Filter, o)
		return done.More, err
	})
	require.EqualValues(b, from.count(b, "SELECT count(*) FROM logger_attemptlog"), to.count(b, "SELECT count(*) FROM logger_attemptlog"))
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.Sys)/1e6, "memory-MB")
	// a second time there is nothing to do, however much there is
	start := time.Now()
	require.Zero(b, send(b, from, to, s.Filter, true))
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "empty-ms")
}
