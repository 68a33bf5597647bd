//go:build !js

package postgres

import (
	"context"
	"database/sql/driver"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// inUTC makes a connection give moments in UTC, whatever the machine's time zone.
func inUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// connector makes connections whose ids look as in SQLite: 32 hexadecimal digits, as Django's
// UUIDField gives them to the rest of the program. PostgreSQL writes uuid columns with hyphens, and
// pgx's database/sql layer hands that text on without asking its type map.
type connector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return conn{made.(*stdlib.Conn)}, nil
}

type conn struct{ *stdlib.Conn }

// noID is an empty string on its way to PostgreSQL. Compared with a uuid column it is an id that no
// row has, as the same text is in SQLite, where PostgreSQL would refuse the whole statement.
type noID struct{}

// TextValue implements pgtype.TextValuer.
func (noID) TextValue() (pgtype.Text, error) { return pgtype.Text{Valid: true}, nil }

// UUIDValue implements pgtype.UUIDValuer.
func (noID) UUIDValue() (pgtype.UUID, error) { return pgtype.UUID{Valid: true}, nil }

// CheckNamedValue implements driver.NamedValueChecker.
func (c conn) CheckNamedValue(arg *driver.NamedValue) error {
	if err := c.Conn.CheckNamedValue(arg); err != nil {
		return err
	}
	if arg.Value == "" {
		arg.Value = noID{}
	}
	return nil
}

// QueryContext implements driver.QueryerContext.
func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return plainIDs(c.Conn.QueryContext(ctx, query, args))
}

// PrepareContext implements driver.ConnPrepareContext.
func (c conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	prepared, err := c.Conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt{prepared.(*stdlib.Stmt)}, nil
}

type stmt struct{ *stdlib.Stmt }

// QueryContext implements driver.StmtQueryContext.
func (s stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return plainIDs(s.Stmt.QueryContext(ctx, args))
}

func plainIDs(made driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		return nil, err
	}
	fields := made.(*stdlib.Rows)
	var ids []int
	for i := range fields.Columns() {
		if fields.ColumnTypeDatabaseTypeName(i) == "UUID" {
			ids = append(ids, i)
		}
	}
	if len(ids) == 0 {
		return fields, nil
	}
	return &rows{Rows: fields, ids: ids}, nil
}

// rows are rows with uuid columns.
type rows struct {
	driver.Rows
	ids []int
}

// Next implements driver.Rows.
func (r *rows) Next(dest []driver.Value) error {
	if err := r.Rows.Next(dest); err != nil {
		return err
	}
	for _, i := range r.ids {
		if text, ok := dest[i].(string); ok {
			dest[i] = strings.ReplaceAll(text, "-", "")
		}
	}
	return nil
}
