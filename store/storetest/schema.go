package storetest

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
)

var record = flag.Bool("record", false, "write the goldens from the databases named by the test instead of comparing")

// Recording tells whether the goldens shall be written.
func Recording() bool { return *record }

// CompareSchema compares facts about a schema with a golden file, or writes it when recording.
func CompareSchema(t *testing.T, golden string, facts []string) {
	t.Helper()
	if Recording() {
		require.NoError(t, os.WriteFile(golden, []byte(strings.Join(facts, "\n")+"\n"), 0o644))
		return
	}
	content, err := os.ReadFile(golden)
	require.NoError(t, err)
	want := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
	require.Empty(t, without(want, facts), "the schema lacks these")
	require.Empty(t, without(facts, want), "the schema has these in addition")
	require.Equal(t, want, facts)
}

func without(all, some []string) []string {
	known := map[string]bool{}
	for _, s := range some {
		known[s] = true
	}
	var rest []string
	for _, s := range all {
		if !known[s] {
			rest = append(rest, s)
		}
	}
	return rest
}

// SchemaFacts lists every table, column, index, constraint and foreign key of a database, one
// sorted line each, columns in their order.
func SchemaFacts(tx *store.Tx) ([]string, error) {
	queries := sqliteFacts
	if tx.Dialect() == store.Postgres {
		queries = postgresFacts
	}
	var facts []string
	for _, query := range queries {
		lines, err := store.Select(tx, func(row store.Scanner) (string, error) {
			var kind, table, name, rest sql.NullString
			err := row.Scan(&kind, &table, &name, &rest)
			return fmt.Sprintf("%s\t%s\t%s\t%s", table.String, kind.String, name.String, rest.String), err
		}, query)
		if err != nil {
			return nil, err
		}
		facts = append(facts, lines...)
	}
	sort.Strings(facts)
	return facts, nil
}

// Names of SQLite's indexes count only where somebody gave them; the others follow from the table.
var sqliteFacts = []string{
	`SELECT '0 table', name, NULL, CASE WHEN sql LIKE '%AUTOINCREMENT%' THEN 'autoincrement' END
		FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`,
	`SELECT printf('1 column %02d', c.cid), m.name, c.name, printf('%s %s default %s key %d', lower(c.type),
			CASE WHEN c."notnull" THEN 'not null' ELSE 'null' END, coalesce(c.dflt_value, 'none'), c.pk)
		FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`,
	`SELECT CASE WHEN i."unique" THEN '2 unique' ELSE '2 index' END, m.name, CASE WHEN i.origin = 'c' THEN i.name END,
			(SELECT group_concat(coalesce(x.name, '(expression)'), ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) x) ||
			CASE WHEN i.partial THEN ' partial' ELSE '' END
		FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
			AND i.name NOT LIKE 'kolibri_go_%'`,
	`SELECT '3 foreign key', m.name, f."from", printf('%s(%s) update %s delete %s%s', f."table", f."to", f.on_update, f.on_delete,
			CASE WHEN m.sql LIKE '%DEFERRABLE INITIALLY DEFERRED%' THEN ' deferred' ELSE '' END)
		FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`,
	`SELECT '4 check', name, NULL, sql FROM (SELECT name, (length(sql) - length(replace(sql, 'CHECK (', ''))) / 7 || ' checks' AS sql
		FROM sqlite_master WHERE type = 'table' AND sql LIKE '%CHECK (%')`,
	`SELECT '5 ' || type, tbl_name, name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')`,
}

var postgresFacts = []string{
	`SELECT '0 table', table_name, NULL, NULL FROM information_schema.tables WHERE table_schema = current_schema()`,
	`SELECT '1 column ' || to_char(row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) - 1, 'FM00'), c.relname, a.attname,
			format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE ' null' END ||
			' default ' || coalesce(pg_get_expr(d.adbin, d.adrelid), 'none')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped`,
	`SELECT '2 index', tablename, indexname, replace(indexdef, current_schema() || '.', '') FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT LIKE 'kolibri_go_%'`,
	`SELECT '3 constraint', c.relname, k.conname, replace(pg_get_constraintdef(k.oid), current_schema() || '.', '')
		FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = current_schema()::regnamespace`,
	`SELECT '4 sequence', t.relname, a.attname, s.relname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a'
			JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
		WHERE s.relkind = 'S' AND t.relnamespace = current_schema()::regnamespace`,
	`SELECT '5 trigger', c.relname, t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
		WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace`,
}
