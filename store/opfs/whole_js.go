package opfs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"kolibri/store"
)

// Names of a replacement's intermediate files. Each step is one rename, so that a crash at any
// moment leaves either the old database or the new one, whole.
const (
	incoming = ".incoming" // being written or checked
	replaced = ".replaced" // the old one, until the new one has opened
)

// sidecars are the files that belong to a database file. They must move with it: the log of one
// database replayed into another would destroy it.
var sidecars = []string{"", "-wal", "-journal"}

const chunk = 1 << 20

// Exists tells whether the file name is in dir.
func Exists(_ context.Context, dir, name string) (bool, error) {
	return shared.Access(path.Join(dir, name), 0)
}

// Backup writes the whole database of a pool made by this package to w, as one file that any
// SQLite opens. No transaction runs meanwhile.
func Backup(ctx context.Context, pool *sql.DB, w io.Writer) error {
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
	var name string
	if err := conn.Raw(func(c any) error {
		name, _ = shared.FullPathname(c.(driver.Conn).Raw().Filename("main").String())
		return nil
	}); err != nil {
		return err
	}
	shared.mu.Lock()
	f := shared.open[name]
	shared.mu.Unlock()
	if f == nil {
		return fmt.Errorf("opfs: %s is not open", name)
	}
	return f.copyTo(ctx, w)
}

func (f *file) copyTo(ctx context.Context, w io.Writer) error {
	buffer := make([]byte, min(chunk, max(f.size, 1)))
	for off := int64(0); off < f.size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.ReadAt(buffer[:min(int64(len(buffer)), f.size-off)], off)
		if n == 0 {
			return err
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return err
		}
		off += int64(n)
		time.Sleep(time.Millisecond) // lets messages of the page through
	}
	return nil
}

// ReadFile writes the bytes of a file that is not open to w, for saving a damaged database.
func ReadFile(ctx context.Context, dir, name string, w io.Writer) error {
	shared.mu.Lock()
	f, err := shared.openFile(path.Join(dir, name), false)
	shared.mu.Unlock()
	if err != nil {
		return err
	}
	f.kind = otherFile
	defer f.Close()
	return f.copyTo(ctx, w)
}

// Install puts a ready-made database at a name that does not exist yet; it is there whole or not
// at all.
func Install(ctx context.Context, dir, name string, r io.Reader) error {
	if there, err := Exists(ctx, dir, name); err != nil || there {
		return errors.Join(err, existsError(there, name))
	}
	if err := write(ctx, dir, name+incoming, r); err != nil {
		return err
	}
	return rename(ctx, dir, name+incoming, name)
}

func existsError(there bool, name string) error {
	if there {
		return fmt.Errorf("opfs: %s exists already", name)
	}
	return nil
}

// Restore replaces a database, which must be closed, by the bytes of r. The new file must pass
// SQLite's integrity check and then check (nil for none); otherwise, or when it does not open in
// its place, the old one stays, and the error says why: store.ErrCorrupt, store.ErrFull or what
// check returned.
func Restore(ctx context.Context, dir, name string, r io.Reader, check func(context.Context, *sql.DB) error) error {
	if err := finishReplace(ctx, dir, name); err != nil {
		return err
	}
	if err := write(ctx, dir, name+incoming, r); err != nil {
		return store.OpenFailed(name, err)
	}
	if err := inspect(ctx, dir, name+incoming, check); err != nil {
		return errors.Join(store.OpenFailed(name, err), remove(ctx, dir, name+incoming))
	}
	for _, suffix := range sidecars {
		if err := move(ctx, dir, name+suffix, name+replaced+suffix); err != nil {
			return errors.Join(err, finishReplace(ctx, dir, name))
		}
	}
	if err := rename(ctx, dir, name+incoming, name); err != nil {
		return errors.Join(err, finishReplace(ctx, dir, name))
	}
	pool, err := openPool(ctx, path.Join(dir, name), settings)
	if err == nil {
		return errors.Join(pool.Close(), removeReplaced(ctx, dir, name))
	}
	return errors.Join(err, removeAll(ctx, dir, name), finishReplace(ctx, dir, name))
}

// inspect opens a file without a log of its own, so that nothing is left beside it.
func inspect(ctx context.Context, dir, name string, check func(context.Context, *sql.DB) error) error {
	pool, err := openPool(ctx, path.Join(dir, name), "PRAGMA locking_mode=exclusive; PRAGMA journal_mode=delete; PRAGMA temp_store=memory;")
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

// finishReplace completes or undoes a replacement that a crash interrupted: without the main file
// the old one comes back, with it the old one goes.
func finishReplace(ctx context.Context, dir, name string) error {
	old, err := Exists(ctx, dir, name+replaced)
	if err != nil || !old {
		return err
	}
	there, err := Exists(ctx, dir, name)
	if err != nil {
		return err
	}
	if there {
		return removeReplaced(ctx, dir, name)
	}
	// The main file comes back last: until then the next start finds the same work to do.
	for i := len(sidecars) - 1; i >= 0; i-- {
		if err := move(ctx, dir, name+replaced+sidecars[i], name+sidecars[i]); err != nil {
			return err
		}
	}
	return nil
}

func removeReplaced(ctx context.Context, dir, name string) error {
	return removeAll(ctx, dir, name+replaced)
}

// removeAll deletes a database file with its sidecars, itself last: as long as it is there the next
// start knows that there is something to tidy.
func removeAll(ctx context.Context, dir, name string) error {
	var failed error
	for i := len(sidecars) - 1; i >= 0; i-- {
		failed = errors.Join(failed, remove(ctx, dir, name+sidecars[i]))
	}
	return failed
}

// Remove deletes a closed database with everything that belongs to it.
func Remove(ctx context.Context, dir, name string) error {
	return errors.Join(removeReplaced(ctx, dir, name), removeAll(ctx, dir, name), remove(ctx, dir, name+incoming))
}

// write makes the file name of the bytes of r, which are with the disk when it returns.
func write(ctx context.Context, dir, name string, r io.Reader) error {
	shared.mu.Lock()
	f, err := shared.openFile(path.Join(dir, name), true)
	shared.mu.Unlock()
	if err != nil {
		return err
	}
	f.kind = otherFile
	err = f.fill(ctx, r)
	if failed := f.Close(); err == nil {
		err = failed
	}
	if err != nil {
		return errors.Join(err, remove(ctx, dir, name))
	}
	return nil
}

func (f *file) fill(ctx context.Context, r io.Reader) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	buffer := make([]byte, chunk)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, buffer)
		if err := f.handle.writeAt(buffer[:n], f.size); err != nil {
			return err
		}
		f.size += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return f.handle.flush()
		}
		if err != nil {
			return err
		}
		time.Sleep(time.Millisecond) // lets messages of the page through
	}
}

// move renames a file if it is there.
func move(ctx context.Context, dir, from, to string) error {
	there, err := Exists(ctx, dir, from)
	if err != nil || !there {
		return err
	}
	return rename(ctx, dir, from, to)
}

func rename(ctx context.Context, dir, from, to string) error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	names, err := shared.names(directory(dir))
	if err != nil {
		return err
	}
	if _, err := call(ctx, "rename", directory(dir), from, to); err != nil {
		return err
	}
	delete(names, from)
	names[to] = true
	return nil
}

func remove(ctx context.Context, dir, name string) error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	names, err := shared.names(directory(dir))
	if err != nil {
		return err
	}
	if _, err := call(ctx, "remove", directory(dir), name); err != nil {
		return err
	}
	delete(names, name)
	return nil
}

// directory spells dir as path.Split leaves it, which is the key the names are kept under.
func directory(dir string) string {
	d, _ := path.Split(path.Join(dir, "x"))
	return d
}
