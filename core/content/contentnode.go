package content

import (
	"strconv"

	"kolibri/core/api"
	"kolibri/store"
)

// query is what a request may see of the library: what is available, or all of it when asked for.
func query(r *api.Request) *api.Query {
	if r.Query().Get("no_available_filtering") != "" {
		return everything()
	}
	return available()
}

// filtered is the query of a request with its filters.
func (c *Content) filtered(r *api.Request) (q *api.Query, none bool, err error) {
	q = query(r)
	none, err = c.filter(r, q)
	return q, none, err
}

// list answers with the nodes that the filters let through, all of them, or, with max_results, a
// page and the labels to be found in the whole.
// kolibri/core/content/api.py: ContentNodeViewset
func (c *Content) list(r *api.Request) (any, error) { return c.listWith(r, false) }

// page reads one page of a query in left order.
func (c *Content) page(r *api.Request, q *api.Query, size int64) (Page, error) {
	ids, next, err := page(r, q, byLeft, size)
	if err != nil {
		return Page{}, err
	}
	part := everything().Where("n.id IN ?", store.In(ids))
	part.Order = byLeft.order()
	nodes, err := c.nodes(r.Tx, part, "")
	return Page{More: more(r, next), Results: nodes}, err
}

// retrieve answers with one node.
func (c *Content) retrieve(r *api.Request) (any, error) {
	return c.one(r, r.Param("pk"))
}

func (c *Content) one(r *api.Request, pk string) (*Node, error) {
	id, ok := api.ParseUUID(pk)
	if !ok {
		return nil, r.NotFound()
	}
	q, _, err := c.filtered(r)
	if err != nil {
		return nil, err
	}
	nodes, err := c.nodes(r.Tx, q.Where("n.id = ?", id), "")
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 {
		return nil, r.NotFound()
	}
	return nodes[0], nil
}

// random answers with some nodes that the filters let through.
func (c *Content) random(r *api.Request) (any, error) {
	q, _, err := c.filtered(r)
	if err != nil {
		return nil, err
	}
	count := int64(10)
	if text := r.Query().Get("max_results"); text != "" {
		if count, err = strconv.ParseInt(text, 10, 64); err != nil || count < 0 {
			return nil, api.FieldError(api.Invalid, "max_results", "A valid integer is required.")
		}
	}
	ids, err := c.sample(r.Tx, q, count)
	if err != nil {
		return nil, err
	}
	return c.nodes(r.Tx, everything().Where("n.id IN ?", store.In(ids)), "")
}

// sample draws some ids of a query.
func (c *Content) sample(tx *store.Tx, q *api.Query, count int64) ([]string, error) {
	drawn := q.Clone()
	drawn.Order = "RANDOM()"
	text, args := drawn.SQL("n.id")
	return tx.Strings(text+" LIMIT ?", append(args, count)...)
}

// countAssessments answers how many questions the exercises below each of some nodes hold.
func (c *Content) countAssessments(r *api.Request) (any, error) {
	type count struct {
		ID     string `json:"id"`
		Number *int64 `json:"num_assessments"`
	}
	if r.Query().Get("ids") == "" {
		return []count{}, nil
	}
	q, _, err := c.filtered(r)
	if err != nil {
		return nil, err
	}
	text, args := q.SQL(`n.id, (SELECT SUM(a.number_of_assessments) FROM content_contentnode z
		LEFT JOIN content_assessmentmetadata a ON a.contentnode_id = z.id
		WHERE z.tree_id = n.tree_id AND z.lft >= n.lft AND z.lft < n.rght AND z.kind = 'exercise' AND z.available = TRUE
		AND (z.modality IS NULL OR z.modality <> 'SURVEY'))`)
	return store.Select(r.Tx, func(row store.Scanner) (v count, err error) { return v, row.Scan(&v.ID, &v.Number) }, text, args...)
}

// recommendations answers with the resources that stand beside a node.
func (c *Content) recommendations(r *api.Request) (any, error) {
	n, err := c.one(r, r.Param("pk"))
	if err != nil {
		return nil, err
	}
	q, _, err := c.filtered(r)
	if err != nil {
		return nil, err
	}
	if n.Parent == nil {
		q.Where("n.parent_id IS NULL")
	} else {
		q.Where("n.parent_id = ?", *n.Parent)
	}
	return c.nodes(r.Tx, q.Where("n.id <> ? AND n.kind <> ?", n.ID, Topic), "")
}
