package answers_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/provider/answers"
)

func says(text string, calls *atomic.Int64) func(context.Context, io.Writer) error {
	return func(_ context.Context, w io.Writer) error {
		if calls != nil {
			calls.Add(1)
		}
		_, err := io.WriteString(w, text)
		return err
	}
}

func get(t *testing.T, c *answers.Cache, key string, fresh bool, fill func(context.Context, io.Writer) error) (string, error) {
	t.Helper()
	a, err := c.Get(key, fresh, fill)
	require.NoError(t, err)
	defer a.Release()
	if err := a.Wait(t.Context()); err != nil {
		return "", err
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w.Body.String(), nil
}

func TestAnswersAreKeptForAWhile(t *testing.T) {
	dir := t.TempDir()
	c := answers.New(dir, time.Hour, 100)
	var calls atomic.Int64
	for range 3 {
		text, err := get(t, c, "a", true, says("one", &calls))
		require.NoError(t, err)
		require.Equal(t, "one", text)
	}
	require.EqualValues(t, 1, calls.Load())
	text, err := get(t, c, "a", false, says("two", &calls))
	require.NoError(t, err)
	require.Equal(t, "two", text)
	c.Forget(func(key string) bool { return key == "a" })
	text, err = get(t, c, "a", true, says("three", &calls))
	require.NoError(t, err)
	require.Equal(t, "three", text)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left, "files have no names that a crash could leave")

	old := answers.New(dir, time.Nanosecond, 100)
	for range 2 {
		_, err = get(t, old, "a", true, says("x", &calls))
		require.NoError(t, err)
	}
	require.EqualValues(t, 5, calls.Load())
}

func TestTheOldestAnswersMakeRoom(t *testing.T) {
	c := answers.New(t.TempDir(), time.Hour, 100)
	var calls atomic.Int64
	for _, key := range []string{"a", "b", "c"} {
		_, err := get(t, c, key, true, says(strings.Repeat(key, 40), &calls))
		require.NoError(t, err)
	}
	_, err := get(t, c, "c", true, says("", &calls))
	require.NoError(t, err)
	require.EqualValues(t, 3, calls.Load())
	_, err = get(t, c, "a", true, says(strings.Repeat("a", 40), &calls))
	require.NoError(t, err)
	require.EqualValues(t, 4, calls.Load(), "a had been dropped")
	_, err = get(t, c, "d", true, says(strings.Repeat("d", 101), nil))
	require.ErrorIs(t, err, answers.ErrTooLong)
}

func TestFailuresAreNotKept(t *testing.T) {
	c := answers.New(t.TempDir(), time.Hour, 100)
	gone := errors.New("gone")
	_, err := get(t, c, "a", true, func(context.Context, io.Writer) error { return gone })
	require.ErrorIs(t, err, gone)
	text, err := get(t, c, "a", true, says("fine", nil))
	require.NoError(t, err)
	require.Equal(t, "fine", text)
}

func TestALongAnswerThatFailedIsNotSentAsWhole(t *testing.T) {
	c := answers.New(t.TempDir(), time.Hour, 1<<30)
	fail := make(chan struct{})
	a, err := c.Get("a", true, func(_ context.Context, w io.Writer) error {
		_, _ = w.Write(make([]byte, 2<<20))
		<-fail
		return errors.New("gone")
	})
	require.NoError(t, err)
	defer a.Release()
	require.NoError(t, a.Wait(t.Context()), "enough is there to begin")
	close(fail)
	require.Eventually(t, func() bool { return a.Wait(t.Context()) != nil }, time.Minute, time.Millisecond)
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { a.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)) })
}

func TestWorkThatNobodyWaitsForEnds(t *testing.T) {
	c := answers.New(t.TempDir(), time.Hour, 100)
	ended := make(chan struct{})
	begun := make(chan struct{})
	wait := func(ctx context.Context, _ io.Writer) error {
		close(begun)
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	}
	first, err := c.Get("a", true, wait)
	require.NoError(t, err)
	second, err := c.Get("a", true, wait)
	require.NoError(t, err)
	<-begun
	first.Release()
	select {
	case <-ended:
		t.Fatal("somebody waits still")
	case <-time.After(20 * time.Millisecond):
	}
	second.Release()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on for nobody")
	}
	text, err := get(t, c, "a", true, says("new", nil))
	require.NoError(t, err)
	require.Equal(t, "new", text)
}
