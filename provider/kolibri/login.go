package kolibri

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"kolibri/provider/platform"
	"kolibri/provider/session"
	"kolibri/provider/upstream"
)

const (
	sessionCookie = "kolibri"
	csrfCookie    = "kolibri_csrftoken"
	sessionPath   = "/api/auth/session/"
	// heartbeat: a session ends 1200 s after the last that was heard of it (SESSION_COOKIE_AGE), and pages
	// tell of themselves every 240 s
	heartbeat = 4 * time.Minute
)

// login is a session with a server.
type login struct {
	key, csrf      string
	user, facility string // ids
}

func (l login) sign(r *http.Request) {
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: l.key})
	r.AddCookie(&http.Cookie{Name: csrfCookie, Value: l.csrf})
	r.Header.Set("X-CSRFToken", l.csrf)
}

// authority signs in. kolibri/core/auth/api.py: SessionViewSet
type authority struct {
	client  *upstream.Client
	account Account
}

// person is the answer about a session.
type person struct {
	UserID     string   `json:"user_id"`
	FacilityID string   `json:"facility_id"`
	Kind       []string `json:"kind"`
}

func (a *authority) Due(login) time.Duration { return heartbeat }

// SignIn implements session.Authority.
func (a *authority) SignIn(ctx context.Context) (login, error) {
	l, _, err := a.current(ctx, login{})
	if err != nil {
		return l, err
	}
	fields := map[string]string{"username": a.account.Username, "password": a.account.Password}
	if a.account.Facility != "" {
		fields["facility"] = a.account.Facility
	}
	r, err := upstream.JSON(ctx, http.MethodPost, a.client.URL(sessionPath, nil), fields)
	if err != nil {
		return l, err
	}
	l.sign(r)
	answer, err := a.client.Do(r)
	if err != nil {
		return l, refusal(err)
	}
	l.read(answer)
	var p person
	if err := upstream.Decode(answer, &p); err != nil {
		return l, err
	}
	if p.UserID == "" || l.key == "" {
		return l, platform.ErrMalformed
	}
	l.user, l.facility = p.UserID, p.FacilityID
	if a.account.Facility != "" {
		l.facility = a.account.Facility
	}
	return l, nil
}

// refusal tells wrong credentials from other failures: 401 for a wrong password, 400 for an unknown user or
// a missing password.
func refusal(err error) error {
	var status *upstream.StatusError
	if !errors.As(err, &status) || status.Status != http.StatusUnauthorized && status.Status != http.StatusBadRequest {
		return err
	}
	for _, reason := range reasonsOf(status) {
		switch reason {
		case "INVALID_CREDENTIALS", "NOT_FOUND", "MISSING_PASSWORD", "PASSWORD_NOT_SPECIFIED", "INVALID_USERNAME", "REQUIRED", "INVALID":
			return platform.ErrCredentials
		}
	}
	return err
}

// reasonsOf are the ids of an answer's errors (kolibri/core/utils/exception_handler.py).
func reasonsOf(status *upstream.StatusError) (ids []string) {
	var reasons []struct{ ID string }
	if json.Unmarshal([]byte(status.Text), &reasons) != nil {
		return nil
	}
	for _, r := range reasons {
		if r.ID != "" && strings.Trim(r.ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// Renew implements session.Authority by the heartbeat of Kolibri's pages.
func (a *authority) Renew(ctx context.Context, l login) (login, error) {
	l, p, err := a.current(ctx, l)
	if errors.Is(err, platform.ErrForbidden) || err == nil && p.UserID != l.user {
		return l, session.ErrEnded
	}
	return l, err
}

// current asks whose session it is, which also brings the CSRF token.
func (a *authority) current(ctx context.Context, l login) (login, person, error) {
	var p person
	r, err := upstream.JSON(ctx, http.MethodPut, a.client.URL(sessionPath+"current/", nil), map[string]bool{"active": false})
	if err != nil {
		return l, p, err
	}
	if l.key != "" {
		l.sign(r)
	}
	answer, err := a.client.Do(r)
	if err != nil {
		return l, p, err
	}
	l.read(answer)
	return l, p, upstream.Decode(answer, &p)
}

// read takes over the cookies of an answer.
func (l *login) read(a *http.Response) {
	for _, c := range a.Cookies() {
		switch {
		case c.Name == sessionCookie && c.Value != "" && c.MaxAge >= 0:
			l.key = c.Value
		case c.Name == csrfCookie && c.Value != "":
			l.csrf = c.Value
		}
	}
}
