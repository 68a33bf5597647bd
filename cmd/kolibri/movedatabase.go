//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"kolibri/store"
	"kolibri/store/move"
)

// moveDatabase copies a home's SQLite database into PostgreSQL, or back. The options name the
// PostgreSQL database (DATABASE_*); what is copied from stays as it is.
func moveDatabase(c *command, args []string) int {
	var to string
	s, code := c.settings("manage movedatabase", args, func(flags *flag.FlagSet) {
		flags.StringVar(&to, "to", "", "postgres: from this home's SQLite file into the database that the options name; sqlite: back")
	})
	if s == nil {
		return code
	}
	if to != "postgres" && to != "sqlite" {
		return c.usage("kolibri manage movedatabase", "--to must be postgres or sqlite.")
	}
	if s.Database.Engine != "postgres" {
		return c.fail(errors.New("set DATABASE_ENGINE to postgres, and DATABASE_NAME, _USER, _PASSWORD, _HOST and _PORT to the PostgreSQL database"))
	}
	if err := unused(s); err != nil {
		return c.fail(err)
	}
	copied, left, err := c.move(context.Background(), s, to)
	if err != nil {
		return c.fail(err)
	}
	rows := int64(0)
	for _, t := range copied {
		rows += t.Rows
	}
	fmt.Fprintf(c.out, "Copied %d rows of %d tables.\n", rows, len(copied))
	for _, name := range left {
		fmt.Fprintf(c.err, "Left behind: table %s is not one of Kolibri's.\n", name)
	}
	if to == "postgres" {
		fmt.Fprintf(c.out, "Channels stay in %s; the SQLite file is as it was.\n", s.ContentDir)
	} else {
		fmt.Fprintf(c.out, "Unset DATABASE_ENGINE to use %s.\n", filepath.Join(s.Home, mainDatabase))
	}
	return 0
}

func (c *command) move(ctx context.Context, s *settings, to string) (copied []move.Table, left []string, err error) {
	local := *s
	local.Database = database{Engine: "sqlite"}
	path := local.databasePath()
	if to == "postgres" && !exists(path) {
		return nil, nil, fmt.Errorf("there is no %s: KOLIBRI_HOME must be the home to copy from", path)
	}
	fresh := !exists(path)
	server, err := openHome(ctx, s, c.log, false)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, server.close(ctx)) }()
	if err := noServers(ctx, server.db); err != nil {
		return nil, nil, err
	}
	file, err := openHome(ctx, &local, c.log, true)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		err = errors.Join(err, file.close(ctx))
		if err != nil && fresh { // half of a home would be taken for one
			for _, suffix := range []string{"", "-wal", "-shm"} {
				_ = os.Remove(path + suffix)
			}
		}
	}()
	if to == "postgres" {
		return move.Copy(ctx, file.db, server.db)
	}
	return move.Copy(ctx, server.db, file.db)
}

// noServers makes sure that no server works on the PostgreSQL database meanwhile.
func noServers(ctx context.Context, db *store.DB) error {
	var connections int64
	err := db.Read(ctx, func(tx *store.Tx) (err error) {
		connections, err = tx.Int("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'kolibri'")
		return err
	})
	if others := connections - int64(db.Pool().Stats().OpenConnections); err == nil && others > 0 {
		err = fmt.Errorf("other Kolibri servers use this database (%d connections): stop them first", others)
	}
	return err
}
