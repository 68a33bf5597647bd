package depot

import (
	"context"
	"errors"

	"kolibri/store"
)

// Version is one deployment of an app.
type Version struct {
	Version int64 `json:"version"`
	Created int64 `json:"created"` // milliseconds since 1970
	Bytes   int64 `json:"bytes"`
	Live    bool  `json:"live"`
}

// Deploy stores a module as the app's next version and makes it the one that is served.
func (d *Depot) Deploy(ctx context.Context, name, code string) (version int64, err error) {
	if !IsName(name) {
		return 0, ErrName
	}
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		if err := lockApp(tx, name); err != nil {
			return err
		}
		last, err := tx.Int("SELECT MAX(version) FROM relay_app WHERE name = ?", name)
		if err != nil {
			return err
		}
		version = last + 1
		if _, err := tx.Exec("INSERT INTO relay_app (name, version, code, created) VALUES (?, ?, ?, ?)",
			name, version, code, tx.Now().UnixMilli()); err != nil {
			return err
		}
		if err := golive(tx, name, version); err != nil {
			return err
		}
		_, err = tx.Exec("DELETE FROM relay_app WHERE name = ? AND version <= ?", name, version-maxVersions)
		return err
	})
	return version, err
}

// lockApp keeps two deployments of one app apart. SQLite has one writer anyway.
func lockApp(tx *store.Tx, name string) error {
	if tx.Dialect() == store.SQLite {
		return nil
	}
	_, err := tx.Exec("SELECT pg_advisory_xact_lock(7264932, hashtext(?))", name)
	return err
}

func golive(tx *store.Tx, name string, version int64) error {
	_, err := tx.Exec("INSERT INTO relay_live (name, version) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version", name, version)
	return err
}

// RollBack serves an older version again: the given one, or with 0 the one before.
func (d *Depot) RollBack(ctx context.Context, name string, to int64) (version int64, err error) {
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		if err := lockApp(tx, name); err != nil {
			return err
		}
		query, args := "SELECT version FROM relay_app WHERE name = ? AND version = ?", []any{name, to}
		if to == 0 {
			query = `SELECT MAX(a.version) FROM relay_app a JOIN relay_live l ON l.name = a.name
				WHERE a.name = ? AND a.version < l.version HAVING MAX(a.version) IS NOT NULL`
			args = args[:1]
		}
		if err := tx.QueryRow(query, args...).Scan(&version); err != nil {
			return err
		}
		return golive(tx, name, version)
	})
	return version, err
}

// Remove takes an app away, with its versions and values.
func (d *Depot) Remove(ctx context.Context, name string) error {
	return d.db.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec("DELETE FROM relay_live WHERE name = ?", name)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNotFound
		}
		_, err = tx.Exec("DELETE FROM relay_app WHERE name = ?", name)
		_, err2 := tx.Exec("DELETE FROM relay_value WHERE app = ?", name)
		return errors.Join(err, err2)
	})
}

// Live tells the version of each app that is served.
func (d *Depot) Live(ctx context.Context) (map[string]int64, error) {
	live := map[string]int64{}
	err := d.db.Read(ctx, func(tx *store.Tx) error {
		return store.ForEach(tx, func(s store.Scanner) error {
			var name string
			var version int64
			err := s.Scan(&name, &version)
			live[name] = version
			return err
		}, "SELECT name, version FROM relay_live")
	})
	return live, err
}

// Code returns one version's module.
func (d *Depot) Code(ctx context.Context, name string, version int64) (code string, err error) {
	err = d.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow("SELECT code FROM relay_app WHERE name = ? AND version = ?", name, version).Scan(&code)
	})
	return code, err
}

// Versions lists an app's versions, the newest first.
func (d *Depot) Versions(ctx context.Context, name string) (list []Version, err error) {
	err = d.db.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = store.Select(tx, func(s store.Scanner) (v Version, err error) {
			var live int64
			err = s.Scan(&v.Version, &v.Created, &v.Bytes, &live)
			v.Live = live != 0
			return v, err
		}, `SELECT a.version, a.created, LENGTH(a.code), CASE WHEN l.version = a.version THEN 1 ELSE 0 END
			FROM relay_app a JOIN relay_live l ON l.name = a.name WHERE a.name = ? ORDER BY a.version DESC`, name)
		return err
	})
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	return list, err
}
