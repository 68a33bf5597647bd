package transfer

import (
	"errors"
	"slices"
	"strings"

	"kolibri/morango"
	"kolibri/store"
)

// Deserialize brings the store's changed records in the filter into the apps' tables, those of every
// model behind those it may refer to. Serialize must have run before, or changes made here in the
// meantime would be lost. Call it again, with Continue set, while More is true. What fails stays
// dirty, with the reason in its store row, and is tried again the next time.
// morango/sync/operations.py: _deserialize_from_store
func Deserialize(tx *store.Tx, filter Filter, o Options) (Result, error) {
	if err := lock(tx, filter); err != nil {
		return Result{}, err
	}
	d := &deserialization{tx: tx, filter: filter, options: o, present: map[string]map[string]string{}}
	if !o.Continue && !o.SkipErroring {
		// with the old reasons gone, the records that fail in this run can be told by theirs
		where, args := filter.condition(tx, "partition")
		_, err := tx.Exec("UPDATE morango_store SET deserialization_error = NULL, deserialization_exception = NULL WHERE profile = ? AND dirty_bit AND deserialization_error IS NOT NULL AND "+where,
			append([]any{morango.Profile}, args...)...)
		if err != nil {
			return Result{}, err
		}
	}
	for _, m := range models() {
		if err := d.run(m); err != nil || d.done.More {
			return d.done, err
		}
	}
	return d.done, nil
}

// Waiting tells whether the store has changed records in the filter that Deserialize has not seen yet.
func Waiting(tx *store.Tx, filter Filter) (bool, error) {
	var names []string
	for _, m := range models() {
		names = append(names, m.Name)
	}
	where, args := filter.condition(tx, "partition")
	return tx.Exists("SELECT 1 FROM morango_store WHERE profile = ? AND model_name IN ? AND dirty_bit AND coalesce(deserialization_error, '') = '' AND "+where,
		append([]any{morango.Profile, store.In(names)}, args...)...)
}

// deserialization is one run.
type deserialization struct {
	tx      *store.Tx
	filter  Filter
	options Options
	done    Result
	// present are, by table and id, the datasets of rows known to be in the apps' tables.
	present map[string]map[string]string
	known   int
}

// presentLimit bounds what is remembered of rows.
const presentLimit = 100_000

func (d *deserialization) run(m *model) error {
	where, args := d.filter.condition(d.tx, "partition")
	// the bare column is what the index on dirty records has
	ids := func(deleted bool) ([]string, error) {
		return d.tx.Strings(`SELECT id FROM morango_store WHERE profile = ? AND model_name = ? AND dirty_bit AND `+where+` AND deleted = ?
			AND coalesce(deserialization_error, '') = ''`+m.order(), append(append([]any{morango.Profile, m.Name}, args...), deleted)...)
	}
	deleted, err := ids(true)
	if err != nil {
		return err
	}
	if err := d.delete(m, deleted); err != nil {
		return err
	}
	changed, err := ids(false)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(changed, batch) {
		if d.options.Limit > 0 && d.done.Records >= d.options.Limit && m.order() == "" {
			d.done.More = true
			return nil
		}
		if err := d.chunk(m, chunk); err != nil {
			return err
		}
		if d.options.Progress != nil {
			d.options.Progress(d.done.Records)
		}
	}
	return nil
}

// order puts records that others of the same model need before those: a membership of a class before
// those of its groups. Its source id is that of the collection.
func (m *model) order() string {
	if m.Model != morango.Membership {
		return ""
	}
	return ` ORDER BY CASE WHEN source_id IN (SELECT replace(CAST(id AS text), '-', '') FROM kolibriauth_collection WHERE kind = 'classroom') THEN 0 ELSE 1 END`
}

// delete takes records out of the apps, with all that refers to them; nothing of it is noted as a
// deletion of this device.
func (d *deserialization) delete(m *model, ids []string) error {
	for chunk := range slices.Chunk(ids, batch) {
		if err := morango.DeleteRows(d.tx, morango.Forget, m.Table, chunk...); err != nil {
			return err
		}
		if err := d.clean(chunk); err != nil {
			return err
		}
		d.done.Records += len(chunk)
		d.done.Deleted += len(chunk)
	}
	if len(ids) > 0 { // the cascade may have taken any row
		clear(d.present)
		d.known = 0
	}
	return nil
}

// clean notes that store and apps agree about records.
func (d *deserialization) clean(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := d.tx.Exec("UPDATE morango_store SET dirty_bit = ?, deserialization_error = NULL, deserialization_exception = NULL WHERE id IN ?", false, store.In(ids))
	return err
}

// incoming is a record on its way into an app.
type incoming struct {
	storeRow
	values []any
	err    error
}

func (d *deserialization) chunk(m *model, ids []string) error {
	rows, err := d.read(m, ids)
	if err != nil {
		return err
	}
	if err := d.resolve(m, rows); err != nil {
		return err
	}
	if check := checks[m.Name]; check != nil {
		if err := check(d, m, sound(rows)); err != nil {
			return err
		}
	}
	if err := d.save(m, sound(rows)); err != nil {
		return err
	}
	if m.Model == morango.Role {
		if err := d.afterRoles(sound(rows)); err != nil {
			return err
		}
	}
	return d.finish(m, rows)
}

func sound(rows []*incoming) []*incoming {
	good := make([]*incoming, 0, len(rows))
	for _, r := range rows {
		if r.err == nil {
			good = append(good, r)
		}
	}
	return good
}

func (d *deserialization) read(m *model, ids []string) ([]*incoming, error) {
	place := make(map[string]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	rows := make([]*incoming, len(ids))
	return rows, store.ForEach(d.tx, func(row store.Scanner) error {
		r := &incoming{}
		if err := row.Scan(&r.id, &r.source, &r.partition, &r.serialized); err != nil {
			return err
		}
		r.values, r.err = m.decode(d.tx, &r.storeRow)
		if r.err == nil {
			m.hideStrangers(r, d.filter)
		}
		rows[place[r.id]] = r
		return nil
	}, "SELECT id, source_id, partition, serialized FROM morango_store WHERE id IN ?", store.In(ids))
}

// hideStrangers empties who made a course's records where the session does not carry that user, as on
// a single user's device (kolibri/core/courses/models.py: deserialize).
func (m *model) hideStrangers(r *incoming, filter Filter) {
	for i := range m.fields {
		if user, ok := r.values[i].(string); ok && m.fields[i].coach {
			dataset := r.values[m.dataset].(string)
			if !filter.Contains(dataset) && !filter.Contains(dataset+":user-ro:"+user) && !filter.Contains(dataset+":user-rw:"+user) {
				r.values[i] = nil
			}
		}
	}
}

// errGone tells that a record refers to one that was deleted, so that it is deleted too.
type errGone struct{ hard bool }

// Error implements error.
func (errGone) Error() string { return "the record refers to one that was deleted" }

// resolve checks that what the records refer to is in the apps, in the same facility.
func (d *deserialization) resolve(m *model, rows []*incoming) error {
	for i := range m.fields {
		f := &m.fields[i]
		if f.table == "" {
			continue
		}
		if err := d.learn(f.table, i, rows); err != nil {
			return err
		}
		var missing []string
		for _, r := range rows {
			id, ok := referred(r, i)
			if !ok {
				continue
			}
			dataset, there := d.present[f.table][id]
			switch {
			case !there:
				missing = append(missing, id)
			case f.name == "dataset_id" || dataset == r.values[m.dataset]:
			case f.author:
				if err := d.dismissAuthor(r, i, id); err != nil {
					return err
				}
			default:
				r.err = &failure{classIntegrity, f.name + " refers to a record of another facility"}
			}
		}
		if err := d.explain(m, f, i, rows, missing); err != nil {
			return err
		}
	}
	return nil
}

func referred(r *incoming, i int) (string, bool) {
	if r.err != nil {
		return "", false
	}
	id, ok := r.values[i].(string)
	return id, ok
}

// learn looks up which of the rows that a field refers to are there.
func (d *deserialization) learn(table string, i int, rows []*incoming) error {
	if d.known > presentLimit {
		clear(d.present)
		d.known = 0
	}
	if d.present[table] == nil {
		d.present[table] = map[string]string{}
	}
	var unknown []string
	for _, r := range rows {
		if id, ok := referred(r, i); ok {
			if _, there := d.present[table][id]; !there {
				unknown = append(unknown, id)
			}
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	dataset := "dataset_id"
	if table == morango.FacilityDataset.Table {
		dataset = "id"
	}
	return store.ForEach(d.tx, func(row store.Scanner) error {
		var id, of string
		if err := row.Scan(&id, &of); err != nil {
			return err
		}
		d.present[table][id] = of
		d.known++
		return nil
	}, "SELECT id, "+dataset+" FROM "+table+" WHERE id IN ?", store.In(slices.Compact(unknown)))
}

// dismissAuthor: a superuser may belong to another facility, and is not named then; nobody else may.
func (d *deserialization) dismissAuthor(r *incoming, i int, id string) error {
	super, err := d.tx.Exists("SELECT 1 FROM device_devicepermissions WHERE user_id = ? AND is_superuser = ?", id, true)
	if super {
		r.values[i] = nil
	} else {
		r.err = &failure{classIntegrity, "the record was made by somebody of another facility"}
	}
	return err
}

// explain tells for references that lead nowhere whether what they meant was deleted, failed to come
// in, or never came.
func (d *deserialization) explain(m *model, f *field, i int, rows []*incoming, missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	type state struct{ deleted, hard bool }
	stored := map[string]state{}
	err := store.ForEach(d.tx, func(row store.Scanner) error {
		var id string
		var s state
		if err := row.Scan(&id, &s.deleted, &s.hard); err != nil {
			return err
		}
		stored[id] = s
		return nil
	}, "SELECT id, deleted, hard_deleted FROM morango_store WHERE id IN ?", store.In(slices.Compact(missing)))
	if err != nil {
		return err
	}
	for _, r := range rows {
		id, ok := referred(r, i)
		if !ok {
			continue
		}
		if _, there := d.present[f.table][id]; there {
			continue
		}
		s, there := stored[id]
		switch {
		case !there && m.collection != "" && f.name == "parent_id":
			r.err = &failure{classParent, "Parent does not exist in Store; could not deserialize."}
		case !there:
			r.err = &failure{classIntegrity, m.Name + "." + f.name + " references non-existent instance with id '" + id + "'"}
		case s.deleted || s.hard:
			r.err = errGone{s.hard}
		default:
			r.err = invalid("%s with id %s failed to deserialize", f.name, id)
		}
	}
	return nil
}

// save writes records at once and, only when that fails, one by one, to learn which cannot be.
func (d *deserialization) save(m *model, rows []*incoming) error {
	if len(rows) == 0 {
		return nil
	}
	write := func(part []*incoming) error {
		return d.tx.Savepoint(func() error { return m.upsert(d.tx, part) })
	}
	err := write(rows)
	if err == nil {
		return nil
	}
	if !ofRecord(err) {
		return err
	}
	for _, r := range rows {
		if err := write([]*incoming{r}); err != nil {
			if !ofRecord(err) {
				return err
			}
			r.err = err
		}
	}
	return nil
}

// ofRecord tells whether an error is a record's fault and not the database's.
func ofRecord(err error) bool {
	return errors.Is(err, store.ErrUnique) || errors.Is(err, store.ErrForeignKey) || errors.Is(err, store.ErrConstraint) || errors.Is(err, store.ErrValue)
}

func (m *model) upsert(tx *store.Tx, rows []*incoming) error {
	var set strings.Builder
	for i := range m.fields {
		if name := m.fields[i].name; name != "id" {
			set.WriteString(name + " = excluded." + name + ", ")
		}
	}
	args := make([]any, 0, (len(m.fields)+1)*len(rows))
	for _, r := range rows {
		args = append(append(args, r.values...), false)
	}
	_, err := tx.Exec("INSERT INTO "+m.Table+" ("+m.columns+", _morango_dirty_bit) VALUES "+repeat("("+strings.Repeat("?, ", len(m.fields))+"?)", len(rows))+
		" ON CONFLICT (id) DO UPDATE SET "+set.String()+"_morango_dirty_bit = excluded._morango_dirty_bit", args...)
	return err
}

// finish notes what has become of the records.
func (d *deserialization) finish(m *model, rows []*incoming) error {
	var clean []string
	for _, r := range rows {
		var gone errGone
		switch {
		case r.err == nil:
			clean = append(clean, r.id)
		case errors.As(r.err, &gone):
			if err := noteGone(d.tx, r.id, gone.hard); err != nil {
				return err
			}
		default:
			d.done.Failed++
			text := r.err.Error()
			_, err := d.tx.Exec("UPDATE morango_store SET deserialization_error = ?, deserialization_exception = ? WHERE id = ?", text, classOf(r.err), r.id)
			if err != nil {
				return err
			}
		}
	}
	d.done.Records += len(clean)
	return d.clean(clean)
}

// noteGone has the next serialization delete a record here and elsewhere.
func noteGone(tx *store.Tx, id string, hard bool) error {
	how := morango.Delete
	if hard {
		how = morango.HardDelete
	}
	return morango.NoteDeleted(tx, how, id)
}
