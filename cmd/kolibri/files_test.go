//go:build unix

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const storedName = "0123456789abcdef0123456789abcdef.mp4"

// fileServer serves a small front end and a content folder, as the server does behind its prefix.
func fileServer(t *testing.T) *httptest.Server {
	static, content, outside := t.TempDir(), t.TempDir(), t.TempDir()
	put(t, static, "app-0.19.5.js", "let plain = 1")
	put(t, static, "app-0.19.5.js.br", "brotli")
	put(t, static, "app-0.19.5.js.gz", "gzip")
	put(t, static, "logo.svg", "<svg/>")
	put(t, static, ".secret", "hidden")
	put(t, filepath.Join(static, "folder"), "index.html", "index")
	put(t, outside, "passwd", "root")
	require.NoError(t, os.Symlink(filepath.Join(outside, "passwd"), filepath.Join(static, "link.txt")))
	put(t, filepath.Join(content, "storage", "0", "1"), storedName, "0123456789")
	put(t, filepath.Join(content, "databases"), "0123456789abcdef0123456789abcdef.sqlite3", "channel")
	put(t, content, "notes.txt", "private")
	root, err := os.OpenRoot(static)
	require.NoError(t, err)
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	handlers := map[string]http.Handler{"static": staticFiles(root, next), "content": contentFiles([]string{t.TempDir(), content})}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		http.StripPrefix("/"+kind, handlers[kind]).ServeHTTP(w, r)
	}))
	t.Cleanup(func() { s.Close(); root.Close() })
	return s
}

func TestFiles(t *testing.T) {
	s := fileServer(t)
	const script, stored = "/static/app-0.19.5.js", "/content/storage/0/1/" + storedName
	for _, tc := range []struct {
		name, method, path string
		header             map[string]string
		status             int
		body               string
		want               map[string]string
	}{
		{"a script as it is", "GET", script, map[string]string{"Accept-Encoding": "identity"}, 200, "let plain = 1", map[string]string{
			"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": cacheForEver, "Access-Control-Allow-Origin": "*",
			"Vary": "Accept-Encoding", "Accept-Ranges": "bytes", "Content-Encoding": "", "Content-Length": "13"}},
		{"a script by brotli", "GET", script, map[string]string{"Accept-Encoding": "gzip, deflate, br"}, 200, "brotli", map[string]string{"Content-Encoding": "br", "Content-Length": "6"}},
		{"a script by gzip", "GET", script, map[string]string{"Accept-Encoding": "gzip, br;q=0"}, 200, "gzip", map[string]string{"Content-Encoding": "gzip"}},
		{"whatever coding", "GET", script, map[string]string{"Accept-Encoding": "*"}, 200, "brotli", nil},
		{"HEAD", "HEAD", script, map[string]string{"Accept-Encoding": "br"}, 200, "", map[string]string{"Content-Encoding": "br", "Content-Length": "6"}},
		{"part of a script is of the plain one", "GET", script, map[string]string{"Accept-Encoding": "br", "Range": "bytes=0-2"}, 206, "let", map[string]string{"Content-Encoding": "", "Content-Range": "bytes 0-2/13"}},
		{"a name without a version is cached shortly", "GET", "/static/logo.svg", nil, 200, "<svg/>", map[string]string{"Cache-Control": cacheShortly, "Content-Type": "image/svg+xml"}},
		{"a compressed file under its own name", "GET", script + ".gz", nil, 200, "gzip", map[string]string{"Content-Encoding": "", "Content-Type": "application/gzip"}},
		{"no POST", "POST", script, nil, 405, "", map[string]string{"Allow": "GET, HEAD"}},
		{"not there", "GET", "/static/nothing.js", nil, 418, "", nil},
		{"no folders", "GET", "/static/folder", nil, 418, "", nil},
		{"no folders with a slash", "GET", "/static/folder/", nil, 418, "", nil},
		{"no list", "GET", "/static/", nil, 418, "", nil},
		{"no hidden files", "GET", "/static/.secret", nil, 418, "", nil},
		{"no way up", "GET", "/static/../../etc/passwd", nil, 418, "", nil},
		{"no escaped way up", "GET", "/static/..%2f..%2f..%2f..%2fetc/passwd", nil, 418, "", nil},
		{"no way by a link", "GET", "/static/link.txt", nil, 418, "", nil},
		{"no zero byte", "GET", "/static/app%00.js", nil, 418, "", nil},
		{"stored content", "GET", stored, nil, 200, "0123456789", map[string]string{"Content-Type": "video/mp4", "Cache-Control": cacheForEver, "Access-Control-Allow-Origin": "*", "Vary": ""}},
		{"a range", "GET", stored, map[string]string{"Range": "bytes=2-4"}, 206, "234", map[string]string{"Content-Range": "bytes 2-4/10", "Content-Length": "3"}},
		{"an open range", "GET", stored, map[string]string{"Range": "bytes=7-"}, 206, "789", map[string]string{"Content-Range": "bytes 7-9/10"}},
		{"the end", "GET", stored, map[string]string{"Range": "bytes=-2"}, 206, "89", nil},
		{"one byte", "GET", stored, map[string]string{"Range": "bytes=0-0"}, 206, "0", nil},
		{"beyond the end", "GET", stored, map[string]string{"Range": "bytes=10-"}, 416, "", map[string]string{"Content-Range": "bytes */10"}},
		{"nonsense is no range", "GET", stored, map[string]string{"Range": "lines=1"}, 200, "0123456789", nil},
		{"a channel", "GET", "/content/databases/0123456789abcdef0123456789abcdef.sqlite3", nil, 200, "channel", nil},
		{"content is never hidden in folders", "GET", "/content/storage/0/1/../../../notes.txt", nil, 404, "", nil},
		{"only names that Kolibri makes", "GET", "/content/notes.txt", nil, 404, "", nil},
		{"content not there", "GET", "/content/storage/f/f/ffffffffffffffffffffffffffffffff.mp4", nil, 404, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := get(t, s, tc.method, tc.path, tc.header)
			require.Equal(t, tc.status, res.StatusCode)
			if tc.status < 300 {
				require.Equal(t, tc.body, res.body)
			}
			for name, value := range tc.want {
				require.Equal(t, value, res.Header.Get(name), name)
			}
		})
	}
}

func TestFilesAreNotSentTwice(t *testing.T) {
	s := fileServer(t)
	tags := map[string]bool{}
	for _, coding := range []string{"identity", "gzip", "br"} {
		accept := map[string]string{"Accept-Encoding": coding}
		tag := get(t, s, "GET", "/static/app-0.19.5.js", accept).Header.Get("ETag")
		require.Regexp(t, `^"[^"]+"$`, tag)
		tags[tag] = true
		again := get(t, s, "GET", "/static/app-0.19.5.js", map[string]string{"Accept-Encoding": coding, "If-None-Match": tag})
		require.Equal(t, http.StatusNotModified, again.StatusCode)
		require.Empty(t, again.body)
		require.Equal(t, cacheForEver, again.Header.Get("Cache-Control"))
	}
	require.Len(t, tags, 3, "each form has a tag of its own")
}

type answer struct {
	*http.Response
	body string
}

func get(t *testing.T, s *httptest.Server, method, path string, header map[string]string) answer {
	t.Helper()
	req, err := http.NewRequest(method, s.URL+path, nil)
	require.NoError(t, err)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	if header["Accept-Encoding"] == "" {
		req.Header.Set("Accept-Encoding", "identity")
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res, string(body)}
}
