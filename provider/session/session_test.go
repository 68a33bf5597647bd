package session_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/provider/platform"
	"kolibri/provider/session"
)

// office gives numbered sessions as a test wants it.
type office struct {
	signIns, renewals atomic.Int64
	signIn            func(n int64) error
	renew             func(n int64) error
	due               time.Duration
}

func (o *office) SignIn(context.Context) (string, error) {
	n := o.signIns.Add(1)
	if o.signIn != nil {
		if err := o.signIn(n); err != nil {
			return "", err
		}
	}
	return fmt.Sprint("session ", n), nil
}

func (o *office) Renew(_ context.Context, s string) (string, error) {
	n := o.renewals.Add(1)
	if o.renew != nil {
		return s, o.renew(n)
	}
	return s, nil
}

func (o *office) Due(string) time.Duration {
	if o.due == 0 {
		return time.Hour
	}
	return o.due
}

func keep(t *testing.T, o *office) *session.Keeper[string] {
	k := session.Keep(o, session.Options{FirstDelay: 10 * time.Millisecond, LongestDelay: 40 * time.Millisecond, Timeout: 20 * time.Second,
		Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(k.Close)
	return k
}

func TestManyCallersMakeOneSignIn(t *testing.T) {
	o := &office{signIn: func(int64) error { time.Sleep(50 * time.Millisecond); return nil }}
	k := keep(t, o)
	require.Zero(t, o.signIns.Load(), "nobody has asked yet")
	var wait sync.WaitGroup
	var failed atomic.Int64
	for range 10_000 {
		wait.Go(func() {
			if h, err := k.Get(t.Context()); err != nil || h.Session != "session 1" {
				failed.Add(1)
			}
		})
	}
	wait.Wait()
	require.Zero(t, failed.Load())
	require.EqualValues(t, 1, o.signIns.Load())
}

func TestFailuresAreTriedAgainLater(t *testing.T) {
	o := &office{signIn: func(n int64) error {
		if n <= 3 {
			return platform.ErrUnavailable
		}
		return nil
	}}
	k := keep(t, o)
	_, err := k.Get(t.Context())
	var throttled *platform.Throttled
	require.ErrorAs(t, err, &throttled)
	require.ErrorIs(t, err, platform.ErrUnavailable)
	require.Positive(t, throttled.After)
	require.EqualValues(t, 1, o.signIns.Load(), "who asks in the meantime makes no attempt")
	require.Eventually(t, func() bool {
		_, err := k.Get(t.Context())
		return err == nil
	}, time.Minute, time.Millisecond)
	require.EqualValues(t, 4, o.signIns.Load())
}

func TestWrongCredentialsEndAllAttempts(t *testing.T) {
	for _, cause := range []error{platform.ErrCredentials, platform.ErrConsent} {
		o := &office{signIn: func(int64) error { return cause }}
		k := keep(t, o)
		for range 20 {
			_, err := k.Get(t.Context())
			require.ErrorIs(t, err, cause)
		}
		require.EqualValues(t, 1, o.signIns.Load())
		require.Equal(t, "refused", k.State())
	}
}

func TestASessionIsKeptAlive(t *testing.T) {
	o := &office{due: 5 * time.Millisecond, renew: func(n int64) error {
		if n == 3 {
			return session.ErrEnded
		}
		return nil
	}}
	k := keep(t, o)
	_, err := k.Get(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return o.signIns.Load() == 2 && o.renewals.Load() > 4 }, time.Minute, time.Millisecond)
	h, err := k.Get(t.Context())
	require.NoError(t, err)
	require.Equal(t, "session 2", h.Session)
}

func TestARefusalIsLookedInto(t *testing.T) {
	gone := errors.New("gone")
	t.Run("the session had ended", func(t *testing.T) {
		o := &office{renew: func(int64) error { return session.ErrEnded }}
		k := keep(t, o)
		var wait sync.WaitGroup
		var failed atomic.Int64
		for range 200 {
			wait.Go(func() {
				if k.Use(t.Context(), func(h session.Held[string]) error {
					if h.Session == "session 1" {
						return fmt.Errorf("%w: %w", platform.ErrForbidden, gone)
					}
					return nil
				}) != nil {
					failed.Add(1)
				}
			})
		}
		wait.Wait()
		require.Zero(t, failed.Load())
		require.EqualValues(t, 2, o.signIns.Load())
	})
	t.Run("the session was good", func(t *testing.T) {
		o := &office{}
		k := keep(t, o)
		calls := 0
		require.ErrorIs(t, k.Use(t.Context(), func(session.Held[string]) error { calls++; return platform.ErrForbidden }), platform.ErrForbidden)
		require.Equal(t, 1, calls)
		require.EqualValues(t, 1, o.signIns.Load())
		require.EqualValues(t, 1, o.renewals.Load())
	})
	t.Run("the password was changed meanwhile", func(t *testing.T) {
		o := &office{renew: func(int64) error { return session.ErrEnded }, signIn: func(n int64) error {
			if n > 1 {
				return platform.ErrCredentials
			}
			return nil
		}}
		k := keep(t, o)
		for range 3 {
			require.ErrorIs(t, k.Use(t.Context(), func(session.Held[string]) error { return platform.ErrForbidden }), platform.ErrCredentials)
		}
		require.EqualValues(t, 2, o.signIns.Load())
	})
}

func TestAClosedKeeperLetsEverybodyGo(t *testing.T) {
	block := make(chan struct{})
	o := &office{signIn: func(int64) error { <-block; return nil }}
	k := keep(t, o)
	ended := make(chan error, 1)
	go func() {
		_, err := k.Get(context.Background())
		ended <- err
	}()
	require.Eventually(t, func() bool { return o.signIns.Load() == 1 }, time.Minute, time.Millisecond)
	impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := k.Get(impatient)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	close(block)
	k.Close()
	select {
	case err := <-ended:
		if err != nil {
			require.ErrorIs(t, err, session.ErrClosed)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a caller waits for ever")
	}
	_, err = k.Get(t.Context())
	require.ErrorIs(t, err, session.ErrClosed)
}
