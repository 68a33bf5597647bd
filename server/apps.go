package server

import (
	"kolibri/core/api"
)

// start makes the apps and binds their routes to the URL table.
func (s *Server) start() (err error) {
	if s.pages, err = newPageHost(s.cfg, s.urls); err != nil {
		return err
	}
	s.cfg.Pages = s.pages
	host := &s.cfg.Host
	for _, routes := range [][]api.Route{
		s.coreViews(host),
	} {
		if err := s.bind(routes); err != nil {
			return err
		}
	}
	return nil
}
