package auth

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"kolibri/core/api"
	"kolibri/store"
)

// SessionAge is how long a session lives after its last change
// (kolibri/deployment/default/settings/base.py: SESSION_COOKIE_AGE).
const SessionAge = 1200 * time.Second

// CSRFCookie is the cookie that carries the CSRF token to the page's scripts.
const CSRFCookie = "kolibri_csrftoken"

// LoadSession finds the session of a cookie's value. An unknown or expired key, and the key of a
// user who is gone or was deleted, give a fresh session.
func LoadSession(tx *store.Tx, key string) (*api.Session, error) {
	if key == "" || len(key) > 40 {
		return api.NewSession(), nil
	}
	var data string
	var user *string
	err := tx.QueryRow(`SELECT s.session_data, u.id FROM kolibriauth_session s LEFT JOIN kolibriauth_facilityuser u
		ON u.id = s.user_id AND u.date_deleted IS NULL
		WHERE s.session_key = ? AND s.expire_date > ? AND (s.user_id IS NULL OR u.id IS NOT NULL)`, key, tx.Now()).Scan(&data, &user)
	if errors.Is(err, store.ErrNotFound) {
		s := api.NewSession()
		s.Unknown = true
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	// data of another program's making (a real Kolibri's home) is a session we cannot read: a fresh one
	if json.Unmarshal([]byte(data), &values) != nil {
		return api.NewSession(), nil
	}
	id := ""
	if user != nil {
		id = *user
	}
	return api.LoadSession(key, id, values), nil
}

// SaveSession writes a changed session, under a new key where the request renewed it, and deletes
// an ended one. It does nothing for an unchanged session.
func SaveSession(tx *store.Tx, s *api.Session, random io.Reader) error {
	old := s.Key
	if s.Flushed || s.Renewed {
		if old != "" {
			if _, err := tx.Exec("DELETE FROM kolibriauth_session WHERE session_key = ?", old); err != nil {
				return err
			}
		}
		s.Key = ""
	}
	if !s.Modified {
		return nil
	}
	if s.Key == "" {
		key, err := Token(random, 32, lowerDigits)
		if err != nil {
			return err
		}
		s.Key = key
	}
	data, err := json.Marshal(s.Values())
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO kolibriauth_session (session_key, session_data, expire_date, user_id) VALUES (?, ?, ?, ?)
		ON CONFLICT (session_key) DO UPDATE SET session_data = excluded.session_data, expire_date = excluded.expire_date, user_id = excluded.user_id`,
		s.Key, string(data), tx.Now().Add(SessionAge), store.Null(s.UserID))
	return err
}

// DeleteSessions ends all sessions of these users, as when an account is deleted or a password changes.
func DeleteSessions(tx *store.Tx, users []string) error {
	_, err := tx.Exec("DELETE FROM kolibriauth_session WHERE user_id IN ?", store.In(users))
	return err
}

const (
	lowerDigits = "abcdefghijklmnopqrstuvwxyz0123456789"
	alphaDigits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// Token draws n characters of an alphabet without bias.
func Token(random io.Reader, n int, alphabet string) (string, error) {
	out := make([]byte, 0, n)
	limit := byte(256 - 256%len(alphabet))
	buf := make([]byte, 2*n)
	for len(out) < n {
		if _, err := io.ReadFull(random, buf); err != nil {
			return "", err
		}
		for _, b := range buf {
			if (limit == 0 || b < limit) && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out), nil
}

// NewCSRFCookie makes a fresh CSRF token's cookie.
func NewCSRFCookie(random io.Reader, path string) (*api.Cookie, error) {
	token, err := Token(random, 64, alphaDigits)
	if err != nil {
		return nil, err
	}
	return CSRFCookieFor(token, path), nil
}

// CSRFCookieFor is the cookie of a token; scripts may read it, it lives for a year.
func CSRFCookieFor(token, path string) *api.Cookie {
	return &api.Cookie{Name: CSRFCookie, Value: token, Path: path, MaxAge: 31449600, SameSite: 2}
}
