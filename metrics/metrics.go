// Package metrics writes Prometheus' text format: what a server counts of itself. Labels must have few
// values, so that no address a client invents makes the page grow.
package metrics

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sort"
	"sync"
	"time"
)

// buckets are the upper bounds of times in seconds.
var buckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// Page writes metrics; a client that is gone needs no error.
type Page struct{ w io.Writer }

// NewPage writes to w.
func NewPage(w io.Writer) *Page { return &Page{w} }

// Head begins a metric.
func (p *Page) Head(name, kind, help string) {
	fmt.Fprintf(p.w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// Line writes a value; labels are in braces, or nothing.
func (p *Page) Line(name, labels string, value float64) {
	fmt.Fprintf(p.w, "%s%s %v\n", name, labels, value)
}

// One writes a metric that has one value.
func (p *Page) One(name, kind, help string, value float64) {
	p.Head(name, kind, help)
	p.Line(name, "", value)
}

// Process writes what every program tells of itself.
func (p *Page) Process(started time.Time) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	p.One("go_goroutines", "gauge", "Goroutines.", float64(runtime.NumGoroutine()))
	p.One("go_memstats_heap_inuse_bytes", "gauge", "Bytes of heap in use.", float64(memory.HeapInuse))
	p.One("go_memstats_sys_bytes", "gauge", "Bytes obtained from the system.", float64(memory.Sys))
	p.One("process_start_time_seconds", "gauge", "When the process started.", float64(started.Unix()))
}

// Times count how long things took, by labels such as `area="api",status="2xx"`. The zero value is ready.
type Times struct {
	mu    sync.Mutex
	times map[string]*histogram
}

type histogram struct {
	counts []uint64 // by bucket, and beyond them
	sum    float64
}

// Observe counts one.
func (t *Times) Observe(labels string, took time.Duration) {
	seconds := took.Seconds()
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.times[labels]
	if h == nil {
		if t.times == nil {
			t.times = map[string]*histogram{}
		}
		h = &histogram{counts: make([]uint64, len(buckets)+1)}
		t.times[labels] = h
	}
	h.counts[sort.SearchFloat64s(buckets, seconds)]++
	h.sum += seconds
}

// Write writes all of them as one histogram.
func (t *Times) Write(p *Page, name, help string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.Head(name, "histogram", help)
	for _, labels := range sorted(t.times) {
		h, total := t.times[labels], uint64(0)
		for i, count := range h.counts {
			total += count
			bound := "+Inf"
			if i < len(buckets) {
				bound = fmt.Sprint(buckets[i])
			}
			p.Line(name+"_bucket", fmt.Sprintf(`{%s,le=%q}`, labels, bound), float64(total))
		}
		p.Line(name+"_sum", "{"+labels+"}", h.sum)
		p.Line(name+"_count", "{"+labels+"}", float64(total))
	}
}

// Counts count things by labels. The zero value is ready.
type Counts struct {
	mu     sync.Mutex
	counts map[string]uint64
}

// Add counts one.
func (c *Counts) Add(labels string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]uint64{}
	}
	c.counts[labels]++
}

// Forget drops the labels that are chosen.
func (c *Counts) Forget(chosen func(labels string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for labels := range c.counts {
		if chosen(labels) {
			delete(c.counts, labels)
		}
	}
}

// Write writes all of them as one counter.
func (c *Counts) Write(p *Page, name, help string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.Head(name, "counter", help)
	for _, labels := range sorted(c.counts) {
		p.Line(name, "{"+labels+"}", float64(c.counts[labels]))
	}
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
