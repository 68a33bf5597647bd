package api

import (
	"slices"
	"strconv"
	"strings"

	"kolibri/store"
)

// Query is a SELECT under construction: what django-filter and a queryset do in the original. The
// parts are SQL text with ? placeholders; never put user input into them.
type Query struct {
	From  string // table with joins
	where []string
	args  []any
	with  []any  // arguments of From
	Order string // without ORDER BY
}

// Where adds a condition.
func (q *Query) Where(condition string, args ...any) *Query {
	q.where = append(q.where, condition)
	q.args = append(q.args, args...)
	return q
}

// Join adds a join, whose condition may have placeholders.
func (q *Query) Join(text string, args ...any) *Query {
	q.From += " " + text
	q.with = append(q.with, args...)
	return q
}

// Clone is a query of its own with the same parts.
func (q *Query) Clone() *Query {
	clone := *q
	clone.where, clone.args, clone.with = slices.Clone(q.where), slices.Clone(q.args), slices.Clone(q.with)
	return &clone
}

// Map changes the arguments of conditions.
func (q *Query) Map(change func(any) any) *Query {
	for i, a := range q.args {
		q.args[i] = change(a)
	}
	return q
}

// SQL returns "SELECT columns FROM ... WHERE ... ORDER BY ..." and its arguments.
func (q *Query) SQL(columns string) (string, []any) {
	text := "SELECT " + columns + " FROM " + q.From + q.conditions()
	if q.Order != "" {
		text += " ORDER BY " + q.Order
	}
	return text, q.arguments()
}

func (q *Query) arguments() []any { return slices.Concat(q.with, q.args) }

func (q *Query) conditions() string {
	if len(q.where) == 0 {
		return ""
	}
	return " WHERE (" + strings.Join(q.where, ") AND (") + ")"
}

// Count returns how many rows the query has.
func (q *Query) Count(tx *store.Tx) (int64, error) {
	return tx.Int("SELECT count(*) FROM "+q.From+q.conditions(), q.arguments()...)
}

// Numbered is a page by number: {page, count, total_pages, results}
// (kolibri/core/utils/pagination.py: ValuesViewsetPageNumberPagination).
type Numbered struct {
	Page       int64 `json:"page"`
	Count      int64 `json:"count"`
	TotalPages int64 `json:"total_pages"`
	Results    any   `json:"results"`
}

// Limited is a page by offset: {count, more, results}.
type Limited struct {
	Count   int64          `json:"count"`
	More    map[string]any `json:"more"`
	Results any            `json:"results"`
}

// PageSize reads the page size parameter; 0 means that no page was asked for
// (OptionalPageNumberPagination: a list without page_size is the whole list).
func (r *Request) PageSize(defaultSize, maximum int64) int64 {
	n, err := strconv.ParseInt(r.Query().Get("page_size"), 10, 64)
	if err != nil || n <= 0 {
		return defaultSize
	}
	if maximum > 0 && n > maximum {
		return maximum
	}
	return n
}

// Page reads which page of a list of count rows the parameter "page" names ("last" is the last one),
// and returns it with the number of pages. A page out of range is a 404.
func (r *Request) Page(count, size int64) (page, pages int64, err error) {
	pages = max(1, (count+size-1)/size)
	switch wanted := r.Query().Get("page"); wanted {
	case "":
		return 1, pages, nil
	case "last":
		return pages, pages, nil
	default:
		page, err = strconv.ParseInt(wanted, 10, 64)
		if err != nil || page < 1 || page > pages {
			return 0, 0, r.NotFound()
		}
		return page, pages, nil
	}
}

// List answers a query: the whole list as an array, or, when size is above zero, the page that the
// parameter "page" names ("last" is the last one). A page out of range is a 404.
func List[T any](r *Request, q *Query, columns string, size int64, scan func(store.Scanner) (T, error)) (any, error) {
	text, args := q.SQL(columns)
	if size <= 0 {
		return store.Select(r.Tx, scan, text, args...)
	}
	count, err := q.Count(r.Tx)
	if err != nil {
		return nil, err
	}
	page, pages, err := r.Page(count, size)
	if err != nil {
		return nil, err
	}
	rows, err := store.Select(r.Tx, scan, text+" LIMIT ? OFFSET ?", append(args, size, (page-1)*size)...)
	if err != nil {
		return nil, err
	}
	return Numbered{page, count, pages, rows}, nil
}

// One answers with the thing of an id, of which find reads one at most; what is no id is nothing's.
func One[T any](r *Request, id string, find func(id string) ([]T, error)) (found T, err error) {
	id, valid := ParseUUID(id)
	if !valid {
		return found, r.NotFound()
	}
	all, err := find(id)
	if err != nil {
		return found, err
	}
	if len(all) == 0 {
		return found, r.NotFound()
	}
	return all[0], nil
}

// ListParam splits a comma-joined parameter; an absent one is nil.
func (r *Request) ListParam(name string) []string {
	v := r.Query().Get(name)
	if v == "" {
		return nil
	}
	return strings.Split(v, ",")
}

// BoolParam reads a boolean filter as django-filter's BooleanFilter does: only true and false count.
func (r *Request) BoolParam(name string) (value, given bool) {
	switch strings.ToLower(r.Query().Get(name)) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// UUIDParam reads an id filter; a malformed one is a 400.
func (r *Request) UUIDParam(name string) (string, error) {
	v := r.Query().Get(name)
	if v == "" {
		return "", nil
	}
	id, ok := ParseUUID(v)
	if !ok {
		return "", FieldError(Invalid, name, "Enter a valid UUID.")
	}
	return id, nil
}
