package postgres_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/postgres/pgtest"
)

// smallDisk mounts a disk of so many kilobytes, where the test may do that, and returns how to grow it.
func smallDisk(t *testing.T, kilobytes int) (folder string, resize func(int)) {
	folder, err := os.MkdirTemp("", "small-disk-") // not t.TempDir: another user must be able to enter it
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	mount := func(flags uintptr, kilobytes int) error {
		return syscall.Mount("tmpfs", folder, "tmpfs", flags, fmt.Sprintf("size=%dk", kilobytes))
	}
	if err := mount(0, kilobytes); err != nil {
		t.Skipf("only root may mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
	return folder, func(kilobytes int) { require.NoError(t, mount(syscall.MS_REMOUNT, kilobytes)) }
}

// A disk that is full amid a transaction: nothing of that is kept, reads go on, and so do writes once
// there is space.
func TestDiskFillsUp(t *testing.T) {
	disk, resize := smallDisk(t, 256)
	server := pgtest.Start(t)
	server.CreateDatabase(t, "school")
	db := school(t, server)
	space := filepath.Join(disk, "space")
	require.NoError(t, os.Mkdir(space, 0o700))
	var owner syscall.Stat_t
	require.NoError(t, syscall.Stat(server.Dir, &owner))
	require.NoError(t, os.Chown(space, int(owner.Uid), int(owner.Gid)))
	require.NoError(t, os.Chmod(disk, 0o711))
	server.SQL(t, "postgres", "CREATE TABLESPACE small LOCATION '"+space+"'")
	server.SQL(t, "school", "ALTER TABLE morango_nonce SET TABLESPACE small")
	require.NoError(t, note(db, first))

	fill := func() error {
		return db.Write(context.Background(), func(tx *store.Tx) error {
			if _, err := tx.Exec("DELETE FROM morango_nonce WHERE id = ?", first); err != nil {
				return err
			}
			for n := range 3_000 {
				id := fmt.Sprintf("%032x", n+10)
				if _, err := tx.Exec("INSERT INTO morango_nonce (id, timestamp, ip) VALUES (?, ?, ?)", id, tx.Now(), strings.Repeat("x", 100)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	count := func() (n int) {
		require.NoError(t, db.Read(context.Background(), func(tx *store.Tx) error {
			return tx.QueryRow("SELECT count(*) FROM morango_nonce").Scan(&n)
		}))
		return n
	}
	require.ErrorIs(t, fill(), store.ErrFull)
	require.Equal(t, 1, count(), "nothing of the transaction is there, not even what it deleted is gone")
	resize(65536)
	require.NoError(t, fill())
	require.Equal(t, 3_000, count())
}
