//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serveLimited serves a handler by the limits of the real one, with a short timeout, and returns its address.
func serveLimited(t *testing.T, timeout time.Duration, handler http.HandlerFunc) string {
	l, err := listen("127.0.0.1", 0)
	require.NoError(t, err)
	s := webServer(handler, timeout, slog.New(slog.DiscardHandler))
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

func dial(t *testing.T, address, request string) net.Conn {
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = io.WriteString(c, request)
	require.NoError(t, err)
	return c
}

const short = 200 * time.Millisecond

func TestClientsThatStandStill(t *testing.T) {
	for name, request := range map[string]string{
		"in the headers": "GET / HTTP/1.1\r\nHost: x\r\n",
		"in the body":    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
		"in a chunk":     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
	} {
		t.Run(name, func(t *testing.T) {
			address := serveLimited(t, short, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
			c := dial(t, address, request)
			begin := time.Now()
			_, err := io.Copy(io.Discard, c)
			require.NoError(t, err, "the server hangs up")
			require.Less(t, time.Since(begin), 10*time.Second)
		})
	}
}

func TestClientsThatDoNotTakeTheAnswer(t *testing.T) {
	gone := make(chan error, 1)
	address := serveLimited(t, short, func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, io.LimitReader(zeros{}, 1<<30))
		gone <- err
	})
	dial(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-gone:
		require.Error(t, err)
	case <-time.After(20 * time.Second):
		t.Fatal("the handler still waits for the client")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Who leaves before the answer is not waited for, but what was sent to be changed is.
func TestLeavingEndsReadingsAlone(t *testing.T) {
	for method, ends := range map[string]bool{"GET": true, "HEAD": true, "POST": false, "PUT": false, "PATCH": false, "DELETE": false} {
		t.Run(method, func(t *testing.T) {
			working, left := make(chan bool), make(chan bool)
			over := make(chan error, 1)
			handler := steadfast(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { over <- r.Context().Err() }))
			address := serveLimited(t, 20*time.Second, func(w http.ResponseWriter, r *http.Request) {
				working <- true
				<-left
				<-r.Context().Done() // the server has noticed
				handler.ServeHTTP(w, r)
			})
			c := dial(t, address, method+" / HTTP/1.1\r\nHost: x\r\n\r\n")
			<-working
			require.NoError(t, c.Close())
			close(left)
			select {
			case err := <-over:
				require.Equal(t, ends, err != nil, "%v", err)
			case <-time.After(20 * time.Second):
				t.Fatal("the server does not notice that the client has gone")
			}
		})
	}
}

// Slow is not dead: pieces that arrive within the timeout keep the connection, however long it takes,
// and a handler may think longer than the timeout.
func TestSlowClientsAndHandlersAreServed(t *testing.T) {
	const timeout, pause = time.Second, 50 * time.Millisecond
	address := serveLimited(t, timeout, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		select {
		case <-time.After(timeout + pause):
		case <-r.Context().Done():
			panic("cancelled")
		}
		_, _ = w.Write(body)
	})
	const text = "one piece after the other"
	c := dial(t, address, fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", len(text)))
	for part := range strings.SplitSeq(text, "") {
		time.Sleep(pause)
		_, err := io.WriteString(c, part)
		require.NoError(t, err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, text, string(body))
}

func TestHeadersAreBounded(t *testing.T) {
	address := serveLimited(t, 20*time.Second, func(http.ResponseWriter, *http.Request) {})
	c := dial(t, address, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 2*maxHeader)+"\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, res.StatusCode)
}
