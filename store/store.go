// Package store is the server's one way to its database: SQLite in the tab and in a classroom,
// PostgreSQL in a cloud. It runs transactions, rebinds placeholders, maps driver errors to a few
// sentinel errors and brings the schema of Kolibri 0.19.5 into being. It knows no Kolibri app.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Dialect tells apart the two kinds of SQL that the server speaks.
type Dialect int

// The dialects.
const (
	SQLite Dialect = iota
	Postgres
)

// RowID is the column that every table has without being asked, by which rows sort in the order in
// which they were written. It serves where the original leaves an order to the database.
func (d Dialect) RowID() string {
	if d == Postgres {
		return "ctid"
	}
	return "rowid"
}

// Mode says what a transaction may do.
type Mode int

// The modes. A Write transaction takes SQLite's write lock at its beginning (BEGIN IMMEDIATE), so
// that two requests never meet a lock in the middle of their work.
const (
	ReadOnly Mode = iota
	Write
)

// DB is a database with its dialect. Make one with New; it is safe for concurrent use.
type DB struct {
	pool    *sql.DB
	dialect Dialect
	now     func() time.Time
	writer  chan struct{} // held by the one writer of a SQLite file, nil on PostgreSQL
	// attached belongs to whom holds writer
	attached attachment
	mu       sync.Mutex
	rebound  map[string]string
	watch    func(query string)
}

// New wraps an open pool. now is the clock that stamps transactions; nil means the system's.
func New(pool *sql.DB, dialect Dialect, now func() time.Time) *DB {
	if now == nil {
		now = time.Now
	}
	db := &DB{pool: pool, dialect: dialect, now: now, rebound: map[string]string{}}
	if dialect == SQLite {
		db.writer = make(chan struct{}, 1)
	}
	return db
}

// Watch has fn called with every statement before it runs, for tests that count them. Call it before
// the database is used.
func (db *DB) Watch(fn func(query string)) { db.watch = fn }

// Dialect returns the kind of SQL this database speaks.
func (db *DB) Dialect() Dialect { return db.dialect }

// Pool returns the underlying pool, for hosts that tune or back up the database.
func (db *DB) Pool() *sql.DB { return db.pool }

// Now returns the database's clock reading in UTC.
func (db *DB) Now() time.Time { return db.now().UTC() }

// Close closes the pool.
func (db *DB) Close() error { return db.pool.Close() }

// Read runs fn in a read-only transaction.
func (db *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, ReadOnly, fn)
}

// Write runs fn in a writing transaction: it commits when fn returns nil, else rolls back.
// Functions registered by Tx.OnCommit run after the commit.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, Write, fn)
}

func (db *DB) run(ctx context.Context, mode Mode, fn func(*Tx) error) error {
	tx, err := db.Begin(ctx, mode)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Begin opens a transaction; the caller must call Commit or Rollback. Most callers want Read or Write.
func (db *DB) Begin(ctx context.Context, mode Mode) (*Tx, error) {
	options := &sql.TxOptions{ReadOnly: mode == ReadOnly}
	release := func() {}
	if mode == Write {
		var err error
		if release, err = db.lockWriter(ctx); err != nil {
			return nil, err
		}
	}
	if db.dialect == SQLite && mode == Write {
		options.Isolation = sql.LevelSerializable // BEGIN IMMEDIATE in the SQLite driver
	}
	raw, err := db.pool.BeginTx(ctx, options)
	if err != nil {
		release()
		return nil, mapError(err)
	}
	return &Tx{db: db, tx: raw, ctx: ctx, mode: mode, now: db.Now(), release: release}, nil
}

// Tx is one transaction. It is used by one goroutine.
type Tx struct {
	db       *DB
	tx       *sql.Tx
	ctx      context.Context
	mode     Mode
	now      time.Time
	release  func()
	onCommit []func()
	done     bool
}

// Lock has every other transaction that locks the same wait until this one has ended, so that what it
// checked still holds when it commits. Transactions that only read lock nothing, and SQLite has one
// writer at a time anyway.
func (tx *Tx) Lock(what string) error {
	if tx.db.dialect != Postgres || tx.mode != Write {
		return nil
	}
	_, err := tx.Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", what)
	return err
}

// Now is the one moment at which everything in this transaction happens, in UTC with microseconds.
func (tx *Tx) Now() time.Time { return tx.now.Truncate(time.Microsecond) }

// Dialect returns the kind of SQL this transaction speaks.
func (tx *Tx) Dialect() Dialect { return tx.db.dialect }

// DB returns the database the transaction runs on.
func (tx *Tx) DB() *DB { return tx.db }

// Context returns the context the transaction was begun with.
func (tx *Tx) Context() context.Context { return tx.ctx }

// OnCommit registers a function to run once the transaction has been committed.
func (tx *Tx) OnCommit(fn func()) { tx.onCommit = append(tx.onCommit, fn) }

// Commit makes the transaction durable and then runs the functions given to OnCommit.
func (tx *Tx) Commit() error {
	if tx.done {
		return sql.ErrTxDone
	}
	tx.done = true
	err := tx.tx.Commit()
	tx.release()
	if err != nil {
		return mapError(err)
	}
	for _, fn := range tx.onCommit {
		fn()
	}
	return nil
}

// Rollback undoes the transaction. After Commit it does nothing.
func (tx *Tx) Rollback() {
	if tx.done {
		return
	}
	tx.done = true
	_ = tx.tx.Rollback()
	tx.release()
}

// Savepoint runs fn so that its failure undoes what it did and nothing else.
func (tx *Tx) Savepoint(fn func() error) error {
	if _, err := tx.Exec("SAVEPOINT inner_step"); err != nil {
		return err
	}
	if err := fn(); err != nil {
		if _, undo := tx.Exec("ROLLBACK TO SAVEPOINT inner_step"); undo != nil {
			return errors.Join(err, undo)
		}
		_, _ = tx.Exec("RELEASE SAVEPOINT inner_step")
		return err
	}
	_, err := tx.Exec("RELEASE SAVEPOINT inner_step")
	return err
}

// Exec runs a statement with ? placeholders and returns the number of rows it touched.
// Arguments may be time.Time (stored as Django stores it), Zoned, In lists and nil pointers.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	query, args = tx.db.bind(query, args)
	res, err := tx.tx.ExecContext(tx.ctx, query, args...)
	if err != nil {
		return 0, mapQueryError(err, query)
	}
	n, err := res.RowsAffected()
	return n, mapError(err)
}

// Insert runs an INSERT into a table with an automatic integer key and returns that key.
func (tx *Tx) Insert(query string, args ...any) (int64, error) {
	var id int64
	err := tx.QueryRow(query+" RETURNING id", args...).Scan(&id)
	return id, err
}

// Query runs a SELECT with ? placeholders.
func (tx *Tx) Query(query string, args ...any) (*Rows, error) {
	query, args = tx.db.bind(query, args)
	rows, err := tx.tx.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return nil, mapQueryError(err, query)
	}
	return &Rows{Rows: rows}, nil
}

// QueryRow runs a SELECT that yields at most one row; Scan returns ErrNotFound when there is none.
func (tx *Tx) QueryRow(query string, args ...any) *Row {
	query, args = tx.db.bind(query, args)
	return &Row{row: tx.tx.QueryRowContext(tx.ctx, query, args...), query: query}
}

// Exists tells whether the query yields a row.
func (tx *Tx) Exists(query string, args ...any) (bool, error) {
	var one int
	err := tx.QueryRow("SELECT 1 WHERE EXISTS ("+query+")", args...).Scan(&one)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Strings returns the single text column of a query.
func (tx *Tx) Strings(query string, args ...any) ([]string, error) {
	return Select(tx, func(s Scanner) (v string, err error) { return v, s.Scan(&v) }, query, args...)
}

// Int returns the single number a query yields; no row counts as zero.
func (tx *Tx) Int(query string, args ...any) (int64, error) {
	var n sql.NullInt64
	err := tx.QueryRow(query, args...).Scan(&n)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return n.Int64, err
}

// Scanner is what Select and Get read a row from.
type Scanner interface{ Scan(dest ...any) error }

// Rows are the rows of a query.
type Rows struct{ *sql.Rows }

// Scan reads the current row; times come in UTC.
func (r *Rows) Scan(dest ...any) error { return mapError(r.Rows.Scan(dest...)) }

// Err returns the error that ended the iteration.
func (r *Rows) Err() error { return mapError(r.Rows.Err()) }

// Row is the one row of QueryRow.
type Row struct {
	row   *sql.Row
	query string
}

// Scan reads the row, or returns ErrNotFound.
func (r *Row) Scan(dest ...any) error {
	err := r.row.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return mapQueryError(err, r.query)
}

// Select reads all rows of a query, each by scan. It returns an empty slice, never nil.
func Select[T any](tx *Tx, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// Get reads the first row of a query, or returns ErrNotFound.
func Get[T any](tx *Tx, scan func(Scanner) (T, error), query string, args ...any) (T, error) {
	return scan(tx.QueryRow(query, args...))
}

// ForEach calls fn for every row, without keeping them.
func ForEach(tx *Tx, fn func(Scanner) error, query string, args ...any) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func mapQueryError(err error, query string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (in %.200s)", mapError(err), query)
}
