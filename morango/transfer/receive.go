package transfer

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kolibri/morango"
	"kolibri/store"
)

// ErrBuffer is wrapped by the errors about records that another device sent.
var ErrBuffer = errors.New("morango: malformed record")

// ErrIdentity is wrapped where a record's id does not follow from its partition, source and model.
var ErrIdentity = fmt.Errorf("%w: its id is not that of its partition, source and model", ErrBuffer)

// DecodeBuffers reads a list of records as another device sent it (one object stands for a list of
// one). Errors wrap ErrBuffer, unless the reader failed.
func DecodeBuffers(r io.Reader) ([]Buffer, error) {
	var b strings.Builder
	if _, err := io.Copy(&b, r); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) { // packed, and cut off
			err = fmt.Errorf("%w: %w", ErrBuffer, err)
		}
		return nil, err
	}
	text := strings.TrimSpace(b.String())
	if strings.HasPrefix(text, "{") {
		text = "[" + text + "]"
	}
	return list(text)
}

// DecodePage reads the records of a page, the member "results" of an object.
func DecodePage(page []byte) ([]Buffer, error) {
	all, err := pairs(string(page))
	if err != nil {
		return nil, fmt.Errorf("%w: no page", ErrBuffer)
	}
	i := slices.IndexFunc(all, func(p pair) bool { return p.name == "results" })
	if i < 0 {
		return nil, nil
	}
	return list(all[i].value)
}

func list(text string) (all []Buffer, err error) {
	members := make([]pair, 0, 16) // of the record that is read
	end, ok := elements(text, 0, '[', ']', func(at int) (int, bool) {
		var end int
		var ok bool
		members, end, ok = object(text, at, members[:0])
		if !ok {
			return 0, false
		}
		var one Buffer
		if err == nil {
			err = one.fill(members)
		}
		all = append(all, one)
		return end, true
	})
	if !ok || end != len(text) {
		return nil, fmt.Errorf("%w: no list of records", ErrBuffer)
	}
	return all, err
}

// fill takes a record's fields from a JSON object; what it does not name, or gives as null, stays empty.
func (r *Buffer) fill(members []pair) error {
	for _, p := range members {
		var into any
		switch p.name {
		case "transfer_session":
			into = &r.TransferSession
		case "model_uuid":
			into = &r.ModelUUID
		case "model_name":
			into = &r.ModelName
		case "profile":
			into = &r.Profile
		case "partition":
			into = &r.Partition
		case "source_id":
			into = &r.SourceID
		case "serialized":
			into = &r.Serialized
		case "conflicting_serialized_data":
			into = &r.Conflicting
		case "_self_ref_fk":
			into = &r.SelfRefFK
		case "last_saved_instance":
			into = &r.LastSavedInstance
		case "last_saved_counter":
			into = &r.LastSavedCounter
		case "deleted":
			into = &r.Deleted
		case "hard_deleted":
			into = &r.HardDeleted
		case "rmcb_list":
			into = &r.MaxCounters
		}
		if err := p.into(into); err != nil {
			return err
		}
	}
	return nil
}

func (c *Saved) fill(members []pair) error {
	for _, p := range members {
		var into any
		switch p.name {
		case "transfer_session":
			into = &c.TransferSession
		case "model_uuid":
			into = &c.ModelUUID
		case "instance_id":
			into = &c.InstanceID
		case "counter":
			into = &c.Counter
		}
		if err := p.into(into); err != nil {
			return err
		}
	}
	return nil
}

// into reads a member's value; nil passes over it.
func (p *pair) into(to any) (err error) {
	if p.value == "null" {
		return nil
	}
	switch to := to.(type) {
	case *string:
		if p.value[0] != '"' {
			return fmt.Errorf("%w: %s is no text", ErrBuffer, p.name)
		}
		*to = unquote(p.value)
	case *bool:
		if *to = p.value == "true"; !*to && p.value != "false" {
			return fmt.Errorf("%w: %s is neither true nor false", ErrBuffer, p.name)
		}
	case *int64:
		if *to, err = strconv.ParseInt(p.value, 10, 64); err != nil {
			return fmt.Errorf("%w: %s is no integer", ErrBuffer, p.name)
		}
	case *[]Saved:
		_, ok := elements(p.value, 0, '[', ']', func(at int) (int, bool) {
			members, end, ok := object(p.value, at, make([]pair, 0, 4))
			if !ok || err != nil {
				return 0, false
			}
			var one Saved
			err = one.fill(members)
			*to = append(*to, one)
			return end, true
		})
		if !ok {
			return fmt.Errorf("%w: %s is no list of counters", ErrBuffer, p.name)
		}
	}
	return err
}

// check refuses a record that does not belong to the session or is not what it says it is
// (morango/sync/utils.py: validate_and_create_buffer_data).
func (r *Buffer) check(s *Session) error {
	for _, id := range []string{s.ID, r.ModelUUID, r.LastSavedInstance} {
		if !isID(id) {
			return fmt.Errorf("%w: %.40q is no id", ErrBuffer, id)
		}
	}
	if !r.identified() {
		return fmt.Errorf("%w (%s %s)", ErrIdentity, r.ModelName, r.ModelUUID)
	}
	if r.TransferSession != s.ID {
		return fmt.Errorf("%w: it belongs to transfer session %.40q", ErrBuffer, r.TransferSession)
	}
	if r.Profile != morango.Profile {
		return fmt.Errorf("%w: its profile is %.40q", ErrBuffer, r.Profile)
	}
	if !s.Filter.Contains(r.Partition) {
		return fmt.Errorf("%w: partition %.80q is not in the session's filter", ErrBuffer, r.Partition)
	}
	if r.LastSavedCounter < 0 || r.LastSavedCounter > math.MaxInt32 {
		return fmt.Errorf("%w: counter %d", ErrBuffer, r.LastSavedCounter)
	}
	for _, text := range []struct {
		value string
		size  int
	}{{r.ModelName, 40}, {r.SourceID, 96}, {r.SelfRefFK, 32}, {r.Partition, maxPartition}, {r.Serialized, math.MaxInt32}, {r.Conflicting, math.MaxInt32}} {
		// PostgreSQL stores neither zero bytes nor what is no UTF-8
		if utf8.RuneCountInString(text.value) > text.size || strings.IndexByte(text.value, 0) >= 0 {
			return fmt.Errorf("%w: %.40q is too long or has zero bytes", ErrBuffer, text.value)
		}
	}
	for _, c := range r.MaxCounters {
		if c.TransferSession != s.ID || c.ModelUUID != r.ModelUUID || !isID(c.InstanceID) || c.Counter < 0 || c.Counter > math.MaxInt32 {
			return fmt.Errorf("%w: a counter of %s is malformed or another's", ErrBuffer, r.ModelUUID)
		}
	}
	return nil
}

// identified recomputes the id. A dataset's id is its source id, all others' follow from partition,
// source and model's name.
func (r *Buffer) identified() bool {
	if r.ModelName == morango.FacilityDataset.Name {
		return r.SourceID == r.ModelUUID && strings.HasPrefix(r.Partition, r.ModelUUID)
	}
	return morango.UUID(strings.ReplaceAll(r.Partition, r.ModelUUID, "${id}"), r.SourceID, r.ModelName) == r.ModelUUID
}

// Receive checks records that another device sent, merges them into the store, and raises the session's
// records_transferred by those that are new in this session; it returns how many those are. One
// malformed record refuses all.
//
// The original keeps what it receives in buffers, and merges them all at the stage of dequeuing.
// Here a record is in the store as soon as it comes, and the counters that tell others so are raised
// when all have come (Dequeue): a transfer that ends early leaves what it has brought, and the next
// one brings it again without harm.
func Receive(tx *store.Tx, s *Session, records []Buffer) (added int64, err error) {
	latest := make(map[string]int, len(records))
	for i := range records {
		if err := records[i].check(s); err != nil {
			return 0, err
		}
		latest[records[i].ModelUUID] = i
	}
	unique := make([]*Buffer, 0, len(latest))
	for i := range records {
		if latest[records[i].ModelUUID] == i {
			unique = append(unique, &records[i])
		}
	}
	// neighbours in the indexes come one after the other
	slices.SortFunc(unique, func(a, b *Buffer) int { return strings.Compare(a.ModelUUID, b.ModelUUID) })
	if err := lock(tx, s.Filter); err != nil {
		return 0, err
	}
	for part := range slices.Chunk(unique, batch) {
		n, err := take(tx, s, part)
		if err != nil {
			return 0, err
		}
		added += n
	}
	if added > 0 {
		_, err = tx.Exec("UPDATE morango_transfersession SET records_transferred = records_transferred + ? WHERE id = ?", added, s.ID)
	}
	return added, err
}

// highest are the record's counters, each instance once.
func (r *Buffer) highest() Counters {
	all := make(Counters, len(r.MaxCounters))
	for _, c := range r.MaxCounters {
		all[c.InstanceID] = max(all[c.InstanceID], c.Counter)
	}
	return all
}
