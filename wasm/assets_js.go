package main

import (
	"bytes"
	"context"
	"io/fs"
	"path"
	"syscall/js"
	"time"

	"kolibri/store/tab"
	"kolibri/wasm/bridge"
)

// assets are the files of the build (data/pages.json and so on) as an fs.FS: worker/worker.js
// fetches them, from the build's own cache where they are. Opening one blocks its goroutine.
type assets struct{ host js.Value }

// Open implements fs.FS.
func (a assets) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	content, err := a.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &asset{Reader: bytes.NewReader(content), name: path.Base(name)}, nil
}

// ReadFile implements fs.ReadFileFS.
func (a assets) ReadFile(name string) ([]byte, error) {
	array, err := tab.Await(context.Background(), a.host.Call("asset", name))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return bridge.ToGo(array), nil
}

// asset is one file, whole in memory; it is its own fs.FileInfo.
type asset struct {
	*bytes.Reader
	name string
}

func (f *asset) Stat() (fs.FileInfo, error) { return f, nil }
func (f *asset) Close() error               { return nil }
func (f *asset) Name() string               { return f.name }
func (f *asset) Mode() fs.FileMode          { return 0o444 }
func (f *asset) ModTime() time.Time         { return time.Time{} }
func (f *asset) IsDir() bool                { return false }
func (f *asset) Sys() any                   { return nil }
