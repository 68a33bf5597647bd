package importing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/server"
)

// inTab is a device whose pages come from where the channels are.
type inTab struct{ api.Device }

func (inTab) InTab() bool { return true }

func TestAChannelIsUsedWithoutCopyingAndKeptOnRequest(t *testing.T) {
	on(t, func(t *testing.T, database func(*server.Config)) {
		d := newDeviceOn(t, writeChannel(t, 1, "5"), func(cfg *server.Config) {
			database(cfg)
			cfg.Device = inTab{cfg.Device}
		}, nil)
		size := func(nodes ...string) (bytes float64) {
			body := map[string]any{"channel_id": channelID, "copy": true}
			if nodes != nil {
				body["node_ids"] = nodes
			}
			return d.admin.Post("/device/api/importexportsizeview", body).Field("file_size").(float64)
		}
		a := d.run("remoteimport", map[string]any{"copy": false})
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.Len(t, d.available(), 5, "all of it can be opened")
		require.Len(t, stored(t, d.folder), 1, "the database alone was copied")
		all := size()
		require.Positive(t, all)

		a = d.run("remotecontentimport", map[string]any{"copy": true, "node_ids": []string{id("second")}})
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.Len(t, stored(t, d.folder), 2, "the document of the topic, and the database")
		require.Less(t, size(), all)
		require.Zero(t, size(id("second")))

		a = d.run("remotecontentimport", map[string]any{"copy": true})
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.Len(t, stored(t, d.folder), 4)
		require.Zero(t, size())
		require.Len(t, d.available(), 5)

		a = d.run("deletechannel", nil)
		require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
		require.Empty(t, stored(t, d.folder))
	})
}

func TestOnlyWhatLiesBesideTheAppIsUsedWithoutCopying(t *testing.T) {
	d := newDevice(t, writeChannel(t, 1, "5"))
	a := d.admin.Post("/api/tasks/tasks/", map[string]any{"type": "kolibri.core.content.tasks.remoteimport",
		"channel_id": channelID, "channel_name": "Small", "copy": false})
	require.Equal(t, 400, a.Status, a.Text)
	require.Contains(t, a.Text, "copy")
}
