// Package storetest is the one set of promises that every database behind package store keeps:
// native SQLite, SQLite in the browser's private file system or in IndexedDB, and PostgreSQL.
// A backend's tests call Run.
package storetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
)

// Backend is what the suite needs to know of a database.
type Backend struct {
	// Open opens the database of that name, which is made when it is opened for the first time. It
	// may be without Kolibri's tables.
	Open func(ctx context.Context, name string) (*store.DB, error)
	// Damage replaces the content of a closed database file by what change makes of it. It is nil
	// where there is no file to damage.
	Damage func(t *testing.T, name string, change func([]byte) []byte)
	// LimitSpace lets files grow by that many more bytes from now on, until lift is called. It is
	// nil where the suite cannot fill the disk.
	LimitSpace func(t *testing.T, bytes int64) (lift func())
}

// Run runs the whole suite.
func Run(t *testing.T, b Backend) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *subject)
	}{
		{"commits and rollbacks", testCommitAndRollback},
		{"savepoints", testSavepoints},
		{"durability across close and reopen", testReopen},
		{"concurrent writers lose nothing", testConcurrentWriters},
		{"readers see whole transactions", testReaders},
		{"a cancelled request leaves nothing", testCancel},
		{"constraint errors are told apart", testConstraints},
		{"foreign keys wait for the commit", testDeferredForeignKeys},
		{"a read-only transaction cannot write", testReadOnly},
		{"text in every script", testUnicode},
		{"numbers, booleans and nulls", testValues},
		{"times", testTimes},
		{"lists", testLists},
		{"large values", testBlobs},
		{"large transactions", testLargeTransactions},
		{"a damaged file", testDamaged},
		{"a full disk", testFull},
		{"a disk that fills at any byte", testFullAnywhere},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, &subject{Backend: b, ctx: t.Context(), name: fileName(t.Name())})
		})
	}
}

// subject is one test's own database.
type subject struct {
	Backend
	ctx  context.Context
	name string
}

// fileName keeps letters and digits, so that it is a file's and a PostgreSQL schema's name.
func fileName(test string) string {
	name := []byte("t_")
	for _, c := range []byte(test) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			name = append(name, c)
		case c >= 'A' && c <= 'Z':
			name = append(name, c+'a'-'A')
		default:
			name = append(name, '_')
		}
	}
	if len(name) > 60 { // PostgreSQL's limit is 63
		name = name[len(name)-60:]
	}
	return string(name)
}

// open opens the subject's database; it is closed at the end of the test unless that was done.
func (s *subject) open(t *testing.T) *store.DB {
	t.Helper()
	db, err := s.Open(s.ctx, s.name)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// make opens the database and runs statements, with BYTES standing for the dialect's binary type.
func (s *subject) make(t *testing.T, statements ...string) *store.DB {
	t.Helper()
	db := s.open(t)
	s.write(t, db, func(tx *store.Tx) error {
		for _, statement := range statements {
			if _, err := tx.Exec(dialectal(db, statement)); err != nil {
				return err
			}
		}
		return nil
	})
	return db
}

// reopen closes the database and opens it again.
func (s *subject) reopen(t *testing.T, db *store.DB) *store.DB {
	t.Helper()
	require.NoError(t, db.Close())
	return s.open(t)
}

func (s *subject) write(t *testing.T, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	require.NoError(t, db.Write(s.ctx, fn))
}

func (s *subject) read(t *testing.T, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	require.NoError(t, db.Read(s.ctx, fn))
}

// count returns a query's single number.
func (s *subject) count(t *testing.T, db *store.DB, query string, args ...any) int {
	t.Helper()
	var n int64
	s.read(t, db, func(tx *store.Tx) (err error) {
		n, err = tx.Int(query, args...)
		return err
	})
	return int(n)
}

// texts returns a query's single column.
func (s *subject) texts(t *testing.T, db *store.DB, query string, args ...any) []string {
	t.Helper()
	var all []string
	s.read(t, db, func(tx *store.Tx) (err error) {
		all, err = tx.Strings(query, args...)
		return err
	})
	return all
}

// intact runs SQLite's own check of the whole file.
func (s *subject) intact(t *testing.T, db *store.DB) {
	t.Helper()
	if db.Dialect() == store.SQLite {
		require.Equal(t, []string{"ok"}, s.texts(t, db, "PRAGMA integrity_check"))
	}
}

// single tells whether the database has one connection only, as in the tab, so that a second
// transaction waits for the first.
func single(db *store.DB) bool { return db.Pool().Stats().MaxOpenConnections == 1 }
