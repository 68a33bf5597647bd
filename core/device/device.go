// Package device is this one machine: whether and how it is set up, who may administer it, and what
// it says of itself (kolibri/core/device). Its settings are read by way of package settings.
package device

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/tasks"
)

// Device answers for the app.
type Device struct {
	host   *api.Host
	runner *tasks.Runner
}

// New makes the app of a host and gives its tasks their work.
func New(host *api.Host, runner *tasks.Runner) *Device {
	d := &Device{host, runner}
	runner.Handle("kolibri.core.device.tasks.provisiondevice", tasks.Work{Validate: d.validateProvisioning, Run: d.runProvisioning})
	return d
}

// Routes are those of kolibri/core/device/api_urls.py.
func (d *Device) Routes() []api.Route {
	const name = "kolibri:core:"
	return []api.Route{
		{Name: name + "devicesettings", Method: http.MethodGet, Handle: d.settings},
		{Name: name + "devicesettings", Method: http.MethodPatch, Handle: d.changeSettings},
		{Name: name + "pathpermission", Method: http.MethodGet, Handle: d.pathPermission},
	}
}
