package tab

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/hack-pad/hackpadfs"
)

// Tree is what a home of databases can do with the files beside them. Names are whole paths.
type Tree interface {
	// OpenFile opens a file, which nobody else has open meanwhile. fs.ErrNotExist: it is not there.
	OpenFile(name string, create bool) (Opened, error)
	// Names are the files of a directory. What is not there has none.
	Names(dir string) (map[string]bool, error)
	// Written is when a file was last written.
	Written(name string) (time.Time, error)
	Rename(ctx context.Context, from, to string) error
	Remove(ctx context.Context, name string) error
	// RemoveTree deletes a directory with everything in it.
	RemoveTree(ctx context.Context, dir string) error
}

// Opened is an open file of a Tree. When Close has returned nil its bytes are kept.
type Opened interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Size() (int64, error)
	Close() error
}

// Folder is a directory of a Tree as a hackpadfs.FS, for content. Files have no modes, directories
// are made when a file is, and a file can be open once at a time.
type Folder struct {
	dir  string
	tree Tree
}

// NewFolder returns the folder of a path. Nothing else may write in it.
func NewFolder(dir string, tree Tree) *Folder { return &Folder{dir, tree} }

var (
	_ hackpadfs.OpenFileFS = (*Folder)(nil)
	_ hackpadfs.MkdirAllFS = (*Folder)(nil)
	_ hackpadfs.RemoveFS   = (*Folder)(nil)
	_ hackpadfs.RenameFS   = (*Folder)(nil)
	_ hackpadfs.StatFS     = (*Folder)(nil)
	_ hackpadfs.ReadDirFS  = (*Folder)(nil)
)

// Path is the name by which the database, which lies in the same file system, reads a file.
func (d *Folder) Path(name string) string { return path.Join(d.dir, name) }

// Open implements fs.FS.
func (d *Folder) Open(name string) (hackpadfs.File, error) {
	return d.OpenFile(name, hackpadfs.FlagReadOnly, 0)
}

// RemoveAll deletes the folder with everything in it. No file of it may be open.
func (d *Folder) RemoveAll(ctx context.Context) error { return d.tree.RemoveTree(ctx, d.dir) }

// OpenFile implements hackpadfs.OpenFileFS.
func (d *Folder) OpenFile(name string, flag int, _ hackpadfs.FileMode) (hackpadfs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	f, err := d.tree.OpenFile(d.Path(name), flag&hackpadfs.FlagCreate != 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: portable(err)}
	}
	if flag&hackpadfs.FlagTruncate != 0 {
		if err := f.Truncate(0); err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: errors.Join(err, f.Close())}
		}
	}
	return &openedFile{Opened: f, name: path.Base(name)}, nil
}

// MkdirAll implements hackpadfs.MkdirAllFS: directories come with their files.
func (d *Folder) MkdirAll(string, hackpadfs.FileMode) error { return nil }

// Remove implements hackpadfs.RemoveFS.
func (d *Folder) Remove(name string) error {
	if err := d.known(name); err != nil {
		return err
	}
	return d.tree.Remove(context.Background(), d.Path(name))
}

// Rename implements hackpadfs.RenameFS, within one directory.
func (d *Folder) Rename(from, to string) error {
	return d.tree.Rename(context.Background(), d.Path(from), d.Path(to))
}

// Stat implements hackpadfs.StatFS.
func (d *Folder) Stat(name string) (hackpadfs.FileInfo, error) {
	if err := d.known(name); err != nil {
		return nil, err
	}
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	written, err := d.tree.Written(d.Path(name))
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: portable(err)}
	}
	return fileInfo{path.Base(name), info.Size(), written}, nil
}

// ReadDir implements hackpadfs.ReadDirFS. It knows files only, and these by their names only.
func (d *Folder) ReadDir(name string) ([]hackpadfs.DirEntry, error) {
	names, err := d.tree.Names(d.Path(name))
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: portable(err)}
	}
	entries := make([]hackpadfs.DirEntry, 0, len(names))
	for _, base := range slices.Sorted(maps.Keys(names)) {
		entries = append(entries, fs.FileInfoToDirEntry(fileInfo{name: base}))
	}
	return entries, nil
}

// known answers fs.ErrNotExist for a file that is not there, without asking the browser again.
func (d *Folder) known(name string) error {
	dir, base := path.Split(d.Path(name))
	names, err := d.tree.Names(path.Clean(dir))
	if err == nil && !names[base] {
		err = fs.ErrNotExist
	}
	if err != nil {
		return &fs.PathError{Op: "stat", Path: name, Err: portable(err)}
	}
	return nil
}

func portable(err error) error {
	var thrown *Error
	if errors.As(err, &thrown) && thrown.Name == "NotFoundError" {
		return fs.ErrNotExist
	}
	return err
}

// openedFile is an open file with a position.
type openedFile struct {
	Opened
	name   string
	pos    int64
	closed bool
}

// Close implements fs.File; a second time does nothing, since the handle's number may be another's by then.
func (o *openedFile) Close() error {
	if o.closed {
		return nil
	}
	o.closed = true
	return o.Opened.Close()
}

// Read implements io.Reader.
func (o *openedFile) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := o.ReadAt(b, o.pos)
	o.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// Write implements io.Writer.
func (o *openedFile) Write(b []byte) (int, error) {
	n, err := o.WriteAt(b, o.pos)
	o.pos += int64(n)
	return n, err
}

// Seek implements io.Seeker.
func (o *openedFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.pos
	case io.SeekEnd:
		size, err := o.Size()
		if err != nil {
			return 0, err
		}
		offset += size
	}
	if offset < 0 {
		return 0, fs.ErrInvalid
	}
	o.pos = offset
	return offset, nil
}

// Stat implements fs.File.
func (o *openedFile) Stat() (fs.FileInfo, error) {
	size, err := o.Size()
	return fileInfo{name: o.name, size: size}, err
}

type fileInfo struct {
	name    string
	size    int64
	written time.Time
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return 0o644 }
func (i fileInfo) ModTime() time.Time { return i.written }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }
