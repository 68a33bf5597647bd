package syncing_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/server/servertest"
	"kolibri/store"
)

// BenchmarkPull fetches a facility with many logs from a server, both natively.
func BenchmarkPull(b *testing.B) {
	const logs = 10_000
	for b.Loop() {
		b.StopTimer()
		w := servertest.NewWorld(b)
		rows := make([]morango.Row, logs)
		for i := range rows {
			rows[i] = morango.Row{"dataset_id": w.IDs["dataset"], "user_id": w.IDs["learner"], "content_id": fmt.Sprintf("%032x", i),
				"channel_id": strings.Repeat("c", 32), "start_timestamp": store.FormatZoned(w.DB.Now()), "time_spent": 1.5, "progress": 0.5,
				"kind": "video", "extra_fields": "{}"}
		}
		require.NoError(b, w.DB.Write(context.Background(), func(tx *store.Tx) error {
			_, err := morango.InsertNew(tx, rand.Reader, morango.ContentSessionLog, rows...)
			return err
		}))
		s := servertest.New(b)
		y := syncerOf(s, api.NewOutgoing(http.DefaultTransport))
		o := from(w)
		_, err := y.Credentials(context.Background(), w.HTTP.URL, o) // a key takes as long to draw as much else
		require.NoError(b, err)
		o.NoPush, o.ChunkSize = true, 200
		b.StartTimer()
		_, err = y.Sync(context.Background(), o)
		require.NoError(b, err)
	}
	b.ReportMetric(logs*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkNothingNew synchronizes both ways when nothing has changed.
func BenchmarkNothingNew(b *testing.B) {
	w := servertest.NewWorld(b)
	s := servertest.New(b)
	y := syncerOf(s, api.NewOutgoing(http.DefaultTransport))
	_, err := y.Sync(context.Background(), from(w))
	require.NoError(b, err)
	for b.Loop() {
		_, err := y.Sync(context.Background(), from(w))
		require.NoError(b, err)
	}
}

// BenchmarkStored synchronizes when nothing is new, and when 100 records are, with few and with many
// records that both devices have had for long: what it costs follows from what has changed.
//
//	go test ./core/auth/syncing -run ^$ -bench Stored -benchtime 5x
func BenchmarkStored(b *testing.B) {
	for _, stored := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(stored), func(b *testing.B) {
			w := servertest.NewWorld(b)
			s := servertest.New(b)
			y := syncerOf(s, api.NewOutgoing(http.DefaultTransport))
			_, err := y.Sync(context.Background(), from(w))
			require.NoError(b, err)
			for _, db := range []*store.DB{w.DB, s.DB} {
				old(b, db, w, stored)
			}
			for _, changed := range []int{0, 100} {
				b.Run(fmt.Sprint(changed, " new"), func(b *testing.B) {
					for b.Loop() {
						b.StopTimer()
						if changed > 0 {
							watch(b, w, changed)
						}
						b.StartTimer()
						_, err := y.Sync(context.Background(), from(w))
						require.NoError(b, err)
					}
				})
			}
		})
	}
}

// old gives a device logs that it has had for long, with what its store knows of them: a record of
// morango's is copied so often, each time with an id of its own.
func old(b *testing.B, db *store.DB, w *servertest.World, count int) {
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
	partition := w.IDs["dataset"] + ":user-rw:" + w.IDs["learner"]
	require.NoError(b, db.Write(context.Background(), func(tx *store.Tx) error {
		var instance string
		if err := tx.QueryRow("SELECT last_saved_instance FROM morango_store WHERE model_name = 'facility' AND partition LIKE ?", w.IDs["dataset"]+"%").Scan(&instance); err != nil {
			return err
		}
		for _, statement := range []struct {
			text string
			args []any
		}{
			{numbers + `INSERT INTO logger_contentsessionlog (id, _morango_dirty_bit, _morango_source_id, _morango_partition, dataset_id, user_id, content_id, channel_id,
				start_timestamp, time_spent, progress, kind, extra_fields) SELECT printf('%032x', i), FALSE, printf('%032x', i), ?, ?, ?, printf('%032x', i), printf('%032x', 7),
				'2026-01-05 08:00:00.000000(UTC)', 1.5, 0.5, 'video', '{}' FROM n`, []any{count, partition, w.IDs["dataset"], w.IDs["learner"]}},
			{numbers + `INSERT INTO morango_store (id, model_name, profile, partition, source_id, serialized, conflicting_serialized_data, _self_ref_fk, deleted, hard_deleted,
				dirty_bit, last_saved_instance, last_saved_counter) SELECT printf('%032x', i), 'contentsessionlog', 'facilitydata', ?, printf('%032x', i), '{}', '', '',
				FALSE, FALSE, FALSE, ?, 1 FROM n`, []any{count, partition, instance}},
			{numbers + "INSERT INTO morango_recordmaxcounter (store_model_id, instance_id, counter) SELECT printf('%032x', i), ?, 1 FROM n", []any{count, instance}},
		} {
			if _, err := tx.Exec(statement.text, statement.args...); err != nil {
				return err
			}
		}
		return nil
	}))
}
