//go:build !js

// Package media keeps files of learning platforms - thumbnails, videos, documents - in a folder of
// limited size, and serves them with ranges. What was not asked for the longest time makes room. The
// folder is all there is to it: a file has its final name only when it is whole and verified, so a
// crash leaves nothing that could be taken for one, and the order of use is in the files' times.
package media

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Want is a file of a provider.
type Want struct {
	Provider string
	Address  string
	MD5      string // in hex, or empty: then the file is fetched anew after a day
	Size     int64  // in bytes, 0 where it is not known
}

// Fetch asks a provider for a file. It must contact no address that the provider may not name.
type Fetch func(ctx context.Context, provider, address string) (*http.Response, error)

// Ways in which a file is not to be had.
var (
	ErrTooLarge = errors.New("the file is too large to be kept")
	ErrDamaged  = errors.New("the provider sent another file than it named")
)

const (
	freshFor  = 24 * time.Hour
	fetchTime = 10 * time.Minute
)

// Cache is a folder of files. It is safe for concurrent use, by one process.
type Cache struct {
	folder   string
	maxBytes int64
	fetch    Fetch
	flight   singleflight.Group
	mu       sync.Mutex
	files    map[string]*entry
	used     int64
}

type entry struct {
	size     int64
	lastUsed time.Time
}

// Open opens a folder that holds maxBytes at most, of which a file may be half. Files that a crash left
// unfinished are removed.
func Open(folder string, maxBytes int64, fetch Fetch) (*Cache, error) {
	c := &Cache{folder: folder, maxBytes: maxBytes, fetch: fetch, files: map[string]*entry{}}
	if err := os.RemoveAll(c.unfinished()); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.unfinished(), 0o700); err != nil {
		return nil, err
	}
	found, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		c.files[f.Name()] = &entry{size: info.Size(), lastUsed: info.ModTime()}
		c.used += info.Size()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.makeRoom(0)
	return c, nil
}

func (c *Cache) unfinished() string { return filepath.Join(c.folder, "unfinished") }

// Used is how many bytes the folder holds.
func (c *Cache) Used() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// name is a file's name in the folder. It begins with the provider's, so that Forget finds it. Where no
// hash vouches for the content, the day is a part of it.
func (w Want) name() string {
	version := w.MD5
	if version == "" {
		version = time.Now().UTC().Truncate(freshFor).Format(time.DateOnly)
	}
	sum := sha256.Sum256([]byte(w.Address + "\n" + version))
	return providerName(w.Provider) + "-" + hex.EncodeToString(sum[:20])
}

func providerName(provider string) string {
	sum := sha256.Sum256([]byte(provider))
	return hex.EncodeToString(sum[:8])
}

// Get opens a file, which it fetches first if it is not there. However many ask for one, it is fetched
// once. The caller closes it. The error is ErrTooLarge, ErrDamaged, or the fetch's.
func (c *Cache) Get(ctx context.Context, w Want) (*os.File, error) {
	name := w.name()
	for range 3 {
		if f, err := c.open(name); err == nil || !errors.Is(err, os.ErrNotExist) {
			return f, err
		}
		// the fetch goes on when the first to ask goes away: others may wait for it
		done := c.flight.DoChan(name, func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
			defer cancel()
			return nil, c.download(ctx, w, name)
		})
		select {
		case r := <-done:
			if r.Err != nil {
				return nil, r.Err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, ErrTooLarge // other files take its place as soon as it is there
}

func (c *Cache) open(name string) (*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.files[name]
	if e == nil {
		return nil, os.ErrNotExist
	}
	path := filepath.Join(c.folder, name)
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) { // somebody cleaned up
		c.used -= e.size
		delete(c.files, name)
	}
	if err != nil {
		return nil, err
	}
	if now := time.Now(); now.Sub(e.lastUsed) > time.Second {
		e.lastUsed = now
		_ = os.Chtimes(path, now, now) // only the order of use would be lost
	}
	return f, nil
}

func (c *Cache) download(ctx context.Context, w Want, name string) error {
	most := c.maxBytes / 2
	if w.Size > most {
		return ErrTooLarge
	}
	a, err := c.fetch(ctx, w.Provider, w.Address)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("the provider answers a file with status %d", a.StatusCode)
	}
	if a.ContentLength > most {
		return ErrTooLarge
	}
	f, err := os.CreateTemp(c.unfinished(), "*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	hash := md5.New()
	size, err := io.Copy(io.MultiWriter(f, hash), io.LimitReader(a.Body, most+1))
	switch {
	case err != nil:
		return err
	case size > most:
		return ErrTooLarge
	case w.Size > 0 && size != w.Size, w.MD5 != "" && !strings.EqualFold(w.MD5, hex.EncodeToString(hash.Sum(nil))):
		return ErrDamaged
	}
	if err := f.Sync(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.makeRoom(size)
	if err := os.Rename(f.Name(), filepath.Join(c.folder, name)); err != nil {
		return err
	}
	c.files[name] = &entry{size: size, lastUsed: time.Now()}
	c.used += size
	return nil
}

// makeRoom removes what was not used for the longest time until there is room for so many bytes. Who
// reads a file that is removed reads on. The caller holds the lock.
func (c *Cache) makeRoom(size int64) {
	for c.used+size > c.maxBytes && len(c.files) > 0 {
		oldest := ""
		for name, e := range c.files {
			if oldest == "" || e.lastUsed.Before(c.files[oldest].lastUsed) {
				oldest = name
			}
		}
		c.remove(oldest)
	}
}

func (c *Cache) remove(name string) {
	_ = os.Remove(filepath.Join(c.folder, name))
	c.used -= c.files[name].size
	delete(c.files, name)
}

// Forget removes the files of a provider.
func (c *Cache) Forget(provider string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.files {
		if strings.HasPrefix(name, providerName(provider)+"-") {
			c.remove(name)
		}
	}
}

// shown are the types that a browser may show by itself. Whatever else a provider sends, pages and
// drawings with scripts among it, is a download.
var shown = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "video/mp4": true, "video/webm": true,
	"audio/mpeg": true, "audio/wave": true, "application/ogg": true, "application/pdf": true}

// Serve answers a request with a file: with ranges, an ETag, and the type that its bytes say.
func (c *Cache) Serve(w http.ResponseWriter, r *http.Request, want Want) error {
	f, err := c.Get(r.Context(), want)
	if err != nil {
		return err
	}
	defer f.Close()
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
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}
