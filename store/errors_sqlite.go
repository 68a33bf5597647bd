package store

import (
	"errors"

	"github.com/ncruces/go-sqlite3"
)

func sqliteSentinel(err error) error {
	switch {
	case errors.Is(err, sqlite3.CONSTRAINT_UNIQUE), errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY):
		return ErrUnique
	case errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY):
		return ErrForeignKey
	case errors.Is(err, sqlite3.CONSTRAINT):
		return ErrConstraint
	case errors.Is(err, sqlite3.TOOBIG), errors.Is(err, sqlite3.MISMATCH):
		return ErrValue
	case errors.Is(err, sqlite3.BUSY), errors.Is(err, sqlite3.LOCKED):
		return ErrBusy
	case errors.Is(err, sqlite3.FULL):
		return ErrFull
	case errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB):
		return ErrCorrupt
	case errors.Is(err, sqlite3.READONLY):
		return ErrReadOnly
	}
	return nil
}
