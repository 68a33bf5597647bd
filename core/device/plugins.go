package device

import (
	"net/http"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
)

// plugin is a part of Kolibri that could be switched off. Ids have asterisks for dots, as dots end
// a part of an address.
type plugin struct {
	Name    string `json:"name"`
	ID      string `json:"id"`
	Enabled bool   `json:"enabled"`
}

// plugins are those that the original lets a superuser switch while it runs.
var plugins = []plugin{
	{"Coach", "kolibri*plugins*coach", true},
	{"Facility", "kolibri*plugins*facility", true},
	{"Learn", "kolibri*plugins*learn", true},
	{"User Profile", "kolibri*plugins*user_profile", true},
}

// listPlugins: kolibri/core/device/api.py: PluginsViewSet
func (d *Device) listPlugins(r *api.Request) (any, error) {
	if _, err := auth.RequireSuperuser(r); err != nil {
		return nil, err
	}
	return plugins, nil
}

func (d *Device) showPlugin(r *api.Request) (any, error) {
	if _, err := auth.RequireSuperuser(r); err != nil {
		return nil, err
	}
	for _, p := range plugins {
		if p.ID == strings.ReplaceAll(r.Param("pk"), ".", "*") {
			return p, nil
		}
	}
	return nil, r.NotFound()
}

// changePlugin accepts what is so already. All plugins are parts of one program here: none can be
// switched off, and saying that it was would be a lie.
func (d *Device) changePlugin(r *api.Request) (any, error) {
	p, err := d.showPlugin(r)
	if err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	if on, given := body["enabled"]; given && on != nil && on != true {
		return nil, api.Fail(http.StatusNotImplemented, "NOT_IMPLEMENTED", map[string]any{"view": r.ViewName,
			"message": "This server cannot switch plugins off."})
	}
	return p, nil
}
