package store

import (
	"errors"
	"fmt"
)

// OpenError says why a database could not be opened, and what a person can do about it. It wraps
// one of the sentinel errors where the cause is known.
type OpenError struct {
	Path string // the file's name, or the server's address without secrets
	Hint string // for the person in front of the screen or the operator; may be empty
	Err  error
}

// Error implements error.
func (e *OpenError) Error() string { return fmt.Sprintf("open %s: %v", e.Path, e.Err) }

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Err }

var openHints = []struct {
	cause error
	hint  string
}{
	{ErrCorrupt, "Nothing was changed. Save a copy of the damaged file, then restore a backup or start anew."},
	{ErrNewer, "Start the newer version that used this database last; this one would damage it."},
	{ErrFull, "Free some space and try again. Everything saved before is still there."},
	{ErrBusy, "Another program or tab is using this database. Close it and try again."},
	{ErrUnavailable, "Look whether the database server runs and accepts connections from here."},
	{ErrReadOnly, "Make the folder of the database writable for the user that runs Kolibri."},
}

// OpenFailed turns what went wrong while opening path into an *OpenError. It returns nil for nil.
func OpenFailed(path string, err error) error {
	if err == nil {
		return nil
	}
	failed := &OpenError{Path: path, Err: mapError(err)}
	for _, h := range openHints {
		if errors.Is(failed.Err, h.cause) {
			failed.Hint = h.hint
			break
		}
	}
	return failed
}
