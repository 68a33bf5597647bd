// Package upstream is the HTTP client towards learning platforms: guarded against addresses that must
// not be contacted, bounded in time and size, with a circuit breaker for each provider, and with every
// kind of failure told by one of platform's errors.
package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"kolibri/egress"
	"kolibri/provider/platform"
)

const (
	maxAnswer  = 1 << 30 // bytes of one answer, read as a stream
	maxSmall   = 1 << 20 // bytes of an answer that is read as a whole
	tripAfter  = 5       // failures in a row
	openFor    = 15 * time.Second
	maxWait    = 10 * time.Minute // of a platform's Retry-After that is believed
	maxHeaders = 30 * time.Second
	// attempts and longestPause bound how a request is repeated for a provider that asks for fewer
	attempts     = 5
	longestPause = 10 * time.Second
	defaultPause = 2 * time.Second
)

// Client speaks to one provider.
type Client struct {
	base    *url.URL
	http    *http.Client
	breaker *gobreaker.TwoStepCircuitBreaker[any]
	quota   *quota
}

// New makes a client for the server at base, an address such as "https://kolibri.example/prefix".
// transport connects as policy allows; providers share one.
func New(base string, policy *egress.Policy, transport http.RoundTripper, observe func(state string)) (*Client, error) {
	u, err := ParseBase(base, policy)
	if err != nil {
		return nil, err
	}
	settings := gobreaker.Settings{Timeout: openFor, ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter }}
	if observe != nil {
		settings.OnStateChange = func(_ string, _, to gobreaker.State) { observe(to.String()) }
	}
	return &Client{base: u, breaker: gobreaker.NewTwoStepCircuitBreaker[any](settings), quota: &quota{},
		http: &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if r.URL.Host != via[0].URL.Host { // a session's headers stay with the server they are for
				for _, name := range []string{"Authorization", "Cookie", "X-Csrftoken"} {
					r.Header.Del(name)
				}
			}
			return policy.Redirect(r, via)
		}}}, nil
}

// NewTransport makes the connections of all providers' clients.
func NewTransport(policy *egress.Policy) *http.Transport {
	t := policy.Transport(maxHeaders)
	t.DisableCompression = false
	t.MaxIdleConnsPerHost = 16
	return t
}

// ParseBase reads the address of a server and refuses those that must not be contacted.
func ParseBase(base string, policy *egress.Policy) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("base_url is no address such as https://kolibri.example")
	}
	return u, policy.Check(u)
}

// URL is the address of a path of the provider.
func (c *Client) URL(path string, query url.Values) string {
	u := *c.base
	u.Path = u.Path + path
	u.RawQuery = query.Encode()
	return u.String()
}

// Resolve completes an address that the provider gave; one of another host is left as it is.
func (c *Client) Resolve(address string) (*url.URL, error) {
	ref, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: an address", platform.ErrMalformed)
	}
	return c.base.ResolveReference(ref), nil
}

// Own tells whether an address is the provider's own, so that it may get the session.
func (c *Client) Own(u *url.URL) bool { return u.Scheme == c.base.Scheme && u.Host == c.base.Host }

// State is the circuit breaker's: closed, open or half-open.
func (c *Client) State() string { return c.breaker.State().String() }

// JSON makes a request with a JSON body; body nil is none.
func JSON(ctx context.Context, method, address string, body any) (*http.Request, error) {
	if body == nil {
		return http.NewRequestWithContext(ctx, method, address, nil)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(text))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, err
}

// StatusError is an answer that is a refusal, with the beginning of its text for those who know the platform.
type StatusError struct {
	Status int
	Header http.Header
	Text   string
	Err    error
}

// Error implements error. It leaves out the text, which may hold anything.
func (e *StatusError) Error() string { return fmt.Sprintf("%v (status %d)", e.Err, e.Status) }

// Unwrap returns the platform's error.
func (e *StatusError) Unwrap() error { return e.Err }

// Do sends a request and returns answers of success, and 304, whose body the caller closes. Others are a
// *StatusError around one of platform's errors.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	if err := c.quota.wait(r.Context()); err != nil {
		return nil, err
	}
	done, err := c.breaker.Allow()
	if err != nil {
		return nil, &platform.Throttled{After: openFor, Err: platform.ErrUnavailable}
	}
	r.Header.Set("User-Agent", "Kolibri provider service")
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "application/json")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		if r.Context().Err() != nil { // our caller left: says nothing of the provider, unless time is up
			if errors.Is(r.Context().Err(), context.DeadlineExceeded) {
				done(platform.ErrUnavailable)
			} else {
				done(nil)
			}
			return nil, fmt.Errorf("%w: %w", platform.ErrUnavailable, r.Context().Err())
		}
		done(err)
		if errors.Is(err, egress.ErrPrivate) || errors.Is(err, egress.ErrNotAllowed) {
			return nil, fmt.Errorf("%w: %w", platform.ErrForbidden, errors.Unwrap(err))
		}
		return nil, fmt.Errorf("%w: %w", platform.ErrUnavailable, cause(err))
	}
	c.quota.learn(answer)
	if err = failureOf(answer); err == nil {
		done(nil)
		answer.Body = &limitedBody{ReadCloser: answer.Body, left: maxAnswer}
		return answer, nil
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 8<<10))
	if errors.Is(err, platform.ErrUnavailable) {
		done(err)
	} else {
		done(nil)
	}
	return nil, wrap(err, &StatusError{Status: answer.StatusCode, Header: answer.Header, Text: string(text)})
}

// Repeat sends the request that make makes, and once more for a while when the provider asks for fewer requests: a
// long list must not fail because its last page was asked for too soon.
func (c *Client) Repeat(ctx context.Context, make func() (*http.Request, error)) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		r, err := make()
		if err != nil {
			return nil, err
		}
		a, err := c.Do(r)
		var throttled *platform.Throttled
		if !errors.As(err, &throttled) || !errors.Is(err, platform.ErrThrottled) || throttled.After > longestPause || attempt == attempts {
			return a, err
		}
		timer := time.NewTimer(throttled.After)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// cause leaves the address, whose query may be secret, out of net/http's error.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func wrap(err error, status *StatusError) error {
	var throttled *platform.Throttled
	if errors.As(err, &throttled) {
		status.Err = throttled.Err
		return &platform.Throttled{After: throttled.After, Err: status}
	}
	status.Err = err
	return status
}

// failureOf says what a status means.
func failureOf(a *http.Response) error {
	switch s := a.StatusCode; {
	case s < 300 || s == http.StatusNotModified:
		return nil
	case s == http.StatusUnauthorized || s == http.StatusForbidden && !IsThrottle(a):
		return platform.ErrForbidden
	case s == http.StatusTooManyRequests || s == http.StatusForbidden, s == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "":
		return &platform.Throttled{After: RetryAfter(a), Err: platform.ErrThrottled}
	case s == http.StatusNotFound || s == http.StatusGone:
		return platform.ErrNotFound
	case s >= 500 || s == http.StatusRequestTimeout:
		return platform.ErrUnavailable
	case s < 400:
		return platform.ErrMalformed
	}
	return platform.ErrInvalid
}

// RetryAfter is how long a platform wants to be left alone, or a guess when it does not say.
func RetryAfter(a *http.Response) time.Duration {
	text := a.Header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e6 {
		return min(time.Duration(seconds*float64(time.Second)), maxWait)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), 0), maxWait)
	}
	return defaultPause
}

// limitedBody ends an answer that does not end.
type limitedBody struct {
	io.ReadCloser
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("%w: it is too long", platform.ErrMalformed)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Decode reads a small JSON answer as a whole and closes it.
func Decode(a *http.Response, into any) error {
	defer a.Body.Close()
	if err := isJSON(a); err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(a.Body, maxSmall+1))
	if err != nil {
		return broken(err)
	}
	if len(text) > maxSmall {
		return fmt.Errorf("%w: it is too long", platform.ErrMalformed)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", platform.ErrMalformed, err)
	}
	return nil
}

func isJSON(a *http.Response) error {
	kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return fmt.Errorf("%w: it is no JSON", platform.ErrMalformed)
	}
	return nil
}

func broken(err error) error {
	if errors.Is(err, platform.ErrMalformed) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends in the middle", platform.ErrMalformed)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w: %w", platform.ErrMalformed, err)
	}
	return fmt.Errorf("%w: %w", platform.ErrUnavailable, err)
}

// Fetch asks for a file at an address, which may be relative to the platform's. sign adds the session to
// a request for the platform itself; no other host gets it.
func (c *Client) Fetch(ctx context.Context, address string, header http.Header, sign func(*http.Request) error) (*http.Response, error) {
	u, err := c.Resolve(address)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: an address", platform.ErrMalformed)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "*/*")
	}
	if c.Own(u) {
		if err := sign(r); err != nil {
			return nil, err
		}
	}
	return c.Do(r)
}
