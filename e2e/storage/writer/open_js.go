package main

import (
	"context"

	"kolibri/store"
	"kolibri/store/idb"
	"kolibri/store/opfs"
)

// open opens the database with Kolibri's whole schema, as the server does.
func open(ctx context.Context, backend string) (*store.DB, error) {
	disk := opfs.Disk
	if backend == idb.Disk.Name() {
		disk = idb.Disk
	}
	return disk.Open(ctx, "kill", "db.sqlite3", nil)
}
