//go:build !js

package device

import (
	"os"
	"path/filepath"
)

// isDirectory tells whether a path leads to a directory.
func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// writable tells whether files can be made at a path, by making one: permission bits do not know of
// read-only file systems (kolibri/utils/filesystem.py: get_path_permission asks os.access).
func writable(path string) bool {
	if !isDirectory(path) {
		return false
	}
	f, err := os.CreateTemp(path, ".kolibri-writable-*")
	if err != nil {
		return false
	}
	f.Close()
	return os.Remove(filepath.Clean(f.Name())) == nil
}
