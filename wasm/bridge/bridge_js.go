// Package bridge turns the messages of the worker's JavaScript into HTTP requests, and a handler's
// answers into messages. docs/protocol.md describes the other half; worker/server.js is the
// counterpart.
package bridge

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall/js"
	"time"
)

// Bridge serves one handler. Its hooks are called from JavaScript's event loop and so never block: a request starts a
// goroutine, everything else appends to a queue or wakes a waiter.
type Bridge struct {
	handler http.Handler
	calls   calls

	mu        sync.Mutex
	exchanges map[int]*exchange
}

// calls are the functions that worker/server.js gives to Go. They are looked up once because
// js.Value.Invoke costs a tenth of js.Value.Call.
type calls struct {
	respond  js.Value // (id, status, headers, body|null): a whole answer
	head     js.Value // (id, status, headers): an answer whose body follows
	data     js.Value // (id, bytes)
	end      js.Value // (id)
	abort    js.Value // (id, message): the answer breaks off
	consumed js.Value // (id, bytes): so much of the request's body has been read
}

// exchange is one request with its answer.
type exchange struct {
	cancel context.CancelCauseFunc
	body   *requestBody // nil when the request came whole
	credit *credit
}

// errClientGone is the cause of a request's context once its client has given it up.
var errClientGone = errors.New("the client has given up the request")

// New makes a bridge to the functions that worker/server.js puts on the object host.
func New(handler http.Handler, host js.Value) *Bridge {
	return &Bridge{
		handler: handler,
		calls: calls{
			respond:  host.Get("respond"),
			head:     host.Get("head"),
			data:     host.Get("data"),
			end:      host.Get("end"),
			abort:    host.Get("abort"),
			consumed: host.Get("consumed"),
		},
		exchanges: map[int]*exchange{},
	}
}

// Hooks returns the object that JavaScript drives the bridge with. Its functions live as long as
// the program.
func (b *Bridge) Hooks() js.Value {
	hooks := js.Global().Get("Object").New()
	on := func(name string, fn func(args []js.Value)) {
		hooks.Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any {
			fn(args)
			return nil
		}))
	}
	// request(id, method, url, headers, body|null, streams, timeout in ms or 0, from)
	on("request", b.request)
	// chunk(id, bytes|null): the next part of a streamed body, null at its end
	on("chunk", func(args []js.Value) {
		if x := b.exchange(args[0].Int()); x != nil && x.body != nil {
			x.body.push(args[1])
		}
	})
	// credit(id, bytes): the client has room for so much more
	on("credit", func(args []js.Value) {
		if x := b.exchange(args[0].Int()); x != nil {
			x.credit.add(args[1].Int())
		}
	})
	// cancel(id)
	on("cancel", func(args []js.Value) {
		if x := b.exchange(args[0].Int()); x != nil {
			x.cancel(errClientGone)
		}
	})
	return hooks
}

func (b *Bridge) exchange(id int) *exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.exchanges[id]
}

// request registers the exchange before it returns, so that a chunk or a cancel that follows finds it.
func (b *Bridge) request(args []js.Value) {
	id, streams, timeout := args[0].Int(), args[5].Bool(), args[6].Int()
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := func() { cancel(nil) }
	if timeout > 0 {
		var release context.CancelFunc
		ctx, release = context.WithTimeout(ctx, time.Duration(timeout)*time.Millisecond)
		stop = func() { release(); cancel(nil) }
	}
	x := &exchange{cancel: cancel, credit: newCredit(initialCredit)}
	if streams {
		x.body = newRequestBody(ctx, func(n int) { b.calls.consumed.Invoke(id, n) })
	}
	b.mu.Lock()
	b.exchanges[id] = x
	b.mu.Unlock()
	go func() {
		defer stop()
		defer func() {
			b.mu.Lock()
			delete(b.exchanges, id)
			b.mu.Unlock()
		}()
		b.serve(ctx, id, x, head{args[1].String(), args[2].String(), args[3].String(), args[7].String()}, args[4])
	}()
}

// serve runs the handler. Whatever the handler does, the client gets an answer or a broken stream,
// and the program lives on.
func (b *Bridge) serve(ctx context.Context, id int, x *exchange, h head, whole js.Value) {
	w := &responseWriter{calls: &b.calls, id: id, ctx: ctx, credit: x.credit, isHead: h.method == http.MethodHead}
	defer func() {
		cause := recover()
		if cause == nil {
			w.finish()
			return
		}
		if cause != http.ErrAbortHandler {
			logPanic(cause, h.method, h.address)
		}
		w.fail()
	}()
	r, err := newRequest(ctx, h)
	if err != nil {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	switch {
	case x.body != nil:
		r.Body = x.body
		if r.ContentLength == 0 {
			r.ContentLength = -1
		}
	case !whole.IsNull():
		bytes := make([]byte, whole.Get("length").Int())
		js.CopyBytesToGo(bytes, whole)
		r.Body, r.ContentLength = wholeBody(bytes), int64(len(bytes))
	default:
		r.Body, r.ContentLength = http.NoBody, 0
	}
	b.handler.ServeHTTP(w, r)
}

func logPanic(cause any, method, address string) {
	text := "panic"
	switch v := cause.(type) {
	case error:
		text = v.Error()
	case string:
		text = v
	}
	js.Global().Get("console").Call("error", "kolibri: "+method+" "+address+": "+text+"\n"+string(debug.Stack()))
}

// OwnPage is the RemoteAddr of requests by pages of this origin. Others come through a relay, from
// clients of whom nothing is known but the address.
const OwnPage = "127.0.0.1:0"

// head is what JavaScript tells of a request. from is empty for OwnPage.
type head struct{ method, address, headers, from string }

// newRequest makes the request that net/http's server would have made of it.
func newRequest(ctx context.Context, h head) (*http.Request, error) {
	u, err := url.Parse(h.address)
	if err != nil {
		return nil, err
	}
	r := (&http.Request{
		Method: h.method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: parseHeaders(h.headers), Host: u.Host, RemoteAddr: OwnPage,
	}).WithContext(ctx)
	if h.from == OwnPage {
		h.from = "[::]:0" // a relay may lie
	}
	if h.from != "" {
		r.RemoteAddr = h.from
	}
	u.Scheme, u.Host, u.Fragment = "", "", ""
	r.URL, r.RequestURI = u, u.RequestURI()
	if n, err := strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64); err == nil && n > 0 {
		r.ContentLength = n
	}
	return r, nil
}

// parseHeaders reads "name: value" lines, as worker/server.js writes them.
func parseHeaders(text string) http.Header {
	header := make(http.Header, 8)
	for line := range strings.SplitSeq(text, "\r\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			key := textproto.CanonicalMIMEHeaderKey(name)
			header[key] = append(header[key], value)
		}
	}
	return header
}

// wholeBody is the body of a request that came in one message.
func wholeBody(bytes []byte) io.ReadCloser { return &sliceBody{rest: bytes} }

type sliceBody struct{ rest []byte }

func (s *sliceBody) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *sliceBody) Close() error { return nil }
