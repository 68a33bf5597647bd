package idb

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"kolibri/store/tab"
)

// NewFolder returns the folder of a path in IndexedDB, for content. web/sw/blocks.js reads what it writes.
func NewFolder(dir string) *tab.Folder { return tab.NewFolder(dir, tree{shared}) }

// tree implements tab.Tree.
type tree struct{ *fileSystem }

// OpenFile implements tab.Tree.
func (t tree) OpenFile(name string, create bool) (tab.Opened, error) {
	f, err := t.openFile(context.Background(), name, create)
	if errors.Is(err, errNotFound) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return &contentFile{f}, nil
}

// Names implements tab.Tree.
func (t tree) Names(dir string) (map[string]bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.connect(context.Background()); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range t.records {
		if in, base := path.Split(name); in == dir+"/" {
			names[base] = true
		}
	}
	return names, nil
}

// Written implements tab.Tree.
func (t tree) Written(name string) (time.Time, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.UnixMilli(t.records[name].written), nil
}

// RemoveTree implements tab.Tree.
func (t tree) RemoveTree(ctx context.Context, dir string) error {
	t.mu.Lock()
	if err := t.connect(ctx); err != nil {
		t.mu.Unlock()
		return err
	}
	var all []string
	for name := range t.records {
		if strings.HasPrefix(name, dir+"/") {
			all = append(all, name)
		}
	}
	t.mu.Unlock()
	for _, name := range all {
		if err := t.Remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// keptAtOnce is how many changed blocks of a content file stay in memory: 2 MiB.
const keptAtOnce = 32

// contentFile is a file that belongs to no transaction: what is written is kept as it grows.
type contentFile struct{ *file }

// WriteAt implements tab.Opened.
func (c *contentFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := c.file.WriteAt(p, off)
	if err != nil || len(c.dirty) < keptAtOnce {
		return n, err
	}
	if err := c.keep(context.Background()); err != nil {
		c.revert()
		return 0, err
	}
	c.revert() // large files go through once: what is kept need not stay in memory
	return n, nil
}

// Close implements tab.Opened.
func (c *contentFile) Close() error {
	return errors.Join(c.keep(context.Background()), c.file.Close())
}
