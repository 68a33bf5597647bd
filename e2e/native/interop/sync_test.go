//go:build unix

package interop

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/store"
	"kolibri/store/sqlite"
)

// sync synchronizes a home with a server by the command line, until both have what the other had: what
// a device has not serialized when it is asked travels with the second.
func (s *site) sync(program string, with *site, facility string) {
	s.t.Helper()
	for range 2 {
		ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
		out, err := s.command(ctx, program, "manage", "sync", "--baseurl", with.url(""), "--facility", facility,
			"--username", "admin", "--password", password, "--noninteractive").CombinedOutput()
		cancel()
		require.NoError(s.t, err, "%s\n%s", out, with.log)
	}
}

// django runs testdata/models.py in the home of an original.
func (s *site) django(original string, args ...string) {
	s.t.Helper()
	script, err := filepath.Abs("testdata/models.py")
	require.NoError(s.t, err)
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	out, err := s.command(ctx, filepath.Join(filepath.Dir(original), "python"), append([]string{script}, args...)...).CombinedOutput()
	require.NoError(s.t, err, string(out))
}

// local is what a home keeps for itself in the tables that travel; the original stamps the status of
// a learner's device anew when it arrives.
var local = map[string]bool{"_morango_dirty_bit": true, "lft": true, "rght": true, "tree_id": true, "level": true,
	"dirty_bit": true, "last_transfer_session_id": true, "deserialization_exception": true, "created_at": true, "updated_at": true}

// contents is all that synchronized homes must agree about: the rows of every model and what the
// store says of them, by table and id.
func (s *site) contents() map[string]string {
	s.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(s.home, "db.sqlite3")+"?mode=ro&_pragma=busy_timeout(20000)")
	require.NoError(s.t, err)
	defer db.Close()
	all, tables := map[string]string{}, map[string]bool{"morango_store": true}
	for _, m := range morango.Models {
		tables[m.Table] = true
	}
	for table := range tables {
		rows, err := db.Query("SELECT * FROM " + table)
		require.NoError(s.t, err)
		columns, err := rows.Columns()
		require.NoError(s.t, err)
		for rows.Next() {
			values, dest := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				dest[i] = &values[i]
			}
			require.NoError(s.t, rows.Scan(dest...))
			row, id := map[string]string{}, ""
			for i, name := range columns {
				switch text := plain(values[i]); {
				case name == "id":
					id = text
				case !local[name]:
					row[name] = text
				}
			}
			text, err := json.Marshal(row)
			require.NoError(s.t, err)
			all[table+" "+id] = string(text)
		}
		require.NoError(s.t, rows.Err())
		rows.Close()
	}
	return all
}

// plain is a column's value without what the two programs may write differently: the order in JSON,
// and microseconds of times that travel with milliseconds.
func plain(value any) string {
	switch v := value.(type) {
	case time.Time:
		return v.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano)
	case []byte:
		return plain(string(v))
	case bool:
		return map[bool]string{false: "0", true: "1"}[v]
	case string:
		var parsed any
		if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
			if json.Unmarshal([]byte(v), &parsed) == nil {
				text, _ := json.Marshal(parsed)
				return string(text)
			}
		}
		if at, err := time.Parse("2006-01-02 15:04:05.999999", v); err == nil {
			return plain(at)
		}
		return v
	}
	return fmt.Sprint(value)
}

// agree requires homes to hold the same, and returns it.
func agree(t *testing.T, sites ...*site) map[string]string {
	t.Helper()
	want := sites[0].contents()
	for i, s := range sites[1:] {
		got := s.contents()
		require.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)), "home %d", i+1)
		for key, text := range want {
			require.Equal(t, text, got[key], "home %d: %s", i+1, key)
		}
	}
	return want
}

// changes is what we change of a record of each model; those that are not named have nothing but
// their identity.
var changes = map[string]string{
	"facilitydataset": "description = 'ours'", "facility": "name = 'ours'", "classroom": "name = 'ours'",
	"adhoclearnersgroup": "name = 'ours'", "learnergroup": "name = 'ours'", "facilityuser": "full_name = 'ours'",
	"attendancesession": "date_modified = '2026-01-31 08:00:00.000001(UTC)'", "attendancerecord": "present = NOT present",
	"individualsyncablelesson": `serialized_lesson = '{"title": "ours"}'`, "lesson": "title = 'ours'", "learnerdevicestatus": "status = 'ours'",
	"coursesession": "title = 'ours'", "unittestassignment": "closed = NOT closed", "individualsyncableexam": `serialized_exam = '{"title": "ours"}'`,
	"exam": "title = 'ours'", "examlog": "closed = NOT closed", "examattemptlog": "simple_answer = 'ours'", "usersessionlog": "pages = 'ours'",
	"contentsummarylog": "time_spent = 7.5", "masterylog": "time_spent = 7.5", "contentsessionlog": "time_spent = 7.5",
	"attemptlog": "simple_answer = 'ours'", "bookmark": "contentnode_id = content_id",
}

// ofModel is SQL for the rows of one model.
func ofModel(m *morango.Model) string {
	switch m {
	case morango.Facility, morango.Classroom, morango.LearnerGroup, morango.AdHocGroup:
		return m.Table + " WHERE kind = '" + m.Name + "' AND name NOT LIKE 'Class goes%'" // which models.py looks for
	case morango.FacilityUser:
		return m.Table + " WHERE username <> 'admin'"
	}
	return m.Table + " WHERE 1 = 1"
}

// write changes the database of ours beside its running server.
func (s *site) write(fn func(tx *store.Tx) error) {
	s.t.Helper()
	db, err := sqlite.Open(s.t.Context(), filepath.Join(s.home, "db.sqlite3"), nil)
	require.NoError(s.t, err)
	defer db.Close()
	require.NoError(s.t, db.Write(s.t.Context(), fn))
}

// Records of all 28 models are made, edited and deleted in a real Kolibri, travel through ours to a
// second real one and back, and so do edits and deletions of ours. A dataset and its facility
// are never deleted by a synchronization.
func TestEveryModelTravelsBetweenTheOriginalAndUs(t *testing.T) {
	takesMinutes(t)
	p := findPrograms(t)
	first, ours, last := newSite(t, p), newSite(t, p), newSite(t, p)
	apart(first, ours, last)
	first.provision(p.original, "École 学校")
	first.django(p.original, "make", "stays", "goes")
	first.start(p.original)
	facility := first.signIn("admin")
	ours.sync(p.ours, first, facility)
	ours.start(p.ours)
	last.sync(p.original, ours, facility)
	have := agree(t, first, ours, last)
	for _, m := range morango.Models {
		require.True(t, hasModel(have, m.Table), m.Name)
	}

	t.Log("edited by an original")
	last.django(p.original, "edit", "stays")
	last.sync(p.original, ours, facility)
	ours.sync(p.ours, first, facility)
	require.NotEqual(t, have, agree(t, first, ours, last))

	t.Log("edited by us")
	ours.write(func(tx *store.Tx) error {
		for _, m := range morango.Models {
			set := "_morango_dirty_bit = TRUE"
			if change := changes[m.Name]; change != "" {
				set = change + ", " + set
			}
			n, err := tx.Exec("UPDATE " + m.Table + " SET " + set + " WHERE id = (SELECT id FROM " + ofModel(m) + " ORDER BY id LIMIT 1)")
			if err != nil || n != 1 {
				return fmt.Errorf("%s: %d rows, %w", m.Name, n, err)
			}
		}
		return nil
	})
	ours.sync(p.ours, first, facility)
	last.sync(p.original, ours, facility)
	have = agree(t, first, ours, last)
	require.Contains(t, strings.Join(slices.Collect(maps.Values(have)), ""), `"description":"ours"`)

	t.Log("deleted by an original")
	first.django(p.original, "delete", "goes")
	ours.sync(p.ours, first, facility)
	last.sync(p.original, ours, facility)
	fewer := agree(t, first, ours, last)
	require.Less(t, len(fewer), len(have))

	t.Log("deleted by us")
	ours.write(func(tx *store.Tx) error {
		for _, m := range slices.Backward(morango.Models) {
			if m == morango.FacilityDataset || m == morango.Facility {
				continue
			}
			rows := ofModel(m)
			if m == morango.Role {
				rows += " AND user_id IN (SELECT id FROM kolibriauth_facilityuser WHERE username <> 'admin')"
			}
			ids, err := tx.Strings("SELECT id FROM " + rows)
			if err != nil || len(ids) == 0 {
				return fmt.Errorf("no %s is left: %w", m.Name, err)
			}
			if err := morango.DeleteRows(tx, morango.Delete, m.Table, ids...); err != nil {
				return err
			}
		}
		return nil
	})
	ours.sync(p.ours, first, facility)
	last.sync(p.original, ours, facility)
	have = agree(t, first, ours, last)
	for key := range have {
		switch table, _, _ := strings.Cut(key, " "); table {
		case "morango_store", "kolibriauth_facilitydataset", "kolibriauth_collection", "kolibriauth_facilityuser", "kolibriauth_role", "logger_usersessionlog":
		default:
			t.Errorf("%s is left", key)
		}
	}
	for _, s := range []*site{first, ours} {
		s.stop(syscall.SIGTERM)
	}
}

func hasModel(contents map[string]string, table string) bool {
	for key := range contents {
		if strings.HasPrefix(key, table+" ") {
			return true
		}
	}
	return false
}
