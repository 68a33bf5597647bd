package content

import (
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"kolibri/core/api"
	"kolibri/store"
)

// missing is the answer to a search for nothing.
// kolibri/core/decorators.py: query_params_required
func missing() error {
	return &api.Error{Status: http.StatusPreconditionFailed, Detail: "The following parameters were missing and are required: search"}
}

// withSearch keeps a rule of the search view for its other answers: they too want a search text.
func withSearch(handle api.Handler) api.Handler {
	return func(r *api.Request) (any, error) {
		if !r.Query().Has("search") {
			return nil, missing()
		}
		return handle(r)
	}
}

// searchList answers with the nodes that fit a text best, each resource once, and with the channels
// and kinds in which anything fits.
// kolibri/core/content/api.py: ContentNodeSearchViewset
func (c *Content) searchList(r *api.Request) (any, error) {
	if !r.Query().Has("search") {
		return nil, missing()
	}
	limit := 30
	if text := r.Query().Get("max_results"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, api.FieldError(api.Invalid, "max_results", "A valid integer is required.")
		}
		limit = n
	}
	q, _, err := c.filtered(r)
	if err != nil {
		return nil, err
	}
	library, err := c.texts.of(r.Tx)
	if err != nil {
		return nil, err
	}
	attempts := c.attempts(r.Tx, library, r.Query().Get("search"))
	answer, ids, err := look(r, q, library, attempts, limit)
	if err != nil {
		return nil, err
	}
	found := everything().Where("n.id IN ?", store.In(ids))
	found.Order = q.Order
	answer.Results, err = c.nodes(r.Tx, found, "")
	return answer, err
}

// searchAnswer is what a search finds: some nodes, how many contents there are, and where.
type searchAnswer struct {
	ChannelIDs   []string `json:"channel_ids"`
	ContentKinds []string `json:"content_kinds"`
	Results      []*Node  `json:"results"`
	TotalResults int64    `json:"total_results"`
}

// look searches, in the index where that suffices, and tells the best nodes.
func look(r *api.Request, q *api.Query, library *libraryTexts, attempts []attempt, limit int) (answer searchAnswer, ids []string, err error) {
	unfiltered, _ := query(r).SQL("")
	known := !slices.ContainsFunc(attempts, func(a attempt) bool { return a.condition != amongMatches })
	if text, _ := q.SQL(""); text == unfiltered && known && library != nil {
		s := indexSearch{library, r.Query().Get("no_available_filtering") == ""}
		ids, err = r.Tx.Strings("SELECT n.id FROM content_contentnode n WHERE "+amongMatches, matches{library, "", s.best(attempts, limit)})
		answer.TotalResults, answer.ChannelIDs, answer.ContentKinds = s.count(attempts)
		return answer, ids, err
	}
	if ids, err = best(r.Tx, q, attempts, limit); err != nil {
		return answer, nil, err
	}
	anywhere, args := anyOf(library, attempts)
	counted := q.Clone().Where(anywhere, args...)
	counted.Order = ""
	text, all := counted.SQL("COUNT(DISTINCT n.content_id)")
	if answer.TotalResults, err = r.Tx.Int(text, all...); err != nil {
		return answer, nil, err
	}
	for column, list := range map[string]*[]string{"n.channel_id": &answer.ChannelIDs, "n.kind": &answer.ContentKinds} {
		unfiltered := query(r).Where(anywhere, args...)
		unfiltered.Order = column
		text, all := unfiltered.SQL("DISTINCT " + column)
		if *list, err = r.Tx.Strings(text, all...); err != nil {
			return answer, nil, err
		}
	}
	return answer, ids, nil
}

// attempt is one way in which a node can fit a search.
type attempt struct {
	condition string
	args      []any
	places    []int32 // of all nodes that fit, where condition is amongMatches
}

// attempts are the ways to fit a text, best first: all words in the title, those that matter, the
// same in the description, then any word that matters, long ones first.
func (c *Content) attempts(tx *store.Tx, library *libraryTexts, text string) (out []attempt) {
	all := words(text)
	some := c.critical(all)
	add := func(column string, words []string) {
		if len(words) == 0 {
			return
		}
		places, known := library.match(column, words)
		if known {
			out = append(out, attempt{amongMatches, []any{matches{library, "", places}}, places})
			return
		}
		condition, args := containsAll(tx, column, words)
		out = append(out, attempt{condition, args, nil})
	}
	for _, column := range []string{"n.title", "n.description"} {
		add(column, all)
		add(column, some)
	}
	longest := append([]string(nil), some...)
	sort.SliceStable(longest, func(i, j int) bool { return len([]rune(longest[i])) > len([]rune(longest[j])) })
	for _, column := range []string{"n.title", "n.description"} {
		for _, w := range longest {
			add(column, []string{w})
		}
	}
	return out
}

// anyOf is the condition that a node fits in one of the ways.
func anyOf(library *libraryTexts, attempts []attempt) (condition string, args []any) {
	if len(attempts) == 0 {
		return "1 = 1", nil
	}
	var known []int32
	var parts []string
	for _, a := range attempts {
		if a.condition == amongMatches {
			known = merged(known, a.places)
			continue
		}
		parts, args = append(parts, "("+a.condition+")"), append(args, a.args...)
	}
	if len(parts) < len(attempts) {
		parts, args = append(parts, amongMatches), append(args, matches{library, "", known})
	}
	return strings.Join(parts, " OR "), args
}

// best collects up to limit nodes that fit, each content once, by one attempt after the other.
func best(tx *store.Tx, q *api.Query, attempts []attempt, limit int) ([]string, error) {
	ids, seen := []string{}, map[string]bool{}
	for _, a := range attempts {
		matching := q.Clone().Where(a.condition, a.args...)
		if len(seen) > 0 {
			contents := make([]string, 0, len(seen))
			for id := range seen {
				contents = append(contents, id)
			}
			matching.Where("NOT n.content_id IN ?", store.In(contents))
		}
		text, args := matching.SQL("n.id, n.content_id")
		rows, err := store.Select(tx, func(row store.Scanner) (v [2]string, err error) { return v, row.Scan(&v[0], &v[1]) },
			text+" LIMIT ?", append(args, 2*limit)...)
		if err != nil {
			return nil, err
		}
		for _, v := range rows {
			if len(ids) >= limit {
				return ids, nil
			}
			if !seen[v[1]] {
				seen[v[1]] = true
				ids = append(ids, v[0])
			}
		}
	}
	return ids, nil
}
