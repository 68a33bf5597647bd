package server

import "strings"

// metadata tells a client what a view is and takes.
type metadata struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Renders     []string `json:"renders"`
	Parses      []string `json:"parses"`
}

// describe answers OPTIONS on an API. The fields of a body, which the original lists under
// "actions" for whoever may send one, are left out: no client of Kolibri's asks for them.
// rest_framework/metadata.py: SimpleMetadata
func (r *route) describe() metadata {
	return metadata{
		Name:    r.viewName("OPTIONS"),
		Renders: []string{"application/json", "text/html"},
		Parses:  []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"},
	}
}

// needsSetup tells whether this is a plugin's page, which does not open before the device is set up.
func (r *route) needsSetup() bool {
	return r.localized && !strings.HasPrefix(r.Name, "kolibri:core:") &&
		!strings.HasPrefix(r.Name, "kolibri:kolibri.plugins.setup_wizard:")
}
