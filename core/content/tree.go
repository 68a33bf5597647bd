package content

import (
	"net/http"
	"strconv"

	"kolibri/core/api"
	"kolibri/store"
)

// Children is one level of a tree below a node. More says how to ask for the rest.
type Children struct {
	Results []*Node `json:"results"`
	More    *Rest   `json:"more"`
}

// Rest asks for the children of a node that were left out: its id, and the parameters to send.
type Rest struct {
	ID     string         `json:"id"`
	Params map[string]any `json:"params"`
}

// childrenShown bounds the children shown of each node.
const childrenShown = 12

// branch is what part of a tree was asked for.
type branch struct {
	root  string
	depth int    // 1 or 2
	after *int64 // children to the right of this place only
}

func readBranch(r *api.Request) (branch, error) {
	b := branch{depth: 2}
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return b, r.NotFound()
	}
	b.root = id
	if text, given := r.Query()["depth"]; given {
		depth, err := strconv.Atoi(text[len(text)-1])
		if err != nil || depth < 1 || depth > 2 {
			return b, api.Fail(http.StatusBadRequest, api.Invalid, map[string]any{"field": "depth", "message": "Depth query parameter must have the value 1 or 2"})
		}
		b.depth = depth
	}
	if text, given := r.Query()["next__gt"]; given {
		after, err := strconv.ParseInt(text[len(text)-1], 10, 64)
		if err != nil || after < 1 {
			return b, api.Fail(http.StatusBadRequest, api.Invalid, map[string]any{"field": "next__gt", "message": "next__gt query parameter must be a positive integer if specified"})
		}
		b.after = &after
	}
	return b, nil
}

// tree answers with a node, its children and, with depth 2, theirs. Topics with one child alone
// are gone through, so that nobody opens a topic to find another.
// kolibri/core/content/api.py: BaseContentNodeTreeViewset
func (c *Content) tree(r *api.Request) (any, error) {
	if _, ok := api.ParseUUID(r.Param("pk")); !ok {
		return nil, badTree()
	}
	b, ids, err := c.treeIDs(r)
	if err != nil {
		return nil, err
	}
	q := everything().Where("n.id IN ?", store.In(ids))
	q.Order = "n.lft"
	nodes, err := c.nodes(r.Tx, q, "")
	if err != nil {
		return nil, err
	}
	return nest(r, b, nodes), nil
}

func badTree() error {
	return &api.Error{Status: http.StatusBadRequest, Body: map[string]string{"error": "Invalid UUID format."}}
}

// nest puts nodes, which come in tree order, below each other.
func nest(r *api.Request, b branch, nodes []*Node) *Node {
	byID := map[string]*Node{}
	for i, n := range nodes {
		byID[n.ID] = n
		if i == 0 || n.Parent == nil {
			continue
		}
		parent, depth := byID[*n.Parent], 1
		if parent == nil {
			continue
		}
		if *n.Parent == b.root {
			depth = 2
		}
		if parent.Children == nil {
			parent.Children = &Children{Results: []*Node{}}
		}
		parent.Children.Results = append(parent.Children.Results, n)
		if len(parent.Children.Results) == childrenShown && n.Right+1 < parent.Right {
			params := lastValues(r.Query())
			params["next__gt"], params["depth"] = n.Right, depth
			parent.Children.More = &Rest{parent.ID, params}
		}
	}
	return nodes[0]
}

// treeIDs are the ids of the nodes that an answer about a tree holds, the root's first.
// kolibri/core/content/api.py: TreeQueryMixin.get_tree_queryset
func (c *Content) treeIDs(r *api.Request) (branch, []string, error) {
	b, err := readBranch(r)
	if err != nil {
		return b, nil, err
	}
	q, _, err := c.filtered(r)
	if err != nil {
		return b, nil, err
	}
	text, args := q.Clone().Where("n.id = ?", b.root).SQL("n.id")
	if known, err := r.Tx.Exists(text, args...); err != nil || !known {
		if err == nil {
			err = r.NotFound()
		}
		return b, nil, err
	}
	children, err := childrenOf(r.Tx, q, b.root, b.after)
	if err != nil {
		return b, nil, err
	}
	ids := []string{b.root}
	for b.after == nil && len(children) == 1 {
		ids = append(ids, children...)
		if children, err = childrenOf(r.Tx, q, children[0], nil); err != nil {
			return b, nil, err
		}
	}
	ids = append(ids, children...)
	for b.depth == 2 && len(children) > 0 {
		below, alone, err := grandchildren(r.Tx, q, children)
		if err != nil {
			return b, nil, err
		}
		ids, children = append(ids, below...), alone
	}
	return b, ids, nil
}

func childrenOf(tx *store.Tx, q *api.Query, parent string, after *int64) ([]string, error) {
	q = q.Clone().Where("n.parent_id = ?", parent)
	if after != nil {
		q.Where("n.lft > ?", *after)
	}
	q.Order = "n.lft"
	text, args := q.SQL("n.id")
	return tx.Strings(text+" LIMIT ?", append(args, childrenShown)...)
}

// grandchildren are the first children of each of some nodes, and those that have no sibling.
func grandchildren(tx *store.Tx, q *api.Query, parents []string) (shown, alone []string, err error) {
	q = q.Clone().Where("n.parent_id IN ?", store.In(parents))
	q.Order = "n.lft"
	text, args := q.SQL("n.id, n.parent_id")
	byParent := map[string][]string{}
	var order []string
	err = store.ForEach(tx, func(row store.Scanner) error {
		var id, parent string
		if err := row.Scan(&id, &parent); err != nil {
			return err
		}
		if byParent[parent] == nil {
			order = append(order, parent)
		}
		byParent[parent] = append(byParent[parent], id)
		return nil
	}, text, args...)
	for _, parent := range order {
		all := byParent[parent]
		if len(all) == 1 {
			alone = append(alone, all[0])
		}
		shown = append(shown, all[:min(len(all), childrenShown)]...)
	}
	return shown, alone, err
}
