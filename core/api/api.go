// Package api is what every Kolibri app's handlers are written in: the request with its session and
// transaction, the answer, the error shapes, field validation, filters and pages. It corresponds to
// kolibri/core/api.py and to what Django REST framework does beneath it. It knows no app.
package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kolibri/store"
)

// Handler answers one request. A returned *Response is sent as it is; nil is 204; any other value
// is sent as JSON with status 200. Errors of type *Error are shaped as Kolibri's; others become 500.
type Handler func(*Request) (any, error)

// Route binds a handler to a name of the URL table (server/urls.tsv) and a method. GET routes also
// answer HEAD. Mode overrides the kind of transaction: GET and HEAD read, all others write.
type Route struct {
	Name   string
	Method string
	Handle Handler
	// Writes asks for a writing transaction although the method is GET.
	Writes bool
	// NoTx leaves the transactions to the handler (long or streaming work): Request.Tx is nil.
	NoTx bool
	// NoTxFor does so for the requests it picks.
	NoTxFor func(*http.Request) bool
	// CSRFAlways enforces the CSRF check for anonymous requests too, as Django does for plain views.
	CSRFAlways bool
	// CSRFExempt makes no CSRF check: what other programs ask without any session.
	CSRFExempt bool
	// VolatileErrors forbids everybody to keep an answer that is an error, wrong methods included.
	VolatileErrors bool
	// Unlisted leaves the method out of the Allow header: it is answered for the original's sake only.
	Unlisted bool
	// AfterError lets the transaction be committed although the handler returned an *Error.
	AfterError bool
}

// Request is one request as a handler sees it.
type Request struct {
	HTTP    *http.Request
	Ctx     context.Context
	Tx      *store.Tx
	Session *Session
	// Lang is the language chosen for this request, such as "en" or "fr-fr".
	Lang string
	// ViewName is what error metadata calls the view, such as "Lesson Viewset List".
	ViewName string
	// URLName is the route's name in the URL table.
	URLName string

	params map[string]string
	query  url.Values
	body   *body
	values map[any]any
}

// NewRequest is for the server, which makes a request per route, and for tests.
func NewRequest(r *http.Request, tx *store.Tx, session *Session, params map[string]string) *Request {
	if session == nil {
		session = NewSession()
	}
	return &Request{HTTP: r, Ctx: r.Context(), Tx: tx, Session: session, params: params}
}

// Param is a named part of the path.
func (r *Request) Param(name string) string { return r.params[name] }

// Now is the moment of the request in UTC.
func (r *Request) Now() time.Time { return r.Tx.Now() }

// Query returns the parsed query string, each value as Storable has it.
func (r *Request) Query() url.Values {
	if r.query == nil {
		r.query = textOf(r.HTTP.URL.Query())
	}
	return r.query
}

// Value returns what an app remembered for this request under key.
func (r *Request) Value(key any) any { return r.values[key] }

// SetValue remembers something for the rest of this request, such as the signed-in user.
func (r *Request) SetValue(key, value any) {
	if r.values == nil {
		r.values = map[any]any{}
	}
	r.values[key] = value
}

// WithQuery returns a request for the same person and transaction with another query string, for
// views that are composed of others' lists (kolibri/core/api.py: ListModelMixin.serialize_list).
func (r *Request) WithQuery(query url.Values) *Request {
	clone := *r
	clone.query = query
	return &clone
}

// Response is an answer that is more than a JSON value with status 200.
type Response struct {
	Status int
	Header http.Header
	// Body is rendered as JSON, unless Raw or Stream is set.
	Body any
	// Raw is sent as it is; set Content-Type in Header.
	Raw []byte
	// Stream writes the body itself, after the transaction has ended.
	Stream func(w http.ResponseWriter, r *http.Request)
	// ETag makes the answer conditional: the value without quotes, strong.
	ETag string
}

// WithHeader sets a header and returns the response.
func (p *Response) WithHeader(name, value string) *Response {
	if p.Header == nil {
		p.Header = http.Header{}
	}
	p.Header.Set(name, value)
	return p
}

// Status answers with a JSON body and a status code.
func Status(code int, body any) *Response { return &Response{Status: code, Body: body} }

// Created answers 201.
func Created(body any) *Response { return Status(http.StatusCreated, body) }

// NoContent answers 204 without a body.
func NoContent() *Response { return &Response{Status: http.StatusNoContent, Raw: []byte{}} }

// Text answers with a body of the given content type.
func Text(code int, contentType, body string) *Response {
	return (&Response{Status: code, Raw: []byte(body)}).WithHeader("Content-Type", contentType)
}

// Redirect answers 302 to a location.
func Redirect(location string) *Response {
	return (&Response{Status: http.StatusFound, Raw: []byte{}}).
		WithHeader("Location", location).WithHeader("Content-Type", "text/html; charset=utf-8")
}

// Cookie is a cookie that the answer sets; an empty value with MaxAge < 0 deletes it.
type Cookie = http.Cookie

// SetCookie adds a cookie to the response.
func (p *Response) SetCookie(c *Cookie) *Response {
	if p.Header == nil {
		p.Header = http.Header{}
	}
	p.Header.Add("Set-Cookie", c.String())
	return p
}

// BaseURL is the scheme and host the request came by, without a trailing slash.
func (r *Request) BaseURL() string {
	scheme := "http"
	if r.HTTP.TLS != nil || strings.EqualFold(r.HTTP.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return scheme + "://" + r.HTTP.Host
}
