package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"kolibri/relay/wire"
)

// stream is one request that a tab answers. The tab's reader feeds it and never waits; the goroutine
// that serves the client takes from it.
type stream struct {
	tab  *tab
	id   uint32
	wake chan struct{} // something below has changed

	mu      sync.Mutex
	head    *wire.ResponseHead
	parts   [][]byte
	size    int   // bytes in parts
	granted int   // bytes that the tab may still send
	ended   bool  // no part follows
	err     error // why it broke off
	room    int   // bytes that the tab has room for
	roomier chan struct{}
	closed  bool          // nobody takes any more
	pieces  chan []byte   // free buffers of a body that comes by a request of the tab, see bodies.go
	done    chan struct{} // closed when nobody takes any more, or it broke off
	givenUp bool          // by the tab
}

// lostError is the end of a stream whose tab has gone; the request may be sent to another.
type lostError struct{ cause error }

func (e *lostError) Error() string { return "the tab has gone: " + e.cause.Error() }
func (e *lostError) Unwrap() error { return e.cause }

// resetError is the end of a stream that the tab gave up.
type resetError struct {
	code   uint16
	reason string
}

func (e *resetError) Error() string {
	return fmt.Sprintf("the tab gave up (%d): %.200q", e.code, e.reason)
}

func newStream(t *tab, id uint32) *stream {
	return &stream{tab: t, id: id, wake: make(chan struct{}, 1), roomier: make(chan struct{}, 1), done: make(chan struct{}),
		granted: wire.InitialWindow, room: wire.InitialWindow}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// receive takes up a frame of the tab. An error is a breach of the protocol.
func (s *stream) receive(f wire.Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer poke(s.wake)
	switch f.Kind {
	case wire.Response:
		if s.head != nil {
			return errors.New("two answers to one request")
		}
		head, body, err := wire.ReadResponse(f)
		if err != nil {
			return err
		}
		s.head = &head
		if s.pieces != nil && len(body) == 0 && f.Flags != wire.End {
			return nil // the body comes by a request, which can be quicker than the head
		}
		return s.part(body, f.Flags == wire.End)
	case wire.Data:
		if s.head == nil {
			return errors.New("a body before its head")
		}
		return s.part(f.Payload, f.Flags == wire.End)
	case wire.Window:
		if s.room += wire.RoomOf(f); s.room > wire.MaxWindow {
			return errors.New("more room than there is")
		}
		poke(s.roomier)
	case wire.Reset:
		code, reason := wire.StopOf(f)
		s.givenUp = true
		s.breakOff(&resetError{code, reason})
	default:
		return fmt.Errorf("a frame of kind %d from a tab", f.Kind)
	}
	return nil
}

func (s *stream) part(body []byte, last bool) error {
	if s.ended {
		return errors.New("a body goes on after its end")
	}
	if s.pieces != nil && (last || len(body) > 0) {
		return errors.New("a body comes by two ways")
	}
	if s.granted -= len(body); s.granted < 0 {
		return errors.New("more bytes than there was room for")
	}
	if len(body) > 0 && !s.closed {
		s.parts = append(s.parts, body)
		s.size += len(body)
	}
	s.ended = last
	return nil
}

// fail breaks the stream off.
func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.breakOff(err)
	poke(s.wake)
}

func (s *stream) breakOff(err error) {
	if s.err == nil {
		s.err = err
	}
	s.over()
	poke(s.roomier)
}

func (s *stream) over() {
	select {
	case <-s.done:
	default:
		close(s.done)
	}
}

// awaitHead returns the head of the answer.
func (s *stream) awaitHead(ctx context.Context) (*wire.ResponseHead, error) {
	for {
		s.mu.Lock()
		head, err := s.head, s.err
		s.mu.Unlock()
		if head != nil {
			return head, nil
		}
		if err != nil {
			return nil, err
		}
		if err := s.await(ctx, s.wake); err != nil {
			return nil, err
		}
	}
}

func (s *stream) await(ctx context.Context, c chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// next returns the next part of the answer's body, io.EOF at its end. Before it waits for one, it calls idle.
func (s *stream) next(ctx context.Context, idle func()) (part []byte, err error) {
	for {
		s.mu.Lock()
		switch {
		case len(s.parts) > 0:
			part, s.parts = s.parts[0], s.parts[1:]
			s.size -= len(part)
			s.mu.Unlock()
			return part, nil
		case s.ended:
			s.mu.Unlock()
			return nil, io.EOF
		case s.err != nil:
			err = s.err
			s.mu.Unlock()
			return nil, err
		}
		s.mu.Unlock()
		idle()
		if err := s.await(ctx, s.wake); err != nil {
			return nil, err
		}
	}
}

// taken gives the tab room for what the client has taken meanwhile, in steps that are worth a frame.
// part is what next returned, which is not used any more.
func (s *stream) taken(part []byte) error {
	s.mu.Lock()
	if s.pieces != nil {
		s.mu.Unlock()
		if cap(part) >= bodyPiece { // not the first part, which can come with the head
			s.pieces <- part[:bodyPiece]
		}
		return nil
	}
	underWay := s.granted + s.size
	give := 0
	if s.err == nil && !s.ended && wire.InitialWindow-underWay >= wire.InitialWindow/4 {
		give = wire.InitialWindow - underWay
		s.granted += give
	}
	s.mu.Unlock()
	if give == 0 {
		return nil
	}
	return s.tab.send(wire.Room(s.id, give))
}

// upload sends the request's body as far as the tab has room, and tells of each part that has gone.
func (s *stream) upload(ctx context.Context, body io.Reader, gone func()) error {
	buffer := make([]byte, wire.MaxPart)
	for {
		n, err := s.claim(ctx, len(buffer))
		if err != nil {
			return err
		}
		read, readErr := body.Read(buffer[:n])
		s.giveBack(n - read)
		if readErr != nil && readErr != io.EOF {
			return readErr
		}
		f := wire.Frame{Kind: wire.Data, Stream: s.id, Payload: buffer[:read]}
		if readErr == io.EOF {
			f.Flags = wire.End
		} else if read == 0 {
			continue
		}
		if err := s.tab.send(f); err != nil {
			return err
		}
		gone()
		if readErr == io.EOF {
			return nil
		}
	}
}

// claim waits for room.
func (s *stream) claim(ctx context.Context, most int) (int, error) {
	for {
		s.mu.Lock()
		if s.err != nil || s.ended {
			s.mu.Unlock()
			return 0, errAnswered
		}
		if n := min(s.room, most); n > 0 {
			s.room -= n
			s.mu.Unlock()
			return n, nil
		}
		s.mu.Unlock()
		if err := s.await(ctx, s.roomier); err != nil {
			return 0, err
		}
	}
}

var errAnswered = errors.New("the request's body is no longer wanted")

func (s *stream) giveBack(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room += n
}

// close forgets the stream. A tab that is still at it is told to stop.
func (s *stream) close(code uint16, reason string) {
	s.mu.Lock()
	finished := s.ended || s.givenUp
	s.closed, s.parts, s.size = true, nil, 0
	s.over()
	s.mu.Unlock()
	if s.tab.forget(s) && !finished {
		_ = s.tab.send(wire.Stop(s.id, code, reason))
	}
}
