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
type fileSystem struct {
	mu          sync.Mutex
	directories map[string]map[string]bool
	open        map[string]*file // by path: open files, and closed journals whose handle is kept
}

// names returns the file names in dir. The caller holds mu.
func (fs *fileSystem) names(dir string) (map[string]bool, error) {
	if names, ok := fs.directories[dir]; ok {
		return names, nil
	}
	list, err := call(context.Background(), "list", dir)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool, list.Length())
	for i := range list.Length() {
		names[list.Index(i).String()] = true
	}
	fs.directories[dir] = names
	return names, nil
}

// Open implements vfs.VFS. Temporary files live in memory (PRAGMA temp_store=memory does the same
// for temporary databases).
func (fs *fileSystem) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if f, flags := tab.OpenTemporary(name, flags); f != nil {
		return f, flags, nil
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f, err := fs.openFile(name, flags&vfs.OPEN_CREATE != 0)
	if err != nil {
		return nil, flags, vfs.SystemError(err, sqlite3.CANTOPEN)
	}
	f.kind = kindOf(flags)
	return f, flags, nil
}

// errOpenTwice: a synchronous access handle is exclusive, and so is the database above it.
var errOpenTwice = errors.New("opfs: the file is open already")

// openFile opens a file, or takes up the handle that was kept of it. The caller holds mu.
func (fs *fileSystem) openFile(name string, create bool) (*file, error) {
	dir, base := path.Split(name)
	names, err := fs.names(dir)
	if err != nil {
		return nil, err
	}
	if f := fs.open[name]; f != nil {
		if !f.kept {
			return nil, errOpenTwice
		}
		f.kept = false
		names[base] = true
		return f, nil
	}
	number, err := call(context.Background(), "open", dir, base, create)
	if err != nil {
		return nil, err
	}
	f := &file{fs: fs, name: name, handle: handle(number.Int())}
	if f.size, err = f.handle.size(); err != nil {
		f.handle.close()
		return nil, err
	}
	names[base] = true
	fs.open[name] = f
	return f, nil
}

// Delete implements vfs.VFS. Of a file whose handle is kept only the content goes: SQLite deletes
// its journal after every transaction in some modes, and an empty journal is none.
func (fs *fileSystem) Delete(name string, _ bool) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	dir, base := path.Split(name)
	names, err := fs.names(dir)
	if err != nil {
		return vfs.SystemError(err, sqlite3.IOERR_DELETE)
	}
	if !names[base] {
		return sqlite3.IOERR_DELETE_NOENT
	}
	if f := fs.open[name]; f != nil {
		err = f.Truncate(0)
	} else {
		_, err = call(context.Background(), "remove", dir, base)
	}
	if err != nil {
		return vfs.SystemError(err, sqlite3.IOERR_DELETE)
	}
	delete(names, base)
	return nil
}

// Access implements vfs.VFS.
func (fs *fileSystem) Access(name string, _ vfs.AccessFlag) (bool, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	dir, base := path.Split(name)
	names, err := fs.names(dir)
	if err != nil {
		return false, vfs.SystemError(err, sqlite3.IOERR_ACCESS)
	}
	return names[base], nil
}

// FullPathname implements vfs.VFS. Paths are relative to the root of the private file system.
func (fs *fileSystem) FullPathname(name string) (string, error) {
	return strings.TrimPrefix(path.Clean("/"+name), "/"), nil
}
