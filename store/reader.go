package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"strconv"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3/util/ioutil"
	"github.com/ncruces/go-sqlite3/vfs/readervfs"
)

var readers atomic.Int64

// ReadFile runs fn in a read-only transaction on a SQLite file of size bytes, wherever it lies: on a
// drive, in a browser's folder. The file must not change meanwhile. It works beside any database.
func ReadFile(ctx context.Context, file io.ReaderAt, size int64, fn func(*Tx) error) (err error) {
	name := "reader-" + strconv.FormatInt(readers.Add(1), 10)
	readervfs.Create(name, ioutil.NewSizeReaderAt(io.NewSectionReader(withoutLog{file}, 0, size)))
	defer readervfs.Delete(name)
	pool, err := sql.Open("sqlite3", "file:"+name+"?vfs=reader&mode=ro&_pragma=cache_size(-2000)")
	if err != nil {
		return mapError(err)
	}
	defer func() { err = errors.Join(err, mapError(pool.Close())) }()
	pool.SetMaxOpenConns(1)
	return New(pool, SQLite, nil).Read(ctx, fn)
}

// withoutLog reads a file that was last used with a write-ahead log as one that was not: the log
// cannot be opened where nothing can be written, and a file that somebody passed on has none.
type withoutLog struct{ io.ReaderAt }

// ReadAt implements io.ReaderAt.
func (w withoutLog) ReadAt(p []byte, at int64) (int, error) {
	n, err := w.ReaderAt.ReadAt(p, at)
	for _, place := range []int64{18, 19} { // the file format's write and read versions
		if i := place - at; i >= 0 && i < int64(n) && p[i] == 2 {
			p[i] = 1
		}
	}
	return n, err
}
