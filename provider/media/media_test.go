//go:build !js

package media

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// platform is a server whose files are named by what they hold.
func platform(t testing.TB, files map[string]string) (Fetch, *atomic.Int32) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		content, ok := files[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case strings.HasPrefix(r.URL.Path, "/cut"):
			w.Header().Set("Content-Length", "400")
			_, _ = io.WriteString(w, content)
		default:
			_, _ = io.WriteString(w, content)
		}
	}))
	t.Cleanup(s.Close)
	return func(ctx context.Context, _, address string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+address, nil)
		if err != nil {
			return nil, err
		}
		return s.Client().Do(r)
	}, &asked
}

func open(t testing.TB, folder string, most int64, fetch Fetch) *Cache {
	c, err := Open(folder, most, fetch)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func sum(s string) string {
	h := md5.Sum([]byte(s))
	return hex.EncodeToString(h[:])
}

func serve(t testing.TB, c *Cache, want Want, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if len(header) > 0 {
		r.Header.Set(header[0], header[1])
	}
	w := httptest.NewRecorder()
	require.NoError(t, c.Serve(w, r, want, time.Minute))
	return w
}

func TestServing(t *testing.T) {
	pdf := "%PDF-1.4 " + strings.Repeat("x", 1000)
	fetch, asked := platform(t, map[string]string{"/a.pdf": pdf, "/page.png": "<html><script>", "/pic.svg": "<svg onload=x>", "/empty": ""})
	c := open(t, t.TempDir(), 1<<20, fetch)
	want := Want{Provider: "p", Address: "/a.pdf", MD5: sum(pdf), Size: int64(len(pdf))}
	w := serve(t, c, want)
	require.Equal(t, pdf, w.Body.String())
	require.Equal(t, "application/pdf", w.Header().Get("Content-Type"))
	part := serve(t, c, want, "Range", "bytes=5-7")
	require.Equal(t, http.StatusPartialContent, part.Code)
	require.Equal(t, pdf[5:8], part.Body.String())
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, serve(t, c, want, "Range", "bytes=5000-").Code)
	require.Equal(t, http.StatusNotModified, serve(t, c, want, "If-None-Match", w.Header().Get("ETag")).Code)
	require.EqualValues(t, 1, asked.Load())
	for _, address := range []string{"/page.png", "/pic.svg", "/empty"} {
		w := serve(t, c, Want{Provider: "p", Address: address})
		require.Equal(t, "application/octet-stream", w.Header().Get("Content-Type"), address)
		require.Equal(t, "attachment", w.Header().Get("Content-Disposition"))
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "sandbox")
	}
	require.NotZero(t, c.Used())
	c.Forget("other")
	require.NotZero(t, c.Used())
	c.Forget("p")
	require.Zero(t, c.Used())
}

func TestWhatIsNotKept(t *testing.T) {
	fetch, _ := platform(t, map[string]string{"/big": strings.Repeat("x", 600), "/cut": "half", "/ok": "ok"})
	folder := t.TempDir()
	c := open(t, folder, 1000, fetch)
	for _, tc := range []struct {
		name string
		want Want
		err  error
	}{
		{"too large", Want{Address: "/big"}, ErrTooLarge},
		{"said to be too large", Want{Address: "/ok", Size: 501}, ErrTooLarge},
		{"another size", Want{Address: "/ok", Size: 3}, ErrDamaged},
		{"another hash", Want{Address: "/ok", MD5: sum("other")}, ErrDamaged},
		{"cut off", Want{Address: "/cut"}, io.ErrUnexpectedEOF},
		{"missing", Want{Address: "/nothing"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := c.Get(t.Context(), tc.want)
			require.Error(t, err)
			if tc.err != nil {
				require.ErrorIs(t, err, tc.err)
			}
			require.Zero(t, c.Used())
		})
	}
	left, err := os.ReadDir(filepath.Join(folder, "unfinished"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestTheOldestMakesRoom(t *testing.T) {
	piece := strings.Repeat("x", 300)
	fetch, asked := platform(t, map[string]string{"/1": piece, "/2": piece, "/3": piece, "/4": piece})
	folder := t.TempDir()
	c := open(t, folder, 1000, fetch)
	get := func(address string) {
		f, err := c.Get(t.Context(), Want{Address: address, MD5: sum(piece)})
		require.NoError(t, err)
		defer f.Close()
		all, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, piece, string(all))
	}
	for i, address := range []string{"/1", "/2", "/3"} {
		get(address)
		for name := range c.files { // long ago, one after the other
			if e := c.files[name]; time.Since(e.lastUsed) < time.Minute {
				e.lastUsed = time.Now().Add(time.Duration(i-100) * time.Hour)
			}
		}
	}
	get("/1") // is used now
	get("/4") // takes the place of /2
	require.LessOrEqual(t, c.Used(), int64(1000))
	before := asked.Load()
	get("/1")
	get("/3")
	require.Equal(t, before, asked.Load())
	get("/2")
	require.Equal(t, before+1, asked.Load())
	// a restart knows what is there, removes what a crash left, and keeps to a smaller limit
	require.NoError(t, os.WriteFile(filepath.Join(folder, "unfinished", "x"), []byte("half"), 0o600))
	c = open(t, folder, 650, fetch)
	require.EqualValues(t, 600, c.Used())
	require.NoFileExists(t, filepath.Join(folder, "unfinished", "x"))
}

func TestManyAskForOneFile(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int32
	c := open(t, t.TempDir(), 1000, func(context.Context, string, string) (*http.Response, error) {
		asked.Add(1)
		<-release
		return &http.Response{StatusCode: 200, ContentLength: 2, Body: io.NopCloser(bytes.NewReader([]byte("ok")))}, nil
	})
	gone, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { _, err := c.Get(gone, Want{Address: "/a"}); first <- err }()
	for asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel() // the first to ask goes away, the others get theirs
	require.ErrorIs(t, <-first, context.Canceled)
	var all sync.WaitGroup
	var failed atomic.Int32
	for range 20 {
		all.Go(func() {
			f, err := c.Get(context.Background(), Want{Address: "/a"})
			if err != nil {
				failed.Add(1)
				return
			}
			f.Close()
		})
	}
	close(release)
	all.Wait()
	require.Zero(t, failed.Load())
	require.EqualValues(t, 1, asked.Load())
	broken := errors.New("broken")
	c.fetch = func(context.Context, string, string) (*http.Response, error) { return nil, broken }
	_, err := c.Get(t.Context(), Want{Address: "/b"})
	require.ErrorIs(t, err, broken)
}
