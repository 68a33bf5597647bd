// Package bookmarks keeps what people marked in the library to find it again (kolibri/core/bookmarks).
package bookmarks

import (
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/morango"
	"kolibri/store"
)

// Bookmarks answers for the app.
type Bookmarks struct{ host *api.Host }

// New makes the app of a host.
func New(host *api.Host) *Bookmarks { return &Bookmarks{host} }

// Routes are the app's APIs.
// kolibri/core/bookmarks/api.py: BookmarksViewSet
func (b *Bookmarks) Routes() []api.Route {
	const list, detail = "kolibri:core:bookmarks-list", "kolibri:core:bookmarks-detail"
	return []api.Route{
		{Name: list, Method: http.MethodGet, Handle: b.list},
		{Name: list, Method: http.MethodPost, Handle: b.create},
		{Name: detail, Method: http.MethodGet, Handle: b.retrieve},
		{Name: detail, Method: http.MethodPut, Handle: b.update},
		{Name: detail, Method: http.MethodPatch, Handle: b.update},
		{Name: detail, Method: http.MethodDelete, Handle: b.remove},
	}
}

// bookmark is a mark as the API shows it. What it points to may be gone from the device.
type bookmark struct {
	ID      string  `json:"id"`
	Node    string  `json:"contentnode_id"`
	Channel *string `json:"channel_id"`
	Content *string `json:"content_id"`

	user string
}

const columns = "b.id, b.contentnode_id, b.channel_id, b.content_id, b.user_id"

func scan(row store.Scanner) (v bookmark, err error) {
	return v, row.Scan(&v.ID, &v.Node, &v.Channel, &v.Content, &v.user)
}

func query() *api.Query { return &api.Query{From: "bookmarks_bookmark b", Order: "b.id"} }

func (b *Bookmarks) list(r *api.Request) (any, error) {
	q := query()
	if err := auth.OnlyReadable(r, q, content.Bookmarks, "b"); err != nil {
		return nil, err
	}
	node, err := r.UUIDParam("contentnode_id")
	if err != nil {
		return nil, err
	}
	if node != "" {
		q.Where("b.contentnode_id = ?", node)
	}
	top, err := r.UUIDParam("descendant_of")
	if err != nil {
		return nil, err
	}
	if top != "" {
		known, err := r.Tx.Exists("SELECT 1 FROM content_contentnode WHERE id = ?", top)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, unknownNode(top)
		}
		q.Where(`b.contentnode_id IN (SELECT n.id FROM content_contentnode t JOIN content_contentnode n
			ON n.tree_id = t.tree_id AND n.lft >= t.lft AND n.rght <= t.rght WHERE t.id = ?)`, top)
	}
	text, args := q.SQL(columns)
	return store.Select(r.Tx, scan, text, args...)
}

func unknownNode(id string) error {
	return api.FieldError(api.Invalid, "non_field_errors", "ContentNode for contentnode_id "+id+" does not exist")
}

// find reads the bookmark of the request's path, or gives a 404.
func find(r *api.Request) (bookmark, error) {
	id, _ := api.ParseUUID(r.Param("pk"))
	v, err := store.Get(r.Tx, scan, "SELECT "+columns+" FROM bookmarks_bookmark b WHERE b.id = ?", id)
	if errors.Is(err, store.ErrNotFound) {
		err = r.NotFound()
	}
	return v, err
}

func (b *Bookmarks) retrieve(r *api.Request) (any, error) {
	v, err := find(r)
	if err != nil {
		return nil, err
	}
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	// others' bookmarks are not forbidden but not there: reading is narrowed, not checked
	mine, err := p.Can(r.Tx, auth.Read, content.Bookmarks, auth.Object{UserID: v.user})
	if err == nil && !mine {
		err = r.NotFound()
	}
	return v, err
}

var fields = []api.Field{
	{Name: "contentnode_id", Clean: api.CleanUUID},
	{Name: "user", Clean: api.CleanKey("SELECT 1 FROM kolibriauth_facilityuser WHERE id = ? AND date_deleted IS NULL")},
}

func (b *Bookmarks) create(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, fields, false)
	if err != nil {
		return nil, err
	}
	user, node := values.String("user"), values.String("contentnode_id")
	if err := auth.Require(r, auth.Create, content.Bookmarks, auth.Object{UserID: user}); err != nil {
		return nil, err
	}
	if err := unused(r.Tx, user, node, ""); err != nil {
		return nil, err
	}
	row, err := target(r.Tx, node)
	if err != nil {
		return nil, err
	}
	var dataset string
	if err := r.Tx.QueryRow("SELECT dataset_id FROM kolibriauth_facilityuser WHERE id = ?", user).Scan(&dataset); err != nil {
		return nil, err
	}
	row["user_id"], row["dataset_id"], row["created"] = user, dataset, r.Now()
	id, err := morango.Insert(r.Tx, b.host.Rand, morango.Bookmark, row)
	if err != nil {
		return nil, err
	}
	v, err := store.Get(r.Tx, scan, "SELECT "+columns+" FROM bookmarks_bookmark b WHERE b.id = ?", id)
	return api.Created(v), err
}

// unused refuses a second bookmark of a person's for the same node.
func unused(tx *store.Tx, user, node, except string) error {
	taken, err := tx.Exists("SELECT 1 FROM bookmarks_bookmark WHERE user_id = ? AND contentnode_id = ? AND id <> ?", user, node, except)
	if err == nil && taken {
		err = api.FieldError(api.Unique, "non_field_errors", "The fields user, contentnode_id must make a unique set.")
	}
	return err
}

// target are the columns that a bookmark takes from its node.
func target(tx *store.Tx, node string) (morango.Row, error) {
	var channel, contentID string
	err := tx.QueryRow("SELECT channel_id, content_id FROM content_contentnode WHERE id = ?", node).Scan(&channel, &contentID)
	if errors.Is(err, store.ErrNotFound) {
		err = unknownNode(node)
	}
	return morango.Row{"contentnode_id": node, "channel_id": channel, "content_id": contentID}, err
}

// update points a bookmark to another node, or gives it to another person.
func (b *Bookmarks) update(r *api.Request) (any, error) {
	v, err := find(r)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Update, content.Bookmarks, auth.Object{UserID: v.user}); err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, fields, r.HTTP.Method == http.MethodPatch)
	if err != nil {
		return nil, err
	}
	node, user := v.Node, v.user
	if values.Has("contentnode_id") {
		node = values.String("contentnode_id")
	}
	if values.Has("user") {
		user = values.String("user")
		if err := auth.Require(r, auth.Update, content.Bookmarks, auth.Object{UserID: user}); err != nil {
			return nil, err
		}
	}
	if err := unused(r.Tx, user, node, v.ID); err != nil {
		return nil, err
	}
	row, err := target(r.Tx, node)
	if err != nil {
		return nil, err
	}
	row["user_id"] = user
	if err := morango.Update(r.Tx, morango.Bookmark, v.ID, row); err != nil {
		return nil, err
	}
	return store.Get(r.Tx, scan, "SELECT "+columns+" FROM bookmarks_bookmark b WHERE b.id = ?", v.ID)
}

func (b *Bookmarks) remove(r *api.Request) (any, error) {
	v, err := find(r)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Delete, content.Bookmarks, auth.Object{UserID: v.user}); err != nil {
		return nil, err
	}
	return nil, morango.DeleteRows(r.Tx, morango.Delete, morango.Bookmark.Table, v.ID)
}
