// Package depot keeps what relays share: deployed apps with their versions, the apps' key-value
// store, and which relays there are. It lies in a SQLite file or, for several relays that form one
// front, in PostgreSQL.
package depot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib"       // registers "pgx"
	_ "github.com/ncruces/go-sqlite3/driver" // registers "sqlite3"

	"kolibri/store"
)

// Limits of what is kept.
const (
	MaxCode  = 4 << 20 // bytes of an app's module
	MaxValue = 1 << 20 // bytes of a value
	MaxKey   = 512     // bytes of a key
	// maxVersions is how many of an app are kept.
	maxVersions = 50
	// maxKeys bounds one app's share of the store.
	maxKeys = 100_000
)

// Errors that callers tell apart.
var (
	ErrNotFound = store.ErrNotFound
	ErrConflict = errors.New("the value has another version")
	ErrTooMany  = errors.New("this app has too many keys")
	ErrName     = errors.New("an app's name consists of small letters, digits and dashes, 40 at most, and begins with a letter")
	ErrKey      = fmt.Errorf("a key is text of 1 to %d bytes", MaxKey)
	ErrTooLarge = fmt.Errorf("a value has at most %d bytes", MaxValue)
)

var appName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`)

// IsName tells whether an app may have this name, which is also a label of a host's name.
func IsName(name string) bool { return appName.MatchString(name) }

// Depot is an open database of relays.
type Depot struct{ db *store.DB }

var schema = []string{
	`CREATE TABLE IF NOT EXISTS relay_app (name TEXT NOT NULL, version BIGINT NOT NULL, code TEXT NOT NULL, created BIGINT NOT NULL, PRIMARY KEY (name, version))`,
	`CREATE TABLE IF NOT EXISTS relay_live (name TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS relay_value (app TEXT NOT NULL, name TEXT NOT NULL, value %s NOT NULL, version BIGINT NOT NULL, expires BIGINT, PRIMARY KEY (app, name))`,
	`CREATE INDEX IF NOT EXISTS relay_value_expires ON relay_value (expires)`,
	`CREATE TABLE IF NOT EXISTS relay_node (id TEXT NOT NULL PRIMARY KEY, url TEXT NOT NULL, tabs TEXT NOT NULL, seen BIGINT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS relay_secret (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)`,
}

// Open opens the database at an address such as postgres://user@host/name, or the file at a path, and
// makes the tables that it lacks.
func Open(ctx context.Context, address string) (*Depot, error) {
	driver, source, dialect := "pgx", address, store.Postgres
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		if err := os.MkdirAll(filepath.Dir(address), 0o700); err != nil {
			return nil, err
		}
		query := url.Values{"_pragma": {"busy_timeout(20000)", "journal_mode(wal)", "synchronous(normal)"}}
		driver, dialect = "sqlite3", store.SQLite
		source = "file:" + (&url.URL{Path: address}).EscapedPath() + "?" + query.Encode()
	}
	pool, err := sql.Open(driver, source)
	if err != nil {
		return nil, errors.New("the relay's database has no address that can be read") // the driver's words may hold the password
	}
	pool.SetMaxOpenConns(8)
	pool.SetMaxIdleConns(8)
	d := &Depot{db: store.New(pool, dialect, nil)}
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		if dialect == store.Postgres {
			// two relays that start at once must not make the same table
			if _, err := tx.Exec("SELECT pg_advisory_xact_lock(7264931)"); err != nil {
				return err
			}
		}
		blob := map[store.Dialect]string{store.SQLite: "BLOB", store.Postgres: "BYTEA"}[dialect]
		for _, s := range schema {
			if strings.Contains(s, "%s") {
				s = fmt.Sprintf(s, blob)
			}
			if _, err := tx.Exec(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		pool.Close()
		return nil, store.OpenFailed("the relay's database", err)
	}
	return d, nil
}

// Close closes the database.
func (d *Depot) Close() error { return d.db.Close() }

// Secret returns a secret that all relays of this database share; the first to ask brings it.
func (d *Depot) Secret(ctx context.Context, name, proposal string) (value string, err error) {
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec("INSERT INTO relay_secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, proposal); err != nil {
			return err
		}
		return tx.QueryRow("SELECT value FROM relay_secret WHERE name = ?", name).Scan(&value)
	})
	return value, err
}
