package importing

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"kolibri/core/content/storage"
	"kolibri/store"
)

// Edition is the metadata of a channel as it is published, at hand within a transaction: SQL finds its
// tables under their names with a prefix.
type Edition struct {
	Meta   Meta
	prefix string
	has    columns
	types  columnTypes
}

// columnTypes are the types of the library's own columns, which PostgreSQL wants values cast to.
type columnTypes map[string]map[string]string

// Open makes a channel's database available to fn within a writing transaction. Where the library's
// database cannot read a second file, its rows are copied to temporary tables first.
func Open(ctx context.Context, db *store.DB, s *storage.Store, name, channel string, fn func(*store.Tx, *Edition) error) error {
	if err := checkWhole(s.FS, name); err != nil {
		return err
	}
	if db.Dialect() == store.SQLite && s.Attachable != nil {
		return db.WriteAttached(ctx, s.Attachable(name), func(tx *store.Tx) error {
			e, err := readAttached(tx, channel)
			if err != nil {
				return err
			}
			return fn(tx, e)
		})
	}
	f, err := s.FS.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	file, ok := f.(io.ReaderAt)
	if !ok {
		return fmt.Errorf("%s cannot be read in place", name)
	}
	return store.ReadFile(ctx, file, info.Size(), func(source *store.Tx) error {
		has, err := columnsOf(source, "main")
		if err != nil {
			return err
		}
		meta, err := readMeta(source, "main.", has, channel)
		if err != nil {
			return err
		}
		return db.Write(ctx, func(tx *store.Tx) error {
			e := &Edition{Meta: meta, prefix: staged, has: has}
			if err := e.stage(tx, func(table string, columns []string, put func([]any) error) error {
				return eachRow(source, table, columns, put)
			}); err != nil {
				return err
			}
			return fn(tx, e)
		})
	})
}

// OpenInSteps is Open for several transactions, for as long as fn does not tell that it has finished. Where
// that cannot be fn gets one transaction and stepwise is false.
func OpenInSteps(ctx context.Context, db *store.DB, s *storage.Store, name, channel string, fn func(tx *store.Tx, e *Edition, stepwise bool) error, between func() (finished bool, err error)) (err error) {
	if db.Dialect() != store.SQLite || s.Attachable == nil {
		return Open(ctx, db, s, name, channel, func(tx *store.Tx, e *Edition) error { return fn(tx, e, false) })
	}
	if err := checkWhole(s.FS, name); err != nil {
		return err
	}
	file := db.Attach(s.Attachable(name))
	defer func() { err = errors.Join(err, file.Close(ctx)) }()
	var e *Edition
	for finished := false; !finished && err == nil; {
		err = file.Write(ctx, func(tx *store.Tx) (err error) {
			if e == nil {
				if e, err = readAttached(tx, channel); err != nil {
					return err
				}
			}
			return fn(tx, e, true)
		})
		if err == nil {
			finished, err = between()
		}
	}
	return err
}

// readAttached looks at the database that is attached.
func readAttached(tx *store.Tx, channel string) (*Edition, error) {
	has, err := columnsOf(tx, "source")
	if err != nil {
		return nil, err
	}
	e := &Edition{prefix: "source.", has: has}
	e.Meta, err = readMeta(tx, e.prefix, has, channel)
	return e, err
}

// checkWhole refuses a file that is no SQLite database, or is shorter than it says: SQLite notices a
// missing page only when it needs it. https://www.sqlite.org/fileformat.html#the_database_header
func checkWhole(folder fs.FS, name string) error {
	f, err := folder.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head := make([]byte, 100)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:16]) != "SQLite format 3\x00" {
		return fmt.Errorf("%w: it is no database", ErrNotAChannel)
	}
	page := int64(binary.BigEndian.Uint16(head[16:]))
	if page == 1 {
		page = 65536
	}
	pages := int64(binary.BigEndian.Uint32(head[28:]))
	if known := string(head[24:28]) == string(head[92:96]); known && info.Size() < page*pages {
		return fmt.Errorf("%w: it was cut short, %d of %d bytes are there", ErrNotAChannel, info.Size(), page*pages)
	}
	return nil
}

// staged is how the names of temporary tables begin.
const staged = "staged_"

// Rows are an edition's rows by table, as one Kolibri gives them to another.
type Rows map[string][]map[string]any

// OpenRows makes rows available like a channel's database.
func OpenRows(tx *store.Tx, rows Rows, channel string) (*Edition, error) {
	has := columns{}
	for table, list := range rows {
		if !slices.ContainsFunc(tables, func(t tableSpec) bool { return t.name == table }) {
			continue
		}
		has[table] = map[string]bool{}
		for _, row := range list {
			for name := range row {
				has[table][name] = true
			}
		}
		if len(list) == 0 {
			delete(has, table)
		}
	}
	e := &Edition{prefix: staged, has: has}
	err := e.stage(tx, func(table string, columns []string, put func([]any) error) error {
		for _, row := range rows[table] {
			values := make([]any, len(columns))
			for i, c := range columns {
				values[i] = row[c]
			}
			if err := put(values); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	e.Meta, err = readMeta(tx, e.prefix, has, channel)
	return e, err
}

// eachRow reads the rows of a table of a SQLite file.
func eachRow(tx *store.Tx, table string, columns []string, put func([]any) error) error {
	return store.ForEach(tx, func(row store.Scanner) error {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := row.Scan(targets...); err != nil {
			return err
		}
		for i, v := range values {
			if raw, ok := v.([]byte); ok {
				values[i] = string(raw)
			}
		}
		return put(values)
	}, `SELECT "`+strings.Join(columns, `", "`)+`" FROM main."`+table+`"`)
}

// stage copies an edition's tables to temporary ones, whose columns are text on PostgreSQL.
func (e *Edition) stage(tx *store.Tx, read func(table string, columns []string, put func([]any) error) error) (err error) {
	if e.types, err = typesOf(tx); err != nil {
		return err
	}
	for name, has := range e.has {
		known := name == "content_license"
		var columns []string
		for c := range has {
			if isName(c) {
				columns = append(columns, c)
			}
		}
		slices.Sort(columns)
		for _, t := range tables {
			known = known || t.name == name
		}
		if !known || len(columns) == 0 {
			delete(e.has, name)
			continue
		}
		if _, err := tx.Exec("DROP TABLE IF EXISTS " + staged + name); err != nil {
			return err
		}
		kind := ""
		if tx.Dialect() == store.Postgres {
			kind = " text"
		}
		if _, err := tx.Exec("CREATE TEMPORARY TABLE " + staged + name + ` ("` + strings.Join(columns, `"`+kind+`, "`) + `"` + kind + ")"); err != nil {
			return err
		}
		b := &batch{tx: tx, table: staged + name, columns: columns}
		if err := read(name, columns, b.put); err != nil {
			return err
		}
		if err := b.flush(); err != nil {
			return err
		}
	}
	return nil
}

// isName refuses column names that are no plain words: they come from a file.
func isName(text string) bool {
	return text != "" && strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// batch inserts rows by the thousand, as one JSON text.
type batch struct {
	tx      *store.Tx
	table   string
	columns []string
	rows    [][]any
	bytes   int
}

func (b *batch) put(row []any) error {
	for i, v := range row {
		switch t := v.(type) {
		case string:
			row[i] = strings.ReplaceAll(t, "\x00", "") // which PostgreSQL cannot keep
			b.bytes += len(t)
		case bool:
			row[i] = 0
			if t {
				row[i] = 1
			}
		case map[string]any, []any:
			return fmt.Errorf("%w: %s holds an object where text should be", ErrNotAChannel, b.table)
		}
	}
	if b.rows = append(b.rows, row); len(b.rows) >= 1000 || b.bytes > 4<<20 {
		return b.flush()
	}
	return nil
}

func (b *batch) flush() error {
	if len(b.rows) == 0 {
		return nil
	}
	text, err := json.Marshal(b.rows)
	if err != nil {
		return err
	}
	values := make([]string, len(b.columns))
	from := "json_each(?)"
	for i := range values {
		values[i] = "json_extract(value, '$[" + strconv.Itoa(i) + "]')"
	}
	if b.tx.Dialect() == store.Postgres {
		from = "json_array_elements(CAST(CAST(? AS text) AS json)) AS v(value)"
		for i := range values {
			values[i] = "value ->> " + strconv.Itoa(i)
		}
	}
	_, err = b.tx.Exec("INSERT INTO "+b.table+` ("`+strings.Join(b.columns, `", "`)+`") SELECT `+strings.Join(values, ", ")+" FROM "+from, string(text))
	b.rows, b.bytes = b.rows[:0], 0
	return err
}

// typesOf are the types of the library's columns on PostgreSQL; SQLite takes values as they are.
func typesOf(tx *store.Tx) (columnTypes, error) {
	if tx.Dialect() != store.Postgres {
		return nil, nil
	}
	all := columnTypes{}
	return all, store.ForEach(tx, func(row store.Scanner) error {
		var table, column, kind string
		if err := row.Scan(&table, &column, &kind); err != nil {
			return err
		}
		if all[table] == nil {
			all[table] = map[string]string{}
		}
		all[table][column] = kind
		return nil
	}, `SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relname LIKE 'content\_%' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped`)
}

// value is the SQL for a column of the library's from an edition's row s; what the edition's schema
// lacks gets its default.
func (e *Edition) value(t tableSpec, c column) string {
	value := c.missing
	switch old := e.old(t.name, c.name); {
	case old != "":
		value = old
	case e.has[t.name][c.name] || e.renamed(t.name)[c.name]:
		value = "s." + c.name
		if c.missing != "NULL" {
			value = "coalesce(" + e.cast(t.name, c.name, value) + ", " + c.missing + ")"
		}
	}
	return e.cast(t.name, c.name, value)
}

// cast gives a value its column's type; texts that are too long are cut.
func (e *Edition) cast(table, column, value string) string {
	if kind := e.types[table][column]; kind != "" {
		return "CAST(" + value + " AS " + kind + ")"
	}
	return value
}

// from is what a table is read from, or "" when the edition has none. Files from before channels had a
// schema version keep what is now in LocalFile beside the files.
func (e *Edition) from(table string) string {
	switch {
	case e.has[table] != nil:
		return e.prefix + table
	case e.renamed(table) != nil:
		return "(SELECT checksum AS id, min(extension) AS extension, min(file_size) AS file_size FROM " + e.prefix + "content_file GROUP BY checksum)"
	}
	return ""
}

func (e *Edition) renamed(table string) map[string]bool {
	if table == "content_localfile" && e.has[table] == nil && e.has["content_file"]["checksum"] {
		return map[string]bool{"id": true, "extension": true, "file_size": true}
	}
	return nil
}

// old is the SQL for a column that the oldest schemas know by another name or in another table, or "".
// kolibri/core/content/utils/channel_import.py: NoVersionChannelImport
func (e *Edition) old(table, column string) string {
	if table+"."+column == "content_contentnode.channel_id" && (!e.has[table][column] || !e.versioned()) {
		return "'" + e.Meta.ID + "'"
	}
	if e.has[table][column] {
		return ""
	}
	switch table + "." + column {
	case "content_contentnode.license_name", "content_contentnode.license_description":
		if e.has["content_license"][column] && e.has[table]["license_id"] {
			return "(SELECT l." + column + " FROM " + e.prefix + "content_license l WHERE l.id = s.license_id)"
		}
	case "content_file.local_file_id":
		return "s.checksum"
	case "content_channelmetadata.min_schema_version":
		return "'unversioned'"
	case "content_channelmetadata.root_id":
		return "s.root_pk"
	}
	return ""
}

// versioned tells whether the schema is one of those that are numbered: before, nodes did not know
// their channel.
func (e *Edition) versioned() bool {
	_, err := strconv.Atoi(e.Meta.Schema)
	return err == nil
}

// copy copies a table, or a stretch of it, by one statement.
func (e *Edition) copy(tx *store.Tx, t tableSpec, tree int64, part *stretch) error {
	from := e.from(t.name)
	if from == "" {
		return nil
	}
	var names, values, updates []string
	for _, c := range t.columns {
		value := ""
		switch c.name {
		case "available":
			value = "FALSE"
		case "tree_id":
			value = strconv.FormatInt(tree, 10)
		default:
			value = e.value(t, c)
		}
		names, values = append(names, `"`+c.name+`"`), append(values, value)
		if c.name != "id" {
			updates = append(updates, `"`+c.name+`" = excluded."`+c.name+`"`)
		}
	}
	rows := "(" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM " + from + " AS s"
	var args []any
	if part != nil {
		rows, args = rows+" WHERE s.rowid > ? AND s.rowid <= ?", []any{part.after, part.upTo}
	}
	if tx.Dialect() == store.SQLite {
		verb := "INSERT OR REPLACE INTO main."
		if t.keep {
			verb = "INSERT OR IGNORE INTO main."
		}
		_, err := tx.Exec(verb+t.name+" "+rows, args...)
		return err
	}
	conflict := " ON CONFLICT DO NOTHING"
	if !t.keep && t.columns[0].name == "id" {
		conflict = " ON CONFLICT (id) DO UPDATE SET " + strings.Join(updates, ", ")
	}
	_, err := tx.Exec("INSERT INTO " + t.name + " " + rows + conflict)
	return err
}
