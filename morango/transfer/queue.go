package transfer

import (
	"fmt"
	"slices"

	"kolibri/morango"
	"kolibri/store"
)

// chunkSize and chunkLimit are the original's: so many partitions and instances in one statement,
// so many statements (morango/sync/operations.py: SQL_UNION_MAX).
const (
	chunkSize  = 200
	chunkLimit = 499
)

// bufferColumns are the columns that store and buffers have in common.
const bufferColumns = "serialized, deleted, last_saved_instance, last_saved_counter, hard_deleted, model_name, profile, partition, source_id, conflicting_serialized_data, _self_ref_fk"

// Queue notes in the session's buffers which records the receiver lacks and returns how many they are.
// It replaces what an interrupted attempt left. ErrFSIC is wrapped by what the other side is to blame
// for.
//
// The original copies the records and their counters. Here a producer's buffers hold ids alone, and
// Buffers reads the store: what has changed in between travels as it is by then, with the counters that
// belong to it, and the receiver knows how to take a record that is newer than was promised. Should
// an original go on with such a session, its peer refuses the buffers, whose ids do not follow
// from what they hold.
func Queue(tx *store.Tx, s *Session) (int64, error) {
	if err := DeleteBuffers(tx, s.ID); err != nil {
		return 0, err
	}
	wanted, err := s.wanted()
	if err != nil {
		return 0, err
	}
	size := len(wanted)
	for _, instances := range wanted {
		size += len(instances)
	}
	if size >= chunkSize*chunkLimit {
		return 0, fmt.Errorf("%w: %d instances and partitions are too many", ErrFSIC, size)
	}
	for _, chunk := range Chunk(wanted, chunkSize) {
		if err := queueChunk(tx, s, chunk); err != nil {
			return 0, err
		}
	}
	return CountBuffers(tx, s.ID)
}

// wanted is, by partition and instance, the counter above which the receiver lacks records.
func (s *Session) wanted() (map[string]Counters, error) {
	if !s.V2 {
		producer, err := parseCounters(s.producer())
		if err != nil {
			return nil, err
		}
		receiver, err := parseCounters(s.receiver())
		if err != nil {
			return nil, err
		}
		return map[string]Counters{"": DiffV1(producer, receiver)}, nil
	}
	var sides [2]map[string]Counters
	for i, text := range []string{s.producer(), s.receiver()} {
		f, err := ParseFSIC(text)
		if err != nil {
			return nil, err
		}
		if err := f.inside(s.Filter); err != nil {
			return nil, err
		}
		sides[i] = f.Expand(s.Filter)
	}
	return Diff(sides[0], sides[1]), nil
}

// queueChunk looks for each partition and instance by the index on instance and counter.
func queueChunk(tx *store.Tx, s *Session, wanted map[string]Counters) error {
	var args []any
	for part, instances := range wanted {
		for instance, counter := range instances {
			args = append(args, part, instance, counter)
		}
	}
	row := "(" + cast(tx, "text") + ", " + cast(tx, "uuid") + ", " + cast(tx, "integer") + ")"
	text := "WITH wanted (part, instance, counter) AS (VALUES " + repeat(row, len(args)/3) + `)
		INSERT INTO morango_buffer (transfer_session_id, model_uuid, ` + bufferColumns + `)
		SELECT ` + cast(tx, "uuid") + `, s.id, '', FALSE, s.last_saved_instance, 0, FALSE, '', '', '', '', '', ''
		FROM wanted w JOIN morango_store s ON s.last_saved_instance = w.instance AND s.last_saved_counter > w.counter
		WHERE s.profile = ? AND ` + within("s.partition", "w.part")
	args = append(args, s.ID, morango.Profile)
	if !s.V2 { // whose counters know no partitions
		condition, more := s.Filter.condition(tx, "s.partition")
		text, args = text+" AND "+condition, append(args, more...)
	}
	_, err := tx.Exec(text+" ON CONFLICT (transfer_session_id, model_uuid) DO NOTHING", args...)
	return err
}

// CountBuffers is how many records a session holds.
func CountBuffers(tx *store.Tx, session string) (int64, error) {
	return tx.Int("SELECT count(*) FROM morango_buffer WHERE transfer_session_id = ?", session)
}

// DeleteBuffers forgets a session's buffers.
func DeleteBuffers(tx *store.Tx, session string) error {
	for _, t := range []string{"morango_recordmaxcounterbuffer", "morango_buffer"} {
		if _, err := tx.Exec("DELETE FROM "+t+" WHERE transfer_session_id = ?", session); err != nil {
			return err
		}
	}
	return nil
}

// Buffers reads records that a session has queued, in a fixed order, offset counting from the first.
func Buffers(tx *store.Tx, session string, offset, limit int64) ([]Buffer, error) {
	records, err := store.Select(tx, func(row store.Scanner) (Buffer, error) {
		r := Buffer{TransferSession: session, MaxCounters: []Saved{}}
		err := row.Scan(&r.ModelUUID, &r.Serialized, &r.Deleted, &r.LastSavedInstance, &r.LastSavedCounter, &r.HardDeleted, &r.ModelName,
			&r.Profile, &r.Partition, &r.SourceID, &r.Conflicting, &r.SelfRefFK)
		return r, err
	}, `SELECT s.id, s.serialized, s.deleted, s.last_saved_instance, s.last_saved_counter, s.hard_deleted, s.model_name, s.profile, s.partition,
			s.source_id, s.conflicting_serialized_data, s._self_ref_fk
		FROM (SELECT id, model_uuid FROM morango_buffer WHERE transfer_session_id = ? ORDER BY id LIMIT ? OFFSET ?) b
		JOIN morango_store s ON s.id = b.model_uuid ORDER BY b.id`, session, limit, offset)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(records, batch) {
		place := make(map[string]int, len(part))
		ids := make([]string, len(part))
		for i, r := range part {
			place[r.ModelUUID], ids[i] = i, r.ModelUUID
		}
		err := store.ForEach(tx, func(row store.Scanner) error {
			saved := Saved{TransferSession: session}
			if err := row.Scan(&saved.ModelUUID, &saved.InstanceID, &saved.Counter); err != nil {
				return err
			}
			r := &part[place[saved.ModelUUID]]
			r.MaxCounters = append(r.MaxCounters, saved)
			return nil
		}, "SELECT store_model_id, instance_id, counter FROM morango_recordmaxcounter WHERE store_model_id IN ? ORDER BY id", store.In(ids))
		if err != nil {
			return nil, err
		}
	}
	return records, nil
}

// unindexed keeps SQLite, which has no statistics here, from searching by a column that all rows of
// a transfer share.
func unindexed(tx *store.Tx, column string) string {
	if tx.Dialect() == store.SQLite {
		return "+" + column
	}
	return column
}
