//go:build !js

package provider

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed" // the description of the API
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kolibri/provider/platform"
	"kolibri/provider/registry"
)

const maxBody = 1 << 20

// description is the API's, in OpenAPI 3.1.
//
//go:embed openapi.json
var description []byte

func (s *Service) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(description)
	})
	mux.Handle("GET /metrics", s.guarded(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		s.writeMetrics(w)
		return nil
	}))
	for pattern, handle := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /api/providers":          s.listProviders,
		"POST /api/providers":         s.addProvider,
		"GET /api/providers/{id}":     s.showProvider,
		"DELETE /api/providers/{id}":  s.removeProvider,
		"POST /api/oauth":             s.askConsent,
		"GET /api/{object}":           s.list,
		"POST /api/{object}":          s.create,
		"DELETE /api/{object}/{item}": s.remove,
	} {
		mux.Handle(pattern, s.guarded(handle))
	}
	mux.HandleFunc("GET "+oauthPath, s.consented)
	mux.HandleFunc("GET "+picturesPath, s.picture)
	if s.compute != nil {
		for pattern, handle := range s.compute.routes() {
			mux.Handle(pattern, s.guarded(handle))
		}
	}
	mux.Handle("/", s.guarded(func(w http.ResponseWriter, r *http.Request) error { return nothing(mux, w, r) }))
	return mux
}

// nothing tells an address without anything from one that has something for other methods.
func nothing(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return &Problem{Status: http.StatusNotFound, Code: "not_found", Message: "there is nothing at this address"}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: "this address has no " + r.Method}
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Observer counts requests for the metrics.
func (s *Service) Observer() *Metrics { return s.metrics }

// guarded lets in who bears the token and does not ask too often.
func (s *Service) guarded(handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if after, ok := s.limits.allow(r); !ok {
			s.fail(w, r, tooMany(after))
			return
		}
		if !s.authorized(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			s.fail(w, r, &Problem{Status: http.StatusUnauthorized, Code: "unauthorized", Message: "the Authorization header has no valid token"})
			return
		}
		if err := handle(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

func tooMany(after time.Duration) *Problem {
	return &Problem{Status: http.StatusTooManyRequests, Code: "too_many_requests", Message: "too many requests from this address",
		RetryAfter: int(after/time.Second) + 1}
}

// authorized compares in a time that tells nothing of how much was right, not even of the length.
func (s *Service) authorized(r *http.Request) bool {
	given := r.Header.Get("Authorization")
	if rest, ok := strings.CutPrefix(given, "Bearer "); ok {
		given = rest
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.config.Token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (s *Service) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if _, err := s.config.Registry.Provider(ctx, "-"); err != nil && !errors.Is(err, registry.ErrNotFound) {
		s.config.Log.Error("not ready: the database does not answer", "error", err)
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "the database does not answer"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

// read decodes a request's body, in which every member must be known.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return &Problem{Status: http.StatusRequestEntityTooLarge, Code: "invalid_request", Message: fmt.Sprintf("the body has more than %d bytes", large.Limit)}
		}
		return invalid("the body is not the JSON that is expected: " + strings.TrimPrefix(err.Error(), "json: "))
	}
	if d.More() {
		return invalid("the body has something after its JSON")
	}
	return nil
}

// target is the provider and kind of objects that a request is about.
func (s *Service) target(ctx context.Context, r *http.Request) (*live, platform.Object, error) {
	o := platform.Object(r.PathValue("object"))
	if !slices.Contains(platform.Objects, o) {
		return nil, o, &Problem{Status: http.StatusNotFound, Code: "not_found", Message: "there are no such objects"}
	}
	id := r.URL.Query().Get("id")
	if !registry.IsID(id) {
		return nil, o, invalid("the parameter id names no provider")
	}
	l, err := s.provider(ctx, id)
	return l, o, err
}

func (s *Service) create(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), s.config.Timeout)
	defer cancel()
	var f platform.Fields
	if err := read(w, r, &f); err != nil {
		return err
	}
	if f.Role != "" && f.Role != "learner" && f.Role != "coach" {
		return invalid("role is learner or coach")
	}
	l, o, err := s.target(ctx, r)
	if err != nil {
		return err
	}
	made, err := l.Create(ctx, o, r.URL.Query().Get("user"), f)
	if err != nil {
		return err
	}
	s.forget(l.provider.ID)
	writeJSON(w, http.StatusCreated, made)
	return nil
}

func (s *Service) remove(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), s.config.Timeout)
	defer cancel()
	l, o, err := s.target(ctx, r)
	if err != nil {
		return err
	}
	if err := l.Delete(ctx, o, r.URL.Query().Get("user"), r.PathValue("item")); err != nil {
		return err
	}
	s.forget(l.provider.ID)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// forget drops kept answers of a provider.
func (s *Service) forget(id string) {
	s.answers.Forget(func(key string) bool { return strings.HasPrefix(key, url.QueryEscape(id)+"?") })
}
