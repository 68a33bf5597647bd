package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
)

// ErrNoAttach is returned where a second database cannot be read by SQL: on PostgreSQL.
var ErrNoAttach = errors.New("store: this database cannot attach another")

// WriteAttached is Write with a SQLite file readable under the name "source", so that whole tables
// are copied by one statement each. References are not enforced inside it, as the original does not
// while it imports channels (kolibri/core/content/utils/channel_import.py): what the file refers to
// may be missing. path is given as the database's own file system names it.
func (db *DB) WriteAttached(ctx context.Context, path string, fn func(*Tx) error) (err error) {
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
	if _, err := conn.ExecContext(ctx, "ATTACH DATABASE ? AS source", path); err != nil {
		return mapError(err)
	}
	defer func() {
		_, detach := conn.ExecContext(cleanup, "DETACH DATABASE source")
		err = errors.Join(err, mapError(detach))
	}()
	if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = OFF"); err != nil {
		return mapError(err)
	}
	defer func() {
		_, on := conn.ExecContext(cleanup, "PRAGMA foreign_keys = ON")
		err = errors.Join(err, mapError(on))
	}()
	// whole tables are written: with the usual cache their indexes' pages would go to disk and back
	var cache int64
	if err := conn.QueryRowContext(ctx, "PRAGMA cache_size").Scan(&cache); err != nil {
		return mapError(err)
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA cache_size = -64000"); err != nil {
		return mapError(err)
	}
	defer func() {
		_, back := conn.ExecContext(cleanup, "PRAGMA cache_size = "+strconv.FormatInt(cache, 10))
		err = errors.Join(err, mapError(back))
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
