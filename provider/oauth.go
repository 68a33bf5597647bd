//go:build !js

package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"kolibri/provider/canvas"
	"kolibri/provider/platform"
	"kolibri/provider/registry"
)

const (
	consentTime  = 10 * time.Minute
	maxConsents  = 10_000
	oauthPath    = "/api/oauth/callback"
	consentGiven = "Access was given. You can close this page.\n"
)

// consents are the users who were sent to their platform and have not come back yet.
type consents struct {
	mu    sync.Mutex
	byKey map[string]consent
}

type consent struct {
	provider, user, back string
	ends                 time.Time
}

// add keeps a consent under a word that nobody can guess.
func (c *consents) add(v consent) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for key, old := range c.byKey {
		if now.After(old.ends) {
			delete(c.byKey, key)
		}
	}
	if len(c.byKey) >= maxConsents {
		return "", &Problem{Status: http.StatusServiceUnavailable, Code: "too_many_consents", Message: "too many users are asked for access", RetryAfter: 60}
	}
	key := rand.Text()
	v.ends = now.Add(consentTime)
	c.byKey[key] = v
	return key, nil
}

// take returns a consent once.
func (c *consents) take(key string) (consent, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.byKey[key]
	delete(c.byKey, key)
	return v, ok && time.Now().Before(v.ends)
}

// granting is a platform that gives sessions to its users one by one.
type granting interface {
	ConsentURL(redirect, state string) string
	Exchange(ctx context.Context, user, code, redirect string) error
}

// askConsent answers with the address that a user's browser must visit.
func (s *Service) askConsent(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), s.config.Timeout)
	defer cancel()
	var ask struct {
		User   string `json:"user"`
		Return string `json:"return"`
	}
	if err := read(w, r, &ask); err != nil {
		return err
	}
	if s.config.PublicURL == "" {
		return &Problem{Status: http.StatusNotImplemented, Code: "no_public_url", Message: "this service was started without --public-url"}
	}
	if u, err := url.Parse(ask.Return); err != nil || ask.Return != "" && u.Scheme != "http" && u.Scheme != "https" {
		return invalid("return is no address of a page")
	}
	if len(ask.User) > 200 {
		return invalid("user is too long")
	}
	id := r.URL.Query().Get("id")
	if !registry.IsID(id) {
		return invalid("the parameter id names no provider")
	}
	l, err := s.provider(ctx, id)
	if err != nil {
		return err
	}
	g, ok := l.Platform.(granting)
	if !ok || l.provider.ClientID == "" {
		return platform.ErrNotSupported
	}
	state, err := s.consents.add(consent{provider: id, user: ask.User, back: ask.Return})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]string{"url": g.ConsentURL(s.redirect(), state)})
	return nil
}

func (s *Service) redirect() string { return strings.TrimSuffix(s.config.PublicURL, "/") + oauthPath }

// consented is where the platform sends the user's browser. What lets it in is the state.
func (s *Service) consented(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	if after, ok := s.limits.allow(r); !ok {
		s.fail(w, r, tooMany(after))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.config.Timeout)
	defer cancel()
	query := r.URL.Query()
	v, ok := s.consents.take(query.Get("state"))
	if !ok {
		s.fail(w, r, invalid("this page was visited before, or too late: begin again"))
		return
	}
	if query.Get("code") == "" {
		s.fail(w, r, platform.ErrConsent)
		return
	}
	l, err := s.provider(ctx, v.provider)
	if err == nil {
		g, ok := l.Platform.(granting)
		if !ok {
			err = platform.ErrNotSupported
		} else {
			err = g.Exchange(ctx, v.user, query.Get("code"), s.redirect())
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.forget(v.provider)
	if v.back != "" {
		http.Redirect(w, r, v.back, http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, consentGiven)
}

// grants keep what users of one provider allowed.
type grants struct {
	registry *registry.Registry
	provider string
}

func (g grants) Grant(ctx context.Context, user string) (v canvas.Grant, ok bool, err error) {
	raw, err := g.registry.Grant(ctx, g.provider, user)
	if errors.Is(err, registry.ErrNotFound) {
		return v, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	return v, err == nil, err
}

func (g grants) SaveGrant(ctx context.Context, user string, v canvas.Grant) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return g.registry.SaveGrant(ctx, g.provider, user, raw)
}

func (g grants) DeleteGrant(ctx context.Context, user string) error {
	return g.registry.DeleteGrant(ctx, g.provider, user)
}
