// Package session keeps track of synchronizations and takes transfers through their stages. A sync
// session joins two devices; each direction of it is a transfer session, whose stage and status are
// kept, so that after any interruption it goes on from where it was
// (morango/models/core.py: SyncSession, TransferSession; morango/sync/controller.py).
package session

import (
	"errors"
	"fmt"
	"time"

	"kolibri/morango/transfer"
	"kolibri/store"
)

// Status is how far a stage is.
type Status string

// The statuses. A pending stage is run again by the next attempt; an errored one ends the transfer.
const (
	Pending   Status = "pending"
	Started   Status = "started"
	Completed Status = "completed"
	Errored   Status = "errored"
)

// Sync is a sync session. Instances are JSON texts that describe the devices.
type Sync struct {
	ID                                       string
	Start, LastActivity                      time.Time
	Active, IsServer                         bool
	Profile                                  string
	ClientCertificateID, ServerCertificateID string
	ConnectionPath                           string
	ClientIP, ServerIP                       string
	ClientInstanceID, ClientInstance         string
	ServerInstanceID, ServerInstance         string
	ProcessID                                int64 // 0: none
}

// Transfer is one direction of a sync session.
type Transfer struct {
	ID, SyncID               string
	Start, LastActivity      time.Time
	Active, Push             bool
	Filter                   transfer.Filter
	Transferred              int64
	Total                    *int64 // nil while it is not known
	BytesReceived, BytesSent int64
	ServerFSIC, ClientFSIC   string
	Stage                    transfer.Stage // "" before the first
	Status                   Status
}

// Insert stores a new sync session.
func (s *Sync) Insert(tx *store.Tx) error {
	_, err := tx.Exec(`INSERT INTO morango_syncsession (id, start_timestamp, last_activity_timestamp, active, connection_kind, connection_path,
		is_server, client_ip, profile, server_ip, client_certificate_id, server_certificate_id, extra_fields, process_id, client_instance_json,
		server_instance_json, client_instance_id, server_instance_id)
		VALUES (?, ?, ?, ?, 'network', ?, ?, ?, ?, ?, ?, ?, '{}', ?, ?, ?, ?, ?)`,
		s.ID, s.Start, s.LastActivity, s.Active, s.ConnectionPath, s.IsServer, s.ClientIP, s.Profile, s.ServerIP,
		s.ClientCertificateID, s.ServerCertificateID, store.Null(s.ProcessID), s.ClientInstance, s.ServerInstance,
		store.Null(s.ClientInstanceID), store.Null(s.ServerInstanceID))
	return err
}

const syncColumns = `id, start_timestamp, last_activity_timestamp, active, is_server, profile, client_certificate_id, server_certificate_id,
	connection_path, client_ip, server_ip, client_instance_id, client_instance_json, server_instance_id, server_instance_json, process_id`

func scanSync(row store.Scanner) (*Sync, error) {
	s := &Sync{}
	var client, server, clientInstance, serverInstance *string
	var process *int64
	err := row.Scan(&s.ID, &s.Start, &s.LastActivity, &s.Active, &s.IsServer, &s.Profile, &client, &server, &s.ConnectionPath,
		&s.ClientIP, &s.ServerIP, &clientInstance, &s.ClientInstance, &serverInstance, &s.ServerInstance, &process)
	for _, v := range []struct{ from, to *string }{{client, &s.ClientCertificateID}, {server, &s.ServerCertificateID},
		{clientInstance, &s.ClientInstanceID}, {serverInstance, &s.ServerInstanceID}} {
		if v.from != nil {
			*v.to = *v.from
		}
	}
	if process != nil {
		s.ProcessID = *process
	}
	return s, err
}

// LoadSync reads a sync session, or returns store.ErrNotFound.
func LoadSync(tx *store.Tx, id string) (*Sync, error) {
	return store.Get(tx, scanSync, "SELECT "+syncColumns+" FROM morango_syncsession WHERE id = ?", id)
}

// SelectSyncs reads the sync sessions that meet a condition, those active last first.
func SelectSyncs(tx *store.Tx, where string, args ...any) ([]*Sync, error) {
	return store.Select(tx, scanSync, "SELECT "+syncColumns+" FROM morango_syncsession WHERE "+where+" ORDER BY last_activity_timestamp DESC", args...)
}

// CloseSync ends a sync session on this device.
func CloseSync(tx *store.Tx, id string) error {
	_, err := tx.Exec("UPDATE morango_syncsession SET active = ? WHERE id = ?", false, id)
	return err
}

// SetProcess notes which process works on a sync session.
func SetProcess(tx *store.Tx, id string, process int64) error {
	_, err := tx.Exec("UPDATE morango_syncsession SET process_id = ? WHERE id = ?", store.Null(process), id)
	return err
}

const transferColumns = `id, sync_session_id, start_timestamp, last_activity_timestamp, active, push, filter, records_transferred, records_total,
	coalesce(bytes_received, 0), coalesce(bytes_sent, 0), server_fsic, client_fsic, coalesce(transfer_stage, ''), coalesce(transfer_stage_status, '')`

func scanTransfer(row store.Scanner) (*Transfer, error) {
	t := &Transfer{}
	var filter string
	err := row.Scan(&t.ID, &t.SyncID, &t.Start, &t.LastActivity, &t.Active, &t.Push, &filter, &t.Transferred, &t.Total,
		&t.BytesReceived, &t.BytesSent, &t.ServerFSIC, &t.ClientFSIC, &t.Stage, &t.Status)
	t.Filter = transfer.ParseFilter(filter)
	return t, err
}

// LoadTransfer reads a transfer session, or returns store.ErrNotFound.
func LoadTransfer(tx *store.Tx, id string) (*Transfer, error) {
	return store.Get(tx, scanTransfer, "SELECT "+transferColumns+" FROM morango_transfersession WHERE id = ?", id)
}

// activeTransfer finds the unfinished transfer of a sync session in one direction.
func activeTransfer(tx *store.Tx, sync string, push bool) (*Transfer, error) {
	return store.Get(tx, scanTransfer, "SELECT "+transferColumns+` FROM morango_transfersession
		WHERE sync_session_id = ? AND push = ? AND active = ? ORDER BY last_activity_timestamp DESC LIMIT 1`, sync, push, true)
}

// insert stores a new transfer session.
func (t *Transfer) insert(tx *store.Tx) error {
	_, err := tx.Exec(`INSERT INTO morango_transfersession (id, filter, push, active, records_total, sync_session_id, last_activity_timestamp,
		client_fsic, records_transferred, server_fsic, start_timestamp, bytes_received, bytes_sent, transfer_stage, transfer_stage_status)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 0, 0, ?, ?)`, t.ID, t.Filter.String(), t.Push, true, t.Total, t.SyncID, t.LastActivity,
		t.ClientFSIC, t.ServerFSIC, t.Start, store.Null(string(t.Stage)), store.Null(string(t.Status)))
	return err
}

// Save writes what changes during a transfer, and that something was done.
func (t *Transfer) Save(tx *store.Tx) error {
	t.LastActivity = tx.Now()
	n, err := tx.Exec(`UPDATE morango_transfersession SET filter = ?, active = ?, records_total = ?, last_activity_timestamp = ?, client_fsic = ?,
		records_transferred = ?, server_fsic = ?, bytes_received = ?, bytes_sent = ?, transfer_stage = ?, transfer_stage_status = ? WHERE id = ?`,
		t.Filter.String(), t.Active, t.Total, t.LastActivity, t.ClientFSIC, t.Transferred, t.ServerFSIC, t.BytesReceived, t.BytesSent,
		store.Null(string(t.Stage)), store.Null(string(t.Status)), t.ID)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("morango: transfer session %s was removed: %w", t.ID, store.ErrNotFound)
	}
	_, err = tx.Exec("UPDATE morango_syncsession SET last_activity_timestamp = ? WHERE id = ?", t.LastActivity, t.SyncID)
	return err
}

// order is a stage's place among the stages; the empty stage is the first, an unknown one -1.
func order(s transfer.Stage) int {
	if s == "" {
		return 0
	}
	for i, known := range transfer.Stages {
		if known == s {
			return i
		}
	}
	return -1
}

// Before tells whether a stage comes before another.
func Before(a, b transfer.Stage) bool { return order(a) < order(b) }

// KnownStage tells whether there is a stage of this name.
func KnownStage(s transfer.Stage) bool { return s != "" && order(s) >= 0 }

// ErrClosed tells that a session is not active any more, or never was.
var ErrClosed = errors.New("morango: the session does not exist or is no longer active")

// StageError is why a stage failed and was made errored.
type StageError struct {
	Stage transfer.Stage
	Cause error
}

// Error implements error.
func (e *StageError) Error() string { return e.Cause.Error() }

// Unwrap gives the cause.
func (e *StageError) Unwrap() error { return e.Cause }
