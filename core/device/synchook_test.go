package device

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOlderVersions(t *testing.T) {
	for version, older := range map[string]bool{"": true, "0.15.12": true, "0.16.1": true, "0.16.2": false, "0.16.2b1": false,
		"0.16.10": false, "0.19.5": false, "1.0": false, "0.16": true} {
		require.Equal(t, older, before(version, 0, 16, 2), version)
	}
}
