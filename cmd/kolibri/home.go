//go:build unix

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"kolibri/core/api"
	"kolibri/store"
	"kolibri/store/postgres"
	"kolibri/store/schema"
	"kolibri/store/sqlite"
)

const (
	versionFile   = ".data_version"
	mainDatabase  = "db.sqlite3"
	ownMigrations = "kolibri_go" // the app under which this project's migrations stand
)

// home is an open KOLIBRI_HOME.
type home struct {
	settings *settings
	db       *store.DB
	log      *slog.Logger
	// exclusive says that no server runs beside this program: rows of the side files may move.
	exclusive bool
}

// openHome opens or makes the home's database. exclusive must be true only when no other process
// uses this home.
func openHome(ctx context.Context, s *settings, log *slog.Logger, exclusive bool) (*home, error) {
	for _, dir := range []string{s.Home, s.ContentDir} {
		if err := os.MkdirAll(dir, folderPermission); err != nil {
			return nil, fmt.Errorf("%w: make the folder writable or choose another by KOLIBRI_HOME or KOLIBRI_CONTENT_DIR", err)
		}
	}
	h := &home{settings: s, log: log, exclusive: exclusive && s.Database.Engine == "sqlite"}
	db, err := openDatabase(ctx, s)
	if err != nil {
		var failed *store.OpenError
		if errors.As(err, &failed) && failed.Hint != "" {
			return nil, fmt.Errorf("%w\n%s", err, failed.Hint)
		}
		return nil, err
	}
	h.db = db
	if h.exclusive {
		if err := adopt(ctx, db, s.sideFiles(), log); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return h, nil
}

// openDatabase opens the SQLite file of the home, or the PostgreSQL database that the options name.
func openDatabase(ctx context.Context, s *settings) (*store.DB, error) {
	if d := s.Database; d.Engine == "postgres" {
		return postgres.Open(ctx, postgres.Options{Name: d.Name, User: d.User, Password: d.Password, Host: d.Host, Port: d.Port,
			SSLMode: d.SSLMode, SSLRootCert: d.SSLRootCert, Connections: d.Connections}, nil)
	}
	path := s.databasePath()
	if err := checkVersions(ctx, s.Home, path); err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, path, nil)
}

// databasePath: kolibri/deployment/default/sqlite_db_names.py: get_sqlite_database_path.
func (s *settings) databasePath() string {
	name := s.Database.Name
	if name == "" {
		name = mainDatabase
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.Home, name)
}

// close leaves the home so that a real Kolibri can open it.
func (h *home) close(ctx context.Context) error {
	var err error
	if h.exclusive {
		if err = handOver(ctx, h.db, h.settings.sideFiles(), h.log); err == nil {
			err = writeFile(filepath.Join(h.settings.Home, versionFile), []byte(api.Version))
		}
	}
	return errors.Join(err, h.db.Close())
}

// checkVersions refuses homes whose schema is not the one this program knows: it neither migrates an
// older Kolibri's tables nor understands a newer one's.
func checkVersions(ctx context.Context, dir, path string) error {
	text, err := os.ReadFile(filepath.Join(dir, versionFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	last := strings.TrimSpace(string(text))
	if newer(last, api.Version) {
		return fmt.Errorf("this home belongs to Kolibri %s, which is newer than %s: this server would damage it. Use another KOLIBRI_HOME, or restore a backup made before the update", last, api.Version)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil // a new home
	}
	missing, err := missingMigrations(ctx, path)
	if err != nil || len(missing) == 0 {
		return nil // what is wrong with the file is found, with a better message, when it is opened
	}
	if last == "" {
		last = "an older version"
	}
	return fmt.Errorf("this home was last used by Kolibri %s: start Kolibri %s on it once, which brings its database up to date (%d steps are missing, the first is %s)",
		last, api.Version, len(missing), missing[0])
}

// missingMigrations lists those of the original's migrations that a database has not seen.
func missingMigrations(ctx context.Context, path string) ([]string, error) {
	pool, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=rw")
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	rows, err := pool.QueryContext(ctx, "SELECT app, name FROM django_migrations")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	seen := map[string]bool{}
	for rows.Next() {
		var app, name string
		if err := rows.Scan(&app, &name); err != nil {
			return nil, err
		}
		seen[app+"."+name] = true
	}
	var missing []string
	for _, m := range schema.DjangoMigrations() {
		if name := m[0] + "." + m[1]; !seen[name] {
			missing = append(missing, name)
		}
	}
	return missing, rows.Err()
}

// newer compares versions such as "0.19.5" and "0.20.0b1" by their leading numbers.
func newer(a, b string) bool {
	x, y := numbers(a), numbers(b)
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return x[i] > y[i]
		}
	}
	return false
}

func numbers(version string) []int {
	var out []int
	for _, part := range strings.SplitN(version, ".", 3) {
		end := 0
		for end < len(part) && part[end] >= '0' && part[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(part[:end])
		if err != nil {
			break
		}
		out = append(out, n)
	}
	return out
}
