package transfer

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/store"
)

const testSession = "00000000000000000000000000000001"

// device is one side of a transfer in a test.
type device struct {
	*store.DB
	name string
}

// begin notes a transfer session at a device.
func (d *device) begin(t testing.TB, s *Session) {
	write(t, d.DB, func(tx *store.Tx) {
		syncID, err := morango.NewID(rand.Reader)
		require.NoError(t, err)
		_, err = tx.Exec(`INSERT INTO morango_syncsession (id, start_timestamp, last_activity_timestamp, active, connection_kind, connection_path, is_server,
			client_ip, profile, server_ip, extra_fields, client_instance_json, server_instance_json)
			VALUES (?, ?, ?, ?, 'network', '', ?, '', 'facilitydata', '', '{}', '{}', '{}')`, syncID, tx.Now(), tx.Now(), true, s.Server)
		require.NoError(t, err)
		_, err = tx.Exec(`INSERT INTO morango_transfersession (id, filter, push, active, records_total, sync_session_id, last_activity_timestamp, client_fsic,
			records_transferred, server_fsic, start_timestamp) VALUES (?, ?, ?, ?, 0, ?, ?, '{}', 0, '{}', ?)`,
			s.ID, s.Filter.String(), s.Push, true, syncID, tx.Now(), tx.Now())
		require.NoError(t, err)
	})
}

// send pushes what the receiver lacks and returns how many records travelled. Everything but the
// network is as in a real transfer: the records go through their form on the wire.
func send(t testing.TB, from, to *device, filter Filter, v2 bool) int64 {
	t.Helper()
	id, err := morango.NewID(rand.Reader)
	require.NoError(t, err)
	client := &Session{ID: id, Filter: filter, Push: true, V2: v2}
	server := &Session{ID: id, Filter: filter, Push: true, V2: v2, Server: true}
	from.begin(t, client)
	to.begin(t, server)
	write(t, from.DB, func(tx *store.Tx) {
		_, err := Serialize(tx, filter, Options{})
		require.NoError(t, err)
		client.ClientFSIC, err = MaxCounters(tx, filter, true, v2)
		require.NoError(t, err)
	})
	write(t, to.DB, func(tx *store.Tx) {
		var err error
		client.ServerFSIC, err = MaxCounters(tx, filter, false, v2)
		require.NoError(t, err)
	})
	server.ClientFSIC, server.ServerFSIC = client.ClientFSIC, client.ServerFSIC
	var total int64
	write(t, from.DB, func(tx *store.Tx) {
		var err error
		total, err = Queue(tx, client)
		require.NoError(t, err)
	})
	const size = 100
	for at := int64(0); at < total; at += size {
		var wire []byte
		write(t, from.DB, func(tx *store.Tx) {
			records, err := Buffers(tx, id, at, size)
			require.NoError(t, err)
			wire = AppendBuffers(nil, records)
			marshalled, err := json.Marshal(records)
			require.NoError(t, err)
			require.JSONEq(t, string(marshalled), string(wire))
		})
		records, err := DecodeBuffers(bytes.NewReader(wire))
		require.NoError(t, err)
		write(t, to.DB, func(tx *store.Tx) {
			added, err := Receive(tx, server, records)
			require.NoError(t, err)
			require.Len(t, records, int(added))
		})
	}
	if total > 0 {
		write(t, to.DB, func(tx *store.Tx) {
			require.NoError(t, Dequeue(tx, server))
		})
		write(t, to.DB, func(tx *store.Tx) {
			_, err := Serialize(tx, filter, Options{})
			require.NoError(t, err)
			_, err = Deserialize(tx, filter, Options{})
			require.NoError(t, err)
		})
	}
	write(t, from.DB, func(tx *store.Tx) { require.NoError(t, DeleteBuffers(tx, id)) })
	return total
}

// rows lists the rows of all synchronized tables as texts, by table and id. Moments are cut to
// milliseconds, as on the wire.
func (d *device) rows(t testing.TB) map[string]string {
	all := map[string]string{}
	write(t, d.DB, func(tx *store.Tx) {
		for _, m := range models() {
			values, dest := make([]any, len(m.fields)), make([]any, len(m.fields))
			for i := range values {
				dest[i] = &values[i]
			}
			require.NoError(t, store.ForEach(tx, func(row store.Scanner) error {
				if err := row.Scan(dest...); err != nil {
					return err
				}
				text, err := m.appendRow(nil, values)
				all[m.Name+" "+values[m.byName["id"]].(string)] = string(text)
				return err
			}, "SELECT "+m.columns+" FROM "+m.Table+" WHERE 1 = 1"+m.condition()))
		}
	})
	return all
}

// stored lists the store with its counters.
func (d *device) stored(t testing.TB) map[string]string {
	all := map[string]string{}
	write(t, d.DB, func(tx *store.Tx) {
		require.NoError(t, store.ForEach(tx, func(row store.Scanner) error {
			var id, model, partition, serialized, conflicting, instance string
			var deleted, hard bool
			var counter int64
			err := row.Scan(&id, &model, &partition, &serialized, &conflicting, &instance, &counter, &deleted, &hard)
			all[id] = fmt.Sprint(model, partition, serialized, conflicting, instance, counter, deleted, hard)
			return err
		}, "SELECT id, model_name, partition, serialized, conflicting_serialized_data, last_saved_instance, last_saved_counter, deleted, hard_deleted FROM morango_store"))
		require.NoError(t, store.ForEach(tx, func(row store.Scanner) error {
			var id, instance string
			var counter int64
			err := row.Scan(&id, &instance, &counter)
			all[id+" "+instance] = fmt.Sprint(counter)
			return err
		}, "SELECT store_model_id, instance_id, counter FROM morango_recordmaxcounter"))
	})
	return all
}

func (d *device) failures(t testing.TB) (all []string) {
	write(t, d.DB, func(tx *store.Tx) {
		var err error
		all, err = tx.Strings("SELECT model_name || ' ' || deserialization_error FROM morango_store WHERE deserialization_error IS NOT NULL ORDER BY 1")
		require.NoError(t, err)
	})
	return all
}

func (d *device) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	write(t, d.DB, func(tx *store.Tx) {
		n, err := tx.Exec(query, args...)
		require.NoError(t, err)
		require.NotZero(t, n, query)
	})
}

func (d *device) count(t testing.TB, query string, args ...any) (n int64) {
	t.Helper()
	write(t, d.DB, func(tx *store.Tx) {
		var err error
		n, err = tx.Int(query, args...)
		require.NoError(t, err)
	})
	return n
}
