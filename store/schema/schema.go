// Package schema holds the tables of Kolibri 0.19.5 and the rows that a fresh Kolibri database
// starts with: what its own Django migrations make (kolibri/dist/home/*.sqlite3 in the wheel).
package schema

import (
	_ "embed"
	"strings"
)

// SQLite is the DDL for SQLite: all tables of the original's six files in one.
//
//go:embed sqlite.sql
var SQLite string

//go:embed migrations.tsv
var migrations string

//go:embed contenttypes.tsv
var contentTypes string

// DjangoMigrations lists (app, name) of every migration the schema corresponds to, in the order
// the original applied them.
func DjangoMigrations() [][]string { return table(migrations) }

// ContentTypes lists (app label, model, verbose name) of Django's content types by id from 1.
func ContentTypes() [][]string { return table(contentTypes) }

func table(text string) [][]string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	rows := make([][]string, len(lines))
	for i, line := range lines {
		rows[i] = strings.Split(line, "\t")
	}
	return rows
}
