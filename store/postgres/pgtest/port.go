//go:build !js

package pgtest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// FreePort returns a port of 127.0.0.1 for a server that a test starts, and may start again. It lies
// below those that systems give to outgoing connections, one of which could take it in the meantime.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 10_100 + rand.IntN(20_000)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
