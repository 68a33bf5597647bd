//go:build !js

package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/store"
)

const (
	testInstance = "00000000000000000000000000000002"
	testDataset  = "1a7b9a42e2b79e6787e6207b6203a412"
)

// record is a record as it may travel in the test session.
func record(model, source, partition, serialized string) Buffer {
	id := morango.UUID(partition, source, model)
	return Buffer{TransferSession: testSession, ModelUUID: id, ModelName: model, Profile: morango.Profile, Partition: partition, SourceID: source,
		Serialized: serialized, LastSavedInstance: testInstance, LastSavedCounter: 7,
		MaxCounters: []Saved{{testSession, id, testInstance, 7}, {testSession, id, testInstance, 5}}}
}

func TestForgedRecordsAreRefused(t *testing.T) {
	db := &device{openDB(t), "server"}
	s := &Session{ID: testSession, Filter: Filter{testDataset + ":user-rw:u"}, Push: true, Server: true, V2: true}
	db.begin(t, s)
	good := func() Buffer { return record("bookmark", "s", testDataset+":user-rw:u", "{}") }
	for name, change := range map[string]func(*Buffer){
		"another id":                func(r *Buffer) { r.ModelUUID = testInstance },
		"another source":            func(r *Buffer) { r.SourceID = "t" },
		"another model":             func(r *Buffer) { r.ModelName = "role" },
		"another partition":         func(r *Buffer) { r.Partition += "2" },
		"outside the filter":        func(r *Buffer) { *r = record("bookmark", "s", testDataset+":user-rw:v", "{}") },
		"another facility":          func(r *Buffer) { *r = record("bookmark", "s", testInstance+":user-rw:u", "{}") },
		"a dataset's id":            func(r *Buffer) { *r = record("facilitydataset", "s", testDataset+":user-rw:u", "{}") },
		"another session":           func(r *Buffer) { r.TransferSession = testInstance },
		"another profile":           func(r *Buffer) { r.Profile = "other" },
		"no instance":               func(r *Buffer) { r.LastSavedInstance = "" },
		"a negative counter":        func(r *Buffer) { r.LastSavedCounter = -1 },
		"a huge counter":            func(r *Buffer) { r.LastSavedCounter = 1 << 40 },
		"another record's counter":  func(r *Buffer) { r.MaxCounters[0].ModelUUID = testInstance },
		"another session's counter": func(r *Buffer) { r.MaxCounters[0].TransferSession = testInstance },
		"a counter of nobody":       func(r *Buffer) { r.MaxCounters[0].InstanceID = "x" },
		"a negative counter beside": func(r *Buffer) { r.MaxCounters[0].Counter = -3 },
		"zero bytes":                func(r *Buffer) { r.Serialized = "{\x00}" },
		"a long reference":          func(r *Buffer) { r.SelfRefFK = strings.Repeat("x", 33) },
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			change(&r)
			write(t, db.DB, func(tx *store.Tx) {
				_, err := Receive(tx, s, []Buffer{good(), r})
				require.ErrorIs(t, err, ErrBuffer)
			})
		})
	}
	for range 2 { // the same again changes nothing
		write(t, db.DB, func(tx *store.Tx) {
			_, err := Receive(tx, s, []Buffer{good(), good()})
			require.NoError(t, err)
		})
		require.EqualValues(t, 1, db.count(t, "SELECT records_transferred FROM morango_transfersession WHERE id = ?", s.ID))
	}
	got := Buffer{TransferSession: s.ID}
	write(t, db.DB, func(tx *store.Tx) {
		require.NoError(t, tx.QueryRow("SELECT id, "+bufferColumns+" FROM morango_store WHERE dirty_bit AND last_transfer_session_id = ?", s.ID).Scan(&got.ModelUUID,
			&got.Serialized, &got.Deleted, &got.LastSavedInstance, &got.LastSavedCounter, &got.HardDeleted, &got.ModelName, &got.Profile, &got.Partition,
			&got.SourceID, &got.Conflicting, &got.SelfRefFK))
		c := Saved{TransferSession: s.ID}
		require.NoError(t, tx.QueryRow("SELECT store_model_id, instance_id, counter FROM morango_recordmaxcounter").Scan(&c.ModelUUID, &c.InstanceID, &c.Counter))
		got.MaxCounters = []Saved{c}
	})
	require.EqualValues(t, 1, db.count(t, "SELECT count(*) FROM morango_store"))
	require.EqualValues(t, 1, db.count(t, "SELECT count(*) FROM morango_recordmaxcounter"))
	want := good()
	want.MaxCounters = want.MaxCounters[:1]
	require.Equal(t, want, got)
}

func TestRecordsThatClaimAnothersPlaceStayOutOfTheApps(t *testing.T) {
	h, db := readHome(t), &device{openDB(t), "server"}
	h.fill(t, db.DB)
	dataset := h.filter()[0]
	var users []string
	write(t, db.DB, func(tx *store.Tx) {
		var err error
		users, err = tx.Strings("SELECT id FROM kolibriauth_facilityuser ORDER BY id LIMIT 2")
		require.NoError(t, err)
	})
	s := &Session{ID: testSession, Filter: Filter{dataset + ":user-rw:" + users[0]}, Push: true, Server: true, V2: true,
		ClientFSIC: `{"super": {}, "sub": {}}`, ServerFSIC: `{"super": {}, "sub": {}}`}
	db.begin(t, s)
	node := "0123456789abcdef0123456789abcdef"
	text := func(dataset, user, node string) string {
		return fmt.Sprintf(`{"dataset_id": %q, "user_id": %q, "contentnode_id": %q, "created": "2026-01-05T08:00:00Z"}`, dataset, user, node)
	}
	before := db.count(t, "SELECT count(*) FROM bookmarks_bookmark")
	records := []Buffer{
		record("bookmark", "1", s.Filter[0], text(dataset, users[0], node)),
		record("bookmark", "2", s.Filter[0], text(dataset, users[1], node)),
		record("bookmark", "3", s.Filter[0], text(testDataset[1:]+"0", users[0], node)),
		record("bookmark", "4", s.Filter[0], text(dataset, users[0], "'; DROP TABLE bookmarks_bookmark; --")),
		record("bookmark", "5", s.Filter[0], `[1]`),
		record("bookmark", "6", s.Filter[0], `{"id": "`+testInstance+`"}`),
		record("bookmark", "7", s.Filter[0], strings.Repeat("[", 100_000)),
		record("bookmark", "8", s.Filter[0], text(dataset, users[0], node)), // the same bookmark, made elsewhere
	}
	write(t, db.DB, func(tx *store.Tx) {
		_, err := Receive(tx, s, records)
		require.NoError(t, err)
		require.NoError(t, Dequeue(tx, s))
		done, err := Deserialize(tx, s.Filter, Options{})
		require.NoError(t, err)
		require.Equal(t, Result{Records: 1, Failed: 7}, done)
	})
	require.Equal(t, before+1, db.count(t, "SELECT count(*) FROM bookmarks_bookmark"))
	require.EqualValues(t, 1, db.count(t, "SELECT count(*) FROM morango_store WHERE deserialization_exception = ?", IntegrityError))
}

func TestLyingCountersAreRefused(t *testing.T) {
	db := &device{openDB(t), "server"}
	s := &Session{ID: testSession, Filter: Filter{testDataset}, Push: true, Server: true, V2: true, ServerFSIC: `{"super": {}, "sub": {}}`}
	db.begin(t, s)
	for _, text := range []string{"", "[]", `{"super": {}, "sub": {"` + testInstance + `:user-rw:u": {"` + testInstance + `": 5}}}`,
		`{"super": {}, "sub": {"` + testDataset + `": {"` + testInstance + `": 99999999999}}}`} {
		s.ClientFSIC = text
		for _, operation := range []func(*store.Tx, *Session) error{
			func(tx *store.Tx, s *Session) error { _, err := Queue(tx, s); return err },
			Dequeue,
		} {
			write(t, db.DB, func(tx *store.Tx) { require.ErrorIs(t, operation(tx, s), ErrFSIC, text) })
		}
	}
}

func TestLimitedStepsDoTheWhole(t *testing.T) {
	h, a, b := readHome(t), &device{openDB(t), "a"}, &device{openDB(t), "b"}
	h.fill(t, a.DB)
	steps := func(d *device, operation func(*store.Tx, Options) (Result, error)) (all Result) {
		for n := 0; ; n++ {
			var done Result
			write(t, d.DB, func(tx *store.Tx) {
				var err error
				done, err = operation(tx, Options{Limit: 40, Continue: n > 0})
				require.NoError(t, err)
			})
			all.Records, all.Failed = all.Records+done.Records, all.Failed+done.Failed
			require.Less(t, n, 20)
			if !done.More {
				require.Positive(t, n)
				return all
			}
		}
	}
	require.Equal(t, len(h.Store), steps(a, func(tx *store.Tx, o Options) (Result, error) { return Serialize(tx, h.filter(), o) }).Records)
	send(t, a, b, h.filter(), true)
	b.exec(t, "UPDATE morango_store SET dirty_bit = ?", true)
	b.exec(t, "DELETE FROM logger_attemptlog")
	b.exec(t, "UPDATE morango_store SET serialized = '' WHERE model_name = 'bookmark'")
	require.Equal(t, Result{Records: len(h.Store) - 1, Failed: 1}, steps(b, func(tx *store.Tx, o Options) (Result, error) { return Deserialize(tx, h.filter(), o) }))
	require.Equal(t, a.rows(t), b.rows(t))
}

func TestOldSessionsAreClosed(t *testing.T) {
	db := &device{openDB(t), "server"}
	for i, id := range []string{testSession, testInstance} {
		s := &Session{ID: id, Filter: Filter{testDataset}, Push: i == 0, Server: true}
		db.begin(t, s)
		if s.Push {
			r := record("bookmark", "s", testDataset, "{}")
			write(t, db.DB, func(tx *store.Tx) { _, err := Receive(tx, s, []Buffer{r}); require.NoError(t, err) })
		}
	}
	clean := func(e Expiry) (closed [2]int64) {
		write(t, db.DB, func(tx *store.Tx) {
			var err error
			closed[0], closed[1], err = CleanUp(tx, e)
			require.NoError(t, err)
		})
		return closed
	}
	now, later := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	require.Equal(t, [2]int64{}, clean(Expiry{Before: now}))
	require.Equal(t, [2]int64{}, clean(Expiry{Before: later, ClientInstance: testInstance}))
	require.Equal(t, [2]int64{}, clean(Expiry{Before: later, Filter: "other"}))
	require.Equal(t, [2]int64{1, 1}, clean(Expiry{Before: later, Push: true, Filter: testDataset[:8]}))
	require.Equal(t, [2]int64{1, 1}, clean(Expiry{Before: later}))
	require.Equal(t, [2]int64{}, clean(Expiry{Before: later}))
}

func TestHooksRunOnceAndInOrder(t *testing.T) {
	db := &device{openDB(t), "server"}
	s := &Session{ID: testSession, Filter: Filter{testDataset}, Server: true}
	db.begin(t, s)
	e := &Event{Session: *s, SyncSessionID: db.one(t, "SELECT sync_session_id FROM morango_transfersession")}
	var ran []string
	operation := func(name string, priority int, after bool) Operation {
		return Operation{Name: name, Stage: Cleanup, Priority: priority, After: after, Run: func(*store.Tx, *Event) error { ran = append(ran, name); return nil }}
	}
	fails := errors.New("a hook's fault")
	hooks := Hooks{
		{App: "one", Operations: []Operation{operation("low", 0, false), operation("behind", 0, true)}, Before: func(*store.Tx, *Event) error { return fails }},
		{App: "two", Operations: []Operation{operation("high", 10, false)}, Before: func(*store.Tx, *Event) error { ran = append(ran, "begun"); return nil }},
	}
	for range 2 {
		write(t, db.DB, func(tx *store.Tx) {
			require.NoError(t, hooks.Run(tx, Cleanup, false, e))
			require.NoError(t, hooks.Run(tx, Queuing, false, e))
			require.NoError(t, hooks.Run(tx, Cleanup, true, e))
		})
	}
	require.Equal(t, []string{"high", "low", "behind"}, ran)
	write(t, db.DB, func(tx *store.Tx) { require.ErrorIs(t, hooks.Begin(tx, e), fails) })
	require.Equal(t, "begun", ran[3])
}

// FuzzRecords: whatever a peer sends is refused with a reason, or stored and, if it cannot be in the
// apps, kept with a reason.
func FuzzRecords(f *testing.F) {
	for _, seed := range []Buffer{record("bookmark", "s", testDataset+":user-rw:u", `{"user_id": "u", "created": "x"}`), record("facilityuser", "s", testDataset+":x", "null"),
		record("attemptlog", "s", testDataset, `{"answer": "{", "correct": 1e999, "item": ["x"], "start_timestamp": "(", "interaction_history": {}}`)} {
		text, err := json.Marshal(seed)
		require.NoError(f, err)
		f.Add(text, seed.ModelName, seed.Serialized)
		f.Add([]byte("["+string(text)), seed.ModelName, strings.ToUpper(seed.Serialized))
	}
	f.Add([]byte(`[{"rmcb_list": null}]`), "exam", `{"question_sources": "[{\"questions\": [1]}, 2]", "data_model_version": 3, "question_count": "1"}`)
	db := &device{openDB(f), "server"}
	s := &Session{ID: testSession, Filter: Filter{testDataset}, Push: true, Server: true, V2: true, ClientFSIC: `{"super": {}, "sub": {}}`}
	db.begin(f, s)
	f.Fuzz(func(t *testing.T, wire []byte, model, serialized string) {
		records, err := DecodeBuffers(bytes.NewReader(wire))
		if err != nil {
			require.ErrorIs(t, err, ErrBuffer)
		}
		own := record(model, "s", testDataset, serialized)
		write(t, db.DB, func(tx *store.Tx) {
			undone := errors.New("undone")
			require.ErrorIs(t, tx.Savepoint(func() error {
				for _, all := range [][]Buffer{records, {own}} {
					if _, err := Receive(tx, s, all); err != nil {
						require.ErrorIs(t, err, ErrBuffer)
					}
				}
				require.NoError(t, Dequeue(tx, s))
				_, err := Deserialize(tx, s.Filter, Options{})
				require.NoError(t, err)
				return undone
			}), undone)
		})
	})
}
