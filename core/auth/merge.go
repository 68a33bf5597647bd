package auth

import (
	"errors"
	"io"

	"kolibri/morango"
	"kolibri/store"
)

// mergedLogs are the records that move with a person, in an order in which none refers to a later one,
// with the columns that refer to others of them.
var mergedLogs = []struct {
	model   *morango.Model
	columns map[string]*morango.Model
}{
	{morango.ContentSessionLog, nil},
	{morango.ContentSummaryLog, nil},
	{morango.UserSessionLog, nil},
	{morango.MasteryLog, map[string]*morango.Model{"summarylog_id": morango.ContentSummaryLog}},
	{morango.AttemptLog, map[string]*morango.Model{"masterylog_id": morango.MasteryLog, "sessionlog_id": morango.ContentSessionLog}},
}

// MergeUsers copies what one account has learned to another, which may be of another facility. What
// the other has already stays as it is, so that it may be repeated.
// kolibri/core/auth/utils/migrate.py: merge_users
func MergeUsers(tx *store.Tx, random io.Reader, source, target string) error {
	if source == target {
		return errors.New("an account cannot be merged with itself")
	}
	var dataset string
	if err := tx.QueryRow("SELECT dataset_id FROM kolibriauth_facilityuser WHERE id = ?", target).Scan(&dataset); err != nil {
		return err
	}
	for _, column := range []string{"gender", "birth_year", "id_number", "full_name"} {
		_, err := tx.Exec(`UPDATE kolibriauth_facilityuser SET _morango_dirty_bit = TRUE, `+column+` =
			(SELECT s.`+column+` FROM kolibriauth_facilityuser s WHERE s.id = ?) WHERE id = ? AND `+column+` = ''`, source, target)
		if err != nil {
			return err
		}
	}
	moved := map[*morango.Model]map[string]string{}
	for _, log := range mergedLogs {
		rows, err := rowsOf(tx, log.model.Table, source)
		if err != nil {
			return err
		}
		ids := map[string]string{}
		moved[log.model] = ids
		var copies []morango.Row
		var olds []string
		for _, row := range rows {
			old, _ := row["id"].(string)
			sourceID := row["_morango_source_id"]
			for _, own := range []string{"id", "_morango_source_id", "_morango_partition", "_morango_dirty_bit"} {
				delete(row, own)
			}
			row["user_id"], row["dataset_id"] = target, dataset
			if log.model.Source == "" { // a random one, by which a repeated copy is known
				row["$source"] = sourceID
			}
			if remap(row, log.columns, moved) {
				copies, olds = append(copies, row), append(olds, old)
			}
		}
		if len(copies) == 0 {
			continue
		}
		news, err := morango.InsertNew(tx, random, log.model, copies...)
		if err != nil {
			return err
		}
		for i, old := range olds {
			ids[old] = news[i]
		}
	}
	return nil
}

// remap makes the columns that refer to others refer to their copies, and tells whether there are any.
func remap(row morango.Row, columns map[string]*morango.Model, moved map[*morango.Model]map[string]string) bool {
	for column, model := range columns {
		old, ok := row[column].(string)
		if !ok {
			continue // it refers to nothing
		}
		if row[column], ok = moved[model][old]; !ok {
			return false
		}
	}
	return true
}

// rowsOf reads a person's rows of a table with all their columns.
func rowsOf(tx *store.Tx, table, user string) ([]morango.Row, error) {
	rows, err := tx.Query("SELECT * FROM "+table+" WHERE user_id = ? ORDER BY id", user)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all []morango.Row
	for rows.Next() {
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		row := morango.Row{}
		for i, name := range columns {
			row[name] = values[i]
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
