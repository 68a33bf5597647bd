package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
)

func testDamaged(t *testing.T, s *subject) {
	if s.Damage == nil {
		t.Skip("no file to damage")
	}
	db := s.make(t, itemTable)
	s.write(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec(insertItem, 1, "kept")
		return err
	})
	require.NoError(t, db.Close())
	var good []byte
	s.Damage(t, s.name, func(content []byte) []byte {
		good = content
		return content
	})
	for name, change := range map[string]func([]byte){
		"another kind of file": func(b []byte) { copy(b, "<!doctype html><title>no database</title>") },
		"a damaged header":     func(b []byte) { copy(b[16:], noise(1, 20)) },
		"a damaged first page": func(b []byte) { copy(b[100:], noise(2, 300)) },
	} {
		damaged := append([]byte(nil), good...)
		change(damaged)
		s.Damage(t, s.name, func([]byte) []byte { return damaged })
		db, err := s.Open(s.ctx, s.name)
		if err == nil { // a backend without migrations meets the damage at the first query
			err = store.OpenFailed(s.name, db.Read(s.ctx, func(tx *store.Tx) error {
				_, err := tx.Strings("SELECT name FROM item")
				return err
			}))
			require.NoError(t, db.Close())
		}
		require.ErrorIs(t, err, store.ErrCorrupt, name)
		var failed *store.OpenError
		require.True(t, errors.As(err, &failed))
		require.NotEmpty(t, failed.Hint)
		s.Damage(t, s.name, func(content []byte) []byte {
			require.Equal(t, damaged, content, "%s: a damaged file is left as it is", name)
			return good
		})
	}
	db = s.open(t)
	require.Equal(t, []string{"kept"}, s.texts(t, db, "SELECT name FROM item"))
}

const blobTable = "CREATE TABLE document (id integer NOT NULL PRIMARY KEY, content BYTES NOT NULL)"

// insertPair writes two rows that belong together, so that half a transaction shows.
func insertPair(s *subject, db *store.DB, number, size int) error {
	return db.Write(s.ctx, func(tx *store.Tx) error {
		for _, id := range []int{number * 2, number*2 + 1} {
			if _, err := tx.Exec("INSERT INTO document VALUES (?, ?)", id, noise(uint64(id), size)); err != nil {
				return err
			}
		}
		return nil
	})
}

func testFull(t *testing.T, s *subject) {
	if s.LimitSpace == nil {
		t.Skip("cannot fill the disk")
	}
	db := s.make(t, blobTable)
	require.NoError(t, insertPair(s, db, 0, 10_000))
	acknowledged := 1
	lift := s.LimitSpace(t, 1_000_000)
	defer func() { lift() }()
	var err error
	for err == nil {
		if err = insertPair(s, db, acknowledged, 20_000); err == nil {
			acknowledged++
		}
		require.Less(t, acknowledged, 1000, "the disk never filled up")
	}
	require.ErrorIs(t, err, store.ErrFull)

	holds := func(db *store.DB) {
		t.Helper()
		require.Equal(t, acknowledged*2, s.count(t, db, "SELECT count(*) FROM document"))
		s.intact(t, db)
	}
	holds(db)
	require.ErrorIs(t, insertPair(s, db, acknowledged, 200_000), store.ErrFull)
	holds(db)
	db = s.reopen(t, db)
	holds(db)
	lift()
	lift = func() {}
	require.NoError(t, insertPair(s, db, acknowledged, 200_000), "there is space again")
	acknowledged++
	holds(db)
	db = s.reopen(t, db)
	holds(db)
}

// testFullAnywhere lets the space end at ever other places: in the log's header, in a frame, at a
// commit record, at a checkpoint. Whatever was acknowledged must be there afterwards.
func testFullAnywhere(t *testing.T, s *subject) {
	if s.LimitSpace == nil {
		t.Skip("cannot fill the disk")
	}
	db := s.make(t, blobTable)
	acknowledged := 0
	for round := range 60 {
		if round%7 == 6 {
			db = s.reopen(t, db)
		}
		lift := s.LimitSpace(t, int64(round*round*211))
		t.Cleanup(lift)
		var err error
		for tries := 0; err == nil && tries < 200; tries++ {
			if err = insertPair(s, db, acknowledged, 3000+round*100); err == nil {
				acknowledged++
			}
		}
		if err != nil {
			require.ErrorIs(t, err, store.ErrFull, "round %d", round)
		}
		require.Equal(t, acknowledged*2, s.count(t, db, "SELECT count(*) FROM document"), "round %d", round)
		if round%3 == 0 {
			require.NoError(t, db.Close())
			db = s.open(t)
			require.Equal(t, acknowledged*2, s.count(t, db, "SELECT count(*) FROM document"), "round %d", round)
		}
		lift()
		s.intact(t, db)
		require.NoError(t, insertPair(s, db, acknowledged, 100), fmt.Sprintf("round %d: there is space again", round))
		acknowledged++
	}
}
