//go:build unix

package peer

import (
	"os"
	"syscall"
)

// alive tells whether another process of this machine still works on a session.
func alive(process int64) bool {
	return process > 1 && process != int64(os.Getpid()) && syscall.Kill(int(process), 0) == nil
}
