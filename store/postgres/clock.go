//go:build !js

package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// clock is the server's, kept in step without asking for every moment. Replicas whose own clocks are
// wrong would end each other's sessions and take each other's jobs for abandoned.
type clock struct {
	local func() time.Time

	mu     sync.Mutex
	at     time.Time // by the local clock, when the server's was read
	server time.Time
}

// freshness is how long a reading is good for: local clocks wander, and stand still while a machine
// sleeps.
const freshness = time.Minute

// noise is what a reading may be off for reasons of its own.
const noise = 20 * time.Millisecond

// now is the server's time. It is monotonic as long as the two clocks run alike.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server.Add(c.local().Sub(c.at))
}

func (c *clock) stale() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := c.local().Sub(c.at)
	return passed < 0 || passed > freshness
}

// read asks the server for its time.
func (c *clock) read(ctx context.Context, conn *pgx.Conn) error {
	before := c.local()
	var server time.Time
	if err := conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&server); err != nil {
		return err
	}
	after := c.local()
	onTheWay := after.Sub(before) / 2
	server = server.UTC().Add(onTheWay)
	c.mu.Lock()
	defer c.mu.Unlock()
	expected := c.server.Add(after.Sub(c.at))
	if off := server.Sub(expected).Abs(); c.at.IsZero() || off > noise+onTheWay {
		c.server = server
	} else {
		c.server = expected // small steps back and forth would only disturb the order of things
	}
	c.at = after
	return nil
}
