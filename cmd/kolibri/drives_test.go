//go:build unix

package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/hack-pad/hackpadfs"
	"github.com/stretchr/testify/require"
)

func TestTheTableOfMountsIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mounts")
	require.NoError(t, os.WriteFile(path, []byte("/dev/sdb1 /media/my\\040stick\\134 vfat rw 0 0\nproc /proc proc rw 0 0\ntmpfs /tmp/x ext4 rw\nbroken\n"), 0o600))
	all, err := readMounts(path)
	require.NoError(t, err)
	require.Equal(t, []mount{{"/dev/sdb1", `/media/my stick\`, "vfat"}, {"proc", "/proc", "proc"}, {"tmpfs", "/tmp/x", "ext4"}}, all)
	require.True(t, all[0].usable())
	require.False(t, all[1].usable(), "a file system of the kernel's")
	require.False(t, all[2].usable(), "a place where programs keep their own")
}

func TestNamesAreUnescaped(t *testing.T) {
	for text, want := range map[string]string{`MY\x20STICK`: "MY STICK", `a\xzz`: `a\xzz`, `end\x2`: `end\x2`, "plain": "plain"} {
		require.Equal(t, want, unescape(text, `\x`, 16))
	}
}

func TestADriveIsDescribed(t *testing.T) {
	dir := t.TempDir()
	m := mount{"/dev/no-such-device", dir, "ext4"}
	_, ok := m.drive()
	require.False(t, ok, "temporary folders are no drives")
	home, err := os.Getwd()
	require.NoError(t, err)
	m.path = home
	if !m.usable() {
		t.Skip("the source lies where no drive is looked for")
	}
	d, ok := m.drive()
	require.True(t, ok)
	require.Len(t, d.ID, 32)
	require.Equal(t, filepath.Join(home, "KOLIBRI_DATA"), d.DataFolder)
	require.Positive(t, d.TotalSpace)
}

func TestNobodyOpensAnUnknownDrive(t *testing.T) {
	_, err := machine{}.OpenDrive(context.Background(), "../../etc")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestAFolderNeedNotBeThereYet(t *testing.T) {
	folder, err := openFolder(filepath.Join(t.TempDir(), "KOLIBRI_DATA"))
	require.NoError(t, err)
	_, err = fs.Stat(folder, "content")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, hackpadfs.MkdirAll(folder, "content/databases", 0o755))
	_, err = fs.Stat(folder, "content/databases")
	require.NoError(t, err)
}
