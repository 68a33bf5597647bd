//go:build !js

package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/sqlite"
)

func TestOpenMakesTheSchemaOnce(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "db.sqlite3")
	for range 2 {
		db, err := sqlite.Open(ctx, path, nil)
		require.NoError(t, err)
		require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
			n, err := tx.Int("SELECT count(*) FROM auth_permission")
			require.EqualValues(t, 312, n)
			return err
		}))
		require.NoError(t, db.Close())
	}
}

func TestTimesListsAndBooleansRoundTrip(t *testing.T) {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "db.sqlite3"), nil)
	require.NoError(t, err)
	defer db.Close()
	moment := time.Date(2026, 1, 31, 8, 0, 0, 123456000, time.UTC)
	require.NoError(t, db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO analytics_pingbacknotification (id, version_range, timestamp, link_url, i18n, active, source)
			VALUES ('a?', 'x', ?, '', '{}', ?, ''), ('b', 'x', ?, '', '{}', ?, '')`, moment, true, moment, false)
		require.NoError(t, err)
		_, err = tx.Exec(`INSERT INTO morango_nonce (id, timestamp, ip) VALUES ('n', ?, '')`, moment)
		require.NoError(t, err)
		return nil
	}))
	require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
		ids, err := tx.Strings("SELECT id FROM analytics_pingbacknotification WHERE id = 'a?' OR (id IN ? AND active = ?) ORDER BY id", store.In([]string{"b", "c"}), false)
		require.NoError(t, err)
		require.Equal(t, []string{"a?", "b"}, ids)
		none, err := tx.Strings("SELECT id FROM analytics_pingbacknotification WHERE id IN ?", store.In([]string{}))
		require.NoError(t, err)
		require.Empty(t, none)
		var at time.Time
		var active bool
		require.NoError(t, tx.QueryRow("SELECT n.timestamp, p.active FROM morango_nonce n, analytics_pingbacknotification p WHERE p.id = 'a?'").Scan(&at, &active))
		require.True(t, at.Equal(moment), "%v", at)
		require.True(t, active)
		return nil
	}))
}

func TestFailedWritesLeaveNothing(t *testing.T) {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "db.sqlite3"), nil)
	require.NoError(t, err)
	defer db.Close()
	insert := func(tx *store.Tx, id string) error {
		_, err := tx.Exec("INSERT INTO morango_nonce (id, timestamp, ip) VALUES (?, ?, '')", id, tx.Now())
		return err
	}
	err = db.Write(ctx, func(tx *store.Tx) error {
		require.NoError(t, insert(tx, "one"))
		return insert(tx, "one")
	})
	require.ErrorIs(t, err, store.ErrUnique)
	require.NoError(t, db.Write(ctx, func(tx *store.Tx) error {
		require.NoError(t, insert(tx, "kept"))
		err := tx.Savepoint(func() error {
			require.NoError(t, insert(tx, "undone"))
			return errors.New("no")
		})
		require.EqualError(t, err, "no")
		return nil
	}))
	require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
		ids, err := tx.Strings("SELECT id FROM morango_nonce")
		require.Equal(t, []string{"kept"}, ids)
		return err
	}))
}

func TestADamagedFileIsNamedSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite3")
	require.NoError(t, os.WriteFile(path, []byte("this is no database, whatever its name may say, and it is long enough"), 0o600))
	_, err := sqlite.Open(context.Background(), path, nil)
	require.ErrorIs(t, err, store.ErrCorrupt)
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(kept), "whatever its name")
}
