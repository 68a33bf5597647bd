package storetest

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/tab"
)

// BenchDisk measures what a disk of the browser costs:
//
//	node e2e/storage/run.mjs ./store/opfs -test.run=^$ -test.bench=. -test.benchtime=2s
func BenchDisk(b *testing.B, disk *tab.Disk) {
	const dir, name = "bench", "db.sqlite3"
	ctx := context.Background()
	db, err := disk.Open(ctx, dir, name, nil)
	require.NoError(b, err)
	var ready bytes.Buffer
	require.NoError(b, disk.Backup(ctx, db.Pool(), &ready))
	require.NoError(b, db.Close())

	b.Run("make the schema", func(b *testing.B) {
		for i := range b.N {
			db, err := disk.Open(ctx, dir, fmt.Sprintf("made-%d.sqlite3", i), nil)
			require.NoError(b, err)
			require.NoError(b, db.Close())
			require.NoError(b, disk.Remove(ctx, dir, fmt.Sprintf("made-%d.sqlite3", i)))
		}
	})
	b.Run("install the ready-made database and open it", func(b *testing.B) {
		for i := range b.N {
			file := fmt.Sprintf("copied-%d.sqlite3", i)
			require.NoError(b, disk.Install(ctx, dir, file, bytes.NewReader(ready.Bytes())))
			db, err := disk.Open(ctx, dir, file, nil)
			require.NoError(b, err)
			require.NoError(b, db.Close())
			require.NoError(b, disk.Remove(ctx, dir, file))
		}
	})
	b.Run("open", func(b *testing.B) {
		for range b.N {
			db, err := disk.Open(ctx, dir, name, nil)
			require.NoError(b, err)
			require.NoError(b, db.Close())
		}
	})
	db, err = disk.Open(ctx, dir, name, nil)
	require.NoError(b, err)
	defer db.Close()
	id := 0
	b.Run("commit one row", func(b *testing.B) {
		for range b.N {
			id++
			require.NoError(b, db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec("INSERT INTO morango_nonce (id, timestamp, ip) VALUES (?, ?, '')", fmt.Sprintf("%032x", id), tx.Now())
				return err
			}))
		}
	})
	b.Run("read one row", func(b *testing.B) {
		for i := range b.N {
			require.NoError(b, db.Read(ctx, func(tx *store.Tx) error {
				_, err := tx.Exists("SELECT 1 FROM morango_nonce WHERE id = ?", fmt.Sprintf("%032x", i%max(id, 1)))
				return err
			}))
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.HeapAlloc)/1e6, "heap-MB")
		b.ReportMetric(float64(memory.Sys)/1e6, "memory-MB")
	})
}
