package server

import (
	"net/http"

	"kolibri/core/api"
)

// coreViews are the routes that belong to no app (kolibri/core/views.py).
func (s *Server) coreViews(host *api.Host) []api.Route {
	return []api.Route{
		{Name: "kolibri:core:status_check", Method: http.MethodGet, Handle: func(*api.Request) (any, error) {
			return api.Text(http.StatusOK, "text/html; charset=utf-8", ""), nil
		}},
		{Name: "kolibri:core:unsupported", Method: http.MethodGet, Handle: func(r *api.Request) (any, error) {
			return host.Pages.Page(r, "unsupported", true, nil)
		}},
	}
}
