//go:build !js

// Package postgres opens a PostgreSQL database, as a cloud server uses it.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"kolibri/store"
	"kolibri/store/schema"
)

// Options are Kolibri's own for its database, by the names that stand in options.ini and, with
// KOLIBRI_ before them, in the environment (kolibri/utils/options.py: Database).
type Options struct {
	Name        string // DATABASE_NAME
	User        string // DATABASE_USER
	Password    string // DATABASE_PASSWORD
	Host        string // DATABASE_HOST
	Port        string // DATABASE_PORT; empty is 5432
	SSLMode     string // DATABASE_SSL_MODE: disable, allow, prefer, require, verify-ca, verify-full; empty is disable
	SSLRootCert string // DATABASE_SSL_ROOT_CERT: file with the authority's certificate
}

var sslModes = map[string]bool{"disable": true, "allow": true, "prefer": true, "require": true, "verify-ca": true, "verify-full": true}

// config builds pgx's configuration. Values are set rather than written into an address, so that
// no password needs escaping or shows up in an error.
func (o Options) config() (*pgx.ConnConfig, error) {
	mode := o.SSLMode
	if mode == "" {
		mode = "disable"
	}
	if !sslModes[mode] {
		return nil, fmt.Errorf("DATABASE_SSL_MODE %q is unknown", o.SSLMode)
	}
	if o.Name == "" {
		return nil, errors.New("DATABASE_NAME is not set")
	}
	address := "sslmode=" + mode
	if o.SSLRootCert != "" && mode != "disable" {
		address += " sslrootcert=" + quote(o.SSLRootCert)
	}
	for _, part := range []struct{ key, value string }{
		{"host", o.Host}, {"port", o.Port}, {"user", o.User}, {"dbname", o.Name},
	} {
		if part.value != "" {
			address += " " + part.key + "=" + quote(part.value)
		}
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	if o.Password != "" {
		config.Password = o.Password
	}
	// Kolibri's own setting; a server that is set otherwise would show local times.
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["application_name"] = "kolibri"
	config.ConnectTimeout = 20 * time.Second
	return config, nil
}

// quote writes a value of a keyword=value connection string.
func quote(value string) string {
	quoted := []byte{'\''}
	for i := 0; i < len(value); i++ {
		if value[i] == '\'' || value[i] == '\\' {
			quoted = append(quoted, '\\')
		}
		quoted = append(quoted, value[i])
	}
	return string(append(quoted, '\''))
}

// Open connects to the database and brings its schema up to date. now stamps transactions; nil is
// the system's clock. Errors are *store.OpenError; none of them shows the password.
func Open(ctx context.Context, options Options, now func() time.Time) (*store.DB, error) {
	pool, err := OpenPool(ctx, options)
	if err != nil {
		return nil, err
	}
	db := store.New(pool, store.Postgres, now)
	if err := store.Migrate(ctx, db, store.DDL(schema.Postgres)); err != nil {
		pool.Close()
		return nil, store.OpenFailed(options.place(), err)
	}
	return db, nil
}

// OpenPool connects to the database without touching its schema.
func OpenPool(ctx context.Context, options Options) (*sql.DB, error) {
	config, err := options.config()
	if err != nil {
		return nil, &store.OpenError{Path: options.place(), Err: err, Hint: "Look at the options in the section Database."}
	}
	pool := sql.OpenDB(connector{stdlib.GetConnector(*config, stdlib.OptionAfterConnect(inUTC))})
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(8)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		return nil, &store.OpenError{Path: options.place(), Err: err, Hint: hint(err)}
	}
	return pool, nil
}

// place names the database for people, without secrets.
func (o Options) place() string {
	port := o.Port
	if port == "" {
		port = "5432"
	}
	return fmt.Sprintf("postgres://%s/%s", net.JoinHostPort(o.Host, port), o.Name)
}
