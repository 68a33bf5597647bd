package main

import (
	"context"

	"kolibri/store"
	"kolibri/store/opfs"
)

const directory, name = "kill", "db.sqlite3"

// open opens the database with Kolibri's whole schema, as the server does.
func open(ctx context.Context, _ string) (*store.DB, error) {
	return opfs.Disk.Open(ctx, directory, name, nil)
}
