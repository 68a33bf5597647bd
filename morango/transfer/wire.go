package transfer

import (
	"slices"
	"strconv"
)

// AppendBuffers writes records as they travel, a JSON list (morango/api/serializers.py: BufferSerializer).
func AppendBuffers(b []byte, records []Buffer) []byte {
	size := 0
	for i := range records { // about that much; the texts have quotes to be escaped
		size += 900 + len(records[i].Serialized)*5/4 + len(records[i].Conflicting)*5/4
	}
	b = append(slices.Grow(b, size), '[')
	for i := range records {
		if i > 0 {
			b = append(b, ',')
		}
		b = records[i].append(b)
	}
	return append(b, ']')
}

func (r *Buffer) append(b []byte) []byte {
	text := func(before, value string) {
		b = appendText(append(b, before...), value)
	}
	text(`{"serialized":`, r.Serialized)
	b = strconv.AppendBool(append(b, `,"deleted":`...), r.Deleted)
	text(`,"last_saved_instance":`, r.LastSavedInstance)
	b = strconv.AppendInt(append(b, `,"last_saved_counter":`...), r.LastSavedCounter, 10)
	b = strconv.AppendBool(append(b, `,"hard_deleted":`...), r.HardDeleted)
	text(`,"partition":`, r.Partition)
	text(`,"source_id":`, r.SourceID)
	text(`,"model_name":`, r.ModelName)
	text(`,"conflicting_serialized_data":`, r.Conflicting)
	text(`,"model_uuid":`, r.ModelUUID)
	text(`,"transfer_session":`, r.TransferSession)
	text(`,"profile":`, r.Profile)
	b = append(b, `,"rmcb_list":[`...)
	for i, c := range r.MaxCounters {
		if i > 0 {
			b = append(b, ',')
		}
		text(`{"transfer_session":`, c.TransferSession)
		text(`,"model_uuid":`, c.ModelUUID)
		text(`,"instance_id":`, c.InstanceID)
		b = strconv.AppendInt(append(b, `,"counter":`...), c.Counter, 10)
		b = append(b, '}')
	}
	text(`],"_self_ref_fk":`, r.SelfRefFK)
	return append(b, '}')
}
