package server

import (
	"context"
	"time"

	"kolibri/core/analytics"
	"kolibri/core/api"
	"kolibri/core/attendance"
	"kolibri/core/auth"
	"kolibri/core/auth/jobs"
	"kolibri/core/auth/syncing"
	"kolibri/core/bookmarks"
	"kolibri/core/content"
	"kolibri/core/content/importing"
	"kolibri/core/courses"
	"kolibri/core/device"
	"kolibri/core/discovery"
	"kolibri/core/exams"
	"kolibri/core/lessons"
	"kolibri/core/logger"
	logjobs "kolibri/core/logger/jobs"
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
	"kolibri/store"
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
	transfers := NewTransfers(host)
	work := jobs.New(host, runner, &syncing.Syncer{Host: host, Controller: transfers})
	transfers.Hooks = append(transfers.Hooks, work.CleanUpHook())
	logjobs.New(host, runner)
	machine, news := device.New(host, runner), analytics.New(host, runner)
	machine.OnProvisioned(work.Provisioned)
	channels := importing.New(host, s.cfg.Content, device.DrivesOf(host))
	if s.cfg.Content != nil {
		channels.Register(runner)
		machine.DescribeDrives(channels.On)
		library.OnWish = func(tx *store.Tx, wanted bool) error {
			if wanted {
				return runner.EnqueueIfBuilt(tx, importing.FetchWished)
			}
			return runner.EnqueueIfBuilt(tx, importing.RemoveUnasked)
		}
	}
	others := discovery.New(host, runner)
	others.OnReached(work.Reached)
	for _, routes := range [][]api.Route{
		s.coreViews(host),
		runner.Routes(),
		auth.AccountRoutes(host, work.CleanUp),
		auth.CollectionRoutes(host, work.AssignPictures),
		machine.Routes(),
		news.Routes(),
		others.Routes(),
		public.New(host).Routes(),
		library.Routes(),
		channels.Routes(),
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
	if err := host.DB.Write(host.Base, func(tx *store.Tx) error { return device.Identify(tx, host) }); err != nil {
		return err
	}
	s.closers = append(s.closers, runner.Wait)
	return s.settle(news.Start, machine.Start, work.Start, runner.Start)
}

// settle begins background work once the host has settled.
func (s *Server) settle(works ...func(context.Context) error) error {
	begin := func() error {
		for _, work := range works {
			if err := work(s.cfg.Base); err != nil {
				return err
			}
		}
		return nil
	}
	if s.cfg.Settle == 0 {
		return begin()
	}
	begun := make(chan struct{})
	s.closers = append([]func(){func() { <-begun }}, s.closers...)
	go func() {
		defer close(begun)
		select {
		case <-s.cfg.Base.Done():
			return
		case <-time.After(s.cfg.Settle):
		}
		if err := begin(); err != nil && s.cfg.Base.Err() == nil {
			s.cfg.Log.Error("background work cannot begin", "error", err)
		}
	}()
	return nil
}
