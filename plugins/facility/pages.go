// Package facility is the plugin in which a facility is administered: its people, classes, settings
// and data (kolibri/plugins/facility).
package facility

import (
	"net/http"

	"kolibri/core/api"
)

// Facility answers for the plugin.
type Facility struct{ host *api.Host }

// New makes the plugin of a host.
func New(host *api.Host) *Facility { return &Facility{host} }

// Routes are the plugin's pages and APIs.
func (f *Facility) Routes() []api.Route {
	const name = "kolibri:kolibri.plugins.facility:"
	return []api.Route{
		{Name: name + "facility_management", Method: http.MethodGet, Handle: f.page},
		{Name: name + "download_csv_file", Method: "ANY", Handle: f.download},
		{Name: name + "exportedcsvinfo", Method: "ANY", Handle: f.exportedFiles},
		{Name: name + "firstlogdate", Method: "ANY", Handle: f.firstLogDate},
	}
}

// page is the plugin's own page; it has no data of its own.
// kolibri/plugins/facility/views.py: FacilityManagementView
func (f *Facility) page(r *api.Request) (any, error) {
	return f.host.Pages.Page(r, "facility", true, nil)
}
