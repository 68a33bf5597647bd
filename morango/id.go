// Package morango gives Kolibri's rows the identities by which devices synchronize them: ids that
// follow from content, partitions, dirty bits, records of deletion, certificates and the ids of
// device and database. It corresponds to morango 0.8.15, which Kolibri 0.19.5 bundles.
package morango

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
)

// UUID is the id that follows from its parts: the first 32 hex digits of a SHA-256
// (morango/models/fields/uuids.py: sha2_uuid). A record's parts are its partition (with ${id} in
// place of its own id), its source id and its model's name.
func UUID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "::")))
	return hex.EncodeToString(sum[:16])
}

// NewID draws a random (version 4) UUID as 32 hex digits.
func NewID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return hex.EncodeToString(b[:]), nil
}
