package server

import (
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/store"
)

// fail is the one place where an error becomes an answer, in the shapes of
// kolibri/core/utils/exception_handler.py. What is no *api.Error is an internal failure: its text
// goes to the log, never to the user.
func (s *Server) fail(w http.ResponseWriter, err error) {
	var e *api.Error
	if !errors.As(err, &e) {
		e = s.internal(err)
	}
	for name, values := range e.Header {
		w.Header()[name] = values
	}
	if e.HTML != "" {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(e.Status)
		_, _ = w.Write([]byte(e.HTML))
		return
	}
	var body any = map[string]string{"detail": e.Detail}
	switch {
	case e.Items != nil:
		body = e.Items
	case e.Body != nil:
		body = e.Body
	}
	text, jsonErr := api.JSON(body)
	if jsonErr != nil {
		text = []byte(`{"detail":"Server error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(text)
}

// internal maps the store's errors and everything unexpected.
func (s *Server) internal(err error) *api.Error {
	switch {
	case errors.Is(err, store.ErrBusy):
		// kolibri/core/device/middleware.py: DatabaseBusyErrorHandler
		return &api.Error{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"10"}},
			Detail: "Database is not available for write operations", Cause: err}
	case errors.Is(err, store.ErrValue):
		// What no field's rule has caught; PostgreSQL is stricter about its columns than SQLite.
		return &api.Error{Status: http.StatusBadRequest, Cause: err,
			Items: []api.Item{{ID: api.Invalid, Metadata: map[string]any{"message": "A value is too large or of the wrong kind."}}}}
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrReadOnly):
		s.cfg.Log.Error("database out of reach", "error", err)
		return &api.Error{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"5"}},
			Detail: "Database is not available for write operations", Cause: err}
	case errors.Is(err, store.ErrFull):
		s.cfg.Log.Error("storage full", "error", err)
		return &api.Error{Status: http.StatusInsufficientStorage,
			Items: []api.Item{{ID: "STORAGE_FULL", Metadata: map[string]any{"message": "No space is left on this device. Nothing was lost, and nothing was saved: free some space and try again."}}}}
	}
	s.cfg.Log.Error("request failed", "error", err)
	return api.Fail(http.StatusInternalServerError, "SERVER_ERROR", map[string]any{"message": "The server met an error it did not expect."})
}

// notFound is the original's answer to an address it does not know.
func (s *Server) notFound(w http.ResponseWriter) { s.fail(w, api.NoPage()) }
