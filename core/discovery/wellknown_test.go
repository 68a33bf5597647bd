package discovery_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/discovery"
)

func TestServiceID(t *testing.T) {
	for _, tc := range []struct{ name, address, id string }{
		{"Studio", "https://studio.learningequality.org", "2d04ed86aa8c519fae78a250e03d8482"},
		{"only the host counts", "http://studio.learningequality.org/a/path", "2d04ed86aa8c519fae78a250e03d8482"},
		{"a port is part of it", "http://127.0.0.1:9", "c1f96e9b9e585b4fae163e8c49c51e8f"},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.id, discovery.ServiceID(tc.address)) })
	}
}
