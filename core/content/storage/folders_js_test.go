package storage_test

import (
	"context"
	"testing"

	"github.com/hack-pad/hackpadfs"
	"github.com/stretchr/testify/require"

	"kolibri/store/idb"
	"kolibri/store/opfs"
	"kolibri/store/tab"
)

func TestPrivateFileSystem(t *testing.T) { inTab(t, opfs.NewFolder) }

func TestIndexedDB(t *testing.T) { inTab(t, idb.NewFolder) }

func inTab(t *testing.T, open func(string) *tab.Folder) {
	conform(t, func(t *testing.T) hackpadfs.FS {
		folder := open("home of " + t.Name() + "/content")
		t.Cleanup(func() { require.NoError(t, folder.RemoveAll(context.Background())) })
		return folder
	})
}
