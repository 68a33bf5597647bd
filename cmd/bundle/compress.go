package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/andybalholm/brotli"
)

// Brotli levels: the highest takes two minutes for the wasm, which is worth it for the one file
// that every user waits for, and for that one alone.
const (
	textLevel = 9
	wasmLevel = 11
)

// compressor compresses with a cache by content, so that rebuilds cost nothing.
type compressor struct{ dir string }

func (c *compressor) gzip(data []byte) ([]byte, error) {
	return c.cached("gz", data, func(w io.Writer) (io.WriteCloser, error) {
		return gzip.NewWriterLevel(w, gzip.BestCompression)
	})
}

func (c *compressor) brotli(data []byte, level int) ([]byte, error) {
	return c.cached(fmt.Sprintf("br%d", level), data, func(w io.Writer) (io.WriteCloser, error) {
		return brotli.NewWriterLevel(w, level), nil
	})
}

func (c *compressor) cached(kind string, data []byte, open func(io.Writer) (io.WriteCloser, error)) ([]byte, error) {
	sum := sha256.Sum256(data)
	name := filepath.Join(c.dir, hex.EncodeToString(sum[:16])+"."+kind)
	if packed, err := os.ReadFile(name); err == nil {
		now := time.Now()
		return packed, os.Chtimes(name, now, now)
	}
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, err
	}
	return b.Bytes(), replaceFile(name, b.Bytes())
}

// unusedAfter is how long a result may lie in the cache without being asked for.
const unusedAfter = 14 * 24 * time.Hour

// prune deletes results that no build has asked for in a while.
func (c *compressor) prune(now time.Time) error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil // nothing was ever compressed
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // another build pruned it
		}
		if now.Sub(info.ModTime()) > unusedAfter {
			if err := os.Remove(filepath.Join(c.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
