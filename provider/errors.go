//go:build !js

package provider

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"kolibri/provider/answers"
	"kolibri/provider/platform"
	"kolibri/provider/registry"
	"kolibri/provider/session"
	"kolibri/store"
)

// Problem is an error as the API tells it.
type Problem struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
	// RetryAfter is when asking again may help, in seconds; 0 is not told.
	RetryAfter int `json:"retry_after,omitempty"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Message }

func invalid(message string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: "invalid_request", Message: message}
}

// problems says how errors are told, in the order in which they are looked for.
var problems = []struct {
	err    error
	status int
	code   string
}{
	{ErrUnknown, http.StatusNotFound, "unknown_provider"},
	{registry.ErrKey, http.StatusInternalServerError, "wrong_key"},
	{store.ErrNotFound, http.StatusNotFound, "unknown_provider"},
	{errCallback, http.StatusBadGateway, "callback_failed"},
	{errCrowd, http.StatusServiceUnavailable, "too_many_unknown_providers"},
	{platform.ErrCredentials, http.StatusBadGateway, "credentials_refused"},
	{platform.ErrConsent, http.StatusForbidden, "consent_needed"},
	{platform.ErrForbidden, http.StatusForbidden, "provider_forbids"},
	{platform.ErrNotFound, http.StatusNotFound, "not_found"},
	{platform.ErrNotSupported, http.StatusMethodNotAllowed, "not_supported"},
	{platform.ErrInvalid, http.StatusBadRequest, "provider_refuses_values"},
	{platform.ErrMalformed, http.StatusBadGateway, "provider_malformed"},
	{answers.ErrTooLong, http.StatusBadGateway, "provider_malformed"},
	{platform.ErrThrottled, http.StatusServiceUnavailable, "provider_throttles"},
	{context.DeadlineExceeded, http.StatusGatewayTimeout, "timeout"},
	{platform.ErrUnavailable, http.StatusBadGateway, "provider_unavailable"},
	{session.ErrClosed, http.StatusServiceUnavailable, "provider_changed"},
	{store.ErrBusy, http.StatusServiceUnavailable, "database_busy"},
	{store.ErrCorrupt, http.StatusInternalServerError, "database_damaged"},
	{store.ErrFull, http.StatusInsufficientStorage, "disk_full"},
}

// problemOf shapes an error. What it says of a provider's failure is a word of this service, not the provider's.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	p = &Problem{Status: http.StatusInternalServerError, Code: "internal", Message: "the service failed: its log says why"}
	for _, known := range problems {
		if errors.Is(err, known.err) {
			p = &Problem{Status: known.status, Code: known.code, Message: known.err.Error()}
			break
		}
	}
	var refused *platform.Invalid
	if errors.As(err, &refused) {
		p.Message = refused.Error()
	}
	var throttled *platform.Throttled
	switch {
	case errors.As(err, &throttled):
		p.Status, p.RetryAfter = http.StatusServiceUnavailable, int(math.Ceil(throttled.After.Seconds()))
	case p.Status == http.StatusServiceUnavailable:
		p.RetryAfter = 5
	}
	return p
}

// fail answers with an error.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // nobody reads it
	}
	p := problemOf(err)
	s.metrics.failed(p.Code)
	if p.Status >= 500 {
		s.config.Log.Warn("a request failed", "path", r.URL.Path, "provider", r.URL.Query().Get("id"), "code", p.Code, "error", err)
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	writeJSON(w, p.Status, map[string]*Problem{"error": p})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"the answer cannot be written"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
