package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"kolibri/relay/wire"
)

// visitorCookie remembers which of several Kolibris a visitor began with. It is the relay's own and
// goes to no tab.
const visitorCookie = "kolibri_relay_home"

// exchange is one request of a client on its way through the relay.
type exchange struct {
	relay  *Relay
	w      http.ResponseWriter
	r      *http.Request
	want   want
	head   wire.RequestHead
	resume resumption // what has gone out, once something has
	tries  int
	shared bool // an app's answer on the relay's own host
	hop    bool // it comes from another relay
}

// maxTries bounds how many tabs may go away over one request.
const maxTries = 4

// front lets a tab answer.
func (r *Relay) front(w http.ResponseWriter, req *http.Request) {
	if r.open.Add(1) > int64(r.cfg.MaxRequests) {
		r.open.Add(-1)
		failBusy.write(w)
		return
	}
	defer r.open.Add(-1)
	x, fail := r.exchange(w, req)
	if fail != nil {
		if fail != failAnswered {
			fail.write(w)
		}
		return
	}
	if err := x.run(); err != nil {
		if x.resume.begun {
			r.cfg.Log.Debug("an answer broke off", "url", x.head.URL, "error", err)
			panic(http.ErrAbortHandler) // half an answer must not look whole
		}
		x.fail(err)
	}
}

// exchange checks a request and makes its head.
func (r *Relay) exchange(w http.ResponseWriter, req *http.Request) (*exchange, *failure) {
	if req.Method == http.MethodConnect || req.URL.Path == "*" || !strings.HasPrefix(req.URL.EscapedPath(), "/") || req.Host == "" {
		return nil, failBad
	}
	// what is not cut into hops yet, such as WebSockets, is not passed on
	x := &exchange{relay: r, w: w, r: req, want: want{kind: wire.KindKolibri}}
	scheme := "http"
	if req.TLS != nil {
		scheme = "https"
	}
	given := req.Header.Get(schemeHeader)
	if x.hop = r.fromPeer(req); x.hop && given == "https" {
		scheme = given
	}
	headers := req.Header.Clone()
	x.want.home = takeVisitor(headers)
	if x.want.home != "" && !r.pool.has(x.want) && r.pool.rest(x.want, time.Now()) <= 0 && r.peers.with(x.want, nil) == nil {
		x.want.home = "" // that Kolibri is no longer shared
	}
	url := scheme + "://" + req.Host + req.URL.EscapedPath()
	if req.URL.RawQuery != "" || req.URL.ForceQuery {
		url += "?" + req.URL.RawQuery
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
		headers.Del(name) // whoever wants to know asks the relay, not the client
	}
	x.head = wire.RequestHead{Method: req.Method, URL: url, Headers: wire.FromHTTP(headers), From: req.RemoteAddr,
		Timeout: r.cfg.Timeout.Milliseconds()}
	if app, ownHost := r.appOf(req); app != "" {
		if fail := x.toApp(app, ownHost); fail != nil {
			return nil, fail
		}
	}
	return x, nil
}

// takeVisitor takes the relay's own cookie out of a request.
func takeVisitor(header http.Header) (home string) {
	var kept []string
	for _, line := range header["Cookie"] {
		for part := range strings.SplitSeq(line, ";") {
			part = strings.TrimSpace(part)
			if value, ok := strings.CutPrefix(part, visitorCookie+"="); ok {
				home = value
			} else if part != "" {
				kept = append(kept, part)
			}
		}
	}
	if home != "" {
		header.Del("Cookie")
		if len(kept) > 0 {
			header.Set("Cookie", strings.Join(kept, "; "))
		}
	}
	return home
}

// run asks one tab after another until one has answered. An error means that nothing, or not all, has
// gone out.
func (x *exchange) run() error {
	if !x.hop && !x.relay.pool.has(x.want) {
		if done, err := x.elsewhere(); done {
			return err
		}
	}
	body, whole, err := x.firstPart()
	if err != nil {
		return failBad
	}
	mayRepeat := whole && repeatable(x.head.Method)
	var first error // why the request had to be sent again
	for {
		ctx, cancel := context.WithCancelCause(x.r.Context())
		timer := newDeadline(x.relay.cfg.Timeout, func() { cancel(failTime) })
		stopped := context.AfterFunc(x.relay.ctx, func() { cancel(failStops) })
		err := x.attempt(ctx, timer, body, whole)
		timer.stop()
		stopped()
		cancel(nil)
		if err == nil {
			return nil
		}
		var lost *lostError
		var reset *resetError
		refused := errors.As(err, &reset) && reset.code == wire.ResetRefused && !x.resume.begun
		again := errors.As(err, &lost) && mayRepeat && x.resume.prepare(x) || refused && whole || errors.Is(err, errLeaving)
		if err == failNoTab && first != nil {
			return first
		}
		if x.tries++; !again || x.tries >= maxTries || x.r.Context().Err() != nil {
			return err
		}
		first = err
	}
}

// firstPart reads what fits into the first frame: most bodies do.
func (x *exchange) firstPart() (part []byte, whole bool, err error) {
	if x.r.Body == nil || x.r.Body == http.NoBody {
		return nil, true, nil
	}
	if n := x.r.ContentLength; n >= 0 && n <= wire.MaxPart {
		part = make([]byte, n)
		_, err = io.ReadFull(x.r.Body, part)
		return part, true, err
	}
	// the rest is read while the tab answers
	_ = http.NewResponseController(x.w).EnableFullDuplex()
	return nil, false, nil
}

// attempt lets one tab answer. The timer runs until the head of the answer is there.
func (x *exchange) attempt(ctx context.Context, timer *deadline, body []byte, whole bool) error {
	t := x.relay.pool.await(ctx, x.want)
	if t == nil {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if x.want.kind == wire.KindRuntime {
			return failNoRun
		}
		return failNoTab
	}
	s, err := t.ask(x.head, body, whole)
	if err != nil {
		return err
	}
	uploaded := make(chan struct{})
	if whole {
		close(uploaded)
	} else {
		go func() {
			defer close(uploaded)
			if err := s.upload(ctx, x.r.Body, timer.postpone); err != nil {
				s.fail(fmt.Errorf("the request's body broke off: %w", err)) // unless the answer is there already
			}
		}()
	}
	err = x.answer(ctx, timer, t, s)
	switch {
	case err == nil:
		s.close(wire.ResetCancelled, "")
	case errors.Is(err, failTime):
		s.close(wire.ResetDeadline, "out of time")
	default:
		s.close(wire.ResetCancelled, "no longer wanted")
	}
	s.fail(errAnswered) // wakes an upload that waits for room
	select {
	case <-uploaded:
	default:
		// what is left of the body is nobody's, and nobody may read it once this has returned
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Unix(1, 0))
		<-uploaded
	}
	return err
}

// answer passes an answer on.
func (x *exchange) answer(ctx context.Context, timer *deadline, t *tab, s *stream) error {
	head, err := s.awaitHead(ctx)
	if err != nil {
		return err
	}
	timer.stop()
	skip, err := x.resume.begin(x, t, head)
	if err != nil {
		return err
	}
	bodyless := x.r.Method == http.MethodHead || head.Status == http.StatusNoContent || head.Status == http.StatusNotModified
	flush := func() {
		if !bodyless {
			_ = http.NewResponseController(x.w).Flush()
		}
	}
	for {
		part, err := x.nextPart(ctx, s, flush)
		if err == io.EOF { // itself: a connection that was cut also ends by one
			return nil
		}
		if err != nil {
			return err
		}
		cut := min(skip, int64(len(part)))
		skip -= cut
		if rest := part[cut:]; !bodyless && len(rest) > 0 {
			if _, err := x.w.Write(rest); err != nil {
				return err
			}
			x.resume.sent += int64(len(rest))
		}
		if err := s.taken(part); err != nil {
			return err
		}
	}
}

// nextPart waits for the next part of a body, but not for ever. The client gets meanwhile what is there.
func (x *exchange) nextPart(ctx context.Context, s *stream, idle func()) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, x.relay.cfg.Stall, failTime)
	defer cancel()
	return s.next(ctx, idle)
}

// deadline is when the head of an answer must be there. While a body is being sent to the tab, it moves.
type deadline struct {
	after time.Duration
	mu    sync.Mutex
	timer *time.Timer
	over  bool
}

func newDeadline(after time.Duration, expired func()) *deadline {
	return &deadline{after: after, timer: time.AfterFunc(after, expired)}
}

func (d *deadline) postpone() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.over {
		d.timer.Reset(d.after)
	}
}

func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	d.timer.Stop()
}

// fail tells the client why there is no answer.
func (x *exchange) fail(err error) {
	f := failTab
	var lost *lostError
	switch {
	case errors.As(err, &f):
	case x.r.Context().Err() != nil:
		return // nobody is there to be told
	case errors.As(err, &lost), errors.Is(err, errLeaving):
		f = failGone
		if repeatable(x.head.Method) {
			f = &failure{502, failGone.code, "The browser tab that was to answer has gone, and no other could.", 1}
		}
	}
	x.relay.cfg.Log.Debug("no answer", "url", x.head.URL, "status", f.status, "error", err)
	f.write(x.w)
}
