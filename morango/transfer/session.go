package transfer

import (
	"time"

	"kolibri/store"
)

// Session is what the operations need to know of a transfer: one direction of a synchronization.
type Session struct {
	// ID is the transfer session's id; its row must be in morango_transfersession.
	ID     string
	Filter Filter
	// Push is true when the client sends to the server; Server where this device is the server.
	Push, Server bool
	// V2 is true when both devices have the capability FSIC_V2_FORMAT.
	V2 bool
	// ClientFSIC and ServerFSIC are the counters of both sides, as they travel.
	ClientFSIC, ServerFSIC string
}

// Receives tells whether this device receives the records.
func (s *Session) Receives() bool { return s.Push == s.Server }

// producer and receiver are the counters of the two sides by what they do.
func (s *Session) producer() string {
	if s.Push {
		return s.ClientFSIC
	}
	return s.ServerFSIC
}

func (s *Session) receiver() string {
	if s.Push {
		return s.ServerFSIC
	}
	return s.ClientFSIC
}

// Buffer is a record on its way, in the form in which it travels.
type Buffer struct {
	TransferSession   string  `json:"transfer_session"`
	ModelUUID         string  `json:"model_uuid"`
	ModelName         string  `json:"model_name"`
	Profile           string  `json:"profile"`
	Partition         string  `json:"partition"`
	SourceID          string  `json:"source_id"`
	Serialized        string  `json:"serialized"`
	Conflicting       string  `json:"conflicting_serialized_data"`
	SelfRefFK         string  `json:"_self_ref_fk"`
	LastSavedInstance string  `json:"last_saved_instance"`
	LastSavedCounter  int64   `json:"last_saved_counter"`
	Deleted           bool    `json:"deleted"`
	HardDeleted       bool    `json:"hard_deleted"`
	MaxCounters       []Saved `json:"rmcb_list"`
}

// Saved tells up to which counter an instance's changes are in a record.
type Saved struct {
	TransferSession string `json:"transfer_session"`
	ModelUUID       string `json:"model_uuid"`
	InstanceID      string `json:"instance_id"`
	Counter         int64  `json:"counter"`
}

// Options bound an operation.
type Options struct {
	// Limit is how many records one call handles, about; 0 is no limit. The caller commits and calls
	// again while Result.More is true, so that others get at the database in between.
	Limit int
	// Continue is set when the call goes on where one with a limit ended (Deserialize only).
	Continue bool
	// SkipErroring passes over records that failed before (Deserialize only).
	SkipErroring bool
	// Progress, when given, hears how many records have been handled in this call.
	Progress func(done int)
}

// Result counts what an operation did.
type Result struct {
	// Records were written, Deleted are those among them that are now deleted.
	Records, Deleted int
	// Failed could not be deserialized; their store rows say why and stay dirty.
	Failed int
	// More is true when the limit was reached.
	More bool
}

// Expiry says which sessions Cleanup closes.
type Expiry struct {
	// Before: sessions without activity since then.
	Before time.Time
	// IDs, when given, are the only sync sessions considered.
	IDs []string
	// ClientInstance and ServerInstance, when given, must be those of the sync session.
	ClientInstance, ServerInstance string
	// Filter, when given, must be the transfer session's; Push and Pull choose directions, both or
	// neither mean all.
	Filter     string
	Push, Pull bool
}

// Touched are the ids of the records of a model that a transfer session changed in the store.
func Touched(tx *store.Tx, session, model string) ([]string, error) {
	return tx.Strings("SELECT id FROM morango_store WHERE last_transfer_session_id = ? AND model_name = ? ORDER BY id", session, model)
}
