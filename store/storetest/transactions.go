package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store"
)

// dialectal puts the dialect's own type names into a statement.
func dialectal(db *store.DB, statement string) string {
	bytes, moment, boolean := "BLOB", "datetime", "bool"
	if db.Dialect() == store.Postgres {
		bytes, moment, boolean = "bytea", "timestamp with time zone", "boolean"
	}
	return strings.NewReplacer("BYTES", bytes, "MOMENT", moment, "BOOLEAN", boolean).Replace(statement)
}

const (
	itemTable  = "CREATE TABLE item (id integer NOT NULL PRIMARY KEY, name text NOT NULL)"
	insertItem = "INSERT INTO item (id, name) VALUES (?, ?)"
	countItems = "SELECT count(*) FROM item"
)

var errStop = errors.New("stop")

func testCommitAndRollback(t *testing.T, s *subject) {
	db := s.make(t, itemTable)

	err := db.Write(s.ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(insertItem, 1, "undone"); err != nil {
			return err
		}
		return errStop
	})
	require.ErrorIs(t, err, errStop)
	require.Equal(t, 0, s.count(t, db, countItems))

	tx, err := db.Begin(s.ctx, store.Write)
	require.NoError(t, err)
	committed := 0
	tx.OnCommit(func() { committed++ })
	_, err = tx.Exec(insertItem, 1, "kept")
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	tx.Rollback()
	require.Equal(t, 1, committed)
	require.Equal(t, []string{"kept"}, s.texts(t, db, "SELECT name FROM item"))

	tx, err = db.Begin(s.ctx, store.Write)
	require.NoError(t, err)
	_, err = tx.Exec("UPDATE item SET name = 'changed'")
	require.NoError(t, err)
	_, err = tx.Exec("DELETE FROM item")
	require.NoError(t, err)
	tx.Rollback()
	require.Equal(t, []string{"kept"}, s.texts(t, db, "SELECT name FROM item"))

	require.Panics(t, func() {
		_ = db.Write(s.ctx, func(tx *store.Tx) error {
			_, _ = tx.Exec("DELETE FROM item")
			panic("a handler failed")
		})
	})
	require.Equal(t, 1, s.count(t, db, countItems), "a panic rolls back and frees the writer")
}

func testSavepoints(t *testing.T, s *subject) {
	db := s.make(t, itemTable)
	s.write(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec(insertItem, 1, "before")
		require.NoError(t, err)
		err = tx.Savepoint(func() error {
			_, err := tx.Exec(insertItem, 2, "inside")
			require.NoError(t, err)
			_, err = tx.Exec(insertItem, 1, "twice")
			return err
		})
		require.ErrorIs(t, err, store.ErrUnique)
		return tx.Savepoint(func() error {
			_, err := tx.Exec(insertItem, 3, "after")
			return err
		})
	})
	require.Equal(t, []string{"before", "after"}, s.texts(t, db, "SELECT name FROM item ORDER BY id"))
}

func testReopen(t *testing.T, s *subject) {
	db := s.make(t, itemTable)
	for round := 1; round <= 4; round++ {
		s.write(t, db, func(tx *store.Tx) error {
			for i := range 100 {
				if _, err := tx.Exec(insertItem, round*1000+i, fmt.Sprint(round)); err != nil {
					return err
				}
			}
			_, err := tx.Exec("DELETE FROM item WHERE id = ?", round*1000)
			return err
		})
		db = s.reopen(t, db)
		require.Equal(t, round*99, s.count(t, db, countItems))
		s.intact(t, db)
	}
}

func testConcurrentWriters(t *testing.T, s *subject) {
	db := s.make(t, itemTable, "CREATE TABLE counter (n integer NOT NULL)", "INSERT INTO counter VALUES (0)")
	const writers, rounds = 8, 15
	next := "UPDATE counter SET n = n + 1"
	var wait sync.WaitGroup
	failed := make(chan error, writers*rounds)
	for range writers {
		wait.Go(func() {
			for range rounds {
				failed <- db.Write(s.ctx, func(tx *store.Tx) error {
					if db.Dialect() == store.Postgres { // takes the row's lock before reading it
						if _, err := tx.Exec(next); err != nil {
							return err
						}
					}
					n, err := tx.Int("SELECT n FROM counter")
					if err != nil {
						return err
					}
					time.Sleep(time.Millisecond) // invites the others in
					if db.Dialect() == store.SQLite {
						n++
						if _, err := tx.Exec("UPDATE counter SET n = ?", n); err != nil {
							return err
						}
					}
					_, err = tx.Exec(insertItem, n, "")
					return err
				})
			}
		})
	}
	wait.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	require.Equal(t, writers*rounds, s.count(t, db, "SELECT n FROM counter"))
	require.Equal(t, writers*rounds, s.count(t, db, countItems))
}

func testReaders(t *testing.T, s *subject) {
	db := s.make(t, itemTable)
	ctx, stop := context.WithCancel(s.ctx)
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for ctx.Err() == nil {
				// Ten rows come together, so any reader counts a multiple of ten.
				n := s.count(t, db, countItems)
				if n%10 != 0 {
					t.Errorf("a reader saw %d rows, half a transaction", n)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	for i := range 20 {
		s.write(t, db, func(tx *store.Tx) error {
			for j := range 10 {
				if _, err := tx.Exec(insertItem, i*10+j, ""); err != nil {
					return err
				}
			}
			return nil
		})
	}
	stop()
	wait.Wait()

	if single(db) {
		return
	}
	s.write(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM item")
		require.NoError(t, err)
		require.Equal(t, 200, s.count(t, db, countItems), "a reader neither waits for the writer nor sees its work")
		return nil
	})
}

func testCancel(t *testing.T, s *subject) {
	db := s.make(t, itemTable)
	ctx, cancel := context.WithCancel(s.ctx)
	err := db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(insertItem, 1, "")
		require.NoError(t, err)
		cancel()
		_, err = tx.Exec(insertItem, 2, "")
		return err
	})
	require.Error(t, err)
	require.ErrorIs(t, db.Write(ctx, func(*store.Tx) error { return nil }), context.Canceled)
	require.Equal(t, 0, s.count(t, db, countItems))
	s.write(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec(insertItem, 3, "")
		return err
	})
	require.Equal(t, 1, s.count(t, db, countItems))
}

func testConstraints(t *testing.T, s *subject) {
	db := s.make(t, "CREATE TABLE pupil (id integer NOT NULL PRIMARY KEY, name varchar(20) NOT NULL UNIQUE, age integer CHECK (age >= 0))",
		"INSERT INTO pupil VALUES (1, 'Ada', 10)")
	for _, test := range []struct {
		statement string
		want      error
	}{
		{"INSERT INTO pupil VALUES (1, 'Ben', 10)", store.ErrUnique},
		{"INSERT INTO pupil VALUES (2, 'Ada', 10)", store.ErrUnique},
		{"INSERT INTO pupil VALUES (2, NULL, 10)", store.ErrConstraint},
		{"INSERT INTO pupil VALUES (2, 'Ben', -1)", store.ErrConstraint},
		{"UPDATE pupil SET name = NULL", store.ErrConstraint},
	} {
		err := db.Write(s.ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(test.statement)
			return err
		})
		require.ErrorIs(t, err, test.want, test.statement)
	}
	err := db.Read(s.ctx, func(tx *store.Tx) error {
		return tx.QueryRow("SELECT name FROM pupil WHERE id = 99").Scan(new(string))
	})
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Equal(t, 1, s.count(t, db, "SELECT count(*) FROM pupil"))
}

func testDeferredForeignKeys(t *testing.T, s *subject) {
	db := s.make(t, itemTable,
		"CREATE TABLE part (id integer NOT NULL PRIMARY KEY, item_id integer NOT NULL REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED)")
	s.write(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO part VALUES (1, 7)")
		require.NoError(t, err, "the parent may come later")
		_, err = tx.Exec(insertItem, 7, "parent")
		return err
	})
	for _, orphan := range []string{"INSERT INTO part VALUES (2, 8)", "DELETE FROM item WHERE id = 7"} {
		err := db.Write(s.ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(orphan)
			require.NoError(t, err, "the check waits for the commit")
			return nil
		})
		require.ErrorIs(t, err, store.ErrForeignKey, orphan)
	}
	require.Equal(t, 1, s.count(t, db, "SELECT count(*) FROM part"))
	require.Equal(t, 1, s.count(t, db, countItems))
}

func testReadOnly(t *testing.T, s *subject) {
	db := s.make(t, itemTable)
	err := db.Read(s.ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(insertItem, 1, "")
		return err
	})
	require.ErrorIs(t, err, store.ErrReadOnly)
	s.write(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec(insertItem, 1, "")
		return err
	})
	require.Equal(t, 1, s.count(t, db, countItems))
}
