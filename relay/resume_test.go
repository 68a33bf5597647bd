package relay

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/relay/wire"
)

// patient is for tests in which a tab comes back.
func patient(c *Config) { c.Timeout, c.Expect = time.Minute, time.Minute }

func TestTabsThatVanish(t *testing.T) {
	s := start(t, patient)
	first := s.join(t)
	// a read is repeated by the next tab, a write is not
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		gone := make(chan struct{})
		go func() {
			first.request()
			first.conn.CloseNow()
			close(gone)
		}()
		next := make(chan *browser, 1)
		go func() {
			<-gone
			if method == http.MethodGet {
				b := s.join(t)
				next <- b
				b.serve()
			}
		}()
		request, err := http.NewRequest(method, s.url+"/x", nil)
		require.NoError(t, err)
		answer, _ := send(t, request)
		if method == http.MethodGet {
			require.Equal(t, 200, answer.StatusCode)
			b := <-next
			b.conn.CloseNow()
			require.Eventually(t, func() bool { return len(s.pool.all()) == 0 }, time.Minute, time.Millisecond)
			first = s.join(t)
			continue
		}
		require.Equal(t, 502, answer.StatusCode)
		require.Equal(t, "tab-gone", answer.Header.Get("X-Relay-Error"))
	}
}

// Requests that come while a tab is briefly away wait for it, whatever they are: none was sent yet.
func TestTabsThatAreBrieflyAway(t *testing.T) {
	s := start(t, patient)
	home := func(name string) func(*wire.Application) { return func(a *wire.Application) { a.Home = name } }
	other := s.join(t, home("other"))
	other.serve()
	first := s.join(t, home("mine"))
	require.Eventually(t, func() bool { return len(s.pool.homes()) == 2 }, time.Minute, time.Millisecond)
	first.conn.CloseNow()
	require.Eventually(t, func() bool { return len(s.pool.all()) == 1 }, time.Minute, time.Millisecond)
	answers := make(chan string, 2)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		go func() {
			request, _ := http.NewRequest(method, s.url+"/x", strings.NewReader("x"))
			request.AddCookie(&http.Cookie{Name: visitorCookie, Value: "mine"})
			_, body := send(t, request)
			answers <- body
		}()
	}
	require.Eventually(t, func() bool { return s.open.Load() == 2 }, time.Minute, time.Millisecond)
	back := s.join(t, home("mine"))
	for range 2 {
		f, _ := back.request()
		back.respond(f.Stream, 200, nil, "mine", true)
		require.Equal(t, "mine", <-answers, "not the other Kolibri")
	}

	// whoever stopped sharing is not waited for, nor one that is not understood
	for _, end := range []func(){
		func() { _ = other.conn.Close(wire.CloseStopped, "sharing was stopped") },
		func() { _ = back.write(wire.Frame{Kind: wire.Welcome}) },
	} {
		before := len(s.pool.all())
		end()
		require.Eventually(t, func() bool { return len(s.pool.all()) < before }, time.Minute, time.Millisecond)
	}
	require.Negative(t, s.pool.rest(want{kind: wire.KindKolibri}, time.Now()))
	answer, _ := s.get(t, "/")
	require.Equal(t, "no-tab", answer.Header.Get("X-Relay-Error"))
}

// A file goes on with the next tab where it stopped, as if nothing had happened.
func TestFilesAreResumed(t *testing.T) {
	file := bytes.Repeat([]byte("0123456789"), 3000)
	headers := func(from, to int) wire.Headers {
		h := wire.Headers{{"ETag", `"f"`}, {"Accept-Ranges", "bytes"}, {"Content-Length", fmt.Sprint(to - from)}}
		if from > 0 || to < len(file) {
			h = append(h, [2]string{"Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(file))})
		}
		return h
	}
	for _, test := range []struct {
		name, etag string
		from, to   int
		ranges     bool
		whole      bool
	}{
		{"with the rest", `"f"`, 0, len(file), true, true},
		{"with the rest of a part", `"f"`, 5000, 25000, true, true},
		{"with all of it again", `"f"`, 0, len(file), false, true},
		{"with another file", `"g"`, 0, len(file), true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, patient)
			first := s.join(t)
			const cut = 7000
			go func() {
				f, _ := first.request()
				status := 200
				if test.from > 0 {
					status = 206
				}
				first.respond(f.Stream, status, headers(test.from, test.to), string(file[test.from:test.from+cut]), false)
				time.Sleep(50 * time.Millisecond)
				first.conn.CloseNow()
				second := s.join(t)
				f, head := second.request()
				require.Equal(t, fmt.Sprintf("bytes=%d-%d", test.from+cut, test.to-1), head.Headers.Get("Range"))
				require.Equal(t, `"f"`, head.Headers.Get("If-Range"))
				if !test.ranges {
					second.respond(f.Stream, 200, headers(0, len(file)), string(file), true)
					return
				}
				h := headers(test.from+cut, test.to)
				h[0][1] = test.etag
				second.respond(f.Stream, 206, h, string(file[test.from+cut:test.to]), true)
			}()
			request, err := http.NewRequest(http.MethodGet, s.url+"/file", nil)
			require.NoError(t, err)
			if test.from > 0 {
				request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", test.from, test.to-1))
			}
			_, body := send(t, request)
			if !test.whole {
				require.True(t, strings.HasPrefix(body, "broken off"), "two files are not mixed")
				return
			}
			require.Equal(t, string(file[test.from:test.to]), body)
		})
	}
}
