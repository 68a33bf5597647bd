package tab

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/ncruces/go-sqlite3/driver"

	"kolibri/store"
)

// Names of a restoration's intermediate files. Each step is one rename, so that a crash at any
// moment leaves either the old database or the new one, whole.
const (
	incoming = ".incoming" // being written or checked
	replaced = ".replaced" // the old one, until the new one has opened
)

// sidecars are the files that belong to a database file. They must move with it: the log of one
// database replayed into another would destroy it.
var sidecars = []string{"", "-wal", "-journal"}

// Exists tells whether the file name is in dir.
func (d *Disk) Exists(_ context.Context, dir, name string) (bool, error) {
	return d.files.Access(path.Join(dir, name), 0)
}

// Backup writes the whole database of a pool made by this disk to w, as one file that any SQLite
// opens. No transaction runs meanwhile.
func (d *Disk) Backup(ctx context.Context, pool *sql.DB, w io.Writer) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var busy, logged, moved int
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(truncate)").Scan(&busy, &logged, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return store.ErrBusy
	}
	var file string
	if err := conn.Raw(func(c any) error {
		file, err = d.files.FullPathname(c.(driver.Conn).Raw().Filename("main").String())
		return err
	}); err != nil {
		return err
	}
	return d.files.ReadTo(ctx, file, w)
}

// ReadFile writes the bytes of a database file that is not open to w, for saving a damaged one.
func (d *Disk) ReadFile(ctx context.Context, dir, name string, w io.Writer) error {
	return d.files.ReadTo(ctx, path.Join(dir, name), w)
}

// Install puts a ready-made database at a name that does not exist yet; it is there whole or not
// at all.
func (d *Disk) Install(ctx context.Context, dir, name string, r io.Reader) error {
	file := path.Join(dir, name)
	there, err := d.files.Access(file, 0)
	if err != nil {
		return store.OpenFailed(name, err)
	}
	if there {
		return store.OpenFailed(name, errors.New("it exists already"))
	}
	if err := d.files.WriteFrom(ctx, file+incoming, r); err != nil {
		return store.OpenFailed(name, err)
	}
	return d.files.Rename(ctx, file+incoming, file)
}

// Restore replaces a database, which must be closed, by the bytes of r. The new file must pass
// SQLite's integrity check and then check (nil for none); otherwise, or when it does not open in
// its place, the old one stays, and the error says why: store.ErrCorrupt, store.ErrFull or what
// check returned.
func (d *Disk) Restore(ctx context.Context, dir, name string, r io.Reader, check func(context.Context, *sql.DB) error) error {
	file := path.Join(dir, name)
	if err := d.finishRestore(ctx, file); err != nil {
		return err
	}
	if err := d.files.WriteFrom(ctx, file+incoming, r); err != nil {
		return store.OpenFailed(name, err)
	}
	if err := d.inspect(ctx, file+incoming, check); err != nil {
		return errors.Join(store.OpenFailed(name, err), d.removeAll(ctx, file+incoming))
	}
	for _, suffix := range sidecars[1:] { // what the inspection may have left
		if err := d.files.Remove(ctx, file+incoming+suffix); err != nil {
			return err
		}
	}
	for _, suffix := range sidecars {
		if err := d.move(ctx, file+suffix, file+replaced+suffix); err != nil {
			return errors.Join(err, d.finishRestore(ctx, file))
		}
	}
	if err := d.files.Rename(ctx, file+incoming, file); err != nil {
		return errors.Join(err, d.finishRestore(ctx, file))
	}
	pool, err := d.openPool(ctx, file, d.settings)
	if err == nil {
		return errors.Join(pool.Close(), d.removeAll(ctx, file+replaced))
	}
	return errors.Join(err, d.removeAll(ctx, file), d.finishRestore(ctx, file))
}

// inspect opens a file without a log of its own, so that nothing is left beside it.
func (d *Disk) inspect(ctx context.Context, file string, check func(context.Context, *sql.DB) error) error {
	pool, err := d.openPool(ctx, file, "PRAGMA locking_mode=exclusive; PRAGMA journal_mode=memory; PRAGMA temp_store=memory;")
	if err != nil {
		return err
	}
	defer pool.Close()
	var verdict string
	if err := pool.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", store.ErrCorrupt, verdict)
	}
	if check != nil {
		return check(ctx, pool)
	}
	return nil
}

// finishRestore completes or undoes a restoration that a crash interrupted: without the main file
// the old one comes back, with it the old one goes.
func (d *Disk) finishRestore(ctx context.Context, file string) error {
	old, err := d.files.Access(file+replaced, 0)
	if err != nil || !old {
		return err
	}
	there, err := d.files.Access(file, 0)
	if err != nil {
		return err
	}
	if there {
		return d.removeAll(ctx, file+replaced)
	}
	// The main file comes back last: until then the next start finds the same work to do.
	for i := len(sidecars) - 1; i >= 0; i-- {
		if err := d.move(ctx, file+replaced+sidecars[i], file+sidecars[i]); err != nil {
			return err
		}
	}
	return nil
}

// move renames a file if it is there.
func (d *Disk) move(ctx context.Context, from, to string) error {
	there, err := d.files.Access(from, 0)
	if err != nil || !there {
		return err
	}
	return d.files.Rename(ctx, from, to)
}

// removeAll deletes a database file with its sidecars, itself last: as long as it is there the next
// start knows that there is something to tidy.
func (d *Disk) removeAll(ctx context.Context, file string) error {
	var failed error
	for i := len(sidecars) - 1; i >= 0; i-- {
		failed = errors.Join(failed, d.files.Remove(ctx, file+sidecars[i]))
	}
	return failed
}

// Remove deletes a closed database with everything that belongs to it.
func (d *Disk) Remove(ctx context.Context, dir, name string) error {
	file := path.Join(dir, name)
	return errors.Join(d.removeAll(ctx, file+replaced), d.removeAll(ctx, file), d.removeAll(ctx, file+incoming))
}
