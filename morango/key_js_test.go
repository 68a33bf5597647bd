package morango

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBrowsersKeyMakesACertificate(t *testing.T) {
	c, err := NewRootCertificate(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, c.Verify(c.Serialized, c.Signature))
	require.Contains(t, c.PublicKey, "MIIBCgKCAQEA")
}
