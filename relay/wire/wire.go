// Package wire is the vocabulary between a relay and the browser tabs behind it: binary frames, one in
// a WebSocket message. docs/relay.md tells the whole story; relay/js/wire.js is the other end.
//
// A frame is a kind (1 byte), flags (1 byte), the number of a stream (4 bytes, big endian, 0 for what
// concerns the connection) and a payload up to the end of the message.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Protocol is the WebSocket subprotocol. Its number rises when a frame changes its meaning.
const Protocol = "kolibri-relay.1"

// Version is the number in Protocol.
const Version = 1

const (
	// HeaderSize is what comes before the payload.
	HeaderSize = 6
	// MaxPart is how many bytes of a body go into one frame.
	MaxPart = 64 << 10
	// MaxHead is how long the head of a request or of an answer may be, as JSON.
	MaxHead = 192 << 10
	// MaxFrame bounds a message: a head with a first part of the body.
	MaxFrame = HeaderSize + 4 + MaxHead + MaxPart
	// InitialWindow is how many bytes of one body may be under way before the receiver gives room for
	// more.
	InitialWindow = 512 << 10
	// MaxWindow bounds what a receiver may have given at any time.
	MaxWindow = 1 << 30
)

// Kind says what a frame is.
type Kind byte

// The kinds. R is the relay, T the tab.
const (
	Hello    Kind = 1  // R>T JSON Greeting: first on a connection
	Join     Kind = 2  // T>R JSON Application
	Welcome  Kind = 3  // R>T JSON Admission
	Ping     Kind = 4  // both: to be answered by Pong with the same payload, at most 64 bytes
	Pong     Kind = 5  // both
	GoAway   Kind = 6  // both, UTF-8 reason: no new streams; what is open goes on
	Apps     Kind = 7  // R>T JSON: the deployed apps have changed (runtimes only)
	Request  Kind = 16 // R>T head and first part of the body
	Response Kind = 17 // T>R head and first part of the body
	Data     Kind = 18 // both: the next part of the body
	Window   Kind = 19 // both, 4 bytes: room for so many bytes more
	Reset    Kind = 20 // both, 2 bytes code and UTF-8 reason: the stream is over
)

// End is the flag of a Request, Response or Data frame after which no part of the body follows.
const End byte = 1

// Why a stream was reset.
const (
	ResetCancelled uint16 = 1 // the other side is no longer interested
	ResetDeadline  uint16 = 2 // out of time
	ResetFailed    uint16 = 3 // it could not be done
	ResetRefused   uint16 = 4 // it was not begun, and may be sent elsewhere
)

// Close codes of the WebSocket, in the range that is free for applications.
const (
	CloseProtocol  = 4400 // a frame that makes no sense
	CloseForbidden = 4401 // a wrong or used code
	CloseReplaced  = 4409 // the same session joined again
	CloseStopped   = 4410 // the relay stops, or the person stopped sharing
	CloseBusy      = 4429 // too many wrong codes: wait
	CloseTimeout   = 4408 // no sign of life
)

// Frame is one message.
type Frame struct {
	Kind    Kind
	Flags   byte
	Stream  uint32
	Payload []byte
}

// ErrMalformed is what every refusal of a frame wraps.
var ErrMalformed = errors.New("malformed frame")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

// Decode takes a message apart. The payload is a part of it, not a copy.
func Decode(message []byte) (Frame, error) {
	if len(message) < HeaderSize {
		return Frame{}, malformed("%d bytes", len(message))
	}
	if len(message) > MaxFrame {
		return Frame{}, malformed("%d bytes are more than %d", len(message), MaxFrame)
	}
	f := Frame{Kind: Kind(message[0]), Flags: message[1], Stream: binary.BigEndian.Uint32(message[2:]), Payload: message[HeaderSize:]}
	return f, f.check()
}

func (f Frame) check() error {
	ofStream := false
	switch f.Kind {
	case Hello, Join, Welcome, Ping, Pong, GoAway, Apps:
	case Request, Response, Data:
		ofStream = true
	case Window:
		ofStream = true
		if len(f.Payload) != 4 {
			return malformed("a window of %d bytes", len(f.Payload))
		}
	case Reset:
		ofStream = true
		if len(f.Payload) < 2 {
			return malformed("a reset without a code")
		}
	default:
		return malformed("kind %d", f.Kind)
	}
	switch {
	case ofStream != (f.Stream != 0):
		return malformed("kind %d on stream %d", f.Kind, f.Stream)
	case f.Flags&^End != 0:
		return malformed("flags %d", f.Flags)
	case f.Flags == End && f.Kind != Request && f.Kind != Response && f.Kind != Data:
		return malformed("an end of kind %d", f.Kind)
	case f.Kind == Data && len(f.Payload) > MaxPart:
		return malformed("a part of %d bytes", len(f.Payload))
	case f.Kind == Data && len(f.Payload) == 0 && f.Flags != End:
		return malformed("a part of no bytes")
	case (f.Kind == Ping || f.Kind == Pong) && len(f.Payload) > 64:
		return malformed("a ping of %d bytes", len(f.Payload))
	}
	return nil
}

// Append writes a frame behind dst.
func (f Frame) Append(dst []byte) []byte {
	dst = append(dst, byte(f.Kind), f.Flags)
	dst = binary.BigEndian.AppendUint32(dst, f.Stream)
	return append(dst, f.Payload...)
}

// Room makes a Window frame.
func Room(stream uint32, n int) Frame {
	return Frame{Kind: Window, Stream: stream, Payload: binary.BigEndian.AppendUint32(nil, uint32(n))}
}

// RoomOf reads a Window frame.
func RoomOf(f Frame) int { return int(binary.BigEndian.Uint32(f.Payload)) }

// Stop makes a Reset frame.
func Stop(stream uint32, code uint16, reason string) Frame {
	return Frame{Kind: Reset, Stream: stream, Payload: append(binary.BigEndian.AppendUint16(nil, code), reason...)}
}

// StopOf reads a Reset frame. The reason is what the other side says: for a log, not for a header.
func StopOf(f Frame) (code uint16, reason string) {
	return binary.BigEndian.Uint16(f.Payload), string(f.Payload[2:])
}
