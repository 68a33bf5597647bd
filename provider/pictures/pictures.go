//go:build !js

// Package pictures turns pictures that learning platforms embed in their answers as base64 text
// (Kolibri's channel thumbnails, for one) into hosted ones, addressed by the hash of their content.
// A list of courses then carries a short address for each, and a browser keeps the picture for ever.
//
// What a platform sends is not trusted: a picture's size is read before it is decoded, its type is
// what its bytes say, and what is served is a PNG made here and never the bytes that came.
package pictures

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"kolibri/store"
)

// Limits of what is accepted and kept.
const (
	MaxBytes  = 6 << 20  // of a picture as it comes, decoded from base64
	MaxSide   = 8192     // pixels, of a picture as it comes
	MaxPixels = 12 << 20 // of a picture as it comes
	Side      = 512      // pixels, the longer side of a picture as it is kept
)

// ErrRefused is wrapped by all errors that say why a picture is not hosted; asking again does not help.
var ErrRefused = errors.New("the picture is refused")

func refused(why string) error { return fmt.Errorf("%w: %s", ErrRefused, why) }

// Pictures keeps hosted pictures in a SQLite database. It is safe for concurrent use.
type Pictures struct {
	db   *store.DB
	base string
	// turns bounds how many pictures are decoded at once, and so the memory this takes
	turns chan struct{}
	mu    sync.Mutex
	known map[string]outcome // by the hash of the source
}

// outcome is what became of a source: the hash of a hosted picture, or why it was refused.
type outcome struct{ hash, reason string }

// maxKnown bounds the outcomes in memory; the database has them all.
const maxKnown = 20_000

var schema = []string{
	`CREATE TABLE IF NOT EXISTS provider_picture (hash TEXT NOT NULL, width INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (hash, width)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS provider_picture_source (source TEXT NOT NULL PRIMARY KEY, hash TEXT NOT NULL, reason TEXT NOT NULL, seen BIGINT NOT NULL) WITHOUT ROWID`,
	`CREATE INDEX IF NOT EXISTS provider_picture_source_hash ON provider_picture_source (hash)`,
	`CREATE INDEX IF NOT EXISTS provider_picture_source_seen ON provider_picture_source (seen)`,
}

// Open makes the tables that the database lacks. base is the address under which ServeHTTP is
// reached, such as "https://example.org/pictures/".
func Open(ctx context.Context, db *store.DB, base string) (*Pictures, error) {
	err := db.Write(ctx, func(tx *store.Tx) error {
		for _, s := range schema {
			if _, err := tx.Exec(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Pictures{db: db, base: strings.TrimSuffix(base, "/") + "/", turns: make(chan struct{}, 2), known: map[string]outcome{}}, nil
}

// URL is the address of a hosted picture.
func (p *Pictures) URL(hash string) string { return p.base + hash + ".png" }

// IsData tells whether a text is a picture in itself rather than the address of one.
func IsData(text string) bool {
	return len(text) >= len(dataPrefix) && strings.EqualFold(text[:len(dataPrefix)], dataPrefix)
}

const dataPrefix = "data:image/"

// Host returns the address of the picture in a data URL, which it decodes and keeps when it sees it
// for the first time. The error wraps ErrRefused when the picture cannot be hosted, or is the
// database's or the context's.
func (p *Pictures) Host(ctx context.Context, dataURL string) (url string, err error) {
	return p.host(ctx, dataURL, func() ([]byte, error) { return decodeURL(dataURL) })
}

// Add hosts a picture that came as bytes: see Host.
func (p *Pictures) Add(ctx context.Context, picture []byte) (url string, err error) {
	return p.host(ctx, string(picture), func() ([]byte, error) { return picture, nil })
}

func (p *Pictures) host(ctx context.Context, text string, decode func() ([]byte, error)) (string, error) {
	sum := sha256.Sum256([]byte(text))
	source := hex.EncodeToString(sum[:])
	o, err := p.outcome(ctx, source)
	if errors.Is(err, store.ErrNotFound) {
		select {
		case p.turns <- struct{}{}:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		defer func() { <-p.turns }()
		// whoever waited for the turn may have waited for this very picture
		if o, err = p.outcome(ctx, source); errors.Is(err, store.ErrNotFound) {
			o, err = p.keep(ctx, source, decode)
		}
	}
	switch {
	case err != nil:
		return "", err
	case o.reason != "":
		return "", refused(o.reason)
	}
	return p.URL(o.hash), nil
}

// outcome looks up what became of a source, or returns store.ErrNotFound.
func (p *Pictures) outcome(ctx context.Context, source string) (o outcome, err error) {
	p.mu.Lock()
	o, ok := p.known[source]
	p.mu.Unlock()
	if ok {
		return o, nil
	}
	var seen int64
	err = p.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow("SELECT hash, reason, seen FROM provider_picture_source WHERE source = ?", source).Scan(&o.hash, &o.reason, &seen)
	})
	if err != nil {
		return o, err
	}
	if now := p.db.Now(); now.Sub(time.Unix(seen, 0)) > day {
		err = p.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE provider_picture_source SET seen = ? WHERE source = ?", now.Unix(), source)
			return err
		})
	}
	p.remember(source, o)
	return o, err
}

// day is how exactly is known when a picture was seen last.
const day = 24 * time.Hour

func (p *Pictures) remember(source string, o outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxKnown {
		clear(p.known)
	}
	p.known[source] = o
}

// keep decodes a picture and saves what became of it; a refusal too, so that a bomb is met once.
func (p *Pictures) keep(ctx context.Context, source string, decode func() ([]byte, error)) (o outcome, err error) {
	raw, err := decode()
	var made rendition
	if err == nil {
		made, err = render(ctx, raw, Side)
	}
	if errors.Is(err, ErrRefused) {
		o.reason = strings.TrimPrefix(err.Error(), ErrRefused.Error()+": ")
	} else if err != nil {
		return o, err
	} else {
		sum := sha256.Sum256(made.png)
		o.hash = hex.EncodeToString(sum[:])
	}
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		if o.hash != "" {
			if _, err := tx.Exec("INSERT INTO provider_picture (hash, width, data) VALUES (?, 0, ?) ON CONFLICT DO NOTHING", o.hash, made.png); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`INSERT INTO provider_picture_source (source, hash, reason, seen) VALUES (?, ?, ?, ?)
			ON CONFLICT (source) DO UPDATE SET hash = excluded.hash, reason = excluded.reason, seen = excluded.seen`, source, o.hash, o.reason, tx.Now().Unix())
		return err
	})
	if err == nil {
		p.remember(source, o)
	}
	return o, err
}

// Prune forgets what no answer has held since a moment, which is known to the day, and returns how
// many pictures it removed.
func (p *Pictures) Prune(ctx context.Context, since time.Time) (removed int64, err error) {
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec("DELETE FROM provider_picture_source WHERE seen < ?", since.Unix()); err != nil {
			return err
		}
		if removed, err = tx.Int(`SELECT COUNT(*) FROM provider_picture p WHERE width = 0 AND NOT EXISTS
			(SELECT 1 FROM provider_picture_source s WHERE s.hash = p.hash)`); err != nil {
			return err
		}
		_, err = tx.Exec("DELETE FROM provider_picture WHERE NOT EXISTS (SELECT 1 FROM provider_picture_source s WHERE s.hash = provider_picture.hash)")
		return err
	})
	p.mu.Lock()
	clear(p.known)
	p.mu.Unlock()
	return removed, err
}

// decodeURL returns the bytes in a base64 data URL.
func decodeURL(text string) ([]byte, error) {
	head, body, ok := strings.Cut(text, ",")
	switch {
	case !ok || !IsData(text):
		return nil, refused("this is no data URL of a picture")
	case !strings.HasSuffix(strings.ToLower(strings.TrimSpace(head)), ";base64"):
		return nil, refused("only base64 is accepted")
	case base64.StdEncoding.DecodedLen(len(body)) > MaxBytes+3:
		return nil, refused("it is too large")
	}
	// breaks of lines, the alphabet of URLs and missing padding are found in the wild
	body = strings.NewReplacer("\r", "", "\n", "", " ", "", "\t", "", "-", "+", "_", "/", "%2B", "+", "%2F", "/", "%3D", "=").Replace(body)
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(body, "="))
	if err != nil {
		return nil, refused("its base64 is damaged")
	}
	return raw, nil
}
