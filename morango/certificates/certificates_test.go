//go:build !js

package certificates_test

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/store"
	"kolibri/store/sqlite"
)

var clock = time.Now()

func open(t *testing.T) *store.DB {
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "db.sqlite3"), func() time.Time { return clock })
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func write(t *testing.T, db *store.DB, fn func(tx *store.Tx)) {
	t.Helper()
	require.NoError(t, db.Write(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }))
}

func key(t *testing.T) morango.Key {
	k, err := morango.NewKey(rand.Reader)
	require.NoError(t, err)
	return k
}

func issue(t *testing.T, tx *store.Tx, parent *morango.Certificate, scope, params string) *morango.Certificate {
	t.Helper()
	k := key(t)
	c, err := certificates.Issue(tx, rand.Reader, parent, certificates.Request{Profile: morango.Profile, Scope: scope, Version: 1, ScopeParams: params, PublicKey: k.Public})
	require.NoError(t, err)
	c.PrivateKey = k.Private
	return c
}

func TestChainsAreCheckedUpToTheRoot(t *testing.T) {
	here, there := open(t), open(t)
	root, err := morango.NewRootCertificate(rand.Reader)
	require.NoError(t, err)
	user := strings.Repeat("a", 32)
	single := `{"dataset_id": "` + root.ID + `", "user_id": "` + user + `"}`
	var child, leaf *morango.Certificate
	write(t, here, func(tx *store.Tx) {
		require.NoError(t, root.Save(tx))
		child = issue(t, tx, root, morango.FullFacility, root.ScopeParams)
		leaf = issue(t, tx, child, morango.SingleUser, single)
		for parent, scope := range map[*morango.Certificate]string{leaf: morango.FullFacility, child: "unknown"} {
			_, err := certificates.Issue(tx, rand.Reader, parent, certificates.Request{Profile: morango.Profile, Scope: scope, ScopeParams: single, PublicKey: child.PublicKey})
			require.Error(t, err, "no certificate allows more than the one above it")
		}
		chain, err := morango.Chain(tx, leaf.ID)
		require.NoError(t, err)
		require.Len(t, chain, 3)
		below, err := morango.Descendants(tx, child.ID)
		require.NoError(t, err)
		require.Len(t, below, 2)
	})
	good := certificates.TravellingAll([]*morango.Certificate{root, child, leaf})
	for name, spoil := range map[string]func(chain []certificates.Signed) []certificates.Signed{
		"empty":        func([]certificates.Signed) []certificates.Signed { return nil },
		"without root": func(c []certificates.Signed) []certificates.Signed { return c[1:] },
		"with a gap":   func(c []certificates.Signed) []certificates.Signed { return []certificates.Signed{c[0], c[2]} },
		"another id":   func(c []certificates.Signed) []certificates.Signed { c[2].ID = user; return c },
		"no JSON":      func(c []certificates.Signed) []certificates.Signed { c[1].Serialized = "{"; return c },
		"widened": func(c []certificates.Signed) []certificates.Signed {
			c[2].Serialized = strings.ReplaceAll(c[2].Serialized, "single-user", "full-facility")
			return c
		},
		"another signer": func(c []certificates.Signed) []certificates.Signed { c[2].Signature = c[1].Signature; return c },
		"forged root":    func(c []certificates.Signed) []certificates.Signed { c[0].Signature = c[1].Signature; return c },
		"too long": func(c []certificates.Signed) []certificates.Signed {
			for len(c) < 100 {
				c = append([]certificates.Signed{c[0]}, c...)
			}
			return c
		},
		"another profile": func(c []certificates.Signed) []certificates.Signed {
			c[2].Serialized = strings.ReplaceAll(c[2].Serialized, "facilitydata", "otherprofile")
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, there, func(tx *store.Tx) {
				err := tx.Savepoint(func() error {
					_, err := certificates.SaveChain(tx, spoil(append([]certificates.Signed{}, good...)), leaf.ID)
					return err
				})
				var refused *certificates.Error
				require.ErrorAs(t, err, &refused)
				n, err := tx.Int("SELECT count(*) FROM morango_certificate")
				require.NoError(t, err)
				require.Zero(t, n)
			})
		})
	}
	write(t, there, func(tx *store.Tx) {
		_, err := certificates.SaveChain(tx, good, child.ID)
		require.Error(t, err, "the chain of another certificate")
		got, err := certificates.SaveChain(tx, good, leaf.ID)
		require.NoError(t, err)
		require.Equal(t, leaf.Serialized, got.Serialized)
		_, err = certificates.SaveChain(tx, good[2:], leaf.ID)
		require.NoError(t, err, "what is known needs nothing above it")
		owned, err := certificates.Owned(tx, root.ID, morango.FullFacility)
		require.NoError(t, err)
		require.Empty(t, owned, "no private key travels")
		places, err := tx.Strings("SELECT CAST(lft AS text) || '-' || CAST(rght AS text) || '-' || CAST(level AS text) FROM morango_certificate ORDER BY lft")
		require.NoError(t, err)
		require.Equal(t, []string{"1-6-0", "2-5-1", "3-4-2"}, places)
	})
}

func TestNonceIsGoodOnceAndForAMinute(t *testing.T) {
	db := open(t)
	write(t, db, func(tx *store.Tx) {
		n, err := certificates.NewNonce(tx, rand.Reader, "::1")
		require.NoError(t, err)
		require.NoError(t, certificates.UseNonce(tx, n.ID))
		require.ErrorIs(t, certificates.UseNonce(tx, n.ID), certificates.ErrNonce)
		require.ErrorIs(t, certificates.UseNonce(tx, "x'"), certificates.ErrNonce)
	})
	var late certificates.Nonce
	write(t, db, func(tx *store.Tx) {
		var err error
		late, err = certificates.NewNonce(tx, rand.Reader, "")
		require.NoError(t, err)
	})
	clock = clock.Add(time.Minute)
	write(t, db, func(tx *store.Tx) { require.ErrorIs(t, certificates.UseNonce(tx, late.ID), certificates.ErrNonce) })
}

func FuzzParse(f *testing.F) {
	root, err := morango.NewRootCertificate(rand.Reader)
	require.NoError(f, err)
	f.Add(root.Serialized, root.Signature)
	f.Add(`{"id": 1}`, "")
	f.Fuzz(func(t *testing.T, serialized, signature string) {
		c, err := certificates.Parse(serialized, signature)
		if err != nil {
			return
		}
		_, _ = certificates.Scope(c)
		_ = certificates.Check(c, nil)
	})
}
