package depot

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"kolibri/store"
)

// Any is the version of a Put or Delete that does not look at the version.
const Any int64 = -1

// Value is one entry of an app's store. Versions of a key only ever rise, also over its deletion.
type Value struct {
	Key     string `json:"key"`
	Value   []byte `json:"value,omitempty"`
	Version int64  `json:"version"`
	Expires int64  `json:"expires,omitempty"` // milliseconds since 1970, 0 for never
}

func checkKey(key string) error {
	if key == "" || len(key) > MaxKey || !utf8.ValidString(key) {
		return ErrKey
	}
	for i := range len(key) {
		if key[i] == 0 {
			return ErrKey // PostgreSQL has no such text
		}
	}
	return nil
}

const alive = "(expires IS NULL OR expires > ?)"

// Get returns a value, or ErrNotFound.
func (d *Depot) Get(ctx context.Context, app, key string) (v Value, err error) {
	if err := checkKey(key); err != nil {
		return v, err
	}
	err = d.db.Read(ctx, func(tx *store.Tx) error {
		var expires *int64
		err := tx.QueryRow("SELECT name, value, version, expires FROM relay_value WHERE app = ? AND name = ? AND "+alive,
			app, key, tx.Now().UnixMilli()).Scan(&v.Key, &v.Value, &v.Version, &expires)
		if expires != nil {
			v.Expires = *expires
		}
		return err
	})
	return v, err
}

// Put stores a value and returns its version. version is the one that the value must have now: Any for
// any, 0 for a key that must not be there. life is how long it stays, 0 for ever.
func (d *Depot) Put(ctx context.Context, app, key string, value []byte, version int64, life time.Duration) (next int64, err error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	if len(value) > MaxValue {
		return 0, ErrTooLarge
	}
	if value == nil {
		value = []byte{}
	}
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		has, kept, err := d.version(tx, app, key, now)
		if err != nil {
			return err
		}
		if version != Any && version != has {
			return ErrConflict
		}
		if has == 0 {
			n, err := tx.Int("SELECT COUNT(*) FROM relay_value WHERE app = ?", app)
			if err != nil {
				return err
			}
			if n >= maxKeys {
				return ErrTooMany
			}
		}
		next = max(now.UnixMicro(), kept+1)
		var expires any
		if life > 0 {
			expires = now.Add(life).UnixMilli()
		}
		_, err = tx.Exec(`INSERT INTO relay_value (app, name, value, version, expires) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (app, name) DO UPDATE SET value = excluded.value, version = excluded.version, expires = excluded.expires`,
			app, key, value, next, expires)
		return err
	})
	return next, err
}

// version returns the version a client sees, 0 for none, and the one that is kept. Until the
// transaction ends nobody else changes the key.
func (d *Depot) version(tx *store.Tx, app, key string, now time.Time) (seen, kept int64, err error) {
	if tx.Dialect() == store.Postgres {
		if _, err := tx.Exec("SELECT pg_advisory_xact_lock(hashtext(?), hashtext(?))", app, key); err != nil {
			return 0, 0, err
		}
	}
	var expires *int64
	err = tx.QueryRow("SELECT version, expires FROM relay_value WHERE app = ? AND name = ?", app, key).Scan(&kept, &expires)
	if errors.Is(err, store.ErrNotFound) {
		return 0, 0, nil
	}
	if expires == nil || *expires > now.UnixMilli() {
		seen = kept
	}
	return seen, kept, err
}

// Delete removes a value; version as in Put. A key that is not there is ErrNotFound.
func (d *Depot) Delete(ctx context.Context, app, key string, version int64) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return d.db.Write(ctx, func(tx *store.Tx) error {
		has, _, err := d.version(tx, app, key, tx.Now())
		switch {
		case err != nil:
			return err
		case has == 0:
			return ErrNotFound
		case version != Any && version != has:
			return ErrConflict
		}
		_, err = tx.Exec("DELETE FROM relay_value WHERE app = ? AND name = ?", app, key)
		return err
	})
}

// maxList is how many keys one List returns.
const maxList = 1000

// List returns keys that begin with prefix and come after after, in order, without values.
func (d *Depot) List(ctx context.Context, app, prefix, after string, limit int) (list []Value, err error) {
	if len(prefix) > MaxKey || !utf8.ValidString(prefix+after) {
		return nil, ErrKey
	}
	if limit <= 0 || limit > maxList {
		limit = maxList
	}
	order := "name"
	if d.db.Dialect() == store.Postgres {
		order = `name COLLATE "C"` // as bytes, like SQLite
	}
	err = d.db.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = store.Select(tx, func(s store.Scanner) (v Value, err error) {
			var expires *int64
			err = s.Scan(&v.Key, &v.Version, &expires)
			if expires != nil {
				v.Expires = *expires
			}
			return v, err
		}, "SELECT name, version, expires FROM relay_value WHERE app = ? AND "+alive+" AND SUBSTR(name, 1, ?) = ? AND "+order+" > ? ORDER BY "+order+" LIMIT ?",
			app, tx.Now().UnixMilli(), utf8.RuneCountInString(prefix), prefix, after, limit)
		return err
	})
	return list, err
}

// Sweep deletes what has expired.
func (d *Depot) Sweep(ctx context.Context) error {
	return d.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM relay_value WHERE expires <= ?", tx.Now().UnixMilli())
		return err
	})
}
