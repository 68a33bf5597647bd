package bridge

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall/js"
)

const (
	// initialCredit is how many bytes of an answer may be under way before the client asks for
	// more; worker/protocol.js has the same number.
	initialCredit = 256 << 10
	// chunkSize is where an answer that was still held back begins to stream.
	chunkSize = 64 << 10
)

// serverError is what Django answers where a view has failed.
const serverError = "<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Server Error (500)</title>\n</head>\n" +
	"<body>\n  <h1>Server Error (500)</h1><p></p>\n</body>\n</html>\n"

// credit is the room that the client has left for an answer.
type credit struct {
	wake chan struct{}
	mu   sync.Mutex
	left int
}

func newCredit(n int) *credit { return &credit{wake: make(chan struct{}, 1), left: n} }

// add gives more room. It never blocks.
func (c *credit) add(n int) {
	c.mu.Lock()
	c.left += n
	c.mu.Unlock()
	notify(c.wake)
}

// take waits until there is any room and then takes n, which may overdraw it by one chunk.
func (c *credit) take(ctx context.Context, n int) error {
	for {
		c.mu.Lock()
		if c.left > 0 {
			c.left -= n
			c.mu.Unlock()
			return nil
		}
		c.mu.Unlock()
		select {
		case <-c.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// responseWriter is an http.ResponseWriter and http.Flusher over messages. A short answer goes out
// as one message when the handler returns; a long one streams in chunks, as far as the client's
// credit goes.
type responseWriter struct {
	calls  *calls
	id     int
	ctx    context.Context
	credit *credit
	isHead bool

	header http.Header // the handler's
	final  http.Header // as it was at WriteHeader: later changes come too late, as in net/http
	status int         // 0 until WriteHeader
	sent   bool        // the head has gone out
	buffer []byte      // what has not gone out
	failed error
}

// Header implements http.ResponseWriter.
func (w *responseWriter) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header, 8)
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter. Informational statuses cannot travel and are dropped.
func (w *responseWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
		w.final = w.Header().Clone()
	}
}

// Write implements http.ResponseWriter. It fails once the client has given up.
func (w *responseWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.failed != nil {
		return 0, w.failed
	}
	if isBodyless(w.status) {
		return 0, http.ErrBodyNotAllowed
	}
	if w.isHead {
		return len(p), nil
	}
	w.buffer = append(w.buffer, p...)
	if len(w.buffer) < chunkSize {
		return len(p), nil
	}
	return len(p), w.flush(chunkSize)
}

// WriteString implements io.StringWriter.
func (w *responseWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// Flush implements http.Flusher.
func (w *responseWriter) Flush() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	_ = w.flush(1)
}

// flush sends what is held back, as long as that is at least so many bytes.
func (w *responseWriter) flush(least int) error {
	if !w.sent {
		w.sent = true
		w.calls.head.Invoke(w.id, w.status, w.headerText())
	}
	for len(w.buffer) >= least && w.failed == nil {
		n := min(len(w.buffer), chunkSize)
		if w.failed = w.credit.take(w.ctx, n); w.failed != nil {
			break
		}
		w.calls.data.Invoke(w.id, ToJS(w.buffer[:n]))
		w.buffer = w.buffer[n:]
	}
	if w.failed != nil {
		w.buffer = nil
	}
	return w.failed
}

// finish sends what is left when the handler has returned.
func (w *responseWriter) finish() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.sent {
		w.sent = true
		body := js.Null()
		if !isBodyless(w.status) && !w.isHead {
			if w.final.Get("Content-Length") == "" {
				w.final.Set("Content-Length", strconv.Itoa(len(w.buffer)))
			}
			if len(w.buffer) > 0 {
				body = ToJS(w.buffer)
			}
		}
		w.calls.respond.Invoke(w.id, w.status, w.headerText(), body)
		return
	}
	if w.flush(1) != nil {
		w.calls.abort.Invoke(w.id, w.failed.Error())
		return
	}
	w.calls.end.Invoke(w.id)
}

// fail answers 500 after a panic, or breaks the answer off if it has begun.
func (w *responseWriter) fail() {
	if w.sent {
		w.calls.abort.Invoke(w.id, "the server failed while it answered")
		return
	}
	w.sent = true
	headers := "Content-Type: text/html; charset=utf-8\r\n"
	w.calls.respond.Invoke(w.id, http.StatusInternalServerError, headers, ToJS([]byte(serverError)))
}

// headerText writes the head as "name: value" lines; worker/server.js takes them apart.
func (w *responseWriter) headerText() string {
	if len(w.buffer) > 0 && w.final.Get("Content-Type") == "" && w.final.Get("Content-Encoding") == "" {
		w.final.Set("Content-Type", http.DetectContentType(w.buffer))
	}
	var text strings.Builder
	for name, values := range w.final {
		for _, value := range values {
			text.WriteString(name)
			text.WriteString(": ")
			text.WriteString(oneLine.Replace(value))
			text.WriteString("\r\n")
		}
	}
	return text.String()
}

var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// isBodyless tells whether the status has no body by definition.
func isBodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified
}
