//go:build !js

package transfer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
)

// A transfer that ends early leaves what it has brought; the next one brings it again, as its own.
func TestRecordsOfATransferThatEndedEarlyComeAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(string) *device) {
		db := open("server")
		session := func(id string) *Session {
			s := &Session{ID: id, Filter: Filter{testDataset}, Push: true, Server: true, V2: true, ServerFSIC: `{"super": {}, "sub": {}}`,
				ClientFSIC: `{"super": {}, "sub": {"` + testDataset + `": {"` + testInstance + `": 7}}}`}
			db.begin(t, s)
			return s
		}
		receive := func(s *Session, want int, names ...string) {
			var records []Buffer
			for _, name := range names {
				r := record("bookmark", name, testDataset, "{}")
				r.TransferSession = s.ID
				for i := range r.MaxCounters {
					r.MaxCounters[i].TransferSession = s.ID
				}
				records = append(records, r)
			}
			write(t, db.DB, func(tx *store.Tx) {
				added, err := Receive(tx, s, records)
				require.NoError(t, err)
				require.EqualValues(t, want, added)
			})
		}
		first := session(testSession)
		receive(first, 2, "a", "b")
		receive(first, 1, "b", "c")
		second := session(strings.Repeat("3", 32))
		receive(second, 2, "a", "b")
		receive(second, 2, "b", "c", "d")
		touched := func(s *Session) (ids []string) {
			write(t, db.DB, func(tx *store.Tx) {
				var err error
				ids, err = Touched(tx, s.ID, "bookmark")
				require.NoError(t, err)
			})
			return ids
		}
		require.Empty(t, touched(first))
		require.Len(t, touched(second), 4)
		require.Zero(t, db.count(t, "SELECT count(*) FROM morango_databasemaxcounter WHERE instance_id = ?", testInstance), "nothing is promised before all has come")
		write(t, db.DB, func(tx *store.Tx) { require.NoError(t, Dequeue(tx, second)) })
		require.EqualValues(t, 7, db.count(t, "SELECT counter FROM morango_databasemaxcounter WHERE instance_id = ?", testInstance))
		db.exec(t, "UPDATE morango_store SET dirty_bit = ?", false) // they are in the apps
		third := session(strings.Repeat("4", 32))
		receive(third, 2, "a", "b")
		receive(third, 1, "b", "d")
		require.Empty(t, touched(third), "they were known")
		write(t, db.DB, func(tx *store.Tx) { require.NoError(t, Dequeue(tx, third)) })
		require.Zero(t, db.count(t, "SELECT count(*) FROM morango_buffer"))
	})
}

// A home may come from a real Kolibri that was in the middle of a transfer.
func TestBuffersOfTheOriginalAreTaken(t *testing.T) {
	db := &device{openDB(t), "server"}
	s := &Session{ID: testSession, Filter: Filter{testDataset}, Push: true, Server: true, V2: true, ClientFSIC: `{"super": {}, "sub": {}}`}
	db.begin(t, s)
	r := record("bookmark", "s", testDataset, "{}")
	db.exec(t, "INSERT INTO morango_buffer (transfer_session_id, model_uuid, "+bufferColumns+") VALUES (?, ?, '{}', FALSE, ?, 7, FALSE, 'bookmark', 'facilitydata', ?, 's', '', '')",
		s.ID, r.ModelUUID, testInstance, testDataset)
	db.exec(t, "INSERT INTO morango_recordmaxcounterbuffer (transfer_session_id, model_uuid, instance_id, counter) VALUES (?, ?, ?, 7)", s.ID, r.ModelUUID, testInstance)
	write(t, db.DB, func(tx *store.Tx) { require.NoError(t, Dequeue(tx, s)) })
	require.EqualValues(t, 7, db.count(t, "SELECT c.counter FROM morango_recordmaxcounter c JOIN morango_store s ON s.id = c.store_model_id WHERE s.id = ? AND s.dirty_bit", r.ModelUUID))
	require.Zero(t, db.count(t, "SELECT count(*) FROM morango_buffer"))
}

// What is wanted of overlapping partitions is found once.
func TestQueueFindsEachRecordOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(string) *device) {
		db := open("server")
		s := &Session{ID: testSession, Filter: Filter{testDataset}, Push: true, Server: true, V2: true}
		db.begin(t, s)
		write(t, db.DB, func(tx *store.Tx) {
			var records []Buffer
			for i := range 600 {
				r := record("bookmark", fmt.Sprint(i), testDataset+[]string{"", ":user-rw:u", ":user-rw:v"}[i%3], "{}")
				r.LastSavedCounter = int64(i % 10)
				records = append(records, r)
			}
			_, err := Receive(tx, s, records)
			require.NoError(t, err)
		})
		counters := func(all, u int) string {
			return fmt.Sprintf(`{"super": {}, "sub": {%q: {%q: %d}, %q: {%q: %d}}}`, testDataset, testInstance, all, testDataset+":user-rw:u", testInstance, u)
		}
		out := &Session{ID: strings.Repeat("5", 32), Filter: s.Filter, Server: true, V2: true}
		db.begin(t, out)
		for _, c := range []struct{ senderAll, senderU, hasAll, hasU, want int }{{9, 9, 0, 0, 540}, {9, 9, 4, 4, 300}, {9, 9, 4, 7, 300}, {9, 9, 7, 4, 120}, {9, 0, 8, 9, 60}, {9, 9, 9, 9, 0}} {
			out.ServerFSIC, out.ClientFSIC = counters(c.senderAll, c.senderU), counters(c.hasAll, c.hasU)
			write(t, db.DB, func(tx *store.Tx) {
				total, err := Queue(tx, out)
				require.NoError(t, err)
				counted, err := CountBuffers(tx, out.ID)
				require.NoError(t, err)
				require.Equal(t, total, counted)
				seen := map[string]bool{}
				for at := int64(0); at < total; at += 97 {
					records, err := Buffers(tx, out.ID, at, 97)
					require.NoError(t, err)
					require.Len(t, records, int(min(97, total-at)))
					for _, r := range records {
						seen[r.ModelUUID] = true
					}
				}
				require.Len(t, seen, int(total))
				require.EqualValues(t, c.want, total, "%+v", c)
			})
		}
	})
}
