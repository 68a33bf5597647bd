package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"kolibri/core/content/storage"
	"kolibri/store"
)

// contentFiles lists the content that a database has, by the names in the content folder.
func contentFiles(ctx context.Context, db *store.DB) ([]string, error) {
	var names []string
	err := db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(`SELECT id, extension FROM content_localfile WHERE available
			UNION ALL SELECT id, NULL FROM content_channelmetadata ORDER BY 1`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			var extension *string
			if err := rows.Scan(&id, &extension); err != nil {
				return err
			}
			name := storage.DatabaseName(id)
			if extension != nil {
				if name, err = storage.FileName(id, *extension); err != nil {
					return err
				}
			}
			names = append(names, name)
		}
		return rows.Err()
	})
	return names, err
}

// packContent adds the content folder to an archive. What a person has deleted meanwhile is left out.
func (h *home) packContent(ctx context.Context, db *store.DB, archive *zip.Writer) error {
	content := h.content()
	names, err := contentFiles(ctx, db)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := pack(ctx, content.FS, name, archive); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func pack(ctx context.Context, content fs.FS, name string, archive *zip.Writer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	file, err := content.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	entry, err := archive.CreateHeader(&zip.FileHeader{Name: "content/" + name, Method: zip.Store, Modified: now()})
	if err != nil {
		return err
	}
	_, err = io.Copy(entry, file)
	return err
}

// contentName checks the name of a file that a backup brings. It returns its checksum, empty for a
// channel's database.
func contentName(name string) (checksum string, err error) {
	base, extension, _ := strings.Cut(path.Base(name), ".")
	if usual, err := storage.FileName(base, extension); err == nil && (usual == name || storage.DatabaseName(base) == name) {
		if usual == name {
			checksum = base
		}
		return checksum, nil
	}
	return "", fmt.Errorf("%q is no name of content", name)
}

// putContent takes a file of a backup: 201, or 200 for a resource that is there already.
func (a *app) putContent(w http.ResponseWriter, r *http.Request, name string) {
	content := a.home.content()
	checksum, err := contentName(name)
	if err != nil {
		hostError(w, err)
		return
	}
	if _, err := content.Size(name); err == nil && checksum != "" {
		w.WriteHeader(http.StatusOK)
		return
	}
	if err := content.Put(r.Context(), r.Body, name, checksum, nil); err != nil {
		a.log.Error("restore content", "name", name, "error", err)
		hostError(w, errors.Join(err, content.Remove(name+".transfer")))
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// deleteContent takes a file back that a backup has brought.
func (a *app) deleteContent(w http.ResponseWriter, name string) {
	content := a.home.content()
	_, err := contentName(name)
	if err == nil {
		err = content.Remove(name)
	}
	if err != nil {
		hostError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
