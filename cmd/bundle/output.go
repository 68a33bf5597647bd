package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// stamp tells whether a file is still as it was written.
type stamp struct {
	Size int64 `json:"size"`
	Time int64 `json:"time"` // nanoseconds since 1970
}

// output writes the files of one step below the build folder and keeps the list of them. Paths
// have slashes and are relative to the build folder.
type output struct {
	root  string
	cache *compressor

	mu    sync.Mutex // a step may write from many goroutines
	files map[string]stamp
}

func newOutput(root string, cache *compressor) *output {
	return &output{root: root, cache: cache, files: map[string]stamp{}}
}

// write puts a file in place. A file that is already so stays untouched, with its time, because
// plain hosts make their cache validators of the time.
func (o *output) write(path string, data []byte) error {
	name := filepath.Join(o.root, filepath.FromSlash(path))
	if old, err := os.ReadFile(name); err != nil || !bytes.Equal(old, data) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := replaceFile(name, data); err != nil {
			return err
		}
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.files[path] = stamp{info.Size(), info.ModTime().UnixNano()}
	return nil
}

// replaceFile writes a file so that a reader sees the old or the new one, never a part.
func replaceFile(name string, data []byte) error {
	tmp := name + ".new"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

// writePacked writes a file and its compressed siblings, for hosts that can send them. A gzip
// that exists already may be given.
func (o *output) writePacked(path string, data, gz []byte, brotliLevel int) error {
	if err := o.write(path, data); err != nil {
		return err
	}
	var err error
	if gz == nil {
		if gz, err = o.cache.gzip(data); err != nil {
			return err
		}
	}
	br, err := o.cache.brotli(data, brotliLevel)
	if err != nil {
		return err
	}
	return errors.Join(o.sibling(path+".gz", data, gz), o.sibling(path+".br", data, br))
}

// sibling writes a compressed form when it saves anything.
func (o *output) sibling(path string, data, packed []byte) error {
	if len(packed) >= len(data) {
		return nil
	}
	return o.write(path, packed)
}

// writeAsset writes a file with siblings when its kind and size make that worth it.
func (o *output) writeAsset(path string, data, gz []byte) error {
	const packet = 1400 // smaller files travel in one packet anyway
	if len(data) < packet || !isText(path) {
		return o.write(path, data)
	}
	return o.writePacked(path, data, gz, textLevel)
}

func isText(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".js", ".css", ".html", ".htm", ".json", ".svg", ".txt", ".webmanifest", ".ttf", ".eot", ".ico":
		return true
	}
	return false
}

// intact tells whether all files are still as they were written.
func intact(root string, files map[string]stamp) bool {
	for path, want := range files {
		info, err := os.Stat(filepath.Join(root, filepath.FromSlash(path)))
		if err != nil || info.Size() != want.Size || info.ModTime().UnixNano() != want.Time {
			return false
		}
	}
	return true
}

// foreign are folders of the build folder that are not ours: whoever hosts the build may lay a
// mirror of channels there.
var foreign = []string{"content", "api"}

// sweep deletes what is neither kept nor foreign, and the folders that become empty.
func sweep(root string, keep func(path string) bool) error {
	var folders []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		path := filepath.ToSlash(rel)
		if d.IsDir() {
			for _, f := range foreign {
				if path == f {
					return fs.SkipDir
				}
			}
			folders = append(folders, name)
			return nil
		}
		if keep(path) {
			return nil
		}
		return os.Remove(name)
	})
	if err != nil {
		return err
	}
	for i := len(folders) - 1; i >= 0; i-- {
		_ = os.Remove(folders[i]) // fails for those that still hold something, as it should
	}
	return nil
}
