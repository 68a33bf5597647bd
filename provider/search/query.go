//go:build unix

package search

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"kolibri/provider/text"
	"kolibri/store"
)

// Limits of a question.
const (
	MaxQuery = 300 // characters
	MaxPage  = 50  // pages that can be leafed through
	PageSize = 20
	maxTerms = 12
	maxCount = 1000 // hits that are counted; more are "at least 1000"
)

// ErrQuery is a question that cannot be asked; its text says why.
var ErrQuery = errors.New("there is nothing to search for: q holds no word")

// Query is a question. Text is words, all of which must be there: "in quotes" in a row, -not. The last
// word may be the beginning of one. The other fields limit the answer if they are not empty.
type Query struct {
	Provider, Text, Kind, Language string
	Page                           int // from 1
}

// Hit is a document that was found. Title and Snippet are HTML: text is escaped, what was looked for
// stands in <mark>, and the snippet is isolated from the direction of the text around it.
type Hit struct {
	Provider string   `json:"provider"`
	ID       string   `json:"id"`
	CourseID string   `json:"course_id"`
	Kind     string   `json:"kind"`
	Language string   `json:"language"`
	Title    string   `json:"title"`
	Snippet  string   `json:"snippet"`
	Tags     []string `json:"tags"`
	Score    float64  `json:"score"` // larger is better; it compares hits of one answer only
	number   int64
	rawTitle string
	about    string
}

// Answer is a page of hits, the best first.
type Answer struct {
	Hits  []Hit `json:"results"`
	Count int   `json:"count"` // of all pages, 1000 at most
	Page  int   `json:"page"`
	More  bool  `json:"more"`
	// Partial: no document has all the words, these have some.
	Partial bool `json:"partial"`
}

// term is a word or some in a row.
type term struct {
	words  []string
	not    bool
	prefix bool // the last word may go on
}

// parse reads what somebody typed. Nothing of it reaches FTS5 but words of letters and digits.
func parse(q string) (terms []term) {
	q = text.Clean(q)
	if utf8.RuneCountInString(q) > MaxQuery {
		q = string([]rune(q)[:MaxQuery])
	}
	q = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`).Replace(q)
	for i, part := range strings.Split(q, `"`) {
		if i%2 == 1 {
			if t := (term{words: wordsOf(part)}); len(t.words) > 0 {
				before := strings.Split(q, `"`)[i-1]
				t.not = strings.HasSuffix(before, "-") && (len(before) == 1 || before[len(before)-2] == ' ')
				terms = append(terms, t)
			}
			continue
		}
		last := 0
		text.Words(part, func(word string, start, end int) bool {
			attached := start == last && start > 0
			not := start > 0 && part[start-1] == '-' && (start == 1 || part[start-2] == ' ')
			last = end
			if attached && len(terms) > 0 && text.Unspaced(word) { // one word of a script without spaces
				t := &terms[len(terms)-1]
				t.words = append(t.words, word)
				return true
			}
			terms = append(terms, term{words: []string{word}, not: not})
			return true
		})
		if n := len(terms); n > 0 && last == len(part) && part != "" && i == strings.Count(q, `"`) {
			t := &terms[n-1]
			t.prefix = !t.not && !text.Unspaced(t.words[len(t.words)-1]) && utf8.RuneCountInString(t.words[len(t.words)-1]) > 1
		}
	}
	return terms[:min(len(terms), maxTerms)]
}

func wordsOf(s string) (words []string) {
	text.Words(s, func(word string, _, _ int) bool {
		words = append(words, word)
		return len(words) < 3*maxTerms
	})
	return words
}

// match writes the terms as FTS5 reads them; "" when there is nothing to be found. any: one is enough.
func (q Query) match(terms []term, any bool) string {
	var yes, no []string
	for _, t := range terms {
		phrase := `"` + strings.Join(t.words, " ") + `"`
		switch {
		case t.not:
			no = append(no, phrase)
		case t.prefix:
			yes = append(yes, phrase+"*")
		default:
			yes = append(yes, phrase)
		}
	}
	if len(yes) == 0 {
		return ""
	}
	glue := " AND "
	if any {
		glue = " OR "
	}
	const texts = "{title tags description body} : "
	match := texts + "(" + strings.Join(yes, glue) + ")"
	for _, limit := range []struct{ given, token string }{{q.Provider, scopeOf(q.Provider)}, {q.Kind, kindOf(q.Kind)}, {q.Language, languageOf(q.Language)}} {
		if limit.given != "" {
			match = "scope : " + limit.token + " AND " + match
		}
	}
	if len(no) > 0 {
		match = "(" + match + ") NOT " + texts + "(" + strings.Join(no, " OR ") + ")"
	}
	return match
}

// Search answers a question. It returns ErrQuery when there is no word in it.
func (x *Index) Search(ctx context.Context, q Query) (a Answer, err error) {
	terms := parse(q.Text)
	match := q.match(terms, false)
	if match == "" {
		return a, ErrQuery
	}
	q.Page = min(max(q.Page, 1), MaxPage)
	a = Answer{Page: q.Page, Hits: []Hit{}}
	err = x.db.Read(ctx, func(tx *store.Tx) error {
		if err := a.fill(tx, match); err != nil {
			return err
		}
		if a.Count > 0 || len(terms) == 1 {
			return nil
		}
		a.Partial = true
		if err := a.fill(tx, q.match(terms, true)); err != nil {
			return err
		}
		a.Partial = a.Count > 0
		return nil
	})
	if err != nil {
		return a, err
	}
	return a, x.mark(ctx, a.Hits, terms)
}

func (a *Answer) fill(tx *store.Tx, match string) error {
	n, err := tx.Int("SELECT COUNT(*) FROM (SELECT 1 FROM search_words WHERE search_words MATCH ? LIMIT ?)", match, maxCount)
	if err != nil {
		return err
	}
	a.Count = int(n)
	if first := (a.Page - 1) * PageSize; first >= a.Count {
		return nil
	}
	a.Hits, err = store.Select(tx, func(s store.Scanner) (h Hit, err error) {
		var tags string
		err = s.Scan(&h.number, &h.Score, &h.Provider, &h.ID, &h.CourseID, &h.Kind, &h.Language, &h.rawTitle, &h.about, &tags)
		h.Score = -h.Score
		h.Tags = strings.FieldsFunc(tags, func(r rune) bool { return r == '\n' })
		return h, err
	}, `SELECT d.number, w.rank, d.provider, d.id, d.course, d.kind, d.language, d.title, d.description, d.tags
		FROM (SELECT rowid, rank FROM search_words WHERE search_words MATCH ? ORDER BY rank LIMIT ? OFFSET ?) w
		JOIN search_document d ON d.number = w.rowid ORDER BY w.rank, d.number`, match, PageSize+1, (a.Page-1)*PageSize)
	if len(a.Hits) > PageSize {
		a.Hits, a.More = a.Hits[:PageSize], a.Page < MaxPage
	}
	return err
}

// snippetText is how much of a document is read for its snippet, in bytes.
const snippetText = 96 << 10

// mark makes titles and snippets.
func (x *Index) mark(ctx context.Context, hits []Hit, terms []term) error {
	return x.db.Read(ctx, func(tx *store.Tx) error {
		for i := range hits {
			h := &hits[i]
			h.Title = highlight(h.rawTitle, terms)
			var body string
			err := tx.QueryRow("SELECT substr(body, 1, ?) FROM search_text WHERE number = ?", snippetText, h.number).Scan(&body)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			h.Snippet = snippet(body, h.about, terms)
		}
		return nil
	})
}
