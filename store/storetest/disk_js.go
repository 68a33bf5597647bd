package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/tab"
)

// RunDisk runs the suite on a disk of the browser, and then tests what only such a disk does. It
// needs the driver e2e/storage/run.mjs, which can fill the disk.
func RunDisk(t *testing.T, disk *tab.Disk) {
	const dir = "suite/of tests"
	require.NoError(t, disk.Available(context.Background()))
	Run(t, Backend{
		Open: func(ctx context.Context, name string) (*store.DB, error) { return openDisk(ctx, disk, dir, name) },
		Damage: func(t *testing.T, name string, change func([]byte) []byte) {
			ctx := context.Background()
			var content bytes.Buffer
			require.NoError(t, disk.ReadFile(ctx, dir, name, &content))
			require.NoError(t, disk.Remove(ctx, dir, name))
			require.NoError(t, disk.Install(ctx, dir, name, bytes.NewReader(change(content.Bytes()))))
		},
		LimitSpace: func(_ *testing.T, bytes int64) func() { return limitSpace(bytes) },
	})
	for name, test := range map[string]func(*testing.T, *tab.Disk){
		"the schema is made once":          testSchemaOnce,
		"a file is open once":              testOpenOnce,
		"attached and temporary databases": testAttached,
		"the browser's own quota":          testQuota,
		"backup and restore":               testBackupAndRestore,
		"a ready-made database":            testInstall,
		"an interrupted restoration":       testInterruptedRestore,
	} {
		t.Run(name, func(t *testing.T) { test(t, disk) })
	}
}

// openDisk opens a database without Kolibri's tables.
func openDisk(ctx context.Context, disk *tab.Disk, dir, name string) (*store.DB, error) {
	pool, err := disk.OpenPool(ctx, dir, name)
	if err != nil {
		return nil, err
	}
	return store.New(pool, store.SQLite, nil), nil
}

// limitSpace lets the driver fill the disk at an exact byte.
func limitSpace(bytes int64) (lift func()) {
	runner := js.Global().Get("kolibriRunner")
	runner.Set("space", bytes)
	return func() { runner.Set("space", js.Global().Get("Infinity")) }
}

func testSchemaOnce(t *testing.T, disk *tab.Disk) {
	ctx := context.Background()
	for range 2 {
		db, err := disk.Open(ctx, "schema", "db.sqlite3", nil)
		require.NoError(t, err)
		require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
			n, err := tx.Int("SELECT count(*) FROM auth_permission")
			require.EqualValues(t, 312, n)
			return err
		}))
		require.NoError(t, db.Close())
	}
}

func testOpenOnce(t *testing.T, disk *tab.Disk) {
	ctx := context.Background()
	db, err := openDisk(ctx, disk, "", "once.sqlite3")
	require.NoError(t, err)
	_, err = openDisk(ctx, disk, "", "once.sqlite3")
	require.ErrorContains(t, err, "open already")
	require.NoError(t, db.Close())
	db, err = openDisk(ctx, disk, "", "once.sqlite3")
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func testAttached(t *testing.T, disk *tab.Disk) {
	ctx := context.Background()
	db, err := openDisk(ctx, disk, "attach", "main.sqlite3")
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
	there, err := disk.Exists(ctx, "attach/content", "channel.sqlite3")
	require.NoError(t, err)
	require.True(t, there)
}

// testQuota uses the browser's own quota instead of a simulated one.
func testQuota(t *testing.T, disk *tab.Disk) {
	ctx := context.Background()
	db, err := openDisk(ctx, disk, "quota", "db.sqlite3")
	require.NoError(t, err)
	defer db.Close()
	insert := func(size int) error {
		return db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO document (content) VALUES (?)", noise(1, size))
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
	limited := time.Now()
	acknowledged := 1
	for err == nil {
		if err = insert(100_000); err == nil {
			acknowledged++
		}
		require.Less(t, time.Since(limited), time.Minute)
		if acknowledged > 50 { // Chromium's IndexedDB asks for the quota every 30 s only
			time.Sleep(200 * time.Millisecond)
		}
	}
	require.ErrorIs(t, err, store.ErrFull)
	for range 2 {
		require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
			n, err := tx.Int("SELECT count(*) FROM document")
			require.EqualValues(t, acknowledged, n)
			return err
		}))
		require.NoError(t, db.Close())
		db, err = openDisk(ctx, disk, "quota", "db.sqlite3")
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

func testBackupAndRestore(t *testing.T, disk *tab.Disk) {
	ctx := context.Background()
	const dir, name = "backup", "db.sqlite3"
	db, err := openDisk(ctx, disk, dir, name)
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
	require.NoError(t, disk.Backup(ctx, db.Pool(), &saved))
	put("later")
	require.NoError(t, db.Close())

	refuse := func(why string, file []byte, check func(context.Context, *sql.DB) error, want error) {
		t.Helper()
		err := disk.Restore(ctx, dir, name, bytes.NewReader(file), check)
		require.ErrorIs(t, err, want, why)
		db, err = openDisk(ctx, disk, dir, name)
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
	lift := limitSpace(5000)
	t.Cleanup(lift)
	refuse("no space", saved.Bytes(), nil, store.ErrFull)
	lift()

	require.NoError(t, disk.Restore(ctx, dir, name, bytes.NewReader(saved.Bytes()), func(ctx context.Context, pool *sql.DB) error {
		return pool.QueryRowContext(ctx, "SELECT text FROM note").Scan(new(string))
	}))
	db, err = openDisk(ctx, disk, dir, name)
	require.NoError(t, err)
	require.Equal(t, []string{"saved"}, notes())
	put("after")
	require.NoError(t, db.Close())
	require.NoError(t, disk.Remove(ctx, dir, name))
	there, err := disk.Exists(ctx, dir, name)
	require.NoError(t, err)
	require.False(t, there)
}

func testInstall(t *testing.T, disk *tab.Disk) {
	ctx := context.Background()
	db, err := openDisk(ctx, disk, "install", "made.sqlite3")
	require.NoError(t, err)
	require.NoError(t, db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE ready (yes integer)")
		return err
	}))
	var file bytes.Buffer
	require.NoError(t, disk.Backup(ctx, db.Pool(), &file))
	require.NoError(t, db.Close())

	require.NoError(t, disk.Install(ctx, "install", "db.sqlite3", bytes.NewReader(file.Bytes())))
	require.Error(t, disk.Install(ctx, "install", "db.sqlite3", bytes.NewReader(nil)), "never over a database")
	db, err = openDisk(ctx, disk, "install", "db.sqlite3")
	require.NoError(t, err)
	require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
		there, err := store.HasTable(tx, "ready")
		require.True(t, there)
		return err
	}))
	require.NoError(t, db.Close())
}

// testInterruptedRestore starts from what a crash between two steps of a restoration leaves: the
// old database, moved away, with or without the new one in its place.
func testInterruptedRestore(t *testing.T, disk *tab.Disk) {
	ctx := context.Background()
	const dir, name = "interrupted", "db.sqlite3"
	holding := func(text string) []byte {
		db, err := openDisk(ctx, disk, dir, "source.sqlite3")
		require.NoError(t, err)
		require.NoError(t, db.Write(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec("CREATE TABLE note (text text)"); err != nil {
				return err
			}
			_, err := tx.Exec("INSERT INTO note VALUES (?)", text)
			return err
		}))
		var file bytes.Buffer
		require.NoError(t, disk.Backup(ctx, db.Pool(), &file))
		require.NoError(t, db.Close())
		require.NoError(t, disk.Remove(ctx, dir, "source.sqlite3"))
		return file.Bytes()
	}
	older, newer := holding("old"), holding("new")
	for want, files := range map[string]map[string][]byte{
		"old": {name + ".replaced": older, name + ".incoming": newer},
		"new": {name + ".replaced": older, name: newer},
	} {
		for file, content := range files {
			require.NoError(t, disk.Install(ctx, dir, file, bytes.NewReader(content)))
		}
		db, err := openDisk(ctx, disk, dir, name)
		require.NoError(t, err)
		require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
			notes, err := tx.Strings("SELECT text FROM note")
			require.Equal(t, []string{want}, notes)
			return err
		}))
		require.NoError(t, db.Close())
		left, err := disk.Exists(ctx, dir, name+".replaced")
		require.NoError(t, err)
		require.False(t, left)
		require.NoError(t, disk.Remove(ctx, dir, name))
	}
}

// Settings compares the pragmas of a new connection.
func Settings(t *testing.T, disk *tab.Disk, want map[string]string) {
	ctx := context.Background()
	db, err := openDisk(ctx, disk, "", "settings.sqlite3")
	require.NoError(t, err)
	defer db.Close()
	for pragma, value := range want {
		var got string
		require.NoError(t, db.Pool().QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got))
		require.Equal(t, value, got, pragma)
	}
}
