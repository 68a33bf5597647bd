package opfs_test

import (
	"context"
	"fmt"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/opfs"
	"kolibri/store/storetest"
	"kolibri/store/tab"
)

func TestConformance(t *testing.T) { storetest.RunDisk(t, opfs.Disk) }

func TestSettings(t *testing.T) {
	storetest.Settings(t, opfs.Disk, map[string]string{
		"locking_mode": "exclusive", "journal_mode": "wal", "synchronous": "1", "cache_size": "-16000",
		"temp_store": "2", "page_size": "4096", "foreign_keys": "1",
	})
}

// TestCalls holds the number of calls that a commit costs, because each takes 30 to 130 microseconds
// and a flush some milliseconds.
func TestCalls(t *testing.T) {
	ctx := context.Background()
	db, err := opfs.Disk.Open(ctx, "calls", "db.sqlite3", nil)
	require.NoError(t, err)
	defer db.Close()
	commit := func(id int) {
		require.NoError(t, db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO morango_nonce (id, timestamp, ip) VALUES (?, ?, '')", fmt.Sprintf("%032x", id), tx.Now())
			return err
		}))
	}
	calls := func(name string) int { return js.Global().Get("kolibriRunner").Get("calls").Get(name).Int() }
	commit(0)
	before := map[string]int{"read": calls("read"), "write": calls("write"), "flush": calls("flush"), "truncate": calls("truncate")}
	for id := 1; id <= 50; id++ {
		commit(id)
	}
	require.LessOrEqual(t, calls("write")-before["write"], 60, "one write a commit")
	require.LessOrEqual(t, calls("read")-before["read"], 5, "pages stay in the cache")
	require.Equal(t, before["flush"], calls("flush"))
	require.Equal(t, before["truncate"], calls("truncate"))
}

// TestAhead: files that were opened before Go has started serve whoever wants them, and are in nobody's way.
func TestAhead(t *testing.T) {
	ctx := context.Background()
	ahead := func(names ...any) bool {
		there, err := tab.Await(ctx, js.Global().Get("kolibriOPFS").Call("ahead", "ahead", names))
		require.NoError(t, err)
		return there.Bool()
	}
	open := func() *store.DB {
		db, err := opfs.Disk.Open(ctx, "ahead", "db.sqlite3", nil)
		require.NoError(t, err)
		return db
	}
	_, err := tab.Await(ctx, js.Global().Get("kolibriOPFS").Call("ahead", "no-such-folder", []any{"db.sqlite3"}))
	require.Error(t, err)
	db := open()
	_, err = db.Pool().Exec("INSERT INTO morango_nonce (id, timestamp, ip) VALUES ('1', '2026-01-01', 'kept')")
	require.NoError(t, err)
	require.NoError(t, db.Close())

	require.False(t, ahead("other.sqlite3"))
	require.True(t, ahead("db.sqlite3", "db.sqlite3-wal"))
	db = open()
	var ip string
	require.NoError(t, db.Pool().QueryRow("SELECT ip FROM morango_nonce WHERE id = '1'").Scan(&ip))
	require.Equal(t, "kept", ip)
	require.NoError(t, db.Close())

	require.True(t, ahead("db.sqlite3"))
	require.NoError(t, opfs.Disk.Remove(ctx, "ahead", "db.sqlite3"))
	require.False(t, ahead("db.sqlite3"))
}

func BenchmarkDisk(b *testing.B) { storetest.BenchDisk(b, opfs.Disk) }
