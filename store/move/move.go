//go:build !js

// Package move copies a whole database into another one, from SQLite to PostgreSQL and back.
package move

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kolibri/store"
)

// ErrNotEmpty: there is a facility in the database that would be overwritten.
var ErrNotEmpty = errors.New("the database to copy to has a facility already; nothing was changed")

// Table is one table that was copied.
type Table struct {
	Name string
	Rows int64
}

// kept are tables that each database fills for itself.
var kept = map[string]bool{"django_migrations": true, "sqlite_sequence": true}

// parameters bounds the placeholders of one statement; SQLite takes 32766.
const parameters = 16000

// Copy replaces everything in to by what is in from. Both must have the schema of this program. It
// happens in one transaction: after an error the target is as it was. It returns the copied tables,
// whose rows were counted on both sides, in the order of their names, and the names of tables with
// rows that only from has, which are left behind.
func Copy(ctx context.Context, from, to *store.DB) (copied []Table, left []string, err error) {
	err = from.Read(ctx, func(source *store.Tx) error {
		return to.Write(ctx, func(target *store.Tx) error {
			copied, left, err = all(source, target)
			return err
		})
	})
	return copied, left, err
}

func all(source, target *store.Tx) (copied []Table, left []string, err error) {
	occupied, err := target.Exists("SELECT 1 FROM kolibriauth_collection")
	if err != nil {
		return nil, nil, err
	}
	if occupied {
		return nil, nil, ErrNotEmpty
	}
	given, err := schema(source)
	if err != nil {
		return nil, nil, err
	}
	wanted, err := schema(target)
	if err != nil {
		return nil, nil, err
	}
	for name := range given {
		if wanted[name] != nil || kept[name] {
			continue
		}
		if rows, err := source.Exists(`SELECT 1 FROM "` + name + `"`); err != nil {
			return nil, nil, err
		} else if rows {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	for name, columns := range wanted {
		if given[name] == nil || kept[name] {
			continue
		}
		if err := missing(name, given[name], columns); err != nil {
			return nil, nil, err
		}
		rows, err := table(source, target, name, columns)
		if err != nil {
			return nil, nil, fmt.Errorf("copy %s: %w", name, err)
		}
		copied = append(copied, Table{name, rows})
	}
	slices.SortFunc(copied, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	return copied, left, nil
}

// column is a column with its type as the database calls it.
type column struct {
	name, kind string
	nullable   bool
}

// schema lists the columns of all tables.
func schema(tx *store.Tx) (map[string][]column, error) {
	query := `SELECT m.name, c.name, lower(c.type), c."notnull" = 0 FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY m.name, c.cid`
	if tx.Dialect() == store.Postgres {
		query = `SELECT c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES' FROM information_schema.columns c
			JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
			WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position`
	}
	tables := map[string][]column{}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var table string
		var c column
		if err := row.Scan(&table, &c.name, &c.kind, &c.nullable); err != nil {
			return err
		}
		tables[table] = append(tables[table], c)
		return nil
	}, query)
	return tables, err
}

// missing refuses to drop what the target has no column for, and to invent what the source lacks.
func missing(table string, given, wanted []column) error {
	names := func(columns []column) []string {
		list := make([]string, len(columns))
		for i, c := range columns {
			list[i] = c.name
		}
		slices.Sort(list)
		return list
	}
	if a, b := names(given), names(wanted); !slices.Equal(a, b) {
		return fmt.Errorf("table %s has columns %s here and %s there", table, strings.Join(a, ", "), strings.Join(b, ", "))
	}
	return nil
}

func table(source, target *store.Tx, name string, columns []column) (int64, error) {
	if _, err := target.Exec(`DELETE FROM "` + name + `"`); err != nil {
		return 0, err
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = `"` + c.name + `"`
	}
	list := strings.Join(names, ", ")
	group := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")"
	most := parameters / len(columns)
	rows, values := int64(0), make([]any, 0, parameters)
	flush := func() error {
		n := len(values) / len(columns)
		if n == 0 {
			return nil
		}
		_, err := target.Exec(fmt.Sprintf(`INSERT INTO "%s" (%s) VALUES %s`, name, list, strings.TrimSuffix(strings.Repeat(group+", ", n), ", ")), values...)
		values = values[:0]
		return err
	}
	err := store.ForEach(source, func(row store.Scanner) error {
		read, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range read {
			into[i] = &read[i]
		}
		if err := row.Scan(into...); err != nil {
			return err
		}
		for i, c := range columns {
			v, err := convert(read[i], c)
			if err != nil {
				return fmt.Errorf("column %s: %w", c.name, err)
			}
			values = append(values, v)
		}
		rows++
		if len(values)/len(columns) >= most {
			return flush()
		}
		return nil
	}, fmt.Sprintf(`SELECT %s FROM "%s"`, list, name))
	if err == nil {
		err = flush()
	}
	if err != nil {
		return 0, err
	}
	there, err := target.Int(`SELECT COUNT(*) FROM "` + name + `"`)
	if err == nil && there != rows {
		err = fmt.Errorf("%d rows were sent and %d arrived", rows, there)
	}
	if err != nil {
		return 0, err
	}
	return rows, numbering(target, name, columns)
}

// convert gives a value the form that a column of the other database takes.
func convert(v any, c column) (any, error) {
	if text, ok := v.([]byte); ok {
		v = string(text)
	}
	switch kind := c.kind; kind {
	case "boolean":
		if n, ok := v.(int64); ok {
			return n != 0, nil
		}
	case "uuid", "inet":
		if v == "" && c.nullable {
			return nil, nil
		}
	case "timestamp with time zone", "datetime":
		if text, ok := v.(string); ok {
			var t store.NullTime
			err := t.Scan(text)
			return t.Time, err
		}
	case "date":
		if t, ok := v.(time.Time); ok {
			return t.Format(time.DateOnly), nil
		}
	case "text":
		return plainText(v), nil
	default:
		if strings.HasPrefix(kind, "char") || strings.HasPrefix(kind, "varchar") {
			return plainText(v), nil
		}
	}
	return v, nil
}

// plainText: a driver may take what looks like a moment for one, in a column whose name says text.
func plainText(v any) any {
	if t, ok := v.(time.Time); ok {
		return t.UTC().Format(store.DateTime)
	}
	return v
}

// numbering makes PostgreSQL go on counting after the rows that came with numbers of their own.
func numbering(tx *store.Tx, name string, columns []column) error {
	if tx.Dialect() != store.Postgres {
		return nil
	}
	for _, c := range columns {
		var sequence sql.NullString
		if err := tx.QueryRow("SELECT pg_get_serial_sequence(?, ?)", `"`+name+`"`, c.name).Scan(&sequence); err != nil {
			return err
		}
		if !sequence.Valid {
			continue
		}
		if _, err := tx.Exec(fmt.Sprintf(`SELECT setval(?, coalesce(max("%s"), 1), max("%s") IS NOT NULL) FROM "%s"`, c.name, c.name, name), sequence.String); err != nil {
			return err
		}
	}
	return nil
}
