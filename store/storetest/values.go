package storetest

import (
	"bytes"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store"
)

func testUnicode(t *testing.T, s *subject) {
	names := []string{
		"", " ", "O'Brien \"the\" pupil; DROP TABLE item; --", "100% _\\?$1", "line\nbreak\ttab\r",
		"Zoë Ångström", "Zoe\u0308 (decomposed)", "Дмитрий", "Ελένη", "שָׁלוֹם", "محمد العربي", "नमस्ते दुनिया", "မြန်မာ",
		"አማርኛ", "中文名字", "日本語の名前", "한국어", "ไทย", "👩🏽‍🏫 teacher", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "\u202eright to left", "\ufeffmark", "ﷺ",
	}
	db := s.make(t, itemTable)
	s.write(t, db, func(tx *store.Tx) error {
		for i, name := range names {
			if _, err := tx.Exec(insertItem, i, name); err != nil {
				return err
			}
		}
		return nil
	})
	db = s.reopen(t, db)
	require.Equal(t, names, s.texts(t, db, "SELECT name FROM item ORDER BY id"))
	for i, name := range names {
		require.Equal(t, i, s.count(t, db, "SELECT id FROM item WHERE name = ?", name), name)
	}
}

func testValues(t *testing.T, s *subject) {
	db := s.make(t, "CREATE TABLE v (id integer NOT NULL PRIMARY KEY, big bigint, exact double precision, flag BOOLEAN, note text)")
	integers := []int64{0, 1, -1, math.MaxInt32 + 1, math.MaxInt64, math.MinInt64}
	floats := []float64{0, 0.1, -1.5, math.MaxFloat64, math.SmallestNonzeroFloat64, 1e15 + 0.5}
	s.write(t, db, func(tx *store.Tx) error {
		for i := range integers {
			if _, err := tx.Exec("INSERT INTO v VALUES (?, ?, ?, ?, ?)", i, integers[i], floats[i], i%2 == 0, "x"); err != nil {
				return err
			}
		}
		_, err := tx.Exec("INSERT INTO v VALUES (?, ?, ?, ?, ?)", len(integers), nil, nil, nil, store.Null(""))
		return err
	})
	db = s.reopen(t, db)
	s.read(t, db, func(tx *store.Tx) error {
		for i := range integers {
			var big int64
			var exact float64
			var flag bool
			require.NoError(t, tx.QueryRow("SELECT big, exact, flag FROM v WHERE id = ?", i).Scan(&big, &exact, &flag))
			require.Equal(t, integers[i], big)
			require.Equal(t, floats[i], exact)
			require.Equal(t, i%2 == 0, flag)
		}
		n, err := tx.Int("SELECT count(*) FROM v WHERE flag = ?", true)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		var big sql.NullInt64
		var exact sql.NullFloat64
		var flag sql.NullBool
		var note sql.NullString
		require.NoError(t, tx.QueryRow("SELECT big, exact, flag, note FROM v WHERE id = ?", len(integers)).Scan(&big, &exact, &flag, &note))
		require.False(t, big.Valid || exact.Valid || flag.Valid || note.Valid)
		return nil
	})
}

func testTimes(t *testing.T, s *subject) {
	db := s.make(t, "CREATE TABLE moment (id integer NOT NULL PRIMARY KEY, at MOMENT, zoned varchar)")
	nairobi := time.FixedZone("EAT", 3*3600)
	moments := []time.Time{
		time.Date(2026, 1, 31, 8, 0, 0, 123456000, time.UTC),
		time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC),
		time.Date(2026, 1, 31, 1, 30, 0, 1000, nairobi),
		time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
	}
	s.write(t, db, func(tx *store.Tx) error {
		for i, at := range moments {
			if _, err := tx.Exec("INSERT INTO moment VALUES (?, ?, ?)", i, at, store.Zoned(at)); err != nil {
				return err
			}
		}
		_, err := tx.Exec("INSERT INTO moment VALUES (?, ?, ?)", len(moments), time.Time{}, store.Zoned{})
		return err
	})
	db = s.reopen(t, db)
	s.read(t, db, func(tx *store.Tx) error {
		for i, want := range moments {
			var at time.Time
			var nullable store.NullTime
			var zoned store.Zoned
			require.NoError(t, tx.QueryRow("SELECT at, at, zoned FROM moment WHERE id = ?", i).Scan(&at, &nullable, &zoned))
			require.True(t, at.Equal(want), "%v is not %v", at, want)
			require.True(t, nullable.Time.Equal(want))
			require.True(t, zoned.Time().Equal(want))
		}
		var none store.NullTime
		var unzoned store.Zoned
		require.NoError(t, tx.QueryRow("SELECT at, zoned FROM moment WHERE id = ?", len(moments)).Scan(&none, &unzoned))
		require.True(t, none.Time.IsZero() && unzoned.Time().IsZero())
		later, err := tx.Int("SELECT count(*) FROM moment WHERE at > ?", time.Date(2026, 1, 31, 7, 59, 0, 0, time.UTC))
		require.NoError(t, err)
		require.EqualValues(t, 3, later)
		return nil
	})
}

func testLists(t *testing.T, s *subject) {
	db := s.make(t, itemTable)
	ids := make([]int, 2000)
	s.write(t, db, func(tx *store.Tx) error {
		for i := range ids {
			ids[i] = i * 2
			if _, err := tx.Exec(insertItem, i, ""); err != nil {
				return err
			}
		}
		return nil
	})
	require.Equal(t, 1000, s.count(t, db, countItems+" WHERE id IN ?", store.In(ids)))
	require.Equal(t, 0, s.count(t, db, countItems+" WHERE id IN ?", store.In([]int{})))
	require.Equal(t, 2000, s.count(t, db, countItems+" WHERE id >= ? AND id NOT IN ?", 0, store.In([]int{-1})))
	require.Equal(t, 2000, s.count(t, db, countItems+" WHERE id NOT IN ? AND name NOT IN ?", store.In([]int{}), store.In([]string{})))
	require.Equal(t, 2000, s.count(t, db, countItems+" WHERE NOT (id IN ?)", store.In([]int{})))
}

// noise is bytes that do not compress, the same at every call with the same seed.
func noise(seed uint64, size int) []byte {
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	b := make([]byte, size)
	_, _ = source.Read(b)
	return b
}

func testBlobs(t *testing.T, s *subject) {
	db := s.make(t, "CREATE TABLE document (id integer NOT NULL PRIMARY KEY, content BYTES)")
	sizes := []int{0, 1, 4095, 4096, 65535, 65536, 65537, 1 << 20, 10_000_000}
	for i, size := range sizes {
		s.write(t, db, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO document VALUES (?, ?)", i, noise(uint64(i), size))
			return err
		})
	}
	db = s.reopen(t, db)
	s.intact(t, db)
	s.read(t, db, func(tx *store.Tx) error {
		for i, size := range sizes {
			var content []byte
			require.NoError(t, tx.QueryRow("SELECT content FROM document WHERE id = ?", i).Scan(&content))
			require.NotNil(t, content)
			require.True(t, bytes.Equal(noise(uint64(i), size), content), "%d bytes", size)
		}
		return nil
	})
	s.write(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM document WHERE id > 2")
		return err
	})
	require.Equal(t, 3, s.count(t, db, "SELECT count(*) FROM document"))
}

// entryKey scatters the keys over the index, so that it is written all over.
func entryKey(i int) string { return fmt.Sprintf("%08x", uint32(i)*2654435761) }

func testLargeTransactions(t *testing.T, s *subject) {
	const rows = 20000 // with their index more than the page cache holds, so pages spill before the commit
	db := s.make(t, "CREATE TABLE entry (id integer NOT NULL PRIMARY KEY, key text NOT NULL, filler text NOT NULL)",
		"CREATE INDEX entry_key ON entry (key)")
	fill := func(tx *store.Tx) error {
		for first := 0; first < rows; first += 100 {
			query := "INSERT INTO entry VALUES "
			args := make([]any, 0, 300)
			for i := first; i < first+100; i++ {
				if i > first {
					query += ","
				}
				query += "(?, ?, ?)"
				args = append(args, i, entryKey(i), fmt.Sprintf("%01000d", i))
			}
			if _, err := tx.Exec(query, args...); err != nil {
				return err
			}
		}
		return nil
	}
	err := db.Write(s.ctx, func(tx *store.Tx) error {
		require.NoError(t, fill(tx))
		return errStop
	})
	require.ErrorIs(t, err, errStop)
	require.Equal(t, 0, s.count(t, db, "SELECT count(*) FROM entry"))
	s.write(t, db, fill)
	s.write(t, db, func(tx *store.Tx) error {
		n, err := tx.Exec("UPDATE entry SET key = key || 'x' WHERE id % 2 = 0")
		require.EqualValues(t, rows/2, n)
		return err
	})
	db = s.reopen(t, db)
	s.intact(t, db)
	require.Equal(t, rows, s.count(t, db, "SELECT count(*) FROM entry"))
	require.Equal(t, 1, s.count(t, db, "SELECT count(*) FROM entry WHERE key = ?", entryKey(2)+"x"))
}
