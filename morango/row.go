package morango

import (
	"io"
	"slices"
	"strings"

	"kolibri/store"
)

// Insert writes a new record with its identity and a set dirty bit, and returns its id. The row
// holds all columns that have no default in the schema, without those of morango.
func Insert(tx *store.Tx, random io.Reader, m *Model, row Row) (string, error) {
	ids, err := insert(tx, random, m, "", row)
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// InsertNew writes those of the records that are not there yet, and returns the ids of all. It is
// for models whose id follows from the row. All rows must have the same columns.
func InsertNew(tx *store.Tx, random io.Reader, m *Model, rows ...Row) ([]string, error) {
	return insert(tx, random, m, " ON CONFLICT DO NOTHING", rows...)
}

// batch is how many rows go into one statement, well below the databases' limits of variables.
const batch = 200

func insert(tx *store.Tx, random io.Reader, m *Model, suffix string, rows ...Row) ([]string, error) {
	ids := make([]string, 0, len(rows))
	for chunk := range slices.Chunk(rows, batch) {
		columns := columns(chunk[0])
		places := "(?,?,?,?" + strings.Repeat(",?", len(columns)) + ")"
		var b strings.Builder
		b.WriteString("INSERT INTO " + m.Table + " (id, _morango_source_id, _morango_partition, _morango_dirty_bit")
		for _, c := range columns {
			b.WriteString(", " + c)
		}
		b.WriteString(") VALUES " + places + strings.Repeat(", "+places, len(chunk)-1) + suffix)
		args := make([]any, 0, len(chunk)*(len(columns)+4))
		for _, row := range chunk {
			identity, err := m.Identify(random, row)
			if err != nil {
				return nil, err
			}
			ids = append(ids, identity.ID)
			args = append(args, identity.ID, identity.Source, identity.Partition, true)
			for _, c := range columns {
				args = append(args, row[c])
			}
		}
		if _, err := tx.Exec(b.String(), args...); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// Update changes columns of a record and sets its dirty bit. It returns store.ErrNotFound when there
// is no such record.
func Update(tx *store.Tx, m *Model, id string, changes Row) error {
	n, err := UpdateWhere(tx, m, changes, "id = ?", id)
	if err == nil && n == 0 {
		return store.ErrNotFound
	}
	return err
}

// UpdateWhere changes columns of all records that meet a condition, sets their dirty bits and
// returns how many they were.
func UpdateWhere(tx *store.Tx, m *Model, changes Row, where string, args ...any) (int64, error) {
	text := "UPDATE " + m.Table + " SET _morango_dirty_bit = ?"
	all := []any{true}
	for _, c := range columns(changes) {
		text += ", " + c + " = ?"
		all = append(all, changes[c])
	}
	return tx.Exec(text+" WHERE "+where, append(all, args...)...)
}

// columns are the row's columns in the order of their names, so that equal rows give equal texts.
func columns(row Row) []string {
	names := make([]string, 0, len(row))
	for name := range row {
		if !strings.HasPrefix(name, "$") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
