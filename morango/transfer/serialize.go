package transfer

import (
	"slices"
	"strconv"
	"strings"

	"kolibri/morango"
	"kolibri/store"
)

// batch is how many records are held in memory at once, and go into one statement.
const batch = 256

// Serialize brings the apps' changed rows in the filter into the store, and all deletions. The
// instance's counter rises even when nothing has changed. Call it again while More is true.
// morango/sync/operations.py: _serialize_into_store
func Serialize(tx *store.Tx, filter Filter, o Options) (Result, error) {
	var done Result
	self, err := morango.NextCounter(tx)
	if err != nil {
		return done, err
	}
	if err := lock(tx, filter); err != nil {
		return done, err
	}
	deletions, err := tx.Exists("SELECT 1 FROM morango_deletedmodels UNION ALL SELECT 1 FROM morango_harddeletedmodels")
	if err != nil {
		return done, err
	}
	for _, m := range models() {
		more, err := serializeModel(tx, m, self, deletions, filter, o, &done)
		if err != nil {
			return done, err
		}
		if more {
			done.More = true
			break
		}
	}
	if !done.More {
		if done.Deleted, err = serializeDeletions(tx, self); err != nil {
			return done, err
		}
	}
	own := map[string]Counters{}
	for _, prefix := range filter {
		own[prefix] = Counters{self.ID: self.Counter}
	}
	return done, raiseCounters(tx, own)
}

// serializeModel works in batches: what has been serialized is no longer dirty, so each query finds
// the next. It returns true when the limit ended it.
func serializeModel(tx *store.Tx, m *model, self morango.Instance, deletions bool, filter Filter, o Options, done *Result) (bool, error) {
	where, args := filter.condition(tx, "_morango_partition")
	// the bare column is what the partial index on dirty rows has
	query := "SELECT " + m.columns + " FROM " + m.Table + " WHERE _morango_dirty_bit AND " + where + m.condition() + " LIMIT ?" + forUpdate(tx)
	for {
		if o.Limit > 0 && done.Records >= o.Limit {
			return true, nil
		}
		s := &serialized{m: m, self: self, deletions: deletions}
		if err := store.ForEach(tx, s.read, query, append(args, batch)...); err != nil {
			return false, err
		}
		if len(s.ids) == 0 {
			return false, nil
		}
		if err := s.write(tx); err != nil {
			return false, err
		}
		done.Records += len(s.ids)
		if o.Progress != nil {
			o.Progress(done.Records)
		}
	}
}

// serialized is a batch of rows on their way into the store.
type serialized struct {
	m       *model
	self    morango.Instance
	ids     []string
	records []storeRow
	// deletions tells that there are deletions to be noted.
	deletions bool
	values    []any
	dest      []any
}

type storeRow struct {
	id, source, partition, parent, serialized, conflicting string
}

func (s *serialized) read(row store.Scanner) error {
	if s.dest == nil {
		s.values = make([]any, len(s.m.fields))
		s.dest = make([]any, len(s.m.fields))
		for i := range s.values {
			s.dest[i] = &s.values[i]
		}
	}
	if err := row.Scan(s.dest...); err != nil {
		return err
	}
	text, err := s.m.appendRow(make([]byte, 0, 1024), s.values)
	if err != nil {
		return err
	}
	r := storeRow{id: s.text("id"), source: s.text("_morango_source_id"), partition: s.text("_morango_partition"), serialized: string(text)}
	if s.m.collection != "" {
		r.parent = s.text("parent_id")
	}
	s.ids, s.records = append(s.ids, r.id), append(s.records, r)
	return nil
}

func (s *serialized) text(name string) string {
	switch v := s.values[s.m.byName[name]].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func (s *serialized) write(tx *store.Tx) error {
	if err := s.merge(tx); err != nil {
		return err
	}
	// neighbours in the indexes come one after the other
	slices.SortFunc(s.records, func(a, b storeRow) int { return strings.Compare(a.id, b.id) })
	for part := range slices.Chunk(s.records, perStatement) {
		if err := s.store(tx, part); err != nil {
			return err
		}
	}
	if s.deletions {
		// a row that was deleted and made again under the same id is there: no other device shall delete it
		for _, t := range []string{"morango_deletedmodels", "morango_harddeletedmodels"} {
			if _, err := tx.Exec("DELETE FROM "+t+" WHERE id IN ?", store.In(s.ids)); err != nil {
				return err
			}
		}
	}
	_, err := tx.Exec("UPDATE "+s.m.Table+" SET _morango_dirty_bit = ? WHERE id IN ?", false, store.In(s.ids))
	return err
}

// store writes records, each with the counter that it was saved with.
func (s *serialized) store(tx *store.Tx, records []storeRow) error {
	// what all records have in common stands in the text: ids, numbers and constants
	saved := "'" + s.self.ID + "'," + strconv.FormatInt(s.self.Counter, 10)
	args := make([]any, 0, 6*len(records))
	for i := range records {
		r := &records[i]
		args = append(args, r.id, r.serialized, r.partition, r.source, r.conflicting, r.parent)
	}
	_, err := tx.Exec(`INSERT INTO morango_store (id, serialized, partition, source_id, conflicting_serialized_data, _self_ref_fk,
		last_saved_instance, last_saved_counter, deleted, hard_deleted, dirty_bit, model_name, profile) VALUES `+
		repeat("(?,?,?,?,?,?,"+saved+",FALSE,FALSE,FALSE,'"+s.m.Name+"','"+morango.Profile+"')", len(records))+`
		ON CONFLICT (id) DO UPDATE SET serialized = excluded.serialized, deleted = excluded.deleted, hard_deleted = excluded.hard_deleted,
		last_saved_instance = excluded.last_saved_instance, last_saved_counter = excluded.last_saved_counter, dirty_bit = excluded.dirty_bit,
		conflicting_serialized_data = excluded.conflicting_serialized_data, last_transfer_session_id = NULL`, args...)
	if err != nil {
		return err
	}
	args = args[:0]
	for i := range records {
		args = append(args, records[i].id)
	}
	_, err = tx.Exec("INSERT INTO morango_recordmaxcounter (instance_id, counter, store_model_id) VALUES "+repeat("("+saved+",?)", len(records))+
		" ON CONFLICT (store_model_id, instance_id) DO UPDATE SET counter = excluded.counter", args...)
	return err
}

// merge keeps what earlier versions of the records have beside the model's fields, and the versions
// from elsewhere that have not reached the app: those lose to the app's.
func (s *serialized) merge(tx *store.Tx) error {
	place := make(map[string]int, len(s.ids))
	for i, id := range s.ids {
		place[id] = i
	}
	return store.ForEach(tx, func(row store.Scanner) error {
		var id, earlier, conflicting string
		var dirty bool
		if err := row.Scan(&id, &earlier, &conflicting, &dirty); err != nil {
			return err
		}
		r := &s.records[place[id]]
		r.conflicting = conflicting
		if dirty {
			r.conflicting = earlier + "\n" + conflicting
		}
		text, err := merged(earlier, []byte(r.serialized))
		r.serialized = string(text)
		return err
	}, "SELECT id, serialized, conflicting_serialized_data, dirty_bit FROM morango_store WHERE id IN ?", store.In(s.ids))
}

// serializeDeletions marks in the store what was deleted in the apps, whatever the filter: the lists
// of deleted records know no partitions.
func serializeDeletions(tx *store.Tx, self morango.Instance) (int, error) {
	const deleted = " FROM morango_store WHERE id IN (SELECT id FROM morango_deletedmodels WHERE profile = ?)"
	n, err := tx.Exec(`INSERT INTO morango_recordmaxcounter (instance_id, counter, store_model_id) SELECT `+cast(tx, "uuid")+`, `+cast(tx, "integer")+`, id`+deleted+
		" ON CONFLICT (store_model_id, instance_id) DO UPDATE SET counter = excluded.counter", self.ID, self.Counter, morango.Profile)
	if err != nil {
		return 0, err
	}
	for _, step := range []struct {
		text string
		args []any
	}{
		{`UPDATE morango_store SET dirty_bit = ?, deleted = ?, last_saved_instance = ?, last_saved_counter = ?
			WHERE id IN (SELECT id FROM morango_deletedmodels WHERE profile = ?)`, []any{false, true, self.ID, self.Counter, morango.Profile}},
		{"DELETE FROM morango_deletedmodels WHERE profile = ?", []any{morango.Profile}},
		{`UPDATE morango_store SET hard_deleted = ?, serialized = '{}', conflicting_serialized_data = ''
			WHERE id IN (SELECT id FROM morango_harddeletedmodels WHERE profile = ?)`, []any{true, morango.Profile}},
		{"DELETE FROM morango_harddeletedmodels WHERE profile = ?", []any{morango.Profile}},
	} {
		if _, err := tx.Exec(step.text, step.args...); err != nil {
			return 0, err
		}
	}
	return int(n), nil
}

func repeat(places string, n int) string {
	return places + strings.Repeat(", "+places, n-1)
}

// cast is a placeholder in a SELECT, where PostgreSQL does not know its type.
func cast(tx *store.Tx, kind string) string {
	if tx.Dialect() == store.SQLite {
		return "?"
	}
	return "CAST(? AS " + kind + ")"
}
