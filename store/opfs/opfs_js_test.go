package opfs_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/opfs"
	"kolibri/store/storetest"
	"kolibri/store/tab"
)

// open opens a database without Kolibri's tables.
func open(ctx context.Context, dir, name string) (*store.DB, error) {
	pool, err := opfs.Disk.OpenPool(ctx, dir, name)
	if err != nil {
		return nil, err
	}
	return store.New(pool, store.SQLite, nil), nil
}

func TestConformance(t *testing.T) {
	const dir = "suite/of tests"
	runner := js.Global().Get("kolibriRunner")
	storetest.Run(t, storetest.Backend{
		Open: func(ctx context.Context, name string) (*store.DB, error) { return open(ctx, dir, name) },
		Damage: func(t *testing.T, name string, change func([]byte) []byte) {
			ctx := context.Background()
			content := read(t, dir, name)
			require.NoError(t, opfs.Disk.Remove(ctx, dir, name))
			require.NoError(t, opfs.Disk.Install(ctx, dir, name, bytes.NewReader(change(content))))
		},
		LimitSpace: func(_ *testing.T, bytes int64) func() {
			runner.Set("space", bytes)
			return func() { runner.Set("space", js.Global().Get("Infinity")) }
		},
	})
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	var content bytes.Buffer
	require.NoError(t, opfs.Disk.ReadFile(context.Background(), dir, name, &content))
	return content.Bytes()
}

func TestOpenMakesTheSchemaOnce(t *testing.T) {
	ctx := context.Background()
	require.NoError(t, opfs.Disk.Available(ctx))
	for range 2 {
		db, err := opfs.Disk.Open(ctx, "schema", "db.sqlite3", nil)
		require.NoError(t, err)
		require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
			n, err := tx.Int("SELECT count(*) FROM auth_permission")
			require.EqualValues(t, 312, n)
			return err
		}))
		require.NoError(t, db.Close())
	}
}

func TestSettings(t *testing.T) {
	ctx := context.Background()
	db, err := open(ctx, "", "settings.sqlite3")
	require.NoError(t, err)
	defer db.Close()
	for pragma, want := range map[string]string{
		"locking_mode": "exclusive", "journal_mode": "wal", "synchronous": "1", "cache_size": "-16000",
		"temp_store": "2", "page_size": "4096", "foreign_keys": "1",
	} {
		var got string
		require.NoError(t, db.Pool().QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got))
		require.Equal(t, want, got, pragma)
	}
}

func TestAFileIsOpenOnce(t *testing.T) {
	ctx := context.Background()
	db, err := open(ctx, "", "once.sqlite3")
	require.NoError(t, err)
	_, err = open(ctx, "", "once.sqlite3")
	require.ErrorContains(t, err, "open already")
	require.NoError(t, db.Close())
	db, err = open(ctx, "", "once.sqlite3")
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestAttachedAndTemporaryDatabases(t *testing.T) {
	ctx := context.Background()
	db, err := open(ctx, "attach", "main.sqlite3")
	require.NoError(t, err)
	conn, err := db.Pool().Conn(ctx)
	require.NoError(t, err)
	for _, statement := range []string{
		"ATTACH 'attach/content/channel.sqlite3' AS channel",
		"CREATE TABLE channel.node (id integer PRIMARY KEY, title text)",
		"CREATE TEMP TABLE chosen (id integer)",
		"CREATE TABLE node (id integer PRIMARY KEY, title text)",
		"BEGIN; INSERT INTO channel.node VALUES (1, 'a'), (2, 'b'); INSERT INTO temp.chosen VALUES (2);" +
			"INSERT INTO main.node SELECT * FROM channel.node WHERE id IN (SELECT id FROM chosen); COMMIT",
		"DETACH channel",
	} {
		_, err := conn.ExecContext(ctx, statement)
		require.NoError(t, err, statement)
	}
	var title string
	require.NoError(t, conn.QueryRowContext(ctx, "SELECT title FROM node").Scan(&title))
	require.Equal(t, "b", title)
	require.NoError(t, conn.Close())
	require.NoError(t, db.Close())
	there, err := opfs.Disk.Exists(ctx, "attach/content", "channel.sqlite3")
	require.NoError(t, err)
	require.True(t, there)
}

// TestQuota uses the browser's own quota instead of a simulated one.
func TestQuota(t *testing.T) {
	ctx := context.Background()
	db, err := open(ctx, "quota", "db.sqlite3")
	require.NoError(t, err)
	defer db.Close()
	insert := func(size int) error {
		return db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO document (content) VALUES (zeroblob(?))", size)
			return err
		})
	}
	require.NoError(t, db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE document (id integer PRIMARY KEY, content blob)")
		return err
	}))
	require.NoError(t, insert(1000))

	space, err := tab.Usage(ctx)
	require.NoError(t, err)
	setQuota(space.Usage + 3_000_000)
	defer setQuota(0)
	acknowledged := 1
	for err == nil {
		if err = insert(100_000); err == nil {
			acknowledged++
		}
		require.Less(t, acknowledged, 1000)
	}
	require.ErrorIs(t, err, store.ErrFull)
	for range 2 {
		require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
			n, err := tx.Int("SELECT count(*) FROM document")
			require.EqualValues(t, acknowledged, n)
			return err
		}))
		require.NoError(t, db.Close())
		db, err = open(ctx, "quota", "db.sqlite3")
		require.NoError(t, err)
	}
	setQuota(0)
	require.NoError(t, insert(100_000))
}

// setQuota asks the driver for another quota of this origin; 0 is the browser's own.
func setQuota(bytes int64) {
	done := make(chan struct{})
	answered := js.FuncOf(func(js.Value, []js.Value) any {
		close(done)
		return nil
	})
	defer answered.Release()
	js.Global().Get("kolibriRunner").Call("ask", "quota", bytes).Call("then", answered)
	<-done
}

func TestBackupAndRestore(t *testing.T) {
	ctx := context.Background()
	const dir, name = "backup", "db.sqlite3"
	db, err := open(ctx, dir, name)
	require.NoError(t, err)
	put := func(text string) {
		t.Helper()
		require.NoError(t, db.Write(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec("CREATE TABLE IF NOT EXISTS note (text text)"); err != nil {
				return err
			}
			_, err := tx.Exec("INSERT INTO note VALUES (?)", text)
			return err
		}))
	}
	notes := func() (all []string) {
		t.Helper()
		require.NoError(t, db.Read(ctx, func(tx *store.Tx) (err error) {
			all, err = tx.Strings("SELECT text FROM note")
			return err
		}))
		return all
	}
	put("saved")
	var saved bytes.Buffer
	require.NoError(t, opfs.Disk.Backup(ctx, db.Pool(), &saved))
	put("later")
	require.NoError(t, db.Close())

	refuse := func(why string, file []byte, check func(context.Context, *sql.DB) error, want error) {
		t.Helper()
		err := opfs.Disk.Restore(ctx, dir, name, bytes.NewReader(file), check)
		require.ErrorIs(t, err, want, why)
		db, err = open(ctx, dir, name)
		require.NoError(t, err)
		require.Equal(t, []string{"saved", "later"}, notes(), why)
		require.NoError(t, db.Close())
	}
	damaged := bytes.Clone(saved.Bytes())
	copy(damaged[4096:], bytes.Repeat([]byte{0xff}, 200))
	strange := errors.New("not a Kolibri database")
	refuse("no database", []byte("GIF89a, certainly no database, and long enough to have had a header of 100 bytes in it, if it were"), nil, store.ErrCorrupt)
	refuse("a damaged page", damaged, nil, store.ErrCorrupt)
	refuse("half a file", saved.Bytes()[:len(saved.Bytes())/2], nil, store.ErrCorrupt)
	refuse("the caller's check", saved.Bytes(), func(context.Context, *sql.DB) error { return strange }, strange)
	js.Global().Get("kolibriRunner").Set("space", 5000)
	refuse("no space", saved.Bytes(), nil, store.ErrFull)
	js.Global().Get("kolibriRunner").Set("space", js.Global().Get("Infinity"))

	require.NoError(t, opfs.Disk.Restore(ctx, dir, name, bytes.NewReader(saved.Bytes()), func(ctx context.Context, pool *sql.DB) error {
		return pool.QueryRowContext(ctx, "SELECT text FROM note").Scan(new(string))
	}))
	db, err = open(ctx, dir, name)
	require.NoError(t, err)
	require.Equal(t, []string{"saved"}, notes())
	put("after")
	require.NoError(t, db.Close())
	require.NoError(t, opfs.Disk.Remove(ctx, dir, name))
	there, err := opfs.Disk.Exists(ctx, dir, name)
	require.NoError(t, err)
	require.False(t, there)
}

func TestInstall(t *testing.T) {
	ctx := context.Background()
	db, err := open(ctx, "install", "made.sqlite3")
	require.NoError(t, err)
	require.NoError(t, db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE ready (yes integer)")
		return err
	}))
	var file bytes.Buffer
	require.NoError(t, opfs.Disk.Backup(ctx, db.Pool(), &file))
	require.NoError(t, db.Close())

	require.NoError(t, opfs.Disk.Install(ctx, "install", "db.sqlite3", bytes.NewReader(file.Bytes())))
	require.Error(t, opfs.Disk.Install(ctx, "install", "db.sqlite3", bytes.NewReader(nil)), "never over a database")
	db, err = open(ctx, "install", "db.sqlite3")
	require.NoError(t, err)
	require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
		there, err := store.HasTable(tx, "ready")
		require.True(t, there)
		return err
	}))
	require.NoError(t, db.Close())
}
