package importing_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/content/storage"
	"kolibri/server"
	"kolibri/server/servertest"
)

// fromPeer is a device that knows another one with a channel. The other serves its files too.
func fromPeer(t *testing.T, database func(*server.Config)) (d *device, peer *device) {
	c := writeChannel(t, 1, "5")
	peer = newDevice(t, c)
	require.Equal(t, "COMPLETED", peer.run("remoteimport", nil).Field("status"))
	files := http.StripPrefix("/content/", http.FileServer(http.Dir(peer.folder)))
	inner := peer.HTTP.Config.Handler
	peer.HTTP.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path) > 9 && r.URL.Path[:9] == "/content/" {
			files.ServeHTTP(w, r)
			return
		}
		inner.ServeHTTP(w, r)
	})
	folder := t.TempDir()
	content, err := storage.Folder(folder, api.NewOutgoing(http.DefaultTransport))
	require.NoError(t, err)
	w := servertest.NewWorld(t, database, func(cfg *server.Config) { cfg.Content = content })
	d = &device{w, t, peer.mirror, folder, w.As(t, "superuser")}
	made := d.admin.Post("/api/discovery/staticnetworklocation/", map[string]any{"base_url": peer.HTTP.URL, "nickname": "Peer"})
	require.Equal(t, 201, made.Status, made.Text)
	return d, peer
}

func TestOneResourceComesFromAPeer(t *testing.T) {
	on(t, func(t *testing.T, database func(*server.Config)) {
		d, _ := fromPeer(t, database)
		peer := d.admin.Get("/api/discovery/staticnetworklocation/").Field("0", "id")
		a := d.run("remoteresourceimport", map[string]any{"node_id": id("video"), "node_name": "video", "peer": peer})
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.ElementsMatch(t, []string{"root", `A "quoted" \ topic`, "video"}, d.available())
		require.Equal(t, 404, d.admin.Get("/api/content/contentnode/"+id("document")+"/").Status, "nothing else came")
		a = d.run("remoteresourceimport", map[string]any{"node_id": id("document"), "node_name": "document", "peer": peer})
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.Len(t, d.available(), 5)
		a = d.run("remoteresourceimport", map[string]any{"node_id": id("no such"), "node_name": "x", "peer": peer})
		require.Equal(t, "FAILED", a.Field("status"), a.Text)
		a = d.run("remotechanneldiffstats", map[string]any{"peer": peer})
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		a = d.run("remoteimport", map[string]any{"peer": peer})
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.Len(t, d.available(), 5, "the whole channel replaces the part")
	})
}

func TestWhatALearnerWishesForIsFetched(t *testing.T) {
	d, _ := fromPeer(t, func(*server.Config) {})
	settings := d.admin.Patch("/api/device/devicesettings/", map[string]any{"extra_settings": map[string]any{
		"enable_automatic_download": true, "allow_learner_download_resources": true, "allow_download_on_metered_connection": false,
		"set_limit_for_autodownload": false, "limit_for_autodownload": 0}})
	require.Equal(t, 200, settings.Status, settings.Text)
	learner := d.As(t, "learner")
	wish := learner.Post("/api/content/contentrequest/", map[string]any{"contentnode_id": id("video"),
		"metadata": map[string]any{"title": "video", "file_size": 5, "learning_activities": []string{}}})
	require.Equal(t, 201, wish.Status, wish.Text)
	path := "/api/content/contentrequest/" + wish.Field("id").(string) + "/"
	require.Eventually(t, func() bool { return learner.Get(path).Field("status") == "COMPLETED" }, time.Minute, 50*time.Millisecond, learner.Get(path).Text)
	require.Contains(t, d.available(), "video")
	require.Equal(t, false, d.admin.Get("/api/content/contentnode/"+id("video")+"/").Field("admin_imported"))
	require.Equal(t, 204, learner.Do(http.MethodDelete, path, nil).Status)
	require.Eventually(t, func() bool { return len(d.available()) == 0 }, time.Minute, 50*time.Millisecond)
}
