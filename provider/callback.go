//go:build !js

package provider

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"kolibri/egress"
)

const (
	callbackTimeout = 10 * time.Second
	// maxWaiting is how many unknown providers may be waited for at once: ids are the callers' to invent.
	maxWaiting = 1000
	// SignatureHeader has "sha256=" and the HMAC of the body under the token, in hex, by which a product
	// knows that the callback comes from its service.
	SignatureHeader = "X-Provider-Signature"
)

// Errors of unknown providers.
var (
	errCallback = errors.New("the product could not be asked for the details of this provider")
	errCrowd    = errors.New("too many unknown providers are waited for")
)

// callback asks the product for details of providers that nobody has told of: once, however many wait.
type callback struct {
	url, token string
	limit      time.Duration
	client     *http.Client
	log        *slog.Logger
	metrics    *Metrics

	mu      sync.Mutex
	waiting map[string]*arrival
}

// arrival is one wait for a provider's details.
type arrival struct {
	ended chan struct{}
	err   error // why nothing is waited for any more; nil when details came
	asked bool
}

func newCallback(address, token string, limit time.Duration, log *slog.Logger, m *Metrics) (*callback, error) {
	c := &callback{url: address, token: token, limit: limit, log: log, metrics: m, waiting: map[string]*arrival{}}
	if address == "" {
		return c, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, errors.New("the callback is no address such as https://product.example/hooks/provider")
	}
	// The operator named this one host, wherever it is; nothing that it answers leads anywhere else.
	private := []string{}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		private = append(private, addr.String())
	} else {
		private = append(private, "0.0.0.0/0", "::/0")
	}
	policy, err := egress.Public(private, nil)
	if err != nil {
		return nil, err
	}
	c.client = &http.Client{Transport: policy.Transport(callbackTimeout), Timeout: min(callbackTimeout, limit),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

// join returns the wait for an id, which await begins.
func (c *callback) join(id string) (*arrival, error) {
	if c.url == "" {
		return nil, ErrUnknown
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.waiting[id]
	if a == nil {
		if len(c.waiting) >= maxWaiting {
			return nil, errCrowd
		}
		a = &arrival{ended: make(chan struct{})}
		c.waiting[id] = a
	}
	return a, nil
}

// await waits until details of an id have come, or nothing is waited for any more. The first to wait has the product asked.
func (c *callback) await(ctx context.Context, id string, a *arrival) error {
	c.mu.Lock()
	first := !a.asked
	a.asked = true
	c.mu.Unlock()
	if first {
		go c.ask(id, a)
	}
	select {
	case <-a.ended:
		return a.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// arrived tells who waits that details are there.
func (c *callback) arrived(id string) { c.end(id, nil, nil) }

func (c *callback) end(id string, only *arrival, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.waiting[id]
	if a == nil || only != nil && a != only {
		return
	}
	delete(c.waiting, id)
	a.err = err
	close(a.ended)
}

// ask calls the product and, when its limit is over, ends the wait.
func (c *callback) ask(id string, a *arrival) {
	started := time.Now()
	err := c.post(id)
	c.metrics.called(err == nil)
	if err != nil {
		c.log.Error("the callback failed", "provider", id, "error", err)
		c.end(id, a, errCallback)
		return
	}
	timer := time.NewTimer(c.limit - time.Since(started))
	defer timer.Stop()
	select {
	case <-a.ended:
	case <-timer.C:
		c.log.Warn("the product did not tell of a provider in time", "provider", id)
		c.end(id, a, ErrUnknown)
	}
}

func (c *callback) post(id string) error {
	body, err := json.Marshal(map[string]string{"provider_id": id})
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	sum := hmac.New(sha256.New, []byte(c.token))
	sum.Write(body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(SignatureHeader, "sha256="+hex.EncodeToString(sum.Sum(nil)))
	answer, err := c.client.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // the address may have secrets in its query
			return u.Err
		}
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10)
	if answer.StatusCode >= 300 {
		return fmt.Errorf("it answers %d", answer.StatusCode)
	}
	return nil
}
