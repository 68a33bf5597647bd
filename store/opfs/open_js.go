package opfs

import (
	"context"
	"database/sql"
	"net/url"
	"path"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"kolibri/store"
	"kolibri/store/schema"
)

// settings run on the connection in this order: exclusive locking must come before anything that
// touches the file, because only then does the write-ahead log work without shared memory.
// docs/storage.md has the measurements behind the values.
const settings = `
PRAGMA locking_mode=exclusive;
PRAGMA journal_mode=wal;
PRAGMA synchronous=normal;
PRAGMA cache_size=-16000;
PRAGMA temp_store=memory;
PRAGMA foreign_keys=on;`

// Open opens or creates the database file name in the directory dir of the private file system
// ("" is its root) and brings its schema up to date. The file is this worker's alone until Close.
// now stamps transactions; nil is the system's clock. Errors are *store.OpenError: ErrCorrupt for a
// damaged file (which is left as it is), ErrFull, ErrNewer, or ErrUnavailable.
func Open(ctx context.Context, dir, name string, now func() time.Time) (*store.DB, error) {
	pool, err := OpenPool(ctx, dir, name)
	if err != nil {
		return nil, err
	}
	db := store.New(pool, store.SQLite, now)
	if err := store.Migrate(ctx, db, store.DDL(schema.SQLite)); err != nil {
		pool.Close()
		return nil, store.OpenFailed(name, err)
	}
	return db, nil
}

// OpenPool opens or creates a database file without touching its schema. The pool has the one
// connection that an exclusive file allows.
func OpenPool(ctx context.Context, dir, name string) (*sql.DB, error) {
	if err := finishReplace(ctx, dir, name); err != nil {
		return nil, store.OpenFailed(name, err)
	}
	return openPool(ctx, path.Join(dir, name), settings)
}

func openPool(ctx context.Context, file, settings string) (*sql.DB, error) {
	address := (&url.URL{Path: file}).EscapedPath()
	pool, err := driver.Open("file:"+address+"?vfs="+vfsName, func(c *sqlite3.Conn) error {
		return c.Exec(settings)
	})
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	pool.SetMaxIdleConns(1)
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		return nil, store.OpenFailed(path.Base(file), err)
	}
	return pool, nil
}

// Available returns nil where databases can be kept, and else an error that wraps ErrUnavailable.
func Available(ctx context.Context) error {
	if _, err := call(ctx, "probe"); err != nil {
		return &unavailable{err}
	}
	return nil
}

type unavailable struct{ cause error }

func (u *unavailable) Error() string   { return ErrUnavailable.Error() + ": " + u.cause.Error() }
func (u *unavailable) Unwrap() []error { return []error{ErrUnavailable, u.cause} }

// Space is what the browser says about this site's storage.
type Space struct {
	Usage, Quota int64 // bytes, estimates
	Persisted    bool  // the browser promised not to evict it
}

// Usage asks the browser how much space is used and allowed.
func Usage(ctx context.Context) (Space, error) {
	v, err := call(ctx, "estimate")
	if err != nil {
		return Space{}, err
	}
	return Space{
		Usage:     int64(v.Get("usage").Float()),
		Quota:     int64(v.Get("quota").Float()),
		Persisted: v.Get("persisted").Bool(),
	}, nil
}
