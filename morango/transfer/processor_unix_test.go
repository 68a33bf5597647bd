//go:build unix

package transfer

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// processor is the time that this process has had of the processor, which does not depend on what else the
// machine is doing.
func processor(t testing.TB) time.Duration {
	var used syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
