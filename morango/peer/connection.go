// Package peer is the client's side of synchronization: it speaks to another device's Morango routes
// (morango/sync/syncsession.py, morango/sync/session.py).
package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"kolibri/core/api/nesting"
	"kolibri/morango/session"
)

// Doer sends requests, as http.Client does.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

const routes = "api/morango/v1/"

// maxAnswer is how much of an answer is read into memory: the largest are pages of records.
const maxAnswer = 128 << 20

// quick bounds a request that costs the other device little. Stages may take it long: stageTime.
const (
	quick     = 2 * time.Minute
	stageTime = time.Hour
)

// Connection is one to another device.
type Connection struct {
	// Base is the device's address with a slash at its end.
	Base string
	// InstanceID is the device's, Capabilities what it and this one have in common.
	InstanceID   string
	Capabilities []string
	// Pushable tells that the device takes certificates that others made for it.
	Pushable bool
	// Retries is how often a request is sent again when the network fails; Pause is the time before the
	// first of them, which doubles each time.
	Retries int
	Pause   time.Duration

	http           Doer
	agent          string
	sent, received atomic.Int64
}

// Error is an answer that is no success.
type Error struct {
	Status  int
	Message string
	Request string // method and path
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("the other device answered %d to %s: %s", e.Status, e.Request, e.Message)
}

// NetworkError tells that the other device cannot be reached, or stopped answering.
type NetworkError struct {
	Base  string
	Cause error
}

// Error implements error.
func (e *NetworkError) Error() string {
	return "Unable to connect to: " + e.Base + ": " + e.Cause.Error()
}

// Unwrap gives the cause.
func (e *NetworkError) Unwrap() error { return e.Cause }

// StatusOf is the status of the answer that an error is about, or 0.
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Connect asks another device who it is and what it can do. agent names this program.
func Connect(ctx context.Context, client Doer, base, agent string) (*Connection, error) {
	c := &Connection{Base: strings.TrimRight(base, "/") + "/", Retries: 5, Pause: 300 * time.Millisecond, http: client, agent: agent}
	var info struct {
		InstanceID   string   `json:"instance_id"`
		Capabilities []string `json:"capabilities"`
	}
	if err := c.call(ctx, request{method: http.MethodGet, path: routes + "morangoinfo/1/", into: &info}); err != nil {
		return nil, err
	}
	c.InstanceID, c.Pushable = info.InstanceID, slices.Contains(info.Capabilities, "ALLOW_CERTIFICATE_PUSHING")
	for _, name := range session.Capabilities {
		if slices.Contains(info.Capabilities, name) {
			c.Capabilities = append(c.Capabilities, name)
		}
	}
	return c, nil
}

// Has tells whether both devices have a capability.
func (c *Connection) Has(capability string) bool { return slices.Contains(c.Capabilities, capability) }

// Sent and Received are how many bytes of requests and answers this connection has moved.
func (c *Connection) Sent() int64 { return c.sent.Load() }

// Received is how many bytes of answers this connection has read.
func (c *Connection) Received() int64 { return c.received.Load() }

// Login is how somebody proves to the other device who he is.
type Login struct{ Username, Password, Facility string }

type request struct {
	method, path string
	query        url.Values
	body         any    // sent as JSON
	raw          []byte // or sent as it is
	kind         string // the content type of raw
	login        *Login
	into         any                       // where the JSON of the answer goes
	read         func(answer []byte) error // or what reads it
	limit        time.Duration
}

// call sends a request. What the network loses is sent again: all of Morango's requests may be
// repeated. It returns *Error, *NetworkError, or the context's error.
func (c *Connection) call(ctx context.Context, q request) error {
	pause := c.Pause
	for try := 0; ; try++ {
		err := c.once(ctx, q)
		if err == nil || ctx.Err() != nil || try >= c.Retries || !passing(err) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// passing tells whether a failure may be over the next time.
func passing(err error) bool {
	var network *NetworkError
	if errors.As(err, &network) {
		return true
	}
	switch StatusOf(err) {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func (c *Connection) once(ctx context.Context, q request) error {
	limit := q.limit
	if limit == 0 {
		limit = quick
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	body := q.raw
	kind := q.kind
	if q.body != nil {
		var err error
		if body, err = json.Marshal(q.body); err != nil {
			return err
		}
		kind = "application/json"
	}
	address := c.Base + q.path
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	r, err := http.NewRequestWithContext(timed, q.method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Morango-Capabilities", strings.Join(session.Capabilities, " "))
	r.Header.Set("User-Agent", c.agent)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if l := q.login; l != nil {
		user := l.Username
		if l.Facility != "" {
			user = "username=" + l.Username + "&facility=" + l.Facility
		}
		r.SetBasicAuth(user, l.Password)
	}
	res, err := c.http.Do(r)
	if err != nil {
		return &NetworkError{c.Base, err}
	}
	defer res.Body.Close()
	c.sent.Add(int64(len(body)))
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	c.received.Add(int64(len(text)))
	if err != nil {
		return &NetworkError{c.Base, err}
	}
	if err := nesting.Check(text); err != nil {
		return &Error{res.StatusCode, "the answer cannot be read: " + err.Error(), q.method + " " + q.path}
	}
	if res.StatusCode >= 400 || len(text) > maxAnswer {
		return &Error{res.StatusCode, message(text), q.method + " " + q.path}
	}
	read := q.read
	if q.into != nil {
		read = func(text []byte) error { return json.Unmarshal(text, q.into) }
	}
	if read != nil {
		if err := read(text); err != nil {
			return &Error{res.StatusCode, "the answer cannot be read: " + err.Error(), q.method + " " + q.path}
		}
	}
	return nil
}

// message is what an answer says, short enough for a person.
func message(text []byte) string {
	var plain string
	var list []string
	var detail struct {
		Detail string `json:"detail"`
		Class  string `json:"error_class"`
	}
	switch {
	case json.Unmarshal(text, &plain) == nil:
	case json.Unmarshal(text, &list) == nil && len(list) > 0:
		plain = strings.Join(list, " ")
	case json.Unmarshal(text, &detail) == nil && detail.Detail+detail.Class != "":
		plain = detail.Detail + detail.Class
	default:
		plain = string(text)
	}
	const most = 300
	return strings.ToValidUTF8(plain[:min(len(plain), most)], "")
}
