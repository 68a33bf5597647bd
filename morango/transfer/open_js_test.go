package transfer

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/opfs"
)

var opened int

// openDB opens a database of its own in the browser's private file system.
func openDB(t testing.TB) *store.DB {
	const dir = "transfer"
	ctx := context.Background()
	opened++
	name := fmt.Sprintf("db%d.sqlite3", opened)
	db, err := opfs.Disk.Open(ctx, dir, name, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, db.Close())
		require.NoError(t, opfs.Disk.Remove(ctx, dir, name))
	})
	introduce(t, db)
	return db
}

// processor is the time by the clock: a worker has no other, and is alone in its thread.
func processor(testing.TB) time.Duration { return time.Since(begun) }

var begun = time.Now()
