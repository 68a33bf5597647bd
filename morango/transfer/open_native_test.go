//go:build !js

package transfer

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/sqlite"
)

// openDB opens a database of its own.
func openDB(t testing.TB) *store.DB {
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "db.sqlite3"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	introduce(t, db)
	return db
}
