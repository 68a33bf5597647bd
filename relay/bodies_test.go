package relay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/relay/wire"
)

// hand sends the body of a stream as a tab does by a request of its own.
func (s *started) hand(ctx context.Context, proof string, stream uint32, body io.Reader) (int, error) {
	t := s.pool.all()[0]
	if proof == "" {
		s.pairing.mu.Lock()
		proof = prove(s.pairing.sessions[t.session].key, bodyText(t.nonce, uint64(stream)))
		s.pairing.mu.Unlock()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s%sbody/%s/%d?proof=%s", s.url, Own, t.session, stream, proof), body)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

func TestBodiesByRequestsOfTheirOwn(t *testing.T) {
	s := start(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+Own+"body", nil)
	require.NoError(t, err)
	request.Header.Set("Origin", "http://elsewhere")
	answer, _ := send(t, request)
	require.Equal(t, 204, answer.StatusCode)
	require.Equal(t, "*", answer.Header.Get("Access-Control-Allow-Origin"))

	b := s.join(t)
	whole := bytes.Repeat([]byte("0123456789abcdef"), 3<<20/16+5)
	statuses := make(chan int, 4)
	go func() {
		f, _ := b.request()
		for _, proof := range []string{strings.Repeat("0", 64), "x"} {
			status, _ := s.hand(t.Context(), proof, f.Stream, strings.NewReader("forged"))
			statuses <- status
		}
		b.respond(f.Stream, 200, wire.Headers{{"X-A", "1"}}, "", false)
		status, _ := s.hand(t.Context(), "", f.Stream, bytes.NewReader(whole))
		statuses <- status
		status, _ = s.hand(t.Context(), "", f.Stream, strings.NewReader("once more"))
		statuses <- status
	}()
	answer, body := s.get(t, "/file")
	require.Equal(t, "1", answer.Header.Get("X-A"))
	require.True(t, string(whole) == body, "%d of %d bytes", len(body), len(whole))
	require.Equal(t, []int{404, 404, 204}, []int{<-statuses, <-statuses, <-statuses})
	require.Contains(t, []int{404, 409}, <-statuses, "a body comes once")
}

// Request and frames go by two connections: a small file can be there before its head.
func TestABodyThatIsQuickerThanItsHead(t *testing.T) {
	s := start(t)
	b := s.join(t)
	statuses := make(chan int, 2)
	go func() {
		for range 2 { // the connection stands
			f, _ := b.request()
			status, _ := s.hand(t.Context(), "", f.Stream, strings.NewReader("file"))
			statuses <- status
			b.respond(f.Stream, 200, wire.Headers{{"X-A", "1"}}, "", false)
		}
	}()
	for range 2 {
		answer, body := s.get(t, "/file")
		require.Equal(t, []any{200, "1", "file", 204}, []any{answer.StatusCode, answer.Header.Get("X-A"), body, <-statuses})
	}
}

func TestBodiesThatBreakOff(t *testing.T) {
	for name, c := range map[string]struct {
		tab  func(s *started, b *browser, stream uint32)
		gone bool // with the tab
	}{
		"amid the request": {tab: func(s *started, _ *browser, stream uint32) {
			_, _ = s.hand(t.Context(), "", stream, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrClosedPipe)))
		}},
		"a body by two ways": {gone: true, tab: func(s *started, b *browser, stream uint32) {
			read, write := io.Pipe()
			defer write.Close()
			go func() { _, _ = s.hand(t.Context(), "", stream, read) }()
			_, _ = io.WriteString(write, "half")
			require.Eventually(t, func() bool {
				st := s.pool.all()[0].streamOf(stream)
				st.mu.Lock()
				defer st.mu.Unlock()
				return st.pieces != nil
			}, time.Minute, time.Millisecond)
			_ = b.write(wire.Frame{Kind: wire.Data, Stream: stream, Payload: []byte("x")})
			for err := error(nil); err == nil; { // until the relay hangs up
				_, err = b.tryRead()
			}
		}},
		"standing still": {tab: func(s *started, _ *browser, stream uint32) {
			read, write := io.Pipe()
			defer write.Close()
			status := make(chan int, 1)
			go func() {
				n, _ := s.hand(t.Context(), "", stream, read)
				status <- n
			}()
			_, _ = io.WriteString(write, "half")
			require.Eventually(t, func() bool { return s.pool.all()[0].streamOf(stream) == nil }, time.Minute, time.Millisecond)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(c *Config) { c.Stall = time.Second })
			b := s.join(t)
			begun, ended := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(ended)
				f, _ := b.request()
				b.respond(f.Stream, 200, nil, "", false)
				<-begun // what breaks off before it began is another error
				c.tab(s, b, f.Stream)
			}()
			answer, err := http.Get(s.url + "/file")
			require.NoError(t, err)
			defer answer.Body.Close()
			close(begun)
			_, err = io.ReadAll(answer.Body)
			require.Error(t, err)
			<-ended
			if !c.gone {
				require.Len(t, s.pool.all(), 1, "the tab stays")
			}
		})
	}
}

func TestABodyThatNobodyTakes(t *testing.T) {
	s := start(t, func(c *Config) { c.Stall = time.Minute })
	b := s.join(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") // and reads nothing
	require.NoError(t, err)
	f, _ := b.request()
	b.respond(f.Stream, 200, nil, "", false)
	sent := &counted{}
	status := make(chan int, 1)
	go func() {
		n, _ := s.hand(t.Context(), "", f.Stream, io.TeeReader(io.LimitReader(zeros{}, 1<<30), sent))
		status <- n
	}()
	before := int64(-1)
	require.Eventually(t, func() bool { // it comes to a halt
		now := sent.n.Load()
		defer func() { before = now }()
		return now == before && now > 0
	}, time.Minute, 200*time.Millisecond)
	require.Less(t, sent.n.Load(), int64(64<<20), "what sockets and the relay hold")
	require.Equal(t, int64(bodyPieces*bodyPiece), int64(s.held(f.Stream)), "and no more than that in the relay")
	conn.Close()
	stopped := b.read()
	require.Equal(t, wire.Reset, stopped.Kind, "the tab is told")
	select {
	case n := <-status:
		require.NotEqual(t, 204, n)
	case <-time.After(10 * time.Second):
		t.Fatal("the request goes on")
	}
}

func (s *started) held(stream uint32) int {
	st := s.pool.all()[0].streamOf(stream)
	st.mu.Lock()
	defer st.mu.Unlock()
	return (bodyPieces - len(st.pieces)) * bodyPiece
}

// counted counts what goes through it.
type counted struct{ n atomic.Int64 }

func (c *counted) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}
