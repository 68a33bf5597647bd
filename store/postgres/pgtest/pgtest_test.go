//go:build !js

package pgtest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store/postgres/pgtest"
)

func TestStart(t *testing.T) {
	server := pgtest.Start(t, "work_mem = '5MB'")
	server.CreateDatabase(t, "school")
	require.Equal(t, "5MB", strings.TrimSpace(server.SQL(t, "school", "SHOW work_mem")))
}
