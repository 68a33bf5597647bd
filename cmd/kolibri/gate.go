//go:build unix

package main

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// maxConnections bounds what clients can make the server hold; further ones wait in the kernel's queue.
const maxConnections = 8192

// gate lets a bounded number of requests work at once and a bounded number wait for a bounded time.
// Whoever finds no place is told to come again: a server that takes everything falls over for all.
type gate struct {
	next     http.Handler
	slots    chan struct{}
	queue    int64
	patience time.Duration
	waiting  atomic.Int64
	refused  atomic.Int64
}

func newGate(next http.Handler, s *settings) *gate {
	return &gate{next: next, slots: make(chan struct{}, s.AtOnce), queue: int64(s.QueueSize), patience: s.QueueTimeout}
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.enter(r) {
		g.refused.Add(1)
		w.Header().Set("Retry-After", "5")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"detail":"The server is busy. Try again in a few seconds."}`))
		return
	}
	defer func() { <-g.slots }()
	g.next.ServeHTTP(w, r)
}

func (g *gate) enter(r *http.Request) bool {
	select {
	case g.slots <- struct{}{}:
		return true
	default:
	}
	if g.waiting.Add(1) > g.queue {
		g.waiting.Add(-1)
		return false
	}
	defer g.waiting.Add(-1)
	timer := time.NewTimer(g.patience)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return true
	case <-timer.C:
	case <-r.Context().Done():
	}
	return false
}

// bounded is a listener that holds a bounded number of connections. They are not wrapped, because
// files are sent by the kernel only to a connection that is seen to be TCP's; so the server tells of
// their ends by changed.
type bounded struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func boundedListener(l net.Listener, n int) *bounded {
	return &bounded{Listener: l, slots: make(chan struct{}, n), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.slots <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.slots
	}
	return c, err
}

// Close implements net.Listener. It ends an Accept that waits for a place.
func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

// changed is a http.Server's ConnState.
func (b *bounded) changed(_ net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		<-b.slots
	}
}
