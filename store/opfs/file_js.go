package opfs

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"kolibri/store"
)

// coalesce is how many bytes of contiguous writes are collected before they go to the browser. A
// call costs 30 to 130 microseconds whatever its size, and SQLite writes a WAL frame in two pieces.
const coalesce = 64 << 10

// fileKind tells the files of a database apart.
type fileKind int

const (
	mainFile fileKind = iota
	journalFile
	walFile
	otherFile // SQLite's too
	plainFile // not SQLite's
)

func kindOf(flags vfs.OpenFlag) fileKind {
	switch {
	case flags&vfs.OPEN_MAIN_DB != 0:
		return mainFile
	case flags&vfs.OPEN_MAIN_JOURNAL != 0:
		return journalFile
	case flags&vfs.OPEN_WAL != 0:
		return walFile
	}
	return otherFile
}

// file implements vfs.File over one synchronous access handle.
type file struct {
	fs     *fileSystem
	name   string
	handle handle
	kind   fileKind
	kept   bool // closed for SQLite, but the handle is still there

	size     int64  // with the bytes that are still in pending
	pending  []byte // contiguous bytes not yet given to the browser
	at       int64  // where pending begins
	lost     span   // bytes that SQLite believes written, but whose write failed afterwards
	endsTurn bool   // the next write into the WAL completes a commit
}

// span is a half-open range of bytes.
type span struct{ from, to int64 }

func (s span) overlaps(from, to int64) bool { return s.from < to && from < s.to }

// without removes a range; what is left in the middle counts as one span, which is the safe side.
func (s span) without(from, to int64) span {
	switch {
	case from <= s.from && to >= s.to:
		return span{}
	case from <= s.from && to > s.from:
		s.from = to
	case to >= s.to && from < s.to:
		s.to = from
	}
	return s
}

var (
	_ vfs.FileCommitPhaseTwo = (*file)(nil)

	errLost = errors.New("opfs: an earlier write of these bytes failed")
)

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(b []byte, off int64) (int, error) {
	end := off + int64(len(b))
	if len(f.pending) > 0 && (span{f.at, f.at + int64(len(f.pending))}).overlaps(off, end) {
		if err := f.writeOut(); err != nil {
			return 0, err
		}
	}
	if f.lost.overlaps(off, end) {
		return 0, f.failed(errLost, sqlite3.IOERR_READ)
	}
	if off >= f.size {
		return 0, io.EOF
	}
	n, err := f.handle.readAt(b, off)
	if err != nil {
		return n, f.failed(err, sqlite3.IOERR_READ)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt: it collects the bytes, and gives them to the browser when they do
// not follow the earlier ones, when there are enough of them, or when they complete a commit.
func (f *file) WriteAt(b []byte, off int64) (int, error) {
	pendingEnd := f.at + int64(len(f.pending))
	switch {
	case len(f.pending) > 0 && off >= f.at && off+int64(len(b)) <= pendingEnd:
		copy(f.pending[off-f.at:], b)
	case len(f.pending) > 0 && off == pendingEnd && len(f.pending)+len(b) <= coalesce:
		f.pending = append(f.pending, b...)
	default:
		if err := f.writeOut(); err != nil {
			return 0, err
		}
		if f.pending == nil {
			f.pending = make([]byte, 0, coalesce)
		}
		f.at, f.pending = off, append(f.pending, b...)
	}
	f.size = max(f.size, off+int64(len(b)))
	if f.kind == walFile && f.completesCommit(b, off) {
		if err := f.writeOut(); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// completesCommit tells whether these bytes are the page of a WAL frame that ends a transaction
// (https://sqlite.org/fileformat2.html#walformat: a frame header is 24 bytes, bytes 4 to 7 are the
// database size for commit records and otherwise zero). Writing such frames out at once makes a
// full disk fail inside the transaction, which then rolls back; at CommitPhaseTwo it would be too
// late, because the connection already counts the frames as committed.
func (f *file) completesCommit(b []byte, off int64) bool {
	const walHeader, frameHeader = 32, 24
	if len(b) == frameHeader && off >= walHeader {
		f.endsTurn = binary.BigEndian.Uint32(b[4:]) != 0
		return false
	}
	complete := f.endsTurn
	f.endsTurn = false
	return complete
}

// writeOut gives the collected bytes to the browser. After a failure they are forgotten, but reads
// of them fail until they were written again.
func (f *file) writeOut() error {
	if len(f.pending) == 0 {
		return nil
	}
	written := span{f.at, f.at + int64(len(f.pending))}
	err := f.handle.writeAt(f.pending, f.at)
	f.pending = f.pending[:0]
	if err == nil {
		f.lost = f.lost.without(written.from, written.to)
		return nil
	}
	if f.lost != (span{}) {
		written = span{min(written.from, f.lost.from), max(written.to, f.lost.to)}
	}
	f.lost = written
	if size, sizeErr := f.handle.size(); sizeErr == nil {
		f.size = size
	}
	return f.failed(err, sqlite3.IOERR_WRITE)
}

// failed gives SQLite the code that it wants with an error. Others get the error itself: what SQLite
// gets hides it from errors.Is.
func (f *file) failed(err error, code sqlite3.ExtendedErrorCode) error {
	switch {
	case f.kind == plainFile:
		return err
	case errors.Is(err, store.ErrFull):
		return vfs.SystemError(err, sqlite3.FULL)
	}
	return vfs.SystemError(err, code)
}

// Truncate implements vfs.File.
func (f *file) Truncate(size int64) error {
	if f.at >= size {
		f.pending = f.pending[:0]
	} else if err := f.writeOut(); err != nil && size > f.lost.from {
		return err
	}
	if size == f.size {
		return nil // a call costs some 100 microseconds, a millisecond where much is written
	}
	if err := f.handle.truncate(size); err != nil {
		return f.failed(err, sqlite3.IOERR_TRUNCATE)
	}
	f.size = size
	f.lost = f.lost.without(size, max(size, f.lost.to))
	return nil
}

// Sync implements vfs.File.
func (f *file) Sync(vfs.SyncFlag) error {
	if err := f.writeOut(); err != nil {
		return err
	}
	if err := f.handle.flush(); err != nil {
		return f.failed(err, sqlite3.IOERR_FSYNC)
	}
	return nil
}

// CommitPhaseTwo implements vfs.FileCommitPhaseTwo: the pager calls it on the main file after every
// commit, so that a commit is with the browser before Exec returns.
func (f *file) CommitPhaseTwo() error {
	for _, name := range []string{f.name + "-wal", f.name + "-journal", f.name} {
		if sibling := f.fs.open[name]; sibling != nil {
			if err := sibling.writeOut(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Size implements vfs.File.
func (f *file) Size() (int64, error) { return f.size, nil }

// Close implements io.Closer. Journals keep their handle until the database they belong to closes.
func (f *file) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	err := f.writeOut()
	if f.kind == journalFile || f.kind == walFile {
		f.kept = true
		return err
	}
	f.letGo()
	for _, name := range []string{f.name + "-wal", f.name + "-journal"} {
		if sibling := f.fs.open[name]; sibling != nil && sibling.kept {
			sibling.letGo()
		}
	}
	return err
}

// letGo gives the handle back. The caller holds the file system's lock.
func (f *file) letGo() {
	f.handle.close()
	delete(f.fs.open, f.name)
}

// Lock implements vfs.File. Nobody else can have the file open, so there is nothing to lock.
func (f *file) Lock(vfs.LockLevel) error { return nil }

// Unlock implements vfs.File.
func (f *file) Unlock(vfs.LockLevel) error { return nil }

// CheckReservedLock implements vfs.File.
func (f *file) CheckReservedLock() (bool, error) { return false, nil }

// SectorSize implements vfs.File.
func (f *file) SectorSize() int { return 4096 }

// DeviceCharacteristics implements vfs.File.
func (f *file) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return vfs.IOCAP_UNDELETABLE_WHEN_OPEN | vfs.IOCAP_POWERSAFE_OVERWRITE
}
