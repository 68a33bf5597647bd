//go:build unix

package main

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProviderArguments(t *testing.T) {
	home := t.TempDir()
	t.Setenv("KOLIBRI_HOME", home)
	damaged := filepath.Join(home, "damaged.sqlite3")
	require.NoError(t, os.WriteFile(damaged, bytes.Repeat([]byte("nothing "), 1000), 0o600))
	const token = "a token of the product"
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	for _, test := range []struct {
		key  string
		args []string
		code int
		says string
	}{
		{key, []string{"--help"}, 0, "--callback"},
		{key, nil, 2, "at least 16"},
		{key, []string{"--listen", ":1", "ready"}, 1, "refused"},
		{key, []string{"reday"}, 2, "reday"},
		{key, []string{"--token", "short"}, 2, "at least 16"},
		{key, []string{"--nonsense"}, 2, "-nonsense"},
		{key, []string{"--token", token, "--cert", "x"}, 2, "--cert and --key"},
		{key, []string{"--token", token, "--log-format", "xml"}, 2, "--log-format"},
		{"", []string{"--token", token}, 1, "openssl rand"},
		{key, []string{"--token", token, "--allow-host", "http://x"}, 1, "--allow-host"},
		{key, []string{"--token", token, "--callback", "product"}, 1, "callback"},
		{key, []string{"--token", token, "--callback", "ftp://product.example"}, 1, "callback"},
		{key, []string{"--token", token, "--database", damaged}, 1, "restore a backup"},
		{key, []string{"--token", token, "--listen", "nowhere:x"}, 1, "--listen"},
		{base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{2}, 32)), []string{"--token", token}, 1, "another key"},
	} {
		t.Setenv(providerKeyVariable, test.key)
		var out, problems bytes.Buffer
		code := run(append([]string{"provider"}, test.args...), nil, &out, &problems)
		require.Equal(t, test.code, code, "%v: %s%s", test.args, out.String(), problems.String())
		require.Contains(t, out.String()+problems.String(), test.says, "%v", test.args)
		require.NotContains(t, out.String()+problems.String(), token)
	}
}

func TestAskingWhetherTheProviderIsReady(t *testing.T) {
	ready := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	open, sealed := httptest.NewServer(ready), httptest.NewTLSServer(ready)
	defer open.Close()
	defer sealed.Close()
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
	}))
	defer failing.Close()
	at := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	everywhere := func(s *httptest.Server) string { return strings.TrimPrefix(at(s), "127.0.0.1") }
	for _, test := range []struct {
		listen, cert string
		code         int
		says         string
	}{
		{at(open), "", 0, ""},
		{everywhere(open), "", 0, ""},
		{"0.0.0.0" + everywhere(open), "", 0, ""},
		{at(sealed), "cert.pem", 0, ""},
		{everywhere(sealed), "cert.pem", 0, ""},
		{at(open), "cert.pem", 1, "https"},
		{at(failing), "", 1, "does not answer"},
		{"nonsense", "", 1, "port"},
	} {
		// as a container has it: in the environment
		t.Setenv(providerListenVariable, test.listen)
		t.Setenv(providerCertVariable, test.cert)
		var out, problems bytes.Buffer
		code := run([]string{"provider", "ready"}, nil, &out, &problems)
		require.Equal(t, test.code, code, "%v: %s", test, problems.String())
		require.Contains(t, problems.String(), test.says, "%v", test)
	}
}
