//go:build !js

package provider

import (
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	burst      = 20 // seconds' worth of requests that may come at once
	maxCallers = 10_000
)

// limits bound how often each address may ask.
type limits struct {
	rate    rate.Limit
	mu      sync.Mutex
	callers map[string]*caller
}

type caller struct {
	*rate.Limiter
	seen time.Time
}

func newLimits(perSecond float64) *limits {
	return &limits{rate: rate.Limit(perSecond), callers: map[string]*caller{}}
}

// allow tells whether a request may be made now, or after what time.
func (l *limits) allow(r *http.Request) (time.Duration, bool) {
	if l.rate <= 0 {
		return 0, true
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	now := time.Now()
	l.mu.Lock()
	c := l.callers[host]
	if c == nil {
		if len(l.callers) >= maxCallers {
			l.sweep(now)
		}
		c = &caller{Limiter: rate.NewLimiter(l.rate, max(1, int(float64(l.rate)*burst)))}
		l.callers[host] = c
	}
	c.seen = now
	l.mu.Unlock()
	reserved := c.ReserveN(now, 1)
	delay := reserved.DelayFrom(now)
	if delay > 0 {
		reserved.CancelAt(now)
	}
	return delay, delay == 0
}

// sweep forgets callers whose allowance is full again, and everybody when that frees no room.
func (l *limits) sweep(now time.Time) {
	for host, c := range l.callers {
		if now.Sub(c.seen) > burst*time.Second {
			delete(l.callers, host)
		}
	}
	if len(l.callers) >= maxCallers {
		clear(l.callers)
	}
}
