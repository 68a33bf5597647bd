package device

import (
	"errors"
	"net/http"
	"path/filepath"
	"runtime"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/morango"
	"kolibri/store"
)

// MinContentSchema is the oldest form of a channel's database that can be imported.
// kolibri/core/content/constants/schema_versions.py: MIN_CONTENT_SCHEMA_VERSION
const MinContentSchema = "5"

// Info is what the device says of itself to other devices: the keys of the version that they ask
// for, or of the newest ("3"). kolibri/core/device/utils.py: get_device_info
func Info(tx *store.Tx, h *api.Host, version string) (map[string]any, error) {
	instance, err := morango.CurrentInstance(tx)
	if err != nil {
		return nil, err
	}
	s, err := settings.Get(tx)
	if err != nil {
		return nil, err
	}
	name := s.Name
	if !s.IsProvisioned {
		name = h.Device.Hostname()
	}
	info := map[string]any{"application": "kolibri", "kolibri_version": api.Version, "instance_id": instance.ID,
		"device_name": name, "operating_system": h.Device.OS()}
	if version != "1" {
		info["subset_of_users_device"] = s.IsProvisioned && s.SubsetOfUsersDevice
	}
	if version != "1" && version != "2" {
		info["min_content_schema_version"] = MinContentSchema
	}
	return info, nil
}

// briefInfo is what those see who manage content; superusers see fullInfo.
type briefInfo struct {
	Version   string `json:"version"`
	FreeSpace int64  `json:"content_storage_free_space"`
}

type fullInfo struct {
	briefInfo
	URLs         []string `json:"urls"`
	DatabasePath string   `json:"database_path"`
	DeviceID     string   `json:"device_id"`
	OS           string   `json:"os"`
	ServerTime   api.Time `json:"server_time"`
	Timezone     string   `json:"server_timezone"`
	Installer    string   `json:"installer"`
	// Runtime stands where the original names its Python.
	Runtime string `json:"python_version"`
}

// info describes the device to those who administer it.
// kolibri/core/device/api.py: DeviceInfoView
func (d *Device) info(r *api.Request) (any, error) {
	who, err := auth.RequireContentManager(r)
	if err != nil {
		return nil, err
	}
	free, err := d.host.Device.FreeSpace(r.Ctx)
	if err != nil {
		return nil, err
	}
	brief := briefInfo{api.Version, free}
	if !who.IsSuperuser {
		return brief, nil
	}
	info := fullInfo{briefInfo: brief, URLs: d.addresses(r), DatabasePath: filepath.Join(d.host.Options.Home, "db.sqlite3"),
		ServerTime: api.Time(r.Now()), Timezone: timezone(), Installer: "binary", Runtime: runtime.Version()}
	if d.host.Device.InTab() {
		info.Installer = "browser"
	}
	if r.Tx.Dialect() == store.Postgres {
		info.DatabasePath = "postgresql"
	}
	err = r.Tx.QueryRow("SELECT id, platform FROM morango_instanceidmodel WHERE current = ?", true).Scan(&info.DeviceID, &info.OS)
	return info, err
}

// addresses are those at which others reach the server; where nobody else can, the reader's own.
func (d *Device) addresses(r *api.Request) []string {
	prefix := d.host.Options.URLPathPrefix
	if found := networkAddresses(d.host.Options, prefix); len(found) > 0 {
		return found
	}
	return []string{r.BaseURL() + prefix}
}

// freeSpace tells how much content can still be stored. kolibri/core/device/api.py: FreeSpaceView
func (d *Device) freeSpace(r *api.Request) (any, error) {
	if _, err := auth.RequireSignedIn(r); err != nil {
		return nil, err
	}
	if r.Query().Get("path") != "Content" {
		return api.Text(http.StatusBadRequest, "text/html; charset=utf-8", "Invalid path"), nil
	}
	free, err := d.host.Device.FreeSpace(r.Ctx)
	return map[string]int64{"freespace": free}, err
}

// metered tells whether the connection costs by the byte, which only an app's shell could know.
// kolibri/core/device/api.py: CheckMeteredConnectionView
func (d *Device) metered(r *api.Request) (any, error) {
	_, err := auth.RequireSignedIn(r)
	return false, err
}

// Restarter is a host that can start the server anew. A host's Device may implement it.
type Restarter interface {
	// Restart ends this server soon after it returns and starts another.
	Restart() error
}

// running is the original's number for a server that runs (kolibri/utils/server.py: STATUS_RUNNING).
const running = 0

// status tells that the server runs, whoever can be told. kolibri/core/device/api.py: DeviceRestartView
func (d *Device) status(r *api.Request) (any, error) {
	_, err := auth.RequireSuperuser(r)
	return running, err
}

// restart starts the server anew, where the host can.
func (d *Device) restart(r *api.Request) (any, error) {
	if _, err := auth.RequireSuperuser(r); err != nil {
		return nil, err
	}
	err := errors.New("this host cannot restart the server")
	if host, ok := d.host.Device.(Restarter); ok {
		err = host.Restart()
	}
	if err != nil {
		d.host.Log.Warn("the server was not restarted", "error", err)
		return api.Text(http.StatusBadRequest, "text/html; charset=utf-8", "0"), nil
	}
	return running, nil
}
