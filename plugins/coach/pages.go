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
	const name = "kolibri:" + plugin + ":"
	return append(notificationRoutes(),
		api.Route{Name: name + "coach", Method: http.MethodGet, Handle: c.page},
		api.Route{Name: name + "classsummary-detail", Method: http.MethodGet, Handle: c.classSummary},
		api.Route{Name: name + "lessonreport-list", Method: http.MethodGet, Handle: c.lessonReports},
		api.Route{Name: name + "lessonreport-detail", Method: http.MethodGet, Handle: c.lessonReport},
		api.Route{Name: name + "exercisedifficulties-detail", Method: http.MethodGet, Handle: c.exerciseDifficulties},
		api.Route{Name: name + "practicequizdifficulties-detail", Method: http.MethodGet, Handle: c.practiceQuizDifficulties},
		api.Route{Name: name + "quizdifficulties-detail", Method: http.MethodGet, Handle: c.quizDifficulties},
		api.Route{Name: name + "unitreport", Method: http.MethodGet, Handle: c.unitReport},
		api.Route{Name: name + "unit-lesson-progress", Method: http.MethodGet, Handle: c.unitLessons})
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
