package move_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server"
	"kolibri/server/servertest"
	"kolibri/store"
	"kolibri/store/move"
	"kolibri/store/sqlite"
)

// dump is every row of every table, in no order of its own.
func dump(t *testing.T, db *store.DB) map[string][]string {
	all := map[string][]string{}
	require.NoError(t, db.Read(context.Background(), func(tx *store.Tx) error {
		names, err := tx.Strings("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('django_migrations', 'sqlite_sequence')")
		require.NoError(t, err)
		for _, name := range names {
			rows, err := tx.Query(`SELECT * FROM "` + name + `"`)
			require.NoError(t, err)
			columns, err := rows.Columns()
			require.NoError(t, err)
			for rows.Next() {
				values, into := make([]any, len(columns)), make([]any, len(columns))
				for i := range values {
					into[i] = &values[i]
				}
				require.NoError(t, rows.Scan(into...))
				var cells []string
				for i, c := range columns {
					cells = append(cells, fmt.Sprintf("%s=%T %v", c, values[i], values[i]))
				}
				sort.Strings(cells)
				all[name] = append(all[name], strings.Join(cells, "; "))
			}
			require.NoError(t, rows.Err())
			rows.Close()
			sort.Strings(all[name])
		}
		return nil
	}))
	return all
}

func empty(t *testing.T) *store.DB {
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "db.sqlite3"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func TestThereAndBack(t *testing.T) {
	ctx := context.Background()
	world := servertest.NewWorld(t)
	world.Exec(t, "UPDATE kolibriauth_facilityuser SET full_name = ? WHERE id = ?", "Ünïcödé 'quoted' \\ 🐦", world.IDs["learner"])
	world.Exec(t, "INSERT INTO morango_nonce (id, timestamp, ip) VALUES (?, ?, '')", world.IDs["learner"], time.Now())
	world.Exec(t, "INSERT INTO auth_group (id, name) VALUES (41, 'a numbered row')")
	for i := range 9000 { // more than one statement takes
		if i%3000 == 0 {
			var rows []string
			for n := range 3000 {
				rows = append(rows, fmt.Sprintf("('%032x', FALSE, 1, 'x')", i+n))
			}
			world.Exec(t, "INSERT INTO content_localfile (id, available, file_size, extension) VALUES "+strings.Join(rows, ", "))
		}
	}
	config := &server.Config{}
	servertest.StartPostgres(t).Option(t)(config)
	cloud := config.DB

	copied, left, err := move.Copy(ctx, world.DB, cloud)
	require.NoError(t, err)
	require.Empty(t, left)
	require.Greater(t, len(copied), 70)
	for _, table := range copied {
		if table.Name == "content_localfile" {
			require.EqualValues(t, 9000, table.Rows)
		}
	}
	require.NoError(t, cloud.Write(ctx, func(tx *store.Tx) error {
		id, err := tx.Insert("INSERT INTO auth_group (name) VALUES ('made in the cloud')")
		require.Equal(t, int64(42), id, "it counts on")
		require.NoError(t, err)
		_, err = tx.Exec("DELETE FROM auth_group WHERE id = 42")
		return err
	}))
	_, _, err = move.Copy(ctx, world.DB, cloud)
	require.ErrorIs(t, err, move.ErrNotEmpty)

	back := empty(t)
	_, _, err = move.Copy(ctx, cloud, back)
	require.NoError(t, err)
	want, got := dump(t, world.DB), dump(t, back)
	for name := range want {
		require.Equal(t, want[name], got[name], name)
	}
}

// What cannot be copied stops everything, by name, and leaves nothing behind.
func TestWhatPostgresRefuses(t *testing.T) {
	ctx := context.Background()
	world := servertest.NewWorld(t)
	world.Exec(t, "INSERT INTO auth_group (id, name) VALUES (1, ?)", strings.Repeat("too long ", 40))
	world.Exec(t, "CREATE TABLE a_plugins_own (id integer)")
	world.Exec(t, "INSERT INTO a_plugins_own VALUES (1)")
	config := &server.Config{}
	servertest.StartPostgres(t).Option(t)(config)
	_, _, err := move.Copy(ctx, world.DB, config.DB)
	require.ErrorContains(t, err, "copy auth_group")
	require.NoError(t, config.DB.Read(ctx, func(tx *store.Tx) error {
		n, err := tx.Int("SELECT COUNT(*) FROM kolibriauth_collection")
		require.Zero(t, n)
		return err
	}))
	world.Exec(t, "DELETE FROM auth_group")
	_, left, err := move.Copy(ctx, world.DB, config.DB)
	require.NoError(t, err)
	require.Equal(t, []string{"a_plugins_own"}, left)
}
