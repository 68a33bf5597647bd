package syncing_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/auth/syncing"
	"kolibri/morango"
	"kolibri/morango/transfer"
	"kolibri/server/servertest"
	"kolibri/store"
)

// watch adds what a learner has watched.
func watch(t testing.TB, w *servertest.World, count int) {
	rows := make([]morango.Row, count)
	for i := range rows {
		rows[i] = morango.Row{"dataset_id": w.IDs["dataset"], "user_id": w.IDs["learner"], "content_id": fmt.Sprintf("%032x", i),
			"channel_id": strings.Repeat("c", 32), "start_timestamp": store.FormatZoned(w.DB.Now()), "time_spent": 1.5, "progress": 0.5,
			"kind": "video", "extra_fields": `{"notes": "` + strings.Repeat("n", 1500) + `"}`}
	}
	require.NoError(t, w.DB.Write(context.Background(), func(tx *store.Tx) error {
		_, err := morango.InsertNew(tx, rand.Reader, morango.ContentSessionLog, rows...)
		return err
	}))
}

// A disk that is full at any point of a synchronization stops it; once there is room, it goes on, and
// everything is there.
func TestFullDisk(t *testing.T) {
	w, d := servertest.NewWorld(t), empty(t)
	watch(t, w, 300)
	pool := d.DB.Pool()
	pool.SetMaxOpenConns(1) // the limit is a connection's
	pragma := func(text string) (n int) {
		t.Helper()
		require.NoError(t, pool.QueryRow("PRAGMA "+text).Scan(&n))
		return n
	}
	failed := map[string]bool{}
	var session string
	for room := 4; ; room = room * 3 / 2 {
		pragma(fmt.Sprint("max_page_count = ", pragma("page_count")-pragma("freelist_count")+room))
		o := from(w)
		o.NoPush, o.Session, o.Opened = true, session, func(id string) error { session = id; return nil }
		_, err := d.Sync(context.Background(), o)
		if err == nil {
			break
		}
		require.ErrorIs(t, err, store.ErrFull, "with room for %d pages", room)
		require.NoError(t, pool.QueryRow("SELECT coalesce(max(transfer_stage), 'none') FROM morango_transfersession WHERE active").Scan(&o.Session))
		failed[o.Session] = true
	}
	require.Greater(t, len(failed), 1, "it failed at %v", failed)
	require.EqualValues(t, 300, d.count(t, "SELECT count(*) FROM logger_contentsessionlog"))
	require.EqualValues(t, 8, d.count(t, "SELECT count(*) FROM kolibriauth_facilityuser"))
}

// What synchronizes does not depend on anybody's clock.
func TestClocksDecadesOff(t *testing.T) {
	for _, skew := range []time.Duration{40 * 365 * 24 * time.Hour, -40 * 365 * 24 * time.Hour} {
		w, d := servertest.NewWorld(t), empty(t)
		d.Skip(skew)
		_, err := d.Sync(context.Background(), from(w))
		require.NoError(t, err)
		rename(t, d.DB, w.IDs["learner"], "Changed there and then")
		_, err = d.Sync(context.Background(), from(w))
		require.NoError(t, err)
		require.Equal(t, "Changed there and then", nameOf(t, w.DB, w.IDs["learner"]))
	}
}

// A device that never gets on with a stage is waited for, as long as the person has patience; the
// transfer can be gone on with.
func TestOtherDeviceStallsUntilItIsCancelled(t *testing.T) {
	w, s := servertest.NewWorld(t), servertest.New(t)
	o := from(w)
	var session string
	o.Opened = func(id string) error { session = id; return nil }
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	y := syncerOf(s, &liar{api.NewOutgoing(http.DefaultTransport), func(_ string, body map[string]any) {
		if body["transfer_stage"] == "queuing" {
			body["transfer_stage_status"] = "started"
			time.AfterFunc(200*time.Millisecond, cancel)
		}
	}})
	_, err := y.Sync(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	o.Session, o.Opened = session, nil
	_, err = syncerOf(s, api.NewOutgoing(http.DefaultTransport)).Sync(context.Background(), o)
	require.NoError(t, err)
	require.Len(t, people(t, s.DB, w.IDs["facility"]), 8)
}

// Whatever step a transfer ends before, the next one brings what it has left to its end, even if
// nothing is to travel any more.
func TestTransfersThatEndBeforeAnyStage(t *testing.T) {
	w, d := servertest.NewWorld(t), empty(t)
	_, err := d.Sync(context.Background(), from(w))
	require.NoError(t, err)
	gone := errors.New("gone")
	for i, stage := range transfer.Stages {
		for _, push := range []bool{false, true} {
			name := fmt.Sprintf("changed before %s %v", stage, push)
			there, here := w.DB, d.DB
			if push {
				there, here = here, there
			}
			rename(t, there, w.IDs["learner"], name)
			o := from(w)
			o.Progress = func(s syncing.Step) error {
				if s.Push == push && s.Stage == stage {
					return gone
				}
				return nil
			}
			_, err := d.Sync(context.Background(), o)
			require.ErrorIs(t, err, gone, name)
			_, err = d.Sync(context.Background(), from(w))
			require.NoError(t, err, name)
			require.Equal(t, name, nameOf(t, here, w.IDs["learner"]), "%d", i)
		}
	}
}
