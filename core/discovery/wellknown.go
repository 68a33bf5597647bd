// Package discovery is what this device knows of others on the network.
package discovery

import (
	"crypto/sha1"
	"encoding/hex"
	"net/url"
)

// ecosystem is the namespace in which Kolibri's central services are numbered
// (le_utils/constants/uuid.py: KOLIBRI_ECOSYSTEM_UUID_NAMESPACE).
var ecosystem = [16]byte{0x23, 0x76, 0x27, 0xf4, 0x36, 0x01, 0x11, 0xee, 0xa6, 0x7c, 0x59, 0x5d, 0xe7, 0x2b, 0xed, 0xe7}

// ServiceID is the instance id of a service that is known by its address alone, such as Studio: a
// UUID made from the host's name, as 32 hex digits.
// kolibri/core/discovery/well_known.py: CENTRAL_CONTENT_BASE_INSTANCE_ID
func ServiceID(address string) string {
	host := ""
	if u, err := url.Parse(address); err == nil {
		host = u.Host
	}
	sum := sha1.Sum(append(ecosystem[:], host...))
	id := sum[:16]
	id[6], id[8] = id[6]&0x0f|0x50, id[8]&0x3f|0x80 // version 5 of RFC 4122
	return hex.EncodeToString(id)
}
