package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"syscall/js"
	"time"

	"github.com/hack-pad/hackpadfs"

	"kolibri/core/device"
	"kolibri/store/tab"
	"kolibri/wasm/bridge"
)

// drives are the folders that somebody has chosen in a tab: worker/drives.js.
func drives() js.Value { return js.Global().Get("kolibriHost").Get("drives") }

// Drives implements device.DriveLister.
func (b browser) Drives(ctx context.Context) ([]device.Drive, error) {
	list := drives().Call("list")
	all := make([]device.Drive, list.Length())
	free, err := b.FreeSpace(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		one := list.Index(i)
		// A browser does not tell how much room a folder's disk has; what it grants this site is close.
		all[i] = device.Drive{ID: one.Get("id").String(), Name: one.Get("name").String(), Path: one.Get("name").String(),
			Writable: one.Get("writable").Bool(), DataFolder: "KOLIBRI_DATA", FreeSpace: free, TotalSpace: free}
	}
	return all, nil
}

// OpenDrive implements device.DriveLister.
func (browser) OpenDrive(ctx context.Context, id string) (fs.FS, error) {
	list := drives().Call("list")
	for i := range list.Length() {
		if list.Index(i).Get("id").String() == id {
			return &drive{ctx, id}, nil
		}
	}
	return nil, fmt.Errorf("drive %q: %w", id, fs.ErrNotExist)
}

// drive is the folder of Kolibri's data on a drive. The context is that of the work it was opened for.
type drive struct {
	ctx context.Context
	id  string
}

var (
	_ device.DriveLister   = browser{}
	_ hackpadfs.OpenFileFS = (*drive)(nil)
	_ hackpadfs.MkdirAllFS = (*drive)(nil)
	_ hackpadfs.RenameFS   = (*drive)(nil)
	_ hackpadfs.RemoveFS   = (*drive)(nil)
)

func (d *drive) call(op, name string, method string, args ...any) (js.Value, error) {
	if !fs.ValidPath(name) {
		return js.Value{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	v, err := tab.Await(d.ctx, drives().Call(method, append([]any{d.id, name}, args...)...))
	var thrown *tab.Error
	if errors.As(err, &thrown) && thrown.Name == "NotFoundError" {
		err = fs.ErrNotExist
	}
	if err != nil {
		return js.Value{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return v, nil
}

// Open implements fs.FS.
func (d *drive) Open(name string) (fs.File, error) {
	found, err := d.call("open", name, "look")
	switch {
	case err != nil:
		return nil, err
	case found.IsNull():
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case found.InstanceOf(js.Global().Get("Array")):
		return &driveFolder{driveInfo{path.Base(name), 0, true}, d, name, found, 0}, nil
	}
	return &driveFile{driveInfo: driveInfo{path.Base(name), int64(found.Get("size").Float()), false}, ctx: d.ctx, file: found}, nil
}

// OpenFile implements hackpadfs.OpenFileFS. What is opened to be written begins empty.
func (d *drive) OpenFile(name string, flag int, _ hackpadfs.FileMode) (hackpadfs.File, error) {
	if flag&hackpadfs.FlagCreate == 0 {
		return d.Open(name)
	}
	stream, err := d.call("create", name, "create")
	if err != nil {
		return nil, err
	}
	return &newFile{driveInfo: driveInfo{path.Base(name), 0, false}, ctx: d.ctx, stream: stream}, nil
}

// MkdirAll implements hackpadfs.MkdirAllFS: folders come with their files.
func (d *drive) MkdirAll(string, hackpadfs.FileMode) error { return nil }

// Rename implements hackpadfs.RenameFS, by a copy: browsers do not rename in a person's folders.
func (d *drive) Rename(from, to string) error {
	_, err := d.call("rename", from, "rename", to)
	return err
}

// Remove implements hackpadfs.RemoveFS.
func (d *drive) Remove(name string) error {
	_, err := d.call("remove", name, "remove")
	return err
}

// driveInfo is what is known of a file or folder.
type driveInfo struct {
	name   string
	size   int64
	folder bool
}

func (i driveInfo) Name() string               { return i.name }
func (i driveInfo) Size() int64                { return i.size }
func (i driveInfo) ModTime() time.Time         { return time.Time{} }
func (i driveInfo) IsDir() bool                { return i.folder }
func (i driveInfo) Sys() any                   { return nil }
func (i driveInfo) Type() fs.FileMode          { return i.Mode().Type() }
func (i driveInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i driveInfo) Stat() (fs.FileInfo, error) { return i, nil }
func (i driveInfo) Mode() fs.FileMode {
	if i.folder {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

// driveFile is a file to read, where it lies.
type driveFile struct {
	driveInfo
	ctx  context.Context
	file js.Value
	at   int64
}

// Close implements fs.File.
func (f *driveFile) Close() error { return nil }

// ReadAt implements io.ReaderAt.
func (f *driveFile) ReadAt(p []byte, at int64) (int, error) {
	if at >= f.size {
		return 0, io.EOF
	}
	part := f.file.Call("slice", float64(at), float64(min(at+int64(len(p)), f.size)))
	buffer, err := tab.Await(f.ctx, part.Call("arrayBuffer"))
	if err != nil {
		return 0, err
	}
	n := js.CopyBytesToGo(p, js.Global().Get("Uint8Array").New(buffer))
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Read implements fs.File.
func (f *driveFile) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// Seek implements io.Seeker.
func (f *driveFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, fs.ErrInvalid
	}
	f.at = offset
	return offset, nil
}

// driveFolder lists a folder.
type driveFolder struct {
	driveInfo
	drive *drive
	path  string
	names js.Value
	next  int
}

// Read implements fs.File.
func (f *driveFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.path, Err: errors.New("is a folder")}
}

// Close implements fs.File.
func (f *driveFolder) Close() error { return nil }

// ReadDir implements fs.ReadDirFile.
func (f *driveFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	var list []fs.DirEntry
	for ; f.next < f.names.Length() && (n <= 0 || len(list) < n); f.next++ {
		entry, err := f.drive.Open(path.Join(f.path, f.names.Index(f.next).String()))
		if err != nil {
			return list, err
		}
		info, err := entry.Stat()
		if err != nil {
			return list, err
		}
		list = append(list, fs.FileInfoToDirEntry(info))
	}
	if n > 0 && len(list) == 0 {
		return nil, io.EOF
	}
	return list, nil
}

// newFile is a file that is being written. It takes its place when it is closed.
type newFile struct {
	driveInfo
	ctx    context.Context
	stream js.Value
	closed bool
}

// Read implements fs.File: nothing is there yet.
func (f *newFile) Read([]byte) (int, error) { return 0, io.EOF }

// Write implements io.Writer.
func (f *newFile) Write(p []byte) (int, error) {
	if _, err := tab.Await(f.ctx, f.stream.Call("write", bridge.ToJS(p))); err != nil {
		return 0, err
	}
	f.size += int64(len(p))
	return len(p), nil
}

// Seek implements io.Seeker.
func (f *newFile) Seek(offset int64, _ int) (int64, error) {
	_, err := tab.Await(f.ctx, f.stream.Call("seek", float64(offset)))
	return offset, err
}

// Truncate implements hackpadfs.TruncaterFile.
func (f *newFile) Truncate(size int64) error {
	_, err := tab.Await(f.ctx, f.stream.Call("truncate", float64(size)))
	f.size = size
	return err
}

// Close implements fs.File; a second time does nothing.
func (f *newFile) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	_, err := tab.Await(context.WithoutCancel(f.ctx), f.stream.Call("close"))
	return err
}
