//go:build !js

package transfer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/store"
	"kolibri/store/postgres"
	"kolibri/store/postgres/pgtest"
)

// onBoth runs a test with devices on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, open func(name string) *device)) {
	t.Run("SQLite", func(t *testing.T) {
		test(t, func(name string) *device { return &device{openDB(t), name} })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		server, made := pgtest.Start(t), 0
		test(t, func(name string) *device {
			made++
			database := fmt.Sprint("d", made)
			server.CreateDatabase(t, database)
			db, err := postgres.Open(context.Background(), postgres.Options{Host: server.Host, Port: strconv.Itoa(server.Port), User: "postgres", Name: database}, nil)
			require.NoError(t, err)
			t.Cleanup(func() { db.Close() })
			introduce(t, db)
			return &device{db, name}
		})
	})
}

// quiet sends to and fro until nothing is left to send, and asserts that both stores are equal.
func quiet(t *testing.T, a, b *device, filter Filter) {
	t.Helper()
	for range 4 {
		if send(t, a, b, filter, true)+send(t, b, a, filter, true) == 0 {
			require.Equal(t, a.stored(t), b.stored(t))
			require.Equal(t, a.rows(t), b.rows(t))
			return
		}
	}
	t.Fatal("the devices do not agree")
}

// one gives the first id of a query.
func (d *device) one(t testing.TB, query string, args ...any) (id string) {
	t.Helper()
	write(t, d.DB, func(tx *store.Tx) { require.NoError(t, tx.QueryRow(query, args...).Scan(&id)) })
	return id
}

func (d *device) edit(t testing.TB, m *morango.Model, id string, row morango.Row) {
	t.Helper()
	write(t, d.DB, func(tx *store.Tx) { require.NoError(t, morango.Update(tx, m, id, row)) })
}

func (d *device) remove(t testing.TB, how morango.Deletion, m *morango.Model, id string) {
	t.Helper()
	write(t, d.DB, func(tx *store.Tx) { require.NoError(t, morango.DeleteRows(tx, how, m.Table, id)) })
}

func TestConflictsAndDeletions(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(string) *device) {
		h, a, b := readHome(t), open("a"), open("b")
		filter := h.filter()
		h.fill(t, a.DB)
		send(t, a, b, filter, true)
		require.Empty(t, b.failures(t))
		quiet(t, a, b, filter)
		class := a.one(t, "SELECT id FROM kolibriauth_collection WHERE kind = 'classroom' ORDER BY name LIMIT 1")
		name := func(d *device) string { return d.one(t, "SELECT name FROM kolibriauth_collection WHERE id = ?", class) }

		t.Run("the receiver of edits keeps its own", func(t *testing.T) {
			a.edit(t, morango.Classroom, class, morango.Row{"name": "by a"})
			b.edit(t, morango.Classroom, class, morango.Row{"name": "by b"})
			send(t, a, b, filter, true)
			require.Equal(t, "by b", name(b))
			require.Contains(t, b.one(t, "SELECT conflicting_serialized_data FROM morango_store WHERE id = ?", class), `"by a"`)
			quiet(t, a, b, filter)
			require.Equal(t, "by b", name(a))
		})
		t.Run("a deletion beats an edit", func(t *testing.T) {
			lesson := a.one(t, "SELECT id FROM lessons_lesson")
			a.edit(t, morango.Lesson, lesson, morango.Row{"title": "edited"})
			b.remove(t, morango.Delete, morango.Lesson, lesson)
			quiet(t, a, b, filter)
			require.Zero(t, a.count(t, "SELECT count(*) FROM lessons_lesson"))
			require.Zero(t, a.count(t, "SELECT count(*) FROM lessons_lessonassignment"), "the cascade")
		})
		t.Run("a deleted row that is made again stays", func(t *testing.T) {
			membership := morango.Row{}
			var user, collection, dataset string
			write(t, a.DB, func(tx *store.Tx) {
				require.NoError(t, tx.QueryRow(`SELECT m.user_id, m.collection_id, m.dataset_id FROM kolibriauth_membership m JOIN kolibriauth_collection c
					ON c.id = m.collection_id WHERE c.kind = 'learnergroup' ORDER BY m.id LIMIT 1`).Scan(&user, &collection, &dataset))
			})
			membership["user_id"], membership["collection_id"], membership["dataset_id"] = user, collection, dataset
			id := a.one(t, "SELECT id FROM kolibriauth_membership WHERE user_id = ? AND collection_id = ?", user, collection)
			a.remove(t, morango.Delete, morango.Membership, id)
			write(t, a.DB, func(tx *store.Tx) {
				ids, err := morango.InsertNew(tx, nil, morango.Membership, membership)
				require.NoError(t, err)
				require.Equal(t, []string{id}, ids)
			})
			quiet(t, a, b, filter)
			require.NotZero(t, b.count(t, "SELECT count(*) FROM kolibriauth_membership WHERE id = ?", id))
			a.remove(t, morango.Delete, morango.Membership, id)
			quiet(t, a, b, filter)
			require.Zero(t, b.count(t, "SELECT count(*) FROM kolibriauth_membership WHERE id = ?", id))
		})
		t.Run("a hard deletion takes the content everywhere", func(t *testing.T) {
			user := a.one(t, "SELECT user_id FROM logger_attemptlog ORDER BY user_id LIMIT 1")
			b.edit(t, morango.FacilityUser, user, morango.Row{"full_name": "edited meanwhile"})
			log := b.one(t, "SELECT id FROM logger_contentsessionlog WHERE user_id = ? LIMIT 1", user)
			b.edit(t, morango.ContentSessionLog, log, morango.Row{"progress": 0.75})
			a.remove(t, morango.HardDelete, morango.FacilityUser, user)
			quiet(t, b, a, filter)
			for _, d := range []*device{a, b} {
				require.Zero(t, d.count(t, "SELECT count(*) FROM kolibriauth_facilityuser WHERE id = ?", user), d.name)
				require.Zero(t, d.count(t, "SELECT count(*) FROM logger_attemptlog WHERE user_id = ?", user), d.name)
				require.Zero(t, d.count(t, "SELECT count(*) FROM morango_store WHERE partition LIKE '%' || replace(CAST(? AS text), '-', '') AND serialized || conflicting_serialized_data NOT IN ('{}', '') AND model_name <> 'membership'", user), d.name)
			}
		})
		t.Run("what came for a deleted parent is deleted too", func(t *testing.T) {
			exam := a.one(t, "SELECT exam_id FROM exams_examassignment")
			user := a.one(t, "SELECT user_id FROM kolibriauth_membership LIMIT 1")
			var dataset string
			write(t, b.DB, func(tx *store.Tx) {
				require.NoError(t, tx.QueryRow("SELECT dataset_id FROM exams_exam WHERE id = ?", exam).Scan(&dataset))
				_, err := morango.InsertNew(tx, nil, morango.ExamLog, morango.Row{"exam_id": exam, "user_id": user, "dataset_id": dataset, "closed": false})
				require.NoError(t, err)
			})
			a.remove(t, morango.Delete, morango.Exam, exam)
			send(t, b, a, filter, true)
			require.Zero(t, a.count(t, "SELECT count(*) FROM logger_examlog WHERE exam_id = ?", exam))
			quiet(t, a, b, filter)
			require.Zero(t, b.count(t, "SELECT count(*) FROM logger_examlog WHERE exam_id = ?", exam))
			require.Empty(t, a.failures(t))
			require.Empty(t, b.failures(t))
		})
	})
}

func TestUnknownModelsAndFieldsAreKeptAndForwarded(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(string) *device) {
		h, a, b, c := readHome(t), open("a"), open("b"), open("c")
		filter := h.filter()
		h.fill(t, a.DB)
		write(t, a.DB, func(tx *store.Tx) {
			_, err := Serialize(tx, filter, Options{})
			require.NoError(t, err)
			// what a later Kolibri would have
			_, err = tx.Exec(`UPDATE morango_store SET serialized = replace(serialized, '"title": ', '"colour": {"r": [1, 2.50]}, "title": ') WHERE model_name = 'lesson'`)
			require.NoError(t, err)
			id := morango.UUID(filter[0], "source", "hologram")
			_, err = tx.Exec(`INSERT INTO morango_store (id, partition, `+strings.Replace(bufferColumns, "partition, ", "", 1)+`, dirty_bit)
				SELECT `+cast(tx, "uuid")+", "+cast(tx, "text")+`, '{"x": 1}', deleted, last_saved_instance, last_saved_counter, hard_deleted, 'hologram', profile,
				'source', '', '', dirty_bit FROM morango_store WHERE model_name = 'lesson'`, id, filter[0])
			require.NoError(t, err)
		})
		require.NotZero(t, a.count(t, "SELECT count(*) FROM morango_store WHERE model_name = 'hologram'"))
		send(t, a, b, filter, true)
		lesson := b.one(t, "SELECT id FROM lessons_lesson")
		b.edit(t, morango.Lesson, lesson, morango.Row{"title": "edited"})
		send(t, b, c, filter, true)
		require.Equal(t, "edited", c.one(t, "SELECT title FROM lessons_lesson"))
		text := c.one(t, "SELECT serialized FROM morango_store WHERE model_name = 'lesson'")
		require.Contains(t, text, `"colour": {"r": [1, 2.50]}, "title": "edited"`)
		require.Equal(t, `{"x": 1}`, c.one(t, "SELECT serialized FROM morango_store WHERE model_name = 'hologram'"))
		require.Empty(t, c.failures(t))
	})
}

func TestWhatCannotComeInWaitsAndIsTriedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(string) *device) {
		h, a, b := readHome(t), open("a"), open("b")
		filter := h.filter()
		h.fill(t, a.DB)
		users := filter[0] + ":user-ro:"
		// the classes do not come along: memberships and lessons have nothing to refer to
		send(t, a, b, Filter{users}, true)
		require.NotEmpty(t, b.failures(t))
		require.Contains(t, strings.Join(b.failures(t), "\n"), "references non-existent instance")
		require.Zero(t, b.count(t, "SELECT count(*) FROM kolibriauth_facilityuser"))
		failed := len(b.failures(t))
		write(t, b.DB, func(tx *store.Tx) {
			done, err := Deserialize(tx, filter, Options{SkipErroring: true})
			require.NoError(t, err)
			require.Equal(t, Result{}, done, "nothing that failed is tried")
			done, err = Deserialize(tx, filter, Options{})
			require.NoError(t, err)
			require.Equal(t, Result{Failed: failed}, done, "all are tried in vain")
		})
		send(t, a, b, filter, true)
		require.Empty(t, b.failures(t))
		require.Equal(t, a.rows(t), b.rows(t))
	})
}

func TestOneBadRecordStopsNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(string) *device) {
		h, a, b := readHome(t), open("a"), open("b")
		filter := h.filter()
		h.fill(t, a.DB)
		write(t, a.DB, func(tx *store.Tx) {
			_, err := Serialize(tx, filter, Options{})
			require.NoError(t, err)
		})
		spoil := func(model, from, to string) string {
			id := a.one(t, "SELECT id FROM morango_store WHERE model_name = ? AND serialized LIKE ? ORDER BY id LIMIT 1", model, "%"+from+"%")
			a.exec(t, "UPDATE morango_store SET serialized = replace(serialized, ?, ?) WHERE id = ?", from, to, id)
			return id
		}
		session := spoil("contentsessionlog", `"progress": `, `"progress": -`)
		spoil("attemptlog", `"correct": `, `"correct": [], "x": `)
		spoil("bookmark", `"created": "`, `"created": "yesterday`)
		spoil("usersessionlog", `"start_timestamp": "2`, `"start_timestamp": "\u0000`)
		send(t, a, b, filter, true)
		require.NotEmpty(t, session)
		require.NotEmpty(t, b.failures(t))
		require.Equal(t, a.count(t, "SELECT count(*) FROM kolibriauth_membership"), b.count(t, "SELECT count(*) FROM kolibriauth_membership"))
		require.InDelta(t, a.count(t, "SELECT count(*) FROM logger_attemptlog"), b.count(t, "SELECT count(*) FROM logger_attemptlog"), 3)
	})
}
