package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
)

// ErrNoAttach is returned where a second database cannot be read by SQL: on PostgreSQL.
var ErrNoAttach = errors.New("store: this database cannot attach another")

// Attached is a SQLite file that writing transactions read under the name "source", so that whole tables
// are copied by one statement each.
type Attached struct {
	db   *DB
	path string
}

// attachment is what a connection was made ready for, and how it was before.
type attachment struct {
	to    *Attached
	cache int64 // PRAGMA cache_size
}

// Attach names the file that Write attaches: path is given as the database's own file system names it.
// Close ends it, before the file is changed or deleted.
func (db *DB) Attach(path string) *Attached { return &Attached{db, path} }

// WriteAttached is Write with one transaction of an Attached.
func (db *DB) WriteAttached(ctx context.Context, path string, fn func(*Tx) error) error {
	a := db.Attach(path)
	err := a.Write(ctx, fn)
	return errors.Join(err, a.Close(ctx))
}

// Write is DB.Write with the file at hand. References are not enforced inside it, as the original does
// not while it imports channels (kolibri/core/content/utils/channel_import.py): what the file refers to
// may be missing.
func (a *Attached) Write(ctx context.Context, fn func(*Tx) error) (err error) {
	db := a.db
	if db.dialect != SQLite {
		return ErrNoAttach
	}
	release, err := db.lockWriter(ctx)
	if err != nil {
		return err
	}
	defer release()
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return mapError(err)
	}
	defer conn.Close()
	// what is undone below must be undone even when the caller has given up
	cleanup := context.WithoutCancel(ctx)
	if err := db.attach(ctx, conn, a); err != nil {
		return err
	}
	if db.pool.Stats().MaxOpenConnections != 1 {
		defer func() { err = errors.Join(err, db.detach(cleanup, conn)) }()
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = OFF"); err != nil {
		return mapError(err)
	}
	defer func() {
		_, on := conn.ExecContext(cleanup, "PRAGMA foreign_keys = ON")
		err = errors.Join(err, mapError(on))
	}()
	raw, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return mapError(err)
	}
	tx := &Tx{db: db, tx: raw, ctx: ctx, mode: Write, now: db.Now(), release: func() {}}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Close detaches the file. Where the database has several connections none has it attached between two
// transactions; the one of a tab keeps it, since opening it takes longer there than a transaction.
func (a *Attached) Close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	release, err := a.db.lockWriter(ctx)
	if err != nil {
		return err
	}
	defer release()
	if a.db.attached.to != a {
		return nil
	}
	conn, err := a.db.pool.Conn(ctx)
	if err != nil {
		return mapError(err)
	}
	defer conn.Close()
	return a.db.detach(ctx, conn)
}

// attach makes a connection ready for a, in place of what another has left there. The caller holds the
// writer's lock.
func (db *DB) attach(ctx context.Context, conn *sql.Conn, a *Attached) error {
	if db.attached.to == a {
		return nil
	}
	if err := db.detach(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "ATTACH DATABASE ? AS source", a.path); err != nil {
		return mapError(err)
	}
	db.attached.to = a
	// whole tables are written: with the usual cache their indexes' pages would go to disk and back
	err := conn.QueryRowContext(ctx, "PRAGMA cache_size").Scan(&db.attached.cache)
	if err == nil {
		_, err = conn.ExecContext(ctx, "PRAGMA cache_size = -64000")
	}
	if err != nil {
		return errors.Join(mapError(err), db.detach(context.WithoutCancel(ctx), conn))
	}
	return nil
}

// detach undoes attach.
func (db *DB) detach(ctx context.Context, conn *sql.Conn) error {
	was := db.attached
	if was.to == nil {
		return nil
	}
	db.attached = attachment{}
	_, err := conn.ExecContext(ctx, "DETACH DATABASE source")
	if was.cache != 0 {
		_, back := conn.ExecContext(ctx, "PRAGMA cache_size = "+strconv.FormatInt(was.cache, 10))
		err = errors.Join(err, back)
	}
	return mapError(err)
}

// lockWriter waits until no other writer is at work on a SQLite file and returns what lets the next
// one in.
func (db *DB) lockWriter(ctx context.Context) (func(), error) {
	if db.writer == nil {
		return func() {}, nil
	}
	select {
	case db.writer <- struct{}{}:
		return func() { <-db.writer }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
