//go:build !js

package storetest_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/sqlite"
	"kolibri/store/storetest"
)

const sqliteGolden = "../testdata/schema-sqlite.tsv"

// TestSQLiteSchema compares the schema that our migrations make with the ready-made databases of
// Kolibri 0.19.5. To record the golden anew:
//
//	KOLIBRI_DIST_HOME=…/kolibri/dist/home go test ./store/storetest -run SQLiteSchema -record
func TestSQLiteSchema(t *testing.T) {
	ctx := context.Background()
	if storetest.Recording() {
		storetest.CompareSchema(t, sqliteGolden, originals(ctx, t))
		return
	}
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "db.sqlite3"), nil)
	require.NoError(t, err)
	defer db.Close()
	storetest.CompareSchema(t, sqliteGolden, facts(ctx, t, db))
}

func facts(ctx context.Context, t *testing.T, db *store.DB) (all []string) {
	require.NoError(t, db.Read(ctx, func(tx *store.Tx) (err error) {
		all, err = storetest.SchemaFacts(tx)
		return err
	}))
	return all
}

// originals merges the facts of the original's six files; the bookkeeping tables of Django are in
// several of them.
func originals(ctx context.Context, t *testing.T) []string {
	files, err := filepath.Glob(filepath.Join(os.Getenv("KOLIBRI_DIST_HOME"), "*.sqlite3"))
	require.NoError(t, err)
	require.Len(t, files, 6)
	var all []string
	for _, file := range files {
		pool, err := sql.Open("sqlite3", "file:"+file+"?mode=ro&immutable=1")
		require.NoError(t, err)
		db := store.New(pool, store.SQLite, nil)
		all = append(all, facts(ctx, t, db)...)
		require.NoError(t, db.Close())
	}
	slices.Sort(all)
	return slices.Compact(all)
}
