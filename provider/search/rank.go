//go:build unix

package search

import (
	"math"
	"slices"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"

	"kolibri/store"
)

// FTS5's own bm25 reads every row that a word stands in before it ranks the first, which takes a
// third of a second for a common word of 10,000 documents. Here a search looks at a bounded number of
// rows, whatever is asked: words that stand in more documents than that tell nothing apart anyway.

// Bounds of a search.
const (
	maxRows  = 1000 // documents that are ranked
	maxTitle = 300  // more of them, that have the words in their titles or tags
	maxPlace = 100  // places of words that are looked at in one document
)

// worth is what a word counts in each column: scope, title, tags, description, body.
var worth = []float64{0, 10, 4, 3, 1}

// register brings FTS5 and the function "weigh", which ranks a row. Its arguments are what the phrases
// of the question are worth.
func register(c *sqlite3.Conn) error {
	return fts5.RegisterCustom(c, func(api *fts5.API) error { return api.CreateFunction("weigh", weigh) })
}

// weigh follows BM25: the second place of a word counts less than the first, and less in a long text.
func weigh(row fts5.Context, answer sqlite3.Context, rare ...sqlite3.Value) {
	places, err := row.InstCount()
	if err != nil {
		answer.ResultError(err)
		return
	}
	found := make([]float64, len(rare))
	for i := range min(places, maxPlace) {
		phrase, column, _, err := row.Inst(i)
		if err != nil {
			answer.ResultError(err)
			return
		}
		if phrase < len(found) && column < len(worth) {
			found[phrase] += worth[column]
		}
	}
	size, err := row.ColumnSize(len(worth) - 1)
	if err != nil {
		answer.ResultError(err)
		return
	}
	const usual = 1000 // words of a text
	damp := 1.2 * (0.25 + 0.75*float64(size)/usual)
	score := 0.0
	for i, f := range found {
		score += rare[i].Float() * f / (f + damp)
	}
	answer.ResultFloat(score)
}

// ranked is a row with its score.
type ranked struct {
	number int64
	score  float64
}

// rank finds the rows of a question, the best first.
func rank(tx *store.Tx, q Query, terms []term, any bool) ([]ranked, error) {
	rare, err := q.rarities(tx, terms)
	if err != nil {
		return nil, err
	}
	rows, err := candidates(tx, q.match(terms, any, false), rare, maxRows)
	if err != nil {
		return nil, err
	}
	if len(rows) == maxRows {
		titled, err := candidates(tx, q.match(terms, any, true), rare, maxTitle)
		if err != nil {
			return nil, err
		}
		rows = append(rows, titled...)
	}
	slices.SortFunc(rows, func(a, b ranked) int {
		if a.score != b.score {
			return int(math.Copysign(1, b.score-a.score))
		}
		return int(a.number - b.number)
	})
	return slices.Compact(rows), nil
}

func candidates(tx *store.Tx, match string, rare []any, limit int) ([]ranked, error) {
	query := "SELECT rowid, weigh(search_words"
	for range rare {
		query += ", ?"
	}
	args := append(slices.Clone(rare), match, limit)
	return store.Select(tx, func(s store.Scanner) (r ranked, err error) { return r, s.Scan(&r.number, &r.score) },
		query+") FROM search_words WHERE search_words MATCH ? LIMIT ?", args...)
}

// rarities are what the phrases of a question are worth, in their order in it: more, the fewer
// documents have them. Nothing is what limits it.
func (q Query) rarities(tx *store.Tx, terms []term) (list []any, err error) {
	for range q.limits() {
		list = append(list, 0.0)
	}
	yes := slices.DeleteFunc(slices.Clone(terms), func(t term) bool { return t.not })
	for _, t := range yes {
		if len(yes) == 1 {
			return append(list, 1.0), nil
		}
		n, err := tx.Int("SELECT COUNT(*) FROM (SELECT 1 FROM search_words WHERE search_words MATCH ? LIMIT ?)", texts+t.phrase(), maxRows)
		if err != nil {
			return nil, err
		}
		list = append(list, math.Log(1+float64(4*maxRows)/(1+float64(n))))
	}
	return list, nil
}
