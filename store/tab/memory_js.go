package tab

import (
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// MemoryFile is a temporary file. Only one connection sees it, so its locks always succeed.
type MemoryFile struct{ vfsutil.SliceFile }

// OpenTemporary opens a file in memory when SQLite wants one for itself that nobody will look for
// later; otherwise it returns nil.
func OpenTemporary(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag) {
	const temporary = vfs.OPEN_TEMP_DB | vfs.OPEN_TEMP_JOURNAL | vfs.OPEN_TRANSIENT_DB | vfs.OPEN_SUBJOURNAL
	if name != "" && flags&temporary == 0 {
		return nil, flags
	}
	return &MemoryFile{}, flags | vfs.OPEN_MEMORY
}

// Lock implements vfs.File.
func (*MemoryFile) Lock(vfs.LockLevel) error { return nil }

// Unlock implements vfs.File.
func (*MemoryFile) Unlock(vfs.LockLevel) error { return nil }

// CheckReservedLock implements vfs.File.
func (*MemoryFile) CheckReservedLock() (bool, error) { return false, nil }
