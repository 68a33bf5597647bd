package device_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/server"
	"kolibri/server/servertest"
)

// keeper is a machine that remembers which plugins are off.
type keeper struct {
	api.Device
	off sync.Map
}

func (k *keeper) PluginOn(id string) (bool, error) {
	_, off := k.off.Load(id)
	return !off, nil
}

func (k *keeper) SwitchPlugin(id string, on bool) error {
	if on {
		k.off.Delete(id)
	} else {
		k.off.Store(id, true)
	}
	return nil
}

func TestPluginsAreSwitchedForTheNextStart(t *testing.T) {
	kept := &keeper{}
	s := servertest.NewSchool(t, func(c *server.Config) {
		kept.Device = c.Device
		c.Device = kept
	})
	admin := s.As(t, "superuser")
	const coach = "/en/plugins/kolibri*plugins*coach/"
	for _, tc := range []struct {
		name    string
		enabled any
		want    bool
	}{
		{"off", false, false},
		{"off again", false, false},
		{"nothing said", nil, false},
		{"on", true, true},
		{"on again", true, true},
		{"zero is off", 0, false},
		{"words are on", "false", true},
		{"an empty list is off", []string{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := admin.Do("PATCH", coach, map[string]any{"enabled": tc.enabled})
			require.Equal(t, http.StatusOK, a.Status, a.Text)
			require.Equal(t, tc.want, a.Field("enabled"))
			require.Equal(t, tc.want, admin.Get(coach).Field("enabled"))
		})
	}
	require.Equal(t, http.StatusNotFound, admin.Do("PATCH", "/en/plugins/kolibri*plugins*device/", map[string]any{"enabled": false}).Status)
	require.Equal(t, http.StatusOK, s.As(t, "coach").Get("/en/coach/").Status, "the server that runs goes on")
}

func TestAServerWithoutAPlugin(t *testing.T) {
	s := servertest.NewSchool(t, func(c *server.Config) {
		c.Options.DisabledPlugins = []string{"kolibri.plugins.coach", "kolibri.plugins.facility"}
	})
	for _, path := range []string{"/en/coach/", "/coach/api/notifications/?classroom_id=" + servertest.ID("class"), "/en/facility/"} {
		require.Equal(t, http.StatusNotFound, s.As(t, "superuser").Get(path).Status, path)
	}
	page := s.As(t, "superuser").Get("/en/learn/")
	require.Equal(t, http.StatusOK, page.Status)
	require.False(t, strings.Contains(page.Text, "kolibri.plugins.coach"), "its bundles and addresses are in no page")
	for who, want := range map[string]string{"admin": "/en/learn/", "coach": "/en/learn/", "superuser": "/en/device/"} {
		require.Equal(t, want, s.As(t, who).Get("/").Header.Get("Location"), who)
	}
}

func TestAServerWithoutLearn(t *testing.T) {
	s := servertest.NewSchool(t, func(c *server.Config) { c.Options.DisabledPlugins = []string{"kolibri.plugins.learn"} })
	require.Equal(t, http.StatusNotFound, s.As(t, "learner").Get("/").Status)
	require.Equal(t, "/en/coach/", s.As(t, "coach").Get("/").Header.Get("Location"))
	require.Equal(t, "/en/auth/", s.Client(t).Get("/en/guestaccess/").Header.Get("Location"))
}
