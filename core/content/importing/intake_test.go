package importing_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/content/importing"
	"kolibri/core/content/storage"
	"kolibri/server"
	"kolibri/store"
)

// rows are all that the library has of channels, but for the moments of imports.
func (d *device) rows() (all []string) {
	d.t.Helper()
	require.NoError(d.t, d.DB.Read(context.Background(), func(tx *store.Tx) error {
		for _, query := range []string{
			"SELECT json_array(id, name, root_id, version, partial, min_schema_version) FROM content_channelmetadata ORDER BY id",
			`SELECT json_array(id, title, channel_id, kind, available, lft, rght, level, parent_id, tree_id, ancestors, modality, learning_activities,
				categories_bitmask_0, grade_levels_bitmask_0, learning_activities_bitmask_0) FROM content_contentnode ORDER BY id`,
			"SELECT json_array(id, contentnode_id, local_file_id, preset) FROM content_file ORDER BY id",
			"SELECT json_array(id, extension, file_size) FROM content_localfile ORDER BY id",
		} {
			found, err := tx.Strings(query)
			if err != nil {
				return err
			}
			all = append(all, found...)
		}
		return nil
	}))
	return all
}

// An import in many transactions makes what one makes; wherever it is broken off, there is no channel yet,
// and the next import makes the same.
func TestAnImportInSteps(t *testing.T) {
	for _, schema := range []string{"5", "3"} {
		c := writeChannel(t, 1, schema)
		whole := newDevice(t, c)
		whole.place(c)
		require.NoError(t, importing.Open(context.Background(), whole.DB, whole.content(), storage.DatabaseName(channelID), channelID, func(tx *store.Tx, e *importing.Edition) error {
			ran, err := importing.Import(tx, e, importing.Options{})
			require.True(t, ran)
			return err
		}))
		want := whole.rows()
		require.Contains(t, want[0], channelID)

		d := newDevice(t, c)
		d.place(c)
		for _, most := range []int{1, 3, 6, 9, 15, 20, 1000} {
			finished, err := importing.ImportInSteps(context.Background(), d.DB, d.content(), channelID, most)
			require.NoError(t, err)
			require.Equal(t, most == 1000, finished, "after %d steps", most)
			if !finished {
				require.Equal(t, 404, d.admin.Get("/api/content/channel/"+channelID+"/").Status)
				require.Empty(t, d.available())
			}
		}
		require.Equal(t, want, d.rows())
		require.Equal(t, "COMPLETED", d.run("remoteimport", nil).Field("status"))
		require.Len(t, d.available(), 5)
	}
}

// An update that ends at any statement, its last included, leaves the edition that was there, and available.
func TestAnUpdateIsOneTransaction(t *testing.T) {
	first, next := writeChannel(t, 1, "5"), writeChannel(t, 2, "5")
	d := newDevice(t, first)
	require.Equal(t, "COMPLETED", d.run("remoteimport", nil).Field("status"))
	was := d.rows()
	d.publish(next, first)
	d.Exec(t, "CREATE TRIGGER refuse BEFORE UPDATE ON device_contentcachekey BEGIN SELECT RAISE(ABORT, 'no more'); END")
	require.Equal(t, "FAILED", d.run("remoteimport", map[string]any{"update": true}).Field("status"))
	require.Equal(t, was, d.rows())
	d.Exec(t, "DROP TRIGGER refuse")
	require.Equal(t, "COMPLETED", d.run("remoteimport", map[string]any{"update": true}).Field("status"))
	require.Len(t, d.available(), 5)
	require.EqualValues(t, 2, d.admin.Get("/api/content/channel/"+channelID+"/").Field("version"))
}

// A newer edition tells the sessions of its courses; which nodes are courses it says itself.
func TestCoursesLearnOfANewEdition(t *testing.T) {
	on(t, func(t *testing.T, database func(*server.Config)) {
		first, next := writeChannel(t, 1, "5"), writeChannel(t, 2, "5")
		d := newDeviceOn(t, first, database, nil)
		require.Equal(t, "COMPLETED", d.run("remotechannelimport", nil).Field("status"))
		d.Exec(t, "INSERT INTO courses_coursesession VALUES (?, FALSE, 's', 'p', ?, 'A course', NULL, TRUE, ?, ?, NULL, ?, NULL)",
			id("session"), id("second"), "2026-01-01 00:00:00.000000(UTC)", d.IDs["class_a"], d.IDs["dataset"])
		pool, err := sql.Open("sqlite3", "file:"+next.database)
		require.NoError(t, err)
		_, err = pool.Exec("UPDATE content_contentnode SET options = ? WHERE id = ?", `{"modality": "COURSE"}`, id("second"))
		require.NoError(t, err)
		require.NoError(t, pool.Close())
		d.publish(next, first)
		require.Equal(t, "COMPLETED", d.run("remotechannelimport", nil).Field("status"))
		require.NoError(t, d.DB.Read(context.Background(), func(tx *store.Tx) error {
			told, err := tx.Int("SELECT channel_version FROM courses_coursesession WHERE _morango_dirty_bit = TRUE")
			require.EqualValues(t, 2, told)
			return err
		}))
	})
}

// content is the device's content folder.
func (d *device) content() *storage.Store {
	d.t.Helper()
	s, err := storage.Folder(d.folder, nil)
	require.NoError(d.t, err)
	return s
}

// place lays a channel's database where the device keeps it.
func (d *device) place(c channel) {
	d.t.Helper()
	data, err := os.ReadFile(c.database)
	require.NoError(d.t, err)
	name := filepath.Join(d.folder, storage.DatabaseName(channelID))
	require.NoError(d.t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(d.t, os.WriteFile(name, data, 0o600))
}
