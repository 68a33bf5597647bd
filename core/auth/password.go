package auth

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"math"
	"strconv"
	"strings"

	"kolibri/core/api"
)

// NotSpecified stands in the password column of somebody who has no password yet, and in the
// demographic columns for a question that was not answered.
// kolibri/core/auth/constants/demographics.py
const NotSpecified = "NOT_SPECIFIED"

// How new passwords are kept (django/contrib/auth/hashers.py: PBKDF2PasswordHasher).
const (
	hashAlgorithm  = "pbkdf2_sha256"
	hashIterations = 260000
	saltLength     = 22
	// maxIterations bounds the work that a hash from another device can make this one do.
	maxIterations = 20 * hashIterations
)

// HashPassword derives what the password column keeps: "pbkdf2_sha256$260000$salt$hash". It is slow
// on purpose (50 to 100 ms): call it outside transactions.
func HashPassword(ctx context.Context, hasher api.Hasher, random io.Reader, password string) (string, error) {
	salt, err := Token(random, saltLength, alphaDigits)
	if err != nil {
		return "", err
	}
	key, err := hasher.PBKDF2(ctx, []byte(password), []byte(salt), hashIterations)
	if err != nil {
		return "", err
	}
	return strings.Join([]string{hashAlgorithm, strconv.Itoa(hashIterations), salt, base64.StdEncoding.EncodeToString(key)}, "$"), nil
}

// CheckPassword tells whether a password is the one that a hash was derived from. NOT_SPECIFIED,
// unusable passwords and hashes of a kind that the original does not read either match nothing.
func CheckPassword(ctx context.Context, hasher api.Hasher, password, encoded string) (bool, error) {
	h, ok := parseHash(encoded)
	if !ok {
		return false, nil
	}
	var key []byte
	var err error
	if h.algorithm == hashAlgorithm {
		key, err = hasher.PBKDF2(ctx, []byte(password), []byte(h.salt), h.iterations)
	} else {
		key, err = pbkdf2.Key(sha1.New, password, []byte(h.salt), h.iterations, sha1.Size)
	}
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, h.key) == 1, nil
}

// StaleHash tells whether a hash is not what HashPassword would make today: the next sign-in, when
// the password is known, renews it.
func StaleHash(encoded string) bool {
	h, ok := parseHash(encoded)
	return ok && (h.algorithm != hashAlgorithm || h.iterations != hashIterations || saltEntropy(h.salt) < 128)
}

// saltEntropy is how many bits a random salt of this length holds.
func saltEntropy(salt string) float64 {
	return float64(len(salt)) * math.Log2(float64(len(alphaDigits)))
}

type passwordHash struct {
	algorithm  string
	iterations int
	salt       string
	key        []byte
}

func parseHash(encoded string) (passwordHash, bool) {
	parts := strings.SplitN(encoded, "$", 4)
	if len(parts) != 4 {
		return passwordHash{}, false
	}
	size := map[string]int{hashAlgorithm: sha256.Size, "pbkdf2_sha1": sha1.Size}[parts[0]]
	iterations, err := strconv.Atoi(parts[1])
	if size == 0 || err != nil || iterations < 1 || iterations > maxIterations {
		return passwordHash{}, false
	}
	key, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil || len(key) != size {
		return passwordHash{}, false
	}
	return passwordHash{parts[0], iterations, parts[2], key}, true
}
