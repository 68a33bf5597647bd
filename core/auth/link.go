package auth

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// link is a role or a membership: both tie a user to a collection. A membership has no kind.
type link struct{ ID, UserID, CollectionID, Kind string }

func (l link) object() Object {
	return Object{ID: l.ID, UserID: l.UserID, CollectionID: l.CollectionID}
}

// linkView serves links of one sort. They are made and deleted, alone or many at once, and never
// changed. kolibri/core/auth/api.py: RoleViewSet, MembershipViewSet
type linkView struct {
	*api.Host
	model *Model
	table string
	// hasKind tells whether links have one.
	hasKind bool
	fields  []api.Field
	// create makes links that the person may make; bulk tells how an answer that refuses them looks.
	create func(r *api.Request, all []link, bulk bool) ([]link, error)
	// remove deletes a link with what depends on it.
	remove func(tx *store.Tx, l link) error
}

// linkFields are the fields of a body; the keys' existence is checked in readLinks, for many at once.
func linkFields(kind ...api.Field) []api.Field {
	return append(kind,
		api.Field{Name: "collection", Clean: cleanKnownKey(func(p *Person, id string) bool { return p.collections[id] != nil })},
		api.Field{Name: "user", Clean: cleanKnownKey(func(p *Person, id string) bool { return p.users[id] != place{} })})
}

// cleanKnownKey accepts an id of what the person was made to Know.
func cleanKnownKey(known func(p *Person, id string) bool) func(*api.Request, any) (any, string, string) {
	return func(r *api.Request, v any) (any, string, string) {
		p, _ := r.Value(personKey{}).(*Person)
		id, valid := linkKey(v)
		if valid && p != nil && known(p, id) {
			return id, "", ""
		}
		if s, ok := v.(string); ok {
			return nil, api.DoesNotExist, `Invalid pk "` + s + `" - object does not exist.`
		}
		return api.CleanKey("")(r, v) // anything but text is refused by its type
	}
}

func linkKey(v any) (string, bool) {
	s, _ := v.(string)
	return api.ParseUUID(s)
}

func (v *linkView) routes(name string) []api.Route {
	return []api.Route{
		{Name: "kolibri:core:" + name + "-list", Method: http.MethodGet, Handle: v.index},
		{Name: "kolibri:core:" + name + "-list", Method: http.MethodPost, Handle: v.post},
		{Name: "kolibri:core:" + name + "-list", Method: http.MethodDelete, Handle: v.bulkDelete},
		{Name: "kolibri:core:" + name + "-detail", Method: http.MethodGet, Handle: v.show},
		{Name: "kolibri:core:" + name + "-detail", Method: http.MethodPut, Handle: v.update},
		{Name: "kolibri:core:" + name + "-detail", Method: http.MethodPatch, Handle: v.update},
		{Name: "kolibri:core:" + name + "-detail", Method: http.MethodDelete, Handle: v.delete},
	}
}

func (v *linkView) columns() string {
	if v.hasKind {
		return "l.id, l.user_id, l.collection_id, l.kind"
	}
	return "l.id, l.user_id, l.collection_id, ''"
}

func scanLink(row store.Scanner) (link, error) {
	var l link
	err := row.Scan(&l.ID, &l.UserID, &l.CollectionID, &l.Kind)
	return l, err
}

// shapeLink is a link in JSON.
func (v *linkView) shape(l link) any {
	if v.hasKind {
		return struct {
			ID         string `json:"id"`
			Kind       string `json:"kind"`
			Collection string `json:"collection"`
			User       string `json:"user"`
		}{l.ID, l.Kind, l.CollectionID, l.UserID}
	}
	return struct {
		ID         string `json:"id"`
		Collection string `json:"collection"`
		User       string `json:"user"`
	}{l.ID, l.CollectionID, l.UserID}
}

func (v *linkView) shapeAll(all []link) []any {
	out := make([]any, 0, len(all))
	for _, l := range all {
		out = append(out, v.shape(l))
	}
	return out
}

// filtered is the query for the links that the parameters ask for, and whether any parameter did.
func (v *linkView) filtered(r *api.Request) (q *api.Query, narrowed bool, err error) {
	q = &api.Query{From: v.table + " l"} // in no order, as in the original
	if err := ChoiceParam(r, q, "user", "l.user_id", "SELECT 1 FROM kolibriauth_facilityuser WHERE id = ?"); err != nil {
		return nil, false, err
	}
	if err := ChoiceParam(r, q, "collection", "l.collection_id", "SELECT 1 FROM kolibriauth_collection WHERE id = ?"); err != nil {
		return nil, false, err
	}
	if kind := r.Query().Get("kind"); v.hasKind && kind != "" {
		if !slices.Contains(roleKinds, kind) {
			return nil, false, api.FieldError(api.InvalidChoice, "kind", "Select a valid choice. "+kind+" is not one of the available choices.")
		}
		q.Where("l.kind = ?", kind)
	}
	for _, f := range [][2]string{{"user_ids", "l.user_id"}, {"by_ids", "l.id"}} {
		if given := r.ListParam(f[0]); given != nil {
			ids := []string{} // what is no id names no row
			for _, g := range given {
				if id, ok := api.ParseUUID(g); ok {
					ids = append(ids, id)
				}
			}
			q.Where(f[1]+" IN ?", store.In(ids))
		}
	}
	for name := range r.Query() {
		narrowed = narrowed || slices.Contains([]string{"user", "collection", "user_ids", "by_ids"}, name) || v.hasKind && name == "kind"
	}
	return q, narrowed, nil
}

func (v *linkView) readable(r *api.Request) (*api.Query, error) {
	q, _, err := v.filtered(r)
	if err != nil {
		return nil, err
	}
	return q, OnlyReadable(r, q, v.model, "l")
}

func (v *linkView) index(r *api.Request) (any, error) {
	q, err := v.readable(r)
	if err != nil {
		return nil, err
	}
	text, args := q.SQL(v.columns())
	all, err := store.Select(r.Tx, scanLink, text, args...)
	if err != nil {
		return nil, err
	}
	return v.shapeAll(all), nil
}

func (v *linkView) show(r *api.Request) (any, error) {
	q, err := v.readable(r)
	if err != nil {
		return nil, err
	}
	l, err := v.one(r, q)
	if err != nil {
		return nil, err
	}
	return v.shape(l), nil
}

func (v *linkView) one(r *api.Request, q *api.Query) (link, error) {
	id, valid := api.ParseUUID(r.Param("pk"))
	if !valid {
		return link{}, r.NotFound()
	}
	text, args := q.Where("l.id = ?", id).SQL(v.columns())
	all, err := store.Select(r.Tx, scanLink, text, args...)
	if err != nil {
		return link{}, err
	}
	if len(all) == 0 {
		return link{}, r.NotFound()
	}
	return all[0], nil
}

// find loads the link of the address and checks the permission.
func (v *linkView) find(r *api.Request, do Action) (link, error) {
	q, _, err := v.filtered(r)
	if err != nil {
		return link{}, err
	}
	l, err := v.one(r, q)
	if err != nil {
		return link{}, err
	}
	return l, Require(r, do, v.model, l.object())
}

// readLinks cleans the links of a body and checks that the person may make them, one after the other.
func (v *linkView) readLinks(r *api.Request, bodies []any) ([]link, error) {
	p, err := UserOf(r)
	if err != nil {
		return nil, err
	}
	var users, collections []string
	for _, b := range bodies {
		body, _ := b.(map[string]any)
		if id, ok := linkKey(body["user"]); ok {
			users = append(users, id)
		}
		if id, ok := linkKey(body["collection"]); ok {
			collections = append(collections, id)
		}
	}
	if err := p.Know(r.Tx, users, collections); err != nil {
		return nil, err
	}
	all := make([]link, 0, len(bodies))
	for _, b := range bodies {
		body, err := api.AsObject(b)
		if err != nil {
			return nil, err
		}
		values, err := r.Clean(body, v.fields, false)
		if err != nil {
			return nil, err
		}
		l := link{UserID: values.String("user"), CollectionID: values.String("collection"), Kind: values.String("kind")}
		ok, err := p.Can(r.Tx, Create, v.model, l.object())
		if err != nil {
			return nil, err
		}
		// records of two facilities must never meet, whoever asks for it
		if !ok || p.users[l.UserID].DatasetID != p.collections[l.CollectionID].DatasetID {
			return nil, r.Forbidden()
		}
		all = append(all, l)
	}
	return all, nil
}

func (v *linkView) post(r *api.Request) (any, error) {
	data, err := r.Data()
	if err != nil {
		return nil, err
	}
	bodies, bulk := data.([]any)
	if !bulk {
		if data, err = r.Object(); err != nil {
			return nil, err
		}
		bodies = []any{data}
	}
	all, err := v.readLinks(r, bodies)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return api.Created([]any{}), nil
	}
	made, err := v.create(r, all, bulk)
	if err != nil {
		return nil, err
	}
	if bulk {
		return api.Created(v.shapeAll(made)), nil
	}
	return api.Created(v.shape(made[0])), nil
}

// update lets a link be what it is. The id of a link follows from what it links, so that a changed
// one could not synchronize: the original lets superusers do that, here they are told what to do.
func (v *linkView) update(r *api.Request) (any, error) {
	l, err := v.find(r, Update)
	if err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	for name, is := range map[string]string{"user": l.UserID, "collection": l.CollectionID, "kind": l.Kind} {
		wanted, given := body[name]
		if given && wanted != is && (name != "kind" || v.hasKind) {
			return nil, api.FieldError(api.Invalid, name, "This cannot be changed: delete it and make a new one.")
		}
	}
	return v.shape(l), nil
}

func (v *linkView) delete(r *api.Request) (any, error) {
	l, err := v.find(r, Delete)
	if err != nil {
		return nil, err
	}
	return api.NoContent(), v.remove(r.Tx, l)
}

// bulkDelete deletes the links that the parameters name, and refuses to delete all. Unlike the
// original, which lets everybody delete so, it wants the permission for every link.
// kolibri/core/mixins.py: BulkDeleteMixin
func (v *linkView) bulkDelete(r *api.Request) (any, error) {
	q, narrowed, err := v.filtered(r)
	if err != nil {
		return nil, err
	}
	if !narrowed {
		return &api.Response{Status: http.StatusBadRequest, Raw: []byte{}}, nil
	}
	text, args := q.SQL(v.columns())
	all, err := store.Select(r.Tx, scanLink, text, args...)
	if err != nil {
		return nil, err
	}
	for _, l := range all {
		if err := Require(r, Delete, v.model, l.object()); err != nil {
			return nil, err
		}
	}
	for _, l := range all {
		if err := v.remove(r.Tx, l); err != nil {
			return nil, err
		}
	}
	return api.NoContent(), nil
}

// insertNew writes those of the links that are not there yet, and returns them with their ids.
func insertNew(tx *store.Tx, random io.Reader, m *morango.Model, rows []morango.Row, all []link) ([]link, error) {
	for i := range all {
		identity, err := m.Identify(random, rows[i])
		if err != nil {
			return nil, err
		}
		all[i].ID = identity.ID
	}
	ids := make([]string, len(all))
	for i, l := range all {
		ids[i] = l.ID
	}
	there, err := tx.Strings("SELECT id FROM "+m.Table+" WHERE id IN ?", store.In(ids))
	if err != nil {
		return nil, err
	}
	var fresh []link
	var insert []morango.Row
	for i, l := range all {
		if !slices.Contains(there, l.ID) {
			there, fresh, insert = append(there, l.ID), append(fresh, l), append(insert, rows[i])
		}
	}
	_, err = morango.InsertNew(tx, random, m, insert...)
	return fresh, err
}

// duplicate refuses a single link that is there already, which fails without words in the original.
func duplicate(names ...string) error {
	return api.FieldError(api.Unique, "non_field_errors", "The fields "+strings.Join(names, ", ")+" must make a unique set.")
}

// refuse is the answer to links that cannot be, in the shapes of single and bulk requests.
func refuse(bulk bool, single, many string) error {
	if bulk {
		return api.FieldError(api.Invalid, "non_field_errors", many)
	}
	return plainError(single)
}
