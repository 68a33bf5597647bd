package prepared_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"kolibri/store/prepared"
)

var ctx = context.Background()

// open returns a pool of one connection, on which every statement is prepared once, with a table.
func open(t testing.TB) *sql.DB {
	db, err := prepared.Open("file:"+filepath.Join(t.TempDir(), "db.sqlite3"), func(c *sqlite3.Conn) error {
		return c.Exec("PRAGMA journal_mode=wal; CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE); INSERT INTO note VALUES (1, 'one'), (2, 'two')")
	})
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func texts(t testing.TB, q interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, query string, args ...any) []string {
	rows, err := q.QueryContext(ctx, query, args...)
	require.NoError(t, err)
	defer rows.Close()
	all := []string{}
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		all = append(all, text)
	}
	require.NoError(t, rows.Err())
	return all
}

func TestAStatementServesAgain(t *testing.T) {
	db := open(t)
	const query = "SELECT text FROM note WHERE id >= ? ORDER BY id"
	for range 3 {
		require.Equal(t, []string{"one", "two"}, texts(t, db, query, 1))
		require.Equal(t, []string{"two"}, texts(t, db, query, 2))
		require.Empty(t, texts(t, db, query, nil), "nothing is left of the parameters before")
	}
}

func TestAQueryInsideOfItself(t *testing.T) {
	db := open(t)
	tx, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	const query = "SELECT text FROM note ORDER BY id"
	rows, err := tx.QueryContext(ctx, query)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		require.Equal(t, []string{"one", "two"}, texts(t, tx, query))
	}
	require.NoError(t, rows.Err())
}

func TestAStatementAfterItsFailure(t *testing.T) {
	db := open(t)
	const insert = "INSERT INTO note (text) VALUES (?)"
	for _, text := range []string{"three", "one", "four", "one", "five"} {
		_, err := db.ExecContext(ctx, insert, text)
		if text == "one" {
			require.ErrorIs(t, err, sqlite3.CONSTRAINT_UNIQUE)
		} else {
			require.NoError(t, err)
		}
	}
	require.Equal(t, []string{"one", "two", "three", "four", "five"}, texts(t, db, "SELECT text FROM note ORDER BY id"))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err := db.ExecContext(cancelled, insert, "six")
	require.Error(t, err)
	_, err = db.ExecContext(ctx, insert, "six")
	require.NoError(t, err)
}

func TestReadOnlyTransactionsWriteNothing(t *testing.T) {
	db := open(t)
	const insert = "INSERT INTO note (text) VALUES (?)"
	for _, mode := range []struct{ readOnly bool }{{false}, {true}, {false}, {true}} {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: mode.readOnly})
		require.NoError(t, err)
		_, err = tx.ExecContext(ctx, insert, fmt.Sprint("x", mode))
		require.Equal(t, []string{"one"}, texts(t, tx, "SELECT text FROM note WHERE id = ?", 1))
		if !mode.readOnly {
			require.NoError(t, err)
			require.NoError(t, tx.Rollback())
			continue
		}
		require.ErrorIs(t, err, sqlite3.READONLY)
		for _, write := range []string{"DELETE FROM note", "DROP TABLE note", "UPDATE note SET text = 'x' WHERE id = 1"} {
			_, err = tx.ExecContext(ctx, write)
			require.ErrorIs(t, err, sqlite3.READONLY, write)
		}
		var id int
		require.ErrorIs(t, tx.QueryRowContext(ctx, insert+" RETURNING id", "y").Scan(&id), sqlite3.READONLY)
		require.NoError(t, tx.Commit())
	}
	require.Equal(t, []string{"one", "two"}, texts(t, db, "SELECT text FROM note"))
}

func TestStatementsFollowTheSchema(t *testing.T) {
	db := open(t)
	require.Equal(t, []string{"one", "two"}, texts(t, db, "SELECT text FROM note ORDER BY id"))
	_, err := db.ExecContext(ctx, "ALTER TABLE note RENAME TO old; CREATE TABLE note (id, text); INSERT INTO note VALUES (1, 'new')")
	require.NoError(t, err)
	require.Equal(t, []string{"new"}, texts(t, db, "SELECT text FROM note ORDER BY id"))
	// files of the same shape whose tables lie at different pages, attached under one name in turn
	dir := t.TempDir()
	for i, script := range []string{"CREATE TABLE a (v); CREATE TABLE b (v); INSERT INTO b VALUES ('first')", "CREATE TABLE b (v); CREATE TABLE a (v); INSERT INTO b VALUES ('second')"} {
		file, err := prepared.Open("file:"+filepath.Join(dir, fmt.Sprint(i)), nil)
		require.NoError(t, err)
		_, err = file.ExecContext(ctx, script)
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
	for i, expected := range []string{"first", "second", "first"} {
		_, err := db.ExecContext(ctx, "ATTACH DATABASE ? AS source", filepath.Join(dir, fmt.Sprint(i%2)))
		require.NoError(t, err)
		require.Equal(t, []string{expected}, texts(t, db, "SELECT v FROM source.b"))
		_, err = db.ExecContext(ctx, "DETACH DATABASE source")
		require.NoError(t, err)
	}
}

func TestManyStatements(t *testing.T) {
	db := open(t)
	for round := range 2 {
		for i := range 600 {
			require.Equal(t, []string{fmt.Sprint(i)}, texts(t, db, fmt.Sprintf("SELECT CAST(%d AS TEXT)", i)), round)
		}
	}
}

func TestWritersWaitInTurn(t *testing.T) {
	path := "file:" + filepath.Join(t.TempDir(), "db.sqlite3") + "?_pragma=busy_timeout(50)&_pragma=journal_mode(wal)"
	var pools [2]*sql.DB
	for i := range pools {
		var err error
		pools[i], err = prepared.Open(path, nil)
		require.NoError(t, err)
		defer pools[i].Close()
	}
	first, err := pools[0].BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	require.NoError(t, err)
	_, err = pools[1].BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	require.ErrorIs(t, err, sqlite3.BUSY)
	require.NoError(t, first.Commit())
	second, err := pools[1].BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	require.NoError(t, err)
	require.NoError(t, second.Rollback())
}

func BenchmarkQuery(b *testing.B) {
	db := open(b)
	for b.Loop() {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		require.NoError(b, err)
		texts(b, tx, "SELECT a.text FROM note a JOIN note b ON b.id = a.id WHERE a.id >= ? AND EXISTS (SELECT 1 FROM note c WHERE c.text = b.text) ORDER BY a.id", 1)
		require.NoError(b, tx.Commit())
	}
}
