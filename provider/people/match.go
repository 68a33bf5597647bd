//go:build !js

package people

import (
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"kolibri/store"
)

// Bounds of a matching: they keep its cost with the number of people, not with that of pairs.
const (
	least       = 0.5 // the score below which nothing is suggested
	maxBest     = 3   // suggestions for one account
	maxBlock    = 60  // accounts that share a key; a key of more tells nobody apart
	maxTries    = 400 // accounts that one is compared with
	maxVariants = 24  // letters of a name whose misspellings are keys
)

// ErrSame: a provider is compared with itself.
var ErrSame = errors.New("two different providers are compared")

// keyed is an account of the other provider under one of its keys.
type keyed struct {
	key uint64
	at  int32
}

// Match compares the accounts of two providers and keeps suggestions. What was decided stays decided;
// suggestions that nothing speaks for any more are removed, unless they were decided. It returns how
// many there are between the two.
func (p *People) Match(ctx context.Context, one, other string) (n int, err error) {
	if one == other {
		return 0, ErrSame
	}
	a, err := p.accounts(ctx, one)
	if err != nil {
		return 0, err
	}
	b, err := p.accounts(ctx, other)
	if err != nil {
		return 0, err
	}
	namesA, namesB := count(a), count(b)
	seed := maphash.MakeSeed()
	var index []keyed
	for i := range b {
		b[i].keys(func(key string) { index = append(index, keyed{maphash.String(seed, key), int32(i)}) })
	}
	slices.SortFunc(index, func(x, y keyed) int {
		if x.key != y.key {
			if x.key < y.key {
				return -1
			}
			return 1
		}
		return int(x.at - y.at)
	})
	run, err := p.run(ctx)
	if err != nil {
		return 0, err
	}
	var found []pair
	flush := func() error {
		n += len(found)
		err := p.save(ctx, found, run)
		found = found[:0]
		return err
	}
	for i := range a {
		if i%256 == 0 && ctx.Err() != nil {
			return n, ctx.Err()
		}
		tried := map[int32]bool{}
		a[i].keys(func(key string) {
			h := maphash.String(seed, key)
			from := sort.Search(len(index), func(j int) bool { return index[j].key >= h })
			to := from
			for to < len(index) && index[to].key == h && to-from <= maxBlock {
				to++
			}
			if to-from > maxBlock {
				return
			}
			for _, k := range index[from:to] {
				if len(tried) < maxTries {
					tried[k.at] = true
				}
			}
		})
		best := []pair{}
		for at := range tried {
			score, reasons := compare(&a[i], &b[at], namesA[a[i].whole] <= 1 && namesB[b[at].whole] <= 1)
			if score >= least {
				best = append(best, pair{a[i].number, b[at].number, score, reasons})
			}
		}
		slices.SortFunc(best, func(x, y pair) int {
			if x.score != y.score {
				if x.score > y.score {
					return -1
				}
				return 1
			}
			return int(x.b - y.b)
		})
		if found = append(found, best[:min(len(best), maxBest)]...); len(found) >= batch {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	if err := flush(); err != nil {
		return n, err
	}
	return n, p.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM provider_suggestion WHERE state = 'open' AND run < ? AND (
			a IN (SELECT number FROM provider_person WHERE provider = ?) AND b IN (SELECT number FROM provider_person WHERE provider = ?) OR
			b IN (SELECT number FROM provider_person WHERE provider = ?) AND a IN (SELECT number FROM provider_person WHERE provider = ?))`, run, one, other, one, other)
		return err
	})
}

// pair is a suggestion that was found.
type pair struct {
	a, b    int64
	score   float64
	reasons []Reason
}

func (p *People) save(ctx context.Context, found []pair, run int64) error {
	return p.db.Write(ctx, func(tx *store.Tx) error {
		for _, f := range found {
			reasons, err := json.Marshal(f.reasons)
			if err != nil {
				return err
			}
			// the pair is the same whichever provider is named first
			if _, err := tx.Exec(`INSERT INTO provider_suggestion (a, b, score, reasons, state, decided, run) VALUES (?, ?, ?, ?, 'open', 0, ?)
				ON CONFLICT (a, b) DO UPDATE SET score = excluded.score, reasons = excluded.reasons, run = excluded.run WHERE state = 'open'`,
				min(f.a, f.b), max(f.a, f.b), f.score, string(reasons), run); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *People) accounts(ctx context.Context, provider string) (list []account, err error) {
	err = p.db.Read(ctx, func(tx *store.Tx) error {
		list, err = store.Select(tx, func(s store.Scanner) (account, error) {
			u, err := scanPerson(s)
			return newAccount(u), err
		}, "SELECT number, provider, id, username, name, email, identifier FROM provider_person WHERE provider = ?", provider)
		return err
	})
	return list, err
}

// count tells how many accounts have a name.
func count(list []account) map[string]int {
	names := make(map[string]int, len(list))
	for i := range list {
		names[list[i].whole]++
	}
	return names
}

// keys calls add with everything by which an account is looked for: two accounts are compared if they
// have one in common.
func (a *account) keys(add func(string)) {
	for prefix, value := range map[string]string{"e": a.email, "i": a.identifier, "u": a.username} {
		if value != "" {
			add(prefix + value)
		}
	}
	if a.whole == "" {
		return
	}
	for i, x := range a.names {
		for j, y := range a.names {
			if i < j {
				add("p" + min(x, y) + " " + max(x, y))
			}
			if i != j { // a misspelt or shortened name beside one that is whole
				r, _ := utf8.DecodeRuneInString(y)
				add("q" + x + " " + string(r))
			}
		}
	}
	// two names of which each is the other with a letter more, less or another share one of these
	variants(a.whole, add)
	if a.line != a.whole {
		variants(a.line, add)
	}
}

func variants(word string, add func(string)) {
	add("v" + word)
	letters := []rune(word)
	if len(letters) < 3 || len(letters) > maxVariants {
		return
	}
	var b strings.Builder
	for skip := range letters {
		b.Reset()
		b.WriteByte('v')
		for i, r := range letters {
			if i != skip {
				b.WriteRune(r)
			}
		}
		add(b.String())
	}
}
