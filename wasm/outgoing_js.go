package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall/js"

	"kolibri/store/tab"
	"kolibri/wasm/bridge"
)

// outgoing sends requests by the browser's fetch.
type outgoing struct{}

// Do implements api.Outgoing. The body of the answer comes as it arrives; closing it early ends the
// transfer.
func (outgoing) Do(r *http.Request) (*http.Response, error) {
	abort := js.Global().Get("AbortController").New()
	init := map[string]any{"method": r.Method, "redirect": "follow", "credentials": "omit", "signal": abort.Get("signal"),
		// a host that says nothing of caching would have a channel's former edition taken for the newest
		"cache": "no-store"}
	headers := js.Global().Get("Headers").New()
	for name, values := range r.Header {
		if name == "User-Agent" {
			continue // the browser's own
		}
		for _, v := range values {
			headers.Call("append", name, v)
		}
	}
	init["headers"] = headers
	if r.Body != nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		init["body"] = bridge.ToJS(body)
	}
	address := r.URL.String()
	through := js.Global().Get("kolibriHost").Call("through", address)
	if through.Truthy() {
		address = through.Get("url").String()
		headers.Call("append", "X-Relay-Session", through.Get("session"))
	}
	answer, err := tab.Await(r.Context(), js.Global().Call("fetch", address, init))
	if err != nil {
		abort.Call("abort")
		return nil, explainFetch(r.URL, err)
	}
	reached := answer.Get("url")
	if through.Truthy() {
		if reached = answer.Get("headers").Call("get", "X-Relay-Url"); reached.IsNull() {
			abort.Call("abort")
			return nil, errors.New("the relay's gateway could not reach " + r.URL.Host)
		}
	}
	last, err := url.Parse(reached.String())
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(last.Host, r.URL.Host) {
		abort.Call("abort")
		return nil, errors.New("redirected to another host")
	}
	final := r.Clone(r.Context())
	final.URL = last
	response := &http.Response{Request: final, StatusCode: answer.Get("status").Int(), Header: http.Header{}, ContentLength: -1,
		Body: &arriving{ctx: r.Context(), abort: abort}}
	pairs := js.Global().Get("Array").Call("from", answer.Get("headers").Call("entries"))
	for i := range pairs.Length() {
		response.Header.Add(pairs.Index(i).Index(0).String(), pairs.Index(i).Index(1).String())
	}
	// the length that the header states is that of the compressed bytes, if they were
	if response.Header.Get("Content-Encoding") == "" {
		if n, ok := parseLength(response.Header.Get("Content-Length")); ok {
			response.ContentLength = n
		}
	}
	switch body := answer.Get("body"); {
	case !body.Truthy():
	case response.ContentLength >= 0 && response.ContentLength <= atOnce:
		response.Body.(*arriving).whole = answer
	default:
		response.Body.(*arriving).reader = body.Call("getReader")
	}
	return response, nil
}

// atOnce is how long a body may be, in bytes, to be waited for once and not piece by piece: thousands of the files
// of a channel are small.
const atOnce = 256 << 10

func parseLength(text string) (n int64, ok bool) {
	if text == "" {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' || n > 1<<53 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// explainFetch: a browser does not say why a fetch failed. From another origin it is most often that
// the other side does not allow it.
func explainFetch(to *url.URL, err error) error {
	if to.Host == js.Global().Get("location").Get("host").String() {
		return err
	}
	return errors.Join(err, errors.New("the browser could not reach "+to.Host+
		": it is offline, or does not allow pages of other sites to read from it (CORS); a mirror beside this page, or this project's own server, does"))
}

// arriving is the body of an answer.
type arriving struct {
	ctx    context.Context
	abort  js.Value
	reader js.Value
	whole  js.Value // the answer, when its body is to come at once
	rest   []byte
	ended  bool
}

// Read implements io.Reader.
func (a *arriving) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.whole.Truthy() && !a.ended {
			bytes, err := tab.Await(a.ctx, a.whole.Call("arrayBuffer"))
			if err != nil {
				return 0, err
			}
			a.ended = true
			a.rest = bridge.ToGo(js.Global().Get("Uint8Array").New(bytes))
			continue
		}
		if a.ended || a.reader.IsUndefined() {
			return 0, io.EOF
		}
		part, err := tab.Await(a.ctx, a.reader.Call("read"))
		if err != nil {
			return 0, err
		}
		if part.Get("done").Bool() {
			a.ended = true
			return 0, io.EOF
		}
		a.rest = bridge.ToGo(part.Get("value"))
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (a *arriving) Close() error {
	if !a.ended {
		a.abort.Call("abort")
	}
	return nil
}
