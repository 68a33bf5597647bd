package relay

import (
	"context"
	"sync"
	"time"
)

// pool holds the tabs that are connected to this relay.
type pool struct {
	mu      sync.Mutex
	tabs    map[*tab]bool
	left    map[want]time.Time // when the last tab went that comes back
	changed chan struct{}      // closed and renewed when a tab comes or goes
	expect  time.Duration      // how long a tab that went is waited for
}

func newPool(expect time.Duration) *pool {
	return &pool{tabs: map[*tab]bool{}, left: map[want]time.Time{}, changed: make(chan struct{}), expect: expect}
}

func (p *pool) add(t *tab) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tabs[t] = true
	delete(p.left, want{t.joined.Kind, t.joined.Home})
	p.announce()
}

func (p *pool) remove(t *tab, comesBack bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.tabs[t] {
		return
	}
	delete(p.tabs, t)
	now := time.Now()
	for w, at := range p.left {
		if now.Sub(at) > p.expect {
			delete(p.left, w)
		}
	}
	if comesBack {
		p.left[want{t.joined.Kind, t.joined.Home}] = now
	}
	p.announce()
}

// rest is how long a tab is still waited for that has gone a moment ago.
func (p *pool) rest(w want, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var last time.Time
	for one, at := range p.left {
		if one.kind == w.kind && (w.home == "" || one.home == w.home) && at.After(last) {
			last = at
		}
	}
	return last.Add(p.expect).Sub(now)
}

// changes is closed when a tab comes or goes.
func (p *pool) changes() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

func (p *pool) announce() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// want says which tab a request may go to.
type want struct {
	kind string
	home string // the visitor's Kolibri, empty when it has none yet
}

// pick takes the tab with the fewest open requests, the one that waited longest among equals. Nil
// when there is none.
func (p *pool) pick(w want, now time.Time) *tab {
	p.mu.Lock()
	defer p.mu.Unlock()
	var best *tab
	var least int
	var longest time.Time
	var stalls bool
	for t := range p.tabs {
		n, last, open := t.load()
		if t.joined.Kind != w.kind || !open || w.home != "" && t.joined.Home != w.home {
			continue
		}
		s := t.stalls(now)
		better := best == nil
		switch {
		case better:
		case s != stalls:
			better = stalls
		case n != least:
			better = n < least
		default:
			better = last.Before(longest)
		}
		if better {
			best, least, longest, stalls = t, n, last, s
		}
	}
	if best != nil {
		best.mu.Lock()
		best.lastPick = now
		best.mu.Unlock()
	}
	return best
}

// await waits for a tab where one was a moment ago and may come back.
func (p *pool) await(ctx context.Context, w want) *tab {
	for {
		changed, now := p.changes(), time.Now()
		if t := p.pick(w, now); t != nil {
			return t
		}
		rest := p.rest(w, now)
		if rest <= 0 {
			return nil
		}
		timer := time.NewTimer(rest)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// homes counts the Kolibris that are shared here.
func (p *pool) homes() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	homes := map[string]int{}
	for t := range p.tabs {
		if t.joined.Home != "" {
			homes[t.joined.Home]++
		}
	}
	return homes
}

// all lists the tabs.
func (p *pool) all() []*tab {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]*tab, 0, len(p.tabs))
	for t := range p.tabs {
		list = append(list, t)
	}
	return list
}

// has tells whether a tab of this kind and home is here.
func (p *pool) has(w want) bool {
	for _, t := range p.all() {
		if _, _, open := t.load(); open && t.joined.Kind == w.kind && (w.home == "" || t.joined.Home == w.home) {
			return true
		}
	}
	return false
}
