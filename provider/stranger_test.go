package provider_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/provider"
	"kolibri/server/servertest"
)

// What a stranger tries who has nothing but the documentation.

func TestIdsOfProviders(t *testing.T) {
	s := newService(t)
	for id, status := range map[string]int{`7`: 201, `"7"`: 201, `"a.b-c_D"`: 201, `"\u0061"`: 201, `null`: 400, `true`: 400, `1.5`: 400, `1e3`: 400, `-4`: 400, `""`: 400,
		`"x y"`: 400, `"ключ"`: 400, `[1]`: 400, `{}`: 400, `"` + strings.Repeat("a", 65) + `"`: 400, `"../7"`: 400} {
		a := s.do("POST", "/api/providers", `{"id":`+id+`,"type":"kolibri","base_url":"`+s.http.URL+`","username":"a","password":"b"}`)
		require.Equal(t, status, a.status, "%s: %s", id, a.text)
	}
	var ids []any
	for _, p := range s.get("/api/providers").items(t) {
		ids = append(ids, p["id"])
	}
	require.ElementsMatch(t, []any{"7", "a.b-c_D", "a"}, ids)
}

func TestMethodsThatAnAddressHasNot(t *testing.T) {
	s := newService(t, func(c *provider.Config) { c.DataDir = t.TempDir() })
	for at, allowed := range map[string]string{"PUT /api/users?id=1": "GET, HEAD, POST", "DELETE /api/users?id=1": "GET, HEAD, POST", "GET /api/users/1?id=1": "DELETE",
		"PATCH /api/providers": "GET, HEAD, POST", "PUT /api/providers/1": "GET, HEAD, DELETE", "POST /openapi.json": "GET, HEAD", "OPTIONS /api/search": "GET, HEAD, POST",
		"GET /api/people/suggestions/1": "PUT", "POST /healthz": "GET, HEAD"} {
		method, path, _ := strings.Cut(at, " ")
		a := s.do(method, path, nil)
		require.Equal(t, http.StatusMethodNotAllowed, a.status, at)
		require.Equal(t, allowed, a.header.Get("Allow"), at)
		require.Equal(t, "method_not_allowed", a.code(), at)
		require.Equal(t, http.StatusUnauthorized, s.do(method, path, nil, "Authorization", "wrong").status, at)
	}
	require.Equal(t, http.StatusNotFound, s.do("PUT", "/nothing", nil).status)
}

func TestBodiesThatAreTooLarge(t *testing.T) {
	s := newService(t, func(c *provider.Config) { c.DataDir = t.TempDir() })
	huge := `{"id":"` + strings.Repeat("a", 2<<20) + `"}`
	for _, at := range []string{"/api/providers", "/api/users?id=1", "/api/oauth?id=1", "/api/people/match"} {
		a := s.do("POST", at, huge)
		require.Equal(t, http.StatusRequestEntityTooLarge, a.status, "%s: %s", at, a.text)
	}
	deep := strings.Repeat(`{"id":`, 20_000)
	require.Equal(t, http.StatusBadRequest, s.do("POST", "/api/providers", deep).status)
}

func TestListsAreAskedForInPieces(t *testing.T) {
	k := newStandIn(t, school(3))
	s := newService(t)
	s.register("1", k.URL, "admin", "right")
	whole := s.get("/api/users?id=1")
	part := s.get("/api/users?id=1", "Range", "bytes=2-6")
	require.Equal(t, http.StatusPartialContent, part.status)
	require.Equal(t, whole.text[2:7], part.text)
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, s.get("/api/users?id=1", "Range", "bytes=99999-").status)
	head := s.do("HEAD", "/api/users?id=1", nil)
	require.Equal(t, http.StatusOK, head.status)
	require.Empty(t, head.text)
	require.Equal(t, whole.header.Get("ETag"), head.header.Get("ETag"))
	require.Equal(t, fmt.Sprint(len(whole.text)), head.header.Get("Content-Length"))
}

// TestValuesThatAreNobodys asks this project's server, and so the rules, for what is not there: no answer may be
// taken for the platform's failure, which would have it left alone.
func TestValuesThatAreNobodys(t *testing.T) {
	w := servertest.NewWorld(t)
	s := newService(t, func(c *provider.Config) { c.DataDir = t.TempDir() })
	s.register("1", w.HTTP.URL, "superuser", servertest.Password)
	for _, filter := range []string{"users?search=", "content?parent_id=", "content?course_id=", "enrolments?user_id=", "enrolments?course_id=", "milestones?user_id=", "activity?content_id="} {
		for _, value := range []string{"x", "'", "\xff", "\x00", "😀", "%", strings.Repeat("0", 32), strings.Repeat("F", 32), "../../x", "1&id=2"} {
			a := s.get("/api/" + filter + url.QueryEscape(value) + "&id=1")
			require.Empty(t, a.items(t), "%s%s: %s", filter, value, a.text)
		}
	}
	class, learner := w.IDs["class_a"], w.IDs["learner"]
	for _, body := range []string{`{}`, `{"user_id":"x","course_id":"y"}`, `{"user_id":"` + class + `","course_id":"` + learner + `"}`,
		`{"user_id":"` + learner + `","course_id":"` + class + `"}`, `{"user_id":"` + learner + `","course_id":"` + class + `","role":"boss"}`} {
		require.Equal(t, http.StatusBadRequest, s.do("POST", "/api/enrolments?id=1", body).status, body)
	}
	for _, item := range []string{"x", "membership-x", "role-" + strings.Repeat("0", 32), strings.Repeat("0", 32), "%2e%2e%2fusers", "%00"} {
		for _, object := range []string{"users", "courses", "enrolments"} {
			require.Equal(t, http.StatusNotFound, s.do("DELETE", "/api/"+object+"/"+item+"?id=1", nil).status, "%s %s", object, item)
		}
	}
	for _, file := range []string{"/api/auth/facilityuser/", "/x/../api/auth/facilityuser/", "/%61pi/auth/facilityuser/", "/device/api/deviceinfo/", w.HTTP.URL + "/api/auth/facilityuser/"} {
		require.Equal(t, http.StatusBadRequest, s.get("/api/media?id=1&url="+url.QueryEscape(file)).status, "%s is no file", file)
	}
	require.Contains(t, s.get("/api/providers/1").text, `"breaker":"closed"`)
}

// TestAProviderChangesWhileItIsUsed has details come, change and go under callers: each answer is one or the other's.
func TestAProviderChangesWhileItIsUsed(t *testing.T) {
	k := newStandIn(t, one)
	s := newService(t)
	var wait sync.WaitGroup
	problems := make(chan string, 1000)
	for range 8 {
		wait.Go(func() {
			for range 20 {
				if a, err := s.try("POST", "/api/providers", map[string]any{"id": 1, "type": "kolibri", "base_url": k.URL, "username": "admin", "password": "right"}); err != nil || a.status != 201 {
					problems <- fmt.Sprint("telling: ", a, err)
				}
			}
		})
		wait.Go(func() {
			for i := range 20 {
				a, err := s.try("GET", "/api/users?id=1&search=le", nil, "Cache-Control", "no-cache")
				switch {
				case err != nil:
					problems <- err.Error()
				case a.status == 200 || a.code() == "unknown_provider" || a.code() == "provider_changed":
				default:
					problems <- a.text
				}
				if i%7 == 0 {
					if a, err := s.try("DELETE", "/api/providers/1", nil); err != nil || a.status != 204 && a.status != 404 {
						problems <- fmt.Sprint("forgetting: ", a, err)
					}
				}
			}
		})
	}
	wait.Wait()
	close(problems)
	for p := range problems {
		require.Empty(t, p)
	}
	s.register("1", k.URL, "admin", "right")
	require.Len(t, s.get("/api/users?id=1").items(t), 1)
	require.Len(t, s.get("/api/providers").items(t), 1)
}
