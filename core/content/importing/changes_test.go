package importing_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/content/storage"
	"kolibri/server"
	"kolibri/server/servertest"
)

// on runs a test on SQLite and on PostgreSQL.
func on(t *testing.T, test func(t *testing.T, database func(*server.Config))) {
	t.Run("SQLite", func(t *testing.T) { test(t, func(*server.Config) {}) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, servertest.StartPostgres(t).Option(t)) })
}

// newDeviceOn is newDevice with a database and drives.
func newDeviceOn(t *testing.T, c channel, database func(*server.Config), folders map[string]string) *device {
	m, folder := serve(t, c), t.TempDir()
	content, err := storage.Folder(folder, api.NewOutgoing(http.DefaultTransport))
	require.NoError(t, err)
	w := servertest.NewWorld(t, database, func(cfg *server.Config) {
		cfg.Content, cfg.Options.CentralContentBaseURL = content, m.URL
		cfg.Device = shelf{cfg.Device, folders}
	})
	return &device{w, t, m, folder, w.As(t, "superuser")}
}

// publish replaces the edition that the mirror has.
func (d *device) publish(c channel, was channel) {
	d.t.Helper()
	data, err := os.ReadFile(c.database)
	require.NoError(d.t, err)
	require.NoError(d.t, os.WriteFile(was.database, data, 0o600))
	for name, text := range c.files {
		was.files[name] = text
	}
	d.mirror.version = c.version
}

func TestAChannelLivesOnEveryDatabase(t *testing.T) {
	on(t, func(t *testing.T, database func(*server.Config)) {
		first, stick := writeChannel(t, 1, "5"), t.TempDir()
		d := newDeviceOn(t, first, database, map[string]string{"stick": stick})
		a := d.run("remoteimport", nil)
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.ElementsMatch(t, []string{"root", `A "quoted" \ topic`, "video", "second", "document"}, d.available())
		video := d.admin.Get("/api/content/contentnode/" + id("video") + "/")
		require.Equal(t, `A "quoted" \ topic`, video.Field("ancestors", "1", "title"))
		require.Equal(t, "QUIZ", video.Field("modality"))

		// a newer edition: the video has other bytes, the document is gone, a sound is new
		d.publish(second(t), first)
		a = d.run("remotechanneldiffstats", nil)
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.EqualValues(t, 2, a.Field("extra_metadata", "new_channel_version"))
		require.EqualValues(t, 1, a.Field("extra_metadata", "new_resources_count"), a.Text)
		require.EqualValues(t, 1, a.Field("extra_metadata", "deleted_resources_count"), a.Text)
		require.EqualValues(t, 1, a.Field("extra_metadata", "updated_resources_count"), a.Text)

		a = d.run("remoteimport", map[string]any{"update": true})
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.EqualValues(t, 2, d.admin.Get("/api/content/channel/"+channelID+"/").Field("version"))
		require.ElementsMatch(t, []string{"root", `A "quoted" \ topic`, "video"}, d.available(), "what is new is not fetched unasked")
		root := d.admin.Get("/api/content/contentnode_granular/" + id("root") + "/")
		require.EqualValues(t, 2, root.Field("total_resources"), root.Text)
		require.EqualValues(t, 1, root.Field("on_device_resources"), root.Text)
		size := d.admin.Post("/device/api/importexportsizeview", map[string]any{"channel_id": channelID})
		require.EqualValues(t, 1, size.Field("resource_count"), size.Text)
		require.EqualValues(t, len("a sound"), size.Field("file_size"), size.Text)

		a = d.run("diskexport", map[string]any{"drive_id": "stick"})
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.FileExists(t, filepath.Join(stick, "content", "databases", channelID+".sqlite3"))
		var manifest struct {
			Channels []struct {
				Include []string `json:"include_node_ids"`
			}
		}
		text, err := os.ReadFile(filepath.Join(stick, "content", "manifest.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &manifest))
		require.Equal(t, []string{id(`A "quoted" \ topic`)}, manifest.Channels[0].Include)

		require.Equal(t, "COMPLETED", d.run("deletechannel", nil).Field("status"))
		require.Empty(t, stored(t, d.folder))
		a = d.run("diskimport", map[string]any{"drive_id": "stick"})
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.ElementsMatch(t, []string{"root", `A "quoted" \ topic`, "video"}, d.available(), "from a drive comes what is on it")
		drive := d.admin.Get("/api/content/contentnode_granular/" + id("root") + "/?importing_from_drive_id=stick")
		require.EqualValues(t, 1, drive.Field("total_resources"), drive.Text)
		require.Equal(t, 400, d.admin.Get("/api/content/contentnode_granular/"+id("root")+"/?importing_from_drive_id=none").Status)
	})
}

func TestWhoMayChoose(t *testing.T) {
	d := newDevice(t, writeChannel(t, 1, "5"))
	require.Equal(t, "COMPLETED", d.run("remotechannelimport", nil).Field("status"))
	for _, who := range servertest.Everybody {
		want := 403
		if who == "superuser" {
			want = 200
		}
		require.Equal(t, want, d.As(t, who).Post("/device/api/importexportsizeview", map[string]any{"channel_id": channelID}).Status, who)
		require.Equal(t, want, d.As(t, who).Get("/api/content/remotechannel/"+channelID+"/?keyword="+who).Status, who)
	}
	for _, body := range []map[string]any{{}, {"channel_id": "x"}, {"channel_id": 5}, {"channel_id": channelID, "node_ids": []string{"x"}},
		{"channel_id": channelID, "drive_id": "none"}, {"channel_id": channelID, "drive_id": "a", "export": true}} {
		require.Equal(t, 400, d.admin.Post("/device/api/importexportsizeview", body).Status, body)
	}
}

func TestAnUnknownSourceIsNotAsked(t *testing.T) {
	d := newDevice(t, writeChannel(t, 1, "5"))
	other := serve(t, writeChannel(t, 1, "5"))
	require.Equal(t, 404, d.Client(t).Get("/api/content/channel/?baseurl="+other.URL).Status)
	require.Empty(t, other.seen, "visitors cannot send this server anywhere")
}
