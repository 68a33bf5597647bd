package importing_test

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/content/storage"
	"kolibri/server"
	"kolibri/server/servertest"
)

// device is a device with a content folder and a mirror to import from.
type device struct {
	*servertest.World
	t      *testing.T
	mirror *mirror
	folder string
	admin  *servertest.Client
}

func newDevice(t *testing.T, c channel) *device {
	m, folder := serve(t, c), t.TempDir()
	content, err := storage.Folder(folder, api.NewOutgoing(http.DefaultTransport))
	require.NoError(t, err)
	w := servertest.NewWorld(t, func(cfg *server.Config) {
		cfg.Content, cfg.Options.CentralContentBaseURL = content, m.URL
	})
	return &device{w, t, m, folder, w.As(t, "superuser")}
}

// start begins a task of the channel and returns its id.
func (d *device) start(task string, fields map[string]any) string {
	d.t.Helper()
	body := map[string]any{"type": "kolibri.core.content.tasks." + task, "channel_id": channelID, "channel_name": "Small"}
	for k, v := range fields {
		body[k] = v
	}
	a := d.admin.Post("/api/tasks/tasks/", body)
	require.Equal(d.t, 200, a.Status, a.Text)
	return a.Field("id").(string)
}

// run does a task of the channel and returns how it ended.
func (d *device) run(task string, fields map[string]any) *servertest.Answer {
	d.t.Helper()
	return d.end(d.start(task, fields))
}

func (d *device) end(job string) *servertest.Answer {
	d.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		a := d.admin.Get("/api/tasks/tasks/" + job + "/")
		switch a.Field("status") {
		case "COMPLETED", "FAILED", "CANCELED":
			return a
		}
		require.True(d.t, time.Now().Before(deadline), a.Text)
	}
}

// available are the titles of the nodes that can be opened.
func (d *device) available() (titles []string) {
	d.t.Helper()
	for _, n := range d.admin.Get("/api/content/contentnode/?available=true&include_coach_content=true").JSON.([]any) {
		titles = append(titles, n.(map[string]any)["title"].(string))
	}
	return titles
}

func TestAChannelComesAndGoes(t *testing.T) {
	d := newDevice(t, writeChannel(t, 1, "5"))
	a := d.run("remoteimport", nil)
	require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
	require.EqualValues(t, 2, a.Field("extra_metadata", "transferred_resources"))
	require.ElementsMatch(t, []string{"root", `A "quoted" \ topic`, "video", "second", "document"}, d.available())
	require.Len(t, stored(t, d.folder), 4, "three files and the database")

	ch := d.admin.Get("/api/content/channel/" + channelID + "/")
	require.EqualValues(t, 2, ch.Field("total_resource_count"))
	require.Equal(t, true, ch.Field("public"))
	require.Equal(t, []any{"d&WXdXWF.5QAjgfv7.BUMJJBnS"}, ch.Field("included_categories"))

	video := d.admin.Get("/api/content/contentnode/" + id("video") + "/")
	require.Equal(t, []any{map[string]any{"id": id("root"), "title": "root"}, map[string]any{"id": id(`A "quoted" \ topic`), "title": `A "quoted" \ topic`}}, video.Field("ancestors"))
	require.Equal(t, true, video.Field("available"))
	found := d.admin.Get("/api/content/contentnode/?categories=d%26WXdXWF.5QAjgfv7&kind=video&max_results=5")
	require.Equal(t, "video", found.Field("results", "0", "title"), "a category within a category is found")

	a = d.run("deletechannel", nil)
	require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
	require.Empty(t, d.available())
	require.Empty(t, stored(t, d.folder))
	require.Equal(t, 404, d.admin.Get("/api/content/channel/"+channelID+"/").Status)
}

func TestPartsOfAChannel(t *testing.T) {
	d := newDevice(t, writeChannel(t, 1, "5"))
	require.Equal(t, "COMPLETED", d.run("remotechannelimport", nil).Field("status"))
	require.Empty(t, d.available(), "metadata alone makes nothing available")
	require.Equal(t, "COMPLETED", d.run("remotecontentimport", map[string]any{"node_ids": []string{id("second")}}).Field("status"))
	require.ElementsMatch(t, []string{"root", "second", "document"}, d.available())
	require.Equal(t, "COMPLETED", d.run("remotecontentimport", map[string]any{"exclude_node_ids": []string{id("second")}}).Field("status"))
	require.Len(t, d.available(), 5)
	require.Equal(t, "COMPLETED", d.run("deletechannel", map[string]any{"node_ids": []string{id("video")}}).Field("status"))
	require.ElementsMatch(t, []string{"root", "second", "document"}, d.available())
	require.Len(t, stored(t, d.folder), 2, "the document and the database")
	require.Equal(t, "COMPLETED", d.run("deletechannel", map[string]any{"node_ids": []string{id("root")}}).Field("status"))
	require.Empty(t, stored(t, d.folder), "with the last resource the channel goes")
}

func TestANewerEditionReplacesAnOlder(t *testing.T) {
	first := writeChannel(t, 1, "5")
	d := newDevice(t, first)
	require.Equal(t, "COMPLETED", d.run("remoteimport", nil).Field("status"))
	second := writeChannel(t, 2, "5")
	data, err := os.ReadFile(second.database)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(first.database, data, 0o600))
	d.mirror.version = 2
	require.Equal(t, "COMPLETED", d.run("remotechannelimport", nil).Field("status"))
	require.EqualValues(t, 2, d.admin.Get("/api/content/channel/"+channelID+"/").Field("version"))
	require.Len(t, d.available(), 5, "what was available still is")
}

func TestWhatGoesWrongIsSaidAndCanBeTriedAgain(t *testing.T) {
	for _, tc := range []struct {
		name      string
		hook      func(w http.ResponseWriter, r *http.Request) bool
		fields    map[string]any
		status    string
		exception string
		available int // nodes after the failure
	}{
		{"a file that nobody has is passed over", func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, ".pdf") {
				http.NotFound(w, r)
			}
			return strings.HasSuffix(r.URL.Path, ".pdf")
		}, nil, "COMPLETED", "", 3},
		{"unless it must not be", func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, ".pdf") {
				http.NotFound(w, r)
			}
			return strings.HasSuffix(r.URL.Path, ".pdf")
		}, map[string]any{"fail_on_error": true}, "FAILED", "HTTPError", -1},
		{"the channel is not there", func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/databases/") {
				http.NotFound(w, r)
			}
			return strings.Contains(r.URL.Path, "/databases/")
		}, nil, "FAILED", "HTTPError", 0},
		{"the database is none", func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/databases/") {
				_, _ = w.Write([]byte(strings.Repeat("not a database ", 100)))
			}
			return strings.Contains(r.URL.Path, "/databases/")
		}, nil, "FAILED", "InvalidSchemaVersionError", 0},
		{"the source forbids", func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, ".mp4") {
				http.Error(w, "no", http.StatusForbidden)
			}
			return strings.HasSuffix(r.URL.Path, ".mp4")
		}, nil, "FAILED", "HTTPError", -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDevice(t, writeChannel(t, 1, "5"))
			d.mirror.intercept(tc.hook)
			a := d.run("remoteimport", tc.fields)
			require.Equal(t, tc.status, a.Field("status"), a.Text)
			if tc.exception != "" {
				require.Equal(t, tc.exception, a.Field("exception"), a.Text)
			}
			if tc.available >= 0 {
				require.Len(t, d.available(), tc.available)
			}
			d.mirror.intercept(nil)
			require.Equal(t, "COMPLETED", d.run("remoteimport", nil).Field("status"))
			require.Len(t, d.available(), 5, "trying again works")
		})
	}
}

func TestABrokenTransferIsContinuedNotRepeated(t *testing.T) {
	d := newDevice(t, writeChannel(t, 1, "5"))
	broken := false
	d.mirror.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if broken || !strings.HasSuffix(r.URL.Path, ".mp4") {
			return false
		}
		broken = true
		w.Header().Set("Content-Length", "64000")
		_, _ = w.Write([]byte(strings.Repeat("moving pictures ", 2000)))
		return true // the connection ends in the middle
	})
	a := d.run("remoteimport", nil)
	require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
	require.Contains(t, strings.Join(d.mirror.seen, "\n"), ".mp4 bytes=32000-")
}

func TestALengthThatIsNotTrue(t *testing.T) {
	for name, length := range map[string]string{"too long": "100000", "too short": "100"} {
		t.Run(name, func(t *testing.T) {
			d := newDevice(t, writeChannel(t, 1, "5"))
			lies := 3 // in all tries but the last
			d.mirror.intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if lies == 0 || !strings.HasSuffix(r.URL.Path, ".mp4") {
					return false
				}
				lies--
				w.Header().Set("Content-Length", length)
				_, _ = w.Write([]byte(strings.Repeat("moving pictures ", 4000))[:100])
				return true
			})
			a := d.run("remoteimport", nil)
			require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
			require.Len(t, d.available(), 5)
		})
	}
}

func TestTwoImportsOfOneChannelAtOnce(t *testing.T) {
	d := newDevice(t, writeChannel(t, 1, "5"))
	first, second := d.start("remoteimport", nil), d.start("remoteimport", nil)
	require.Equal(t, "COMPLETED", d.end(first).Field("status"))
	require.Equal(t, "COMPLETED", d.end(second).Field("status"))
	require.Len(t, d.available(), 5)
	require.Len(t, stored(t, d.folder), 4, "three files and the database")
}

func TestADamagedFileIsNeverKept(t *testing.T) {
	d := newDevice(t, writeChannel(t, 1, "5"))
	d.mirror.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, ".pdf") {
			return false
		}
		_, _ = w.Write([]byte("a d0cument"))
		return true
	})
	a := d.run("remoteimport", nil)
	require.Equal(t, "FAILED", a.Field("status"), a.Text)
	require.Equal(t, "TransferFailed", a.Field("exception"))
	for _, name := range stored(t, d.folder) {
		require.NotContains(t, name, ".pdf")
	}
}

func TestHostileNamesLeadNowhere(t *testing.T) {
	c := writeChannel(t, 1, "5")
	pool, err := sql.Open("sqlite3", "file:"+c.database)
	require.NoError(t, err)
	_, err = pool.Exec("UPDATE content_localfile SET extension = '../../../evil' WHERE extension = 'pdf'")
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	d := newDevice(t, c)
	require.Equal(t, "COMPLETED", d.run("remoteimport", nil).Field("status"))
	matches, err := filepath.Glob(filepath.Join(filepath.Dir(d.folder), "*evil*"))
	require.NoError(t, err)
	require.Empty(t, matches)
}

func TestSchemas(t *testing.T) {
	for _, tc := range []struct{ schema, status, exception string }{
		{"5", "COMPLETED", ""}, {"1", "COMPLETED", ""}, {"6", "FAILED", "FutureSchemaError"}, {"nonsense", "FAILED", "InvalidSchemaVersionError"},
	} {
		t.Run(tc.schema, func(t *testing.T) {
			d := newDevice(t, writeChannel(t, 1, tc.schema))
			a := d.run("remoteimport", nil)
			require.Equal(t, tc.status, a.Field("status"), a.Text)
			if tc.exception != "" {
				require.Equal(t, tc.exception, a.Field("exception"))
				require.Empty(t, stored(t, d.folder), "what cannot be used is not kept")
				return
			}
			video := d.admin.Get("/api/content/contentnode/" + id("video") + "/")
			want := []any{}
			if tc.schema == "1" {
				want = []any{"UD5UGM0z"}
			}
			require.Equal(t, want, video.Field("learning_activities"))
		})
	}
}

func TestWhoMayImport(t *testing.T) {
	d := newDevice(t, writeChannel(t, 1, "5"))
	for _, who := range servertest.Everybody {
		a := d.As(t, who).Post("/api/tasks/tasks/", map[string]any{"type": "kolibri.core.content.tasks.remotechannelimport", "channel_id": channelID, "channel_name": "Small"})
		want := 403
		if who == "superuser" {
			want = 200
		}
		require.Equal(t, want, a.Status, who)
	}
}
