package zipcontent

import (
	"archive/zip"
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const app = "0123456789abcdef0123456789abcdef.zip"

// folder is a content folder with one app.
func folder(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range files {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	at := filepath.Join(dir, "storage", "0", "1")
	require.NoError(t, os.MkdirAll(at, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(at, app), b.Bytes(), 0o644))
	return dir
}

func typeOf(name string) string {
	if strings.HasSuffix(name, ".html") {
		return "text/html; charset=utf-8"
	}
	return "video/mp4"
}

func TestFilesOfAnArchive(t *testing.T) {
	dir := folder(t, map[string]string{
		"index.html": "<!DOCTYPE html><html><head lang='x'><title>é</title></head></html>", "bare.html": "hello",
		"sub/index.html": "<html>sub</html>", "v.mp4": "0123456789", "../evil.html": "evil"})
	h := Handler([]string{t.TempDir(), dir}, typeOf)
	for _, tc := range []struct {
		name, method, path string
		header             map[string]string
		status             int
		body               string
		want               map[string]string
	}{
		{"the app", "GET", "/" + app + "/", nil, 200, "<!DOCTYPE html><html><head lang='x'>" + initialize + "<title>é</title></head></html>",
			map[string]string{"Content-Type": "text/html", "Accept-Ranges": "none", "Cache-Control": "max-age=31536000", "Access-Control-Allow-Origin": "*",
				"Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"}},
		{"a page without markup", "GET", "/" + app + "/bare.html", nil, 200, initialize + "hello", nil},
		{"a folder", "GET", "/" + app + "/sub/", nil, 200, "<html>" + initialize + "sub</html>", nil},
		{"two slashes", "GET", "/" + app + "//sub//index.html", nil, 200, "<html>" + initialize + "sub</html>", nil},
		{"a file", "GET", "/" + app + "/v.mp4", nil, 200, "0123456789", map[string]string{"Content-Type": "video/mp4", "Content-Length": "10", "Accept-Ranges": "bytes"}},
		{"a part", "GET", "/" + app + "/v.mp4", map[string]string{"Range": "bytes=2-4"}, 206, "234", map[string]string{"Content-Range": "bytes 2-4/10", "Content-Length": "3"}},
		{"the rest", "GET", "/" + app + "/v.mp4", map[string]string{"Range": "bytes=7-"}, 206, "789", nil},
		{"the end", "GET", "/" + app + "/v.mp4", map[string]string{"Range": "bytes=-2"}, 206, "89", nil},
		{"beyond", "GET", "/" + app + "/v.mp4", map[string]string{"Range": "bytes=10-"}, 200, "0123456789", nil},
		{"no range", "GET", "/" + app + "/v.mp4", map[string]string{"Range": "lines=1-2"}, 200, "0123456789", nil},
		{"kept", "GET", "/" + app + "/v.mp4", map[string]string{"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}, 304, "", nil},
		{"asked before", "OPTIONS", "/" + app + "/v.mp4", map[string]string{"Access-Control-Request-Headers": "range"}, 200, "",
			map[string]string{"Access-Control-Allow-Headers": "range", "Access-Control-Allow-Methods": "GET, OPTIONS"}},
		{"written", "POST", "/" + app + "/v.mp4", nil, 405, "", map[string]string{"Allow": "GET, OPTIONS"}},
		{"missing in it", "GET", "/" + app + "/none.html", nil, 404, "does not exist inside", nil},
		{"above it", "GET", "/" + app + "/../../databases/x", nil, 404, "does not exist inside", nil},
		{"no archive", "GET", "/ffffffffffffffffffffffffffffffff.zip/index.html", nil, 404, `name="sandbox-error"`, nil},
		{"another kind", "GET", "/0123456789abcdef0123456789abcdef.mp4/x", nil, 404, "Path not found", nil},
		{"of another", "GET", "/http%3A%2F%2Fevil/" + app + "/index.html", nil, 404, "not a known peer", nil},
		{"markup in an address", "GET", `/"><script>`, nil, 404, "&#34;&gt;&lt;script&gt;", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, "/", nil)
			r.URL.Path = strings.ReplaceAll(tc.path, "%3A%2F%2F", ":")
			for k, v := range tc.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, tc.status, w.Code)
			if tc.status == http.StatusNotFound {
				require.Contains(t, w.Body.String(), tc.body)
			} else {
				require.Equal(t, tc.body, w.Body.String())
			}
			for k, v := range tc.want {
				require.Equal(t, v, w.Header().Get(k), k)
			}
		})
	}
}

func TestDamagedArchive(t *testing.T) {
	dir := folder(t, map[string]string{"index.html": strings.Repeat("<p>hello", 500)})
	at := filepath.Join(dir, "storage", "0", "1", app)
	raw, err := os.ReadFile(at)
	require.NoError(t, err)
	h := Handler([]string{dir}, typeOf)
	for name, damaged := range map[string][]byte{
		"cut": raw[:len(raw)/2], "none": []byte("no archive"), "empty": nil, "inside": append(append(bytes.Clone(raw[:45]), 0xff, 0xff, 0xff, 0xff, 0xff), raw[50:]...),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(at, damaged, 0o644))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/"+app+"/index.html", nil))
			require.Equal(t, http.StatusNotFound, w.Code)
			require.Contains(t, w.Body.String(), "sandbox-error")
		})
	}
}
