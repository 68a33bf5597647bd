//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// The original serves files with whitenoise before Django sees the request
// (kolibri/utils/kolibri_whitenoise.py): names that carry a version or a hash never change and are
// cached for ever, everything else for two minutes.
const (
	cacheForEver = "max-age=315360000, public, immutable"
	cacheShortly = "max-age=120, public"
)

var immutableName = regexp.MustCompile(`(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)|[a-f0-9]{32}`)

// staticFiles serves a folder of the built front end, with the compressed siblings (NAME.br, NAME.gz)
// that the build made. What is not there goes to next.
func staticFiles(root *os.Root, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		if name == "" || strings.HasSuffix(r.URL.Path, "/") || isHidden(name) {
			next.ServeHTTP(w, r)
			return
		}
		plain, info, err := openFile(root, name)
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		defer plain.Close()
		if !readable(w, r) {
			return
		}
		header := w.Header()
		header.Set("Content-Type", contentType(name))
		body, size, variant := plain, info.Size(), ""
		// a part of a file is a part of what it is, not of its compressed form
		if r.Header.Get("Range") == "" && compressible(name) {
			header.Set("Vary", "Accept-Encoding")
			for _, c := range []struct{ coding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
				if !accepts(r.Header.Values("Accept-Encoding"), c.coding) {
					continue
				}
				if f, compressed, err := openFile(root, name+c.suffix); err == nil {
					defer f.Close()
					body, size, variant = f, compressed.Size(), "-"+c.coding
					header.Set("Content-Encoding", c.coding)
					break
				}
			}
		}
		serveFile(w, r, body, info.ModTime(), size, variant)
	})
}

// contentFiles serves what channels consist of: /<kind>/..., below one of the content folders, by
// exactly the names that Kolibri gives its files. Nothing else in these folders can be asked for.
func contentFiles(dirs []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if !contentName.MatchString(name) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		for _, dir := range dirs {
			f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil {
				continue
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			if !readable(w, r) {
				return
			}
			w.Header().Set("Content-Type", contentType(name))
			serveFile(w, r, f, info.ModTime(), info.Size(), "")
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
}

// contentName: kolibri/core/content/utils/paths.py.
var contentName = regexp.MustCompile(`^(storage/[0-9a-f]/[0-9a-f]/[0-9a-f]{32}\.[A-Za-z0-9]{1,40}|databases/[0-9a-f]{32}\.sqlite3)$`)

// readable refuses every method but GET and HEAD.
func readable(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	w.WriteHeader(http.StatusMethodNotAllowed)
	return false
}

// serveFile sends a file, a part of it, or that it has not changed.
func serveFile(w http.ResponseWriter, r *http.Request, body io.ReadSeeker, modified time.Time, size int64, variant string) {
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Accept-Ranges", "bytes")
	header.Set("ETag", fmt.Sprintf(`"%x-%x%s"`, modified.UnixNano(), size, variant))
	header.Set("Cache-Control", cacheShortly)
	if immutableName.MatchString(r.URL.Path) {
		header.Set("Cache-Control", cacheForEver)
	}
	if header.Get("Content-Encoding") != "" {
		header.Set("Content-Length", fmt.Sprint(size)) // ServeContent leaves it to us for encoded bodies
	}
	if !strings.HasPrefix(r.Header.Get("Range"), "bytes=") {
		r.Header.Del("Range") // units that nobody knows are to be ignored
	}
	http.ServeContent(w, r, "", modified, body)
}

// openFile opens a regular file below root; nothing outside of it can be reached, by no path and no link.
func openFile(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func isHidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}

// accepts tells whether an Accept-Encoding header allows a coding.
func accepts(headers []string, coding string) bool {
	any := false
	for _, part := range strings.Split(strings.Join(headers, ","), ",") {
		name, weight, _ := strings.Cut(part, ";")
		refused := strings.ReplaceAll(weight, " ", "")
		allowed := refused != "q=0" && refused != "q=0.0" && refused != "q=0.00" && refused != "q=0.000"
		switch strings.ToLower(strings.TrimSpace(name)) {
		case coding:
			return allowed
		case "*":
			any = allowed
		}
	}
	return any
}

func compressible(name string) bool {
	return !strings.HasSuffix(name, ".br") && !strings.HasSuffix(name, ".gz")
}

// contentTypes of what a front end and channels consist of. The machine's own table is not asked:
// it differs from system to system.
var contentTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8", ".txt": "text/plain; charset=utf-8",
	".json": "application/json", ".map": "application/json", ".xml": "text/xml; charset=utf-8", ".wasm": "application/wasm",
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
	".webp": "image/webp", ".ico": "image/vnd.microsoft.icon", ".bmp": "image/bmp",
	".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf", ".eot": "application/vnd.ms-fontobject",
	".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg", ".mp3": "audio/mpeg",
	".ogg": "audio/ogg", ".wav": "audio/wav", ".vtt": "text/vtt; charset=utf-8", ".srt": "text/plain; charset=utf-8",
	".pdf": "application/pdf", ".epub": "application/epub+zip", ".zip": "application/zip", ".h5p": "application/zip",
	".perseus": "application/zip", ".bloompub": "application/zip", ".bloomd": "application/zip", ".kpub": "application/zip",
	".gz": "application/gzip", ".csv": "text/csv; charset=utf-8", ".webmanifest": "application/manifest+json",
}

func contentType(name string) string {
	if t, ok := contentTypes[strings.ToLower(path.Ext(name))]; ok {
		return t
	}
	return "application/octet-stream"
}
