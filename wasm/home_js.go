package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"kolibri/core/api"
	"kolibri/core/content/storage"
	"kolibri/morango"
	"kolibri/store"
	"kolibri/store/idb"
	"kolibri/store/opfs"
	"kolibri/store/tab"
)

// errNoStorage: the browser gives this site nowhere to keep data. Kolibri then does not start,
// because work that looks saved and is not is worse than none.
var errNoStorage = errors.New("this browser keeps no data for this site")

// home is where the database lies.
type home struct {
	disk *tab.Disk
	dir  string
}

// findHome looks for storage that lasts: the private file system, or IndexedDB where the browser has
// no such thing. A full or busy file system is no reason to take the other: a person would find
// an empty Kolibri and believe that everything is lost.
func findHome(ctx context.Context, dir string) (*home, error) {
	first := opfs.Disk.Available(ctx)
	if first == nil {
		return &home{opfs.Disk, dir}, nil
	}
	var thrown *tab.Error
	if errors.Is(first, store.ErrFull) || errors.As(first, &thrown) && thrown.Name == "NoModificationAllowedError" {
		return nil, first
	}
	second := idb.Disk.Available(ctx)
	if second == nil {
		return &home{idb.Disk, dir}, nil
	}
	return nil, fmt.Errorf("%w: %w; %w", errNoStorage, first, second)
}

// open opens the database. The first start copies the ready-made one of the build: running the
// schema's statements in code that is not yet optimised takes half a second.
func (h *home) open(ctx context.Context, build fs.FS, readyMade string) (*store.DB, error) {
	there, err := h.disk.Exists(ctx, h.dir, database)
	if err != nil {
		return nil, err
	}
	if !there && readyMade != "" {
		content, err := fs.ReadFile(build, readyMade)
		if err != nil {
			return nil, err
		}
		if err := h.disk.Install(ctx, h.dir, database, bytes.NewReader(content)); err != nil {
			return nil, err
		}
	}
	return h.disk.Open(ctx, h.dir, database, now)
}

// folder is a folder of the home, beside the database.
func (h *home) folder(name string) *tab.Folder {
	if h.disk == opfs.Disk {
		return opfs.NewFolder(h.dir + "/" + name)
	}
	return idb.NewFolder(h.dir + "/" + name)
}

// content is the folder of channels. A database in IndexedDB cannot read a second one by SQL.
func (h *home) content() *storage.Store {
	folder := h.folder("content")
	if h.disk != opfs.Disk {
		return &storage.Store{FS: folder, HTTP: outgoing{}}
	}
	return &storage.Store{FS: folder, HTTP: outgoing{}, Attachable: folder.Path}
}

// media is the folder of exports and uploads.
func (h *home) media() api.Media { return api.Media{FS: h.folder("media")} }

// backup writes the database as one consistent file.
func (h *home) backup(ctx context.Context, db *store.DB, w io.Writer) error {
	return h.disk.Backup(ctx, db.Pool(), w)
}

// rescue writes the bytes of a database that does not open.
func (h *home) rescue(ctx context.Context, w io.Writer) error {
	return h.disk.ReadFile(ctx, h.dir, database, w)
}

// restore replaces the closed database by r, unless r is not one of Kolibri's. The place that it comes
// from may go on with its own: for synchronizations this is a device of its own from now on.
func (h *home) restore(ctx context.Context, r io.Reader) error {
	if err := h.disk.Restore(ctx, h.dir, database, r, isKolibri); err != nil {
		return err
	}
	db, err := h.disk.Open(ctx, h.dir, database, now)
	if err != nil {
		return err
	}
	err = db.Write(ctx, func(tx *store.Tx) error {
		_, err := morango.RenewDatabase(tx, rand.Reader, morango.ThisMachine())
		return err
	})
	return errors.Join(err, db.Close())
}

// reset deletes the closed database and all content.
func (h *home) reset(ctx context.Context) error {
	if err := h.disk.Remove(ctx, h.dir, database); err != nil {
		return err
	}
	return errors.Join(h.folder("content").RemoveAll(ctx), h.folder("media").RemoveAll(ctx))
}

// errNotKolibri: a file is a database, but of something else.
var errNotKolibri = errors.New("the file is not a database of Kolibri")

func isKolibri(ctx context.Context, pool *sql.DB) error {
	var tables int
	err := pool.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'
		AND name IN ('kolibriauth_facilityuser', 'device_devicesettings', 'django_migrations')`).Scan(&tables)
	if err == nil && tables != 3 {
		err = errNotKolibri
	}
	return err
}
