//go:build unix

package main

import (
	"bytes"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/relay"
	"kolibri/relay/depot"
)

func TestRelayArguments(t *testing.T) {
	t.Setenv("KOLIBRI_HOME", t.TempDir())
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--help"}, 0, "--allow-host"},
		{[]string{"--nonsense"}, 2, "-nonsense"},
		{[]string{"--code", "a-b-c"}, 2, "at least 6"},
		{[]string{"--cert", "x"}, 2, "--cert and --key"},
		{[]string{"--url", "school"}, 2, "-url"},
		{[]string{"--listen", "nowhere:x"}, 1, "--listen"},
		{[]string{"--listen", "127.0.0.1:0", "--allow-host", "http://x"}, 1, "--allow-host"},
		{[]string{"--listen", "127.0.0.1:0", "--database", "postgres://secret@127.0.0.1:1/x"}, 1, "relay's database"},
		{[]string{"deplyo"}, 2, "Did you mean deploy?"},
		{[]string{"deploy", "hello"}, 2, "NAME FILE.js"},
		{[]string{"deploy", "--help"}, 0, "rollback"},
		{[]string{"deploy", "hello", "x.js", "--key", "k", "--relay", "x"}, 2, "--relay"},
		{[]string{"apps", "--relay", "http://127.0.0.1:1", "--key", "k"}, 1, "cannot be reached"},
	} {
		var out, problems bytes.Buffer
		code := run(append([]string{"relay"}, test.args...), nil, &out, &problems)
		require.Equal(t, test.code, code, "%v: %s%s", test.args, out.String(), problems.String())
		require.Contains(t, out.String()+problems.String(), test.says, "%v", test.args)
	}
}

func TestRelayKeyIsKept(t *testing.T) {
	home := t.TempDir()
	_, err := relayKey(home, false)
	require.ErrorContains(t, err, "--key")
	key, err := relayKey(home, true)
	require.NoError(t, err)
	again, err := relayKey(home, false)
	require.NoError(t, err)
	require.Equal(t, key, again)
	info, err := os.Stat(filepath.Join(home, "relay", "key"))
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
}

func TestDeployingFromTheCommandLine(t *testing.T) {
	home := t.TempDir()
	t.Setenv("KOLIBRI_HOME", home)
	key, err := relayKey(home, true)
	require.NoError(t, err)
	d, err := depot.Open(t.Context(), filepath.Join(home, "relay", "relay.sqlite3"))
	require.NoError(t, err)
	defer d.Close()
	r, err := relay.New(relay.Config{Code: "school-code", Depot: d, AdminKey: key, Addresses: []string{"http://relay.example/"}})
	require.NoError(t, err)
	defer r.Close()
	server := httptest.NewServer(r)
	defer server.Close()
	file := filepath.Join(home, "hello.js")
	require.NoError(t, os.WriteFile(file, []byte("export default () => new Response()"), 0o600))
	do := func(code int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		require.Equal(t, code, run(append([]string{"relay"}, append(args, "--relay", server.URL)...), nil, &out, &out), out.String())
		return out.String()
	}
	require.Contains(t, do(0, "deploy", "hello", file), "hello version 1 is served at http://relay.example/@hello/")
	do(0, "deploy", "hello", file)
	require.Contains(t, do(0, "rollback", "hello"), "version 1")
	require.Contains(t, do(0, "rollback", "hello", "--to", "2"), "version 2")
	require.Contains(t, do(1, "rollback", "hello", "--to", "9"), "there is none")
	require.Contains(t, do(0, "versions", "hello"), "served")
	require.Contains(t, do(0, "apps"), "hello version 2")
	require.Contains(t, do(1, "deploy", "Hello", file), "small letters")
	require.Contains(t, do(1, "apps", "--key", "wrong"), "key is missing or wrong")
	require.Contains(t, do(0, "remove", "hello"), "removed")
}

func TestAddressesOfAListener(t *testing.T) {
	require.Equal(t, []string{"http://127.0.0.1:8090/"}, addressesOf("http", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8090}))
	require.Equal(t, []string{"https://[::1]:1/"}, addressesOf("https", &net.TCPAddr{IP: net.IPv6loopback, Port: 1}))
	all := addressesOf("http", &net.TCPAddr{IP: net.IPv6unspecified, Port: 1})
	require.Contains(t, all, "http://127.0.0.1:1/")
}
