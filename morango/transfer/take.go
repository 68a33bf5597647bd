package transfer

import (
	"maps"
	"slices"

	"kolibri/morango"
	"kolibri/store"
)

// perStatement is how many rows are written by one statement: so few that its text is short enough to
// be kept compiled (store/prepared).
const perStatement = 64

// stored is what a record's place in the store says before it is taken.
type stored struct {
	instance string // that saved it last
	counter  int64
	dirty    bool
	session  string // that brought it
	counters Counters
}

// take merges records into the store and returns how many this session had not brought before. A
// record that both sides changed stays as it is here, with the other's version beside it; a deletion
// wins. morango/sync/backends/base.py: the steps of _dequeue_into_store
func take(tx *store.Tx, s *Session, records []*Buffer) (added int64, err error) {
	have, err := lookUp(tx, records)
	if err != nil {
		return 0, err
	}
	var fresh, conflicts []*Buffer
	var known, waiting []string
	for _, r := range records {
		was := have[r.ModelUUID]
		if was == nil || was.session != s.ID {
			added++
		}
		switch {
		case was == nil:
			fresh = append(fresh, r)
		case r.LastSavedCounter <= was.counters.of(r.LastSavedInstance):
			if was.session == s.ID {
				continue
			}
			if was.dirty { // which a transfer has left that did not come to its end
				waiting = append(waiting, r.ModelUUID)
			} else {
				known = append(known, r.ModelUUID)
			}
		case r.highest().of(was.instance) >= was.counter:
			fresh = append(fresh, r)
		default:
			conflicts = append(conflicts, r)
		}
	}
	if len(known) > 0 {
		again, err := alreadyMarked(tx, s, known)
		if err != nil {
			return 0, err
		}
		added -= again
	}
	if len(waiting) > 0 {
		if _, err := tx.Exec("UPDATE morango_store SET last_transfer_session_id = ? WHERE id IN ?", s.ID, store.In(waiting)); err != nil {
			return 0, err
		}
	}
	for part := range slices.Chunk(fresh, perStatement) {
		if err := replace(tx, s, part); err != nil {
			return 0, err
		}
	}
	if len(conflicts) > 0 {
		if err := mergeConflicts(tx, s, conflicts); err != nil {
			return 0, err
		}
	}
	return added, raiseRecords(tx, append(fresh, conflicts...))
}

// of is an instance's counter, -1 for one that is not known.
func (c Counters) of(instance string) int64 {
	if counter, ok := c[instance]; ok {
		return counter
	}
	return -1
}

// lookUp reads what the store has of records.
func lookUp(tx *store.Tx, records []*Buffer) (map[string]*stored, error) {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ModelUUID
	}
	have := map[string]*stored{}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var id string
		var session *string
		was := &stored{counters: Counters{}}
		if err := row.Scan(&id, &was.instance, &was.counter, &was.dirty, &session); err != nil {
			return err
		}
		if session != nil {
			was.session = *session
		}
		have[id] = was
		return nil
	}, "SELECT id, last_saved_instance, last_saved_counter, dirty_bit, last_transfer_session_id FROM morango_store WHERE id IN ?", store.In(ids))
	if err != nil || len(have) == 0 {
		return nil, err
	}
	ids = slices.Sorted(maps.Keys(have))
	return have, store.ForEach(tx, func(row store.Scanner) error {
		var id, instance string
		var counter int64
		err := row.Scan(&id, &instance, &counter)
		have[id].counters[instance] = counter
		return err
	}, "SELECT store_model_id, instance_id, counter FROM morango_recordmaxcounter WHERE store_model_id IN ?", store.In(ids))
}

// alreadyMarked notes of records, which the store had in these versions, that this session has brought them
// too, by empty buffers, and returns how many were noted before.
func alreadyMarked(tx *store.Tx, s *Session, ids []string) (int64, error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	n, err := tx.Exec("INSERT INTO morango_buffer (transfer_session_id, model_uuid, "+bufferColumns+") VALUES "+
		repeat("('"+s.ID+"',?,'',FALSE,'"+s.ID+"',0,FALSE,'','','','','','')", len(ids))+
		" ON CONFLICT (transfer_session_id, model_uuid) DO NOTHING", args...)
	return int64(len(ids)) - n, err
}

// replace writes records that are new, or later versions of what the store has.
func replace(tx *store.Tx, s *Session, records []*Buffer) error {
	args := make([]any, 0, 11*len(records))
	for _, r := range records {
		args = append(args, r.ModelUUID, r.Serialized, r.Deleted, r.LastSavedInstance, r.LastSavedCounter, r.HardDeleted, r.ModelName,
			r.Partition, r.SourceID, r.Conflicting, r.SelfRefFK)
	}
	// what all have in common stands in the text: an id and constants
	_, err := tx.Exec("INSERT INTO morango_store (id, "+bufferColumns+", dirty_bit, last_transfer_session_id) VALUES "+
		repeat("(?,?,?,?,?,?,?,'"+morango.Profile+"',?,?,?,?,TRUE,'"+s.ID+"')", len(records))+`
		ON CONFLICT (id) DO UPDATE SET serialized = excluded.serialized, deleted = excluded.deleted, hard_deleted = excluded.hard_deleted,
			last_saved_instance = excluded.last_saved_instance, last_saved_counter = excluded.last_saved_counter,
			model_name = excluded.model_name, profile = excluded.profile, partition = excluded.partition, source_id = excluded.source_id,
			conflicting_serialized_data = excluded.conflicting_serialized_data, _self_ref_fk = excluded._self_ref_fk,
			dirty_bit = excluded.dirty_bit, last_transfer_session_id = excluded.last_transfer_session_id,
			deserialization_error = NULL, deserialization_exception = NULL`, args...)
	return err
}

// mergeConflicts handles the records of which both sides have changes that the other has not seen.
func mergeConflicts(tx *store.Tx, s *Session, records []*Buffer) error {
	self, err := morango.NextCounter(tx)
	if err != nil {
		return err
	}
	for _, r := range records {
		_, err := tx.Exec(`UPDATE morango_store SET
				serialized = CASE WHEN `+cast(tx, "boolean")+` THEN '' ELSE serialized END,
				conflicting_serialized_data = CASE WHEN `+cast(tx, "boolean")+` OR hard_deleted THEN '' ELSE `+cast(tx, "text")+` || conflicting_serialized_data END,
				deleted = deleted OR `+cast(tx, "boolean")+`, hard_deleted = hard_deleted OR `+cast(tx, "boolean")+`,
				last_saved_instance = ?, last_saved_counter = ?, dirty_bit = ?, deserialization_error = NULL, deserialization_exception = NULL,
				last_transfer_session_id = ? WHERE id = ?`,
			r.HardDeleted, r.HardDeleted, r.Serialized+"\n", r.Deleted, r.HardDeleted, self.ID, self.Counter, true, s.ID, r.ModelUUID)
		if err != nil {
			return err
		}
		r.MaxCounters = append(r.MaxCounters, Saved{InstanceID: self.ID, Counter: self.Counter})
	}
	return nil
}

// raiseRecords raises the store's counters by those that came with records.
func raiseRecords(tx *store.Tx, records []*Buffer) error {
	args := make([]any, 0, 3*2*len(records))
	for _, r := range records {
		if len(r.MaxCounters) == 1 {
			args = append(args, r.MaxCounters[0].InstanceID, r.MaxCounters[0].Counter, r.ModelUUID)
			continue
		}
		for instance, counter := range r.highest() {
			args = append(args, instance, counter, r.ModelUUID)
		}
	}
	for part := range slices.Chunk(args, 3*perStatement) {
		_, err := tx.Exec("INSERT INTO morango_recordmaxcounter (instance_id, counter, store_model_id) VALUES "+repeat("(?,?,?)", len(part)/3)+`
			ON CONFLICT (store_model_id, instance_id) DO UPDATE SET counter = excluded.counter
			WHERE excluded.counter > morango_recordmaxcounter.counter`, part...)
		if err != nil {
			return err
		}
	}
	return nil
}
