package relay

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"kolibri/relay/wire"
)

const testCode = "SCHOOLCODE"

// started is a relay behind a real port.
type started struct {
	*Relay
	url string
}

func start(t testing.TB, change ...func(*Config)) *started {
	t.Helper()
	cfg := Config{Code: testCode, Timeout: 20 * time.Second, Stall: 20 * time.Second, Expect: 300 * time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	r, err := New(cfg)
	require.NoError(t, err)
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		r.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return &started{r, server.URL}
}

// get asks the relay as a visitor.
func (s *started) get(t *testing.T, at string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+at, nil)
	require.NoError(t, err)
	return send(t, request)
}

func send(t *testing.T, request *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return answer, "broken off: " + string(body)
	}
	return answer, string(body)
}

// browser speaks for a tab, well or badly.
type browser struct {
	t    testing.TB
	conn *websocket.Conn
}

// dial connects without joining.
func (s *started) dial(t testing.TB) *browser {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(s.url, "http", "ws", 1)+Own+"tab",
		&websocket.DialOptions{Subprotocols: []string{wire.Protocol}})
	require.NoError(t, err)
	conn.SetReadLimit(wire.MaxFrame)
	b := &browser{t, conn}
	t.Cleanup(func() { conn.CloseNow() })
	return b
}

// join makes a tab that takes part.
func (s *started) join(t testing.TB, change ...func(*wire.Application)) *browser {
	t.Helper()
	b := s.dial(t)
	require.NoError(t, b.apply(testCode, change...))
	require.Equal(t, wire.Welcome, b.read().Kind)
	require.Eventually(t, func() bool { return len(s.pool.all()) > 0 }, time.Minute, time.Millisecond)
	return b
}

func (b *browser) apply(code string, change ...func(*wire.Application)) error {
	hello := b.read()
	require.Equal(b.t, wire.Hello, hello.Kind)
	var greeting wire.Greeting
	require.NoError(b.t, json.Unmarshal(hello.Payload, &greeting))
	a := wire.Application{Version: wire.Version, Kind: wire.KindKolibri, Proof: prove([]byte(code), greeting.Nonce)}
	for _, c := range change {
		c(&a)
	}
	payload, err := json.Marshal(a)
	require.NoError(b.t, err)
	return b.write(wire.Frame{Kind: wire.Join, Payload: payload})
}

func (b *browser) write(f wire.Frame) error {
	return b.conn.Write(b.t.Context(), websocket.MessageBinary, f.Append(nil))
}

func (b *browser) read() wire.Frame {
	b.t.Helper()
	f, err := b.tryRead()
	require.NoError(b.t, err)
	return f
}

// tryRead returns the next frame that is no ping.
func (b *browser) tryRead() (wire.Frame, error) {
	for {
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
		_, message, err := b.conn.Read(ctx)
		cancel()
		if err != nil {
			return wire.Frame{}, err
		}
		f, err := wire.Decode(message)
		if err != nil || f.Kind != wire.Ping {
			return f, err
		}
	}
}

func (b *browser) request() (wire.Frame, wire.RequestHead) {
	b.t.Helper()
	f := b.read()
	require.Equal(b.t, wire.Request, f.Kind)
	head, _, err := wire.ReadRequest(f)
	require.NoError(b.t, err)
	return f, head
}

func (b *browser) respond(stream uint32, status int, headers wire.Headers, body string, end bool) {
	b.t.Helper()
	f, err := wire.WithHead(wire.Response, stream, wire.ResponseHead{Status: status, Headers: headers}, []byte(body), end)
	require.NoError(b.t, err)
	require.NoError(b.t, b.write(f))
}

// serve answers every request with its address.
func (b *browser) serve() {
	go func() {
		for {
			f, err := b.tryRead()
			if err != nil {
				return
			}
			if f.Kind != wire.Request {
				continue
			}
			head, _, err := wire.ReadRequest(f)
			if err != nil {
				return
			}
			answer, _ := wire.WithHead(wire.Response, f.Stream, wire.ResponseHead{Status: 200}, []byte(head.URL), true)
			if b.write(answer) != nil {
				return
			}
		}
	}()
}
