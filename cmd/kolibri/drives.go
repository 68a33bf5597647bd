//go:build unix

package main

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/hack-pad/hackpadfs"
	osfs "github.com/hack-pad/hackpadfs/os"

	"kolibri/core/device"
)

// exportFolder is what is looked for on drives, and made on those to which channels are exported
// (kolibri/core/discovery/utils/filesystem: EXPORT_FOLDER_NAME).
const exportFolder = "KOLIBRI_DATA"

// mount is one mounted file system.
type mount struct{ device, path, filesystem string }

// usable leaves out what is no drive of a person's (kolibri/core/discovery/utils/filesystem/posix.py).
func (m mount) usable() bool {
	for _, prefix := range []string{"/proc", "/sys", "/tmp", "/var", "/boot", "/dev"} {
		if strings.HasPrefix(m.path, prefix) {
			return false
		}
	}
	return !slices.Contains(strings.Fields(`anon_inodefs bdev binfmt_misc cgroup cpuset debugfs devpts devtmpfs ecryptfs fuse fuse.gvfsd-fuse
		fuse.portal fusectl hugetlbfs mqueue nfs nfs4 nfsd pipefs proc pstore ramfs rootfs rpc_pipefs securityfs sockfs sysfs tmpfs cgmfs`), m.filesystem)
}

// Drives implements device.DriveLister: every mounted file system that this process may read.
func (m machine) Drives(context.Context) ([]device.Drive, error) {
	mounted, err := mounts()
	if err != nil {
		return nil, err
	}
	all := []device.Drive{}
	for _, at := range mounted {
		if d, ok := at.drive(); ok {
			all = append(all, d)
		}
	}
	return all, nil
}

// OpenDrive implements device.DriveLister.
func (m machine) OpenDrive(ctx context.Context, id string) (fs.FS, error) {
	all, err := m.Drives(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if d.ID == id {
			return openFolder(d.DataFolder)
		}
	}
	return nil, fmt.Errorf("drive %q: %w", id, fs.ErrNotExist)
}

// openFolder is a folder of this machine, which need not be there yet, as a file system.
func openFolder(dir string) (hackpadfs.FS, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root := osfs.NewFS()
	inside, err := root.FromOSPath(dir)
	if err != nil {
		return nil, err
	}
	return hackpadfs.Sub(root, inside)
}

// drive describes a mount; false for one that nobody can use.
func (m mount) drive() (device.Drive, bool) {
	if !m.usable() || syscall.Access(m.path, 4) != nil {
		return device.Drive{}, false
	}
	var stat syscall.Statfs_t
	if err := syscall.Statfs(m.path, &stat); err != nil {
		return device.Drive{}, false
	}
	folder := filepath.Join(m.path, exportFolder)
	target := folder
	if _, err := os.Stat(folder); err != nil {
		target = m.path
	}
	name, guid := linked("/dev/disk/by-label", m.device), linked("/dev/disk/by-uuid", m.device)
	if name == "" {
		name = m.path
	}
	if guid == "" {
		guid = m.device
	}
	sum := sha1.Sum([]byte(guid))
	size := int64(stat.Bsize)
	return device.Drive{ID: hex.EncodeToString(sum[:])[:32], Name: name, Path: m.path, Writable: syscall.Access(target, 2) == nil, DataFolder: folder,
		FreeSpace: int64(stat.Bavail) * size, TotalSpace: int64(stat.Blocks) * size, FileSystem: m.filesystem, DriveType: m.kind()}, true
}

// linked finds the name under which a folder of links knows a device, such as its label.
func linked(dir, device string) string {
	links, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	device, err = filepath.EvalSymlinks(device)
	if err != nil {
		return ""
	}
	for _, l := range links {
		if target, err := filepath.EvalSymlinks(filepath.Join(dir, l.Name())); err == nil && target == device {
			return unescape(l.Name(), `\x`, 16)
		}
	}
	return ""
}

// kind tells drives apart that can be taken away.
func (m mount) kind() string {
	block := filepath.Base(m.device)
	real, err := filepath.EvalSymlinks(filepath.Join("/sys/class/block", block))
	if err != nil {
		return ""
	}
	for _, dir := range []string{real, filepath.Dir(real)} { // a partition's folder lies in its disk's
		text, err := os.ReadFile(filepath.Join(dir, "removable"))
		switch {
		case err != nil:
			continue
		case strings.HasPrefix(block, "sr"):
			return "optical"
		case strings.HasPrefix(block, "mmcblk"):
			return "sd"
		case strings.TrimSpace(string(text)) == "1", strings.Contains(real, "/usb"):
			return "usb"
		}
	}
	return ""
}

// unescape replaces the bytes that are written as numbers: prefix and as many digits as a byte takes.
func unescape(text, prefix string, base int) string {
	digits := 2
	if base == 8 {
		digits = 3
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, prefix)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		code, err := strconv.ParseUint(after[:min(digits, len(after))], base, 8)
		if err != nil || len(after) < digits {
			b.WriteString(prefix)
			text = after
			continue
		}
		b.WriteByte(byte(code))
		text = after[digits:]
	}
}

// readMounts reads the table of mounted file systems that Linux keeps.
func readMounts(path string) ([]mount, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []mount
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if cells := strings.Fields(lines.Text()); len(cells) > 2 {
			all = append(all, mount{cells[0], unescape(cells[1], `\`, 8), cells[2]})
		}
	}
	return all, lines.Err()
}
