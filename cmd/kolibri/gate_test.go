//go:build unix

package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOverload(t *testing.T) {
	working, finish := make(chan bool, 2), make(chan bool)
	g := newGate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { working <- true; <-finish }),
		&settings{AtOnce: 1, QueueSize: 1, QueueTimeout: 3 * time.Second})
	address := serveLimited(t, time.Second, g.ServeHTTP)
	answers := make(chan *http.Response, 4)
	get := func() {
		res, err := http.Get("http://" + address)
		if err == nil {
			res.Body.Close()
		}
		answers <- res
	}
	refused := func(res *http.Response, why string) {
		t.Helper()
		require.NotNil(t, res, why)
		require.Equal(t, http.StatusServiceUnavailable, res.StatusCode, why)
		require.Equal(t, "5", res.Header.Get("Retry-After"), why)
	}
	go get()
	<-working
	go get() // it waits
	require.Eventually(t, func() bool { return g.waiting.Load() == 1 }, time.Minute, time.Millisecond)
	get()
	refused(<-answers, "the queue is full")
	require.EqualValues(t, 1, g.waiting.Load(), "that is told at once, while the other waits")
	refused(<-answers, "it waited long enough")
	require.Zero(t, g.waiting.Load())

	go get()
	require.Eventually(t, func() bool { return g.waiting.Load() == 1 }, time.Minute, time.Millisecond)
	finish <- true
	<-working
	finish <- true
	for range 2 {
		require.Equal(t, http.StatusOK, (<-answers).StatusCode, "who waits gets the next place")
	}
	require.EqualValues(t, 2, g.refused.Load())
}

func TestBoundedConnections(t *testing.T) {
	l, err := listen("127.0.0.1", 0)
	require.NoError(t, err)
	few := boundedListener(l, 2)
	s := webServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }), 20*time.Second, slog.New(slog.DiscardHandler))
	s.ConnState = few.changed
	go func() { _ = s.Serve(few) }()
	defer s.Close()
	const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	var open []net.Conn
	for range 2 {
		c := dial(t, l.Addr().String(), request)
		_, err := io.ReadFull(c, make([]byte, 12))
		require.NoError(t, err)
		open = append(open, c)
	}
	third := dial(t, l.Addr().String(), request)
	require.NoError(t, third.SetReadDeadline(time.Now().Add(short)))
	_, err = io.ReadFull(third, make([]byte, 12))
	require.Error(t, err, "there is no place")
	require.NoError(t, third.SetReadDeadline(time.Now().Add(20*time.Second)))
	open[0].Close()
	_, err = io.ReadFull(third, make([]byte, 12))
	require.NoError(t, err, "one left")
}
