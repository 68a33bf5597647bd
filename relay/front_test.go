package relay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"kolibri/relay/wire"
)

func TestRequestsReachATab(t *testing.T) {
	s := start(t)
	answer, body := s.get(t, "/")
	require.Equal(t, 503, answer.StatusCode)
	require.Equal(t, "no-tab", answer.Header.Get("X-Relay-Error"))
	require.Contains(t, body, "Nobody shares")

	b := s.join(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		request, _ := http.NewRequest(http.MethodPost, s.url+"/a%2Fb//c/..%2f?x=%20y", strings.NewReader("body"))
		request.Header = http.Header{"X-Many": {"1", "2"}, "X-Forwarded-For": {"forged"}, "Connection": {"X-Gone"}, "X-Gone": {"1"}}
		answer, body := send(t, request)
		require.Equal(t, 201, answer.StatusCode)
		require.Equal(t, []string{"a=1", "b=2"}, answer.Header.Values("Set-Cookie"))
		require.Equal(t, "answer", body)
	}()
	f, head := b.request()
	require.Equal(t, s.url+"/a%2Fb//c/..%2f?x=%20y", head.URL, "paths are passed on as they came")
	require.Equal(t, http.MethodPost, head.Method)
	require.Subset(t, head.Headers, wire.Headers{{"X-Many", "1"}, {"X-Many", "2"}})
	require.Empty(t, head.Headers.Get("X-Forwarded-For"))
	require.Empty(t, head.Headers.Get("X-Gone"))
	require.True(t, strings.HasPrefix(head.From, "127.0.0.1:"), head.From)
	_, body2, err := wire.ReadRequest(f)
	require.NoError(t, err)
	require.Equal(t, "body", string(body2))
	require.Equal(t, wire.End, f.Flags)
	b.respond(f.Stream, 201, wire.Headers{{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}, {"Transfer-Encoding", "chunked"}}, "ans", false)
	require.NoError(t, b.write(wire.Frame{Kind: wire.Data, Stream: f.Stream, Flags: wire.End, Payload: []byte("wer")}))
	<-done
}

func TestWhatATabGetsWrong(t *testing.T) {
	bytes := func(n int) []byte { return make([]byte, n) }
	for name, misbehave := range map[string]func(b *browser, f wire.Frame){
		"a stream that was never opened": func(b *browser, f wire.Frame) {
			_ = b.write(wire.Frame{Kind: wire.Data, Stream: f.Stream + 1, Payload: bytes(1)})
		},
		"a body before its head": func(b *browser, f wire.Frame) {
			_ = b.write(wire.Frame{Kind: wire.Data, Stream: f.Stream, Payload: bytes(1)})
		},
		"a frame of the relay's": func(b *browser, f wire.Frame) { _ = b.write(wire.Frame{Kind: wire.Welcome}) },
		"a request to the relay": func(b *browser, f wire.Frame) { _ = b.write(wire.Frame{Kind: wire.Request, Stream: f.Stream}) },
		"an unknown kind":        func(b *browser, f wire.Frame) { _ = b.write(wire.Frame{Kind: 200}) },
		"a short message":        func(b *browser, _ wire.Frame) { _ = b.conn.Write(b.t.Context(), websocket.MessageBinary, []byte{1}) },
		"text":                   func(b *browser, _ wire.Frame) { _ = b.conn.Write(b.t.Context(), websocket.MessageText, []byte("{}")) },
		"an oversized message": func(b *browser, _ wire.Frame) {
			_ = b.conn.Write(b.t.Context(), websocket.MessageBinary, bytes(wire.MaxFrame+1))
		},
		"an oversized part": func(b *browser, f wire.Frame) {
			_ = b.write(wire.Frame{Kind: wire.Data, Stream: f.Stream, Payload: bytes(wire.MaxPart + 1)})
		},
		"room without end":         func(b *browser, f wire.Frame) { _ = b.write(wire.Room(f.Stream, 1<<32-1)) },
		"a header with a new line": func(b *browser, f wire.Frame) { b.respond(f.Stream, 200, wire.Headers{{"A", "b\r\nC: d"}}, "", true) },
		"status 101":               func(b *browser, f wire.Frame) { b.respond(f.Stream, 101, nil, "", true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			b := s.join(t)
			go func() {
				f, _ := b.request()
				misbehave(b, f)
			}()
			answer, _ := s.get(t, "/")
			require.Equal(t, 502, answer.StatusCode)
			require.Equal(t, "tab-gone", answer.Header.Get("X-Relay-Error"))
			_, err := b.tryRead()
			for err == nil {
				_, err = b.tryRead()
			}
			require.Contains(t, []websocket.StatusCode{wire.CloseProtocol, websocket.StatusMessageTooBig}, websocket.CloseStatus(err), "%v", err)
		})
	}
}

func TestATabThatSendsMoreThanThereIsRoomFor(t *testing.T) {
	s := start(t)
	b := s.join(t)
	go func() {
		f, _ := b.request()
		b.respond(f.Stream, 200, nil, "", false)
		for range wire.InitialWindow/wire.MaxPart*40 + 1 { // far more than sockets hold
			if b.write(wire.Frame{Kind: wire.Data, Stream: f.Stream, Payload: make([]byte, wire.MaxPart)}) != nil {
				return
			}
		}
	}()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") // and reads nothing
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(s.pool.all()) == 0 }, time.Minute, 5*time.Millisecond)
}

func TestDeadlinesAndSilence(t *testing.T) {
	s := start(t, func(c *Config) { c.Timeout, c.Stall = 200*time.Millisecond, 200*time.Millisecond })
	b := s.join(t)
	resets := make(chan uint16, 8)
	streams := make(chan uint32, 8)
	go func() {
		for {
			f, err := b.tryRead()
			if err != nil {
				return
			}
			switch f.Kind {
			case wire.Request:
				if head, _, _ := wire.ReadRequest(f); strings.HasSuffix(head.URL, "/half") {
					b.respond(f.Stream, 200, nil, "half", false)
				}
				streams <- f.Stream
			case wire.Reset:
				code, _ := wire.StopOf(f)
				resets <- code
			}
		}
	}()
	answer, _ := s.get(t, "/never")
	require.Equal(t, 504, answer.StatusCode)
	require.Equal(t, wire.ResetDeadline, <-resets)
	answer, body := s.get(t, "/half")
	require.Equal(t, 200, answer.StatusCode)
	require.Equal(t, "broken off: half", body, "half an answer does not look whole")
	require.Equal(t, wire.ResetDeadline, <-resets)
	require.NoError(t, b.write(wire.Frame{Kind: wire.Data, Stream: <-streams, Payload: []byte("late")}), "what comes late is no breach")

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-streams
		<-streams
		cancel()
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/gone", nil)
	require.NoError(t, err)
	_, err = http.DefaultTransport.RoundTrip(request)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, wire.ResetCancelled, <-resets, "a client that goes away is told to the tab")
}

func TestBodiesOfAnySizeAndSlowReaders(t *testing.T) {
	s := start(t)
	b := s.join(t)
	const size = 8 << 20
	go func() {
		f, head := b.request()
		require.Equal(t, http.MethodPut, head.Method)
		got, room := 0, wire.InitialWindow
		for f.Flags != wire.End {
			f = b.read()
			require.Equal(t, wire.Data, f.Kind)
			got += len(f.Payload)
			room -= len(f.Payload)
			require.GreaterOrEqual(t, room, 0, "the relay keeps to the room it has")
			if len(f.Payload) > 0 {
				room += len(f.Payload)
				require.NoError(t, b.write(wire.Room(f.Stream, len(f.Payload))))
			}
		}
		b.respond(f.Stream, 200, nil, fmt.Sprint(got), true)
	}()
	request, err := http.NewRequest(http.MethodPut, s.url+"/", io.LimitReader(zeros{}, size))
	require.NoError(t, err)
	_, body := send(t, request)
	require.Equal(t, fmt.Sprint(size), body)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestTheLeastBusyTabIsAsked(t *testing.T) {
	s := start(t)
	tabs := []*browser{s.join(t), s.join(t), s.join(t)}
	require.Eventually(t, func() bool { return len(s.pool.all()) == 3 }, time.Minute, time.Millisecond)
	var wg sync.WaitGroup
	var mu sync.Mutex
	served := map[int]int{}
	took := make(chan int)
	for i, b := range tabs {
		go func() {
			for {
				f, err := b.tryRead()
				if err != nil {
					return
				}
				if f.Kind != wire.Request {
					continue
				}
				mu.Lock()
				served[i]++
				mu.Unlock()
				took <- i
				if i == 0 {
					continue // it never answers its first request, and so gets no more
				}
				b.respond(f.Stream, 200, nil, "", true)
			}
		}()
	}
	waiting, leave := context.WithCancel(t.Context())
	for range 30 {
		answered := make(chan struct{})
		wg.Go(func() {
			defer close(answered)
			request, err := http.NewRequestWithContext(waiting, http.MethodGet, s.url, nil)
			if err != nil {
				t.Error(err)
			}
			answer, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				return // the one that no tab answered
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("status %d", answer.StatusCode)
			}
		})
		if <-took != 0 {
			<-answered
		}
	}
	leave()
	wg.Wait()
	require.Equal(t, 1, served[0], "%v", served)
	require.InDelta(t, served[1], served[2], 2, "%v", served)
}

func TestVisitorsStayWithOneKolibri(t *testing.T) {
	s := start(t)
	for _, home := range []string{"aaaa", "bbbb"} {
		b := s.join(t, func(a *wire.Application) { a.Home = home })
		go func() {
			for {
				f, err := b.tryRead()
				if err != nil {
					return
				}
				if head, _, err := wire.ReadRequest(f); err == nil && f.Kind == wire.Request {
					b.respond(f.Stream, 200, nil, home+head.Headers.Get("Cookie"), true)
				}
			}
		}()
	}
	require.Eventually(t, func() bool { return len(s.pool.homes()) == 2 }, time.Minute, time.Millisecond)
	answer, first := s.get(t, "/")
	cookies := answer.Cookies()
	require.Len(t, cookies, 1)
	for range 6 {
		request, err := http.NewRequest(http.MethodGet, s.url, nil)
		require.NoError(t, err)
		request.AddCookie(cookies[0])
		request.AddCookie(&http.Cookie{Name: "a", Value: "b"})
		_, body := send(t, request)
		require.Equal(t, first+"a=b", body)
	}
}

// Clients that cut messages in ways that another server might understand otherwise.
func TestWhatClientsTry(t *testing.T) {
	s := start(t)
	s.join(t).serve()
	ask := func(raw string) string {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		_, err = fmt.Fprint(conn, raw)
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			require.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
			return "closed"
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return fmt.Sprintf("%d %s", answer.StatusCode, body)
	}
	for raw, expected := range map[string]string{
		"GET / HTTP/1.1\r\n\r\n":                                                                                           "400",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":                                                                     "400",
		"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n":                                                                              "400",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx":                                    "400",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n":                              "501",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n":                                       "400",
		"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n":                                                                         "400",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n":                                                                            "",
		"GET http://evil.example/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":                                       "200 http://evil.example/x",
		"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":                                           "200 http://a/../../etc/passwd",
		"GET //evil.example/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":                                             "200 http://a//evil.example/",
		"GET /%5frelay/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":                                            "",
		"GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n":                                  "200",
		"GET /x HTTP/1.1\r\nHost: a\r\nX-Relay-Hop: guess\r\nX-Relay-From: 1.2.3.4:5\r\nConnection: close\r\n\r\n":         "200",
		"GET /x HTTP/1.1\r\nHost: a\r\nA: " + strings.Repeat("x", 2<<20) + "\r\n\r\n":                                      "431",
		"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET /s HTTP/1.1\r": "",
	} {
		got := ask(raw)
		require.True(t, strings.HasPrefix(got, expected) || expected == "400" && got == "closed", "%.80q answered %q", raw, got)
	}
}

// A tab may answer before it has the whole request, and the client may go on sending.
func TestAnAnswerAmidAnUpload(t *testing.T) {
	s := start(t)
	b := s.join(t)
	go func() {
		f, _ := b.request()
		b.respond(f.Stream, 413, nil, "enough", true)
	}()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprint(conn, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nbegin")
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	reader := bufio.NewReader(conn)
	answer, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	require.Equal(t, 413, answer.StatusCode)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, "enough", string(body))
	_, err = reader.ReadByte()
	require.ErrorIs(t, err, io.EOF, "the rest of the upload is not taken for a request")
}

func TestTheRelayStopsWithStreamsOpen(t *testing.T) {
	s := start(t)
	b := s.join(t)
	go func() {
		b.request()
		s.Close()
	}()
	answer, _ := s.get(t, "/")
	require.Contains(t, []int{502, 503}, answer.StatusCode)
	require.NotEmpty(t, answer.Header.Get("X-Relay-Error"))
}

func TestTooManyAtOnce(t *testing.T) {
	s := start(t, func(c *Config) { c.MaxRequests = 1 })
	b := s.join(t)
	asked := make(chan struct{})
	go func() {
		b.request()
		close(asked)
	}()
	go func() {
		request, _ := http.NewRequest(http.MethodGet, s.url, nil)
		if answer, err := http.DefaultTransport.RoundTrip(request); err == nil {
			answer.Body.Close()
		}
	}()
	<-asked
	answer, _ := s.get(t, "/")
	require.Equal(t, "busy", answer.Header.Get("X-Relay-Error"))
}
