package transfer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"kolibri/store"
)

// Stage is a step of a transfer.
type Stage string

// The stages in their order.
const (
	Initializing  Stage = "initializing"
	Serializing   Stage = "serializing"
	Queuing       Stage = "queuing"
	Transferring  Stage = "transferring"
	Dequeuing     Stage = "dequeuing"
	Deserializing Stage = "deserializing"
	Cleanup       Stage = "cleanup"
)

// Stages are all stages in their order.
var Stages = []Stage{Initializing, Serializing, Queuing, Transferring, Dequeuing, Deserializing, Cleanup}

// Event is what apps are told of a transfer.
type Event struct {
	Session
	SyncSessionID string
	// DatasetID is the id of the root certificate.
	DatasetID string
	// LocalSingleUser and RemoteSingleUser tell which side has a certificate for one user only, UserID
	// whose; it is empty when both have certificates for the whole facility.
	LocalSingleUser, RemoteSingleUser bool
	UserID                            string
	ClientInstanceID                  string
	ServerInstanceID                  string
	// RemoteVersion is the other device's Kolibri version, empty before 0.15.
	RemoteVersion string
	Random        io.Reader
}

// SoleUser tells whether exactly one side is a single user's device.
func (e *Event) SoleUser() bool { return e.LocalSingleUser != e.RemoteSingleUser }

// Operation is an app's part in a stage. It runs before morango's own at that stage, once for each
// transfer session however often the stage is tried; its failure fails the stage. An operation with
// After set runs behind morango's own instead.
type Operation struct {
	Name  string
	Stage Stage
	// Priority orders the operations of a stage, the highest first.
	Priority int
	After    bool
	Run      func(*store.Tx, *Event) error
}

// Hook is what an app does about synchronizations (kolibri/core/auth/hooks.py: FacilityDataSyncHook).
type Hook struct {
	App        string
	Operations []Operation
	// Before and Behind run before a transfer begins and when it has ended. Their errors are logged and
	// do not fail the synchronization.
	Before, Behind func(*store.Tx, *Event) error
}

// Hooks are those of all apps.
type Hooks []Hook

// Run carries out the apps' operations of a stage that this transfer session has not had yet, and
// notes them in the sync session. after chooses those that run behind morango's own.
func (h Hooks) Run(tx *store.Tx, stage Stage, after bool, e *Event) error {
	var due []Operation
	for _, hook := range h {
		for _, o := range hook.Operations {
			if o.Stage == stage && o.After == after {
				due = append(due, o)
			}
		}
	}
	if len(due) == 0 {
		return nil
	}
	slices.SortStableFunc(due, func(a, b Operation) int { return cmp.Compare(b.Priority, a.Priority) })
	extra := map[string]json.RawMessage{}
	var text string
	if err := tx.QueryRow("SELECT extra_fields FROM morango_syncsession WHERE id = ?", e.SyncSessionID).Scan(&text); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(cmp.Or(text, "{}")), &extra); err != nil {
		return fmt.Errorf("morango: extra fields of sync session %s: %w", e.SyncSessionID, err)
	}
	key := e.ID + ":" + string(stage)
	for _, o := range due {
		var history []string
		if raw, ok := extra[o.Name]; ok && json.Unmarshal(raw, &history) == nil && slices.Contains(history, key) {
			continue
		}
		if err := o.Run(tx, e); err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		raw, err := json.Marshal(append(history, key))
		if err != nil {
			return err
		}
		extra[o.Name] = raw
	}
	all, err := json.Marshal(extra)
	if err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE morango_syncsession SET extra_fields = ? WHERE id = ?", string(all), e.SyncSessionID)
	return err
}

// Begin runs every hook's Before; the errors are for the log only.
func (h Hooks) Begin(tx *store.Tx, e *Event) error {
	return h.aside(tx, e, func(hook *Hook) func(*store.Tx, *Event) error { return hook.Before })
}

// End runs every hook's Behind; the errors are for the log only.
func (h Hooks) End(tx *store.Tx, e *Event) error {
	return h.aside(tx, e, func(hook *Hook) func(*store.Tx, *Event) error { return hook.Behind })
}

// aside runs functions each in a savepoint, so that one that fails leaves nothing behind and stops
// no other.
func (h Hooks) aside(tx *store.Tx, e *Event, which func(*Hook) func(*store.Tx, *Event) error) error {
	var failed []error
	for i := range h {
		fn := which(&h[i])
		if fn == nil {
			continue
		}
		if err := tx.Savepoint(func() error { return fn(tx, e) }); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", h[i].App, err))
		}
	}
	return errors.Join(failed...)
}
