package upstream

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"kolibri/provider/platform"
)

// lowWater is the part of a quota below which requests are spread out, in the units of the header.
const lowWater = 100.0

// quota paces requests by what the provider says of the quota that is left (X-Rate-Limit-Remaining), as
// Canvas asks of its clients: the less is left, the longer a request waits.
// https://canvas.instructure.com/doc/api/file.throttling.html
type quota struct {
	mu    sync.Mutex
	until time.Time
}

func (q *quota) learn(a *http.Response) {
	left, err := strconv.ParseFloat(a.Header.Get("X-Rate-Limit-Remaining"), 64)
	throttled := IsThrottle(a)
	if err != nil && !throttled {
		return
	}
	pause := time.Duration(0)
	switch {
	case throttled:
		pause = RetryAfter(a)
	case left < lowWater:
		pause = time.Duration((lowWater - max(left, 0)) / lowWater * float64(2*time.Second))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if until := time.Now().Add(pause); until.After(q.until) {
		q.until = until
	}
}

// wait holds a request until the pause is over, or refuses it when its time would not suffice.
func (q *quota) wait(ctx context.Context) error {
	q.mu.Lock()
	pause := time.Until(q.until)
	q.mu.Unlock()
	if pause <= 0 {
		return nil
	}
	if deadline, ok := ctx.Deadline(); pause > 3*time.Second || ok && time.Until(deadline) < pause {
		return &platform.Throttled{After: pause, Err: platform.ErrThrottled}
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// IsThrottle tells a refusal for being asked too much from one for lack of permission: Canvas answers 403
// to both, the first with an empty quota.
func IsThrottle(a *http.Response) bool {
	if a.StatusCode == http.StatusTooManyRequests {
		return true
	}
	left := a.Header.Get("X-Rate-Limit-Remaining")
	if a.StatusCode != http.StatusForbidden || left == "" {
		return false
	}
	n, err := strconv.ParseFloat(left, 64)
	return strings.HasPrefix(left, "-") || err == nil && n < 1
}
