package storetest

import (
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// LimitedVFS is a VFS over another one whose disk fills up when the test says so: files may be
// overwritten, but grow only as long as there is space.
type LimitedVFS struct {
	vfs.VFS

	mu      sync.Mutex
	limited bool
	left    int64
}

// Limit lets files grow by that many more bytes, until lift is called.
func (l *LimitedVFS) Limit(bytes int64) (lift func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limited, l.left = true, bytes
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.limited = false
	}
}

// take returns how much of the wanted growth there is space for.
func (l *LimitedVFS) take(growth int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.limited || growth <= 0 {
		return growth
	}
	granted := min(growth, l.left)
	l.left -= granted
	return granted
}

// Open implements vfs.VFS.
func (l *LimitedVFS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return l.wrap(vfsutil.WrapOpen(l.VFS, name, flags))
}

// OpenFilename implements vfs.VFSFilename.
func (l *LimitedVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return l.wrap(vfsutil.WrapOpenFilename(l.VFS, name, flags))
}

func (l *LimitedVFS) wrap(f vfs.File, flags vfs.OpenFlag, err error) (vfs.File, vfs.OpenFlag, error) {
	if err != nil {
		return nil, flags, err
	}
	return &limitedFile{File: f, disk: l}, flags, nil
}

type limitedFile struct {
	vfs.File
	disk *LimitedVFS
}

// WriteAt implements io.WriterAt: as on a real disk, what there is space for is written.
func (f *limitedFile) WriteAt(b []byte, off int64) (int, error) {
	size, err := f.Size()
	if err != nil {
		return 0, err
	}
	growth := off + int64(len(b)) - size
	granted := f.disk.take(growth)
	if growth <= 0 || granted == growth {
		return f.File.WriteAt(b, off)
	}
	n := max(int64(len(b))-growth+granted, 0)
	if _, err := f.File.WriteAt(b[:n], off); err != nil {
		return 0, err
	}
	return int(n), sqlite3.FULL
}

// SharedMemory implements vfs.FileSharedMemory, which the write-ahead log needs.
func (f *limitedFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

// LockState implements vfs.FileLockState.
func (f *limitedFile) LockState() vfs.LockLevel { return vfsutil.WrapLockState(f.File) }

// HasMoved implements vfs.FileHasMoved.
func (f *limitedFile) HasMoved() (bool, error) { return vfsutil.WrapHasMoved(f.File) }

// CommitPhaseTwo implements vfs.FileCommitPhaseTwo.
func (f *limitedFile) CommitPhaseTwo() error { return vfsutil.WrapCommitPhaseTwo(f.File) }
