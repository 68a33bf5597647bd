//go:build !js

package storage_test

import (
	"testing"

	"github.com/hack-pad/hackpadfs"
	"github.com/hack-pad/hackpadfs/mem"
	"github.com/stretchr/testify/require"

	"kolibri/core/content/storage"
)

func TestFolderOfTheSystem(t *testing.T) {
	conform(t, func(t *testing.T) hackpadfs.FS {
		s, err := storage.Folder(t.TempDir(), nil)
		require.NoError(t, err)
		return s.FS
	})
}

func TestMemory(t *testing.T) {
	conform(t, func(t *testing.T) hackpadfs.FS {
		memory, err := mem.NewFS()
		require.NoError(t, err)
		return memory
	})
}
