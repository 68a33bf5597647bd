// Package device is the plugin in which a superuser administers the device
// (kolibri/plugins/device): its page, and what it asks beyond core/device.
package device

import (
	"net/http"

	"kolibri/core/api"
	core "kolibri/core/device"
	"kolibri/store"
)

const plugin = "kolibri.plugins.device"

// Device answers for the plugin.
type Device struct{ host *api.Host }

// New makes the plugin of a host.
func New(host *api.Host) *Device { return &Device{host} }

// Routes are the plugin's page and APIs.
func (d *Device) Routes() []api.Route {
	const name = "kolibri:" + plugin + ":"
	return []api.Route{
		{Name: name + "device_management", Method: http.MethodGet, Handle: d.page},
		{Name: name + "device_channel-list", Method: http.MethodGet, Handle: d.channels},
		{Name: name + "device_channel-detail", Method: http.MethodGet, Handle: d.channel},
		{Name: name + "devicechannelorder", Method: http.MethodPost, Handle: d.order},
	}
}

// page is the plugin's own page.
// kolibri/plugins/device/kolibri_plugin.py: DeviceManagementAsset
func (d *Device) page(r *api.Request) (any, error) {
	old, err := usersOfInternetExplorer(r.Tx)
	if err != nil {
		return nil, err
	}
	_, canRestart := d.host.Device.(core.Restarter)
	return d.host.Pages.Page(r, "device", true, map[string]map[string]any{plugin + ".app": {
		"isRemoteContent":           d.host.Options.RemoteContent,
		"canRestart":                canRestart,
		"canCheckMeteredConnection": false,
		"deprecationWarnings":       map[string]bool{"ie11": old},
	}})
}

// usersOfInternetExplorer tells whether anybody used Kolibri in a browser that it no longer supports.
func usersOfInternetExplorer(tx *store.Tx) (bool, error) {
	return tx.Exists("SELECT 1 FROM logger_usersessionlog WHERE device_info LIKE '%IE,11%'")
}
