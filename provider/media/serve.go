//go:build !js

package media

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// ahead is how much of a file is awaited before it is sent: a failure before this becomes a proper error.
const ahead = 64 << 10

// File is a file of the cache, or one that comes: then reading waits for what is read.
type File struct {
	file   *os.File
	coming *coming // nil for one that was there
	ctx    context.Context
	at     int64
	err    error // that ended reading
}

func (f *File) unwrap() *os.File {
	if f == nil {
		return nil
	}
	return f.file
}

// Close implements io.Closer.
func (f *File) Close() error { return f.file.Close() }

// Read implements io.Reader. The last byte is held back until the whole file is there and proved to be the one that
// was named, so no reader takes another one for it.
func (f *File) Read(p []byte) (int, error) {
	most := int64(len(p))
	s, err := f.coming.until(f.ctx, func(s state) bool { return s.size-1 > f.at })
	switch {
	case err != nil:
		f.err = err
		return 0, err
	case s.done:
		most = min(most, s.size-f.at)
	default:
		most = min(most, s.size-1-f.at)
	}
	if most <= 0 {
		return 0, io.EOF
	}
	n, err := f.file.ReadAt(p[:most], f.at)
	f.at += int64(n)
	if n > 0 {
		return n, nil
	}
	f.err = err
	return n, err
}

// Seek implements io.Seeker for a file whose length is known.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		s := f.coming.state()
		if offset += s.total; s.done {
			offset += s.size - s.total
		}
	}
	if offset < 0 {
		return 0, errors.New("a place before the beginning")
	}
	f.at = offset
	return offset, nil
}

// shown are the types that a browser may show by itself. Whatever else a provider sends, pages and
// drawings with scripts among it, is a download.
var shown = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "video/mp4": true, "video/webm": true,
	"audio/mpeg": true, "audio/wave": true, "application/ogg": true, "application/pdf": true}

// Serve answers a request with a file: with ranges, an ETag, and the type that its bytes say. One that comes is sent
// while it comes; when that fails the connection ends before the file does. patience is how long its beginning may take.
func (c *Cache) Serve(w http.ResponseWriter, r *http.Request, want Want, patience time.Duration) error {
	f, err := c.along(want)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.coming == nil {
		if err := describe(w, f.file, want); err != nil {
			return err
		}
		http.ServeContent(w, r, "", time.Time{}, f.file)
		return nil
	}
	// parts of a file whose length is not known can be told only of the whole
	whole := func(s state) bool { return s.total < 0 && (r.Method == http.MethodHead || r.Header.Get("Range") != "") }
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	s, err := f.coming.until(ctx, func(s state) bool { return s.begun && s.size > ahead && !whole(s) })
	cancel()
	if err != nil {
		return err
	}
	if err := describe(w, f.file, want); err != nil {
		return err
	}
	f.ctx = r.Context()
	if s.done || s.total >= 0 {
		http.ServeContent(w, r, "", time.Time{}, f)
	} else {
		_, _ = io.Copy(w, f)
	}
	if f.err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// describe sets the headers of a file whose beginning is there.
func describe(w http.ResponseWriter, f *os.File, want Want) error {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	kind := http.DetectContentType(head[:n])
	h := w.Header()
	if !shown[kind] {
		kind = "application/octet-stream"
		h.Set("Content-Disposition", "attachment")
	}
	h.Set("Content-Type", kind)
	h.Set("ETag", `"`+want.name()+`"`)
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	return nil
}
