package server

import (
	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/auth/jobs"
	"kolibri/core/content"
	"kolibri/core/device"
	"kolibri/core/tasks"
	"kolibri/plugins/coach"
	"kolibri/plugins/facility"
	"kolibri/plugins/learn"
	"kolibri/plugins/userauth"
	"kolibri/plugins/userprofile"
)

// start makes the apps and binds their routes to the URL table.
func (s *Server) start() (err error) {
	if s.pages, err = newPageHost(s.cfg, s.urls); err != nil {
		return err
	}
	s.cfg.Pages = s.pages
	host := &s.cfg.Host
	runner := tasks.New(host)
	for _, routes := range [][]api.Route{
		s.coreViews(host),
		runner.Routes(),
		auth.AccountRoutes(host),
		auth.CollectionRoutes(host, jobs.New(host, runner).AssignPictures),
		device.New(host, runner).Routes(),
		content.New(host, s.cfg.Build).Routes(),
		learn.New(host).Routes(),
		coach.New(host).Routes(),
		facility.New(host).Routes(),
		userauth.New(host).Routes(),
		userprofile.New(host).Routes(),
	} {
		if err := s.bind(routes); err != nil {
			return err
		}
	}
	if err := runner.Start(host.Base); err != nil {
		return err
	}
	s.closers = append(s.closers, runner.Wait)
	return nil
}
