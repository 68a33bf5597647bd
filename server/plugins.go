package server

import (
	"slices"
	"strings"

	"kolibri/core/api"
)

// off tells whether a named route belongs to a plugin that is switched off: then nobody knows its
// address, nor does the URL map of the pages name it.
// kolibri/plugins/registry.py: registered_plugins
func off(options api.Options, name string) bool {
	plugin, found := strings.CutPrefix(name, "kolibri:")
	plugin, _, _ = strings.Cut(plugin, ":")
	return found && !options.PluginOn(plugin)
}

func without(options api.Options, urls []url) []url {
	return slices.DeleteFunc(urls, func(u url) bool { return off(options, u.Name) })
}
