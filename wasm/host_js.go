package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"kolibri/core/content/storage"
	"kolibri/wasm/bridge"
)

// hostPrefix begins the paths, below the app's root, that are not Kolibri's but the browser's:
// what the shell needs to save, replace and delete a person's data. docs/protocol.md lists them.
const hostPrefix = "_host/"

// hostRoute finds the handler of a host route, nil for all other requests.
func (a *app) hostRoute(r *http.Request) http.HandlerFunc {
	_, name, ok := strings.Cut(r.URL.Path, "/"+hostPrefix)
	if ok && r.RemoteAddr != bridge.OwnPage {
		return http.NotFound // the data as a whole are nobody's else
	}
	if !ok {
		return nil
	}
	if name, ok := strings.CutPrefix(name, "content/"); ok && a.home != nil {
		switch r.Method {
		case http.MethodPut:
			return func(w http.ResponseWriter, r *http.Request) { a.putContent(w, r, name) }
		case http.MethodDelete:
			return func(w http.ResponseWriter, r *http.Request) { a.deleteContent(w, name) }
		}
	}
	switch r.Method + " " + name {
	case "GET backup":
		return a.backup
	case "POST restore":
		return a.restore
	case "POST reset":
		return a.reset
	}
	return http.NotFound
}

// backup streams the whole home as a zip in the layout of a KOLIBRI_HOME, its content only with
// ?content=1. A database that does not open is saved as it is, so that nobody has to delete what
// might still be rescued.
func (a *app) backup(w http.ResponseWriter, r *http.Request) {
	db := a.gate.database()
	if a.home == nil {
		hostError(w, errNoStorage)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="kolibri-home-`+now().Format("2006-01-02")+`.zip"`)
	archive := zip.NewWriter(w)
	// Stored, not deflated: compression in WebAssembly would take longer than writing the file.
	entry, err := archive.CreateHeader(&zip.FileHeader{Name: database, Method: zip.Store, Modified: now()})
	if err == nil {
		if db != nil {
			err = a.home.backup(r.Context(), db, entry)
		} else {
			err = a.home.rescue(r.Context(), entry)
		}
	}
	if err == nil && db != nil && r.URL.Query().Get("content") != "" {
		err = a.home.packContent(r.Context(), db, archive)
	}
	if err = errors.Join(err, archive.Close()); err != nil {
		a.log.Error("backup", "error", err)
		panic(http.ErrAbortHandler) // a broken download, not half a file that looks whole
	}
}

// restore replaces the database by the request's body and ends the server, which the shell starts
// anew. What does not pass the checks changes nothing.
func (a *app) restore(w http.ResponseWriter, r *http.Request) {
	a.replace(w, r, func() error { return a.home.restore(r.Context(), r.Body) })
}

// reset deletes the database and ends the server, which the shell starts anew.
func (a *app) reset(w http.ResponseWriter, r *http.Request) {
	a.replace(w, r, func() error { return a.home.reset(r.Context()) })
}

// replace closes the database, changes it and answers. Nothing else is answered from then on, until
// the shell has started the next server. The sessions of the old data end with it.
func (a *app) replace(w http.ResponseWriter, r *http.Request, change func() error) {
	if a.home == nil {
		hostError(w, errNoStorage)
		return
	}
	a.gate.shut()
	if a.close != nil {
		a.close()
		a.close = nil
	}
	if err := change(); err != nil {
		a.log.Error("replace", "error", err)
		hostError(w, err)
		return
	}
	for _, c := range r.Cookies() {
		http.SetCookie(w, &http.Cookie{Name: c.Name, Path: "/", MaxAge: -1})
	}
	w.WriteHeader(http.StatusNoContent)
}

func hostError(w http.ResponseWriter, err error) {
	code := failureCode(err)
	switch {
	case errors.Is(err, errNotKolibri):
		code = "not-kolibri"
	case errors.Is(err, storage.ErrDamaged):
		code = "damaged-content"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusConflict)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "message": err.Error()})
}
