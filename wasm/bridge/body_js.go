package bridge

import (
	"context"
	"io"
	"sync"
	"syscall/js"
)

// requestBody is the body of a request that comes in parts. The client may have only so many bytes
// under way (docs/protocol.md, "Credit"): what Read takes is reported, so that more is sent.
type requestBody struct {
	ctx      context.Context
	consumed func(bytes int)
	wake     chan struct{}

	mu     sync.Mutex
	parts  []js.Value
	closed bool

	rest []byte // read by one goroutine only
}

func newRequestBody(ctx context.Context, consumed func(int)) *requestBody {
	return &requestBody{ctx: ctx, consumed: consumed, wake: make(chan struct{}, 1)}
}

// push appends a Uint8Array, or with null ends the body. It never blocks.
func (b *requestBody) push(part js.Value) {
	b.mu.Lock()
	if part.IsNull() {
		b.closed = true
	} else {
		b.parts = append(b.parts, part)
	}
	b.mu.Unlock()
	notify(b.wake)
}

// Read implements io.Reader. It fails with the context's cause when the client gave up.
func (b *requestBody) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		part, ended := b.next()
		if ended {
			return 0, io.EOF
		}
		if part.IsUndefined() {
			select {
			case <-b.wake:
			case <-b.ctx.Done():
				return 0, context.Cause(b.ctx)
			}
			continue
		}
		b.rest = make([]byte, part.Get("length").Int())
		js.CopyBytesToGo(b.rest, part)
		b.consumed(len(b.rest))
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// next takes the first waiting part, undefined when there is none.
func (b *requestBody) next() (part js.Value, ended bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.parts) == 0 {
		return js.Undefined(), b.closed
	}
	part = b.parts[0]
	b.parts = b.parts[1:]
	return part, false
}

// Close implements io.Closer.
func (b *requestBody) Close() error { return nil }

func notify(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
