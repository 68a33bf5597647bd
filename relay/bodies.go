package relay

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"kolibri/relay/gateway"
	"kolibri/relay/wire"
)

// A browser sends a file by an HTTP request several times as fast as by frames: it goes from the disk
// to the socket without passing the tab's memory. So a tab may hand over the body of an answer by a
// request of its own, after the answer's head, instead of by Data frames:
//
//	POST /_relay/body/<session>/<stream>?proof=   204 once the relay has all of it
//	POST /_relay/body                             204: tells whether the tab may send requests at all
//
// The proof is the HMAC of the connection's nonce and the stream, keyed by the session: the key itself
// does not travel, and a proof is of no use for anything else. All of it is made so that browsers need
// not ask for leave first (CORS' preflight).

const (
	// bodyPiece and bodyPieces are what the relay holds of a body that its client does not take.
	bodyPiece  = 256 << 10
	bodyPieces = 4
)

// takeBody is such a request.
func (r *Relay) takeBody(w http.ResponseWriter, req *http.Request) {
	gateway.Allow(w.Header(), req)
	w.Header().Set("Cache-Control", "no-store")
	id, err := strconv.ParseUint(req.PathValue("stream"), 10, 32)
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	for _, t := range r.pool.all() {
		if t.session != req.PathValue("session") || !r.pairing.proves(t.session, bodyText(t.nonce, id), req.URL.Query().Get("proof")) {
			continue
		}
		if s := t.streamOf(uint32(id)); s != nil {
			w.WriteHeader(s.post(w, req))
			return
		}
	}
	w.WriteHeader(http.StatusNotFound) // it is no longer wanted
}

// bodyText is what a tab signs to hand over the body of a stream.
func bodyText(nonce string, stream uint64) string {
	return nonce + " body " + strconv.FormatUint(stream, 10)
}

func (t *tab) streamOf(id uint32) *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.streams[id]
}

// post reads the answer's body from a request of the tab, and returns its status. It ends when the
// relay has the body, or when nobody wants it any more.
func (s *stream) post(w http.ResponseWriter, req *http.Request) (status int) {
	if !s.beginPost() {
		return http.StatusConflict
	}
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-s.done: // wakes a reader that waits for the tab
			_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
		case <-over:
		}
	}()
	for {
		var piece []byte
		select {
		case <-s.done:
			return http.StatusGone
		case piece = <-s.pieces:
		}
		n, err := req.Body.Read(piece)
		s.tab.received.Add(int64(n))
		s.mu.Lock()
		if n > 0 && !s.closed {
			s.parts = append(s.parts, piece[:n])
			s.size += n
		} else if err == nil {
			s.pieces <- piece
		}
		s.ended = errors.Is(err, io.EOF)
		s.mu.Unlock()
		poke(s.wake)
		switch {
		case errors.Is(err, io.EOF):
			return http.StatusNoContent
		case err != nil:
			s.fail(&lostError{err}) // what is left may be asked for again
			return http.StatusBadRequest
		}
	}
}

// beginPost makes the request the only way for the body, unless a part of it came by frames.
func (s *stream) beginPost() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pieces != nil || s.ended || s.closed || s.err != nil || s.granted != wire.InitialWindow {
		return false
	}
	s.pieces = make(chan []byte, bodyPieces)
	for range bodyPieces {
		s.pieces <- make([]byte, bodyPiece)
	}
	return true
}
