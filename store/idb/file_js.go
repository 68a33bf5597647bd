package idb

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"io"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"kolibri/store"
)

const (
	// blockSize is what is read and put at once. With blocks of a page a commit takes six times as
	// many puts.
	blockSize = 64 << 10
	// cachedBlocks is how many unchanged blocks of a file stay in memory: 8 MiB.
	cachedBlocks = 128
)

// file implements vfs.File over blocks in IndexedDB. What was written since the last sync is only
// here; a failed sync, or a close, forgets it.
type file struct {
	fs   *fileSystem
	name string
	kept record // as IndexedDB knows it
	size int64  // with what is not kept yet

	// stored is how much of the kept content still counts: truncating makes it smaller, and what
	// is written beyond later starts from zeros.
	stored int64
	blocks map[int64]*block
	clean  *list.List // of *block, least recently used first
	dirty  map[int64]*block
}

type block struct {
	number int64
	data   []byte
	place  *list.Element // in clean; nil when dirty
}

func newFile(fs *fileSystem, name string, r record) *file {
	return &file{
		fs: fs, name: name, kept: r, size: r.size, stored: r.size,
		blocks: map[int64]*block{}, clean: list.New(), dirty: map[int64]*block{},
	}
}

// block returns a block of the file, from the cache or from IndexedDB.
func (f *file) block(number int64) (*block, error) {
	if b := f.blocks[number]; b != nil {
		if b.place != nil {
			f.clean.MoveToBack(b.place)
		}
		return b, nil
	}
	b := &block{number: number}
	for f.clean.Len() >= cachedBlocks {
		oldest := f.clean.Remove(f.clean.Front()).(*block)
		delete(f.blocks, oldest.number)
		b.data = oldest.data // spares the garbage collector a block per miss
	}
	if b.data == nil {
		b.data = make([]byte, blockSize)
	}
	from := number * blockSize
	if from < f.stored {
		if err := f.fs.base.block(context.Background(), f.kept.id, number, b.data); err != nil {
			return nil, err
		}
	}
	clear(b.data[min(max(f.stored-from, 0), blockSize):])
	f.blocks[number] = b
	b.place = f.clean.PushBack(b)
	return b, nil
}

func (f *file) markDirty(b *block) {
	if b.place != nil {
		f.clean.Remove(b.place)
		b.place = nil
		f.dirty[b.number] = b
	}
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) && off < f.size {
		b, err := f.block(off / blockSize)
		if err != nil {
			return n, vfs.SystemError(err, sqlite3.IOERR_READ)
		}
		part := b.data[off%blockSize : min(blockSize, f.size-b.number*blockSize)]
		copied := copy(p[n:], part)
		n, off = n+copied, off+int64(copied)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt. Bytes that are there already change nothing: a transaction that
// is rolled back because the quota is used up then needs no space for the pages it restores.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	for n := 0; n < len(p); {
		at := off + int64(n)
		b, err := f.block(at / blockSize)
		if err != nil {
			return n, vfs.SystemError(err, sqlite3.IOERR_WRITE)
		}
		target := b.data[at%blockSize:]
		part := p[n:min(len(p), n+len(target))]
		if !bytes.Equal(target[:len(part)], part) {
			copy(target, part)
			f.markDirty(b)
		}
		n += len(part)
		f.size = max(f.size, at+int64(len(part)))
	}
	return len(p), nil
}

// Truncate implements vfs.File.
func (f *file) Truncate(size int64) error {
	if size >= f.size {
		return nil
	}
	if size%blockSize != 0 { // the file may grow again, and then it must read as zeros there
		last, err := f.block(size / blockSize)
		if err != nil {
			return vfs.SystemError(err, sqlite3.IOERR_TRUNCATE)
		}
		clear(last.data[size%blockSize:])
		f.markDirty(last)
	}
	for number, b := range f.blocks {
		if number*blockSize >= size {
			f.forget(b)
		}
	}
	f.size = size
	f.stored = min(f.stored, size)
	return nil
}

func (f *file) forget(b *block) {
	delete(f.blocks, b.number)
	delete(f.dirty, b.number)
	if b.place != nil {
		f.clean.Remove(b.place)
	}
}

// Sync implements vfs.File: all that was written since the last time is kept, or none of it.
func (f *file) Sync(vfs.SyncFlag) error {
	err := f.keep(context.Background())
	if err == nil {
		return nil
	}
	f.revert()
	if errors.Is(err, store.ErrFull) {
		return vfs.SystemError(err, sqlite3.FULL)
	}
	return vfs.SystemError(err, sqlite3.IOERR_FSYNC)
}

// keep puts what changed into IndexedDB in one transaction. Blocks count as changed until the
// transaction has completed, so that a failed one can be tried again.
func (f *file) keep(ctx context.Context) error {
	f.fs.mu.Lock()
	_, known := f.fs.records[f.name]
	f.fs.mu.Unlock()
	if known && len(f.dirty) == 0 && f.size == f.kept.size {
		return nil
	}
	next := record{id: f.kept.id, size: f.size, written: time.Now().UnixMilli()}
	err := f.fs.base.write(ctx, func(s *stores) error {
		if f.stored < f.kept.size {
			if err := s.deleteBlocks(next.id, (f.stored+blockSize-1)/blockSize); err != nil {
				return err
			}
		}
		for number, b := range f.dirty {
			if err := s.putBlock(next.id, number, b.data); err != nil {
				return err
			}
		}
		return s.putRecord(f.name, next)
	})
	if err != nil {
		return err
	}
	f.kept, f.stored = next, next.size
	f.fs.mu.Lock()
	f.fs.records[f.name] = next
	f.fs.mu.Unlock()
	for number, b := range f.dirty {
		delete(f.dirty, number)
		b.place = f.clean.PushBack(b)
	}
	return nil
}

// revert goes back to what IndexedDB has.
func (f *file) revert() {
	for _, b := range f.blocks {
		f.forget(b)
	}
	f.size, f.stored = f.kept.size, f.kept.size
}

// Size implements vfs.File.
func (f *file) Size() (int64, error) { return f.size, nil }

// Close implements io.Closer. What was not synced belongs to no transaction and is dropped.
func (f *file) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.open[f.name] == f {
		delete(f.fs.open, f.name)
	}
	return nil
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
