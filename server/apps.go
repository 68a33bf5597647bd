package server

import (
	"context"

	"kolibri/core/analytics"
	"kolibri/core/api"
	"kolibri/core/attendance"
	"kolibri/core/auth"
	"kolibri/core/auth/jobs"
	"kolibri/core/bookmarks"
	"kolibri/core/content"
	"kolibri/core/content/importing"
	"kolibri/core/courses"
	"kolibri/core/device"
	"kolibri/core/discovery"
	"kolibri/core/exams"
	"kolibri/core/lessons"
	"kolibri/core/logger"
	"kolibri/core/public"
	"kolibri/core/tasks"
	"kolibri/morango/views"
	"kolibri/plugins/coach"
	deviceplugin "kolibri/plugins/device"
	"kolibri/plugins/facility"
	"kolibri/plugins/learn"
	"kolibri/plugins/setupwizard"
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
	library := content.New(host, s.cfg.Build)
	runner := tasks.New(host)
	work := jobs.New(host, runner)
	machine, news := device.New(host, runner), analytics.New(host, runner)
	transfers := NewTransfers(host)
	if s.cfg.Content != nil {
		channels := importing.New(host, s.cfg.Content, device.DrivesOf(host))
		channels.Register(runner)
		machine.DescribeDrives(channels.On)
	}
	for _, routes := range [][]api.Route{
		s.coreViews(host),
		runner.Routes(),
		auth.AccountRoutes(host, work.CleanUp),
		auth.CollectionRoutes(host, work.AssignPictures),
		machine.Routes(),
		news.Routes(),
		discovery.New(host).Routes(),
		public.New(host).Routes(),
		library.Routes(),
		setupwizard.New(host).Routes(),
		deviceplugin.New(host).Routes(),
		bookmarks.New(host).Routes(),
		lessons.New(host).Routes(),
		exams.New(host).Routes(),
		courses.New(host).Routes(),
		attendance.New(host).Routes(),
		logger.New(host).Routes(),
		learn.New(host, library).Routes(),
		coach.New(host).Routes(),
		facility.New(host).Routes(),
		userauth.New(host).Routes(),
		userprofile.New(host).Routes(),
		views.New(host, transfers).Routes(),
	} {
		if err := s.bind(routes); err != nil {
			return err
		}
	}
	for _, begin := range []func(context.Context) error{news.Start, machine.Start, runner.Start} {
		if err := begin(host.Base); err != nil {
			return err
		}
	}
	s.closers = append(s.closers, runner.Wait)
	return nil
}
