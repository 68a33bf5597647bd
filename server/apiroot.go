package server

import (
	"net/http"
	"strings"

	"kolibri/core/api"
)

// apiRoots are the two views that list where the lists of an app are.
// rest_framework/routers.py: APIRootView
func (s *Server) apiRoots(host *api.Host) []api.Route {
	var routes []api.Route
	for _, root := range s.urls {
		if !strings.HasSuffix(root.Name, ":api-root") {
			continue
		}
		routes = append(routes, api.Route{Name: root.Name, Method: http.MethodGet, Handle: func(r *api.Request) (any, error) {
			lists := map[string]string{}
			for _, u := range s.urls {
				name, isList := strings.CutSuffix(u.Name, "-list")
				if isList && u.Format && strings.HasPrefix(u.Path, root.Path) {
					lists[name[strings.LastIndexByte(name, ':')+1:]] = r.BaseURL() + strings.TrimSuffix(host.Options.URLPathPrefix, "/") + u.Path
				}
			}
			return lists, nil
		}})
	}
	return routes
}
