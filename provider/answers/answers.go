//go:build !js

// Package answers keeps what providers answered for a short time, in files without names, and lets many
// callers share one that is still being made. Memory does not grow with an answer.
package answers

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// ahead is how much of an answer is awaited before it is sent. A shorter one is sent as a whole, with
	// its length and ETag, and a failure before this becomes a proper error.
	ahead      = 1 << 20
	maxEntries = 512 // each holds a file open
	copyBuffer = 64 << 10
)

// Cache keeps answers by key.
type Cache struct {
	dir      string
	ttl      time.Duration
	maxBytes int64

	mu     sync.Mutex
	byKey  map[string]*list.Element
	recent *list.List // of *Answer, the latest in front
	bytes  int64
	Hits   func(hit bool) // is told of every Get, for metrics; may be nil
}

// New makes a cache whose files are in dir, which keeps answers for ttl and maxBytes of them in all.
func New(dir string, ttl time.Duration, maxBytes int64) *Cache {
	return &Cache{dir: dir, ttl: ttl, maxBytes: maxBytes, byKey: map[string]*list.Element{}, recent: list.New()}
}

// Answer is one answer, perhaps still being made. Who got it from a Cache must Release it.
type Answer struct {
	cache  *Cache
	key    string
	cancel context.CancelFunc
	file   *os.File
	hash   hash.Hash

	mu      sync.Mutex
	users   int // callers, the maker, and the cache
	callers int
	size    int64
	done    bool
	err     error
	etag    string
	made    time.Time
	changed chan struct{}
}

// ErrTooLong: an answer has more bytes than the cache may hold.
var ErrTooLong = errors.New("the answer is too long")

// Get returns the answer of a key, made by fill unless there is one that is fresh. fresh false asks for a new
// one. All who ask at once get the same; fill goes on while one of them waits.
func (c *Cache) Get(key string, fresh bool, fill func(context.Context, io.Writer) error) (*Answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[key]; ok {
		if a, _ := e.Value.(*Answer); a.join(c.ttl, fresh) {
			c.recent.MoveToFront(e)
			c.count(true)
			return a, nil
		}
		c.remove(e)
	}
	c.count(false)
	file, err := os.CreateTemp(c.dir, "answer-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil { // it ends with the last who has it open
		file.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &Answer{cache: c, key: key, cancel: cancel, file: file, hash: sha256.New(), users: 3, callers: 1, changed: make(chan struct{})}
	c.byKey[key] = c.recent.PushFront(a)
	for c.recent.Len() > maxEntries {
		c.remove(c.recent.Back())
	}
	go func() {
		err := fill(ctx, a)
		cancel()
		a.finish(err)
	}()
	return a, nil
}

func (c *Cache) count(hit bool) {
	if c.Hits != nil {
		c.Hits(hit)
	}
}

// Forget drops the answers whose keys are chosen.
func (c *Cache) Forget(chosen func(key string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.byKey {
		if chosen(key) {
			c.remove(e)
		}
	}
}

// remove takes an answer out of the cache, whose lock is held; who reads it goes on.
func (c *Cache) remove(e *list.Element) {
	a, _ := c.recent.Remove(e).(*Answer)
	if c.byKey[a.key] == e {
		delete(c.byKey, a.key)
	}
	a.mu.Lock()
	c.bytes -= a.size
	a.leave()
	a.mu.Unlock()
}

// join adds a caller, unless the answer is too old or was given up.
func (a *Answer) join(ttl time.Duration, fresh bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done && (a.err != nil || !fresh || time.Since(a.made) > ttl) || !a.done && a.callers == 0 {
		return false
	}
	a.users++
	a.callers++
	return true
}

// Release ends a caller's use.
func (a *Answer) Release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.callers--
	if a.callers == 0 && !a.done {
		a.cancel()
	}
	a.leave()
}

// leave gives up one use; the lock is held.
func (a *Answer) leave() {
	if a.users--; a.users == 0 {
		a.file.Close()
	}
}

// Write implements io.Writer for the maker.
func (a *Answer) Write(p []byte) (int, error) {
	n, err := a.file.WriteAt(p, a.size) // only the maker changes size
	a.hash.Write(p[:n])
	c := a.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	e, kept := c.byKey[a.key]
	if kept && e.Value == a {
		c.bytes += int64(n)
		for c.bytes > c.maxBytes && c.recent.Back() != e {
			c.remove(c.recent.Back())
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.size += int64(n)
	if err == nil && a.size > c.maxBytes {
		err = ErrTooLong
	}
	a.wake()
	return n, err
}

func (a *Answer) wake() {
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *Answer) finish(err error) {
	a.mu.Lock()
	a.done, a.err, a.made = true, err, time.Now()
	a.etag = `"` + hex.EncodeToString(a.hash.Sum(nil)[:16]) + `"`
	a.wake()
	a.leave()
	a.mu.Unlock()
	if err != nil {
		c := a.cache
		c.mu.Lock()
		if e, ok := c.byKey[a.key]; ok && e.Value == a {
			c.remove(e)
		}
		c.mu.Unlock()
	}
}

// Wait waits until the answer is whole, or long enough to begin with, and returns the error that ended it.
func (a *Answer) Wait(ctx context.Context) error {
	for {
		a.mu.Lock()
		done, err, size, changed := a.done, a.err, a.size, a.changed
		a.mu.Unlock()
		if done {
			return err
		}
		if size >= ahead {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ServeHTTP sends the answer after Wait: with ETag, Range and 304 when it is whole, else as it grows. When the rest
// fails the connection ends in the middle, which a client cannot take for the end.
func (a *Answer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	whole, size, etag := a.done && a.err == nil, a.size, a.etag
	a.mu.Unlock()
	if whole {
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(a.file, 0, size))
		return
	}
	if r.Method == http.MethodHead {
		return
	}
	buffer := make([]byte, copyBuffer)
	for at := int64(0); ; {
		a.mu.Lock()
		done, err, size, changed := a.done, a.err, a.size, a.changed
		a.mu.Unlock()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if at == size && done {
			return
		}
		if at == size {
			select {
			case <-changed:
			case <-r.Context().Done():
				return
			}
			continue
		}
		n, err := a.file.ReadAt(buffer[:min(int64(len(buffer)), size-at)], at)
		if err != nil && n == 0 {
			panic(http.ErrAbortHandler)
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return
		}
		at += int64(n)
	}
}
