package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"kolibri/relay/wire"
)

const (
	// pingEvery is how often a silent tab is asked for a sign of life, and deadAfter when it counts
	// as gone.
	pingEvery = 4 * time.Second
	deadAfter = 15 * time.Second
	// writeTimeout is how long a tab may take nothing at all.
	writeTimeout = 20 * time.Second
)

// tab is the connection to one browser tab.
type tab struct {
	joined  wire.Application
	session string
	nonce   string // of this connection
	remote  string // the address it came from
	conn    *websocket.Conn
	since   time.Time

	onEnd    func(error)
	heard    atomic.Int64 // when it last sent something, nanoseconds since 1970
	served   atomic.Int64
	received atomic.Int64 // bytes of bodies

	mu       sync.Mutex
	streams  map[uint32]*stream
	last     uint32
	leaving  bool // no new streams
	err      error
	lastPick time.Time
}

func newTab(conn *websocket.Conn, joined wire.Application, session, nonce, remote string, now time.Time) *tab {
	t := &tab{joined: joined, session: session, nonce: nonce, remote: remote, conn: conn, since: now,
		onEnd: func(error) {}, streams: map[uint32]*stream{}}
	t.heard.Store(now.UnixNano())
	return t
}

// errLeaving is also why a tab that has just gone was not asked: nothing was sent, whatever the request.
var errLeaving = errors.New("the tab takes no more requests")

// open begins a stream.
func (t *tab) open() (*stream, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil || t.leaving || t.last >= 1<<31 {
		return nil, errLeaving
	}
	t.last++
	s := newStream(t, t.last)
	t.streams[s.id] = s
	return s, nil
}

// forget tells whether the stream was still known and the connection stands.
func (t *tab) forget(s *stream) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, known := t.streams[s.id]
	delete(t.streams, s.id)
	return known && t.err == nil
}

func (t *tab) load() (streams int, last time.Time, open bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.streams), t.lastPick, !t.leaving && t.err == nil
}

// send writes one frame. A tab that does not take it in time is gone.
func (t *tab) send(f wire.Frame) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	err := t.conn.Write(ctx, websocket.MessageBinary, f.Append(make([]byte, 0, wire.HeaderSize+len(f.Payload))))
	if err != nil {
		err = &lostError{err}
		t.end(err)
	}
	return err
}

// end marks the tab as gone and breaks its streams off.
func (t *tab) end(err error) {
	t.mu.Lock()
	if t.err != nil {
		t.mu.Unlock()
		return
	}
	t.err = err
	streams := t.streams
	t.streams = map[uint32]*stream{}
	t.mu.Unlock()
	t.onEnd(err) // first: what is sent again must not come here
	for _, s := range streams {
		s.fail(&lostError{err})
	}
}

// leave lets no new streams begin.
func (t *tab) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaving = true
}

// run reads until the connection ends. Whatever the tab sends, the relay does not wait for anybody
// here: parts are bounded by the room that was given.
func (t *tab) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go t.watch(ctx)
	err := t.read(ctx)
	t.end(err)
	if broken := (*breach)(nil); errors.As(err, &broken) {
		t.conn.Close(wire.CloseProtocol, shortened(err.Error()))
	}
	return err
}

func (t *tab) read(ctx context.Context) error {
	buffer := make([]byte, wire.MaxFrame+1)
	for {
		kind, reader, err := t.conn.Reader(ctx)
		if err != nil {
			return err
		}
		n, err := io.ReadFull(reader, buffer)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		t.heard.Store(time.Now().UnixNano())
		if kind != websocket.MessageBinary {
			return &breach{errors.New("a message of text")}
		}
		f, err := wire.Decode(bytes.Clone(buffer[:n]))
		if err == nil {
			err = t.receive(f)
		}
		if err != nil {
			return &breach{err}
		}
	}
}

func (t *tab) receive(f wire.Frame) error {
	switch f.Kind {
	case wire.Ping:
		return t.send(wire.Frame{Kind: wire.Pong, Payload: f.Payload})
	case wire.Pong:
		return nil
	case wire.GoAway:
		t.leave()
		return nil
	}
	if f.Stream == 0 {
		return errors.New("a frame that only a relay sends")
	}
	t.mu.Lock()
	s, last := t.streams[f.Stream], t.last
	t.mu.Unlock()
	if s == nil {
		if f.Stream > last {
			return errors.New("a stream that was never opened")
		}
		return nil // it was given up meanwhile
	}
	if f.Kind == wire.Data || f.Kind == wire.Response {
		t.received.Add(int64(len(f.Payload)))
	}
	return s.receive(f)
}

// breach is what a tab did that does not keep to the protocol.
type breach struct{ what error }

func (b *breach) Error() string { return b.what.Error() }

// watch asks a silent tab for a sign of life. A browser answers WebSocket's own pings even when the
// page behind them stands still, so these are frames.
func (t *tab) watch(ctx context.Context) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			silent := now.Sub(time.Unix(0, t.heard.Load()))
			if silent > deadAfter {
				t.end(errors.New("it gave no sign of life"))
				t.conn.Close(wire.CloseTimeout, "no sign of life")
				return
			}
			if silent >= pingEvery/2 && t.send(wire.Frame{Kind: wire.Ping}) != nil {
				return
			}
		}
	}
}

// stands tells whether the tab has been silent for longer than a ping takes.
func (t *tab) stalls(now time.Time) bool {
	return now.Sub(time.Unix(0, t.heard.Load())) > 2*pingEvery
}

// ask opens a stream with a request. whole says that body is all there is of the body.
func (t *tab) ask(head wire.RequestHead, body []byte, whole bool) (*stream, error) {
	s, err := t.open()
	if err != nil {
		return nil, err
	}
	f, err := wire.WithHead(wire.Request, s.id, head, body, whole)
	if err != nil {
		t.forget(s)
		return nil, err
	}
	s.room -= len(body)
	if err := t.send(f); err != nil {
		return nil, err
	}
	t.served.Add(1)
	return s, nil
}

// comesBack tells whether a tab whose connection ended like this will try again by itself: not when its
// person stopped sharing, and not after a breach (relay/js/link.js: FINAL).
func comesBack(err error) bool {
	var broken *breach
	return websocket.CloseStatus(err) != wire.CloseStopped && !errors.As(err, &broken)
}

// shortened fits a reason into a close frame, which has 123 bytes for it.
func shortened(text string) string {
	if len(text) > 120 {
		return text[:120]
	}
	return text
}

// repeatable methods change nothing, so that they may be sent again when a tab has gone.
func repeatable(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
