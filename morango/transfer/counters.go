package transfer

import (
	"encoding/json"
	"slices"
	"strings"

	"kolibri/store"
)

// MaxCounters is what this device has in a filter, as it travels: an FSIC when v2 is true, else
// counters without partitions. A producer promises only instances that are still the last to have
// saved some record, a receiver those of which any record knows.
// morango/models/core.py: calculate_filter_specific_instance_counters
func MaxCounters(tx *store.Tx, filter Filter, producer, v2 bool) (string, error) {
	if v2 {
		f, err := fsicOf(tx, filter, producer)
		return f.String(), err
	}
	counters, err := countersV1(tx, filter, producer)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(counters)
	return string(text), err
}

func fsicOf(tx *store.Tx, filter Filter, producer bool) (FSIC, error) {
	f := FSIC{map[string]Counters{}, map[string]Counters{}}
	if len(filter) == 0 {
		return f, nil
	}
	// the instance first, whose index tells at once when it has left nothing
	known := `EXISTS (SELECT 1 FROM morango_recordmaxcounter r JOIN morango_store s ON s.id = r.store_model_id
		WHERE r.instance_id = m.instance_id AND ` + within("s.partition", "m.partition") + ")"
	if producer {
		known = "EXISTS (SELECT 1 FROM morango_store s WHERE s.last_saved_instance = m.instance_id AND " + within("s.partition", "m.partition") + ")"
	}
	sub, subArgs := filter.condition(tx, "m.partition")
	super, superArgs := filter.above("m.partition")
	err := store.ForEach(tx, func(row store.Scanner) error {
		var partition, instance string
		var counter int64
		if err := row.Scan(&partition, &instance, &counter); err != nil {
			return err
		}
		side := f.Super
		if filter.Contains(partition) {
			side = f.Sub
		}
		if side[partition] == nil {
			side[partition] = Counters{}
		}
		side[partition][instance] = counter
		return nil
	}, "SELECT m.partition, m.instance_id, m.counter FROM morango_databasemaxcounter m WHERE ("+sub+" OR "+super+") AND "+known,
		append(subArgs, superArgs...)...)
	f.Reduce()
	return f, err
}

func countersV1(tx *store.Tx, filter Filter, producer bool) (Counters, error) {
	perPrefix := make([]Counters, len(filter))
	for i, prefix := range filter {
		perPrefix[i] = Counters{}
		above, args := Filter{prefix}.upTo("partition")
		err := store.ForEach(tx, func(row store.Scanner) error {
			var instance string
			var counter int64
			if err := row.Scan(&instance, &counter); err != nil {
				return err
			}
			perPrefix[i][instance] = counter
			return nil
		}, "SELECT instance_id, max(counter) FROM morango_databasemaxcounter WHERE "+above+" GROUP BY instance_id", args...)
		if err != nil {
			return nil, err
		}
	}
	all := Counters{}
	for i, counters := range perPrefix {
		for instance, counter := range counters {
			has, seen := all[instance]
			switch {
			case producer: // a sender includes everything
				all[instance] = max(has, counter)
			case i == 0:
				all[instance] = counter
			case seen: // a receiver promises only what it has of every prefix
				all[instance] = min(has, counter)
			}
		}
		if !producer {
			for instance := range all {
				if _, ok := counters[instance]; !ok {
					delete(all, instance)
				}
			}
		}
	}
	return all, nil
}

// condition is SQL for "the column starts with one of the prefixes".
func (f Filter) condition(tx *store.Tx, column string) (string, []any) {
	if len(f) == 0 {
		return "1 = 0", nil
	}
	parts, args := make([]string, len(f)), make([]any, 0, 2*len(f))
	for i, prefix := range f {
		if tx.Dialect() == store.SQLite { // a range uses the index, LIKE would not
			parts[i] = column + " >= ? AND " + column + " < ?"
			args = append(args, prefix, prefix+beyond)
		} else { // ranges depend on the database's collation
			parts[i] = column + " LIKE ?"
			args = append(args, likeEscaper.Replace(prefix)+"%")
		}
	}
	return "((" + strings.Join(parts, ") OR (") + "))", args
}

// beyond is greater than whatever follows a prefix in a partition.
const beyond = "\U0010ffff"

var likeEscaper = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// within is SQL for "the column starts with another column's value".
func within(column, prefix string) string {
	return "substr(" + column + ", 1, length(" + prefix + ")) = " + prefix
}

// above is SQL for "the column is a proper prefix of one of the filter's".
func (f Filter) above(column string) (string, []any) {
	var prefixes []string
	for _, prefix := range f {
		for i := range prefix {
			if !slices.Contains(prefixes, prefix[:i]) {
				prefixes = append(prefixes, prefix[:i])
			}
		}
	}
	return column + " IN ?", []any{store.In(prefixes)}
}

// upTo is SQL for "the column is a prefix of one of the filter's, or one of them".
func (f Filter) upTo(column string) (string, []any) {
	text, args := f.above(column)
	return "(" + text + " OR " + column + " IN ?)", append(args, store.In([]string(f)))
}

// raiseCounters notes, by partition and instance, what this device now has. Counters never sink.
func raiseCounters(tx *store.Tx, counters map[string]Counters) error {
	var args []any
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := tx.Exec("INSERT INTO morango_databasemaxcounter (instance_id, partition, counter) VALUES "+repeat("(?, ?, ?)", len(args)/3)+
			` ON CONFLICT (instance_id, partition) DO UPDATE SET counter = excluded.counter
			WHERE excluded.counter > morango_databasemaxcounter.counter`, args...)
		args = args[:0]
		return err
	}
	for part, instances := range counters {
		for instance, counter := range instances {
			args = append(args, instance, part, counter)
			if len(args) == 3*batch {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}
