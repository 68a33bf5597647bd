package transfer

import (
	"slices"

	"kolibri/morango"
	"kolibri/store"
)

// Dequeue notes the counters that the producer promised, once all records have come: Receive has merged
// them into the store. Call it only when records were transferred, as the original does.
// morango/sync/operations.py: _dequeue_into_store
func Dequeue(tx *store.Tx, s *Session) error {
	promised, err := s.promised()
	if err != nil {
		return err
	}
	if err := lock(tx, s.Filter); err != nil {
		return err
	}
	if err := adopt(tx, s); err != nil {
		return err
	}
	if _, err := morango.NextCounter(tx); err != nil {
		return err
	}
	if err := DeleteBuffers(tx, s.ID); err != nil {
		return err
	}
	return raiseCounters(tx, promised)
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

// adopt takes the records that a real Kolibri, which used this home before, has left in the buffers.
func adopt(tx *store.Tx, s *Session) error {
	records, err := store.Select(tx, func(row store.Scanner) (*Buffer, error) {
		r := &Buffer{}
		return r, row.Scan(&r.ModelUUID, &r.Serialized, &r.Deleted, &r.LastSavedInstance, &r.LastSavedCounter, &r.HardDeleted, &r.ModelName,
			&r.Profile, &r.Partition, &r.SourceID, &r.Conflicting, &r.SelfRefFK)
	}, "SELECT model_uuid, "+bufferColumns+" FROM morango_buffer WHERE transfer_session_id = ? AND model_name <> ''", s.ID)
	if err != nil || len(records) == 0 {
		return err
	}
	place := make(map[string]*Buffer, len(records))
	for _, r := range records {
		place[r.ModelUUID] = r
	}
	err = store.ForEach(tx, func(row store.Scanner) error {
		var c Saved
		if err := row.Scan(&c.ModelUUID, &c.InstanceID, &c.Counter); err != nil {
			return err
		}
		if r := place[c.ModelUUID]; r != nil {
			r.MaxCounters = append(r.MaxCounters, c)
		}
		return nil
	}, "SELECT model_uuid, instance_id, counter FROM morango_recordmaxcounterbuffer WHERE transfer_session_id = ?", s.ID)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(records, batch) {
		if _, err := take(tx, s, part); err != nil {
			return err
		}
	}
	return nil
}
