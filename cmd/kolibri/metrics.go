//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kolibri/core/api"
	"kolibri/store"
)

// buckets are the upper bounds of request times in seconds.
var buckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// metrics are what /metrics tells, in Prometheus' text format. Labels have few values, so that no
// address a client invents makes the page grow.
type metrics struct {
	home    *home
	gate    *gate
	started time.Time
	busy    atomic.Int64

	mu    sync.Mutex
	times map[kind]*histogram
}

// kind is what requests are counted by.
type kind struct {
	area  string // api, content, static or page
	class string // 2xx to 5xx
}

type histogram struct {
	counts []uint64 // by bucket, and beyond them
	sum    float64
}

func newMetrics(h *home) *metrics {
	return &metrics{home: h, started: time.Now(), times: map[kind]*histogram{}}
}

func (m *metrics) begin() { m.busy.Add(1) }

func (m *metrics) end(path string, status int, took time.Duration) {
	m.busy.Add(-1)
	area := "page"
	rest := "/" + strings.TrimPrefix(path, m.home.settings.URLPathPrefix)
	for _, a := range []string{"api", "content", "static"} {
		if strings.HasPrefix(rest, "/"+a+"/") {
			area = a
		}
	}
	k := kind{area, fmt.Sprintf("%dxx", status/100)}
	seconds := took.Seconds()
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.times[k]
	if t == nil {
		t = &histogram{counts: make([]uint64, len(buckets)+1)}
		m.times[k] = t
	}
	t.counts[sort.SearchFloat64s(buckets, seconds)]++
	t.sum += seconds
}

// write writes the page. The database is asked for its jobs; when it does not answer, they are left out.
func (m *metrics) write(ctx context.Context, w io.Writer) {
	p := &page{w: w}
	p.head("kolibri_info", "gauge", "The Kolibri release that is answered for.")
	p.line("kolibri_info", fmt.Sprintf(`{version=%q,go=%q}`, api.Version, runtime.Version()), 1)
	m.writeTimes(p)
	p.one("kolibri_requests_in_flight", "gauge", "Requests being answered.", float64(m.busy.Load()))
	if m.gate != nil {
		p.one("kolibri_requests_working", "gauge", "Requests that have a place at work.", float64(len(m.gate.slots)))
		p.one("kolibri_requests_waiting", "gauge", "Requests that wait for a place.", float64(m.gate.waiting.Load()))
		p.one("kolibri_requests_refused_total", "counter", "Requests that were told to come again later.", float64(m.gate.refused.Load()))
	}
	pool := m.home.db.Pool().Stats()
	p.one("kolibri_database_connections_max", "gauge", "Most connections to the database.", float64(pool.MaxOpenConnections))
	p.one("kolibri_database_connections_open", "gauge", "Open connections to the database.", float64(pool.OpenConnections))
	p.one("kolibri_database_connections_busy", "gauge", "Connections in use.", float64(pool.InUse))
	p.one("kolibri_database_waits_total", "counter", "How often a connection was waited for.", float64(pool.WaitCount))
	p.one("kolibri_database_wait_seconds_total", "counter", "How long connections were waited for.", pool.WaitDuration.Seconds())
	up := 0.0
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if jobs, err := m.jobs(ctx); err == nil {
		up = 1
		p.head("kolibri_jobs", "gauge", "Jobs by state, of all servers on this database.")
		for _, j := range jobs {
			p.line("kolibri_jobs", fmt.Sprintf("{state=%q}", strings.ToLower(j.state)), float64(j.count))
		}
	}
	p.one("kolibri_database_up", "gauge", "Whether the database answers.", up)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	p.one("go_goroutines", "gauge", "Goroutines.", float64(runtime.NumGoroutine()))
	p.one("go_memstats_heap_inuse_bytes", "gauge", "Bytes of heap in use.", float64(memory.HeapInuse))
	p.one("go_memstats_sys_bytes", "gauge", "Bytes obtained from the system.", float64(memory.Sys))
	p.one("process_start_time_seconds", "gauge", "When the process started.", float64(m.started.Unix()))
}

func (m *metrics) writeTimes(p *page) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kinds := make([]kind, 0, len(m.times))
	for k := range m.times {
		kinds = append(kinds, k)
	}
	sort.Slice(kinds, func(i, j int) bool { return kinds[i].area+kinds[i].class < kinds[j].area+kinds[j].class })
	const name = "kolibri_request_duration_seconds"
	p.head(name, "histogram", "Time from a request's headers to the end of its answer.")
	for _, k := range kinds {
		labels, total := fmt.Sprintf(`area=%q,status=%q`, k.area, k.class), uint64(0)
		for i, count := range m.times[k].counts {
			total += count
			bound := "+Inf"
			if i < len(buckets) {
				bound = fmt.Sprint(buckets[i])
			}
			p.line(name+"_bucket", fmt.Sprintf(`{%s,le=%q}`, labels, bound), float64(total))
		}
		p.line(name+"_sum", "{"+labels+"}", m.times[k].sum)
		p.line(name+"_count", "{"+labels+"}", float64(total))
	}
}

type jobCount struct {
	state string
	count int64
}

func (m *metrics) jobs(ctx context.Context) (all []jobCount, err error) {
	err = m.home.db.Read(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Select(tx, func(row store.Scanner) (j jobCount, err error) { return j, row.Scan(&j.state, &j.count) },
			"SELECT state, COUNT(*) FROM jobs GROUP BY state ORDER BY state")
		return err
	})
	return all, err
}

// page writes Prometheus' text format; a client that is gone needs no error.
type page struct{ w io.Writer }

func (p *page) head(name, kind, help string) {
	fmt.Fprintf(p.w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (p *page) line(name, labels string, value float64) {
	fmt.Fprintf(p.w, "%s%s %v\n", name, labels, value)
}

func (p *page) one(name, kind, help string, value float64) {
	p.head(name, kind, help)
	p.line(name, "", value)
}
