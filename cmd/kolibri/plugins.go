//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pluginsFile says which plugins are on, to this program and to a real Kolibri on the same home
// (kolibri/plugins/__init__.py: ConfigDict).
const pluginsFile = "plugins.json"

// A plugin can be switched, is a part of every server, or is one of the original's that this program lacks.
const (
	switchable = iota
	fixed
	lacking
)

// knownPlugins are the original's, with the names that `kolibri plugin list` has.
var knownPlugins = []struct {
	name, id string
	kind     int
}{
	{"BloomPubRenderPlugin", "kolibri.plugins.bloompub_viewer", switchable},
	{"Coach", "kolibri.plugins.coach", switchable},
	{"ContextTranslationPlugin", "kolibri.plugins.context_translation", lacking},
	{"DefaultThemePlugin", "kolibri.plugins.default_theme", fixed},
	{"DemoServer", "kolibri.plugins.demo_server", lacking},
	{"DeviceManagementPlugin", "kolibri.plugins.device", fixed},
	{"DocumentEPUBRenderPlugin", "kolibri.plugins.epub_viewer", switchable},
	{"Facility", "kolibri.plugins.facility", switchable},
	{"HTML5AppPlugin", "kolibri.plugins.html5_viewer", switchable},
	{"Learn", "kolibri.plugins.learn", switchable},
	{"MediaPlayerPlugin", "kolibri.plugins.media_player", switchable},
	{"DocumentPDFRenderPlugin", "kolibri.plugins.pdf_viewer", switchable},
	{"ExercisePerseusRenderPlugin", "kolibri.plugins.perseus_viewer", switchable},
	{"Policies", "kolibri.plugins.policies", lacking},
	{"PwaPlugin", "kolibri.plugins.pwa", lacking},
	{"QTIViewerPlugin", "kolibri.plugins.qti_viewer", switchable},
	{"SafeHTML5AppPlugin", "kolibri.plugins.safe_html5_viewer", lacking},
	{"Setup Wizard", "kolibri.plugins.setup_wizard", fixed},
	{"SlideshowRenderPlugin", "kolibri.plugins.slideshow_viewer", switchable},
	{"UserAuth", "kolibri.plugins.user_auth", fixed},
	{"User Profile", "kolibri.plugins.user_profile", switchable},
}

// pluginKind tells what can be done with a plugin; unknown ones lack too.
func pluginKind(id string) int {
	for _, p := range knownPlugins {
		if p.id == id {
			return p.kind
		}
	}
	return lacking
}

// pluginConfig is the content of plugins.json. Entries that only the original needs stay as they are.
type pluginConfig struct {
	path                         string
	rest                         map[string]json.RawMessage
	installed, disabled, updated []string
}

// sets are the lists of the file by their names.
func (p *pluginConfig) sets() map[string]*[]string {
	return map[string]*[]string{"INSTALLED_PLUGINS": &p.installed, "DISABLED_PLUGINS": &p.disabled, "UPDATED_PLUGINS": &p.updated}
}

// readPlugins reads the home's file. Without one, or with one that is no JSON, all is as installed, as
// the original has it.
func readPlugins(home string) (*pluginConfig, error) {
	p := &pluginConfig{path: filepath.Join(home, pluginsFile), rest: map[string]json.RawMessage{}}
	for _, k := range knownPlugins {
		if k.kind != lacking {
			p.installed = append(p.installed, k.id)
		}
	}
	text, err := os.ReadFile(p.path)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	rest := map[string]json.RawMessage{}
	if json.Unmarshal(text, &rest) != nil {
		return p, nil
	}
	p.rest = rest
	for name, list := range p.sets() {
		if rest[name] == nil {
			continue
		}
		if err := json.Unmarshal(rest[name], list); err != nil {
			return nil, fmt.Errorf("%s: %s is no list of plugins: correct it or delete the file", p.path, name)
		}
	}
	return p, nil
}

func (p *pluginConfig) save() error {
	if p.rest["PLUGIN_VERSIONS"] == nil {
		p.rest["PLUGIN_VERSIONS"] = json.RawMessage("{}")
	}
	for name, list := range p.sets() {
		slices.Sort(*list)
		text, err := json.Marshal(append([]string{}, *list...))
		if err != nil {
			return err
		}
		p.rest[name] = text
	}
	text, err := json.MarshalIndent(p.rest, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.path), folderPermission); err != nil {
		return err
	}
	return writeFile(p.path, text)
}

// on tells whether a plugin is on, for the file and for the variables, which win.
func (p *pluginConfig) on(id string) bool {
	listed := func(variable string) []string {
		return strings.FieldsFunc(os.Getenv("KOLIBRI_PLUGIN_"+variable), func(r rune) bool { return r == ',' || r == ' ' })
	}
	kind := pluginKind(id)
	if kind != switchable {
		return kind == fixed
	}
	if only := listed("APPLY"); len(only) > 0 {
		return slices.Contains(only, id)
	}
	return (slices.Contains(p.installed, id) && !slices.Contains(p.disabled, id) || slices.Contains(listed("ENABLE"), id)) &&
		!slices.Contains(listed("DISABLE"), id)
}

// set switches a plugin in the file (ConfigDict.add_plugin, remove_plugin).
func (p *pluginConfig) set(id string, on bool) {
	without := func(list []string) []string {
		return slices.DeleteFunc(list, func(other string) bool { return other == id })
	}
	p.installed, p.disabled, p.updated = without(p.installed), without(p.disabled), without(p.updated)
	if on {
		p.installed, p.updated = append(p.installed, id), append(p.updated, id)
	} else {
		p.disabled = append(p.disabled, id)
	}
}

// off are the plugins that a server which starts now does without.
func (p *pluginConfig) off() []string {
	var ids []string
	for _, k := range knownPlugins {
		if k.kind == switchable && !p.on(k.id) {
			ids = append(ids, k.id)
		}
	}
	return ids
}

// PluginOn implements the device app's PluginKeeper.
func (m machine) PluginOn(id string) (bool, error) {
	p, err := readPlugins(m.home)
	if err != nil {
		return false, err
	}
	return p.on(id), nil
}

// SwitchPlugin implements the device app's PluginKeeper.
func (m machine) SwitchPlugin(id string, on bool) error {
	p, err := readPlugins(m.home)
	if err != nil {
		return err
	}
	p.set(id, on)
	return p.save()
}

// pluginVerb lists and switches plugins (kolibri/utils/cli.py: plugin).
func pluginVerb(c *command, args []string) int {
	if len(args) == 0 || args[0] == "--help" {
		fmt.Fprint(c.out, `Usage: kolibri plugin COMMAND [PLUGIN_NAMES]...

  Which plugins are on. A server that runs takes it up at its next start.

Commands:
  apply    Set Kolibri plugins to be enabled and disable all others
  disable  Disable Kolibri plugins; -a, --all-plugins for all
  enable   Enable Kolibri plugins; -d, --default-plugins for all
  list     List all available Kolibri plugins
`)
		return 0
	}
	dir, err := homeDir()
	if err != nil {
		return c.fail(err)
	}
	config, err := readPlugins(dir)
	if err != nil {
		return c.fail(err)
	}
	verb, names := args[0], args[1:]
	all := verb == "enable" && len(names) == 1 && (names[0] == "-d" || names[0] == "--default-plugins") ||
		verb == "disable" && len(names) == 1 && (names[0] == "-a" || names[0] == "--all-plugins")
	if !all {
		for _, name := range names {
			if strings.HasPrefix(name, "-") {
				return c.usage("kolibri plugin "+verb, "No such option: "+name)
			}
		}
	}
	switch verb {
	case "list":
		return c.listPlugins(config)
	case "enable", "disable", "apply":
		return c.switchPlugins(config, verb, names, all)
	}
	return c.usage("kolibri plugin", fmt.Sprintf("No such command '%s'.", verb)+hint(nearest(verb, []string{"apply", "disable", "enable", "list"})))
}

func (c *command) listPlugins(config *pluginConfig) int {
	const row = "%-27s    %-35s    %s\n"
	fmt.Fprintf(c.out, row, "Available plugins", "Plugin identifier", "Status")
	for _, k := range knownPlugins {
		state := "DISABLED"
		if config.on(k.id) {
			state = "ENABLED"
		}
		fmt.Fprintf(c.out, row, k.name, k.id, state)
	}
	return 0
}

// switchPlugins switches what can be switched, and ends with 2, as the original does, when something cannot.
func (c *command) switchPlugins(config *pluginConfig, verb string, names []string, all bool) int {
	done := map[string]string{"enable": "enabled", "disable": "disabled", "apply": "applied"}[verb]
	wrong := false
	for _, k := range knownPlugins {
		if k.kind == switchable && (all || verb == "apply" && !slices.Contains(names, k.id)) {
			config.set(k.id, verb == "enable")
		}
	}
	if all {
		names = nil
	}
	for _, id := range names {
		switch kind := pluginKind(id); {
		case kind == switchable:
			config.set(id, verb != "disable")
		case kind == fixed && verb == "disable":
			fmt.Fprintf(c.err, "%s is a part of this server that it cannot do without\n", id)
			wrong = true
		case kind == lacking:
			fmt.Fprintf(c.err, "%s is not a part of this server\n", id)
			wrong = true
		}
	}
	if err := config.save(); err != nil {
		return c.fail(err)
	}
	if wrong {
		fmt.Fprintf(c.err, "Error: One or more plugins could not be %s\n", done)
		return 2
	}
	return 0
}
