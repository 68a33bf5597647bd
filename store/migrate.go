package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kolibri/store/schema"
)

// ErrNewer: the database was migrated by a newer program and is left alone.
var ErrNewer = errors.New("store: the database belongs to a newer version of Kolibri")

// migrationsApp is the name under which the project's own migrations stand in django_migrations;
// a real Kolibri passes over apps it does not know.
const migrationsApp = "kolibri_go"

type migration struct {
	name string
	run  func(*Tx, DDL) error
}

// DDL is the schema text in the database's dialect: the host passes the one it needs, so that the
// tab does not carry PostgreSQL's.
type DDL string

// migrations are run in order, each in its own transaction, and recorded by name.
var migrations = []migration{
	{"0001_kolibri_0_19_5", createSchema},
	{"0002_reserved_locations", insertReservedLocations},
	{"0003_sync_indexes", createSyncIndexes},
	{"0004_content_indexes", createContentIndexes},
	{"0005_notification_indexes", createNotificationIndexes},
	{"0006_people_index", createPeopleIndex},
}

// Migrate brings the database to the schema this program needs: it makes everything in an empty
// database, and completes the main file of a real Kolibri 0.19.5, which lacks the tables that the
// original keeps in files of their own. It returns ErrNewer when it meets a migration it does not know.
func Migrate(ctx context.Context, db *DB, ddl DDL) error {
	done, err := applied(ctx, db)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, m := range migrations {
		known[m.name] = true
	}
	for name := range done {
		if !known[name] {
			return fmt.Errorf("%w: unknown migration %s", ErrNewer, name)
		}
	}
	for _, m := range migrations {
		if done[m.name] {
			continue
		}
		err := db.Write(ctx, func(tx *Tx) error {
			if err := m.run(tx, ddl); err != nil {
				return err
			}
			_, err := tx.Exec("INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)", migrationsApp, m.name, tx.Now())
			return err
		})
		if err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	return nil
}

func applied(ctx context.Context, db *DB) (map[string]bool, error) {
	done := map[string]bool{}
	err := db.Read(ctx, func(tx *Tx) error {
		has, err := HasTable(tx, "django_migrations")
		if err != nil || !has {
			return err
		}
		names, err := tx.Strings("SELECT name FROM django_migrations WHERE app = ?", migrationsApp)
		for _, n := range names {
			done[n] = true
		}
		return err
	})
	return done, err
}

// HasTable tells whether a table exists.
func HasTable(tx *Tx, name string) (bool, error) {
	if tx.Dialect() == Postgres {
		return tx.Exists("SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?", name)
	}
	return tx.Exists("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name)
}

// createSchema makes all tables that do not exist yet, and the first rows of a database that had none.
func createSchema(tx *Tx, ddl DDL) error {
	fresh, err := HasTable(tx, "django_migrations")
	if err != nil {
		return err
	}
	fresh = !fresh
	existing := map[string]bool{}
	if !fresh {
		if existing, err = tableNames(tx); err != nil {
			return err
		}
	}
	for _, statement := range statements(string(ddl)) {
		if existing[tableOf(statement)] {
			continue
		}
		if _, err := tx.Exec(statement); err != nil {
			return err
		}
	}
	if !fresh {
		return nil
	}
	return insertFixtures(tx)
}

func tableNames(tx *Tx) (map[string]bool, error) {
	query := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if tx.Dialect() == Postgres {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
	}
	names, err := tx.Strings(query)
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set, err
}

// statements splits DDL text at the semicolons that end lines; comment lines are dropped.
func statements(ddl string) []string {
	var out []string
	var b strings.Builder
	for _, line := range strings.Split(ddl, "\n") {
		if strings.HasPrefix(line, "--") || strings.TrimSpace(line) == "" {
			continue
		}
		b.WriteString(line)
		b.WriteByte('\n')
		if strings.HasSuffix(strings.TrimRight(line, " "), ";") {
			out = append(out, strings.TrimSuffix(strings.TrimSpace(b.String()), ";"))
			b.Reset()
		}
	}
	return out
}

// tableOf names the table that a statement of the schema creates, indexes or alters.
func tableOf(statement string) string {
	fields := strings.Fields(statement)
	for i, word := range fields {
		switch strings.ToUpper(word) {
		case "TABLE", "ON":
			if i+1 < len(fields) {
				name := fields[i+1]
				if strings.EqualFold(name, "ONLY") && i+2 < len(fields) {
					name = fields[i+2]
				}
				name, _, _ = strings.Cut(name, "(")
				name = strings.TrimPrefix(name, "public.")
				return strings.Trim(name, `"`)
			}
		}
	}
	return ""
}

// insertFixtures writes the rows that the original's migrations leave in an empty database.
func insertFixtures(tx *Tx) error {
	for _, m := range schema.DjangoMigrations() {
		if _, err := tx.Exec("INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)", m[0], m[1], tx.Now()); err != nil {
			return err
		}
	}
	permission := 0
	for i, ct := range schema.ContentTypes() {
		if _, err := tx.Exec("INSERT INTO django_content_type (id, app_label, model) VALUES (?, ?, ?)", i+1, ct[0], ct[1]); err != nil {
			return err
		}
		for _, action := range []string{"add", "change", "delete", "view"} {
			permission++
			if _, err := tx.Exec("INSERT INTO auth_permission (id, content_type_id, codename, name) VALUES (?, ?, ?, ?)",
				permission, i+1, action+"_"+ct[1], "Can "+action+" "+ct[2]); err != nil {
				return err
			}
		}
	}
	if _, err := tx.Exec("INSERT INTO device_contentcachekey (key) VALUES (?)", tx.Now().Unix()); err != nil {
		return err
	}
	if err := insertScopes(tx); err != nil {
		return err
	}
	return resetSequences(tx, "django_content_type", "auth_permission")
}

// insertScopes: the two scopes that certificates are made for
// (kolibri/core/auth/constants/morango_sync.py and its scope definition fixtures).
func insertScopes(tx *Tx) error {
	scopes := [][]any{
		{"full-facility", "Allows full syncing for data under the Facility with FacilityDataset ID ${dataset_id}.", "", "", "${dataset_id}", "dataset_id"},
		{"single-user", "Allows syncing data for FacilityUser ${user_id} under Facility with FacilityDataset ID ${dataset_id}.",
			"${dataset_id}:allusers-ro\n${dataset_id}:user-ro:${user_id}", "${dataset_id}:anonymous", "${dataset_id}:user-rw:${user_id}", ""},
	}
	for _, s := range scopes {
		if _, err := tx.Exec(`INSERT INTO morango_scopedefinition (profile, version, id, description, read_filter_template,
			write_filter_template, read_write_filter_template, primary_scope_param_key) VALUES ('facilitydata', 1, ?, ?, ?, ?, ?, ?)`, s...); err != nil {
			return err
		}
	}
	return nil
}

// resetSequences: PostgreSQL's sequences do not see ids that were given.
func resetSequences(tx *Tx, tables ...string) error {
	if tx.Dialect() != Postgres {
		return nil
	}
	for _, t := range tables {
		if _, err := tx.Exec("SELECT setval(pg_get_serial_sequence('" + t + "', 'id'), (SELECT max(id) FROM " + t + "))"); err != nil {
			return err
		}
	}
	return nil
}

// insertReservedLocations writes the two network locations that the original keeps in a file of its
// own (kolibri/core/discovery/well_known.py).
func insertReservedLocations(tx *Tx, _ DDL) error {
	for _, l := range []struct{ id, url, application, nickname string }{
		{"2d04ed86aa8c519fae78a250e03d8482", "https://studio.learningequality.org", "", "Kolibri Studio"},
		{"2a824768819aa2bec5cecbc06a31ec1e", "https://kolibridataportal.learningequality.org", "Kolibri Data Portal", "Kolibri Data Portal"},
	} {
		if _, err := tx.Exec(`INSERT INTO discovery_networklocation (id, base_url, application, kolibri_version, instance_id,
			device_name, operating_system, added, last_accessed, nickname, subset_of_users_device, connection_faults,
			connection_status, is_local, location_type)
			VALUES (?, ?, ?, '0.16.0', ?, '', '', ?, ?, ?, ?, 0, 'Unknown', ?, 'reserved') ON CONFLICT DO NOTHING`,
			l.id, l.url, l.application, l.id, tx.Now(), tx.Now(), l.nickname, false, false); err != nil {
			return err
		}
	}
	return nil
}

// createSyncIndexes adds the indexes that keep a synchronization's cost with what has changed: the
// original scans every table for changed rows, and its store for the counters of every device. A real
// Kolibri passes over indexes that it does not know.
func createSyncIndexes(tx *Tx, _ DDL) error {
	statements := []string{
		"CREATE INDEX IF NOT EXISTS kolibri_go_store_saved ON morango_store (last_saved_instance, last_saved_counter)",
		"CREATE INDEX IF NOT EXISTS kolibri_go_counter_instance ON morango_recordmaxcounter (instance_id)",
	}
	for _, t := range []string{"attendance_attendancerecord", "attendance_attendancesession", "bookmarks_bookmark", "courses_coursesession",
		"courses_coursesessionassignment", "courses_unittestassignment", "device_learnerdevicestatus", "exams_exam", "exams_examassignment",
		"exams_individualsyncableexam", "kolibriauth_collection", "kolibriauth_facilitydataset", "kolibriauth_facilityuser",
		"kolibriauth_membership", "kolibriauth_role", "lessons_individualsyncablelesson", "lessons_lesson", "lessons_lessonassignment",
		"logger_attemptlog", "logger_contentsessionlog", "logger_contentsummarylog", "logger_examattemptlog", "logger_examlog",
		"logger_masterylog", "logger_usersessionlog"} {
		statements = append(statements, "CREATE INDEX IF NOT EXISTS kolibri_go_changed_"+t+" ON "+t+" (_morango_partition) WHERE _morango_dirty_bit")
	}
	for _, s := range statements {
		if _, err := tx.Exec(s); err != nil {
			return err
		}
	}
	return nil
}

// createContentIndexes makes the indexes that a library of many thousand resources is read by: the
// original's have nothing for the place in a tree, by which ancestors, descendants and pages are found.
func createContentIndexes(tx *Tx, _ DDL) error {
	for _, statement := range []string{
		"CREATE INDEX IF NOT EXISTS kolibri_go_tree ON content_contentnode (tree_id, lft, rght)",
		"CREATE INDEX IF NOT EXISTS kolibri_go_channel ON content_contentnode (channel_id, lft, id)",
		// not by what is available: SQLite would take such an index before that of the parents
		"CREATE INDEX IF NOT EXISTS kolibri_go_page ON content_contentnode (lft, id) WHERE available = TRUE",
	} {
		if _, err := tx.Exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// createNotificationIndexes adds the indexes by which coaches' pages find what happened in a class,
// and learners' progress finds what was told of it already: the original has one for the time alone
// and scans the table for both.
func createNotificationIndexes(tx *Tx, _ DDL) error {
	for _, statement := range []string{
		"CREATE INDEX IF NOT EXISTS kolibri_go_told_class ON notifications_learnerprogressnotification (classroom_id, timestamp)",
		"CREATE INDEX IF NOT EXISTS kolibri_go_told_user ON notifications_learnerprogressnotification (user_id)",
	} {
		if _, err := tx.Exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// createPeopleIndex adds the index by which the accounts of a facility are listed, counted and searched
// without reading the accounts themselves. The original has one for the facility alone.
func createPeopleIndex(tx *Tx, _ DDL) error {
	_, err := tx.Exec("CREATE INDEX IF NOT EXISTS kolibri_go_people ON kolibriauth_facilityuser (facility_id, date_deleted, username, id, full_name)")
	return err
}
