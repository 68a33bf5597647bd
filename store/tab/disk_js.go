package tab

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"kolibri/store"
	"kolibri/store/prepared"
	"kolibri/store/schema"
)

// ErrUnavailable: this browser, or this kind of window, does not offer the storage.
var ErrUnavailable = errors.New("the browser does not offer this storage here")

// Files is what a home of databases can do with files. Paths are relative, with slashes.
type Files interface {
	vfs.VFS
	// Probe returns why the storage cannot be used, or nil.
	Probe(ctx context.Context) error
	// ReadTo writes the content of a file to w, whether the file is open or not.
	ReadTo(ctx context.Context, file string, w io.Writer) error
	// WriteFrom makes or replaces a file that is not open; when it returns the bytes are kept.
	WriteFrom(ctx context.Context, file string, r io.Reader) error
	// Rename gives a file that is not open another name, in place of what had that name.
	Rename(ctx context.Context, from, to string) error
	// Remove deletes a file that is not open; a missing one is no error.
	Remove(ctx context.Context, file string) error
}

// Disk is a place for databases in the browser.
type Disk struct {
	name     string
	settings string
	files    Files
}

// NewDisk registers files as a VFS of that name. The statements in settings run on every new
// connection.
func NewDisk(name, settings string, files Files) *Disk {
	vfs.Register(name, files)
	return &Disk{name: name, settings: settings, files: files}
}

// Name is short and for diagnosis: "opfs" or "idb".
func (d *Disk) Name() string { return d.name }

// Available returns nil where databases can be kept, and else an error that wraps ErrUnavailable.
func (d *Disk) Available(ctx context.Context) error {
	if err := d.files.Probe(ctx); err != nil {
		return fmt.Errorf("%s: %w: %w", d.name, ErrUnavailable, err)
	}
	return nil
}

// Open opens or creates the database file name in the directory dir ("" is the root) and brings its
// schema up to date. The file is this worker's alone until Close. now stamps transactions; nil is
// the system's clock. Errors are *store.OpenError: ErrCorrupt for a damaged file, which is left as
// it is, ErrFull or ErrNewer.
func (d *Disk) Open(ctx context.Context, dir, name string, now func() time.Time) (*store.DB, error) {
	pool, err := d.OpenPool(ctx, dir, name)
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

// OpenPool opens or creates a database file without touching its schema. The pool has one
// connection, because the file is open once.
func (d *Disk) OpenPool(ctx context.Context, dir, name string) (*sql.DB, error) {
	if err := d.finishRestore(ctx, path.Join(dir, name)); err != nil {
		return nil, store.OpenFailed(name, err)
	}
	return d.openPool(ctx, path.Join(dir, name), d.settings)
}

func (d *Disk) openPool(ctx context.Context, file, settings string) (*sql.DB, error) {
	address := (&url.URL{Path: file}).EscapedPath()
	pool, err := prepared.Open("file:"+address+"?vfs="+d.name, func(c *sqlite3.Conn) error {
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
