//go:build unix

package main

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"kolibri/morango"
	"kolibri/store"
)

// sharedSecret is the same for all servers on one database: a token that one of them made is good at
// the next. It follows from the private key that a Kolibri has for its database alone, which is made
// here where it lacks (morango/models/fields/crypto.py: SharedKey.get_or_create_shared_key).
func sharedSecret(ctx context.Context, db *store.DB) ([]byte, error) {
	private, err := sharedKey(ctx, db)
	if errors.Is(err, store.ErrNotFound) {
		var pair morango.Key
		if pair, err = morango.NewKey(rand.Reader); err != nil {
			return nil, err
		}
		err = db.Write(ctx, func(tx *store.Tx) error {
			if tx.Dialect() == store.Postgres { // of several that start at once one makes the key
				if _, err := tx.Exec("LOCK TABLE morango_sharedkey IN EXCLUSIVE MODE"); err != nil {
					return err
				}
			}
			_, err := tx.Exec(`INSERT INTO morango_sharedkey (public_key, private_key, current) SELECT CAST(? AS text), CAST(? AS text), TRUE
				WHERE NOT EXISTS (SELECT 1 FROM morango_sharedkey WHERE current = TRUE)`, pair.Public, pair.Private)
			return err
		})
		if err == nil {
			private, err = sharedKey(ctx, db)
		}
	}
	if err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, []byte(private), nil, "kolibri sign-in tokens", sha256.Size)
}

func sharedKey(ctx context.Context, db *store.DB) (private string, err error) {
	err = db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow("SELECT private_key FROM morango_sharedkey WHERE current = TRUE ORDER BY id LIMIT 1").Scan(&private)
	})
	return private, err
}
