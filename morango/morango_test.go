//go:build !js

package morango

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"encoding/pem"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/sqlite"
)

// real holds what the morango of Kolibri 0.19.5 computed for the same inputs.
//
//go:embed testdata/real.json
var real []byte

type golden struct {
	Identities []struct {
		Model             string
		Row               Row
		ID                string
		Source, Partition string
	}
	Certificate struct {
		ID, Serialized, Signature string
		PublicKey                 string `json:"public_key"`
		PrivateKey                string `json:"private_key"`
		ScopeParams               string `json:"scope_params"`
	}
	Hashed   [][2]string
	Sha2UUID [][4]string `json:"sha2_uuid"`
}

func readGolden(t *testing.T) (g golden) {
	decoder := json.NewDecoder(bytes.NewReader(real))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&g))
	return g
}

func openDB(t *testing.T) *store.DB {
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "db.sqlite3"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func write(t *testing.T, db *store.DB, fn func(tx *store.Tx)) {
	require.NoError(t, db.Write(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }))
}

func TestUUIDIsThatOfTheRealMorango(t *testing.T) {
	for _, v := range readGolden(t).Sha2UUID {
		require.Equal(t, v[3], UUID(v[0], v[1], v[2]))
	}
}

func TestIdentitiesAreThoseOfTheRealMorango(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range readGolden(t).Identities {
		t.Run(g.Model, func(t *testing.T) {
			for _, m := range Models {
				if m.Name != g.Model {
					continue
				}
				got, err := m.Identify(rand.Reader, g.Row)
				require.NoError(t, err)
				require.Equal(t, Identity{g.ID, g.Source, g.Partition}, got)
				seen[g.Model] = true
			}
		})
	}
	require.Len(t, seen, len(Models))
}

func TestIdentityNeedsItsColumns(t *testing.T) {
	_, err := Role.Identify(rand.Reader, Row{"dataset_id": "d", "user_id": "u", "kind": "coach"})
	require.ErrorContains(t, err, "collection_id")
	_, err = Lesson.Identify(rand.Reader, Row{})
	require.ErrorContains(t, err, "dataset_id")
}

func TestNewIDIsAVersion4UUID(t *testing.T) {
	id, err := NewID(rand.Reader)
	require.NoError(t, err)
	require.Len(t, id, 32)
	require.Equal(t, byte('4'), id[12])
	require.Contains(t, "89ab", string(id[16]))
	_, err = NewID(bytes.NewReader(nil))
	require.Error(t, err)
}

func TestRootCertificateIsThatOfTheRealMorango(t *testing.T) {
	g := readGolden(t).Certificate
	block, _ := pem.Decode([]byte(g.PrivateKey))
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	require.NoError(t, err)
	got, err := rootCertificate(key)
	require.NoError(t, err)
	require.Equal(t, &Certificate{ID: g.ID, Profile: Profile, Scope: FullFacility, ScopeVersion: 1, ScopeParams: g.ScopeParams,
		PublicKey: g.PublicKey, Serialized: g.Serialized, Signature: g.Signature, PrivateKey: g.PrivateKey}, got)
}

func TestNewRootCertificateVerifiesItself(t *testing.T) {
	c, err := NewRootCertificate(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, c.Verify(c.Serialized, c.Signature))
	require.Error(t, c.Verify(c.Serialized+" ", c.Signature))
	require.Error(t, c.Verify(c.Serialized, "%"))
	spki := *c
	spki.PublicKey = spkiPrefix + c.PublicKey
	require.NoError(t, spki.Verify(c.Serialized, c.Signature))
	require.Error(t, (&Certificate{PublicKey: "AAAA"}).Verify("", ""))
	db := openDB(t)
	write(t, db, func(tx *store.Tx) {
		require.NoError(t, c.Save(tx))
		other, err := NewRootCertificate(rand.Reader)
		require.NoError(t, err)
		require.NoError(t, other.Save(tx))
		trees, err := tx.Int("SELECT count(DISTINCT tree_id) FROM morango_certificate WHERE lft = 1 AND rght = 2 AND level = 0")
		require.NoError(t, err)
		require.EqualValues(t, 2, trees)
	})
}

func TestHashedIsThatOfTheRealMorango(t *testing.T) {
	for _, pair := range readGolden(t).Hashed {
		require.Equal(t, pair[1], Hashed(pair[0]))
	}
}

func TestInstance(t *testing.T) {
	db := openDB(t)
	m := Machine{SystemID: Hashed("machine"), NodeID: Hashed("00:1b:44:11:3a:b7"), Hostname: "box"}
	write(t, db, func(tx *store.Tx) {
		_, err := CurrentInstance(tx)
		require.ErrorIs(t, err, store.ErrNotFound)
		first, err := EnsureInstance(tx, rand.Reader, m)
		require.NoError(t, err)
		require.Equal(t, UUID(first.DatabaseID, m.SystemID, m.NodeID), first.ID)

		counted, err := NextCounter(tx)
		require.NoError(t, err)
		require.EqualValues(t, 1, counted.Counter)
		again, err := EnsureInstance(tx, rand.Reader, m)
		require.NoError(t, err)
		require.Equal(t, counted, again, "the same machine stays the same device")

		moved, err := EnsureInstance(tx, rand.Reader, Machine{SystemID: Hashed("other"), NodeID: m.NodeID})
		require.NoError(t, err)
		require.NotEqual(t, first.ID, moved.ID)
		require.Equal(t, first.DatabaseID, moved.DatabaseID)
		back, err := EnsureInstance(tx, rand.Reader, m)
		require.NoError(t, err)
		require.Equal(t, counted, back, "back on the first machine its counter goes on")

		copied, err := RenewDatabase(tx, rand.Reader, m)
		require.NoError(t, err)
		require.NotEqual(t, first.DatabaseID, copied.DatabaseID)
		require.NotEqual(t, first.ID, copied.ID)
		n, err := tx.Int("SELECT count(*) FROM morango_instanceidmodel WHERE current = TRUE")
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

// A facility with a class in it, by plain rows.
func plant(t *testing.T, tx *store.Tx) (dataset, facility, class string) {
	insert := func(m *Model, row Row) string {
		id, err := Insert(tx, rand.Reader, m, row)
		require.NoError(t, err)
		return id
	}
	dataset = insert(FacilityDataset, Row{"$certificate": UUID("certificate"), "description": "", "location": "", "preset": "nonformal",
		"learner_can_edit_username": true, "learner_can_edit_name": true, "learner_can_edit_password": true, "learner_can_sign_up": true,
		"learner_can_delete_account": true, "learner_can_login_with_no_password": false, "show_download_button_in_learn": true,
		"enable_mark_attendance": false, "registered": false})
	facility = insert(Facility, Row{"dataset_id": dataset, "name": "F", "kind": "facility"})
	class = insert(Classroom, Row{"dataset_id": dataset, "name": "C", "kind": "classroom", "parent_id": facility})
	return dataset, facility, class
}

func TestInsertStampsRows(t *testing.T) {
	db := openDB(t)
	write(t, db, func(tx *store.Tx) {
		dataset, facility, _ := plant(t, tx)
		var source, partition string
		var dirty bool
		require.NoError(t, tx.QueryRow("SELECT _morango_source_id, _morango_partition, _morango_dirty_bit FROM kolibriauth_collection WHERE id = ?", facility).
			Scan(&source, &partition, &dirty))
		require.True(t, dirty)
		require.Equal(t, dataset+":allusers-ro", partition)
		require.Equal(t, UUID(partition, source, "facility"), facility)
	})
}

func TestUpdateSetsTheDirtyBit(t *testing.T) {
	db := openDB(t)
	write(t, db, func(tx *store.Tx) {
		_, facility, _ := plant(t, tx)
		_, err := tx.Exec("UPDATE kolibriauth_collection SET _morango_dirty_bit = FALSE")
		require.NoError(t, err)
		require.NoError(t, Update(tx, Facility, facility, Row{"name": "G"}))
		dirty, err := tx.Strings("SELECT name FROM kolibriauth_collection WHERE _morango_dirty_bit = TRUE")
		require.NoError(t, err)
		require.Equal(t, []string{"G"}, dirty)
		require.ErrorIs(t, Update(tx, Facility, "nothing", Row{"name": "G"}), store.ErrNotFound)
	})
}

func TestDeleteTakesWhatRefersToTheRow(t *testing.T) {
	for _, how := range []Deletion{Delete, HardDelete} {
		db := openDB(t)
		write(t, db, func(tx *store.Tx) {
			dataset, facility, class := plant(t, tx)
			_, err := tx.Exec(`INSERT INTO device_devicesettings (is_provisioned, default_facility_id, allow_guest_access, allow_learner_unassigned_resource_access,
				allow_peer_unlisted_channel_import, landing_page, name, allow_other_browsers_to_connect, subset_of_users_device, extra_settings)
				VALUES (TRUE, ?, TRUE, TRUE, TRUE, 'learn', '', TRUE, FALSE, '{}')`, facility)
			require.NoError(t, err)
			user, err := Insert(tx, rand.Reader, FacilityUser, Row{"dataset_id": dataset, "facility_id": facility, "username": "u", "full_name": "", "password": "",
				"date_joined": store.Zoned(tx.Now()), "gender": "", "birth_year": "", "id_number": ""})
			require.NoError(t, err)
			_, err = tx.Exec("INSERT INTO device_devicepermissions (user_id, is_superuser, can_manage_content) VALUES (?, TRUE, TRUE)", user)
			require.NoError(t, err)
			member, err := InsertNew(tx, rand.Reader, Membership, Row{"dataset_id": dataset, "user_id": user, "collection_id": class},
				Row{"dataset_id": dataset, "user_id": user, "collection_id": class})
			require.NoError(t, err)
			require.Equal(t, member[0], member[1], "the id follows from the row")

			require.NoError(t, DeleteRows(tx, how, "kolibriauth_collection", facility, "unknown"))
			for _, table := range []string{"kolibriauth_collection", "kolibriauth_facilityuser", "kolibriauth_membership", "device_devicepermissions"} {
				n, err := tx.Int("SELECT count(*) FROM " + table)
				require.NoError(t, err)
				require.Zero(t, n, table)
			}
			kept, err := tx.Int("SELECT count(*) FROM device_devicesettings WHERE default_facility_id IS NULL")
			require.NoError(t, err)
			require.EqualValues(t, 1, kept, "what only refers stays")
			noted, err := tx.Strings("SELECT id FROM morango_deletedmodels WHERE profile = ?", Profile)
			require.NoError(t, err)
			require.ElementsMatch(t, []string{facility, class, user, member[0]}, noted)
			hard, err := tx.Strings("SELECT id FROM morango_harddeletedmodels")
			require.NoError(t, err)
			require.Len(t, hard, map[Deletion]int{Delete: 0, HardDelete: 4}[how])
		})
	}
}

// Every reference in the schema to a table that DeleteRows knows must be listed.
func TestReferencesAreTheSchemas(t *testing.T) {
	db := openDB(t)
	write(t, db, func(tx *store.Tx) {
		tables, err := tx.Strings("SELECT name FROM sqlite_master WHERE type = 'table'")
		require.NoError(t, err)
		schema := map[string][]string{}
		for _, table := range tables {
			require.NoError(t, store.ForEach(tx, func(row store.Scanner) error {
				var to, from string
				err := row.Scan(&to, &from)
				schema[to] = append(schema[to], table+"."+from)
				return err
			}, `SELECT "table", "from" FROM pragma_foreign_key_list(?)`, table))
		}
		for table, columns := range references {
			var plain []string
			for _, c := range columns {
				plain = append(plain, string(bytes.TrimSuffix([]byte(c), []byte("?"))))
			}
			for _, c := range schema[table] {
				require.Contains(t, plain, c, "refers to "+table)
			}
		}
	})
}
