// Package device is this one machine: whether and how it is set up, who may administer it, and what
// it says of itself (kolibri/core/device). Its settings are read by way of package settings.
package device

import (
	"context"
	"io/fs"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/tasks"
	"kolibri/store"
)

// The tasks of kolibri/core/device/tasks.py.
const (
	provisionTask   = "kolibri.core.device.tasks.provisiondevice"
	deprovisionTask = "kolibri.core.device.tasks.deprovisiondevice"
)

// Device answers for the app.
type Device struct {
	host   *api.Host
	runner *tasks.Runner
	// channelsOn describes the channels on a drive, or is nil on a host that keeps no content.
	channelsOn func(context.Context, fs.FS) []any
	// provisioned is what begins when the device has been set up.
	provisioned func(*store.Tx) error
}

// New makes the app of a host and gives its tasks their work.
func New(host *api.Host, runner *tasks.Runner) *Device {
	d := &Device{host: host, runner: runner, provisioned: func(*store.Tx) error { return nil }}
	runner.Handle(provisionTask, tasks.Work{Validate: d.validateProvisioning, Run: d.runProvisioning})
	runner.Handle(deprovisionTask, tasks.Work{Run: d.runDeprovisioning})
	runner.Handle(vacuumTask, tasks.Work{Run: d.vacuum})
	runner.Handle(cleanupTask, tasks.Work{Run: d.cleanUp})
	return d
}

// DescribeDrives says how the channels on a drive are found: the library knows.
func (d *Device) DescribeDrives(channelsOn func(context.Context, fs.FS) []any) {
	d.channelsOn = channelsOn
}

// OnProvisioned says what shall begin when the device has been set up.
func (d *Device) OnProvisioned(fn func(*store.Tx) error) { d.provisioned = fn }

// Routes are those of kolibri/core/device/api_urls.py.
func (d *Device) Routes() []api.Route {
	const name = "kolibri:core:"
	return []api.Route{
		{Name: name + "devicesettings", Method: http.MethodGet, Handle: d.settings},
		{Name: name + "devicesettings", Method: http.MethodPatch, Handle: d.changeSettings},
		{Name: name + "devicename", Method: http.MethodGet, Handle: d.name},
		{Name: name + "devicename", Method: http.MethodPatch, Handle: d.rename},
		{Name: name + "deviceinfo", Method: http.MethodGet, Handle: d.info},
		{Name: name + "freespace", Method: http.MethodGet, Handle: d.freeSpace},
		{Name: name + "check_metered_connection", Method: http.MethodGet, Handle: d.metered},
		{Name: name + "devicerestart", Method: http.MethodGet, Handle: d.status},
		{Name: name + "devicerestart", Method: http.MethodPost, Handle: d.restart},
		{Name: name + "pathpermission", Method: http.MethodGet, Handle: d.pathPermission},
		{Name: name + "driveinfo-list", Method: http.MethodGet, NoTx: true, Handle: d.listDrives},
		{Name: name + "driveinfo-detail", Method: http.MethodGet, NoTx: true, Handle: d.showDrive},
		{Name: name + "initialize_app", Method: http.MethodGet, Handle: d.initialize},
		{Name: name + "devicepermissions-list", Method: http.MethodGet, Handle: d.listGrants},
		{Name: name + "devicepermissions-list", Method: http.MethodPost, Handle: d.makeGrant},
		{Name: name + "devicepermissions-detail", Method: http.MethodGet, Handle: d.showGrant},
		{Name: name + "devicepermissions-detail", Method: http.MethodPut, Handle: d.changeGrant},
		{Name: name + "devicepermissions-detail", Method: http.MethodPatch, Handle: d.changeGrant},
		{Name: name + "devicepermissions-detail", Method: http.MethodDelete, Handle: d.dropGrant},
		{Name: name + "usersyncstatus-list", Method: http.MethodGet, Handle: d.listSyncStatus},
		{Name: name + "usersyncstatus-detail", Method: http.MethodGet, Handle: d.showSyncStatus},
		{Name: name + "plugins-list", Method: http.MethodGet, Handle: d.listPlugins},
		{Name: name + "plugins-detail", Method: http.MethodGet, Handle: d.showPlugin},
		{Name: name + "plugins-detail", Method: http.MethodPatch, Handle: d.changePlugin},
	}
}
