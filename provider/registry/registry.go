//go:build !js

// Package registry keeps what is known of providers in a SQLite file: where they are, and the secrets
// by which they are used, sealed with a key that is not in the file.
package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"

	_ "github.com/ncruces/go-sqlite3/driver" // registers "sqlite3"

	"kolibri/store"
)

// Kinds of providers.
const (
	Kolibri = "kolibri"
	Canvas  = "canvas"
)

// Provider is one learning platform.
type Provider struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	BaseURL string `json:"base_url"`
	// Username signs in at a Kolibri, at this facility (an id) or its own.
	Username string `json:"username,omitempty"`
	Facility string `json:"facility,omitempty"`
	// ClientID is that of a Canvas developer key, AccountID whose people are listed ("self" if empty).
	ClientID  string  `json:"client_id,omitempty"`
	AccountID string  `json:"account_id,omitempty"`
	Secrets   Secrets `json:"-"`
}

// Secrets are kept sealed and never told.
type Secrets struct {
	Password     string `json:"password,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`
	AccessToken  string `json:"access_token,omitempty"`
}

// Grant is the access that somebody gave to an account of theirs (OAuth), as the platform's package writes it.
type Grant json.RawMessage

// ErrNotFound: there is no such provider or grant.
var ErrNotFound = store.ErrNotFound

var providerID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// IsID tells whether a provider may have this id.
func IsID(text string) bool { return providerID.MatchString(text) }

// Registry is an open file.
type Registry struct {
	db   *store.DB
	seal *seal
}

var schema = []string{
	`CREATE TABLE IF NOT EXISTS provider (id TEXT NOT NULL PRIMARY KEY, type TEXT NOT NULL, details TEXT NOT NULL, secrets BLOB NOT NULL, updated BIGINT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS provider_grant (provider_id TEXT NOT NULL REFERENCES provider (id) ON DELETE CASCADE, user_id TEXT NOT NULL, secrets BLOB NOT NULL,
		updated BIGINT NOT NULL, PRIMARY KEY (provider_id, user_id))`,
	`CREATE TABLE IF NOT EXISTS provider_seal (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL)`,
}

// Open opens or makes the file at a path. key is what NewKey makes; ErrKey says that the file was sealed with another.
// Errors of the file are *store.OpenError, with advice.
func Open(ctx context.Context, path string, key []byte) (*Registry, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	query := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(wal)", "synchronous(normal)", "foreign_keys(on)"}}
	pool, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(8)
	pool.SetMaxIdleConns(8)
	r := &Registry{db: store.New(pool, store.SQLite, nil)}
	if r.seal, err = newSeal(key); err == nil {
		err = r.db.Write(ctx, func(tx *store.Tx) error {
			for _, s := range schema {
				if _, err := tx.Exec(s); err != nil {
					return err
				}
			}
			return r.seal.check(tx)
		})
	}
	if err != nil {
		pool.Close()
		if errors.Is(err, ErrKey) {
			return nil, err
		}
		return nil, store.OpenFailed(filepath.Base(path), err)
	}
	return r, os.Chmod(path, 0o600)
}

// Close closes the file.
func (r *Registry) Close() error { return r.db.Close() }

// DB is the database, in which other parts of the service have tables of their own.
func (r *Registry) DB() *store.DB { return r.db }

// Save adds a provider, or replaces the one with its id; what users allowed for another address is forgotten.
func (r *Registry) Save(ctx context.Context, p Provider) error {
	details, err := json.Marshal(p)
	if err != nil {
		return err
	}
	sealed, err := r.seal.close(p.Secrets, "provider", p.ID)
	if err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *store.Tx) error {
		before, err := store.Get(tx, scanProvider, "SELECT details FROM provider WHERE id = ?", p.ID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if before.BaseURL != p.BaseURL || before.Type != p.Type || before.ClientID != p.ClientID {
			if _, err := tx.Exec("DELETE FROM provider_grant WHERE provider_id = ?", p.ID); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`INSERT INTO provider (id, type, details, secrets, updated) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET type = excluded.type, details = excluded.details, secrets = excluded.secrets, updated = excluded.updated`,
			p.ID, p.Type, string(details), sealed, tx.Now().Unix())
		return err
	})
}

func scanProvider(s store.Scanner) (p Provider, err error) {
	var details string
	if err := s.Scan(&details); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(details), &p)
}

// Provider returns one with its secrets, or ErrNotFound.
func (r *Registry) Provider(ctx context.Context, id string) (p Provider, err error) {
	var details string
	var sealed []byte
	err = r.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow("SELECT details, secrets FROM provider WHERE id = ?", id).Scan(&details, &sealed)
	})
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal([]byte(details), &p); err != nil {
		return p, fmt.Errorf("provider %s: %w", id, err)
	}
	return p, r.seal.open(sealed, &p.Secrets, "provider", id)
}

// Providers lists all, without their secrets.
func (r *Registry) Providers(ctx context.Context) (all []Provider, err error) {
	err = r.db.Read(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Select(tx, scanProvider, "SELECT details FROM provider ORDER BY id")
		return err
	})
	return all, err
}

// Delete forgets a provider with all that users allowed.
func (r *Registry) Delete(ctx context.Context, id string) error {
	return r.db.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec("DELETE FROM provider WHERE id = ?", id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
}

// Grant returns what a user of a provider allowed, or ErrNotFound.
func (r *Registry) Grant(ctx context.Context, provider, user string) (g Grant, err error) {
	var sealed []byte
	err = r.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow("SELECT secrets FROM provider_grant WHERE provider_id = ? AND user_id = ?", provider, user).Scan(&sealed)
	})
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage
	err = r.seal.open(sealed, &raw, "grant", provider, user)
	return Grant(raw), err
}

// SaveGrant keeps what a user allowed.
func (r *Registry) SaveGrant(ctx context.Context, provider, user string, g Grant) error {
	sealed, err := r.seal.close(json.RawMessage(g), "grant", provider, user)
	if err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO provider_grant (provider_id, user_id, secrets, updated) VALUES (?, ?, ?, ?)
			ON CONFLICT (provider_id, user_id) DO UPDATE SET secrets = excluded.secrets, updated = excluded.updated`, provider, user, sealed, tx.Now().Unix())
		return err
	})
}

// DeleteGrant forgets what a user allowed.
func (r *Registry) DeleteGrant(ctx context.Context, provider, user string) error {
	return r.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM provider_grant WHERE provider_id = ? AND user_id = ?", provider, user)
		return err
	})
}
