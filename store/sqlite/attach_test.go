//go:build !js

package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/sqlite"
)

// A file that several transactions read is opened once where there is one connection, and never stays
// where there are more; references are enforced between them, and another file takes its place.
func TestAttached(t *testing.T) {
	for _, connections := range []int{1, 8} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			ctx, folder := context.Background(), t.TempDir()
			var files []*store.Attached
			db, err := sqlite.Open(ctx, filepath.Join(folder, "db.sqlite3"), nil)
			require.NoError(t, err)
			defer db.Close()
			db.Pool().SetMaxOpenConns(connections)
			for i := range 2 {
				path := filepath.Join(folder, fmt.Sprint(i))
				other, err := sqlite.Open(ctx, path, nil)
				require.NoError(t, err)
				require.NoError(t, other.Write(ctx, func(tx *store.Tx) error {
					_, err := tx.Exec(fmt.Sprintf("CREATE TABLE node AS SELECT %d AS id", i))
					return err
				}))
				require.NoError(t, other.Close())
				files = append(files, db.Attach(path))
			}
			now := func(query string) (n int64) {
				t.Helper()
				require.NoError(t, db.Read(ctx, func(tx *store.Tx) (err error) {
					n, err = tx.Int(query)
					return err
				}))
				return n
			}
			const attached = "SELECT count(*) FROM pragma_database_list WHERE name = 'source'"
			cache := now("PRAGMA cache_size")
			for i, which := range []int{0, 0, 1, 0} {
				require.NoError(t, files[which].Write(ctx, func(tx *store.Tx) error {
					n, err := tx.Int("SELECT id FROM source.node")
					require.EqualValues(t, which, n)
					return err
				}), i)
				want := 0
				if connections == 1 {
					want = 1
				}
				require.EqualValues(t, want, now(attached))
				require.EqualValues(t, 1, now("PRAGMA foreign_keys"))
			}
			require.ErrorIs(t, files[0].Write(ctx, func(*store.Tx) error { return context.Canceled }), context.Canceled)
			require.NoError(t, files[1].Close(ctx), "not the one that is there")
			require.NoError(t, files[0].Close(ctx))
			require.NoError(t, files[0].Close(ctx))
			require.Zero(t, now(attached))
			require.Equal(t, cache, now("PRAGMA cache_size"))
			require.Error(t, db.Attach(filepath.Join(folder, "none", "none")).Write(ctx, func(*store.Tx) error { return nil }))
			require.Zero(t, now(attached))
		})
	}
}
