package importing_test

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server"
	"kolibri/server/servertest"
)

// writeOldest is a channel as it was published before channels had a schema version: files know their
// checksums, licences have a table of their own, the channel calls its root root_pk.
func writeOldest(t *testing.T) channel {
	t.Helper()
	c := channel{version: 3, files: map[string]string{}, database: filepath.Join(t.TempDir(), "channel.sqlite3")}
	pool, err := sql.Open("sqlite3", "file:"+c.database)
	require.NoError(t, err)
	defer pool.Close()
	const sum = "5d41402abc4b2a76b9719d911017c592" // of "hello"
	c.files[sum+".pdf"] = "hello"
	for _, statement := range []string{
		"CREATE TABLE content_channelmetadata (id char(32) PRIMARY KEY, name text, description text, author text, version integer, thumbnail text, root_pk char(32))",
		"CREATE TABLE content_license (id integer PRIMARY KEY, license_name text)",
		"CREATE TABLE content_contentnode (id char(32) PRIMARY KEY, title text, content_id char(32), channel_id char(32), description text, sort_order real, license_owner text, author text, kind text, available bool, lft integer, rght integer, tree_id integer, level integer, lang_id text, license_id integer, parent_id char(32), stemmed_metaphone text)",
		"CREATE TABLE content_file (id char(32) PRIMARY KEY, checksum text, extension text, file_size integer, available bool, preset text, supplementary bool, thumbnail bool, priority integer, contentnode_id char(32), lang_id text)",
		"INSERT INTO content_channelmetadata VALUES ('" + channelID + "', 'Old', '', '', 3, '', '" + id("root") + "')",
		"INSERT INTO content_license VALUES (1, 'CC BY')",
		"INSERT INTO content_contentnode VALUES ('" + id("root") + "', 'root', '" + id("c root") + "', NULL, '', 1, '', '', 'topic', 1, 1, 4, 5, 0, NULL, NULL, NULL, '')",
		"INSERT INTO content_contentnode VALUES ('" + id("paper") + "', 'paper', '" + id("c paper") + "', NULL, '', 1, '', '', 'document', 1, 2, 3, 5, 1, NULL, 1, '" + id("root") + "', '')",
		"INSERT INTO content_file VALUES ('" + id("f1") + "', '" + sum + "', 'pdf', 5, 1, 'document', 0, 0, 1, '" + id("paper") + "', NULL)",
		"INSERT INTO content_file VALUES ('" + id("f2") + "', '" + sum + "', 'pdf', 5, 1, 'document', 0, 0, 1, '" + id("paper") + "', NULL)",
	} {
		_, err := pool.Exec(statement)
		require.NoError(t, err, statement)
	}
	return c
}

func TestTheOldestChannelsAreImported(t *testing.T) {
	on(t, func(t *testing.T, database func(*server.Config)) {
		d := newDeviceOn(t, writeOldest(t), database, nil)
		a := d.run("remoteimport", nil)
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		paper := d.admin.Get("/api/content/contentnode/" + id("paper") + "/")
		require.Equal(t, true, paper.Field("available"), paper.Text)
		require.Equal(t, channelID, paper.Field("channel_id"))
		require.Equal(t, "CC BY", paper.Field("license_name"))
		require.Equal(t, []any{"wA01urpi"}, paper.Field("learning_activities"), "what its kind implies")
		a = d.run("remotechanneldiffstats", nil)
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
	})
}

func TestHostileDatabases(t *testing.T) {
	sqlite := func(*server.Config) {}
	cluster := servertest.StartPostgres(t)
	for name, change := range map[string]string{
		"another channel":          "UPDATE content_channelmetadata SET id = '" + id("other") + "'",
		"no channel":               "DELETE FROM content_channelmetadata",
		"no table of nodes":        "DROP TABLE content_contentnode",
		"no title":                 "ALTER TABLE content_contentnode RENAME COLUMN title TO \"x'; DROP TABLE content_file; --\"",
		"a number that is none":    "UPDATE content_contentnode SET lft = 'left' WHERE level = 1",
		"a newer schema":           "UPDATE content_channelmetadata SET min_schema_version = '77'",
		"a schema that nobody has": "UPDATE content_channelmetadata SET min_schema_version = '../../x'",
	} {
		t.Run(name, func(t *testing.T) {
			good, bad := writeChannel(t, 1, "5"), writeChannel(t, 1, "5")
			pool, err := sql.Open("sqlite3", "file:"+bad.database+"?_pragma=foreign_keys(off)&_pragma=ignore_check_constraints(on)")
			require.NoError(t, err)
			_, err = pool.Exec(change)
			require.NoError(t, err)
			require.NoError(t, pool.Close())
			database := sqlite
			if name == "a number that is none" || name == "no title" { // where the databases differ
				database = cluster.Option(t)
			}
			d := newDeviceOn(t, bad, database, nil)
			a := d.run("remoteimport", nil)
			require.Equal(t, "FAILED", a.Field("status"), a.Text)
			require.NotEqual(t, "", a.Field("traceback"))
			require.Empty(t, d.available())
			require.Empty(t, stored(t, d.folder), "nothing is left behind")
			d.publish(good, bad)
			require.Equal(t, "COMPLETED", d.run("remoteimport", nil).Field("status"), "trying again works")
			require.Len(t, d.available(), 5)
		})
	}
}

func TestADatabaseThatIsCutShort(t *testing.T) {
	c := writeChannel(t, 1, "5")
	data, err := os.ReadFile(c.database)
	require.NoError(t, err)
	for _, size := range []int{0, 1, 100, 4096, len(data) / 2, len(data) - 1} {
		d := newDevice(t, c)
		d.mirror.intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/databases/") {
				return false
			}
			_, _ = w.Write(data[:size])
			return true
		})
		a := d.run("remoteimport", nil)
		require.Equal(t, "FAILED", a.Field("status"), "%d bytes: %s", size, a.Text)
		require.Empty(t, d.available())
		d.mirror.intercept(nil)
		require.Equal(t, "COMPLETED", d.run("remoteimport", nil).Field("status"))
	}
}
