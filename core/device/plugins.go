package device

import (
	"net/http"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
)

// PluginKeeper is a host that remembers which plugins are on. A host's Device may implement it; without
// it all are on for good.
type PluginKeeper interface {
	// PluginOn tells whether a plugin ("kolibri.plugins.coach") is on from the next start on.
	PluginOn(id string) (bool, error)
	// SwitchPlugin switches a plugin on or off, from the next start on.
	SwitchPlugin(id string, on bool) error
}

// plugin is a part of Kolibri that can be switched off. Ids have asterisks for dots, as dots end
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

// module is the plugin's id as configurations have it.
func (p plugin) module() string { return strings.ReplaceAll(p.ID, "*", ".") }

// now is the plugin as the host keeps it.
func (p plugin) now(host *api.Host) (_ plugin, err error) {
	if keeper, ok := host.Device.(PluginKeeper); ok {
		p.Enabled, err = keeper.PluginOn(p.module())
	}
	return p, err
}

// listPlugins: kolibri/core/device/api.py: PluginsViewSet
func (d *Device) listPlugins(r *api.Request) (any, error) {
	if _, err := auth.RequireSuperuser(r); err != nil {
		return nil, err
	}
	all := make([]plugin, len(plugins))
	for i, p := range plugins {
		var err error
		if all[i], err = p.now(d.host); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (d *Device) showPlugin(r *api.Request) (any, error) { return d.plugin(r) }

func (d *Device) plugin(r *api.Request) (plugin, error) {
	if _, err := auth.RequireSuperuser(r); err != nil {
		return plugin{}, err
	}
	for _, p := range plugins {
		if p.ID == strings.ReplaceAll(r.Param("pk"), ".", "*") {
			return p.now(d.host)
		}
	}
	return plugin{}, r.NotFound()
}

// changePlugin switches a plugin, where the host can keep that. It holds from the next start on: a
// server that runs goes on as it began.
func (d *Device) changePlugin(r *api.Request) (any, error) {
	p, err := d.plugin(r)
	if err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	value, given := body["enabled"]
	on := api.Truth(value)
	if !given || value == nil || on == p.Enabled {
		return p, nil
	}
	keeper, ok := d.host.Device.(PluginKeeper)
	if !ok {
		return nil, api.Fail(http.StatusNotImplemented, "NOT_IMPLEMENTED", map[string]any{"view": r.ViewName,
			"message": "This server cannot switch plugins off."})
	}
	p.Enabled = on
	return p, keeper.SwitchPlugin(p.module(), on)
}
