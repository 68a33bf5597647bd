//go:build !js

package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hack-pad/hackpadfs"
	osfs "github.com/hack-pad/hackpadfs/os"
)

// Folder is the content folder of a native server, made if it is not there.
func Folder(dir string, outgoing Outgoing) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("the content folder cannot be made: %w", err)
	}
	root := osfs.NewFS()
	inside, err := root.FromOSPath(dir)
	if err != nil {
		return nil, err
	}
	sub, err := hackpadfs.Sub(root, inside)
	if err != nil {
		return nil, err
	}
	return &Store{FS: sub, HTTP: outgoing,
		Attachable: func(name string) string {
			return filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(name, "/")))
		}}, nil
}
