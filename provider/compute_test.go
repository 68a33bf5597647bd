//go:build unix

package provider_test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"image"
	imagepng "image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/provider"
	"kolibri/provider/extract"
	"kolibri/server/servertest"
)

// TestMain makes the test program the one that reads documents.
func TestMain(m *testing.M) {
	if extract.IsChild() {
		os.Exit(extract.Child())
	}
	os.Exit(m.Run())
}

// page is the file of a document.
const page = "<html><p>Magma rises <b>slowly</b></p></html>"

// library is a school with a channel, known to a service under two names.
func library(t *testing.T) *service {
	school := &servertest.School{Server: servertest.NewWorld(t).Server}
	school.Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Volcanoes of Kenya", Kind: "video", Lang: "en"}, {Title: "البراكين", Kind: "document", Lang: "ar"}}})
	var picture bytes.Buffer
	require.NoError(t, imagepng.Encode(&picture, image.NewGray(image.Rect(0, 0, 12, 8))))
	school.Exec(t, "UPDATE content_channelmetadata SET thumbnail = ?", "data:image/png;base64,"+base64.StdEncoding.EncodeToString(picture.Bytes()))
	s := newService(t, func(c *provider.Config) {
		c.DataDir, c.Extract, c.PublicURL = t.TempDir(), []string{os.Args[0]}, "https://public.example"
	})
	// files are the host's part, as in cmd/kolibri
	sum := md5.Sum([]byte(page))
	name := hex.EncodeToString(sum[:])
	school.Exec(t, "INSERT INTO content_localfile (id, available, file_size, extension) VALUES (?, TRUE, ?, 'html')", name, len(page))
	school.Exec(t, "UPDATE content_file SET local_file_id = ? WHERE contentnode_id = ? AND NOT thumbnail", name, servertest.ID("البراكين"))
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/"+name+".html") {
			_, _ = w.Write([]byte(page))
			return
		}
		school.ServeHTTP(w, r)
	}))
	t.Cleanup(host.Close)
	for _, id := range []string{"1", "2"} {
		s.register(id, host.URL, "superuser", servertest.Password)
	}
	return s
}

func TestHeavyWorkIsTakenOffTheProduct(t *testing.T) {
	s := library(t)

	t.Run("nothing but pictures without the token", func(t *testing.T) {
		for _, at := range []string{"GET /api/media?id=1&url=/x", "GET /api/search?q=a", "POST /api/search?id=1", "POST /api/people/match",
			"GET /api/people/suggestions", "PUT /api/people/suggestions/1", "GET /api/people/same?id=1&user=a"} {
			method, path, _ := strings.Cut(at, " ")
			require.Equal(t, http.StatusUnauthorized, s.do(method, path, nil, "Authorization", "wrong").status, at)
		}
	})

	t.Run("pictures", func(t *testing.T) {
		courses := s.get("/api/courses?id=1&kind=channel").items(t)
		require.Len(t, courses, 1)
		icon := courses[0]["icon_url"].(string)
		require.Regexp(t, `^https://public\.example/pictures/[0-9a-f]{64}\.png$`, icon)
		u, err := url.Parse(icon)
		require.NoError(t, err)
		a := s.get(u.Path, "Authorization", "")
		require.Equal(t, http.StatusOK, a.status)
		config, err := imagepng.DecodeConfig(strings.NewReader(a.text))
		require.NoError(t, err)
		require.Equal(t, 12, config.Width)
		require.Equal(t, http.StatusNotModified, s.get(u.Path, "If-None-Match", a.header.Get("ETag")).status)
	})

	t.Run("search", func(t *testing.T) {
		require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, "/api/search?id=1", nil).status)
		var found struct {
			Results []struct{ Title, Provider string }
			Count   int
		}
		for _, q := range []string{"volcano", "البراكين"} {
			a := s.get("/api/search?id=1&q=" + url.QueryEscape(q))
			require.Equal(t, http.StatusOK, a.status, a.text)
			a.read(t, &found)
			require.Equal(t, 1, found.Count, q)
			require.Contains(t, found.Results[0].Title, "<mark>")
		}
		require.Eventually(t, func() bool { // texts follow
			s.get("/api/search?q=magma").read(t, &found)
			return found.Count == 1
		}, time.Minute, 20*time.Millisecond)
		for _, bad := range []string{"q=", "q=%22%22", "q=a&page=0", "q=a&page=x", "q=a&page=999999999999", "q=a&id=..%2F"} {
			require.Equal(t, http.StatusBadRequest, s.get("/api/search?"+bad).status, bad)
		}
		require.Equal(t, http.StatusBadRequest, s.do(http.MethodPost, "/api/search", nil).status)
	})

	t.Run("files", func(t *testing.T) {
		for _, item := range s.get("/api/content?id=1&kind=document").items(t) {
			file := item["files"].([]any)[0].(map[string]any)
			at := "/api/media?id=1&url=" + url.QueryEscape(file["url"].(string)) + "&md5=" + file["checksum"].(string)
			require.Equal(t, page, s.get(at).text)
			part := s.get(at, "Range", "bytes=9-13")
			require.Equal(t, http.StatusPartialContent, part.status)
			require.Equal(t, "Magma", part.text)
		}
		for _, bad := range []string{"id=1", "url=/x", "id=..&url=/x", "id=1&url=/x&md5=zz"} {
			require.Equal(t, http.StatusBadRequest, s.get("/api/media?"+bad).status, bad)
		}
		require.Equal(t, http.StatusNotFound, s.get("/api/media?id=1&url=/nothing/at/all").status)
		for _, inside := range []string{"http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "file:///etc/passwd", "http://[::1]/", "gopher://x/"} {
			a := s.get("/api/media?id=1&url=" + url.QueryEscape(inside))
			require.Equal(t, http.StatusBadRequest, a.status, inside)
		}
	})

	t.Run("files that lead elsewhere", func(t *testing.T) {
		elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			to, leads := map[string]string{"/metadata": "http://169.254.169.254/latest/meta-data", "/inside": "http://[::1]:1/", "/round": "/round"}[r.URL.Path]
			if !leads { // whose session it is
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"id":1}`)
				return
			}
			http.Redirect(w, r, to, http.StatusFound)
		}))
		defer elsewhere.Close()
		made := s.do(http.MethodPost, "/api/providers", map[string]any{"id": "e", "type": "canvas", "base_url": elsewhere.URL, "access_token": "x"})
		require.Equal(t, http.StatusCreated, made.status)
		for path, code := range map[string]string{"/metadata": "provider_forbids", "/inside": "provider_forbids", "/round": "provider_unavailable"} {
			require.Equal(t, code, s.get("/api/media?id=e&url="+path).code(), path)
		}
	})

	t.Run("people", func(t *testing.T) {
		a := s.do(http.MethodPost, "/api/people/match", map[string]any{"providers": []any{1, "2"}})
		require.Equal(t, http.StatusOK, a.status, a.text)
		var list struct {
			Items []struct {
				ID    int64
				A, B  struct{ Provider, ID, Username string }
				Score float64
			}
		}
		s.get("/api/people/suggestions").read(t, &list)
		require.NotEmpty(t, list.Items)
		first := list.Items[0]
		require.Equal(t, first.A.Username, first.B.Username)
		same := "/api/people/same?id=1&user=" + first.A.ID
		require.Len(t, s.get(same).items(t), 1, "nothing is merged unasked")
		at := "/api/people/suggestions/" + strconv.FormatInt(first.ID, 10)
		require.Equal(t, http.StatusOK, s.do(http.MethodPut, at, map[string]string{"state": "accepted"}).status)
		require.Len(t, s.get(same).items(t), 2)
		require.Equal(t, http.StatusOK, s.do(http.MethodPut, at, map[string]string{"state": "open"}).status)
		require.Len(t, s.get(same).items(t), 1)
		require.Equal(t, http.StatusBadRequest, s.do(http.MethodPut, at, map[string]string{"state": "merged"}).status)
		require.Equal(t, http.StatusNotFound, s.do(http.MethodPut, "/api/people/suggestions/999", map[string]string{"state": "open"}).status)
		require.Equal(t, http.StatusNotFound, s.get("/api/people/same?id=1&user=nobody").status)
		for _, bad := range []any{map[string]any{"providers": []string{"1"}}, map[string]any{"providers": []any{"1", 1}}, map[string]any{"providers": []any{"1", nil}}, "[]"} {
			require.Equal(t, http.StatusBadRequest, s.do(http.MethodPost, "/api/people/match", bad).status)
		}
	})

	t.Run("a provider that is removed takes all of it along", func(t *testing.T) {
		require.Equal(t, http.StatusNoContent, s.do(http.MethodDelete, "/api/providers/1", nil).status)
		var found struct{ Count int }
		s.get("/api/search?q=volcano").read(t, &found)
		require.Zero(t, found.Count)
		require.Empty(t, s.get("/api/people/suggestions").items(t))
	})
}
