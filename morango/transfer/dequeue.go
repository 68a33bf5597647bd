package transfer

import (
	"slices"

	"kolibri/morango"
	"kolibri/store"
)

// Dequeue merges the session's buffers into the store and notes the counters that the producer
// promised. Call it only when records were transferred, as the original does. A record that both
// sides changed stays as it is here, with the other's version beside it; a deletion wins.
// morango/sync/operations.py: _dequeue_into_store
func Dequeue(tx *store.Tx, s *Session) (Result, error) {
	var done Result
	promised, err := s.promised()
	if err != nil {
		return done, err
	}
	if err := lock(tx, s.Filter); err != nil {
		return done, err
	}
	if err := dropKnown(tx, s.ID); err != nil {
		return done, err
	}
	self, err := morango.NextCounter(tx)
	if err != nil {
		return done, err
	}
	conflicts, err := mergeConflicts(tx, s.ID, self)
	if err != nil {
		return done, err
	}
	taken, err := takeBuffers(tx, s.ID)
	if err != nil {
		return done, err
	}
	done.Records = conflicts + int(taken)
	if err := DeleteBuffers(tx, s.ID); err != nil {
		return done, err
	}
	return done, raiseCounters(tx, promised)
}

// promised is what the producer says that the receiver has after this, by partition and instance.
func (s *Session) promised() (map[string]Counters, error) {
	all := map[string]Counters{}
	if !s.V2 {
		counters, err := parseCounters(s.producer())
		for _, prefix := range s.Filter {
			all[prefix] = counters
		}
		return all, err
	}
	f, err := ParseFSIC(s.producer())
	if err != nil {
		return nil, err
	}
	return f.Sub, f.inside(s.Filter)
}

// dropKnown removes the records whose last change is in the store already.
func dropKnown(tx *store.Tx, session string) error {
	ids, err := tx.Strings(`SELECT b.model_uuid FROM morango_buffer b JOIN morango_recordmaxcounter r
		ON r.store_model_id = b.model_uuid AND r.instance_id = b.last_saved_instance
		WHERE b.transfer_session_id = ? AND b.last_saved_counter <= r.counter`, session)
	if err != nil {
		return err
	}
	return drop(tx, session, ids)
}

func drop(tx *store.Tx, session string, ids []string) error {
	for chunk := range slices.Chunk(ids, batch) {
		if _, err := tx.Exec("DELETE FROM morango_recordmaxcounterbuffer WHERE model_uuid IN ? AND "+unindexed(tx, "transfer_session_id")+" = ?", store.In(chunk), session); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM morango_buffer WHERE transfer_session_id = ? AND model_uuid IN ?", session, store.In(chunk)); err != nil {
			return err
		}
	}
	return nil
}

// mergeConflicts handles the records of which both sides have changes that the other has not seen.
func mergeConflicts(tx *store.Tx, session string, self morango.Instance) (int, error) {
	ids, err := tx.Strings(`SELECT b.model_uuid FROM morango_buffer b JOIN morango_store s ON s.id = b.model_uuid
		WHERE b.transfer_session_id = ? AND NOT EXISTS (SELECT 1 FROM morango_recordmaxcounterbuffer c
			WHERE c.model_uuid = b.model_uuid AND c.instance_id = s.last_saved_instance AND c.counter >= s.last_saved_counter
			AND `+unindexed(tx, "c.transfer_session_id")+` = ?)`, session, session)
	if err != nil {
		return 0, err
	}
	for chunk := range slices.Chunk(ids, batch) {
		_, err := tx.Exec(`UPDATE morango_store SET
				serialized = CASE WHEN b.hard_deleted THEN '' ELSE morango_store.serialized END,
				conflicting_serialized_data = CASE WHEN b.hard_deleted OR morango_store.hard_deleted THEN '' ELSE b.serialized || '
' || morango_store.conflicting_serialized_data END,
				deleted = morango_store.deleted OR b.deleted, hard_deleted = morango_store.hard_deleted OR b.hard_deleted,
				last_saved_instance = ?, last_saved_counter = ?, dirty_bit = ?, deserialization_error = NULL, deserialization_exception = NULL,
				last_transfer_session_id = b.transfer_session_id
			FROM morango_buffer b WHERE b.model_uuid = morango_store.id AND b.transfer_session_id = ? AND morango_store.id IN ?`,
			self.ID, self.Counter, true, session, store.In(chunk))
		if err != nil {
			return 0, err
		}
		if err := takeCounters(tx, session, "r.model_uuid IN ? AND "+unindexed(tx, "r.transfer_session_id")+" = ?", store.In(chunk), session); err != nil {
			return 0, err
		}
		args := make([]any, 0, 3*len(chunk))
		for _, id := range chunk {
			args = append(args, self.ID, self.Counter, id)
		}
		_, err = tx.Exec("INSERT INTO morango_recordmaxcounter (instance_id, counter, store_model_id) VALUES "+repeat("(?, ?, ?)", len(chunk))+
			" ON CONFLICT (store_model_id, instance_id) DO UPDATE SET counter = excluded.counter", args...)
		if err != nil {
			return 0, err
		}
	}
	return len(ids), drop(tx, session, ids)
}

// takeBuffers puts what is left, new records and later versions, into the store.
func takeBuffers(tx *store.Tx, session string) (int64, error) {
	n, err := tx.Exec(`INSERT INTO morango_store (id, `+bufferColumns+`, dirty_bit, last_transfer_session_id)
		SELECT model_uuid, `+bufferColumns+`, CAST(1 AS boolean), transfer_session_id FROM morango_buffer WHERE transfer_session_id = ?
		ON CONFLICT (id) DO UPDATE SET serialized = excluded.serialized, deleted = excluded.deleted, hard_deleted = excluded.hard_deleted,
			last_saved_instance = excluded.last_saved_instance, last_saved_counter = excluded.last_saved_counter,
			model_name = excluded.model_name, profile = excluded.profile, partition = excluded.partition, source_id = excluded.source_id,
			conflicting_serialized_data = excluded.conflicting_serialized_data, _self_ref_fk = excluded._self_ref_fk,
			dirty_bit = excluded.dirty_bit, last_transfer_session_id = excluded.last_transfer_session_id,
			deserialization_error = NULL, deserialization_exception = NULL`, session)
	if err != nil {
		return 0, err
	}
	return n, takeCounters(tx, session, "r.transfer_session_id = ?", session)
}

// takeCounters raises the store's counters by those that came with records.
func takeCounters(tx *store.Tx, session, where string, args ...any) error {
	_, err := tx.Exec(`INSERT INTO morango_recordmaxcounter (instance_id, counter, store_model_id)
		SELECT r.instance_id, r.counter, r.model_uuid FROM morango_recordmaxcounterbuffer r WHERE `+where+`
		ON CONFLICT (store_model_id, instance_id) DO UPDATE SET counter = excluded.counter
		WHERE excluded.counter > morango_recordmaxcounter.counter`, args...)
	return err
}
