// Package session keeps one authorised session with one provider, however many callers want it. One
// goroutine signs in when it is first wanted, keeps the session alive, signs in anew when it has ended,
// waits longer after each failure, and stops when the credentials are wrong.
package session

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"kolibri/provider/platform"
)

// ErrClosed: the provider was removed or replaced while its session was waited for.
var ErrClosed = errors.New("the provider was changed meanwhile")

// ErrEnded is Renew's word for a session that the platform does not know any more.
var ErrEnded = errors.New("the session has ended")

// Authority is how one platform gives sessions.
type Authority[S comparable] interface {
	// SignIn makes a session; platform.ErrCredentials and platform.ErrConsent say that trying again is useless.
	SignIn(ctx context.Context) (S, error)
	// Renew keeps a session alive and returns it as it is then, or ErrEnded.
	Renew(ctx context.Context, s S) (S, error)
	// Due is how long a session may go without Renew.
	Due(s S) time.Duration
}

// Options bound what a Keeper does.
type Options struct {
	FirstDelay, LongestDelay time.Duration // between failed attempts
	Timeout                  time.Duration // of one attempt
	Log                      *slog.Logger
	// Count is told "signin", "renew", "failure" or "refused", for metrics. It may be nil.
	Count func(event string)
}

// phase says where a keeper is.
type phase int

const (
	idle phase = iota // nobody has wanted a session yet, or the last attempt failed
	working
	alive
	refused
	closed
)

func (p phase) String() string {
	return [...]string{"idle", "signing in", "signed in", "refused", "closed"}[p]
}

// Held is a session with its number.
type Held[S comparable] struct {
	Session S
	Number  uint64
}

// Keeper keeps one session. Make one with Keep and end it with Close.
type Keeper[S comparable] struct {
	authority Authority[S]
	options   Options
	ctx       context.Context
	cancel    context.CancelFunc
	done      chan struct{}
	wanted    chan struct{}
	doubted   chan struct{}
	held      atomic.Pointer[Held[S]] // set while alive and not in doubt

	mu      sync.Mutex
	phase   phase
	number  uint64
	current S
	checked uint64 // counts renewals, so that a doubt is settled by one that began after it
	err     error
	until   time.Time // no attempt before this
	changed chan struct{}
}

// Keep starts a keeper. It contacts nobody before its session is wanted.
func Keep[S comparable](a Authority[S], o Options) *Keeper[S] {
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keeper[S]{authority: a, options: o, ctx: ctx, cancel: cancel, done: make(chan struct{}),
		wanted: make(chan struct{}, 1), doubted: make(chan struct{}, 1), changed: make(chan struct{})}
	go k.run()
	return k
}

// Close ends the keeper and whatever it does.
func (k *Keeper[S]) Close() {
	k.cancel()
	<-k.done
}

// State is a word for people.
func (k *Keeper[S]) State() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.phase.String()
}

// Get returns the session, waiting for it while it is made. While the platform fails it returns its error at
// once: a *platform.Throttled that says when the next attempt may be made.
func (k *Keeper[S]) Get(ctx context.Context) (Held[S], error) {
	if h := k.held.Load(); h != nil {
		return *h, nil
	}
	return k.wait(ctx, func() bool { return k.phase == alive })
}

// Doubt says that the platform refused a request with this session. It returns the session to try again
// with; the same number says that the session is good and the refusal meant something else.
func (k *Keeper[S]) Doubt(ctx context.Context, number uint64) (Held[S], error) {
	k.mu.Lock()
	checked := k.checked
	if k.phase == alive && k.number == number {
		k.held.Store(nil)
		signal(k.doubted)
	}
	k.mu.Unlock()
	return k.wait(ctx, func() bool {
		return k.phase == alive && (k.number != number || k.checked != checked)
	})
}

// Use calls send with the session. When the platform refuses, the session is looked after, and send is called once
// more if that changed it.
func (k *Keeper[S]) Use(ctx context.Context, send func(Held[S]) error) error {
	h, err := k.Get(ctx)
	if err != nil {
		return err
	}
	if err = send(h); !errors.Is(err, platform.ErrForbidden) {
		return err
	}
	again, doubt := k.Doubt(ctx, h.Number)
	if doubt != nil {
		return doubt
	}
	if again == h {
		return err
	}
	return send(again)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (k *Keeper[S]) wait(ctx context.Context, ready func() bool) (none Held[S], err error) {
	for {
		k.mu.Lock()
		ok := ready()
		h, changed := Held[S]{k.current, k.number}, k.changed
		switch {
		case ok:
		case k.phase == refused || k.phase == closed:
			err = k.err
		case k.phase == idle && time.Now().Before(k.until):
			err = &platform.Throttled{After: time.Until(k.until), Err: k.err}
		case k.phase == idle:
			signal(k.wanted)
		}
		k.mu.Unlock()
		if err != nil {
			return none, err
		}
		if ok {
			return h, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
}

// set changes the state and wakes who waits.
func (k *Keeper[S]) set(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
	if k.phase == alive {
		k.held.Store(&Held[S]{k.current, k.number})
	} else {
		k.held.Store(nil)
	}
	close(k.changed)
	k.changed = make(chan struct{})
}

func (k *Keeper[S]) run() {
	defer close(k.done)
	defer k.set(func() {
		if k.phase != refused {
			k.phase, k.err = closed, ErrClosed
		}
	})
	failures := 0
	for {
		select {
		case <-k.wanted:
		case <-k.ctx.Done():
			return
		}
		k.mu.Lock()
		early := k.phase == idle && time.Now().Before(k.until) // a wish from before the failure
		k.mu.Unlock()
		if early {
			continue
		}
		for {
			s, err := k.signIn()
			if k.ctx.Err() != nil {
				return
			}
			if errors.Is(err, platform.ErrCredentials) || errors.Is(err, platform.ErrConsent) {
				k.count("refused")
				k.options.Log.Warn("a provider refuses its credentials: nothing more is tried until they change", "error", err)
				k.set(func() { k.phase, k.err = refused, err })
				<-k.ctx.Done()
				return
			}
			if err != nil {
				failures++
				delay := k.delay(failures, err)
				k.count("failure")
				k.options.Log.Warn("signing in at a provider failed", "error", err, "failures", failures, "next", delay.Round(time.Millisecond))
				k.set(func() { k.phase, k.err, k.until = idle, err, time.Now().Add(delay) })
				break
			}
			failures = 0
			k.set(func() {
				k.phase, k.current, k.err = alive, s, nil
				k.number++
			})
			if !k.keepAlive() {
				return
			}
		}
	}
}

func (k *Keeper[S]) signIn() (S, error) {
	k.set(func() { k.phase = working })
	ctx, cancel := context.WithTimeout(k.ctx, k.options.Timeout)
	defer cancel()
	k.count("signin")
	return k.authority.SignIn(ctx)
}

// keepAlive renews the session until it has ended. It returns false when the keeper is closed.
func (k *Keeper[S]) keepAlive() bool {
	failures := 0
	due := k.authority.Due(k.current)
	for {
		timer := time.NewTimer(due)
		select {
		case <-k.ctx.Done():
			timer.Stop()
			return false
		case <-k.doubted:
		case <-timer.C:
		}
		timer.Stop()
		ctx, cancel := context.WithTimeout(k.ctx, k.options.Timeout)
		k.count("renew")
		s, err := k.authority.Renew(ctx, k.current)
		cancel()
		switch {
		case k.ctx.Err() != nil:
			return false
		case err == nil:
			failures = 0
			k.set(func() { k.current, k.checked = s, k.checked+1 })
			due = k.authority.Due(s)
		case errors.Is(err, ErrEnded) || failures >= 3:
			return true
		default: // the session may be good still: it is tried with, and looked after sooner
			failures++
			due = k.delay(failures, err)
			k.set(func() { k.checked++ })
		}
	}
}

// delay doubles with each failure, with jitter, and is no shorter than the platform asks for.
func (k *Keeper[S]) delay(failures int, err error) time.Duration {
	d := min(k.options.FirstDelay<<min(failures-1, 16), k.options.LongestDelay)
	d = d/2 + rand.N(d/2+1)
	var throttled *platform.Throttled
	if errors.As(err, &throttled) {
		d = max(d, throttled.After)
	}
	return d
}

func (k *Keeper[S]) count(event string) {
	if k.options.Count != nil {
		k.options.Count(event)
	}
}
