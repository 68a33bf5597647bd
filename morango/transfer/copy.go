package transfer

import (
	"encoding/json"
	"errors"
	"slices"

	"kolibri/morango"
	"kolibri/store"
)

// Text is a record of an app as it travels, without some fields; store.ErrNotFound when there is none.
// It is what a personal copy of a lesson or quiz holds
// (kolibri/core/lessons/models.py: IndividualSyncableLesson.serialize_lesson).
func Text(tx *store.Tx, of *morango.Model, id string, without ...string) (string, error) {
	m := modelOf(of.Name)
	values, dest := make([]any, len(m.fields)), make([]any, len(m.fields))
	for i := range values {
		dest[i] = &values[i]
	}
	if err := tx.QueryRow("SELECT "+m.columns+" FROM "+m.Table+" WHERE id = ?", id).Scan(dest...); err != nil {
		return "", err
	}
	text, err := m.appendRow(nil, values)
	if err != nil {
		return "", err
	}
	all, err := pairs(string(text))
	if err != nil {
		return "", err
	}
	return string(joined(slices.DeleteFunc(all, func(p pair) bool { return slices.Contains(without, p.name) }))), nil
}

// Place writes a record that came as a text, in place of an earlier version, so that it does not
// travel on, and returns its id. changes are values of fields that count instead of the text's.
func Place(tx *store.Tx, of *morango.Model, text string, changes map[string]any) (string, error) {
	m := modelOf(of.Name)
	var identity struct {
		ID        string `json:"id"`
		Source    string `json:"_morango_source_id"`
		Partition string `json:"_morango_partition"`
	}
	if err := json.Unmarshal([]byte(text), &identity); err != nil {
		return "", err
	}
	all, err := pairs(text)
	if err != nil {
		return "", err
	}
	for name, value := range changes {
		raw, err := json.Marshal(value)
		if err != nil {
			return "", err
		}
		all = append(slices.DeleteFunc(all, func(p pair) bool { return p.name == name }), pair{name, string(raw)})
	}
	r := &incoming{storeRow: storeRow{id: plainID(identity.ID), source: identity.Source, partition: identity.Partition, serialized: string(joined(all))}}
	if r.id == "" || morango.UUID(r.partition, r.source, m.Name) != r.id {
		return "", ErrIdentity
	}
	if r.values, err = m.decode(tx, &r.storeRow); err != nil {
		return "", err
	}
	d := &deserialization{tx: tx, present: map[string]map[string]string{}}
	rows := []*incoming{r}
	if err := d.resolve(m, rows); err != nil {
		return "", err
	}
	if check := checks[m.Name]; check != nil {
		if err := check(d, m, sound(rows)); err != nil {
			return "", err
		}
	}
	if r.err != nil {
		return "", r.err
	}
	return r.id, m.upsert(tx, rows)
}

// IsRecord tells whether an error is the fault of a record and not of the database: others of the
// same kind may do.
func IsRecord(err error) bool {
	var f *failure
	var gone errGone
	var syntax *json.SyntaxError
	return ofRecord(err) || errors.As(err, &f) || errors.As(err, &gone) || errors.As(err, &syntax) || errors.Is(err, ErrIdentity) || errors.Is(err, errNoObject)
}
