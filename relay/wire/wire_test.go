package wire

import (
	"encoding/binary"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFramesComeBack(t *testing.T) {
	head := RequestHead{Method: "GET", URL: "http://a/b?c", Headers: Headers{{"A", "1"}, {"A", "ü"}}, From: "192.0.2.1:5", Timeout: 7}
	f, err := WithHead(Request, 7, head, []byte("body"), true)
	require.NoError(t, err)
	back, err := Decode(f.Append(nil))
	require.NoError(t, err)
	require.Equal(t, f, back)
	read, body, err := ReadRequest(back)
	require.NoError(t, err)
	require.Equal(t, head, read)
	require.Equal(t, "body", string(body))
	require.Equal(t, 99, RoomOf(Room(3, 99)))
	code, reason := StopOf(Stop(3, ResetFailed, "why"))
	require.Equal(t, ResetFailed, code)
	require.Equal(t, "why", reason)
}

func TestMalformedFrames(t *testing.T) {
	frame := func(f Frame) []byte { return f.Append(nil) }
	for name, message := range map[string][]byte{
		"nothing":                 {},
		"short":                   {1, 0, 0, 0, 0},
		"unknown kind":            frame(Frame{Kind: 99}),
		"kind zero":               frame(Frame{}),
		"request without stream":  frame(Frame{Kind: Request}),
		"ping on a stream":        frame(Frame{Kind: Ping, Stream: 1}),
		"unknown flag":            frame(Frame{Kind: Data, Stream: 1, Flags: 2, Payload: []byte{1}}),
		"end of a window":         frame(Frame{Kind: Window, Stream: 1, Flags: End, Payload: make([]byte, 4)}),
		"window of three bytes":   frame(Frame{Kind: Window, Stream: 1, Payload: make([]byte, 3)}),
		"reset without a code":    frame(Frame{Kind: Reset, Stream: 1, Payload: []byte{1}}),
		"empty part":              frame(Frame{Kind: Data, Stream: 1}),
		"oversized part":          frame(Frame{Kind: Data, Stream: 1, Payload: make([]byte, MaxPart+1)}),
		"oversized ping":          frame(Frame{Kind: Ping, Payload: make([]byte, 65)}),
		"longer than any message": make([]byte, MaxFrame+1),
	} {
		_, err := Decode(message)
		require.ErrorIs(t, err, ErrMalformed, name)
	}
}

func TestHeadsThatCannotStandInHTTP(t *testing.T) {
	payload := func(text string, n int) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(n)), text...)
	}
	for name, p := range map[string][]byte{
		"no length":        {1},
		"length too large": payload("{}", 3),
		"length huge":      payload("{}", 1<<31),
		"no JSON":          payload("{", 1),
		"status 100":       payload(`{"status":100}`, 14),
		"status 600":       payload(`{"status":600}`, 14),
		"split header":     jsonHead(t, Headers{{"A", "1\r\nSet-Cookie: x=y"}}),
		"newline in name":  jsonHead(t, Headers{{"A\r\nB", "1"}}),
		"space in name":    jsonHead(t, Headers{{"A ", "1"}}),
		"empty name":       jsonHead(t, Headers{{"", "1"}}),
		"zero byte":        jsonHead(t, Headers{{"A", "\x00"}}),
		"no byte":          jsonHead(t, Headers{{"A", "€"}}),
		"too many":         jsonHead(t, make(Headers, maxPairs+1)),
	} {
		_, _, err := ReadResponse(Frame{Kind: Response, Stream: 1, Payload: p})
		require.ErrorIs(t, err, ErrMalformed, name)
	}
	_, err := WithHead(Response, 1, ResponseHead{Status: 200, Headers: Headers{{"A", strings.Repeat("x", MaxHead)}}}, nil, true)
	require.ErrorIs(t, err, ErrMalformed)
}

func jsonHead(t *testing.T, h Headers) []byte {
	f, err := WithHead(Response, 1, ResponseHead{Status: 200, Headers: h}, nil, true)
	require.NoError(t, err)
	return f.Payload
}

func TestHeadersOfConnectionsAreNotPassedOn(t *testing.T) {
	given := http.Header{
		"Connection": {"X-Secret, close", "Upgrade"}, "Upgrade": {"websocket"}, "Transfer-Encoding": {"chunked"}, "Te": {"trailers"},
		"Keep-Alive": {"1"}, "X-Secret": {"s"}, "Cookie": {"a=1", "b=2"}, "X-Latin": {"caf\xe9"},
	}
	list := FromHTTP(given)
	require.ElementsMatch(t, Headers{{"Cookie", "a=1"}, {"Cookie", "b=2"}, {"X-Latin", "café"}}, list)
	back := http.Header{}
	list.Into(back)
	require.Equal(t, http.Header{"Cookie": {"a=1", "b=2"}, "X-Latin": {"caf\xe9"}}, back)
	sent := http.Header{}
	Headers{{"connection", "X-Private"}, {"transfer-encoding", "chunked"}, {"x-private", "1"}, {"Set-Cookie", "a=1"}, {"set-cookie", "b=2"}}.Into(sent)
	require.Equal(t, http.Header{"Set-Cookie": {"a=1", "b=2"}}, sent)
}

// What comes from a tab may be anything.
func FuzzDecode(f *testing.F) {
	for _, kind := range []Kind{Hello, Join, Ping, GoAway, Window, Reset, Data} {
		f.Add(Frame{Kind: kind, Stream: 1, Payload: []byte{0, 0, 0, 1}}.Append(nil))
		f.Add(Frame{Kind: kind, Payload: []byte("{}")}.Append(nil))
	}
	head, _ := WithHead(Response, 5, ResponseHead{Status: 200, Headers: Headers{{"A", "b"}}}, []byte("x"), true)
	f.Add(head.Append(nil))
	f.Fuzz(func(t *testing.T, message []byte) {
		frame, err := Decode(message)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		require.Equal(t, message, frame.Append(nil))
		switch frame.Kind {
		case Response:
			if head, body, err := ReadResponse(frame); err == nil {
				require.LessOrEqual(t, len(body), MaxPart)
				header := http.Header{}
				head.Headers.Into(header)
				var out strings.Builder
				require.NoError(t, header.Write(&out))
				require.LessOrEqual(t, strings.Count(out.String(), "\r\n"), len(head.Headers), "no value makes a line of its own")
			}
		case Request:
			_, _, _ = ReadRequest(frame)
		case Window:
			require.GreaterOrEqual(t, RoomOf(frame), 0)
		case Reset:
			StopOf(frame)
		}
	})
}
