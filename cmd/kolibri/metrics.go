//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"kolibri/core/api"
	"kolibri/metrics"
	"kolibri/store"
)

// serverMetrics are what /metrics tells, in Prometheus' text format.
type serverMetrics struct {
	home    *home
	gate    *gate
	started time.Time
	busy    atomic.Int64
	times   metrics.Times
}

func newMetrics(h *home) *serverMetrics {
	return &serverMetrics{home: h, started: time.Now()}
}

// Begin implements observer.
func (m *serverMetrics) Begin() { m.busy.Add(1) }

// End implements observer.
func (m *serverMetrics) End(path string, status int, took time.Duration) {
	m.busy.Add(-1)
	area := "page"
	rest := "/" + strings.TrimPrefix(path, m.home.settings.URLPathPrefix)
	for _, a := range []string{"api", "content", "static"} {
		if strings.HasPrefix(rest, "/"+a+"/") {
			area = a
		}
	}
	m.times.Observe(fmt.Sprintf(`area=%q,status="%dxx"`, area, status/100), took)
}

// write writes the page. The database is asked for its jobs; when it does not answer, they are left out.
func (m *serverMetrics) write(ctx context.Context, w io.Writer) {
	p := metrics.NewPage(w)
	p.Head("kolibri_info", "gauge", "The Kolibri release that is answered for.")
	p.Line("kolibri_info", fmt.Sprintf(`{version=%q,go=%q}`, api.Version, runtime.Version()), 1)
	m.times.Write(p, "kolibri_request_duration_seconds", "Time from a request's headers to the end of its answer.")
	p.One("kolibri_requests_in_flight", "gauge", "Requests being answered.", float64(m.busy.Load()))
	if m.gate != nil {
		p.One("kolibri_requests_working", "gauge", "Requests that have a place at work.", float64(len(m.gate.slots)))
		p.One("kolibri_requests_waiting", "gauge", "Requests that wait for a place.", float64(m.gate.waiting.Load()))
		p.One("kolibri_requests_refused_total", "counter", "Requests that were told to come again later.", float64(m.gate.refused.Load()))
	}
	pool := m.home.db.Pool().Stats()
	p.One("kolibri_database_connections_max", "gauge", "Most connections to the database.", float64(pool.MaxOpenConnections))
	p.One("kolibri_database_connections_open", "gauge", "Open connections to the database.", float64(pool.OpenConnections))
	p.One("kolibri_database_connections_busy", "gauge", "Connections in use.", float64(pool.InUse))
	p.One("kolibri_database_waits_total", "counter", "How often a connection was waited for.", float64(pool.WaitCount))
	p.One("kolibri_database_wait_seconds_total", "counter", "How long connections were waited for.", pool.WaitDuration.Seconds())
	up := 0.0
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if jobs, err := m.jobs(ctx); err == nil {
		up = 1
		p.Head("kolibri_jobs", "gauge", "Jobs by state, of all servers on this database.")
		for _, j := range jobs {
			p.Line("kolibri_jobs", fmt.Sprintf("{state=%q}", strings.ToLower(j.state)), float64(j.count))
		}
	}
	p.One("kolibri_database_up", "gauge", "Whether the database answers.", up)
	p.Process(m.started)
}

type jobCount struct {
	state string
	count int64
}

func (m *serverMetrics) jobs(ctx context.Context) (all []jobCount, err error) {
	err = m.home.db.Read(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Select(tx, func(row store.Scanner) (j jobCount, err error) { return j, row.Scan(&j.state, &j.count) },
			"SELECT state, COUNT(*) FROM jobs GROUP BY state ORDER BY state")
		return err
	})
	return all, err
}
