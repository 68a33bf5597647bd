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
	"github.com/jackc/pgx/v5/pgconn"
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
	SSLMode     string // DATABASE_SSL_MODE: disable, allow, prefer, require, verify-ca, verify-full; empty is prefer
	SSLRootCert string // DATABASE_SSL_ROOT_CERT: file with the authority's certificate; empty: the machine's authorities
	Connections int    // the most connections at once; 0: 16
}

var sslModes = map[string]bool{"disable": true, "allow": true, "prefer": true, "require": true, "verify-ca": true, "verify-full": true}

// config builds pgx's configuration. Values are set rather than written into an address, so that
// no password needs escaping or shows up in an error.
func (o Options) config() (*pgx.ConnConfig, error) {
	mode := o.SSLMode
	if mode == "" {
		// the original's default sends no mode at all, which leaves it to libpq, and that prefers TLS
		mode = "prefer"
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
	config.ConnectTimeout = connectTimeout
	// after a failover the old server may still answer, but takes no writes
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
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

const (
	connectTimeout     = 10 * time.Second
	defaultConnections = 16
	idleTime           = 5 * time.Minute
	// connections are made anew now and then, so that the load follows when servers are added
	lifetime = 30 * time.Minute
)

// migrating is the advisory lock of whoever changes the schema: several replicas start at once.
const migrating = 0x6b6f6c69627269 // "kolibri"

// Open connects to the database and brings its schema up to date. now stamps transactions; nil is
// the server's clock, which all replicas share whatever their own clocks say. Errors are
// *store.OpenError; none of them shows the password.
func Open(ctx context.Context, options Options, now func() time.Time) (*store.DB, error) {
	pool, clock, err := open(ctx, options)
	if err != nil {
		return nil, err
	}
	if now == nil {
		now = clock.now
	}
	db := store.New(pool, store.Postgres, now)
	err = alone(ctx, pool, func() error {
		if err := checkVersion(ctx, pool); err != nil {
			return err
		}
		return store.Migrate(ctx, db, store.DDL(schema.Postgres))
	})
	if err != nil {
		pool.Close()
		return nil, store.OpenFailed(options.place(), err)
	}
	return db, nil
}

// alone runs fn while no other process does the same on this database.
func alone(ctx context.Context, pool *sql.DB, fn func() error) (err error) {
	c, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrating)); err != nil {
		return err
	}
	defer func() {
		_, unlock := c.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrating))
		err = errors.Join(err, unlock)
	}()
	return fn()
}

// OpenPool connects to the database without touching its schema.
func OpenPool(ctx context.Context, options Options) (*sql.DB, error) {
	pool, _, err := open(ctx, options)
	return pool, err
}

func open(ctx context.Context, options Options) (*sql.DB, *clock, error) {
	config, err := options.config()
	if err != nil {
		return nil, nil, &store.OpenError{Path: options.place(), Err: err, Hint: "Look at the options in the section Database."}
	}
	clock := &clock{local: time.Now}
	pool := sql.OpenDB(connector{stdlib.GetConnector(*config, stdlib.OptionAfterConnect(inUTC)), clock})
	connections := options.Connections
	if connections <= 0 {
		connections = defaultConnections
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(idleTime)
	pool.SetConnMaxLifetime(lifetime)
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		return nil, nil, &store.OpenError{Path: options.place(), Err: err, Hint: hint(err)}
	}
	return pool, clock, nil
}

// place names the database for people, without secrets.
func (o Options) place() string {
	port := o.Port
	if port == "" {
		port = "5432"
	}
	return fmt.Sprintf("postgres://%s/%s", net.JoinHostPort(o.Host, port), o.Name)
}
