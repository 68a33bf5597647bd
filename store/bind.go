package store

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// In is a list argument: "WHERE id IN ?" with In(ids) becomes "WHERE id IN (?,?,?)", and a
// condition that no row meets when the list is empty.
func In[T any](values []T) any {
	list := make(listArg, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

type listArg []any

// DateTime is how Django writes a datetime column into SQLite.
const DateTime = "2006-01-02 15:04:05.000000"

// Zoned is a moment in a column of Kolibri's DateTimeTzField: text that ends with the name of the
// time zone in brackets (kolibri/core/fields.py). It is read and written in UTC.
type Zoned time.Time

// Value implements driver.Valuer.
func (z Zoned) Value() (driver.Value, error) {
	if time.Time(z).IsZero() {
		return nil, nil
	}
	return FormatZoned(time.Time(z)), nil
}

// Scan implements sql.Scanner; NULL gives the zero time.
func (z *Zoned) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*z = Zoned{}
		return nil
	case time.Time:
		*z = Zoned(v.UTC())
		return nil
	case []byte:
		return z.Scan(string(v))
	case string:
		t, err := ParseZoned(v)
		*z = Zoned(t)
		return err
	}
	return fmt.Errorf("store: cannot read %T as a zoned time", src)
}

// Time returns the moment in UTC.
func (z Zoned) Time() time.Time { return time.Time(z) }

// FormatZoned writes a moment as DateTimeTzField keeps it: "2026-01-31 08:00:00.000000(UTC)".
func FormatZoned(t time.Time) string { return t.UTC().Format(DateTime) + "(UTC)" }

// ParseZoned reads what DateTimeTzField keeps. The wall time is UTC whatever zone is named: the
// name only remembers where the row was made.
func ParseZoned(s string) (time.Time, error) {
	if i := strings.IndexByte(s, '('); i >= 0 {
		s = s[:i]
	}
	return parseDateTime(s)
}

func parseDateTime(s string) (time.Time, error) {
	s = strings.Replace(s, "T", " ", 1)
	for _, layout := range []string{"2006-01-02 15:04:05.999999", "2006-01-02 15:04:05.999999Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("store: %q is not a time", s)
}

// NullTime reads a nullable datetime column; NULL gives the zero time.
type NullTime struct{ Time time.Time }

// Scan implements sql.Scanner.
func (n *NullTime) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		n.Time = time.Time{}
		return nil
	case time.Time:
		n.Time = v.UTC()
		return nil
	case []byte:
		return n.Scan(string(v))
	case string:
		t, err := parseDateTime(v)
		n.Time = t
		return err
	}
	return fmt.Errorf("store: cannot read %T as a time", src)
}

// Null turns the zero value into NULL, for nullable columns.
func Null[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// bind expands lists, writes times as the dialect keeps them, and turns ? into $1 for PostgreSQL.
func (db *DB) bind(query string, args []any) (string, []any) {
	if db.watch != nil {
		db.watch(query)
	}
	bound, expand := args, false
	for i, a := range args {
		switch v := a.(type) {
		case listArg:
			expand = true
		case time.Time:
			if &bound[0] == &args[0] { // the caller's slice stays untouched
				bound = append([]any(nil), args...)
			}
			bound[i] = db.dialect.time(v)
		}
	}
	if expand {
		query, bound = expandLists(query, bound, db.dialect)
	}
	if db.dialect == Postgres {
		query = db.rebind(query)
	}
	return query, bound
}

// time is a moment as a datetime column keeps it; the zero time is NULL.
func (d Dialect) time(t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case d == SQLite:
		return t.UTC().Format(DateTime)
	}
	return t.UTC()
}

func expandLists(query string, args []any, dialect Dialect) (string, []any) {
	var b strings.Builder
	out := make([]any, 0, len(args)+16)
	next := 0
	scanPlaceholders(query, func(text string, placeholder bool) {
		if !placeholder || next >= len(args) {
			b.WriteString(text)
			return
		}
		a := args[next]
		next++
		list, ok := a.(listArg)
		if !ok {
			b.WriteByte('?')
			out = append(out, a)
			return
		}
		if len(list) == 0 {
			b.WriteString(emptyList(dialect, b.String()))
			return
		}
		b.WriteByte('(')
		for i, v := range list {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('?')
			if t, ok := v.(time.Time); ok {
				v = dialect.time(t)
			}
			out = append(out, v)
		}
		b.WriteByte(')')
	})
	return b.String(), out
}

// emptyList completes "x IN" so that it is false, and "x NOT IN" so that it is true. PostgreSQL
// would compare x with a subquery's text; its NULL has any type, and IS binds less than IN.
func emptyList(dialect Dialect, before string) string {
	switch {
	case dialect == SQLite:
		return "(SELECT NULL WHERE 1=0)"
	case strings.HasSuffix(strings.ToUpper(strings.TrimRight(before, " \t\n")), "NOT IN"):
		return "(NULL) IS NULL"
	}
	return "(NULL) IS TRUE"
}

func (db *DB) rebind(query string) string {
	db.mu.Lock()
	cached, ok := db.rebound[query]
	db.mu.Unlock()
	if ok {
		return cached
	}
	var b strings.Builder
	n := 0
	scanPlaceholders(query, func(text string, placeholder bool) {
		if placeholder {
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			return
		}
		b.WriteString(text)
	})
	out := b.String()
	db.mu.Lock()
	if len(db.rebound) > 2000 { // queries with lists make ever new texts: do not keep them all
		db.rebound = map[string]string{}
	}
	db.rebound[query] = out
	db.mu.Unlock()
	return out
}

// scanPlaceholders calls emit for the stretches of text and for every ? outside quotes.
func scanPlaceholders(query string, emit func(text string, placeholder bool)) {
	start := 0
	for i := 0; i < len(query); i++ {
		switch c := query[i]; c {
		case '\'', '"':
			if end := strings.IndexByte(query[i+1:], c); end >= 0 {
				i += end + 1
			}
		case '?':
			emit(query[start:i], false)
			emit("?", true)
			start = i + 1
		}
	}
	emit(query[start:], false)
}
