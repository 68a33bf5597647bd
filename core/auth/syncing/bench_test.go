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
