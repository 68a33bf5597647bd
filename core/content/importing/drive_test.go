package importing_test

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/content/storage"
	machine "kolibri/core/device"
	"kolibri/server"
	"kolibri/server/servertest"
)

// shelf is a host whose drives are folders.
type shelf struct {
	api.Device
	folders map[string]string
}

func (s shelf) Drives(context.Context) ([]machine.Drive, error) {
	all := []machine.Drive{}
	for id, dir := range s.folders {
		all = append(all, machine.Drive{ID: id, Name: "Stick", Path: dir, DataFolder: dir, Writable: true})
	}
	return all, nil
}

func (s shelf) OpenDrive(_ context.Context, id string) (fs.FS, error) {
	dir, ok := s.folders[id]
	if !ok {
		return nil, fs.ErrNotExist
	}
	folder, err := storage.Folder(dir, nil)
	if err != nil {
		return nil, err
	}
	return folder.FS, nil
}

// putOnDrive lays a channel out as a drive has it.
func putOnDrive(t *testing.T, c channel, dir string) {
	t.Helper()
	put := func(name string, data []byte) {
		path := filepath.Join(dir, "content", filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
	data, err := os.ReadFile(c.database)
	require.NoError(t, err)
	put(storage.DatabaseName(channelID), data)
	for name, text := range c.files {
		put("storage/"+name[:1]+"/"+name[1:2]+"/"+name, []byte(text))
	}
}

// withDrives is a device with drives beside its mirror.
func withDrives(t *testing.T, c channel, folders map[string]string) *device {
	m, folder := serve(t, c), t.TempDir()
	content, err := storage.Folder(folder, api.NewOutgoing(http.DefaultTransport))
	require.NoError(t, err)
	w := servertest.NewWorld(t, func(cfg *server.Config) {
		cfg.Content, cfg.Options.CentralContentBaseURL = content, m.URL
		cfg.Device = shelf{cfg.Device, folders}
	})
	return &device{w, t, m, folder, w.As(t, "superuser")}
}

func TestDrivesShowTheirChannels(t *testing.T) {
	dir := t.TempDir()
	putOnDrive(t, writeChannel(t, 3, "5"), dir)
	for name, text := range map[string]string{"nonsense.sqlite3": "x", "0123456789abcdef0123456789abcdef.sqlite3": "not a database", "fedcba9876543210fedcba9876543210.sqlite3": ""} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "content/databases", name), []byte(text), 0o600))
	}
	d := withDrives(t, writeChannel(t, 1, "5"), map[string]string{"stick": dir})
	for _, who := range servertest.Everybody {
		want := 403
		if who == "superuser" {
			want = 200
		}
		require.Equal(t, want, d.As(t, who).Get("/api/device/driveinfo/").Status, who)
	}
	drives := d.admin.Get("/api/device/driveinfo/")
	require.Len(t, drives.Field("0", "metadata", "channels"), 1, "files that are no channel are passed over")
	require.Equal(t, "Small", drives.Field("0", "metadata", "channels", "0", "name"))
	require.EqualValues(t, 3, drives.Field("0", "metadata", "channels", "0", "version"))
	require.Equal(t, id("root"), drives.Field("0", "metadata", "channels", "0", "root"))
	require.Equal(t, "stick", d.admin.Get("/api/device/driveinfo/stick/").Field("id"))
	require.Equal(t, 404, d.admin.Get("/api/device/driveinfo/other/").Status)
}

func TestAChannelComesFromADrive(t *testing.T) {
	c, dir := writeChannel(t, 1, "5"), t.TempDir()
	putOnDrive(t, c, dir)
	d := withDrives(t, c, map[string]string{"stick": dir})
	a := d.run("diskimport", map[string]any{"drive_id": "stick"})
	require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
	require.Len(t, d.available(), 5)
	require.Empty(t, d.mirror.seen, "nothing else was asked")
	require.Equal(t, 400, d.admin.Post("/api/tasks/tasks/", map[string]any{"type": "kolibri.core.content.tasks.diskimport", "channel_id": channelID, "channel_name": "Small", "drive_id": "none"}).Status)
}
