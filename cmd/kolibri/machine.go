//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// machine is what the server knows of the computer it runs on (api.Device).
type machine struct {
	home, content string
	fallback      []string // further places where content is read from
}

// FreeSpace implements api.Device.
func (m machine) FreeSpace(context.Context) (int64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(m.home, &stat); err != nil {
		return 0, err
	}
	return int64(stat.Bavail) * int64(stat.Bsize), nil
}

// OS implements api.Device; the names are those of Python's platform.system().
func (machine) OS() string {
	return strings.ToUpper(runtime.GOOS[:1]) + runtime.GOOS[1:]
}

// Hostname implements api.Device.
func (machine) Hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// ContentDir implements api.Device.
func (m machine) ContentDir() string {
	if m.content != "" {
		return m.content
	}
	return filepath.Join(m.home, "content")
}

// InTab implements api.Device.
func (machine) InTab() bool { return false }
