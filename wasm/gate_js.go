package main

import (
	"net/http"
	"sync"
	"time"

	"kolibri/store"
)

// patience is how long the end of the server waits for requests that are still being answered.
const patience = 5 * time.Second

// gate lets requests through to the server while there is one.
type gate struct {
	mu      sync.Mutex
	handler http.Handler
	db      *store.DB
	inside  int
	empty   chan struct{} // closed when shut and nobody is inside
}

func (g *gate) open(handler http.Handler, db *store.DB) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.handler, g.db = handler, db
}

// database returns the open database, nil when there is none.
func (g *gate) database() *store.DB {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.db
}

// shut lets nobody in any more and waits for those inside.
func (g *gate) shut() {
	g.mu.Lock()
	g.handler, g.db = nil, nil
	empty := make(chan struct{})
	g.empty = empty
	if g.inside == 0 {
		close(empty)
		g.empty = nil
	}
	g.mu.Unlock()
	select {
	case <-empty:
	case <-time.After(patience):
	}
}

// ServeHTTP implements http.Handler. Without a server it answers 503, as Kolibri does while its
// database is busy: its pages take that for trouble that passes.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	handler := g.handler
	if handler != nil {
		g.inside++
	}
	g.mu.Unlock()
	if handler == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Database is not available for write operations", http.StatusServiceUnavailable)
		return
	}
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.inside--
		if g.inside == 0 && g.empty != nil {
			close(g.empty)
			g.empty = nil
		}
	}()
	handler.ServeHTTP(w, r)
}
