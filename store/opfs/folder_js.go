package opfs

import (
	"context"
	"maps"
	"path"
	"strings"
	"time"

	"kolibri/store/tab"
)

// NewFolder returns the folder of a path below the origin's root. Nothing else may write in it.
func NewFolder(dir string) *tab.Folder { return tab.NewFolder(dir, tree{shared}) }

// tree implements tab.Tree.
type tree struct{ *fileSystem }

// OpenFile implements tab.Tree.
func (t tree) OpenFile(name string, create bool) (tab.Opened, error) {
	f, err := t.openFile(name, create)
	if err != nil {
		return nil, err
	}
	f.kind = plainFile
	return f, nil
}

// Names implements tab.Tree.
func (t tree) Names(dir string) (map[string]bool, error) {
	if err := t.listed(dir + "/"); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.directories[dir+"/"]), nil
}

// Written implements tab.Tree.
func (t tree) Written(name string) (time.Time, error) {
	dir, base := path.Split(name)
	milliseconds, err := call(context.Background(), "modified", dir, base)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(int64(milliseconds.Float())), nil
}

// RemoveTree implements tab.Tree.
func (t tree) RemoveTree(ctx context.Context, tree string) error {
	_, err := call(ctx, "removeTree", tree)
	t.mu.Lock()
	defer t.mu.Unlock()
	for dir := range t.directories {
		if strings.HasPrefix(dir, tree+"/") {
			delete(t.directories, dir)
		}
	}
	return err
}
