//go:build unix

package main

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
)

// visit opens a home as a server does, and leaves it.
type visit struct {
	*home
	t   *testing.T
	log *bytes.Buffer
}

func enter(t *testing.T, dir string) *visit {
	t.Helper()
	s, err := loadSettings(dir, nil)
	require.NoError(t, err)
	log := &bytes.Buffer{}
	h, err := openHome(context.Background(), s, slog.New(slog.NewTextHandler(log, nil)), true)
	require.NoError(t, err)
	return &visit{h, t, log}
}

func (v *visit) leave() { require.NoError(v.t, v.close(context.Background())) }

// crash leaves without handing anything over.
func (v *visit) crash() { require.NoError(v.t, v.db.Close()) }

func (v *visit) exec(query string, args ...any) {
	v.t.Helper()
	require.NoError(v.t, v.db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	}))
}

func (v *visit) strings(query string) []string {
	v.t.Helper()
	var all []string
	require.NoError(v.t, v.db.Read(context.Background(), func(tx *store.Tx) (err error) {
		all, err = tx.Strings(query)
		return err
	}))
	return all
}

// original does what a real Kolibri would do to one of its files.
func original(t *testing.T, dir, file string, statements ...string) {
	t.Helper()
	pool, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, file))
	require.NoError(t, err)
	defer pool.Close()
	for _, s := range statements {
		_, err := pool.Exec(s)
		require.NoError(t, err, s)
	}
}

func column(t *testing.T, dir, file, query string) []string {
	t.Helper()
	pool, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, file))
	require.NoError(t, err)
	defer pool.Close()
	rows, err := pool.Query(query)
	require.NoError(t, err)
	defer rows.Close()
	all := []string{}
	for rows.Next() {
		var v string
		require.NoError(t, rows.Scan(&v))
		all = append(all, v)
	}
	require.NoError(t, rows.Err())
	return all
}

const (
	notices     = "SELECT reason FROM notifications_learnerprogressnotification ORDER BY reason"
	noticeTable = "notifications_learnerprogressnotification"
	queue       = "SELECT id FROM device_syncqueue ORDER BY id"
)

func notice(reason string) string {
	return `INSERT INTO ` + noticeTable + ` (notification_object, notification_event, user_id, classroom_id, reason, timestamp)
		VALUES ('Lesson', 'Completed', 'u', 'c', '` + reason + `', '2024-01-01 00:00:00(UTC)')`
}

func queued(id string) string {
	return `INSERT INTO device_syncqueue (id, datetime, updated, keep_alive, instance_id, user_id, attempts, status)
		VALUES ('` + id + `', '2024-01-01', 0, 0, '` + id + `', 'u', 0, 'Queued')`
}

func TestRowsGoToTheSideFilesAndBack(t *testing.T) {
	dir := t.TempDir()
	v := enter(t, dir)
	v.exec(notice("ours"))
	v.exec(queued("a"))
	v.leave()
	require.Equal(t, []string{"ours"}, column(t, dir, "notifications.sqlite3", notices))
	require.Equal(t, []string{"a"}, column(t, dir, "syncqueue.sqlite3", queue))
	require.Len(t, column(t, dir, "networklocation.sqlite3", "SELECT id FROM discovery_networklocation"), 2)
	for _, file := range []string{"notifications", "syncqueue", "networklocation", "sessions", "job_storage"} {
		migrations := column(t, dir, file+".sqlite3", "SELECT app || name FROM django_migrations WHERE app = 'kolibriauth'")
		require.NotEmpty(t, migrations, file)
		require.Empty(t, column(t, dir, file+".sqlite3", "SELECT app FROM django_migrations WHERE app = 'kolibri_go'"), file)
	}

	// the original reads, adds and deletes
	original(t, dir, "notifications.sqlite3", notice("theirs"), "DELETE FROM "+noticeTable+" WHERE reason = 'ours'")
	original(t, dir, "syncqueue.sqlite3", "UPDATE device_syncqueue SET status = 'Syncing'")
	v = enter(t, dir)
	require.Equal(t, []string{"theirs"}, v.strings(notices), "its deletions count too")
	require.Equal(t, []string{"Syncing"}, v.strings("SELECT status FROM device_syncqueue"))
	require.Empty(t, column(t, dir, "notifications.sqlite3", notices), "rows are in one place only")
	v.leave()
	require.Equal(t, []string{"theirs"}, column(t, dir, "notifications.sqlite3", notices))
}

func TestRowsSurviveACrashOnEitherSide(t *testing.T) {
	dir := t.TempDir()
	v := enter(t, dir)
	v.exec(notice("before"))
	v.leave()
	v = enter(t, dir)
	v.exec(notice("after"))
	v.exec(queued("a"))
	v.crash()
	// the original starts on what the crash left, and counts its own rows from where it can
	original(t, dir, "notifications.sqlite3", notice("theirs"))
	original(t, dir, "syncqueue.sqlite3", queued("b"))
	v = enter(t, dir)
	require.Equal(t, []string{"after", "before", "theirs"}, v.strings(notices))
	require.Equal(t, []string{"a", "b"}, v.strings(queue))
	v.crash()
	v = enter(t, dir)
	require.Equal(t, []string{"after", "before", "theirs"}, v.strings(notices), "nothing is taken over twice")
	v.leave()
}

// A crash between taking rows over and emptying the side file leaves them in both.
func TestTakingOverTwiceIsHarmless(t *testing.T) {
	dir := t.TempDir()
	enter(t, dir).leave()
	original(t, dir, "notifications.sqlite3", "PRAGMA user_version = 0", notice("once"), notice("once more"))
	v := enter(t, dir)
	v.crash()
	original(t, dir, "notifications.sqlite3", notice("once"), notice("once more"))
	v = enter(t, dir)
	require.Equal(t, []string{"once", "once more"}, v.strings(notices))
	v.leave()
}

// Somebody puts a backup's db.sqlite3 into a home whose side files are from another time.
func TestSideFilesOfAnotherDatabaseAreMerged(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	v := enter(t, dir)
	v.exec(notice("old"))
	v.leave()
	v = enter(t, other)
	v.exec(notice("from the backup"))
	v.leave()
	backup, err := os.ReadFile(filepath.Join(other, mainDatabase))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, mainDatabase), backup, 0o644))
	v = enter(t, dir)
	require.Equal(t, []string{"from the backup", "old"}, v.strings(notices))
	v.leave()
}

func TestDamagedSideFileStopsNothing(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "notifications.sqlite3", "this is no database, and it is longer than the header of one, which has a hundred bytes; so SQLite will say so")
	original(t, dir, "networklocation.sqlite3", "CREATE TABLE unrelated (id)")
	v := enter(t, dir)
	require.Contains(t, v.log.String(), "notifications.sqlite3")
	require.Empty(t, v.strings(notices))
	v.exec(notice("ours"))
	v.exec(queued("a"))
	v.leave()
	left, err := os.ReadFile(filepath.Join(dir, "notifications.sqlite3"))
	require.NoError(t, err)
	require.Contains(t, string(left), "this is no database", "nobody's file is thrown away")
	v = enter(t, dir)
	require.Equal(t, []string{"ours"}, v.strings(notices))
	require.Equal(t, []string{"a"}, v.strings(queue))
	v.crash()
}

func TestHomesOfOtherVersions(t *testing.T) {
	dir := t.TempDir()
	enter(t, dir).leave()
	s, err := loadSettings(dir, nil)
	require.NoError(t, err)
	open := func() error {
		h, err := openHome(context.Background(), s, slog.New(slog.DiscardHandler), true)
		if err == nil {
			err = h.close(context.Background())
		}
		return err
	}
	for version, refused := range map[string]bool{"0.19.4": false, "0.19.5": false, "0.19.5.dev0": false, "": false, "0.19.6": true, "0.20.0b1": true, "1.0.0": true} {
		put(t, dir, versionFile, version)
		if err := open(); refused {
			require.ErrorContains(t, err, version)
		} else {
			require.NoError(t, err, version)
		}
	}
	put(t, dir, versionFile, "0.18.4")
	original(t, dir, mainDatabase, "DELETE FROM django_migrations WHERE app = 'attendance'")
	require.ErrorContains(t, open(), "start Kolibri 0.19.5 on it once")
}

func TestHomeThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	s, err := loadSettings(t.TempDir(), nil)
	require.NoError(t, err)
	s.Home = filepath.Join(file, "home")
	_, err = openHome(context.Background(), s, slog.New(slog.DiscardHandler), true)
	require.ErrorContains(t, err, "KOLIBRI_HOME")
}
