package store

import (
	"context"
	"errors"
	"fmt"
)

// The errors that callers tell apart. Drivers' errors are mapped to them by mapError.
var (
	// ErrNotFound: a query for one row found none.
	ErrNotFound = errors.New("store: no such row")
	// ErrUnique: a UNIQUE or PRIMARY KEY constraint was violated.
	ErrUnique = errors.New("store: a row with these values exists already")
	// ErrForeignKey: a row refers to one that does not exist, or is still referred to.
	ErrForeignKey = errors.New("store: a referenced row does not exist")
	// ErrConstraint: another constraint was violated (NOT NULL, CHECK).
	ErrConstraint = errors.New("store: a constraint was violated")
	// ErrValue: a value is not one of its column, such as too long a text in PostgreSQL.
	ErrValue = errors.New("store: a value does not fit its column")
	// ErrBusy: the database is locked by somebody else; try again.
	ErrBusy = errors.New("store: the database is busy")
	// ErrUnavailable: the database cannot be reached: it restarts, fails over, or has no connection left.
	ErrUnavailable = errors.New("store: the database cannot be reached")
	// ErrFull: the disk or the browser's quota is full. Nothing of the transaction was kept.
	ErrFull = errors.New("store: no space left")
	// ErrCorrupt: the file is damaged or is not a database.
	ErrCorrupt = errors.New("store: the database file is damaged")
	// ErrReadOnly: a write was tried in a read-only transaction or on a read-only disk.
	ErrReadOnly = errors.New("store: the database cannot be written")
)

// wrap joins the sentinel with the driver's own error, so that errors.Is finds both.
func wrap(sentinel, err error) error { return fmt.Errorf("%w: %w", sentinel, err) }

// mapError turns a driver's error into one of the sentinels; others pass unchanged.
func mapError(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if s := sqliteSentinel(err); s != nil {
		return wrap(s, err)
	}
	if s := postgresSentinel(err); s != nil {
		return wrap(s, err)
	}
	return err
}
