//go:build !js

package provider

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"kolibri/metrics"
	"kolibri/provider/platform"
)

// Metrics are what the service counts of itself.
type Metrics struct {
	started   time.Time
	busy      atomic.Int64
	times     metrics.Times
	cache     metrics.Counts
	sessions  metrics.Counts
	callbacks metrics.Counts
	failures  metrics.Counts
}

func newMetrics() *Metrics { return &Metrics{started: time.Now()} }

// Begin counts a request that has come.
func (m *Metrics) Begin() { m.busy.Add(1) }

// End counts a request that was answered.
func (m *Metrics) End(path string, status int, took time.Duration) {
	m.busy.Add(-1)
	area := "other"
	rest, ok := strings.CutPrefix(path, "/api/")
	if rest, _, _ = strings.Cut(rest, "/"); ok && (isObject(rest) || slices.Contains(areas, rest)) {
		area = rest
	}
	m.times.Observe(fmt.Sprintf(`area=%q,status="%dxx"`, area, status/100), took)
}

// areas are those of the API besides the objects.
var areas = []string{"providers", "oauth", "media", "search", "people"}

func isObject(name string) bool {
	_, ok := platform.Filters[platform.Object(name)]
	return ok
}

func (m *Metrics) cached(hit bool)    { m.cache.Add(fmt.Sprintf(`hit="%t"`, hit)) }
func (m *Metrics) called(ok bool)     { m.callbacks.Add(fmt.Sprintf(`ok="%t"`, ok)) }
func (m *Metrics) failed(code string) { m.failures.Add(fmt.Sprintf("code=%q", code)) }
func (m *Metrics) session(id, event string) {
	m.sessions.Add(fmt.Sprintf("provider=%q,event=%q", id, event))
}
func (m *Metrics) forget(id string) {
	m.sessions.Forget(func(labels string) bool { return strings.HasPrefix(labels, fmt.Sprintf("provider=%q,", id)) })
}

// writeMetrics writes the page of /metrics.
func (s *Service) writeMetrics(w io.Writer) {
	m, p := s.metrics, metrics.NewPage(w)
	m.times.Write(p, "provider_request_duration_seconds", "Time from a request's headers to the end of its answer.")
	p.One("provider_requests_in_flight", "gauge", "Requests being answered.", float64(m.busy.Load()))
	m.cache.Write(p, "provider_cache_total", "Answers that were, or were not, there already.")
	m.sessions.Write(p, "provider_session_total", "What happened to the sessions with providers.")
	m.callbacks.Write(p, "provider_callbacks_total", "Questions to the product for details of a provider.")
	m.failures.Write(p, "provider_failures_total", "Answers that were errors, by their code.")
	p.Head("provider_breaker_open", "gauge", "Whether requests to a provider are held back because it fails.")
	s.mu.Lock()
	states := map[string]string{}
	for id, l := range s.live {
		states[id] = l.client.State()
	}
	s.mu.Unlock()
	for id, state := range states {
		open := 0.0
		if state == "open" {
			open = 1
		}
		p.Line("provider_breaker_open", fmt.Sprintf("{provider=%q}", id), open)
	}
	p.Process(m.started)
}
