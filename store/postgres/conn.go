//go:build !js

package postgres

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// connector makes connections that speak the rest of the program's language: ids as in SQLite, and
// errors that tell whether the server is out of reach.
type connector struct {
	driver.Connector
	clock *clock
}

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	opened := &conn{Conn: made.(*stdlib.Conn), clock: c.clock}
	if err := c.clock.read(ctx, opened.Conn.Conn()); err != nil {
		opened.Close()
		return nil, unavailable(ctx, err)
	}
	return opened, nil
}

// unavailableError is why the database could not be asked: it restarts, fails over, or the network is
// down. Package store knows it by its method.
type unavailableError struct{ error }

// Unwrap gives the cause.
func (e unavailableError) Unwrap() error { return e.error }

// Unavailable tells store that trying again later may help.
func (unavailableError) Unavailable() bool { return true }

func unavailable(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || errors.Is(err, driver.ErrBadConn) {
		return err
	}
	return unavailableError{err}
}

type conn struct {
	*stdlib.Conn
	clock   *clock
	spoiled bool // the server takes no writes any more: it was the primary before a failover
	reading bool // a transaction that shall not write
}

// note looks at what went wrong on this connection.
func (c *conn) note(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var server *pgconn.PgError
	if errors.As(err, &server) && server.Code == "25006" && !c.reading { // read_only_sql_transaction
		c.spoiled = true
		return unavailableError{err}
	}
	if c.Conn.Conn().IsClosed() {
		return unavailable(ctx, err)
	}
	return err
}

// IsValid implements driver.Validator.
func (c *conn) IsValid() bool { return !c.spoiled && !c.Conn.Conn().IsClosed() }

// ResetSession implements driver.SessionResetter.
func (c *conn) ResetSession(ctx context.Context) error {
	if err := c.Conn.ResetSession(ctx); err != nil {
		return err
	}
	if c.clock.stale() && c.clock.read(ctx, c.Conn.Conn()) != nil {
		return driver.ErrBadConn
	}
	return nil
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *conn) CheckNamedValue(arg *driver.NamedValue) error {
	if err := c.Conn.CheckNamedValue(arg); err != nil {
		return err
	}
	if arg.Value == "" {
		arg.Value = noID{}
	}
	return nil
}

// BeginTx implements driver.ConnBeginTx.
func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	made, err := c.Conn.BeginTx(ctx, options)
	if err != nil {
		return nil, c.note(ctx, err)
	}
	c.reading = options.ReadOnly
	return tx{made, c, ctx}, nil
}

// tx is a transaction whose end may find the server gone.
type tx struct {
	driver.Tx
	conn *conn
	ctx  context.Context
}

// Commit implements driver.Tx.
func (t tx) Commit() error { return t.conn.note(t.ctx, t.Tx.Commit()) }

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := c.Conn.ExecContext(ctx, query, args)
	return result, c.note(ctx, err)
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	made, err := c.Conn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, c.note(ctx, err)
	}
	return c.rows(ctx, made.(*stdlib.Rows)), nil
}
