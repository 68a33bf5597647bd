//go:build !js

// Package media keeps files of learning platforms - thumbnails, videos, documents - in a folder of
// limited size, and serves them with ranges. What was not asked for the longest time makes room. The
// folder is all there is to it: a file has its final name only when it is whole and verified, so a
// crash leaves nothing that could be taken for one, and the order of use is in the files' times.
package media

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
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
	ErrTooLarge   = errors.New("the file is too large to be kept")
	ErrDamaged    = errors.New("the provider sent another file than it named")
	ErrClosed     = errors.New("the file was given up, because its provider was removed or the service ends")
	errStandstill = fmt.Errorf("nothing more comes: %w", context.DeadlineExceeded)
)

const freshFor = 24 * time.Hour

// Cache is a folder of files. It is safe for concurrent use, by one process.
type Cache struct {
	folder   string
	maxBytes int64
	fetch    Fetch
	ctx      context.Context
	cancel   context.CancelFunc
	work     sync.WaitGroup

	mu     sync.Mutex
	files  map[string]*entry
	coming map[string]*coming
	used   int64 // bytes of both
}

type entry struct {
	size     int64
	lastUsed time.Time
}

// Open opens a folder that holds maxBytes at most, of which a file may be half. Files that a crash left
// unfinished are removed.
func Open(folder string, maxBytes int64, fetch Fetch) (*Cache, error) {
	c := &Cache{folder: folder, maxBytes: maxBytes, fetch: fetch, files: map[string]*entry{}, coming: map[string]*coming{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
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
// once. The caller closes it. The error is ErrTooLarge, ErrDamaged, ErrClosed, or the fetch's.
func (c *Cache) Get(ctx context.Context, w Want) (*os.File, error) {
	for range 3 {
		f, err := c.along(w)
		if err != nil || f.coming == nil {
			return f.unwrap(), err
		}
		f.Close() // its name is another one as soon as it is whole
		if _, err := f.coming.until(ctx, func(state) bool { return false }); err != nil {
			return nil, err
		}
	}
	return nil, ErrTooLarge // other files take its place as soon as it is there
}

// along opens a file, whole or while it comes.
func (c *Cache) along(w Want) (*File, error) {
	name := w.name()
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, err := c.open(name); err == nil || !errors.Is(err, os.ErrNotExist) {
		return &File{file: f}, err
	}
	d := c.coming[name]
	if d == nil {
		var err error
		if d, err = c.begin(w, name); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(d.path)
	return &File{file: f, coming: d}, err
}

// open opens a file that is there; the caller holds the lock.
func (c *Cache) open(name string) (*os.File, error) {
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

// Close ends what is being fetched. The files stay.
func (c *Cache) Close() {
	c.mu.Lock() // none begins after this
	c.cancel()
	c.mu.Unlock()
	c.work.Wait()
}

// Forget removes the files of a provider, and those that come from it.
func (c *Cache) Forget(provider string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.files {
		if strings.HasPrefix(name, providerName(provider)+"-") {
			c.remove(name)
		}
	}
	for name, d := range c.coming {
		if strings.HasPrefix(name, providerName(provider)+"-") {
			delete(c.coming, name)
			d.cancel()
		}
	}
}
