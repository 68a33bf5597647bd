package opfs

import (
	"context"
	"errors"
	"path"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"kolibri/store/tab"
)

// fileSystem implements vfs.VFS. Directories are listed once, at first use; from then on the names
// are kept here, because nobody else may write below them while this worker holds the Web Lock.
// mu is never held while the browser is waited for, so that many files can be opened at once.
type fileSystem struct {
	mu          sync.Mutex
	directories map[string]map[string]bool
	open        map[string]*file         // by path: open files, and closed journals whose handle is kept
	opening     map[string]chan struct{} // by path: closed when the browser has answered
}

// listed makes sure that the names in dir are known.
func (fs *fileSystem) listed(dir string) error {
	fs.mu.Lock()
	known := fs.directories[dir] != nil
	fs.mu.Unlock()
	if known {
		return nil
	}
	list, err := call(context.Background(), "list", dir)
	if err != nil {
		return err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.directories[dir] != nil {
		return nil // somebody else was faster, and may have made files since
	}
	names := make(map[string]bool, list.Length())
	for i := range list.Length() {
		names[list.Index(i).String()] = true
	}
	fs.directories[dir] = names
	return nil
}

// exists tells whether a file is there.
func (fs *fileSystem) exists(name string) (bool, error) {
	dir, base := path.Split(name)
	if err := fs.listed(dir); err != nil {
		return false, err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.directories[dir][base], nil
}

// note keeps that a file is there, or is not any more. The caller holds mu.
func (fs *fileSystem) note(name string, there bool) {
	dir, base := path.Split(name)
	switch names := fs.directories[dir]; {
	case names == nil: // not listed, or deleted meanwhile
	case there:
		names[base] = true
	default:
		delete(names, base)
	}
}

// Open implements vfs.VFS. Temporary files live in memory (PRAGMA temp_store=memory does the same
// for temporary databases).
func (fs *fileSystem) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if f, flags := tab.OpenTemporary(name, flags); f != nil {
		return f, flags, nil
	}
	f, err := fs.openFile(name, flags&vfs.OPEN_CREATE != 0)
	if err != nil {
		return nil, flags, vfs.SystemError(err, sqlite3.CANTOPEN)
	}
	f.kind = kindOf(flags)
	return f, flags, nil
}

// errOpenTwice: a synchronous access handle is exclusive, and so is the database above it.
var errOpenTwice = errors.New("opfs: the file is open already")

// openFile opens a file, or takes up the handle that was kept of it.
func (fs *fileSystem) openFile(name string, create bool) (*file, error) {
	dir, base := path.Split(name)
	if err := fs.listed(dir); err != nil {
		return nil, err
	}
	f, done, err := fs.claim(name)
	if f != nil || err != nil {
		return f, err
	}
	defer done()
	number, err := call(context.Background(), "open", dir, base, create)
	if err != nil {
		return nil, err
	}
	f = &file{fs: fs, name: name, handle: handle(number.Int())}
	if f.size, err = f.handle.size(); err != nil {
		f.handle.close()
		return nil, err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.note(name, true)
	fs.open[name] = f
	return f, nil
}

// claim takes up a kept handle, or lets the caller alone open the file until it calls done.
func (fs *fileSystem) claim(name string) (f *file, done func(), err error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for fs.opening[name] != nil {
		others := fs.opening[name]
		fs.mu.Unlock()
		<-others
		fs.mu.Lock()
	}
	if f := fs.open[name]; f != nil {
		if !f.kept {
			return nil, nil, errOpenTwice
		}
		f.kept = false
		fs.note(name, true)
		return f, nil, nil
	}
	ended := make(chan struct{})
	fs.opening[name] = ended
	return nil, func() {
		fs.mu.Lock()
		defer fs.mu.Unlock()
		delete(fs.opening, name)
		close(ended)
	}, nil
}

// Delete implements vfs.VFS. Of a file whose handle is kept only the content goes: SQLite deletes
// its journal after every transaction in some modes, and an empty journal is none.
func (fs *fileSystem) Delete(name string, _ bool) error {
	there, err := fs.exists(name)
	if err != nil {
		return vfs.SystemError(err, sqlite3.IOERR_DELETE)
	}
	if !there {
		return sqlite3.IOERR_DELETE_NOENT
	}
	fs.mu.Lock()
	f := fs.open[name]
	fs.mu.Unlock()
	if f == nil {
		err = fs.Remove(context.Background(), name)
	} else if err = f.Truncate(0); err == nil {
		fs.mu.Lock()
		fs.note(name, false)
		fs.mu.Unlock()
	}
	if err != nil {
		return vfs.SystemError(err, sqlite3.IOERR_DELETE)
	}
	return nil
}

// Access implements vfs.VFS.
func (fs *fileSystem) Access(name string, _ vfs.AccessFlag) (bool, error) {
	there, err := fs.exists(name)
	if err != nil {
		return false, vfs.SystemError(err, sqlite3.IOERR_ACCESS)
	}
	return there, nil
}

// FullPathname implements vfs.VFS. Paths are relative to the root of the private file system.
func (fs *fileSystem) FullPathname(name string) (string, error) {
	return strings.TrimPrefix(path.Clean("/"+name), "/"), nil
}
