//go:build !js

package postgres_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/postgres"
	"kolibri/store/postgres/pgtest"
)

// authority is a certificate authority of the test's own.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	path string
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-24 * time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	a := &authority{cert, key, filepath.Join(t.TempDir(), "authority.pem")}
	require.NoError(t, os.WriteFile(a.path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return a
}

// sign makes a server's certificate and key.
func (a *authority) sign(t *testing.T, name string, until time.Time) (cert, key []byte) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until}, a.cert, private.Public(), a.key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// withTLS is a server that shows a certificate, and lets only encrypted connections in if strict.
func withTLS(t *testing.T, server *pgtest.Server, cert, key []byte, strict bool) {
	server.Write(t, "server.crt", cert)
	server.Write(t, "server.key", key)
	rules := "host all all 127.0.0.1/32 trust\n"
	if strict {
		rules = "hostssl all all 127.0.0.1/32 trust\n"
	}
	server.Write(t, "pg_hba.conf", []byte(rules))
	server.Write(t, "postgresql.auto.conf", []byte("ssl = on\n"))
	server.Stop(t, syscall.SIGINT)
	server.Again(t)
}

var allModes = []string{"", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// encrypted connects and tells whether the connection is encrypted, or what an operator is told.
func encrypted(t *testing.T, o postgres.Options) (tls, told string) {
	ctx := context.Background()
	pool, err := postgres.OpenPool(ctx, o)
	if err != nil {
		var failed *store.OpenError
		require.ErrorAs(t, err, &failed)
		require.NotEmpty(t, failed.Hint, err)
		return "", err.Error() + "\n" + failed.Hint
	}
	defer pool.Close()
	require.NoError(t, pool.QueryRowContext(ctx, "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&tls))
	return tls, ""
}

// TestTLSModes walks through what libpq's documentation promises of each mode.
func TestTLSModes(t *testing.T) {
	server := pgtest.Start(t)
	right, other := newAuthority(t), newAuthority(t)
	with := func(mode, host, root string) postgres.Options {
		o := options(server, "postgres")
		o.SSLMode, o.Host, o.SSLRootCert = mode, host, root
		return o
	}
	check := func(name string, o postgres.Options, want string) {
		t.Helper()
		tls, told := encrypted(t, o)
		switch want {
		case "true", "false":
			require.Equal(t, want, tls, "%s, %q: %s", name, o.SSLMode, told)
		default:
			require.Contains(t, told, want, "%s, %q", name, o.SSLMode)
		}
	}
	each := func(name, host, root string, want map[string]string) {
		t.Helper()
		for _, mode := range allModes {
			check(name, with(mode, host, root), want[mode])
		}
	}
	const refused = "does not speak TLS"
	each("a server without TLS", "localhost", right.path, map[string]string{"": "false", "disable": "false", "allow": "false", "prefer": "false",
		"require": refused, "verify-ca": refused, "verify-full": refused})

	cert, key := right.sign(t, "localhost", time.Now().Add(time.Hour))
	withTLS(t, server, cert, key, false)
	each("a server with TLS", "localhost", right.path, map[string]string{"": "true", "disable": "false", "allow": "false", "prefer": "true",
		"require": "true", "verify-ca": "true", "verify-full": "true"})
	// the name counts in one mode only
	each("another name", "127.0.0.1", right.path, map[string]string{"": "true", "disable": "false", "allow": "false", "prefer": "true",
		"require": "true", "verify-ca": "true", "verify-full": "certificate is for another name"})
	// as in libpq, require verifies too once it has something to verify by
	const stranger = "DATABASE_SSL_ROOT_CERT"
	for mode, want := range map[string]string{"disable": "false", "allow": "false", "require": stranger, "verify-ca": stranger, "verify-full": stranger} {
		check("a wrong authority", with(mode, "localhost", other.path), want)
	}
	for mode, want := range map[string]string{"prefer": "true", "require": "true", "verify-ca": stranger, "verify-full": stranger} {
		check("the machine's authorities", with(mode, "localhost", ""), want)
	}
	nonsense := filepath.Join(t.TempDir(), "nonsense.pem")
	require.NoError(t, os.WriteFile(nonsense, []byte("this is no certificate"), 0o600))
	check("a file that is no certificate", with("verify-full", "localhost", nonsense), "section Database")

	expired, expiredKey := right.sign(t, "localhost", time.Now().Add(-time.Hour))
	withTLS(t, server, expired, expiredKey, true)
	for mode, want := range map[string]string{"disable": "The server wants TLS", "allow": "true", "prefer": "true", "verify-ca": "expired", "verify-full": "expired"} {
		root := right.path
		if mode == "allow" || mode == "prefer" {
			root = ""
		}
		check("an expired certificate, and nothing else let in", with(mode, "localhost", root), want)
	}
}
