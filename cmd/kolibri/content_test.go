//go:build unix

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArgumentsStandInAnyOrder(t *testing.T) {
	options, others := split([]string{"disk", "-n", "a,b", "--content_dir=/x", "id", "--all-thumbnails", "dir", "-"},
		func(name string) bool { return name == "n" || name == "content_dir" })
	require.Equal(t, []string{"-n", "a,b", "--content_dir=/x", "--all-thumbnails"}, options)
	require.Equal(t, []string{"disk", "id", "dir", "-"}, others)
}

func TestWhatChannelVerbsRefuse(t *testing.T) {
	t.Setenv("KOLIBRI_HOME", t.TempDir())
	const id = "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"
	for _, tc := range []struct {
		args, says string
		code       int
	}{
		{"importchannel", "importchannel network channel_id", 2},
		{"importchannel disk " + id, "disk channel_id directory", 2},
		{"importchannel disk token-12345 " + t.TempDir(), "not a token", 1},
		{"importchannel disk " + id + " " + t.TempDir(), "does not have", 1},
		{"importcontent disk " + id + " " + t.TempDir(), "import the channel first", 1},
		{"importcontent --manifest x --node_ids y network " + id, "must not be combined", 2},
		{"importcontent --manifest /no/such/file network " + id, "no such file", 1},
		{"exportchannel nonsense " + t.TempDir(), "not a valid channel_id", 1},
		{"exportcontent " + id + " " + t.TempDir(), "does not exist", 1},
		{"deletechannel " + id, "does not exist", 1},
		{"deletechannel --nonsense " + id, "nonsense", 2},
	} {
		var out, err bytes.Buffer
		code := run(append([]string{"manage"}, strings.Fields(tc.args)...), strings.NewReader(""), &out, &err)
		require.Equal(t, tc.code, code, "%s: %s", tc.args, err.String())
		require.Contains(t, err.String(), tc.says, tc.args)
	}
}
