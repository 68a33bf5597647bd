//go:build !js

package storetest_test

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver" // registers "sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/sqlite"
	"kolibri/store/storetest"
)

// damage rewrites a file in the directory.
func damage(directory string) func(*testing.T, string, func([]byte) []byte) {
	return func(t *testing.T, name string, change func([]byte) []byte) {
		path := filepath.Join(directory, name)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, change(content), 0o600))
	}
}

func TestNativeSQLite(t *testing.T) {
	directory := t.TempDir()
	storetest.Run(t, storetest.Backend{
		Open: func(ctx context.Context, name string) (*store.DB, error) {
			return sqlite.Open(ctx, filepath.Join(directory, name), nil)
		},
		Damage: damage(directory),
	})
}

// TestFullDisk runs the suite on a disk that can be filled, with the settings of sqlite.Open.
func TestFullDisk(t *testing.T) {
	disk := &storetest.LimitedVFS{VFS: vfs.Find("os")}
	vfs.Register("limited", disk)
	directory := t.TempDir()
	query := url.Values{"vfs": {"limited"}, "_pragma": {
		"busy_timeout(20000)", "journal_mode(wal)", "synchronous(normal)", "foreign_keys(on)",
	}}
	storetest.Run(t, storetest.Backend{
		Open: func(ctx context.Context, name string) (*store.DB, error) {
			pool, err := sql.Open("sqlite3", "file:"+filepath.Join(directory, name)+"?"+query.Encode())
			if err != nil {
				return nil, err
			}
			return store.New(pool, store.SQLite, nil), nil
		},
		Damage:     damage(directory),
		LimitSpace: func(_ *testing.T, bytes int64) func() { return disk.Limit(bytes) },
	})
}
