package bridge

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// message is one call from Go to the worker's JavaScript.
type message struct {
	call    string
	id      int
	status  int
	headers string
	body    string
	n       int
}

// worker stands in for worker/server.js: it keeps what Go calls.
type worker struct {
	hooks js.Value
	said  chan message
}

func start(t *testing.T, handler http.HandlerFunc) *worker {
	w := &worker{said: make(chan message, 1000)}
	host := js.Global().Get("Object").New()
	on := func(name string, read func(args []js.Value) message) {
		fn := js.FuncOf(func(_ js.Value, args []js.Value) any {
			m := read(args)
			m.call, m.id = name, args[0].Int()
			w.said <- m
			return nil
		})
		t.Cleanup(fn.Release)
		host.Set(name, fn)
	}
	on("respond", func(a []js.Value) message {
		m := message{status: a[1].Int(), headers: a[2].String()}
		if !a[3].IsNull() {
			m.body = string(ToGo(a[3]))
		}
		return m
	})
	on("head", func(a []js.Value) message { return message{status: a[1].Int(), headers: a[2].String()} })
	on("data", func(a []js.Value) message { return message{body: string(ToGo(a[1]))} })
	on("end", func([]js.Value) message { return message{} })
	on("abort", func([]js.Value) message { return message{} })
	on("consumed", func(a []js.Value) message { return message{n: a[1].Int()} })
	w.hooks = New(handler, host).Hooks()
	return w
}

func (w *worker) request(id int, method, url string, options ...any) {
	args := []any{id, method, url, "", nil, false, 0, ""}
	for i, o := range options {
		args[3+i] = o
	}
	w.hooks.Call("request", args...)
}

func (w *worker) next(t *testing.T) message {
	t.Helper()
	m, ok := w.within(time.Minute)
	require.True(t, ok, "Go said nothing")
	return m
}

// within waits so long for a message. It leaves no timer behind: one that fires after the program's
// end is an error in the browser.
func (w *worker) within(patience time.Duration) (message, bool) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case m := <-w.said:
		return m, true
	case <-timer.C:
		return message{}, false
	}
}

func TestRequestArrivesAsFromAServer(t *testing.T) {
	w := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, "question", string(body))
		require.EqualValues(t, len(body), r.ContentLength)
		require.Equal(t, "/app/api/x/?q=%C3%BC", r.RequestURI)
		require.Equal(t, "/app/api/x/", r.URL.Path)
		require.Equal(t, "ü", r.FormValue("q"))
		require.Equal(t, "a.example:8000", r.Host)
		require.Empty(t, r.URL.Host)
		require.Equal(t, []string{"1", "2"}, r.Header.Values("X-Two"))
		require.Equal(t, "a=1; b=2", r.Header.Get("cookie"))
		w.Header().Add("Set-Cookie", "a=3")
		w.Header().Add("Set-Cookie", "b=4")
		w.Header().Set("X-Evil", "one\r\nTwo: three")
		w.WriteHeader(http.StatusCreated)
		w.Header().Set("Too-Late", "1")
		_, _ = io.WriteString(w, "{}")
	})
	w.request(7, "POST", "https://a.example:8000/app/api/x/?q=%C3%BC",
		"X-Two: 1\r\nx-two: 2\r\nCookie: a=1; b=2\r\n", ToJS([]byte("question")))
	m := w.next(t)
	require.Equal(t, "respond", m.call)
	require.Equal(t, 7, m.id)
	require.Equal(t, http.StatusCreated, m.status)
	require.Equal(t, "{}", m.body)
	require.Contains(t, m.headers, "Set-Cookie: a=3\r\nSet-Cookie: b=4\r\n")
	require.Contains(t, m.headers, "Content-Length: 2\r\n")
	require.Contains(t, m.headers, "X-Evil: one  Two: three\r\n")
	require.NotContains(t, m.headers, "Too-Late")
}

func TestShortAnswers(t *testing.T) {
	tests := []struct {
		name, method string
		serve        http.HandlerFunc
		status       int
		body         string
		headers      string
	}{
		{"nothing at all", "GET", func(http.ResponseWriter, *http.Request) {}, 200, "", "Content-Length: 0"},
		{"204 has no body", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			_, err := w.Write([]byte("x"))
			require.ErrorIs(t, err, http.ErrBodyNotAllowed)
		}, 204, "", ""},
		{"304 has no body", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, 304, "", ""},
		{"HEAD has no body", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "hello")
		}, 200, "", "Content-Length: 5"},
		{"the kind of content is found out", "GET", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<!doctype html><p>")
		}, 200, "<!doctype html><p>", "Content-Type: text/html; charset=utf-8"},
		{"the first status counts", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			w.WriteHeader(http.StatusOK)
		}, 418, "", ""},
		{"early hints cannot travel", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
		}, 202, "", ""},
		{"an address that cannot be read", "BAD", nil, 400, "Bad Request\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := start(t, tt.serve)
			url := "https://a.example/"
			if tt.method == "BAD" {
				url = "https://a.example/%zz"
			}
			w.request(1, tt.method, url)
			m := w.next(t)
			require.Equal(t, "respond", m.call)
			require.Equal(t, tt.status, m.status)
			require.Equal(t, tt.body, m.body)
			require.Contains(t, m.headers, tt.headers)
		})
	}
}

func TestPanicIsAnAnswerAndTheProgramLives(t *testing.T) {
	begun := false
	w := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/before":
			w.Header().Set("X-Lost", "1")
			panic(errors.New("boom"))
		case "/within":
			w.(http.Flusher).Flush()
			panic("boom")
		}
		begun = true
	})
	w.request(1, "GET", "https://a.example/before")
	m := w.next(t)
	require.Equal(t, "respond", m.call)
	require.Equal(t, http.StatusInternalServerError, m.status)
	require.Contains(t, m.body, "Server Error (500)")
	require.NotContains(t, m.headers, "X-Lost")

	w.request(2, "GET", "https://a.example/within")
	require.Equal(t, "head", w.next(t).call)
	require.Equal(t, "abort", w.next(t).call)

	w.request(3, "GET", "https://a.example/after")
	require.Equal(t, http.StatusOK, w.next(t).status)
	require.True(t, begun)
}

func TestLongAnswerWaitsForCredit(t *testing.T) {
	const total = initialCredit + 10*chunkSize
	w := start(t, func(w http.ResponseWriter, _ *http.Request) {
		for range total / 1000 {
			_, err := io.WriteString(w, strings.Repeat("x", 1000))
			require.NoError(t, err)
		}
	})
	w.request(1, "GET", "https://a.example/")
	require.Equal(t, "head", w.next(t).call)
	received := 0
	collect := func(expected int) { // and looks a while whether more follows
		for {
			patience := time.Minute
			if received >= expected {
				patience = 100 * time.Millisecond
			}
			m, ok := w.within(patience)
			if !ok {
				return
			}
			if m.call == "end" {
				require.EqualValues(t, total/1000*1000, received)
				received = -1
				return
			}
			require.Equal(t, "data", m.call)
			require.LessOrEqual(t, len(m.body), chunkSize)
			received += len(m.body)
		}
	}
	collect(initialCredit)
	require.EqualValues(t, initialCredit, received, "no more than the client has room for")
	w.hooks.Call("credit", 1, 1)
	collect(initialCredit + chunkSize)
	require.EqualValues(t, initialCredit+chunkSize, received, "one chunk may overdraw")
	w.hooks.Call("credit", 1, total)
	collect(total)
	require.Equal(t, -1, received, "the answer has ended")
}

func TestUploadIsReadAsItComes(t *testing.T) {
	w := start(t, func(w http.ResponseWriter, r *http.Request) {
		require.EqualValues(t, -1, r.ContentLength)
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		_, _ = w.Write(body)
	})
	w.request(1, "PUT", "https://a.example/", "", nil, true)
	for _, part := range []string{"one ", "two ", "three"} {
		w.hooks.Call("chunk", 1, ToJS([]byte(part)))
		m := w.next(t)
		require.Equal(t, "consumed", m.call)
		require.Equal(t, len(part), m.n)
	}
	w.hooks.Call("chunk", 1, nil)
	require.Equal(t, "one two three", w.next(t).body)
}

func TestCancelAndDeadlineEndTheContext(t *testing.T) {
	causes := make(chan error, 1)
	w := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/read":
			_, err := io.ReadAll(r.Body)
			causes <- err
		case "/write":
			var err error
			for err == nil {
				_, err = w.Write(make([]byte, chunkSize))
			}
			causes <- err
		default:
			<-r.Context().Done()
			causes <- context.Cause(r.Context())
		}
	})
	for id, path := range []string{"/wait", "/read", "/write"} {
		w.request(id, "POST", "https://a.example"+path, "", nil, true)
		time.Sleep(20 * time.Millisecond)
		w.hooks.Call("cancel", id)
		require.ErrorIs(t, <-causes, errClientGone, path)
	}
	w.request(9, "POST", "https://a.example/wait", "", nil, false, 20)
	require.ErrorIs(t, <-causes, context.DeadlineExceeded)
	w.hooks.Call("cancel", 12345) // one that is over, or never was
	w.hooks.Call("credit", 12345, 1)
	w.hooks.Call("chunk", 12345, nil)
}

func TestManyRequestsAtOnce(t *testing.T) {
	const n = 200
	var meet sync.WaitGroup
	meet.Add(n)
	w := start(t, func(w http.ResponseWriter, r *http.Request) {
		meet.Done()
		meet.Wait() // nobody is answered before all are being served
		_, _ = io.WriteString(w, r.URL.Path)
	})
	for id := range n {
		w.request(id, "GET", "https://a.example/"+strings.Repeat("x", id+1))
	}
	seen := map[int]bool{}
	for range n {
		m := w.next(t)
		require.Len(t, m.body, m.id+2)
		seen[m.id] = true
	}
	require.Len(t, seen, n)
}

func TestAddressesOfClients(t *testing.T) {
	w := start(t, func(rw http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(rw, r.RemoteAddr) })
	for from, seen := range map[string]string{"": OwnPage, "192.0.2.7:50000": "192.0.2.7:50000", OwnPage: "[::]:0"} {
		w.request(1, "GET", "https://a.example/", "", nil, false, 0, from)
		require.Equal(t, seen, w.next(t).body, "from %q", from)
	}
}
