package server

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/views"
)

// coreViews are the routes that belong to no app (kolibri/core/urls.py).
func (s *Server) coreViews(host *api.Host) []api.Route {
	v := views.New(host)
	s.views = v
	routes := []api.Route{
		{Name: "kolibri:core:status_check", Method: http.MethodGet, Handle: func(*api.Request) (any, error) {
			return api.Text(http.StatusOK, "text/html; charset=utf-8", ""), nil
		}},
		{Name: "kolibri:core:unsupported", Method: http.MethodGet, Handle: func(r *api.Request) (any, error) {
			return host.Pages.Page(r, "unsupported", true, nil)
		}},
		{Name: "kolibri:core:logout", Method: "ANY", Handle: v.Logout},
		{Name: "kolibri:core:set_language", Method: http.MethodPost, Handle: s.setLanguage},
	}
	// Django's RedirectView answers every method alike.
	for name, handle := range map[string]api.Handler{
		"kolibri:core:root_redirect": v.Home,
		"kolibri:core:redirect_user": v.Home,
		"kolibri:core:guest":         v.Guest,
		"redirect_user":              v.SignIn,
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
			routes = append(routes, api.Route{Name: name, Method: method, Handle: handle})
		}
	}
	return append(routes, s.apiRoots(host)...)
}
