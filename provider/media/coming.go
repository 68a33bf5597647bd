//go:build !js

package media

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// longestFetch is how long a file may take that keeps coming, standstill how long one that does not.
	longestFetch = 2 * time.Hour
	standstill   = time.Minute
)

// coming is a file that is being fetched. Whoever asks for it meanwhile reads along.
type coming struct {
	path   string // where it is written
	cancel context.CancelFunc

	mu      sync.Mutex
	begun   bool // the provider has answered
	size    int64
	total   int64 // -1 where the provider does not say
	done    bool
	err     error
	changed chan struct{}
}

// state is what is known of a file that is being fetched, and a channel that is closed when there is more.
type state struct {
	begun, done bool
	size, total int64
	err         error
	changed     <-chan struct{}
}

func (d *coming) state() state {
	d.mu.Lock()
	defer d.mu.Unlock()
	return state{d.begun, d.done, d.size, d.total, d.err, d.changed}
}

func (d *coming) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
	close(d.changed)
	d.changed = make(chan struct{})
}

// until waits for a state.
func (d *coming) until(ctx context.Context, enough func(state) bool) (state, error) {
	for {
		s := d.state()
		if s.err != nil || s.done || enough(s) {
			return s, s.err
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
}

// begin starts to fetch a file; the caller holds the lock. The fetch does not end with who asked for it first:
// others may wait for it, or ask again.
func (c *Cache) begin(w Want, name string) (*coming, error) {
	if w.Size > c.maxBytes/2 {
		return nil, ErrTooLarge
	}
	if c.ctx.Err() != nil {
		return nil, ErrClosed
	}
	f, err := os.CreateTemp(c.unfinished(), "*")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c.ctx, longestFetch)
	d := &coming{path: f.Name(), cancel: cancel, total: -1, changed: make(chan struct{})}
	c.coming[name] = d
	c.work.Go(func() {
		defer cancel()
		err := c.receive(ctx, f, d, w)
		if close := f.Close(); err == nil {
			err = close
		}
		c.finish(d, w, name, err)
	})
	return d, nil
}

// receive writes a file while it comes.
func (c *Cache) receive(ctx context.Context, f *os.File, d *coming, w Want) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(standstill, func() { cancel(errStandstill) })
	defer idle.Stop()
	a, err := c.fetch(ctx, w.Provider, w.Address)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	most := c.maxBytes / 2
	switch {
	case a.StatusCode != http.StatusOK:
		return fmt.Errorf("the provider answers a file with status %d", a.StatusCode)
	case a.ContentLength > most:
		return ErrTooLarge
	case w.Size > 0 && a.ContentLength >= 0 && a.ContentLength != w.Size:
		return ErrDamaged
	}
	d.set(func() { d.begun, d.total = true, a.ContentLength })
	to := &receiver{cache: c, file: f, coming: d, hash: md5.New(), idle: idle}
	size, err := io.Copy(to, io.LimitReader(a.Body, most+1))
	switch {
	case errors.Is(context.Cause(ctx), errStandstill):
		return errStandstill
	case err != nil:
		return err
	case size > most:
		return ErrTooLarge
	case w.Size > 0 && size != w.Size, w.MD5 != "" && !strings.EqualFold(w.MD5, hex.EncodeToString(to.hash.Sum(nil))):
		return ErrDamaged
	}
	return f.Sync()
}

// receiver is a file that others read while it is written.
type receiver struct {
	cache  *Cache
	file   *os.File
	coming *coming
	hash   hash.Hash
	idle   *time.Timer
}

// Write implements io.Writer.
func (r *receiver) Write(p []byte) (int, error) {
	if err := r.cache.take(int64(len(p))); err != nil {
		return 0, err
	}
	n, err := r.file.Write(p)
	r.hash.Write(p[:n])
	r.idle.Reset(standstill)
	r.coming.set(func() { r.coming.size += int64(len(p)) })
	return n, err
}

// take makes room for so many bytes of a file that comes.
func (c *Cache) take(size int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.makeRoom(size)
	if c.used+size > c.maxBytes { // others that come fill it
		return ErrTooLarge
	}
	c.used += size
	return nil
}

// finish gives a file that has come its place, or removes it.
func (c *Cache) finish(d *coming, w Want, name string, err error) {
	c.mu.Lock()
	if c.coming[name] != d || c.ctx.Err() != nil {
		err = ErrClosed
	}
	if c.coming[name] == d {
		delete(c.coming, name)
	}
	if err == nil {
		if err = os.Rename(d.path, filepath.Join(c.folder, name)); err == nil {
			c.files[name] = &entry{size: d.size, lastUsed: time.Now()}
		}
	}
	if err != nil {
		_ = os.Remove(d.path)
		c.used -= d.size
	}
	c.mu.Unlock()
	d.set(func() { d.done, d.err = true, err })
}
