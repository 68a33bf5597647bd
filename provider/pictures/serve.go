//go:build !js

package pictures

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"kolibri/store"
)

// Widths are the sizes in pixels that a picture can be asked for in; each is made when it is asked
// for the first time.
var Widths = []int{64, 128, 256}

var fileName = regexp.MustCompile(`([0-9a-f]{64})\.png$`)

// ServeHTTP answers GET and HEAD of ".../<hash>.png", with ?w=64, 128 or 256 for a smaller one. The
// address names the content, so the answer may be kept for ever; another width than these is refused,
// or anybody could fill the disk.
func (p *Pictures) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Only GET and HEAD are answered.", http.StatusMethodNotAllowed)
		return
	}
	match := fileName.FindStringSubmatch(r.URL.Path)
	if match == nil {
		http.NotFound(w, r)
		return
	}
	hash, width := match[1], 0
	if text := r.URL.Query().Get("w"); text != "" {
		var err error
		if width, err = strconv.Atoi(text); err != nil || !slices.Contains(Widths, width) {
			http.Error(w, "w is one of 64, 128 and 256.", http.StatusBadRequest)
			return
		}
	}
	etag := `"` + hash + "-" + strconv.Itoa(width) + `"`
	if r.Header.Get("If-None-Match") == etag {
		setHeaders(w.Header(), etag)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	data, err := p.data(r.Context(), hash, width)
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.NotFound(w, r)
		return
	case err != nil:
		http.Error(w, "The picture cannot be read at the moment.", http.StatusServiceUnavailable)
		return
	}
	setHeaders(w.Header(), etag)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(data)
	}
}

func setHeaders(h http.Header, etag string) {
	h.Set("Content-Type", "image/png")
	h.Set("ETag", etag)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// data returns a picture in a width, 0 for as it is kept. It returns store.ErrNotFound.
func (p *Pictures) data(ctx context.Context, hash string, width int) (data []byte, err error) {
	read := func(width int) error {
		return p.db.Read(ctx, func(tx *store.Tx) error {
			return tx.QueryRow("SELECT data FROM provider_picture WHERE hash = ? AND width = ?", hash, width).Scan(&data)
		})
	}
	if err := read(width); !errors.Is(err, store.ErrNotFound) || width == 0 {
		return data, err
	}
	if err := read(0); err != nil {
		return nil, err
	}
	select {
	case p.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.turns }()
	made, err := render(ctx, data, width)
	if err != nil {
		return nil, err
	}
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO provider_picture (hash, width, data) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", hash, width, made.png)
		return err
	})
	return made.png, err
}
