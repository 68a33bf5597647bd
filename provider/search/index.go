//go:build unix

// Package search finds documents of learning platforms by their metadata and their text, in any
// script. The index is a SQLite file of its own with FTS5: it is made from what platforms hold, so it
// can be thrown away and made again.
//
// FTS5's tokenizers do not fit: unicode61 takes a row of Chinese for one word and cuts Indic words at
// their vowels, trigram does not find words of two letters. So words are made by package text, here
// and for queries alike, and FTS5 keeps them without the text (a contentless table).
package search

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3/driver"

	"kolibri/provider/text"
	"kolibri/store"
)

// Document is what can be found: a resource of a platform.
type Document struct {
	Provider    string
	ID          string // the provider's
	CourseID    string
	Kind        string
	Language    string
	Title       string
	Description string
	Tags        []string
	// File is the address of the file whose text belongs to the document, empty for none, and Checksum
	// its MD5 where it is known. The text is read again when one of them changes.
	File, Checksum string
	Size           int64 // of the file in bytes, 0 where it is not known
}

// Index is an open index. It is safe for concurrent use.
type Index struct{ db *store.DB }

// searchSchema: the tables refer to each other by the document's number. seen is the run of Sync that
// met the document last. read is the version of the file whose text is kept, ” while there is none.
var searchSchema = []string{
	`CREATE TABLE IF NOT EXISTS search_document (number INTEGER PRIMARY KEY, provider TEXT NOT NULL, id TEXT NOT NULL, course TEXT NOT NULL,
		kind TEXT NOT NULL, language TEXT NOT NULL, title TEXT NOT NULL, description TEXT NOT NULL, tags TEXT NOT NULL,
		file TEXT NOT NULL, checksum TEXT NOT NULL, size BIGINT NOT NULL, version TEXT NOT NULL, read TEXT NOT NULL, failure TEXT NOT NULL,
		digest TEXT NOT NULL, seen BIGINT NOT NULL, UNIQUE (provider, id))`,
	`CREATE INDEX IF NOT EXISTS search_unread ON search_document (provider, number) WHERE version <> read`,
	`CREATE TABLE IF NOT EXISTS search_text (number INTEGER PRIMARY KEY, body TEXT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS search_run (provider TEXT NOT NULL PRIMARY KEY, run BIGINT NOT NULL) WITHOUT ROWID`,
	`CREATE VIRTUAL TABLE IF NOT EXISTS search_words USING fts5(scope, title, tags, description, body, content='', contentless_delete=1, tokenize='ascii', prefix='3')`,
}

// Open opens or makes an index. A file that is damaged is store.ErrCorrupt: it may be removed.
func Open(ctx context.Context, path string) (*Index, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	query := url.Values{"_pragma": {"busy_timeout(20000)", "journal_mode(wal)", "synchronous(normal)", "cache_size(-32000)", "temp_store(memory)"}}
	pool, err := driver.Open("file:"+(&url.URL{Path: path}).EscapedPath()+"?"+query.Encode(), register)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(4)
	pool.SetMaxIdleConns(4)
	db := store.New(pool, store.SQLite, nil)
	err = db.Write(ctx, func(tx *store.Tx) error {
		for _, s := range searchSchema {
			if _, err := tx.Exec(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		pool.Close()
		return nil, store.OpenFailed(filepath.Base(path), err)
	}
	return &Index{db: db}, nil
}

// Close closes the index.
func (x *Index) Close() error { return x.db.Close() }

// Changes counts what a Sync did.
type Changes struct {
	Added   int `json:"added"`
	Changed int `json:"changed"`
	Removed int `json:"removed"`
	Same    int `json:"same"`
}

// batch is how many documents one transaction writes, so that searches and other writers get a turn.
const batch = 200

// Sync makes the index hold a provider's documents, and no others of it. Documents that have not
// changed are not touched. After an error of the sequence what came is kept and nothing is removed.
func (x *Index) Sync(ctx context.Context, provider string, documents iter.Seq2[Document, error]) (c Changes, err error) {
	var run int64
	err = x.db.Write(ctx, func(tx *store.Tx) error {
		return tx.QueryRow("INSERT INTO search_run (provider, run) VALUES (?, 1) ON CONFLICT (provider) DO UPDATE SET run = run + 1 RETURNING run", provider).Scan(&run)
	})
	if err != nil {
		return c, err
	}
	var waiting []Document
	flush := func() error {
		err := x.db.Write(ctx, func(tx *store.Tx) error {
			for _, d := range waiting {
				if err := put(tx, d, run, &c); err != nil {
					return err
				}
			}
			return nil
		})
		waiting = waiting[:0]
		return err
	}
	for d, err := range documents {
		if err != nil {
			return c, errors.Join(err, flush())
		}
		d.Provider = provider
		if waiting = append(waiting, d); len(waiting) == batch {
			if err := flush(); err != nil {
				return c, err
			}
		}
	}
	if err := flush(); err != nil {
		return c, err
	}
	n, err := x.remove(ctx, "provider = ? AND seen < ?", provider, run)
	c.Removed = n
	return c, err
}

// Forget removes all documents of a provider.
func (x *Index) Forget(ctx context.Context, provider string) error {
	_, err := x.remove(ctx, "provider = ?", provider)
	return err
}

// Delete removes one document. It returns store.ErrNotFound.
func (x *Index) Delete(ctx context.Context, provider, id string) error {
	n, err := x.remove(ctx, "provider = ? AND id = ?", provider, id)
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return err
}

func (x *Index) remove(ctx context.Context, where string, args ...any) (removed int, err error) {
	for {
		var n int64
		err := x.db.Write(ctx, func(tx *store.Tx) error {
			numbers, err := store.Select(tx, func(s store.Scanner) (v int64, err error) { return v, s.Scan(&v) },
				"SELECT number FROM search_document WHERE "+where+" LIMIT 500", args...)
			if err != nil {
				return err
			}
			for _, table := range []string{"search_words WHERE rowid", "search_text WHERE number", "search_document WHERE number"} {
				if n, err = tx.Exec("DELETE FROM "+table+" IN ?", store.In(numbers)); err != nil {
					return err
				}
			}
			n = int64(len(numbers))
			return nil
		})
		removed += int(n)
		if err != nil || n == 0 {
			return removed, err
		}
	}
}

func put(tx *store.Tx, d Document, run int64, c *Changes) error {
	d.Title, d.Description = text.Clean(d.Title), text.Clean(d.Description)
	whole, err := json.Marshal(d)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(whole)
	digest := hex.EncodeToString(sum[:16])
	var number int64
	var old string
	err = tx.QueryRow("SELECT number, digest FROM search_document WHERE provider = ? AND id = ?", d.Provider, d.ID).Scan(&number, &old)
	switch {
	case err == nil && old == digest:
		c.Same++
		_, err = tx.Exec("UPDATE search_document SET seen = ? WHERE number = ?", run, number)
		return err
	case err == nil:
		c.Changed++
	case errors.Is(err, store.ErrNotFound):
		c.Added++
	default:
		return err
	}
	version := ""
	if d.File != "" {
		version = d.File + " " + d.Checksum
	}
	err = tx.QueryRow(`INSERT INTO search_document (provider, id, course, kind, language, title, description, tags, file, checksum, size, version,
		read, failure, digest, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?, ?)
		ON CONFLICT (provider, id) DO UPDATE SET course = excluded.course, kind = excluded.kind, language = excluded.language, title = excluded.title,
		description = excluded.description, tags = excluded.tags, file = excluded.file, checksum = excluded.checksum, size = excluded.size,
		version = excluded.version, digest = excluded.digest, seen = excluded.seen RETURNING number`,
		d.Provider, d.ID, d.CourseID, d.Kind, d.Language, d.Title, d.Description, strings.Join(d.Tags, "\n"), d.File, d.Checksum, d.Size, version,
		digest, run).Scan(&number)
	if err != nil {
		return err
	}
	var body sql.NullString
	if err := tx.QueryRow("SELECT (SELECT body FROM search_text WHERE number = ?)", number).Scan(&body); err != nil {
		return err
	}
	return index(tx, number, d, body.String)
}

// index writes a document's words in place of those it had.
func index(tx *store.Tx, number int64, d Document, body string) error {
	_, err := tx.Exec("INSERT OR REPLACE INTO search_words (rowid, scope, title, tags, description, body) VALUES (?, ?, ?, ?, ?, ?)",
		number, scopeOf(d.Provider)+" "+kindOf(d.Kind)+" "+languageOf(d.Language),
		joined(d.Title), joined(text.Clean(strings.Join(d.Tags, "\n"))), joined(d.Description), joined(body))
	return err
}

// joined is a text as FTS5 gets it: its words with a space between.
func joined(s string) string {
	var b strings.Builder
	text.Words(s, func(word string, _, _ int) bool {
		b.WriteString(word)
		b.WriteByte(' ')
		return true
	})
	return b.String()
}

// token makes one word of anything, so that a search can be limited within the index.
func token(prefix, value string) string {
	sum := sha256.Sum256([]byte(value))
	return prefix + hex.EncodeToString(sum[:8])
}

func scopeOf(provider string) string { return token("p", provider) }
func kindOf(kind string) string      { return token("k", kind) }

// languageOf counts en-GB as en.
func languageOf(language string) string {
	language, _, _ = strings.Cut(strings.ToLower(strings.ReplaceAll(language, "_", "-")), "-")
	return token("l", language)
}
