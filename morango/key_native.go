//go:build !js

package morango

import (
	"crypto/rsa"
	"io"
)

func newKey(random io.Reader) (*rsa.PrivateKey, error) { return rsa.GenerateKey(random, keyBits) }
