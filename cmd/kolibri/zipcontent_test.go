//go:build unix

package main

import (
	"archive/zip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestZipContent: apps have an origin of their own, by a port and by a name, and there is nothing of Kolibri on it.
func TestZipContent(t *testing.T) {
	const archive = "0123456789abcdef0123456789abcdef.zip"
	b := newBox(t, "KOLIBRI_ZIP_CONTENT_ORIGIN=https://zip.school.example")
	home := b.home
	folder := filepath.Join(home, "content", "storage", "0", "1")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	file, err := os.Create(filepath.Join(folder, archive))
	require.NoError(t, err)
	all := zip.NewWriter(file)
	page, err := all.Create("index.html")
	require.NoError(t, err)
	_, err = page.Write([]byte("<head></head>hello"))
	require.NoError(t, err)
	require.NoError(t, all.Close())
	require.NoError(t, file.Close())

	b.foreground()
	zipPort := readProcess(home).ZipPort
	require.NotZero(t, zipPort)
	ask := func(url, host string) (int, string) {
		r, err := http.NewRequest("GET", url, nil)
		require.NoError(t, err)
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(text)
	}
	main := strings.TrimSuffix(b.url("/"), "/")
	for _, tc := range []struct {
		name, base, host, path string
		status                 int
		has                    string
	}{
		{"by its port", fmt.Sprintf("http://127.0.0.1:%d", zipPort), "", "/content/zipcontent/" + archive + "/", 200, "initializeIframe"},
		{"by its name", main, "zip.school.example", "/content/zipcontent/" + archive + "/", 200, "initializeIframe"},
		{"Kolibri by the port", fmt.Sprintf("http://127.0.0.1:%d", zipPort), "", "/api/public/info/", 404, ""},
		{"Kolibri by the name", main, "ZIP.school.example", "/api/public/info/", 404, ""},
		{"an app by Kolibri's name", main, "", "/content/zipcontent/" + archive + "/", 404, ""},
		{"Kolibri", main, "", "/api/public/info/", 200, "kolibri"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, text := ask(tc.base+tc.path, tc.host)
			require.Equal(t, tc.status, status, text)
			require.Contains(t, text, tc.has)
		})
	}
}
