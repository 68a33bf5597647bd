//go:build unix

package search

import (
	"context"
	"errors"
	"slices"
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
	// minPrefix is how many letters the beginning of a word has; there is an index of this many
	minPrefix = 3
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
			t.prefix = !t.not && !text.Unspaced(t.words[len(t.words)-1]) && utf8.RuneCountInString(t.words[len(t.words)-1]) >= minPrefix
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

// texts are the columns that hold words of documents.
const texts = "{title tags description body} : "

// phrase is a term as FTS5 reads it.
func (t term) phrase() string {
	p := `"` + strings.Join(t.words, " ") + `"`
	if t.prefix {
		p += "*"
	}
	return p
}

// limits are what a question is limited to within the index.
func (q Query) limits() (tokens []string) {
	for _, limit := range []struct {
		value string
		token func(string) string
	}{{q.Provider, scopeOf}, {q.Kind, kindOf}, {q.Language, languageOf}} {
		if limit.value != "" {
			tokens = append(tokens, limit.token(limit.value))
		}
	}
	return tokens
}

// match writes the terms as FTS5 reads them; "" when there is nothing to be found. any: one of them is
// enough. titled: in titles and tags alone.
func (q Query) match(terms []term, any, titled bool) string {
	var yes, no []string
	for _, t := range terms {
		if t.not {
			no = append(no, t.phrase())
		} else {
			yes = append(yes, t.phrase())
		}
	}
	if len(yes) == 0 {
		return ""
	}
	glue, columns := " AND ", texts
	if any {
		glue = " OR "
	}
	if titled {
		columns = "{title tags} : "
	}
	match := columns + "(" + strings.Join(yes, glue) + ")"
	if limits := q.limits(); len(limits) > 0 {
		match = "scope : (" + strings.Join(limits, " AND ") + ") AND " + match
	}
	if len(no) > 0 {
		match = "(" + match + ") NOT " + texts + "(" + strings.Join(no, " OR ") + ")"
	}
	return match
}

// Search answers a question. It returns ErrQuery when there is no word in it.
func (x *Index) Search(ctx context.Context, q Query) (a Answer, err error) {
	terms := parse(q.Text)
	if q.match(terms, false, false) == "" {
		return a, ErrQuery
	}
	q.Page = min(max(q.Page, 1), MaxPage)
	a = Answer{Page: q.Page, Hits: []Hit{}}
	err = x.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := rank(tx, q, terms, false)
		if err == nil && len(rows) == 0 && len(terms) > 1 {
			rows, err = rank(tx, q, terms, true)
			a.Partial = len(rows) > 0
		}
		if err != nil {
			return err
		}
		a.Count = min(len(rows), maxRows)
		first := min((q.Page-1)*PageSize, a.Count)
		last := min(first+PageSize, a.Count)
		a.More = last < a.Count && q.Page < MaxPage
		return a.fill(tx, rows[first:last], terms)
	})
	return a, err
}

// fill reads the documents of a page.
func (a *Answer) fill(tx *store.Tx, page []ranked, terms []term) error {
	numbers, scores := []int64{}, map[int64]float64{}
	for _, r := range page {
		numbers = append(numbers, r.number)
		scores[r.number] = r.score
	}
	err := store.ForEach(tx, func(s store.Scanner) error {
		var h Hit
		var number int64
		var title, about, tags, body string
		if err := s.Scan(&number, &h.Provider, &h.ID, &h.CourseID, &h.Kind, &h.Language, &title, &about, &tags, &body); err != nil {
			return err
		}
		h.Score = scores[number]
		h.Tags = strings.FieldsFunc(tags, func(r rune) bool { return r == '\n' })
		h.Title, h.Snippet = highlight(title, terms), snippet(body, about, terms)
		h.number = number
		a.Hits = append(a.Hits, h)
		return nil
	}, `SELECT d.number, d.provider, d.id, d.course, d.kind, d.language, d.title, d.description, d.tags, COALESCE(substr(t.body, 1, ?), '')
		FROM search_document d LEFT JOIN search_text t ON t.number = d.number WHERE d.number IN ?`, snippetText, store.In(numbers))
	slices.SortFunc(a.Hits, func(x, y Hit) int { return slices.Index(numbers, x.number) - slices.Index(numbers, y.number) })
	return err
}

// snippetText is how much of a document is read for its snippet, in bytes.
const snippetText = 96 << 10
