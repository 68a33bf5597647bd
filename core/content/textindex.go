package content

import (
	"slices"
	"sort"
	"strings"
	"sync"

	"kolibri/store"
)

// maxText bounds what a text index keeps in memory, in bytes; a larger library is searched by the
// database.
const maxText = 24 << 20

// maxMatches is how many nodes a search passes on by their ids. When more match, the database finds
// the first of them soon enough by itself.
const maxMatches = 3000

// textIndex answers which nodes hold a word, without reading 20,000 rows for each key that is pressed:
// it keeps the titles and descriptions of a state of the library, in small letters, as SQLite's LIKE
// compares them (A to Z only).
type textIndex struct {
	mu  sync.Mutex
	key string // of the library's state
	libraryTexts
}

// libraryTexts are the texts of a state of the library, those of a node at the same place in both.
type libraryTexts struct {
	ids                  []string
	titles, descriptions texts
	tooLarge             bool
}

// texts are many texts, one behind the other.
type texts struct {
	all  string
	ends []int // of each text, the separator included
}

// separator stands between texts; a word that holds it matches nothing in the index.
const separator = "\x00"

// match returns the ids of the nodes one of whose texts holds all words. ok is false where the
// database must find them itself.
func (x *textIndex) match(tx *store.Tx, column string, words []string) (ids []string, ok bool, err error) {
	if tx.Dialect() != store.SQLite {
		return nil, false, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.refresh(tx); err != nil || x.tooLarge {
		return nil, false, err
	}
	in := &x.titles
	if column == "n.description" {
		in = &x.descriptions
	}
	var found []int
	for i, w := range words {
		if strings.Contains(w, separator) {
			return nil, false, nil
		}
		w = lowerASCII(w)
		if i == 0 {
			// the longest word is likely the rarest; any order gives the same result
			found = in.holding(w)
		} else {
			found = slices.DeleteFunc(found, func(n int) bool { return !strings.Contains(in.text(n), w) })
		}
	}
	if len(found) > maxMatches {
		return nil, false, nil
	}
	ids = make([]string, len(found))
	for i, n := range found {
		ids[i] = x.ids[n]
	}
	return ids, true, nil
}

// refresh reads the library's texts if it has changed.
func (x *textIndex) refresh(tx *store.Tx) error {
	key, err := CacheKey(tx)
	if err != nil || key == x.key {
		return err
	}
	size, err := tx.Int("SELECT coalesce(sum(length(title) + coalesce(length(description), 0)), 0) FROM content_contentnode")
	if err != nil {
		return err
	}
	x.key, x.libraryTexts = "", libraryTexts{tooLarge: size > maxText}
	if !x.tooLarge {
		if err := x.read(tx); err != nil {
			return err
		}
	}
	x.key = key
	return nil
}

func (l *libraryTexts) read(tx *store.Tx) error {
	var titles, descriptions strings.Builder
	err := store.ForEach(tx, func(row store.Scanner) error {
		var id, title string
		var description *string
		if err := row.Scan(&id, &title, &description); err != nil {
			return err
		}
		l.ids = append(l.ids, id)
		titles.WriteString(lowerASCII(title))
		titles.WriteString(separator)
		if description != nil {
			descriptions.WriteString(lowerASCII(*description))
		}
		descriptions.WriteString(separator)
		l.titles.ends = append(l.titles.ends, titles.Len())
		l.descriptions.ends = append(l.descriptions.ends, descriptions.Len())
		return nil
	}, "SELECT id, title, description FROM content_contentnode ORDER BY lft, id")
	l.titles.all, l.descriptions.all = titles.String(), descriptions.String()
	return err
}

// text is the n-th text.
func (t *texts) text(n int) string {
	start := 0
	if n > 0 {
		start = t.ends[n-1]
	}
	return t.all[start:t.ends[n]]
}

// holding lists the texts that hold a word.
func (t *texts) holding(word string) (found []int) {
	if word == "" {
		for n := range t.ends {
			found = append(found, n)
		}
		return found
	}
	for at := 0; at < len(t.all); {
		i := strings.Index(t.all[at:], word)
		if i < 0 {
			break
		}
		n := sort.SearchInts(t.ends, at+i+1)
		found = append(found, n)
		at = t.ends[n]
	}
	return found
}

// lowerASCII makes the letters A to Z small and leaves all others.
func lowerASCII(text string) string {
	if strings.IndexFunc(text, func(c rune) bool { return c >= 'A' && c <= 'Z' }) < 0 {
		return text
	}
	b := []byte(text)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
