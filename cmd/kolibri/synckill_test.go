//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/store"
	"kolibri/store/sqlite"
)

// kills is how often a program is killed in the middle of a synchronization: KOLIBRI_SYNC_KILLS, or a
// few times.
func kills(t *testing.T) int {
	text := os.Getenv("KOLIBRI_SYNC_KILLS")
	if text == "" {
		return 2
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// node is a home that synchronizes, with the records that it must have.
type node struct {
	*box
	db      *store.DB
	process *exec.Cmd
	log     *bytes.Buffer
}

func (n *node) open() {
	db, err := sqlite.Open(context.Background(), filepath.Join(n.home, mainDatabase), nil)
	require.NoError(n.t, err)
	n.t.Cleanup(func() { db.Close() })
	n.db = db
}

func (n *node) write(fn func(tx *store.Tx) error) {
	n.t.Helper()
	require.NoError(n.t, n.db.Write(context.Background(), fn))
}

func (n *node) texts(query string, args ...any) (all []string) {
	n.t.Helper()
	require.NoError(n.t, n.db.Read(context.Background(), func(tx *store.Tx) (err error) { all, err = tx.Strings(query, args...); return err }))
	return all
}

// work does what people do between two synchronizations: it adds logs, deletes some of the earlier
// ones and changes a name. It returns the logs that are new and those that are gone.
func (n *node) work(r *mathrand.Rand, dataset, user string, logs []string, label string) (added, gone []string) {
	rows := make([]morango.Row, 100+r.IntN(200))
	for i := range rows {
		rows[i] = morango.Row{"dataset_id": dataset, "user_id": user, "content_id": fmt.Sprintf("%032x", r.Uint64()),
			"channel_id": strings.Repeat("c", 32), "start_timestamp": store.FormatZoned(time.Unix(int64(r.Uint32()), 0)), "time_spent": r.Float64(),
			"progress": 0.5, "kind": "video", "extra_fields": "{}"}
	}
	for _, id := range logs {
		if r.IntN(20) == 0 {
			gone = append(gone, id)
		}
	}
	n.write(func(tx *store.Tx) (err error) {
		if added, err = morango.InsertNew(tx, rand.Reader, morango.ContentSessionLog, rows...); err != nil {
			return err
		}
		if err := morango.DeleteRows(tx, morango.Delete, morango.ContentSessionLog.Table, gone...); err != nil {
			return err
		}
		return morango.Update(tx, morango.FacilityUser, user, morango.Row{"full_name": label})
	})
	return added, gone
}

// state is all that two nodes must agree about after they have synchronized.
func (n *node) state() []string {
	all := n.texts(`SELECT id || ' ' || user_id || ' ' || content_id || ' ' || time_spent || ' ' || _morango_dirty_bit FROM logger_contentsessionlog ORDER BY 1`)
	all = append(all, n.texts(`SELECT id || full_name || _morango_dirty_bit FROM kolibriauth_facilityuser ORDER BY 1`)...)
	all = append(all, n.texts(`SELECT id || last_saved_instance || last_saved_counter || deleted || hard_deleted || serialized || conflicting_serialized_data
		FROM morango_store ORDER BY 1`)...)
	return append(all, n.texts(`SELECT store_model_id || instance_id || counter FROM morango_recordmaxcounter ORDER BY 1`)...)
}

// synchronize starts a synchronization with another node.
func (n *node) synchronize(with *node, args ...string) {
	n.t.Helper()
	args = append([]string{"manage"}, append(args, "--baseurl", with.url(""), "--noninteractive", "--chunk-size", "20")...)
	n.process, n.log = n.command(args...), &bytes.Buffer{}
	n.process.Stdout, n.process.Stderr = n.log, n.log
	require.NoError(n.t, n.process.Start())
	process := n.process
	n.t.Cleanup(func() { _ = process.Process.Kill() })
}

// ended waits for a synchronization; one that hangs is killed, and fails the test.
func (n *node) ended() error {
	n.t.Helper()
	late := time.AfterFunc(2*time.Minute, func() { _ = n.process.Process.Signal(syscall.SIGABRT) })
	err := n.process.Wait()
	require.True(n.t, late.Stop(), "the synchronization hangs: %s", n.log)
	return err
}

// A client or a server is killed at any moment of a synchronization; the next one brings both to
// the same state, with nothing lost and nothing twice.
func TestKilledWhileTheySynchronize(t *testing.T) {
	server, client := &node{box: newBox(t)}, &node{box: newBox(t)}
	server.provision()
	process, log := server.foreground()
	_, facility := server.signIn()
	client.synchronize(server, "sync", "--facility", facility, "--username", "admin", "--password", secret)
	require.NoError(t, client.ended(), client.log)
	server.open()
	client.open()
	dataset := server.texts("SELECT dataset_id FROM kolibriauth_collection WHERE kind = 'facility'")[0]
	user := server.texts("SELECT id FROM kolibriauth_facilityuser")[0]

	r := mathrand.New(mathrand.NewPCG(6, 0))
	killed, took := map[string]int{}, 200*time.Millisecond
	var logs []string
	for round := range kills(t) {
		want := map[string]bool{}
		for _, id := range logs {
			want[id] = true
		}
		for _, n := range []*node{server, client} {
			added, gone := n.work(r, dataset, user, logs, fmt.Sprint("round ", round, " ", n == client))
			for _, id := range added {
				want[id] = true
			}
			for _, id := range gone {
				delete(want, id)
			}
		}
		client.synchronize(server, "sync", "--facility", facility)
		// what has much to do takes longer than the quiet one that was measured
		time.Sleep(time.Duration(r.Int64N(3 * int64(took))))
		if onServer := r.IntN(2) == 0; onServer {
			require.NoError(t, process.Process.Signal(syscall.SIGKILL))
			_ = process.Wait()
			_ = client.ended() // it fails, or was at its end
			killed["server "+client.stage()]++
			process, log = server.foreground()
		} else {
			_ = client.process.Process.Signal(syscall.SIGKILL)
			_ = client.ended()
			killed["client "+client.stage()]++
		}
		if open := client.texts("SELECT id FROM morango_syncsession WHERE active AND NOT is_server ORDER BY start_timestamp DESC"); len(open) > 0 && r.IntN(2) == 0 {
			client.synchronize(server, "resumesync", "--id", open[0])
			_ = client.ended() // one that the server has not heard of cannot be resumed
		}
		for range 2 { // what one side had not serialized when it was killed travels with the second
			start := time.Now()
			client.synchronize(server, "sync", "--facility", facility)
			require.NoError(t, client.ended(), "round %d: %s\n%s", round, client.log, log)
			took = max(time.Since(start), 20*time.Millisecond)
		}
		logs = server.texts("SELECT id FROM logger_contentsessionlog ORDER BY id")
		require.Len(t, logs, len(want), "round %d", round)
		for _, id := range logs {
			require.True(t, want[id], "round %d: %s was deleted", round, id)
		}
		require.Equal(t, server.state(), client.state(), "round %d", round)
	}
	t.Log("killed while the client's last transfer was at: ", killed)
}

// stage is how far the last transfer came.
func (n *node) stage() string {
	last := n.texts(`SELECT CASE WHEN push THEN 'push ' ELSE 'pull ' END || transfer_stage || ' ' || transfer_stage_status
		FROM morango_transfersession ORDER BY start_timestamp DESC LIMIT 1`)
	return strings.Join(last, "")
}
