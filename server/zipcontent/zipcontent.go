// Package zipcontent serves files inside of the archives of channels (HTML5 apps, H5P, Bloom) on the origin that
// a server has for them beside its own, so that apps of unknown makers have none of Kolibri's rights.
// kolibri/core/content/zip_wsgi.py
package zipcontent

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A year: a name stands for its content.
const keptFor = 365 * 24 * time.Hour

// largestPage is how large a page may be to get its first script, in bytes; a larger one goes out as it is.
const largestPage = 32 << 20

// initialize lets the player around a page give it Kolibri's storage before its own scripts run.
const initialize = `<script type="text/javascript">if (window.parent && window.parent.sandbox) {try {window.parent.sandbox.initializeIframe(window);} catch (e) {}}</script>`

var (
	// address: an archive and a file in it; before them may stand another Kolibri that has the archive.
	address = regexp.MustCompile(`^/?(?:([^/]+)/)?([0-9a-f]{32}\.(?:zip|h5p|bloompub|bloomd|perseus))/(.*)$`)
	// begins are what a page's first script goes behind, the best first.
	begins = []*regexp.Regexp{regexp.MustCompile(`(?i)<head(?:\s[^>]*)?>`), regexp.MustCompile(`(?i)<html(?:\s[^>]*)?>`),
		regexp.MustCompile(`(?i)^\s*<!doctype[^>]*>`)}
)

// Handler serves /ARCHIVE/FILE out of the first of the content folders that has the archive. typeOf gives a
// file's type by its name.
func Handler(folders []string, typeOf func(name string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", "GET, OPTIONS")
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
			h.Set("Access-Control-Allow-Headers", asked)
		}
		h.Set("Content-Security-Policy", "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodOptions {
			h.Set("Allow", "GET, OPTIONS")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		parts := address.FindStringSubmatch(r.URL.Path)
		if parts == nil {
			refuse(w, "Path not found: "+r.URL.Path)
			return
		}
		elsewhere, archive, name := parts[1], parts[2], inside(parts[3])
		h.Set("Accept-Ranges", "bytes")
		if isPage(name) {
			h.Set("Accept-Ranges", "none")
		}
		switch {
		case r.Method == http.MethodOptions:
		case elsewhere != "":
			refuse(w, elsewhere+" is not a known peer")
		case r.Header.Get("If-Modified-Since") != "":
			w.WriteHeader(http.StatusNotModified)
		default:
			serve(w, r, folders, archive, name, typeOf)
		}
	})
}

// inside is a path in an archive as its index has it.
func inside(name string) string {
	name = strings.ReplaceAll(strings.TrimPrefix(name, "/"), "//", "/")
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	return name
}

func isPage(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".html", ".htm", ".xhtml":
		return true
	}
	return false
}

func serve(w http.ResponseWriter, r *http.Request, folders []string, archive, name string, typeOf func(string) string) {
	all, err := open(folders, archive)
	if err != nil {
		refuse(w, archive+" is not a valid zip file")
		return
	}
	defer all.Close()
	var entry *zip.File
	for _, f := range all.File {
		if f.Name == name {
			entry = f
		}
	}
	if entry == nil {
		refuse(w, fmt.Sprintf("%q does not exist inside %q", name, archive))
		return
	}
	file, err := entry.Open()
	if err != nil {
		refuse(w, fmt.Sprintf("%q cannot be read inside %q", name, archive))
		return
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", strings.TrimSuffix(typeOf(name), "; charset=utf-8")) // a page says itself how it is written
	size := int64(entry.UncompressedSize64)
	if isPage(name) && size <= largestPage {
		page, err := io.ReadAll(io.LimitReader(file, largestPage))
		if err != nil {
			refuse(w, fmt.Sprintf("%q is damaged inside %q", name, archive))
			return
		}
		page = initialized(page)
		keep(h)
		h.Set("Content-Length", strconv.Itoa(len(page)))
		_, _ = w.Write(page)
		return
	}
	from, to, part := requested(r.Header.Get("Range"), size)
	status := http.StatusOK
	if part {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, size))
	}
	if _, err := io.CopyN(io.Discard, file, from); err != nil && from > 0 {
		h.Del("Content-Range")
		refuse(w, fmt.Sprintf("%q is damaged inside %q", name, archive))
		return
	}
	keep(h)
	h.Set("Content-Length", strconv.FormatInt(to-from, 10))
	w.WriteHeader(status)
	// an archive that lies about a length ends here; the client sees that something is missing
	_, _ = io.CopyN(w, file, to-from)
}

// keep says for how long a file may be kept.
func keep(h http.Header) {
	now := time.Now().UTC()
	h.Set("Last-Modified", now.Format(http.TimeFormat))
	h.Set("Expires", now.Add(keptFor).Format(http.TimeFormat))
	h.Set("Cache-Control", "max-age="+strconv.Itoa(int(keptFor.Seconds())))
}

// open opens an archive in the first folder that has it.
func open(folders []string, archive string) (*zip.ReadCloser, error) {
	for _, folder := range folders {
		all, err := zip.OpenReader(filepath.Join(folder, "storage", archive[:1], archive[1:2], archive))
		if !errors.Is(err, fs.ErrNotExist) {
			return all, err
		}
	}
	return nil, os.ErrNotExist
}

// initialized puts the player's script first into a page.
func initialized(page []byte) []byte {
	at := 0
	for _, begin := range begins {
		if found := begin.FindIndex(page[:min(len(page), 64<<10)]); found != nil {
			at = found[1]
			break
		}
	}
	return bytes.Join([][]byte{page[:at], []byte(initialize), page[at:]}, nil)
}

// requested reads a Range header of one range; of others, and of one beyond the end, the whole file is sent.
func requested(header string, size int64) (from, to int64, part bool) {
	first, last, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	if !ok || !strings.HasPrefix(header, "bytes=") {
		return 0, size, false
	}
	from, err := strconv.ParseInt(first, 10, 64)
	to = size
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n <= 0 {
			return 0, size, false
		}
		return max(size-n, 0), size, true
	}
	if last != "" {
		end, bad := strconv.ParseInt(last, 10, 64)
		err = errors.Join(err, bad)
		to = min(end+1, size)
	}
	if err != nil || from < 0 || from >= to {
		return 0, size, false
	}
	return from, to, true
}

// refuse answers with what Kolibri's player takes for a failure and shows.
func refuse(w http.ResponseWriter, why string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = fmt.Fprintf(w, "<html><head><meta name=\"sandbox-error\" content=\"%s\"></head><body></body></html>", html.EscapeString(why))
}
