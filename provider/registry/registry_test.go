package registry_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/provider/registry"
	"kolibri/store"
)

var (
	key   = bytes.Repeat([]byte{1}, 32)
	other = bytes.Repeat([]byte{2}, 32)
)

func TestSecretsAreSealed(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "a", "provider.sqlite3")
	r, err := registry.Open(ctx, path, key)
	require.NoError(t, err)
	p := registry.Provider{ID: "1", Type: registry.Kolibri, BaseURL: "https://kolibri.example", Username: "admin", Secrets: registry.Secrets{Password: "open sesame"}}
	require.NoError(t, r.Save(ctx, p))
	require.NoError(t, r.SaveGrant(ctx, "1", "lea", registry.Grant(`{"refresh_token":"for ever"}`)))
	require.NoError(t, r.Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	for _, file := range []string{path, path + "-wal"} {
		if text, err := os.ReadFile(file); err == nil {
			require.NotContains(t, string(text), "open sesame")
			require.NotContains(t, string(text), "for ever")
		}
	}
	_, err = registry.Open(ctx, path, other)
	require.ErrorIs(t, err, registry.ErrKey)

	r, err = registry.Open(ctx, path, key)
	require.NoError(t, err)
	defer r.Close()
	kept, err := r.Provider(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, p, kept)
	g, err := r.Grant(ctx, "1", "lea")
	require.NoError(t, err)
	require.JSONEq(t, `{"refresh_token":"for ever"}`, string(g))

	// a secret is good for its own row alone
	require.NoError(t, r.Save(ctx, registry.Provider{ID: "2", Type: registry.Kolibri, BaseURL: "https://evil.example"}))
	require.NoError(t, r.DB().Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE provider SET secrets = (SELECT secrets FROM provider WHERE id = '1') WHERE id = '2'")
		return err
	}))
	_, err = r.Provider(ctx, "2")
	require.ErrorIs(t, err, registry.ErrKey)
	require.NoError(t, r.Delete(ctx, "2"))
	require.ErrorIs(t, r.Delete(ctx, "2"), registry.ErrNotFound)

	// what was allowed at one address is not sent to another
	p.Username = "other"
	require.NoError(t, r.Save(ctx, p))
	_, err = r.Grant(ctx, "1", "lea")
	require.NoError(t, err)
	p.BaseURL = "https://evil.example"
	require.NoError(t, r.Save(ctx, p))
	_, err = r.Grant(ctx, "1", "lea")
	require.ErrorIs(t, err, registry.ErrNotFound)
	all, err := r.Providers(ctx)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Empty(t, all[0].Secrets)
}

func TestKeys(t *testing.T) {
	got, err := registry.ParseKey(base64.StdEncoding.EncodeToString(key) + "\n")
	require.NoError(t, err)
	require.Equal(t, key, got)
	for _, text := range []string{"", "short", base64.StdEncoding.EncodeToString(key[1:]), "not base64 at all, whatever it is!"} {
		_, err := registry.ParseKey(text)
		require.ErrorContains(t, err, "openssl rand", text)
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	ctx := t.Context()
	damaged := filepath.Join(t.TempDir(), "damaged.sqlite3")
	require.NoError(t, os.WriteFile(damaged, bytes.Repeat([]byte("no database "), 1000), 0o600))
	_, err := registry.Open(ctx, damaged, key)
	require.ErrorIs(t, err, store.ErrCorrupt)
	var failed *store.OpenError
	require.ErrorAs(t, err, &failed)
	require.NotEmpty(t, failed.Hint)

	locked := filepath.Join(t.TempDir(), "locked.sqlite3")
	first, err := registry.Open(ctx, locked, key)
	require.NoError(t, err)
	defer first.Close()
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- first.DB().Write(ctx, func(*store.Tx) error { close(held); <-release; return nil })
	}()
	<-held
	second, err := registry.Open(ctx, locked, key)
	if err == nil { // there is nothing to write when it is opened again
		brief, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		err = second.Save(brief, registry.Provider{ID: "1", Type: registry.Kolibri})
		cancel()
		second.Close()
	}
	require.Error(t, err)
	close(release)
	require.NoError(t, <-done)
}

func TestIDs(t *testing.T) {
	for text, ok := range map[string]bool{"1": true, "school-1.a_b": true, "": false, "../x": false, "a b": false, ".x": false, "é": false, "a?b": false} {
		require.Equal(t, ok, registry.IsID(text), text)
	}
}
