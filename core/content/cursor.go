package content

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kolibri/core/api"
	"kolibri/store"
)

// Page is a part of a list of nodes: what follows it, if anything, is asked for by the parameters in More.
type Page struct {
	More    map[string]any `json:"more"`
	Results []*Node        `json:"results"`
}

// ranking is what a list is paged by: a column, and how its values stand in a cursor. Equal values
// are told apart by counting.
type ranking struct {
	column string
	down   bool
	write  func(value string) string
	read   func(text string) (any, bool)
}

// byLeft is the order of all lists of nodes but one: the place in the tree.
var byLeft = ranking{
	column: "n.lft",
	write:  func(value string) string { return value },
	read: func(text string) (any, bool) {
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	},
}

// lastInteracted orders by the moment at which somebody last worked on a resource.
func lastInteracted(column string, down bool) ranking {
	return ranking{column: column, down: down,
		write: func(value string) string {
			t, err := store.ParseZoned(value)
			if err != nil {
				return "None"
			}
			return strings.Replace(strings.TrimSuffix(api.FormatTime(t), "Z"), "T", " ", 1) + "+00:00"
		},
		read: func(text string) (any, bool) {
			t, err := time.Parse("2006-01-02 15:04:05.999999Z07:00", text)
			return store.Zoned(t), err == nil
		}}
}

func (k ranking) order() string {
	if k.down {
		return k.column + " DESC, n.id"
	}
	return k.column + ", n.id"
}

// cursor is a place in a list: behind all rows up to position, and offset more.
// rest_framework/pagination.py: CursorPagination
type cursor struct {
	position string
	offset   int64
}

// pageSize is the parameter max_results; 0 is no page at all.
func pageSize(r *api.Request) int64 {
	n, err := strconv.ParseInt(r.Query().Get("max_results"), 10, 64)
	if err != nil || n <= 0 {
		return 0
	}
	return n
}

func readCursor(r *api.Request) (cursor, error) {
	var at cursor
	text := r.Query().Get("cursor")
	if text == "" {
		return at, nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return at, r.NotFound()
	}
	values, err := url.ParseQuery(string(raw))
	if err != nil || values.Has("r") { // nobody is sent backwards
		return at, r.NotFound()
	}
	if o := values.Get("o"); o != "" {
		if at.offset, err = strconv.ParseInt(o, 10, 64); err != nil || at.offset < 0 || at.offset > 1000 {
			return at, r.NotFound()
		}
	}
	at.position = values.Get("p")
	return at, nil
}

// place is what paging needs to know of a row.
type place struct{ id, value string }

// page finds the ids of the part of a query that the request's cursor names, and the cursor of the
// next part, empty at the end.
func page(r *api.Request, q *api.Query, by ranking, size int64) (ids []string, next string, err error) {
	at, err := readCursor(r)
	if err != nil {
		return nil, "", err
	}
	part := q.Clone()
	part.Order = by.order()
	if at.position != "" {
		value, ok := by.read(at.position)
		if !ok {
			return nil, "", r.NotFound()
		}
		part.Where(by.column+map[bool]string{true: " < ?", false: " > ?"}[by.down], value)
		if left, is := value.(int64); is {
			part.Map(func(a any) any {
				if m, is := a.(matches); is {
					return m.behind(left)
				}
				return a
			})
		}
	}
	places, err := by.places(r.Tx, part, size+1+at.offset)
	if err != nil {
		return nil, "", err
	}
	places = places[min(at.offset, int64(len(places))):]
	if int64(len(places)) > size {
		next = at.after(by, places[:size], places[size].value)
		places = places[:size]
	}
	ids = make([]string, len(places))
	for i, p := range places {
		ids[i] = p.id
	}
	return ids, next, nil
}

// places reads the first rows of a query. Of nodes that the text index found, and which it has in this
// order, it hands the database no more at a time than are likely to do.
func (k ranking) places(tx *store.Tx, q *api.Query, count int64) (all []place, err error) {
	read := func(q *api.Query) error {
		text, args := q.SQL("n.id, COALESCE(CAST(" + k.column + " AS TEXT), '')")
		some, err := store.Select(tx, func(row store.Scanner) (p place, err error) { return p, row.Scan(&p.id, &p.value) },
			text+" LIMIT ?", append(args, count-int64(len(all)))...)
		all = append(all, some...)
		return err
	}
	var found *matches
	q.Map(func(a any) any {
		if m, is := a.(matches); is {
			found = &m
		}
		return a
	})
	if found == nil || k.column != byLeft.column || k.down {
		return all, read(q)
	}
	rest := found.places
	for size := max(64, 2*int(count)); len(rest) > 0 && int64(len(all)) < count; size *= 4 {
		some := matches{found.in, found.name, rest[:min(size, len(rest))]}
		rest = rest[len(some.places):]
		if err := read(q.Clone().Map(func(a any) any {
			if _, is := a.(matches); is {
				return some
			}
			return a
		})); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// after is the cursor behind a page, when the row that follows has the given value. Where rows have
// the same value, those that were shown are counted.
func (at cursor) after(by ranking, shown []place, following string) string {
	offset, position := int64(0), ""
	for i := len(shown) - 1; i >= 0; i-- {
		if shown[i].value != following {
			position = by.write(shown[i].value)
			break
		}
		offset++
	}
	if position == "" {
		offset, position = at.offset+int64(len(shown)), at.position
	}
	var tokens []string
	if offset != 0 {
		tokens = append(tokens, "o="+strconv.FormatInt(offset, 10))
	}
	if position != "" {
		tokens = append(tokens, "p="+url.QueryEscape(position))
	}
	return base64.StdEncoding.EncodeToString([]byte(strings.Join(tokens, "&")))
}

// more are the request's own parameters with another cursor, or nil at the end.
func more(r *api.Request, next string) map[string]any {
	if next == "" {
		return nil
	}
	all := lastValues(r.Query())
	all["cursor"] = next
	return all
}

func lastValues(query url.Values) map[string]any {
	all := make(map[string]any, len(query)+1)
	for name, values := range query {
		all[name] = values[len(values)-1]
	}
	return all
}
