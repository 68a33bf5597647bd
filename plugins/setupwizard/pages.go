// Package setupwizard is the plugin that sets a new device up (kolibri/plugins/setup_wizard). What
// the wizard ends with is a task of core/device.
package setupwizard

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/device/settings"
	"kolibri/core/views"
)

const plugin = "kolibri.plugins.setup_wizard"

// SetupWizard answers for the plugin.
type SetupWizard struct {
	host  *api.Host
	views *views.Views
}

// New makes the plugin of a host.
func New(host *api.Host) *SetupWizard { return &SetupWizard{host, views.New(host)} }

// Routes are the plugin's page and APIs. All are closed once the device is set up; the APIs want
// the CSRF token from anonymous visitors too, as their views are decorated.
func (s *SetupWizard) Routes() []api.Route {
	const name = "kolibri:" + plugin + ":"
	return []api.Route{
		{Name: name + "setupwizard", Method: http.MethodGet, Handle: s.page},
		{Name: name + "facilityimport-facilityadmins", Method: http.MethodGet, Handle: s.facilityAdmins},
		{Name: name + "facilityimport-grantsuperuserpermissions", Method: http.MethodPost, Handle: s.grantSuperuser, NoTx: true, CSRFAlways: true},
		{Name: name + "facilityimport-createsuperuser", Method: http.MethodPost, Handle: s.createSuperuser, NoTx: true, CSRFAlways: true},
		{Name: name + "setupwizard-createuseronremote", Method: http.MethodPost, Handle: s.createOnRemote, NoTx: true, CSRFAlways: true},
	}
}

// page is the wizard. On a device that is set up it leads where everybody is led.
// kolibri/plugins/setup_wizard/views.py: SetupWizardView
func (s *SetupWizard) page(r *api.Request) (any, error) {
	device, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	if device.IsProvisioned {
		return api.Redirect(s.views.Path(r, "redirectuser/")), nil
	}
	return s.host.Pages.Page(r, "setup", false, map[string]map[string]any{plugin + ".app": {"canGetOSUser": false}})
}
