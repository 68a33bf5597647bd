package network

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVariations(t *testing.T) {
	for _, tc := range []struct {
		address string
		first   []string
		n       int
	}{
		{"school.local", []string{"http://school.local:8080/", "http://school.local/", "http://school.local:8008/", "http://school.local:8000/", "http://school.local:5000/", "https://school.local/"}, 6},
		{"192.168.0.7:9000", []string{"http://192.168.0.7:9000/", "http://192.168.0.7:8080/"}, 8},
		{"https://school.org", []string{"https://school.org/", "http://school.org:8080/"}, 6},
		{"http://school.org:80/kolibri", []string{"http://school.org/kolibri/", "http://school.org:8080/kolibri/"}, 14},
		{"SCHOOL.org", []string{"http://school.org:8080/"}, 6},
		{"fe80::1:2", []string{"http://[fe80::1:2]:8080/"}, 6},
		{"http://[::1]:8080", []string{"http://[::1]:8080/"}, 7},
	} {
		all, err := Variations(tc.address)
		require.NoError(t, err, tc.address)
		require.Equal(t, tc.first, all[:len(tc.first)], tc.address)
		require.Len(t, all, tc.n, "%s: %v", tc.address, all)
	}
	for address, kind := range map[string]string{
		"": "InvalidHostname", "ftp://school.org": "InvalidScheme", "javascript://x": "InvalidScheme", "school.org:99999": "InvalidPort", "school.org:x": "InvalidPort",
		"school.org:": "InvalidPort", "sch ool": "InvalidHostname", "-school": "InvalidHostname", "http://": "InvalidHostname", "school.123": "InvalidHostname", "a..b": "InvalidHostname", "ü.org": "InvalidHostname",
	} {
		_, err := Variations(address)
		var e *Error
		require.ErrorAs(t, err, &e, address)
		require.Equal(t, kind, e.Kind, address)
		require.Equal(t, "INVALID_NETWORK_LOCATION_FORMAT", e.Code)
	}
}
