//go:build !js

package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
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

// noID is an empty string on its way to PostgreSQL. Compared with a uuid column it is an id that no
// row has, as the same text is in SQLite, where PostgreSQL would refuse the whole statement.
type noID struct{}

// TextValue implements pgtype.TextValuer.
func (noID) TextValue() (pgtype.Text, error) { return pgtype.Text{Valid: true}, nil }

// UUIDValue implements pgtype.UUIDValuer.
func (noID) UUIDValue() (pgtype.UUID, error) { return pgtype.UUID{Valid: true}, nil }

// rows gives ids as in SQLite: 32 hexadecimal digits, as Django's UUIDField gives them to the rest
// of the program. PostgreSQL writes uuid columns with hyphens, and pgx's database/sql layer hands
// that text on without asking its type map.
func (c *conn) rows(ctx context.Context, made *stdlib.Rows) driver.Rows {
	r := &rows{Rows: made, conn: c, ctx: ctx}
	for i := range made.Columns() {
		if made.ColumnTypeDatabaseTypeName(i) == "UUID" {
			r.ids = append(r.ids, i)
		}
	}
	return r
}

// rows are a query's rows.
type rows struct {
	driver.Rows
	ids  []int // the uuid columns
	conn *conn
	ctx  context.Context
}

// Next implements driver.Rows.
func (r *rows) Next(dest []driver.Value) error {
	if err := r.Rows.Next(dest); err != nil {
		if errors.Is(err, io.EOF) {
			return err
		}
		return r.conn.note(r.ctx, err)
	}
	for _, i := range r.ids {
		if text, ok := dest[i].(string); ok {
			dest[i] = strings.ReplaceAll(text, "-", "")
		}
	}
	return nil
}
