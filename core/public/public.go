// Package public is what this device tells other devices that nobody signed in to
// (kolibri/core/public).
package public

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/device"
)

// Public answers for the app.
type Public struct{ host *api.Host }

// New makes the app of a host.
func New(host *api.Host) *Public { return &Public{host} }

// Routes are those of kolibri/core/public/api_urls.py.
func (p *Public) Routes() []api.Route {
	const name = "kolibri:core:"
	return []api.Route{
		{Name: name + "info-list", Method: http.MethodGet, Handle: p.info},
		{Name: name + "publicsearchuser-list", Method: http.MethodGet, Handle: searchUsers},
		{Name: name + "get_public_channel_list", Method: http.MethodGet, Handle: channels},
		{Name: name + "get_public_channel_lookup", Method: http.MethodGet, Handle: lookup},
		{Name: name + "get_public_file_checksums", Method: http.MethodGet, Handle: checksums},
		{Name: name + "get_public_file_checksums", Method: http.MethodPost, CSRFExempt: true, Handle: checksums},
		{Name: name + "syncqueue", Method: http.MethodPost, Handle: p.enterQueue},
	}
}

// info describes the device in the version that the other one knows; those older than the parameter
// know the first. kolibri/core/public/api.py: InfoViewSet
func (p *Public) info(r *api.Request) (any, error) {
	version := r.Query().Get("v")
	if !r.Query().Has("v") {
		version = "1"
	}
	return device.Info(r.Tx, p.host, version)
}
