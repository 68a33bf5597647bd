// Package coach is the plugin in which coaches plan and follow their classes (kolibri/plugins/coach).
package coach

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/content"
)

const plugin = "kolibri.plugins.coach"

// Coach answers for the plugin.
type Coach struct{ host *api.Host }

// New makes the plugin of a host.
func New(host *api.Host) *Coach { return &Coach{host} }

// Routes are the plugin's pages and APIs.
func (c *Coach) Routes() []api.Route {
	return append(notificationRoutes(),
		api.Route{Name: "kolibri:" + plugin + ":coach", Method: http.MethodGet, Handle: c.page})
}

// page is the plugin's own page.
// kolibri/plugins/coach/kolibri_plugin.py: CoachAsset
func (c *Coach) page(r *api.Request) (any, error) {
	quizzes, err := content.Exists(r.Tx, content.Quiz)
	if err != nil {
		return nil, err
	}
	courses, err := content.Exists(r.Tx, content.Course)
	if err != nil {
		return nil, err
	}
	return c.host.Pages.Page(r, "coach", true, map[string]map[string]any{plugin + ".app": {
		"practice_quizzes_exist": quizzes, "courses_exist": courses,
	}})
}

// Navigation is what the plugin's entry in every page's menu needs to know.
// kolibri/plugins/coach/kolibri_plugin.py: CoachNavItem
func Navigation(r *api.Request, data map[string]map[string]any) error {
	courses, err := content.Exists(r.Tx, content.Course)
	data[plugin+".side_nav"] = map[string]any{"courses_exist": courses}
	return err
}
