package idb

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"kolibri/store/tab"
)

// fileSystem implements vfs.VFS and tab.Files. All records are read once; from then on they are
// kept here, because nobody else may write while this worker holds the Web Lock.
type fileSystem struct {
	mu      sync.Mutex
	base    *base
	records map[string]record // of files that IndexedDB knows
	lastID  int
	open    map[string]*file
}

// connect opens IndexedDB at first use. The caller holds mu.
func (fs *fileSystem) connect(ctx context.Context) error {
	if fs.base != nil {
		return nil
	}
	b, err := openBase(ctx)
	if err != nil {
		return err
	}
	if fs.records, err = b.records(ctx); err != nil {
		return err
	}
	for _, r := range fs.records {
		fs.lastID = max(fs.lastID, r.id)
	}
	fs.base = b
	return nil
}

// Probe implements tab.Files: it keeps something and reads it back.
func (fs *fileSystem) Probe(ctx context.Context) error {
	const name = ".probe"
	if err := fs.WriteFrom(ctx, name, strings.NewReader("kept")); err != nil {
		return err
	}
	return fs.Remove(ctx, name)
}

// Open implements vfs.VFS.
func (fs *fileSystem) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if f, flags := tab.OpenTemporary(name, flags); f != nil {
		return f, flags, nil
	}
	f, err := fs.openFile(context.Background(), name, flags&vfs.OPEN_CREATE != 0)
	if err != nil {
		return nil, flags, vfs.SystemError(err, sqlite3.CANTOPEN)
	}
	return f, flags, nil
}

var (
	errOpenTwice = errors.New("idb: the file is open already")
	errNotFound  = errors.New("idb: there is no such file")
)

func (fs *fileSystem) openFile(ctx context.Context, name string, create bool) (*file, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if err := fs.connect(ctx); err != nil {
		return nil, err
	}
	if fs.open[name] != nil {
		return nil, errOpenTwice
	}
	r, there := fs.records[name]
	if !there {
		if !create {
			return nil, errNotFound
		}
		fs.lastID++
		r.id = fs.lastID
	}
	f := newFile(fs, name, r)
	fs.open[name] = f
	return f, nil
}

// Delete implements vfs.VFS.
func (fs *fileSystem) Delete(name string, _ bool) error {
	there, err := fs.Access(name, vfs.ACCESS_EXISTS)
	if err != nil {
		return err
	}
	if !there {
		return sqlite3.IOERR_DELETE_NOENT
	}
	return vfs.SystemError(fs.Remove(context.Background(), name), sqlite3.IOERR_DELETE)
}

// Access implements vfs.VFS.
func (fs *fileSystem) Access(name string, _ vfs.AccessFlag) (bool, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if err := fs.connect(context.Background()); err != nil {
		return false, vfs.SystemError(err, sqlite3.IOERR_ACCESS)
	}
	_, kept := fs.records[name]
	return kept || fs.open[name] != nil, nil
}

// FullPathname implements vfs.VFS.
func (fs *fileSystem) FullPathname(name string) (string, error) {
	return strings.TrimPrefix(path.Clean("/"+name), "/"), nil
}

// ReadTo implements tab.Files.
func (fs *fileSystem) ReadTo(ctx context.Context, name string, w io.Writer) error {
	fs.mu.Lock()
	f := fs.open[name]
	fs.mu.Unlock()
	if f == nil {
		var err error
		if f, err = fs.openFile(ctx, name, false); err != nil {
			return err
		}
		defer f.Close()
	}
	_, err := io.CopyBuffer(w, io.NewSectionReader(f, 0, f.size), make([]byte, blockSize))
	return err
}

// WriteFrom implements tab.Files. The file is kept in several steps, because a transaction of
// IndexedDB ends when nothing is asked of it while the next bytes are awaited.
func (fs *fileSystem) WriteFrom(ctx context.Context, name string, r io.Reader) error {
	const step = 32 * blockSize
	f, err := fs.openFile(ctx, name, true)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(0); err != nil {
		return err
	}
	buffer := make([]byte, step)
	for {
		n, err := io.ReadFull(r, buffer)
		if _, err := f.WriteAt(buffer[:n], f.size); err != nil {
			return err
		}
		if err := f.keep(ctx); err != nil {
			return errors.Join(err, f.Close(), fs.Remove(context.WithoutCancel(ctx), name))
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Rename implements tab.Files.
func (fs *fileSystem) Rename(ctx context.Context, from, to string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if err := fs.connect(ctx); err != nil {
		return err
	}
	r, there := fs.records[from]
	if !there {
		return errNotFound
	}
	old, replaces := fs.records[to]
	err := fs.base.write(ctx, func(s *stores) error {
		if replaces {
			if err := s.deleteBlocks(old.id, 0); err != nil {
				return err
			}
		}
		if err := s.deleteRecord(from); err != nil {
			return err
		}
		return s.putRecord(to, r)
	})
	if err != nil {
		return err
	}
	delete(fs.records, from)
	fs.records[to] = r
	return nil
}

// Remove implements tab.Files.
func (fs *fileSystem) Remove(ctx context.Context, name string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if err := fs.connect(ctx); err != nil {
		return err
	}
	if fs.open[name] != nil {
		return errOpenTwice
	}
	r, there := fs.records[name]
	if !there {
		return nil
	}
	err := fs.base.write(ctx, func(s *stores) error {
		if err := s.deleteBlocks(r.id, 0); err != nil {
			return err
		}
		return s.deleteRecord(name)
	})
	if err == nil {
		delete(fs.records, name)
	}
	return err
}
