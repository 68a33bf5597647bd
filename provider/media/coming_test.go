//go:build !js

package media

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// video is a file of some length.
var video = strings.Repeat("0123456789abcdef", 20_000)

// slow is a provider whose file comes in two parts, the second when it is released.
type slow struct {
	c       *Cache
	folder  string
	http    *httptest.Server
	release func()
	asked   chan struct{}
}

// newSlow: length is what the provider says of the file, -1 for nothing; rest is the second part.
func newSlow(t *testing.T, length int64, rest string) *slow {
	s := &slow{folder: t.TempDir(), asked: make(chan struct{}, 100)}
	released := make(chan struct{})
	s.release = sync.OnceFunc(func() { close(released) })
	s.c = open(t, s.folder, 1<<20, func(ctx context.Context, _, _ string) (*http.Response, error) {
		s.asked <- struct{}{}
		r, w := io.Pipe()
		stop := context.AfterFunc(ctx, func() { w.CloseWithError(ctx.Err()) })
		go func() {
			defer stop()
			_, _ = io.WriteString(w, video[:len(video)/2])
			<-released
			_, _ = io.WriteString(w, rest)
			w.Close()
		}()
		return &http.Response{StatusCode: http.StatusOK, ContentLength: length, Body: r}, nil
	})
	t.Cleanup(s.release)
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.c.Serve(w, r, Want{Provider: "p", Address: "/video", MD5: sum(video)}, time.Minute); err != nil {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	t.Cleanup(s.http.Close)
	return s
}

func (s *slow) ask(t *testing.T, header ...string) *http.Response {
	t.Helper()
	res, err := s.try(t.Context(), header...)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func (s *slow) try(ctx context.Context, header ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.http.URL, nil)
	if err != nil {
		return nil, err
	}
	if len(header) > 0 {
		r.Header.Set(header[0], header[1])
	}
	return s.http.Client().Do(r)
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	all, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(all)
}

func (s *slow) kept(t *testing.T) (whole, unfinished int) {
	t.Helper()
	for folder, n := range map[string]*int{s.folder: &whole, filepath.Join(s.folder, "unfinished"): &unfinished} {
		files, err := os.ReadDir(folder)
		require.NoError(t, err)
		*n = len(files)
	}
	return whole - 1, unfinished // one is the folder of unfinished ones
}

func TestAFileIsServedWhileItComes(t *testing.T) {
	for name, length := range map[string]int64{"of a known length": int64(len(video)), "of an unknown length": -1} {
		t.Run(name, func(t *testing.T) {
			s := newSlow(t, length, video[len(video)/2:])
			first := s.ask(t)
			begin := make([]byte, 100_000)
			_, err := io.ReadFull(first.Body, begin)
			require.NoError(t, err)
			require.Equal(t, video[:100_000], string(begin), "it is here before the provider has sent the rest")
			others := make([]*http.Response, 5)
			for i := range others {
				others[i] = s.ask(t)
			}
			s.release()
			require.Equal(t, video[100_000:], text(t, first))
			for _, o := range others {
				require.Equal(t, video, text(t, o))
			}
			require.Equal(t, video[10:20], text(t, s.ask(t, "Range", "bytes=10-19")))
			require.Len(t, s.asked, 1, "it is fetched once")
			require.EqualValues(t, len(video), s.c.Used())
		})
	}
}

func TestPartsOfAFileThatComes(t *testing.T) {
	s := newSlow(t, int64(len(video)), video[len(video)/2:])
	part := s.ask(t, "Range", "bytes=70000-70099")
	require.Equal(t, http.StatusPartialContent, part.StatusCode)
	require.Equal(t, "bytes 70000-70099/320000", part.Header.Get("Content-Range"))
	require.Equal(t, video[70_000:70_100], text(t, part), "what is there is told at once")
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, s.ask(t, "Range", "bytes=400000-").StatusCode)
	require.Equal(t, http.StatusNotModified, s.ask(t, "If-None-Match", part.Header.Get("ETag")).StatusCode)
	end := make(chan string)
	go func() { // waits for what is not there yet
		res, err := s.try(t.Context(), "Range", "bytes=-50")
		if err != nil {
			end <- err.Error()
			return
		}
		defer res.Body.Close()
		all, _ := io.ReadAll(res.Body)
		end <- string(all)
	}()
	s.release()
	require.Equal(t, video[len(video)-50:], <-end)
}

// What breaks off, or is another file than was named, is not taken for the file by anybody.
func TestAFileThatComesToNoGoodEnd(t *testing.T) {
	for name, rest := range map[string]string{"cut off": "", "another": strings.Repeat("x", len(video)/2)} {
		for kind, length := range map[string]int64{" of a known length": int64(len(video)), " of an unknown length": -1} {
			t.Run(name+kind, func(t *testing.T) {
				s := newSlow(t, length, rest)
				res := s.ask(t)
				require.Equal(t, http.StatusOK, res.StatusCode)
				s.release()
				got, err := io.ReadAll(res.Body)
				require.Error(t, err)
				require.Less(t, len(got), len(video))
				require.Eventually(t, func() bool { return s.c.Used() == 0 }, time.Minute, time.Millisecond)
				whole, unfinished := s.kept(t)
				require.Zero(t, whole)
				require.Zero(t, unfinished)
			})
		}
	}
}

func TestWhoLeavesDoesNotEndAFetch(t *testing.T) {
	s := newSlow(t, int64(len(video)), video[len(video)/2:])
	s.ask(t).Body.Close()
	s.release()
	require.Equal(t, video, text(t, s.ask(t)))
	require.Len(t, s.asked, 1)
}

func TestFetchesThatAreGivenUp(t *testing.T) {
	for name, end := range map[string]func(*Cache){"the provider is removed": func(c *Cache) { c.Forget("p") }, "the service ends": (*Cache).Close} {
		t.Run(name, func(t *testing.T) {
			s := newSlow(t, int64(len(video)), video[len(video)/2:])
			res := s.ask(t)
			end(s.c)
			_, err := io.ReadAll(res.Body)
			require.Error(t, err)
			require.Eventually(t, func() bool { return s.c.Used() == 0 }, time.Minute, time.Millisecond)
			_, unfinished := s.kept(t)
			require.Zero(t, unfinished)
		})
	}
	s := newSlow(t, -1, "")
	s.c.Close()
	_, err := s.c.Get(t.Context(), Want{Address: "/a"})
	require.ErrorIs(t, err, ErrClosed)
}

// Files that come count, so that many at a time do not fill the disk.
func TestFilesThatComeTogetherKeepToTheLimit(t *testing.T) {
	release := make(chan struct{})
	c := open(t, t.TempDir(), 1000, func(ctx context.Context, _, _ string) (*http.Response, error) {
		r, w := io.Pipe()
		context.AfterFunc(ctx, func() { w.CloseWithError(ctx.Err()) })
		go func() {
			_, _ = io.WriteString(w, strings.Repeat("x", 400))
			<-release
			w.Close()
		}()
		return &http.Response{StatusCode: http.StatusOK, ContentLength: -1, Body: r}, nil
	})
	results := make(chan error, 3)
	for _, address := range []string{"/1", "/2", "/3"} {
		go func() {
			f, err := c.Get(t.Context(), Want{Address: address})
			if err == nil {
				f.Close()
			}
			results <- err
		}()
	}
	require.ErrorIs(t, <-results, ErrTooLarge, "the third has no room while the others come")
	require.LessOrEqual(t, c.Used(), int64(1000))
	close(release)
	require.NoError(t, <-results)
	require.NoError(t, <-results)
}
