//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"kolibri/store"
)

// A real Kolibri keeps some tables in files of their own
// (kolibri/deployment/default/sqlite_db_names.py), this server keeps all in one. So that either can
// open what the other left, rows move: at the start out of the side files into the main one (adopt),
// at the end copies go back (handOver). While this server runs the side files are empty, so a row
// is never in both with different contents, not even after a crash; docs/native.md tells the rest.

// sideFile is one of the original's further files.
type sideFile struct {
	path   string
	tables []string
	// adopted tells whether rows are taken over; sessions are not: people sign in again.
	adopted bool
}

func (s *settings) sideFiles() []sideFile {
	in := func(name string) string { return filepath.Join(s.Home, name+".sqlite3") }
	return []sideFile{
		{s.JobStorageFile, []string{"jobs"}, true},
		{in("notifications"), []string{"notifications_learnerprogressnotification", "notifications_notificationslog"}, true},
		{in("networklocation"), []string{"discovery_networklocation"}, true},
		{in("syncqueue"), []string{"device_syncqueue"}, true},
		{in("sessions"), []string{"kolibriauth_session"}, false},
	}
}

// numbered tables count their rows, so the same number may stand for different rows in two files.
func numbered(table string) bool { return strings.HasPrefix(table, "notifications_") }

// adopt moves the rows of all side files that exist into the main database. A side file that cannot
// be read is left as it is and reported; what it holds is not worth refusing to start.
func adopt(ctx context.Context, db *store.DB, files []sideFile, log *slog.Logger) error {
	return withAttached(ctx, db, func(c *sql.Conn) error {
		for _, f := range files {
			if !f.adopted || !exists(f.path) {
				continue
			}
			if err := attached(ctx, c, f.path, func() error { return adoptFile(ctx, c, f) }); err != nil {
				log.Error("a file of an earlier Kolibri cannot be read and is left alone", "file", f.path, "error", err)
			}
		}
		return nil
	})
}

func adoptFile(ctx context.Context, c *sql.Conn, f sideFile) error {
	complete, err := sameStamp(ctx, c)
	if err != nil {
		return err
	}
	moved := false
	err = inTransaction(ctx, c, func() error {
		for _, table := range f.tables {
			columns, err := commonColumns(ctx, c, table)
			if err != nil || columns == nil {
				return err
			}
			n, err := adoptTable(ctx, c, table, columns, complete)
			if err != nil {
				return err
			}
			moved = moved || n
		}
		return nil
	})
	if err != nil || !moved {
		return err
	}
	// only now that the rows are safe in the main file
	return inTransaction(ctx, c, func() error {
		for _, table := range f.tables {
			if _, err := c.ExecContext(ctx, `DELETE FROM side."`+table+`"`); err != nil {
				return err
			}
		}
		_, err := c.ExecContext(ctx, "PRAGMA side.user_version = 0")
		return err
	})
}

// adoptTable takes over one table. complete says that the side file was written by handOver from
// this very main file: then it has all rows and what it lacks was deleted by the original.
func adoptTable(ctx context.Context, c *sql.Conn, table string, columns []string, complete bool) (moved bool, err error) {
	if !complete {
		var rows int
		if err := c.QueryRowContext(ctx, `SELECT count(*) FROM side."`+table+`"`).Scan(&rows); err != nil || rows == 0 {
			return false, err
		}
	}
	list := strings.Join(columns, ", ")
	insert := fmt.Sprintf(`INSERT OR REPLACE INTO main.%q (%s) SELECT %s FROM side.%q`, table, list, list, table)
	switch {
	case complete:
		if _, err := c.ExecContext(ctx, fmt.Sprintf(`DELETE FROM main.%q`, table)); err != nil {
			return false, err
		}
	case numbered(table):
		insert = mergeNumbered(table, columns)
	}
	_, err = c.ExecContext(ctx, insert)
	return true, err
}

// mergeNumbered adds the rows whose content is not there yet, under new numbers.
func mergeNumbered(table string, columns []string) string {
	var content, same []string
	for _, c := range columns {
		if c != `"id"` {
			content = append(content, c)
			same = append(same, fmt.Sprintf("m.%s IS s.%s", c, c))
		}
	}
	list := strings.Join(content, ", ")
	return fmt.Sprintf(`INSERT INTO main.%q (%s) SELECT %s FROM side.%q AS s WHERE NOT EXISTS (SELECT 1 FROM main.%q AS m WHERE %s) ORDER BY s."id"`,
		table, list, list, table, table, strings.Join(same, " AND "))
}

// handOver writes copies of the rows into the side files, which it makes where they lack, for a real
// Kolibri that may open this home next. A side file that cannot be written is reported and left; the
// main file has everything.
func handOver(ctx context.Context, db *store.DB, files []sideFile, log *slog.Logger) error {
	stamp, err := newStamp()
	if err != nil {
		return err
	}
	return withAttached(ctx, db, func(c *sql.Conn) error {
		for _, f := range files {
			var err error
			if !exists(f.path) {
				err = makeSideFile(ctx, c, f)
			}
			if err == nil {
				err = attached(ctx, c, f.path, func() error { return fillSideFile(ctx, c, f, stamp) })
			}
			if err != nil {
				log.Error("a file for an original Kolibri cannot be written", "file", f.path, "error", err)
			}
		}
		_, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA main.user_version = %d", stamp))
		return err
	})
}

func fillSideFile(ctx context.Context, c *sql.Conn, f sideFile, stamp int32) error {
	if !f.adopted {
		return nil
	}
	return inTransaction(ctx, c, func() error {
		for _, table := range f.tables {
			columns, err := commonColumns(ctx, c, table)
			if err != nil || columns == nil {
				return err
			}
			list := strings.Join(columns, ", ")
			for _, statement := range []string{
				fmt.Sprintf(`DELETE FROM side.%q`, table),
				fmt.Sprintf(`INSERT INTO side.%q (%s) SELECT %s FROM main.%q`, table, list, list, table),
			} {
				if _, err := c.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
		}
		_, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA side.user_version = %d", stamp))
		return err
	})
}

// makeSideFile makes a file as the original ships it: its tables, whose statements the main file
// has, and the list of all migrations.
func makeSideFile(ctx context.Context, c *sql.Conn, f sideFile) error {
	temporary := f.path + ".new"
	if err := os.RemoveAll(temporary); err != nil {
		return err
	}
	err := attached(ctx, c, temporary, func() error {
		return inTransaction(ctx, c, func() error {
			for _, table := range append([]string{"django_migrations"}, f.tables...) {
				statements, err := tableStatements(ctx, c, table)
				if err != nil {
					return err
				}
				for _, statement := range statements {
					if _, err := c.ExecContext(ctx, statement); err != nil {
						return err
					}
				}
			}
			_, err := c.ExecContext(ctx, "INSERT INTO side.django_migrations SELECT * FROM main.django_migrations WHERE app <> ?", ownMigrations)
			return err
		})
	})
	if err != nil {
		return err
	}
	return os.Rename(temporary, f.path)
}

// creates is how SQLite keeps the beginning of a table's or index's statement.
var creates = regexp.MustCompile(`^CREATE (TABLE|INDEX|UNIQUE INDEX) `)

// tableStatements are the statements that make a table and its indexes in the side file.
func tableStatements(ctx context.Context, c *sql.Conn, table string) ([]string, error) {
	rows, err := c.QueryContext(ctx, "SELECT sql FROM main.sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC", table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var statements []string
	for rows.Next() {
		var statement string
		if err := rows.Scan(&statement); err != nil {
			return nil, err
		}
		statements = append(statements, creates.ReplaceAllString(statement, "CREATE $1 side."))
	}
	return statements, rows.Err()
}

// sameStamp tells whether the side file is the copy that handOver made of this main file.
func sameStamp(ctx context.Context, c *sql.Conn) (bool, error) {
	var main, side int32
	err := errors.Join(
		c.QueryRowContext(ctx, "PRAGMA main.user_version").Scan(&main),
		c.QueryRowContext(ctx, "PRAGMA side.user_version").Scan(&side))
	return err == nil && main == side && main != 0, err
}

func newStamp() (int32, error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, err
	}
	return int32(binary.NativeEndian.Uint32(b[:])&0x7fffffff | 1), nil
}

// commonColumns are the quoted names of the columns that a table has in both files; nil when the
// side file does not have it.
func commonColumns(ctx context.Context, c *sql.Conn, table string) ([]string, error) {
	rows, err := c.QueryContext(ctx, `SELECT s.name FROM pragma_table_info(?, 'side') AS s JOIN pragma_table_info(?, 'main') AS m ON m.name = s.name`, table, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, `"`+name+`"`)
	}
	return names, rows.Err()
}

// withAttached runs fn on one connection of its own.
func withAttached(ctx context.Context, db *store.DB, fn func(*sql.Conn) error) error {
	c, err := db.Pool().Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(fn(c), c.Close())
}

func attached(ctx context.Context, c *sql.Conn, path string, fn func() error) error {
	if _, err := c.ExecContext(ctx, "ATTACH ? AS side", path); err != nil {
		return err
	}
	err := fn()
	_, detach := c.ExecContext(ctx, "DETACH side")
	return errors.Join(err, detach)
}

func inTransaction(ctx context.Context, c *sql.Conn, fn func() error) error {
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := fn(); err != nil {
		_, undo := c.ExecContext(ctx, "ROLLBACK")
		return errors.Join(err, undo)
	}
	_, err := c.ExecContext(ctx, "COMMIT")
	return err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
