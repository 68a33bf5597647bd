package provider_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/provider"
)

func TestProvidersThatAnswerNonsense(t *testing.T) {
	const head = `{"page":1,"count":1,"total_pages":1,"results":[`
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		status int
		code   string
	}{
		"HTML": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>maintenance</html>")
		}, 502, "provider_malformed"},
		"HTML that says it is JSON": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, 502, "provider_malformed"},
		"500":                       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, 502, "provider_unavailable"},
		"429": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(429)
		}, 503, "provider_throttles"},
		"nothing":           {func(http.ResponseWriter, *http.Request) {}, 502, "provider_malformed"},
		"hangs up":          {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 502, "provider_unavailable"},
		"truncated JSON":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, head+`{"id":"u","usern`) }, 502, "provider_malformed"},
		"cut between items": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, head+`{"id":"u"},`) }, 502, "provider_malformed"},
		"other types":       {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, head+`{"id":7}]}`) }, 502, "provider_malformed"},
		"no results":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"page":1}`) }, 502, "provider_malformed"},
		"a number":          {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `7`) }, 502, "provider_malformed"},
		"a redirect into the network": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		}, 403, "provider_forbids"},
		"endless pages of one": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"page":%s,"count":9,"total_pages":1000000000,"results":[]}`, r.URL.Query().Get("page"))
		}, 502, "provider_malformed"},
		"an item that does not end": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, head+`{"id":"`)
			for a := strings.Repeat("a", 1<<20); ; {
				if _, err := io.WriteString(w, a); err != nil {
					return
				}
			}
		}, 502, "provider_malformed"},
		"a member that does not end": {func(w http.ResponseWriter, _ *http.Request) {
			for text := `{"more":"`; ; text = strings.Repeat("a", 1<<20) {
				if _, err := io.WriteString(w, text); err != nil {
					return
				}
			}
		}, 502, "provider_malformed"},
		"a page that does not end": {func(w http.ResponseWriter, _ *http.Request) {
			for text := head; ; text = strings.Repeat(`{"id":"u","username":"lea","full_name":"Lea","roles":[]},`, 1000) {
				if _, err := io.WriteString(w, text); err != nil {
					return
				}
			}
		}, 502, "provider_malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newStandIn(t, test.answer)
			s := newService(t, func(c *provider.Config) { c.CacheBytes = 500_000 })
			s.register("1", k.URL, "admin", "right")
			a := s.get("/api/users?id=1")
			require.Equal(t, test.status, a.status, a.text)
			require.Equal(t, test.code, a.code(), a.text)
			if test.status == 503 {
				require.NotEmpty(t, a.header.Get("Retry-After"))
			}
			require.NotContains(t, s.log.String(), "right", "no secret is logged")
			// the provider recovers, and so do its callers
			fine := http.HandlerFunc(one)
			k.users.Store(&fine)
			if test.code != "provider_throttles" {
				require.Len(t, s.get("/api/users?id=1").items(t), 1)
			}
		})
	}
}

func TestAProviderThatFailsIsLeftAlone(t *testing.T) {
	k := newStandIn(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	s := newService(t)
	s.register("1", k.URL, "admin", "right")
	for range 20 {
		require.GreaterOrEqual(t, s.get("/api/users?id=1").status, 500)
	}
	require.LessOrEqual(t, k.lists.Load(), int64(6))
	a := s.get("/api/users?id=1")
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Contains(t, s.get("/metrics").text, `provider_breaker_open{provider="1"} 1`)
	require.Contains(t, s.get("/api/providers/1").text, `"breaker":"open"`)
}

func TestWrongCredentialsAreTriedOnce(t *testing.T) {
	k := newStandIn(t, one)
	s := newService(t)
	s.register("1", k.URL, "admin", "wrong-password")
	for range 5 {
		a := s.get("/api/users?id=1")
		require.Equal(t, http.StatusBadGateway, a.status, a.text)
		require.Equal(t, "credentials_refused", a.code())
	}
	require.EqualValues(t, 1, k.signIns.Load())
	require.NotContains(t, s.log.String(), "wrong-password")
	s.register("1", k.URL, "admin", "right")
	require.Len(t, s.get("/api/users?id=1").items(t), 1, "new details are used at once")
}

func TestCredentialsThatStopWorking(t *testing.T) {
	k := newStandIn(t, one)
	s := newService(t)
	s.register("1", k.URL, "admin", "right")
	require.Len(t, s.get("/api/users?id=1").items(t), 1)
	changed := "changed"
	k.password.Store(&changed)
	require.Len(t, s.get("/api/users?id=1", "Cache-Control", "no-cache").items(t), 1, "the session is good still")
	k.session.Add(1) // and now it has ended: lists are empty without a word
	a := s.get("/api/users?id=1", "Cache-Control", "no-cache")
	require.Equal(t, "credentials_refused", a.code(), a.text)
	require.EqualValues(t, 2, k.signIns.Load())
	s.register("1", k.URL, "admin", "changed")
	require.Len(t, s.get("/api/users?id=1").items(t), 1)
}

func TestAnEndedSessionIsNotTakenForAnEmptySchool(t *testing.T) {
	k := newStandIn(t, one)
	s := newService(t)
	s.register("1", k.URL, "admin", "right")
	require.Len(t, s.get("/api/users?id=1").items(t), 1)
	k.session.Add(1)
	require.Len(t, s.get("/api/users?id=1", "Cache-Control", "no-cache").items(t), 1)
	require.EqualValues(t, 2, k.signIns.Load())
}

// school answers with pages of many users.
func school(total int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page, size := 1, 500
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
		_, _ = fmt.Sscan(r.URL.Query().Get("page_size"), &size)
		pages := max((total+size-1)/size, 1)
		fmt.Fprintf(w, `{"page":%d,"count":%d,"total_pages":%d,"results":[`, page, total, pages)
		for i := (page - 1) * size; i < min(page*size, total); i++ {
			if i > (page-1)*size {
				_, _ = io.WriteString(w, ",")
			}
			role := ""
			if i%10 == 0 {
				role = `{"kind":"coach"}`
			}
			fmt.Fprintf(w, `{"id":"%032d","username":"user%06d","full_name":"Somebody %d","roles":[%s]}`, i, i, i, role)
		}
		_, _ = io.WriteString(w, "]}")
	}
}

func TestListsHavePages(t *testing.T) {
	k := newStandIn(t, school(95))
	s := newService(t)
	s.register("1", k.URL, "admin", "right")
	for _, test := range []struct {
		query string
		items int
	}{{"limit=10", 95}, {"limit=7", 95}, {"limit=1000", 95}, {"limit=3&role=coach", 10}, {"limit=40&search=user00001", 10}} {
		seen := map[string]bool{}
		cursor := ""
		for pages := 0; ; pages++ {
			require.Less(t, pages, 100)
			a := s.get("/api/users?id=1&" + test.query + cursor)
			var v struct {
				Items []struct{ ID string }
				Next  *string
			}
			require.Equal(t, http.StatusOK, a.status, a.text)
			a.read(t, &v)
			for _, item := range v.Items {
				require.False(t, seen[item.ID], "twice: %s", item.ID)
				seen[item.ID] = true
			}
			if v.Next == nil {
				break
			}
			cursor = "&cursor=" + *v.Next
			require.Equal(t, http.StatusBadRequest, s.get("/api/courses?id=1"+cursor).status, "a cursor is good for its own list")
		}
		require.Len(t, seen, test.items, test.query)
	}
}

func TestAnswersThatHaveNotChanged(t *testing.T) {
	k := newStandIn(t, one)
	s := newService(t, func(c *provider.Config) { c.Fresh = time.Nanosecond })
	s.register("1", k.URL, "admin", "right")
	first := s.get("/api/users?id=1")
	etag := first.header.Get("ETag")
	require.NotEmpty(t, etag)
	same := s.get("/api/users?id=1", "If-None-Match", etag)
	require.Equal(t, http.StatusNotModified, same.status)
	require.Empty(t, same.text)
	other := http.HandlerFunc(school(3))
	k.users.Store(&other)
	changed := s.get("/api/users?id=1", "If-None-Match", etag)
	require.Equal(t, http.StatusOK, changed.status)
	require.NotEqual(t, etag, changed.header.Get("ETag"))
}

func TestALongListIsSentWhileItComes(t *testing.T) {
	hold := make(chan struct{})
	pages := school(20_000)
	k := newStandIn(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "40" {
			<-hold
		}
		pages(w, r)
	})
	s := newService(t)
	s.register("1", k.URL, "admin", "right")
	r, err := http.NewRequest(http.MethodGet, s.http.URL+"/api/users?id=1", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", token)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	begin := make([]byte, 1000)
	_, err = io.ReadFull(res.Body, begin)
	require.NoError(t, err, "it begins before the provider has told its end")
	close(hold)
	rest, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, 20_000, strings.Count(string(begin)+string(rest), `"username"`))
	require.NotEmpty(t, s.get("/api/users?id=1").header.Get("ETag"), "once it is whole it has its ETag")
}

func TestALongListThatFailsIsNotTakenForWhole(t *testing.T) {
	pages := school(20_000)
	k := newStandIn(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "40" {
			time.Sleep(200 * time.Millisecond)
			panic(http.ErrAbortHandler)
		}
		pages(w, r)
	})
	s := newService(t)
	s.register("1", k.URL, "admin", "right")
	a, err := s.try("GET", "/api/users?id=1", nil)
	if err == nil {
		require.Equal(t, http.StatusBadGateway, a.status, "slow machines see the failure before the beginning is sent")
	}
}
