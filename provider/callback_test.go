package provider_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/provider"
)

// standIn is a Kolibri that signs everybody in whose password is "right" and answers lists of users as a test wants.
type standIn struct {
	*httptest.Server
	signIns, beats, lists atomic.Int64
	users                 atomic.Pointer[http.HandlerFunc]
	password              atomic.Pointer[string]
	session               atomic.Int64 // the number of the session that is good
}

func newStandIn(t testing.TB, users http.HandlerFunc) *standIn {
	k := &standIn{}
	right := "right"
	k.password.Store(&right)
	k.users.Store(&users)
	good := func(r *http.Request) bool {
		c, err := r.Cookie("kolibri")
		return err == nil && c.Value == "session-"+string(rune('a'+k.session.Load()))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /api/auth/session/current/", func(w http.ResponseWriter, r *http.Request) {
		k.beats.Add(1)
		http.SetCookie(w, &http.Cookie{Name: "kolibri_csrftoken", Value: "csrf"})
		w.Header().Set("Content-Type", "application/json")
		if good(r) {
			_, _ = io.WriteString(w, `{"user_id":"u","facility_id":"f","kind":["admin"]}`)
		} else {
			_, _ = io.WriteString(w, `{"user_id":null,"kind":["anonymous"]}`)
		}
	})
	mux.HandleFunc("POST /api/auth/session/", func(w http.ResponseWriter, r *http.Request) {
		k.signIns.Add(1)
		var given map[string]string
		_ = json.NewDecoder(r.Body).Decode(&given)
		w.Header().Set("Content-Type", "application/json")
		if given["password"] != *k.password.Load() {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `[{"id":"INVALID_CREDENTIALS","metadata":{}}]`)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "kolibri", Value: "session-" + string(rune('a'+k.session.Load())), HttpOnly: true})
		_, _ = io.WriteString(w, `{"user_id":"u","facility_id":"f","kind":["admin"]}`)
	})
	mux.HandleFunc("GET /api/auth/facilityuser/", func(w http.ResponseWriter, r *http.Request) {
		k.lists.Add(1)
		w.Header().Set("Content-Type", "application/json")
		if !good(r) { // as a Kolibri does
			_, _ = io.WriteString(w, `{"page":1,"count":0,"total_pages":1,"results":[]}`)
			return
		}
		(*k.users.Load())(w, r)
	})
	k.Server = httptest.NewServer(mux)
	t.Cleanup(k.Close)
	return k
}

func one(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"page":1,"count":1,"total_pages":1,"results":[{"id":"u","username":"lea","full_name":"Lea","roles":[]}]}`)
}

func TestTheProductIsAskedOnce(t *testing.T) {
	k := newStandIn(t, one)
	var s *service
	var calls atomic.Int64
	product := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body, _ := io.ReadAll(r.Body)
		sum := hmac.New(sha256.New, []byte(token))
		sum.Write(body)
		if r.Header.Get(provider.SignatureHeader) != "sha256="+hex.EncodeToString(sum.Sum(nil)) || string(body) != `{"provider_id":"7"}` {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		go func() {
			time.Sleep(100 * time.Millisecond)
			_, _ = s.try("POST", "/api/providers", map[string]any{"id": 7, "type": "kolibri", "base_url": k.URL, "username": "admin", "password": "right"})
		}()
	}))
	defer product.Close()
	s = newService(t, func(c *provider.Config) { c.Callback = product.URL })
	var wait sync.WaitGroup
	answers := make([]string, 200)
	for i := range answers {
		wait.Go(func() {
			if a, err := s.try("GET", "/api/users?id=7", nil); err != nil {
				answers[i] = err.Error()
			} else if a.status != http.StatusOK {
				answers[i] = a.text
			}
		})
	}
	wait.Wait()
	slices.Sort(answers)
	require.Equal(t, []string{""}, slices.Compact(answers), s.log)
	require.EqualValues(t, 1, calls.Load())
	require.EqualValues(t, 1, k.signIns.Load())
	require.EqualValues(t, 1, k.lists.Load(), "all share one answer")
}

func TestAProductThatDoesNotTell(t *testing.T) {
	var calls atomic.Int64
	status := http.StatusNoContent
	product := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if status == http.StatusFound {
			http.Redirect(w, r, "http://127.0.0.1:1/", status)
			return
		}
		w.WriteHeader(status)
	}))
	defer product.Close()
	s := newService(t, func(c *provider.Config) { c.Callback, c.Wait = product.URL, time.Second })
	a := s.get("/api/users?id=7")
	require.Equal(t, http.StatusNotFound, a.status, a.text)
	require.Equal(t, "unknown_provider", a.code())
	for _, status = range []int{http.StatusInternalServerError, http.StatusFound} {
		a = s.get("/api/users?id=7")
		require.Equal(t, http.StatusBadGateway, a.status, a.text)
		require.Equal(t, "callback_failed", a.code())
	}
	require.EqualValues(t, 3, calls.Load())
	product.Close()
	require.Equal(t, "callback_failed", s.get("/api/users?id=7").code())
}

func TestAProductThatHangs(t *testing.T) {
	product := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done() // it never answers, and the service hangs up
	}))
	defer product.Close()
	s := newService(t, func(c *provider.Config) { c.Callback, c.Wait = product.URL, 100*time.Millisecond })
	require.Equal(t, "callback_failed", s.get("/api/users?id=7").code())
}
