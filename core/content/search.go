package content

import (
	"maps"
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
	attempts, err := c.attempts(r.Tx, r.Query().Get("search"))
	if err != nil {
		return nil, err
	}
	ids, err := best(r.Tx, q, attempts, limit)
	if err != nil {
		return nil, err
	}
	found := everything().Where("n.id IN ?", store.In(ids))
	found.Order = q.Order
	nodes, err := c.nodes(r.Tx, found, "")
	if err != nil {
		return nil, err
	}
	anywhere, args := anyOf(attempts)
	counted := q.Clone().Where(anywhere, args...)
	counted.Order = ""
	text, all := counted.SQL("COUNT(DISTINCT n.content_id)")
	total, err := r.Tx.Int(text, all...)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"results": nodes, "total_results": total}
	for name, column := range map[string]string{"channel_ids": "n.channel_id", "content_kinds": "n.kind"} {
		unfiltered := query(r).Where(anywhere, args...)
		unfiltered.Order = column
		text, all := unfiltered.SQL("DISTINCT " + column)
		if answer[name], err = r.Tx.Strings(text, all...); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// attempt is one way in which a node can fit a search.
type attempt struct {
	condition string
	args      []any
	ids       []string // of all nodes that fit, where they are known
}

// attempts are the ways to fit a text, best first: all words in the title, those that matter, the
// same in the description, then any word that matters, long ones first.
func (c *Content) attempts(tx *store.Tx, text string) ([]attempt, error) {
	all := words(text)
	some := c.critical(all)
	var out []attempt
	var failed error
	add := func(column string, words []string) {
		if len(words) == 0 || failed != nil {
			return
		}
		ids, known, err := c.texts.match(tx, column, words)
		switch {
		case err != nil:
			failed = err
		case known:
			out = append(out, attempt{amongMatches, []any{matches(ids)}, ids})
		default:
			condition, args := containsAll(tx, column, words)
			out = append(out, attempt{condition, args, nil})
		}
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
	return out, failed
}

// anyOf is the condition that a node fits in one of the ways.
func anyOf(attempts []attempt) (condition string, args []any) {
	if len(attempts) == 0 {
		return "1 = 1", nil
	}
	known := map[string]bool{}
	var parts []string
	for _, a := range attempts {
		if a.condition != amongMatches {
			parts, args = append(parts, "("+a.condition+")"), append(args, a.args...)
		}
		for _, id := range a.ids {
			known[id] = true
		}
	}
	if len(parts) < len(attempts) {
		parts, args = append(parts, amongMatches), append(args, matches(slices.Collect(maps.Keys(known))))
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
