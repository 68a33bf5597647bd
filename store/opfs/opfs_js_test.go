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

func BenchmarkDisk(b *testing.B) { storetest.BenchDisk(b, opfs.Disk) }
