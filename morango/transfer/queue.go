package transfer

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

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

// block is how many records a row of a producer's buffers stands for.
const block = 256

// Queue notes which records the receiver lacks and returns how many they are. It replaces what an
// interrupted attempt left. ErrFSIC is wrapped by what the other side is to blame for.
//
// The original copies the records and their counters into buffers, one row for each. Here a row of a
// producer's buffers holds the ids of a block of them, and Buffers reads the store: what has changed in
// between travels as it is by then, with the counters that belong to it, and the receiver knows how
// to take a record that is newer than was promised. Should an original go on with such a session, its
// peer refuses the buffers, whose ids do not follow from what they hold.
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
	var ids []byte
	for part := range slices.Chunk(ranges(wanted), chunkSize) {
		if ids, err = s.find(tx, part, ids); err != nil {
			return 0, err
		}
	}
	for part := range slices.Chunk(ids, idSize*block) {
		_, err := tx.Exec("INSERT INTO morango_buffer (transfer_session_id, model_uuid, "+bufferColumns+`)
			VALUES (?, ?, ?, FALSE, ?, ?, FALSE, '', '', '', '', '', '')`, s.ID, string(part[:idSize]), string(part), s.ID, len(part)/idSize)
		if err != nil {
			return 0, err
		}
	}
	return int64(len(ids) / idSize), nil
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

// idSize is the size of an id in bytes.
const idSize = 32

// interval are the counters of an instance in a partition above which, and up to which, records are
// wanted.
type interval struct {
	partition, instance string
	above, upTo         int64
}

// ranges are what is wanted without overlaps: a record in a partition that begins with another one of
// those wanted may be wanted by both.
func ranges(wanted map[string]Counters) []interval {
	var all []interval
	for _, part := range slices.Sorted(maps.Keys(wanted)) {
		for _, instance := range slices.Sorted(maps.Keys(wanted[part])) {
			r := interval{part, instance, wanted[part][instance], math.MaxInt64}
			for outer := range prefixesOf(part, wanted) {
				if above, ok := wanted[outer][instance]; ok && outer != part {
					r.upTo = min(r.upTo, above)
				}
			}
			if r.above < r.upTo {
				all = append(all, r)
			}
		}
	}
	return all
}

// find appends the ids of the records that are wanted, by the index on instance and counter.
func (s *Session) find(tx *store.Tx, wanted []interval, ids []byte) ([]byte, error) {
	args := make([]any, 0, 4*len(wanted)+1)
	for _, r := range wanted {
		args = append(args, r.partition, r.instance, r.above, r.upTo)
	}
	row := "(" + cast(tx, "text") + ", " + cast(tx, "uuid") + ", " + cast(tx, "bigint") + ", " + cast(tx, "bigint") + ")"
	text := "WITH wanted (part, instance, above, upto) AS (VALUES " + repeat(row, len(wanted)) + `)
		SELECT s.id FROM wanted w JOIN morango_store s ON s.last_saved_instance = w.instance AND s.last_saved_counter > w.above AND s.last_saved_counter <= w.upto
		WHERE s.profile = ? AND ` + within("s.partition", "w.part")
	args = append(args, morango.Profile)
	if !s.V2 { // whose counters know no partitions
		condition, more := s.Filter.condition(tx, "s.partition")
		text, args = text+" AND "+condition, append(args, more...)
	}
	return ids, store.ForEach(tx, func(row store.Scanner) error {
		var id string
		err := row.Scan(&id)
		ids = append(ids, id...)
		return err
	}, text, args...)
}

// CountBuffers is how many records a session of this producer holds.
func CountBuffers(tx *store.Tx, session string) (int64, error) {
	return tx.Int("SELECT coalesce(sum(last_saved_counter), 0) FROM morango_buffer WHERE transfer_session_id = ?", session)
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

// Buffers reads records that a session has queued, at most limit (up to 2^31), in a fixed order, offset counting from the first.
func Buffers(tx *store.Tx, session string, offset, limit int64) ([]Buffer, error) {
	blocks, err := tx.Strings("SELECT serialized FROM morango_buffer WHERE transfer_session_id = ? AND model_name = '' ORDER BY id LIMIT ? OFFSET ?",
		session, (offset%block+limit)/block+1, offset/block)
	if err != nil {
		return nil, err
	}
	text := strings.Join(blocks, "")
	from := min(int(offset%block)*idSize, len(text))
	text = text[from:min(from+int(limit)*idSize, len(text))]
	ids := make([]string, 0, len(text)/idSize)
	for ; text != ""; text = text[idSize:] {
		ids = append(ids, text[:idSize])
	}
	records := make([]Buffer, 0, len(ids))
	for part := range slices.Chunk(ids, batch) {
		if records, err = readStore(tx, session, part, records); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// readStore appends the store's records of ids, in their order.
func readStore(tx *store.Tx, session string, ids []string, records []Buffer) ([]Buffer, error) {
	place := make(map[string]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	found := make([]Buffer, len(ids))
	err := store.ForEach(tx, func(row store.Scanner) error {
		r := Buffer{TransferSession: session, MaxCounters: []Saved{}}
		err := row.Scan(&r.ModelUUID, &r.Serialized, &r.Deleted, &r.LastSavedInstance, &r.LastSavedCounter, &r.HardDeleted, &r.ModelName,
			&r.Profile, &r.Partition, &r.SourceID, &r.Conflicting, &r.SelfRefFK)
		found[place[r.ModelUUID]] = r
		return err
	}, "SELECT id, "+bufferColumns+" FROM morango_store WHERE id IN ?", store.In(ids))
	if err != nil {
		return nil, err
	}
	err = store.ForEach(tx, func(row store.Scanner) error {
		saved := Saved{TransferSession: session}
		if err := row.Scan(&saved.ModelUUID, &saved.InstanceID, &saved.Counter); err != nil {
			return err
		}
		r := &found[place[saved.ModelUUID]]
		r.MaxCounters = append(r.MaxCounters, saved)
		return nil
	}, "SELECT store_model_id, instance_id, counter FROM morango_recordmaxcounter WHERE store_model_id IN ?", store.In(ids))
	if err != nil {
		return nil, err
	}
	return append(records, slices.DeleteFunc(found, func(r Buffer) bool { return r.ModelUUID == "" })...), nil
}
