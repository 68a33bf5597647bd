package server

import (
	"kolibri/core/api"
	"kolibri/plugins/coach"
	"kolibri/plugins/facility"
	"kolibri/plugins/learn"
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
		learn.New(host).Routes(),
		coach.New(host).Routes(),
		facility.New(host).Routes(),
	} {
		if err := s.bind(routes); err != nil {
			return err
		}
	}
	return nil
}
