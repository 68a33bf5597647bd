package transfer

import (
	"hash/crc32"
	"slices"

	"kolibri/store"
)

// The numbers of morango's advisory locks (morango/sync/backends/postgres.py).
const (
	lockAll       = 1
	lockPartition = 2
)

// lock keeps other synchronizations of the same facility waiting until the transaction ends. SQLite
// has one writer anyway.
func lock(tx *store.Tx, filter Filter) error {
	if tx.Dialect() == store.SQLite {
		return nil
	}
	if _, err := tx.Exec("SELECT pg_advisory_xact_lock_shared(?)", lockAll); err != nil {
		return err
	}
	var keys []int64
	for _, prefix := range filter {
		key := int64(crc32.ChecksumIEEE([]byte(prefix[:min(len(prefix), 32)]))) - 2147483647
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys) // in one order for everybody, or two could wait for each other
	for _, key := range keys {
		if _, err := tx.Exec("SELECT pg_advisory_xact_lock(CAST(? AS integer), CAST(? AS integer))", lockPartition, min(key, 2147483647)); err != nil {
			return err
		}
	}
	return nil
}

// forUpdate keeps rows that were read from being changed before this transaction has ended, which
// only PostgreSQL would allow.
func forUpdate(tx *store.Tx) string {
	if tx.Dialect() == store.SQLite {
		return ""
	}
	return " FOR UPDATE"
}
