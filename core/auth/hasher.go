package auth

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
)

// GoHasher derives keys with Go's own PBKDF2: about 50 ms natively. A browser host brings WebCrypto.
type GoHasher struct{}

// PBKDF2 implements api.Hasher.
func (GoHasher) PBKDF2(_ context.Context, password, salt []byte, iterations int) ([]byte, error) {
	return pbkdf2.Key(sha256.New, string(password), salt, iterations, sha256.Size)
}
