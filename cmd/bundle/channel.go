package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// buildChannel lays the demonstration channel beside the app, as a mirror of Kolibri Studio would be.
func buildChannel(_ *builder, out *output) (map[string]string, error) {
	dir, err := os.MkdirTemp("", "kolibri-channel-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if text, err := exec.Command("go", "run", "./cmd/bundle/demo", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go run ./cmd/bundle/demo: %w\n%s", err, text)
	}
	return nil, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		path, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		return out.write(filepath.ToSlash(path), data)
	})
}
