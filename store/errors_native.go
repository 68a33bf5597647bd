//go:build !js

package store

import (
	"database/sql/driver"
	"errors"
	"strings"
)

// sqlState is what pgx's errors offer; the interface keeps the driver out of this package.
type sqlState interface{ SQLState() string }

// postgresSentinel maps SQLSTATE codes (PostgreSQL manual, appendix A).
func postgresSentinel(err error) error {
	var u interface{ Unavailable() bool }
	if errors.As(err, &u) && u.Unavailable() || errors.Is(err, driver.ErrBadConn) {
		return ErrUnavailable
	}
	// pgx has no type for it: a number beyond its column's type is refused before it is sent.
	if strings.HasPrefix(err.Error(), "failed to encode args") {
		return ErrValue
	}
	var s sqlState
	if !errors.As(err, &s) {
		return nil
	}
	code := s.SQLState()
	switch {
	case code == "23505":
		return ErrUnique
	case code == "23503":
		return ErrForeignKey
	case len(code) == 5 && code[:2] == "23":
		return ErrConstraint
	case len(code) == 5 && code[:2] == "22":
		return ErrValue
	case code == "40001", code == "40P01", code == "55P03":
		return ErrBusy
	case code == "53100":
		return ErrFull
	case code == "53200", code == "53300", code == "57P01", code == "57P02", code == "57P03":
		return ErrUnavailable // out of memory or of connections; stopping, crashed, or starting
	case code == "25006":
		return ErrReadOnly
	}
	return nil
}
