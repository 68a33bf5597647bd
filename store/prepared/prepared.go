// Package prepared keeps the statements of SQLite connections ready for their next use. To compile a
// query takes longer than to run most of those that a page asks, several times so in a browser.
//
// The driver's own read-only transactions switch "PRAGMA query_only", which has every statement of the
// connection compiled anew. Here a read-only transaction refuses each statement that would write.
package prepared

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"

	"github.com/ncruces/go-sqlite3"
	sqlitedriver "github.com/ncruces/go-sqlite3/driver"
)

const (
	// kept is how many statements a connection keeps: about what all pages of Kolibri ask.
	kept = 256
	// longest is how long a query may be in bytes to be kept. Longer ones carry lists of ids, and are
	// not asked in the same words again.
	longest = 8 << 10
)

// Open returns a pool of connections to the SQLite database of a name: a path, or a URI with the
// driver's parameters. init, unless nil, is called with each new connection.
func Open(name string, init func(*sqlite3.Conn) error) (*sql.DB, error) {
	inner, err := (&sqlitedriver.SQLite{}).OpenConnector(name)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(&connector{inner, init}), nil
}

type connector struct {
	driver.Connector
	init func(*sqlite3.Conn) error
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	opened := inner.(sqlitedriver.Conn)
	if c.init != nil {
		if err := c.init(opened.Raw()); err != nil {
			_ = opened.Close()
			return nil, err
		}
	}
	return &conn{Conn: opened, idle: map[string]*list.Element{}, oldest: list.New(), control: map[string]*sqlite3.Stmt{}}, nil
}

type conn struct {
	sqlitedriver.Conn
	readOnly bool
	// idle are the statements that nobody uses, by their query; oldest lists them from the one that was
	// used last to the one that goes next.
	idle   map[string]*list.Element
	oldest *list.List
	// control are the statements that begin and end transactions.
	control map[string]*sqlite3.Stmt
}

var (
	_ sqlitedriver.Conn        = (*conn)(nil)
	_ driver.ExecerContext     = (*conn)(nil)
	_ driver.NamedValueChecker = (*conn)(nil)
)

// Close implements driver.Conn. SQLite does not close a connection before its statements.
func (c *conn) Close() error {
	for _, s := range c.control {
		_ = s.Close()
	}
	for e := c.oldest.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*stmt).inner.Close()
	}
	return c.Conn.Close()
}

// CheckNamedValue implements driver.NamedValueChecker: the statements check for themselves.
func (c *conn) CheckNamedValue(*driver.NamedValue) error { return nil }

// BeginTx implements driver.ConnBeginTx: sql.LevelSerializable takes the lock for writing at once.
func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	begin := "BEGIN"
	if options.Isolation == driver.IsolationLevel(sql.LevelSerializable) {
		begin = "BEGIN IMMEDIATE"
	}
	if err := c.run(ctx, begin); err != nil {
		return nil, err
	}
	c.readOnly = options.ReadOnly
	return (*tx)(c), nil
}

// run runs a statement without parameters that controls a transaction.
func (c *conn) run(ctx context.Context, text string) error {
	raw := c.Raw()
	s := c.control[text]
	if s == nil {
		var err error
		if s, _, err = raw.Prepare(text); err != nil {
			return err
		}
		c.control[text] = s
	}
	defer raw.SetInterrupt(raw.SetInterrupt(ctx))
	return s.Exec()
}

type tx conn

// Commit implements driver.Tx.
func (t *tx) Commit() error {
	c := (*conn)(t)
	c.readOnly = false
	err := c.run(context.Background(), "COMMIT")
	if err != nil && !c.Raw().GetAutocommit() {
		_ = t.Rollback()
	}
	return err
}

// Rollback implements driver.Tx.
func (t *tx) Rollback() error {
	c := (*conn)(t)
	c.readOnly = false
	if c.Raw().GetAutocommit() {
		return nil // SQLite has done so itself, as after a full disk
	}
	return c.run(context.Background(), "ROLLBACK")
}

// ExecContext implements driver.ExecerContext for scripts without parameters.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.readOnly {
		return nil, driver.ErrSkip // as a statement, which is checked
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if e := c.idle[query]; e != nil {
		delete(c.idle, query)
		return c.oldest.Remove(e).(*stmt), nil
	}
	s, err := c.Conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	inner := s.(statement)
	return &stmt{inner: inner, conn: c, query: query, writes: !inner.ReadOnly(), keep: keep(query)}, nil
}

// keep tells whether a query is worth keeping. Pragmas do their work while they are compiled.
func keep(query string) bool {
	if len(query) > longest {
		return false
	}
	verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	switch strings.ToUpper(verb) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH":
		return true
	}
	return false
}

// statement is what the driver's statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
	ReadOnly() bool
}

type stmt struct {
	inner  statement
	conn   *conn
	query  string
	writes bool
	keep   bool
}

var (
	_ driver.StmtExecContext   = (*stmt)(nil)
	_ driver.StmtQueryContext  = (*stmt)(nil)
	_ driver.NamedValueChecker = (*stmt)(nil)
)

// Close implements driver.Stmt: the statement waits for its next use.
func (s *stmt) Close() error {
	c := s.conn
	if !s.keep || c.idle[s.query] != nil {
		return s.inner.Close()
	}
	c.idle[s.query] = c.oldest.PushFront(s)
	if c.oldest.Len() <= kept {
		return nil
	}
	last := c.oldest.Remove(c.oldest.Back()).(*stmt)
	delete(c.idle, last.query)
	return last.inner.Close()
}

// NumInput implements driver.Stmt.
func (s *stmt) NumInput() int { return s.inner.NumInput() }

// CheckNamedValue implements driver.NamedValueChecker.
func (s *stmt) CheckNamedValue(v *driver.NamedValue) error { return s.inner.CheckNamedValue(v) }

// Exec implements driver.Stmt.
//
// Deprecated: database/sql calls ExecContext.
func (s *stmt) Exec([]driver.Value) (driver.Result, error) { return nil, driver.ErrSkip }

// Query implements driver.Stmt.
//
// Deprecated: database/sql calls QueryContext.
func (s *stmt) Query([]driver.Value) (driver.Rows, error) { return nil, driver.ErrSkip }

// ExecContext implements driver.StmtExecContext.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if s.writes && s.conn.readOnly {
		return nil, sqlite3.READONLY
	}
	return s.inner.ExecContext(ctx, args)
}

// QueryContext implements driver.StmtQueryContext.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if s.writes && s.conn.readOnly {
		return nil, sqlite3.READONLY
	}
	return s.inner.QueryContext(ctx, args)
}
