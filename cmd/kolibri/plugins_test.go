//go:build unix

package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPluginsAreSwitchedOnTheCommandLine(t *testing.T) {
	b := newBox(t)
	list := func() string {
		code, out := b.run("plugin", "list")
		require.Zero(t, code, out)
		return out
	}
	for _, tc := range []struct {
		name         string
		args         []string
		code         int
		coach, learn string
	}{
		{"as installed", nil, 0, "ENABLED", "ENABLED"},
		{"one off", []string{"disable", "kolibri.plugins.coach"}, 0, "DISABLED", "ENABLED"},
		{"off again", []string{"disable", "kolibri.plugins.coach"}, 0, "DISABLED", "ENABLED"},
		{"on", []string{"enable", "kolibri.plugins.coach"}, 0, "ENABLED", "ENABLED"},
		{"only one", []string{"apply", "kolibri.plugins.learn"}, 0, "DISABLED", "ENABLED"},
		{"all", []string{"enable", "-d"}, 0, "ENABLED", "ENABLED"},
		{"none", []string{"disable", "--all-plugins"}, 0, "DISABLED", "DISABLED"},
		{"one that there is not", []string{"enable", "nonsense"}, 2, "DISABLED", "DISABLED"},
		{"one that the server needs", []string{"disable", "kolibri.plugins.device"}, 2, "DISABLED", "DISABLED"},
		{"an option that there is not", []string{"enable", "--al"}, 2, "DISABLED", "DISABLED"},
		{"a command that there is not", []string{"enabel"}, 2, "DISABLED", "DISABLED"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.args != nil {
				code, out := b.run(append([]string{"plugin"}, tc.args...)...)
				require.Equal(t, tc.code, code, out)
			}
			out := list()
			require.Regexp(t, `Coach +kolibri\.plugins\.coach +`+tc.coach, out)
			require.Regexp(t, `Learn +kolibri\.plugins\.learn +`+tc.learn, out)
			require.Regexp(t, `kolibri\.plugins\.device +ENABLED`, out)
		})
	}
}

func TestThePluginsFileIsTheOriginals(t *testing.T) {
	home := t.TempDir()
	path := filepath.Join(home, pluginsFile)
	require.NoError(t, os.WriteFile(path, []byte(`{"DISABLED_PLUGINS":["kolibri.plugins.coach"],"INSTALLED_PLUGINS":["kolibri.plugins.learn","some_other_plugin"],
		"PLUGIN_VERSIONS":{"kolibri.plugins.learn":"0.19.5"},"UPDATED_PLUGINS":[],"MORE":1}`), 0o600))
	m := machine{home: home}
	on, err := m.PluginOn("kolibri.plugins.facility")
	require.NoError(t, err)
	require.False(t, on, "neither installed nor switched off is off, as in the original")
	require.NoError(t, m.SwitchPlugin("kolibri.plugins.coach", true))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var kept map[string]any
	require.NoError(t, json.Unmarshal(text, &kept))
	require.Equal(t, map[string]any{
		"DISABLED_PLUGINS":  []any{},
		"INSTALLED_PLUGINS": []any{"kolibri.plugins.coach", "kolibri.plugins.learn", "some_other_plugin"},
		"UPDATED_PLUGINS":   []any{"kolibri.plugins.coach"},
		"PLUGIN_VERSIONS":   map[string]any{"kolibri.plugins.learn": "0.19.5"},
		"MORE":              1.0,
	}, kept)

	t.Setenv("KOLIBRI_PLUGIN_DISABLE", "kolibri.plugins.coach, kolibri.plugins.learn")
	t.Setenv("KOLIBRI_PLUGIN_ENABLE", "kolibri.plugins.facility")
	p, err := readPlugins(home)
	require.NoError(t, err)
	require.False(t, p.on("kolibri.plugins.coach"))
	require.True(t, p.on("kolibri.plugins.facility"))
	t.Setenv("KOLIBRI_PLUGIN_APPLY", "kolibri.plugins.coach")
	require.True(t, p.on("kolibri.plugins.coach"), "what applies alone wins")
	require.False(t, p.on("kolibri.plugins.facility"))

	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	p, err = readPlugins(home)
	require.NoError(t, err, "a damaged file counts for nothing, as in the original")
	require.Contains(t, p.installed, "kolibri.plugins.coach")
	require.NoError(t, os.WriteFile(path, []byte(`{"INSTALLED_PLUGINS":"all"}`), 0o600))
	_, err = readPlugins(home)
	require.ErrorContains(t, err, "INSTALLED_PLUGINS is no list")
}

func TestAServerStartsWithoutThePluginsThatAreOff(t *testing.T) {
	b := newBox(t)
	code, out := b.run("plugin", "disable", "kolibri.plugins.facility")
	require.Zero(t, code, out)
	b.foreground()
	for path, status := range map[string]int{"/facility/api/firstlogdate/x/": 404, "/status/": 200} {
		res, err := http.Get(b.url(path))
		require.NoError(t, err)
		res.Body.Close()
		require.Equal(t, status, res.StatusCode, path)
	}
}
