//go:build !js

package registry

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"kolibri/store"
)

// keySize is that of AES-256.
const keySize = 32

// Errors of keys.
var (
	ErrKey    = errors.New("the file of providers was sealed with another key: give the one it was made with")
	errBadKey = errors.New("a key is 32 bytes in base64: make one with `openssl rand -base64 32`")
)

// ParseKey reads a key as an environment has it.
func ParseKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != keySize {
		return nil, errBadKey
	}
	return key, nil
}

// seal closes and opens secrets with AES-256-GCM. What they belong to is authenticated with them, so that
// no row's secret can be put into another row.
type seal struct{ aead cipher.AEAD }

func newSeal(key []byte) (*seal, error) {
	if len(key) != keySize {
		return nil, errBadKey
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &seal{aead}, err
}

func owner(of []string) ([]byte, error) { return json.Marshal(of) }

func (s *seal) close(v any, of ...string) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	context, err := owner(of)
	if err != nil {
		return nil, err
	}
	return s.aead.Seal(nil, nil, text, context), nil
}

func (s *seal) open(sealed []byte, v any, of ...string) error {
	context, err := owner(of)
	if err != nil {
		return err
	}
	text, err := s.aead.Open(nil, nil, sealed, context)
	if err != nil {
		return fmt.Errorf("%w: the secrets of %s", ErrKey, strings.Join(of, " "))
	}
	return json.Unmarshal(text, v)
}

// check compares the key with the one the file was made with.
func (s *seal) check(tx *store.Tx) error {
	var kept []byte
	err := tx.QueryRow("SELECT value FROM provider_seal WHERE name = 'check'").Scan(&kept)
	if errors.Is(err, store.ErrNotFound) {
		proof, err := s.close(rand.Text(), "check")
		if err != nil {
			return err
		}
		_, err = tx.Exec("INSERT INTO provider_seal (name, value) VALUES ('check', ?)", proof)
		return err
	}
	if err != nil {
		return err
	}
	var proof string
	return s.open(kept, &proof, "check")
}
