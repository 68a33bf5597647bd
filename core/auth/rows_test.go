package auth_test

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/server/servertest"
	"kolibri/store"
)

// realPeople holds the rows that a real Kolibri 0.19.5 wrote for the world that servertest.NewWorld
// makes, and what it noted as deleted when some of them went.
//
//go:embed testdata/people.json
var realPeople []byte

type row map[string]any

type realWorld struct {
	Names   map[string]string
	Rows    map[string][]row
	Deleted map[string][]string
}

func readRealWorld(t *testing.T) (g realWorld) {
	decoder := json.NewDecoder(bytes.NewReader(realPeople))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&g))
	return g
}

// The identities of a real Kolibri's rows follow from the same inputs here.
func TestRealRowsHaveTheIdentitiesWeGive(t *testing.T) {
	byTable := map[string]func(row) *morango.Model{
		"kolibriauth_facilitydataset": func(row) *morango.Model { return morango.FacilityDataset },
		"kolibriauth_facilityuser":    func(row) *morango.Model { return morango.FacilityUser },
		"kolibriauth_role":            func(row) *morango.Model { return morango.Role },
		"kolibriauth_membership":      func(row) *morango.Model { return morango.Membership },
		"kolibriauth_collection": func(r row) *morango.Model {
			return map[any]*morango.Model{"facility": morango.Facility, "classroom": morango.Classroom, "learnergroup": morango.LearnerGroup}[r["kind"]]
		},
	}
	for table, model := range byTable {
		for _, r := range readRealWorld(t).Rows[table] {
			given := morango.Row(r)
			m := model(r)
			if m.Source == "" || m == morango.FacilityDataset {
				given["$source"] = r["_morango_source_id"]
			}
			got, err := m.Identify(nil, given)
			require.NoError(t, err)
			require.Equal(t, morango.Identity{ID: r["id"].(string), Source: r["_morango_source_id"].(string), Partition: r["_morango_partition"].(string)}, got, table)
		}
	}
}

// The rows that this app writes are those of a real Kolibri: column by column, with ids called by name.
func TestRowsAreThoseOfARealKolibri(t *testing.T) { compareRows(t, servertest.NewWorld(t)) }

func compareRows(t *testing.T, w *servertest.World) {
	g := readRealWorld(t)
	for table, want := range g.Rows {
		t.Run(table, func(t *testing.T) {
			var got []row
			require.NoError(t, w.DB.Read(context.Background(), func(tx *store.Tx) (err error) {
				got, err = allRows(tx, table)
				return err
			}))
			require.Equal(t, canonical(t, want, g.Names), canonical(t, ours(got, w), w.IDs))
		})
	}
}

// ours leaves out what belongs to the second facility, which the real world does not have.
func ours(all []row, w *servertest.World) []row {
	var out []row
	for _, r := range all {
		text := fmt.Sprint(r)
		if !strings.Contains(text, w.IDs["other_dataset"]) {
			out = append(out, r)
		}
	}
	return out
}

func allRows(tx *store.Tx, table string) ([]row, error) {
	rows, err := tx.Query("SELECT * FROM " + table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all []row
	for rows.Next() {
		values, pointers := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return nil, err
		}
		r := row{}
		for i, name := range names {
			r[name] = values[i]
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

var (
	unnamed = regexp.MustCompile(`[0-9a-f]{32}`)
	moment  = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\(UTC\)$`)
)

// canonical turns rows into lines that can be compared: ids by their names, the id of a link by what
// it links, everything drawn at random by a word, JSON without its spaces.
func canonical(t *testing.T, rows []row, names map[string]string) []string {
	byID := map[string]string{}
	for name, id := range names {
		if !strings.HasPrefix(name, "role_") && !strings.HasPrefix(name, "mem_") {
			byID[id] = "{" + name + "}"
		}
	}
	var out []string
	for _, r := range rows {
		line := map[string]string{}
		for column, value := range r {
			text := plain(value)
			switch {
			case column == "password":
				require.True(t, strings.HasPrefix(text, "pbkdf2_sha256$260000$"), text)
				text = "(hash)"
			case column == "date_joined":
				require.Regexp(t, moment, text)
				text = "(moment)"
			case column == "private_key" || column == "public_key" || column == "serialized" || column == "signature":
				require.NotEmpty(t, text)
				text = "(key)"
			case column == "tree_id":
				text = "(number)"
			case column == "extra_fields":
				var b bytes.Buffer
				require.NoError(t, json.Compact(&b, []byte(text)))
				text = b.String()
			}
			for id, name := range byID {
				text = strings.ReplaceAll(text, id, name)
			}
			line[column] = unnamed.ReplaceAllString(text, "{random}")
		}
		text, err := json.Marshal(line)
		require.NoError(t, err)
		out = append(out, string(text))
	}
	sort.Strings(out)
	return out
}

// plain writes a column's value as SQLite keeps it.
func plain(v any) string {
	switch t := v.(type) {
	case nil:
		return "NULL"
	case bool:
		if t {
			return "1"
		}
		return "0"
	case []byte:
		return string(t)
	}
	return fmt.Sprint(v)
}

// Deletions reach what they reach in a real Kolibri, and are noted for other devices.
func TestDeletionsAreThoseOfARealKolibri(t *testing.T) { compareDeletions(t, servertest.NewWorld(t)) }

func compareDeletions(t *testing.T, w *servertest.World) {
	g := readRealWorld(t)
	super := w.As(t, "superuser")
	id := func(query string, args ...any) (id string) {
		require.NoError(t, w.DB.Read(context.Background(), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&id) }))
		return id
	}
	const member, held = "SELECT id FROM kolibriauth_membership WHERE user_id = ? AND collection_id = ?", "SELECT id FROM kolibriauth_role WHERE user_id = ? AND collection_id = ?"
	// the links' ids by the names that the real world has for them
	for name, of := range map[string][3]string{
		"mem_learner": {member, "learner", "class_a"}, "mem_learner2": {member, "learner2", "class_a"}, "mem_learner3": {member, "learner3", "class_b"},
		"mem_group": {member, "learner", "group_a"}, "mem_group_b": {member, "learner3", "group_b"},
		"role_assignable": {held, "classcoach", "facility"}, "role_classcoach": {held, "classcoach", "class_a"},
	} {
		w.IDs[name] = id(of[0], w.IDs[of[1]], w.IDs[of[2]])
	}
	for _, step := range [][2]string{{"membership", "/api/auth/membership/{mem_learner}/"}, {"role", "/api/auth/role/{role_assignable}/"}, {"classroom", "/api/auth/classroom/{class_b}/"}} {
		require.Equal(t, 204, super.Delete(w.Path(step[1])).Status)
		var noted []string
		require.NoError(t, w.DB.Read(context.Background(), func(tx *store.Tx) (err error) {
			noted, err = tx.Strings("SELECT id FROM morango_deletedmodels")
			return err
		}))
		require.ElementsMatch(t, named(g.Deleted[step[0]], g.Names), named(noted, w.IDs), step[0])
	}
}

func named(ids []string, names map[string]string) []string {
	var out []string
	for _, id := range ids {
		name := "?"
		for n, i := range names {
			if i == id {
				name = n
			}
		}
		out = append(out, name)
	}
	return out
}
