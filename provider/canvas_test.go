package provider_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/provider"
)

// canvas is a stand-in for a Canvas, after its public documentation: https://canvas.instructure.com/doc/api/
type canvas struct {
	*httptest.Server
	mu        sync.Mutex
	tokens    map[string]time.Time // that are good, until when
	refreshes int
	throttle  int // of the next requests
	revoked   bool
	life      int // seconds of a token
	elsewhere bool
}

func newCanvas(t testing.TB) *canvas {
	c := &canvas{tokens: map[string]time.Time{"admin-token": time.Now().Add(time.Hour)}, life: 3600}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login/oauth2/token", c.token)
	api := http.NewServeMux()
	api.HandleFunc("GET /api/v1/users/self", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":1,"name":"Self"}`) })
	api.HandleFunc("GET /api/v1/accounts/self/users", c.pages(25, func(i int) string {
		return fmt.Sprintf(`{"id":%d,"name":"Person %d","login_id":"person%d","sis_user_id":null,"email":"p%d@example.org","created_at":"2026-01-02T03:04:05Z"}`, i, i, i, i)
	}))
	courses := c.pages(3, func(i int) string {
		return fmt.Sprintf(`{"id":%d,"name":"Course %d","public_description":null,"locale":"en","created_at":"2026-01-02T03:04:05Z"}`, 100+i, i)
	})
	api.HandleFunc("GET /api/v1/accounts/self/courses", courses)
	api.HandleFunc("GET /api/v1/courses", c.pages(1, func(int) string { return `{"id":101,"name":"Course 1"}` }))
	api.HandleFunc("GET /api/v1/courses/{id}/modules", c.pages(1, func(int) string {
		return `{"id":5,"name":"Week 1","items":[{"id":6,"title":"Read","type":"File","content_id":60,"html_url":"https://canvas.example/6"}]}`
	}))
	api.HandleFunc("GET /api/v1/courses/{id}/enrollments", func(w http.ResponseWriter, r *http.Request) {
		c.pages(2, func(i int) string {
			kind := map[int]string{1: "StudentEnrollment", 2: "TeacherEnrollment"}[i]
			return fmt.Sprintf(`{"id":%d,"course_id":%s,"user_id":%d,"type":%q,"enrollment_state":"active","last_activity_at":"2026-02-01T00:00:00Z","total_activity_time":90,"created_at":"2026-01-01T00:00:00Z"}`,
				i, r.PathValue("id"), i, kind)
		})(w, r)
	})
	api.HandleFunc("GET /api/v1/courses/{id}/students/submissions", c.pages(2, func(i int) string {
		return fmt.Sprintf(`{"id":%d,"user_id":1,"score":%d,"workflow_state":%q,"submitted_at":"2026-02-01T00:00:00Z","graded_at":"2026-02-02T00:00:00Z","assignment":{"id":9,"name":"Essay","points_possible":10}}`,
			i, 5*i, map[int]string{1: "graded", 2: "unsubmitted"}[i])
	}))
	api.HandleFunc("GET /api/v1/users/{id}/page_views", c.pages(1, func(int) string {
		return `{"id":"127cfc8e","created_at":"2026-02-01T00:00:00Z","interaction_seconds":12.5,"url":"https://canvas.example/x","controller":"files","links":{"context":101}}`
	}))
	api.HandleFunc("POST /api/v1/accounts/self/users", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":26,"name":"New"}`) })
	api.HandleFunc("DELETE /api/v1/courses/{id}/enrollments/{e}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) })
	mux.HandleFunc("/api/v1/", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		ends, known := c.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		throttled := c.throttle > 0
		c.throttle--
		c.mu.Unlock()
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		switch {
		case throttled:
			w.Header().Set("X-Rate-Limit-Remaining", "0.0")
			w.Header().Set("Retry-After", "0.05")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "403 Forbidden (Rate Limit Exceeded)")
		case !known || time.Now().After(ends):
			w.Header().Set("WWW-Authenticate", `Bearer realm="canvas-lms"`)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"errors":[{"message":"Invalid access token."}]}`)
		default:
			w.Header().Set("X-Rate-Limit-Remaining", "599.5")
			w.Header().Set("X-Request-Cost", "0.1")
			api.ServeHTTP(w, r)
		}
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

func (c *canvas) token(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	refuse := func(reason string) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":%q,"error_description":"no"}`, reason)
	}
	switch {
	case r.FormValue("client_id") != "client" || r.FormValue("client_secret") != "client-secret":
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
	case r.FormValue("grant_type") == "authorization_code" && r.FormValue("code") == "code-of-lea" && strings.HasPrefix(r.FormValue("redirect_uri"), "https://service.example/"):
		c.tokens["lea-0"] = time.Now().Add(time.Duration(c.life) * time.Second)
		fmt.Fprintf(w, `{"access_token":"lea-0","token_type":"Bearer","user":{"id":1,"name":"Lea"},"refresh_token":"refresh-lea","expires_in":%d}`, c.life)
	case r.FormValue("grant_type") == "refresh_token" && r.FormValue("refresh_token") == "refresh-lea" && !c.revoked:
		c.refreshes++
		made := fmt.Sprint("lea-", c.refreshes)
		c.tokens[made] = time.Now().Add(time.Hour)
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, made)
	default:
		refuse("invalid_grant")
	}
}

// pages answers a list with Link headers.
func (c *canvas) pages(total int, item func(i int) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page, size := 1, 10
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
		_, _ = fmt.Sscan(r.URL.Query().Get("per_page"), &size)
		u := *r.URL
		u.Scheme, u.Host = "http", r.Host
		if c.elsewhere {
			u.Host = "127.0.0.1:1"
		}
		link := func(page int, rel string) string {
			q := u.Query()
			q.Set("page", strconv.Itoa(page))
			u.RawQuery = q.Encode()
			return fmt.Sprintf(`<%s>; rel=%q`, u.String(), rel)
		}
		links := []string{link(page, "current")}
		if page*size < total {
			links = append(links, link(page+1, "next"))
		}
		w.Header().Set("Link", strings.Join(append(links, link(1, "first")), ","))
		var items []string
		for i := (page-1)*size + 1; i <= min(page*size, total); i++ {
			items = append(items, item(i))
		}
		fmt.Fprintf(w, "[%s]", strings.Join(items, ","))
	}
}

func (s *service) registerCanvas(fields map[string]any) {
	s.t.Helper()
	fields["id"], fields["type"] = "c", "canvas"
	a := s.do("POST", "/api/providers", fields)
	require.Equal(s.t, http.StatusCreated, a.status, a.text)
	require.NotContains(s.t, a.text, "client-secret")
	require.NotContains(s.t, a.text, "admin-token")
}

func TestACanvasIsListed(t *testing.T) {
	c := newCanvas(t)
	s := newService(t)
	s.registerCanvas(map[string]any{"base_url": c.URL, "access_token": "admin-token"})
	for path, items := range map[string]int{
		"users?id=c": 25, "courses?id=c": 3, "content?id=c": 6, "content?id=c&course_id=101": 2, "content?id=c&kind=document": 3,
		"enrolments?id=c": 6, "enrolments?id=c&role=coach": 3, "milestones?id=c": 3, "activity?id=c": 6, "activity?id=c&user_id=1": 1,
		"users?id=c&search=person7": 1, "enrolments?id=c&course_id=x": 0,
	} {
		require.Len(t, s.get("/api/"+path).items(t), items, path)
	}
	require.InDelta(t, 0.5, s.get("/api/milestones?id=c").items(t)[0]["progress"], 0.001)
	seen := 0
	for cursor := ""; ; {
		var v struct {
			Items []map[string]any
			Next  *string
		}
		s.get("/api/users?id=c&limit=10"+cursor).read(t, &v)
		seen += len(v.Items)
		if v.Next == nil {
			break
		}
		cursor = "&cursor=" + *v.Next
	}
	require.Equal(t, 25, seen)
	a := s.do("POST", "/api/users?id=c", map[string]string{"username": "new", "name": "New"})
	require.Equal(t, http.StatusCreated, a.status, a.text)
	require.Equal(t, http.StatusNoContent, s.do("DELETE", "/api/enrolments/101-1?id=c", nil).status)
	require.Equal(t, http.StatusNotFound, s.do("DELETE", "/api/enrolments/x?id=c", nil).status)
	require.Equal(t, "not_supported", s.do("POST", "/api/milestones?id=c", map[string]string{}).code())
}

func TestACanvasThatAsksForLess(t *testing.T) {
	c := newCanvas(t)
	s := newService(t)
	s.registerCanvas(map[string]any{"base_url": c.URL, "access_token": "admin-token"})
	require.Len(t, s.get("/api/courses?id=c").items(t), 3)
	c.mu.Lock()
	c.throttle = 3
	c.mu.Unlock()
	require.Len(t, s.get("/api/users?id=c").items(t), 25, "it waits and goes on")
	c.mu.Lock()
	c.throttle = 1000
	c.mu.Unlock()
	a := s.get("/api/enrolments?id=c")
	require.Equal(t, http.StatusServiceUnavailable, a.status, a.text)
	require.Equal(t, "provider_throttles", a.code())
	require.NotEmpty(t, a.header.Get("Retry-After"))
}

func TestACanvasWhoseNextPageIsElsewhere(t *testing.T) {
	c := newCanvas(t)
	c.elsewhere = true
	s := newService(t)
	s.registerCanvas(map[string]any{"base_url": c.URL, "access_token": "admin-token"})
	require.Equal(t, "provider_malformed", s.get("/api/users?id=c&limit=10").code())
}

func TestUsersGiveAccessToACanvas(t *testing.T) {
	c := newCanvas(t)
	c.life = 60 // less than what a session needs, so that it is exchanged at once
	s := newService(t, func(c *provider.Config) { c.PublicURL = "https://service.example/" })
	s.registerCanvas(map[string]any{"base_url": c.URL, "client_id": "client", "client_secret": "client-secret"})
	require.Equal(t, "consent_needed", s.get("/api/courses?id=c&user=lea").code())

	asked := s.do("POST", "/api/oauth?id=c", map[string]string{"user": "lea", "return": "https://product.example/done"})
	require.Equal(t, http.StatusOK, asked.status, asked.text)
	var v struct{ URL string }
	asked.read(t, &v)
	u, err := url.Parse(v.URL)
	require.NoError(t, err)
	require.Equal(t, "/login/oauth2/auth", u.Path)
	require.Equal(t, "https://service.example/api/oauth/callback", u.Query().Get("redirect_uri"))
	require.NotContains(t, v.URL, "secret")

	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	visit := func(query string) *http.Response {
		res, err := browser.Get(s.http.URL + "/api/oauth/callback?" + query)
		require.NoError(t, err)
		res.Body.Close()
		return res
	}
	state := u.Query().Get("state")
	require.Equal(t, http.StatusBadRequest, visit("code=code-of-lea&state=guessed").StatusCode)
	back := visit("code=code-of-lea&state=" + state)
	require.Equal(t, http.StatusSeeOther, back.StatusCode)
	require.Equal(t, "https://product.example/done", back.Header.Get("Location"))
	require.Equal(t, http.StatusBadRequest, visit("code=code-of-lea&state="+state).StatusCode, "a state serves once")

	require.Len(t, s.get("/api/courses?id=c&user=lea").items(t), 1, "her own courses")
	require.Equal(t, 1, c.refreshes)
	require.Equal(t, "consent_needed", s.get("/api/courses?id=c&user=leo").code())

	c.mu.Lock()
	delete(c.tokens, "lea-1") // taken back early
	c.mu.Unlock()
	require.Len(t, s.get("/api/courses?id=c&user=lea", "Cache-Control", "no-cache").items(t), 1)
	require.Equal(t, 2, c.refreshes)
	c.mu.Lock()
	delete(c.tokens, "lea-2")
	c.revoked = true
	c.mu.Unlock()
	require.Equal(t, "consent_needed", s.get("/api/courses?id=c&user=lea", "Cache-Control", "no-cache").code())
	require.NotContains(t, s.log.String(), "refresh-lea")
}

func TestUsersWhoGaveNoAccessLeaveNothingBehind(t *testing.T) {
	c := newCanvas(t)
	s := newService(t, func(c *provider.Config) { c.PublicURL = "https://service.example/" })
	s.registerCanvas(map[string]any{"base_url": c.URL, "client_id": "client", "client_secret": "client-secret"})
	var wait sync.WaitGroup
	codes := make([]string, 60)
	for i := range codes {
		wait.Go(func() {
			if a, err := s.try("GET", fmt.Sprintf("/api/courses?id=c&user=nobody%d", i%20), nil); err == nil {
				codes[i] = a.code()
			}
		})
	}
	wait.Wait()
	for _, code := range codes {
		require.Equal(t, "consent_needed", code)
	}
	require.Contains(t, s.get("/api/providers/c").text, `"state":"0 users' sessions"`)
}
