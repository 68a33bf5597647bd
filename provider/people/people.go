//go:build !js

// Package people tells which accounts of several learning platforms may belong to one person. It
// suggests and says why; what is done about it is decided by somebody, and can be undone. Nothing is
// ever merged: an accepted suggestion is a note that two accounts are one person's.
package people

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"time"

	"kolibri/provider/text"
	"kolibri/store"
)

// Person is an account of a provider. Fields that a platform does not know are empty.
type Person struct {
	Provider   string `json:"provider"`
	ID         string `json:"id"`
	Username   string `json:"username"`
	Name       string `json:"name"`
	Email      string `json:"email"`
	Identifier string `json:"identifier"` // the number that the school gave
	number     int64
}

// People keeps accounts and what was decided about them. It is safe for concurrent use.
type People struct{ db *store.DB }

var schema = []string{
	`CREATE TABLE IF NOT EXISTS provider_person (number INTEGER PRIMARY KEY, provider TEXT NOT NULL, id TEXT NOT NULL, username TEXT NOT NULL,
		name TEXT NOT NULL, email TEXT NOT NULL, identifier TEXT NOT NULL, run BIGINT NOT NULL, UNIQUE (provider, id))`,
	`CREATE TABLE IF NOT EXISTS provider_person_run (id INTEGER PRIMARY KEY)`,
	`CREATE TABLE IF NOT EXISTS provider_suggestion (id INTEGER PRIMARY KEY, a BIGINT NOT NULL REFERENCES provider_person (number) ON DELETE CASCADE,
		b BIGINT NOT NULL REFERENCES provider_person (number) ON DELETE CASCADE, score REAL NOT NULL, reasons TEXT NOT NULL, state TEXT NOT NULL,
		decided BIGINT NOT NULL, run BIGINT NOT NULL, UNIQUE (a, b))`,
	`CREATE INDEX IF NOT EXISTS provider_suggestion_b ON provider_suggestion (b)`,
	`CREATE INDEX IF NOT EXISTS provider_suggestion_state ON provider_suggestion (state, score)`,
}

// Open makes the tables that the database lacks.
func Open(ctx context.Context, db *store.DB) (*People, error) {
	err := db.Write(ctx, func(tx *store.Tx) error {
		for _, s := range schema {
			if _, err := tx.Exec(s); err != nil {
				return err
			}
		}
		return nil
	})
	return &People{db: db}, err
}

// Changes counts what an Import did.
type Changes struct {
	Imported int `json:"imported"`
	Removed  int `json:"removed"`
}

// batch is how many rows one transaction writes.
const batch = 500

// maxField bounds each field of a person, in bytes.
const maxField = 300

// Import makes the list of a provider's accounts the given one. Those that are gone take what was
// decided about them along. After an error of the sequence nothing is removed.
func (p *People) Import(ctx context.Context, provider string, people iter.Seq2[Person, error]) (c Changes, err error) {
	run, err := p.run(ctx)
	if err != nil {
		return c, err
	}
	var waiting []Person
	flush := func() error {
		err := p.db.Write(ctx, func(tx *store.Tx) error {
			for _, u := range waiting {
				if _, err := tx.Exec(`INSERT INTO provider_person (provider, id, username, name, email, identifier, run) VALUES (?, ?, ?, ?, ?, ?, ?)
					ON CONFLICT (provider, id) DO UPDATE SET username = excluded.username, name = excluded.name, email = excluded.email,
					identifier = excluded.identifier, run = excluded.run`, provider, u.ID, field(u.Username), field(u.Name), field(u.Email), field(u.Identifier), run); err != nil {
					return err
				}
			}
			return nil
		})
		c.Imported += len(waiting)
		waiting = waiting[:0]
		return err
	}
	for u, err := range people {
		if err != nil {
			return c, errors.Join(err, flush())
		}
		if waiting = append(waiting, u); len(waiting) == batch {
			if err := flush(); err != nil {
				return c, err
			}
		}
	}
	if err := flush(); err != nil {
		return c, err
	}
	c.Removed, err = p.remove(ctx, provider, run)
	return c, err
}

// Forget removes a provider's accounts and what was decided about them.
func (p *People) Forget(ctx context.Context, provider string) error {
	run, err := p.run(ctx)
	if err == nil {
		_, err = p.remove(ctx, provider, run)
	}
	return err
}

func (p *People) remove(ctx context.Context, provider string, run int64) (removed int, err error) {
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		gone := "(SELECT number FROM provider_person WHERE provider = ? AND run < ?)"
		if _, err := tx.Exec("DELETE FROM provider_suggestion WHERE a IN "+gone+" OR b IN "+gone, provider, run, provider, run); err != nil {
			return err
		}
		n, err := tx.Exec("DELETE FROM provider_person WHERE provider = ? AND run < ?", provider, run)
		removed = int(n)
		return err
	})
	return removed, err
}

// run is the number of an import or a matching: rows that it does not meet keep an older one.
func (p *People) run(ctx context.Context) (run int64, err error) {
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		run, err = tx.Insert("INSERT INTO provider_person_run DEFAULT VALUES")
		return err
	})
	return run, err
}

func field(s string) string {
	s = strings.TrimSpace(text.Clean(s))
	if len(s) > maxField {
		s = strings.ToValidUTF8(s[:maxField], "")
	}
	return s
}

// States of a suggestion.
const (
	Undecided = "open"
	Accepted  = "accepted"
	Rejected  = "rejected"
)

// Suggestion is a pair of accounts that may be one person's.
type Suggestion struct {
	ID      int64      `json:"id"`
	A       Person     `json:"a"`
	B       Person     `json:"b"`
	Score   float64    `json:"score"` // 0 to 1
	Reasons []Reason   `json:"reasons"`
	State   string     `json:"state"` // open, accepted or rejected
	Decided *time.Time `json:"decided_at"`
}

// PageSize is how many suggestions a page has.
const PageSize = 50

const selectSuggestions = `SELECT s.id, s.score, s.reasons, s.state, s.decided, a.provider, a.id, a.username, a.name, a.email, a.identifier,
	b.provider, b.id, b.username, b.name, b.email, b.identifier
	FROM provider_suggestion s JOIN provider_person a ON a.number = s.a JOIN provider_person b ON b.number = s.b `

func scanSuggestion(s store.Scanner) (g Suggestion, err error) {
	var reasons string
	var decided int64
	if err := s.Scan(&g.ID, &g.Score, &reasons, &g.State, &decided, &g.A.Provider, &g.A.ID, &g.A.Username, &g.A.Name, &g.A.Email, &g.A.Identifier,
		&g.B.Provider, &g.B.ID, &g.B.Username, &g.B.Name, &g.B.Email, &g.B.Identifier); err != nil {
		return g, err
	}
	if decided > 0 {
		at := time.Unix(decided, 0).UTC()
		g.Decided = &at
	}
	return g, json.Unmarshal([]byte(reasons), &g.Reasons)
}

// Suggestions lists those in a state, the most likely first, with pages from 1. provider limits them to
// pairs with an account there, if it is not empty.
func (p *People) Suggestions(ctx context.Context, state, provider string, page int) (list []Suggestion, more bool, err error) {
	page = min(max(page, 1), 1_000_000)
	where, args := "WHERE s.state = ?", []any{state}
	if provider != "" {
		where, args = where+" AND (a.provider = ? OR b.provider = ?)", append(args, provider, provider)
	}
	err = p.db.Read(ctx, func(tx *store.Tx) error {
		list, err = store.Select(tx, scanSuggestion, selectSuggestions+where+" ORDER BY s.score DESC, s.id LIMIT ? OFFSET ?",
			append(args, PageSize+1, (page-1)*PageSize)...)
		return err
	})
	if more = len(list) > PageSize; more {
		list = list[:PageSize]
	}
	return list, more, err
}

// Decide accepts or rejects a suggestion, or opens it again, which undoes either. It returns the
// suggestion as it is then, or store.ErrNotFound.
func (p *People) Decide(ctx context.Context, id int64, state string) (g Suggestion, err error) {
	if state != Undecided && state != Accepted && state != Rejected {
		return g, ErrState
	}
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		decided := tx.Now().Unix()
		if state == Undecided {
			decided = 0
		}
		n, err := tx.Exec("UPDATE provider_suggestion SET state = ?, decided = ? WHERE id = ?", state, decided, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrNotFound
		}
		g, err = store.Get(tx, scanSuggestion, selectSuggestions+"WHERE s.id = ?", id)
		return err
	})
	return g, err
}

// ErrState is a decision that there is not.
var ErrState = errors.New("a suggestion is open, accepted or rejected")

// Same lists the accounts that are the same person's as one, by all that was accepted, itself
// included. It returns store.ErrNotFound for an account that was not imported.
func (p *People) Same(ctx context.Context, provider, id string) (list []Person, err error) {
	err = p.db.Read(ctx, func(tx *store.Tx) error {
		list, err = store.Select(tx, scanPerson, `WITH RECURSIVE same (number) AS (
			SELECT number FROM provider_person WHERE provider = ? AND id = ?
			UNION SELECT CASE WHEN s.a = same.number THEN s.b ELSE s.a END FROM same
			JOIN provider_suggestion s ON s.state = 'accepted' AND (s.a = same.number OR s.b = same.number))
			SELECT number, provider, id, username, name, email, identifier FROM provider_person WHERE number IN (SELECT number FROM same)
			ORDER BY provider, id LIMIT 1000`, provider, id)
		return err
	})
	if err == nil && len(list) == 0 {
		err = store.ErrNotFound
	}
	return list, err
}

func scanPerson(s store.Scanner) (u Person, err error) {
	return u, s.Scan(&u.number, &u.Provider, &u.ID, &u.Username, &u.Name, &u.Email, &u.Identifier)
}
