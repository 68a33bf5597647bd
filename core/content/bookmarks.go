package content

import (
	"strconv"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// Bookmarks are the marks people set in the library; each sees his own.
// kolibri/core/bookmarks/models.py: Bookmark
var Bookmarks = &auth.Model{Name: "Bookmark", Rules: []auth.Rule{auth.IsOwn{May: auth.Read | auth.Write}}}

// bookmarked answers with the nodes a person has marked, the latest mark first, all of them or,
// with limit and offset, a part.
// kolibri/core/content/api.py: ContentNodeBookmarksViewset
func (c *Content) bookmarked(r *api.Request) (any, error) {
	q := &api.Query{From: "bookmarks_bookmark b", Order: "b.created DESC, b.id"}
	if err := auth.OnlyReadable(r, q, Bookmarks, "b"); err != nil {
		return nil, err
	}
	if kind := r.Query().Get("kind"); kind != "" {
		q.Where("(SELECT z.kind FROM content_contentnode z WHERE z.id = b.contentnode_id) = ?", kind)
	}
	if available, given := r.BoolParam("available"); given {
		q.Where("(SELECT z.available FROM content_contentnode z WHERE z.id = b.contentnode_id) = ?", available)
	}
	limit, paged := positive(r, "limit")
	if !paged || limit == 0 {
		return c.marked(r.Tx, q, "")
	}
	count, err := q.Count(r.Tx)
	if err != nil {
		return nil, err
	}
	offset, _ := positive(r, "offset")
	answer := api.Limited{Count: count, Results: []*Node{}}
	if offset+limit < count {
		answer.More = lastValues(r.Query())
		answer.More["limit"], answer.More["offset"] = limit, offset+limit
	}
	answer.Results, err = c.marked(r.Tx, q, " LIMIT "+strconv.FormatInt(limit, 10)+" OFFSET "+strconv.FormatInt(offset, 10))
	return answer, err
}

// marked reads the nodes of bookmarks, in the bookmarks' order. A node shows one bookmark, were it
// marked by several people.
func (c *Content) marked(tx *store.Tx, q *api.Query, part string) ([]*Node, error) {
	type mark struct {
		ID      string   `json:"id"`
		Node    string   `json:"contentnode_id"`
		Created api.Time `json:"created"`
	}
	text, args := q.SQL("b.id, b.contentnode_id, b.created")
	marks, err := store.Select(tx, func(row store.Scanner) (m mark, err error) { return m, row.Scan(&m.ID, &m.Node, &m.Created) }, text+part, args...)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(marks))
	for i, m := range marks {
		ids[i] = m.Node
	}
	byID := map[string]*Node{}
	for _, some := range chunks(ids) {
		nodes, err := c.nodes(tx, everything().Where("n.id IN ?", store.In(some)), "")
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			byID[n.ID] = n
		}
	}
	sorted := []*Node{}
	for _, m := range marks {
		if n := byID[m.Node]; n != nil {
			n.Bookmark = m
			sorted = append(sorted, n)
			delete(byID, m.Node)
		}
	}
	return sorted, nil
}

// positive reads a parameter that is a whole number of at least zero.
func positive(r *api.Request, name string) (int64, bool) {
	n, err := strconv.ParseInt(r.Query().Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0, false
	}
	return n, true
}
