//go:build !js

// Package sqlite opens a SQLite file natively, as a classroom server does.
package sqlite

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"kolibri/store"
	"kolibri/store/prepared"
	"kolibri/store/schema"
)

// Open opens or creates the database file and brings its schema up to date. The journal is a
// write-ahead log, so readers never wait for the writer. now stamps transactions; nil is the
// system's clock. It returns a *store.OpenError: store.ErrCorrupt for
// a file that is damaged or no database.
func Open(ctx context.Context, path string, now func() time.Time) (*store.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	query := url.Values{"_pragma": {
		"busy_timeout(20000)", "journal_mode(wal)", "synchronous(normal)", "foreign_keys(on)",
		"cache_size(-16000)", "temp_store(memory)",
	}}
	pool, err := prepared.Open("file:"+(&url.URL{Path: path}).EscapedPath()+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(8)
	pool.SetMaxIdleConns(8)
	db := store.New(pool, store.SQLite, now)
	if err := store.Migrate(ctx, db, store.DDL(schema.SQLite)); err != nil {
		pool.Close()
		return nil, store.OpenFailed(filepath.Base(path), err)
	}
	return db, nil
}

// CreateEmpty makes the file of a Kolibri that has just been installed: schema and first rows, in
// one file without a log beside it. The tab copies it instead of running the schema; it says already
// that it is used with a log, because to say so costs the tab a transaction.
func CreateEmpty(ctx context.Context, path string) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	db, err := Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	db.Pool().SetMaxOpenConns(1)
	for _, pragma := range []string{"PRAGMA wal_checkpoint(truncate)", "PRAGMA journal_mode=delete", "VACUUM", "PRAGMA journal_mode=wal"} {
		if _, err := db.Pool().ExecContext(ctx, pragma); err != nil {
			return err
		}
	}
	return nil
}
