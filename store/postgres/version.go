//go:build !js

package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"kolibri/store"
	"kolibri/store/schema"
)

// ErrOlder: an older Kolibri made this database, and only its successors can migrate it.
var ErrOlder = errors.New("the database belongs to an older Kolibri: start Kolibri 0.19.5 on it once, which brings it up to date")

// checkVersion refuses databases of other Kolibri releases than the one whose schema this program
// knows. An empty database is fine.
func checkVersion(ctx context.Context, pool *sql.DB) error {
	var table sql.NullString
	if err := pool.QueryRowContext(ctx, "SELECT to_regclass('django_migrations')::text").Scan(&table); err != nil || !table.Valid {
		return err
	}
	rows, err := pool.QueryContext(ctx, "SELECT app, name FROM django_migrations")
	if err != nil {
		return err
	}
	defer rows.Close()
	seen := map[[2]string]bool{}
	for rows.Next() {
		var m [2]string
		if err := rows.Scan(&m[0], &m[1]); err != nil {
			return err
		}
		seen[m] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	apps := map[string]bool{}
	for _, m := range schema.DjangoMigrations() {
		apps[m[0]] = true
		if !seen[[2]string{m[0], m[1]}] {
			return fmt.Errorf("%w (it lacks %s.%s)", ErrOlder, m[0], m[1])
		}
		delete(seen, [2]string{m[0], m[1]})
	}
	for m := range seen {
		if apps[m[0]] { // others' apps and this project's own are none of this check's business
			return fmt.Errorf("%w: unknown migration %s.%s", store.ErrNewer, m[0], m[1])
		}
	}
	return nil
}
