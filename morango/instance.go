package morango

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"kolibri/store"
)

// Machine is what tells one machine from another.
type Machine struct {
	// SystemID and NodeID name the machine and its network card, both hashed by Hashed; they are
	// empty where nothing of the kind can be known, as in a browser.
	SystemID, NodeID string
	// Platform, Hostname, SysVersion and DBPath are remembered for people only.
	Platform, Hostname, SysVersion, DBPath string
}

// Hashed hides a machine's id or hardware address (morango/models/utils.py: _do_salted_hash).
func Hashed(value string) string {
	if value == "" {
		return ""
	}
	sum := sha1.Sum([]byte(strings.ToLower(value + "::b88281f3-302c-4def-bb87-043f681e4183")))
	return hex.EncodeToString(sum[:10])
}

// Instance is this device as other devices know it.
type Instance struct {
	ID, DatabaseID string
	Counter        int64
}

// CurrentInstance reads the device's identity, or returns store.ErrNotFound before EnsureInstance.
func CurrentInstance(tx *store.Tx) (Instance, error) {
	var i Instance
	err := tx.QueryRow("SELECT id, database_id, counter FROM morango_instanceidmodel WHERE current = ?", true).Scan(&i.ID, &i.DatabaseID, &i.Counter)
	return i, err
}

// EnsureInstance gives the database an id and the device its instance id, unless both are there and
// the machine is still the same. morango/models/core.py: get_or_create_current_instance
func EnsureInstance(tx *store.Tx, random io.Reader, m Machine) (Instance, error) {
	var database string
	err := tx.QueryRow("SELECT id FROM morango_databaseidmodel WHERE current = ?", true).Scan(&database)
	if errors.Is(err, store.ErrNotFound) {
		return RenewDatabase(tx, random, m)
	}
	if err != nil {
		return Instance{}, err
	}
	return ensureInstance(tx, database, m)
}

// RenewDatabase gives the database a new id and the device a new instance id. A copy of a database
// needs it before its first synchronization: else both copies would count with one counter.
func RenewDatabase(tx *store.Tx, random io.Reader, m Machine) (Instance, error) {
	database, err := NewID(random)
	if err != nil {
		return Instance{}, err
	}
	if _, err := tx.Exec("UPDATE morango_databaseidmodel SET current = ?", false); err != nil {
		return Instance{}, err
	}
	_, err = tx.Exec("INSERT INTO morango_databaseidmodel (id, current, date_generated, initial_instance_id) VALUES (?, ?, ?, '')", database, true, tx.Now())
	if err != nil {
		return Instance{}, err
	}
	return ensureInstance(tx, database, m)
}

func ensureInstance(tx *store.Tx, database string, m Machine) (Instance, error) {
	id := UUID(database, m.SystemID, m.NodeID)
	if current, err := CurrentInstance(tx); err == nil && current.ID == id {
		return current, nil
	} else if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Instance{}, err
	}
	if _, err := tx.Exec("UPDATE morango_instanceidmodel SET current = ? WHERE id <> ?", false, id); err != nil {
		return Instance{}, err
	}
	_, err := tx.Exec(`INSERT INTO morango_instanceidmodel (id, platform, hostname, sysversion, node_id, counter, current, db_path, database_id, system_id)
		VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET current = excluded.current, platform = excluded.platform,
		hostname = excluded.hostname, sysversion = excluded.sysversion, db_path = excluded.db_path`,
		id, m.Platform, m.Hostname, m.SysVersion, m.NodeID, true, m.DBPath, database, m.SystemID)
	if err != nil {
		return Instance{}, err
	}
	return CurrentInstance(tx)
}

// NextCounter counts the device's counter up and returns it with its new value, as every
// serialization and every receipt of records does.
func NextCounter(tx *store.Tx) (Instance, error) {
	if _, err := tx.Exec("UPDATE morango_instanceidmodel SET counter = counter + 1 WHERE current = ?", true); err != nil {
		return Instance{}, err
	}
	return CurrentInstance(tx)
}
