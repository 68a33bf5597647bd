package auth

import (
	"database/sql"
	"errors"
	"io"
	"net/http"
	"slices"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// Collection is a facility, a class or a group.
type Collection struct{ ID, Name, Kind, ParentID, DatasetID string }

func (c *Collection) object() Object {
	return Object{ID: c.ID, DatasetID: c.DatasetID, CollectionID: c.ID, Kind: c.Kind, ParentID: c.ParentID}
}

func (c *Collection) isGroup() bool { return c.Kind == KindLearnerGroup || c.Kind == KindAdHocGroup }

const collectionColumns = "id, name, kind, parent_id, dataset_id"

func scanCollection(row store.Scanner) (*Collection, error) {
	c, parent := &Collection{}, sql.NullString{}
	err := row.Scan(&c.ID, &c.Name, &c.Kind, &parent, &c.DatasetID)
	c.ParentID = parent.String
	return c, err
}

// LoadCollection reads a collection, or returns store.ErrNotFound.
func LoadCollection(tx *store.Tx, id string) (*Collection, error) {
	if id == "" { // which PostgreSQL would not compare with an id
		return nil, store.ErrNotFound
	}
	c, err := store.Get(tx, scanCollection, "SELECT "+collectionColumns+" FROM kolibriauth_collection WHERE id = ?", id)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ErrHierarchy is returned for a class outside of a facility and for a group outside of a class.
var ErrHierarchy = errors.New("invalid collection hierarchy")

// parentKinds says what a collection of a kind lies in.
var parentKinds = map[string]string{KindClassroom: KindFacility, KindLearnerGroup: KindClassroom, KindAdHocGroup: KindClassroom}

var collectionModels = map[string]*morango.Model{KindFacility: morango.Facility, KindClassroom: morango.Classroom,
	KindLearnerGroup: morango.LearnerGroup, KindAdHocGroup: morango.AdHocGroup}

// CreateCollection makes a class in a facility, or a group in a class.
func CreateCollection(tx *store.Tx, random io.Reader, kind, name string, parent *Collection) (*Collection, error) {
	if parent.Kind != parentKinds[kind] {
		return nil, ErrHierarchy
	}
	c := &Collection{Name: name, Kind: kind, ParentID: parent.ID, DatasetID: parent.DatasetID}
	var err error
	c.ID, err = morango.Insert(tx, random, collectionModels[kind], morango.Row{"name": name, "kind": kind, "parent_id": parent.ID, "dataset_id": parent.DatasetID})
	return c, err
}

// DeleteCollection deletes a collection with everything in it.
func DeleteCollection(tx *store.Tx, id string) error {
	return morango.DeleteRows(tx, morango.Delete, "kolibriauth_collection", id)
}

// collectionView serves the collections of one kind below the facility: they differ in what an
// answer shows. kolibri/core/auth/api.py: ClassroomViewSet, LearnerGroupViewSet
type collectionView struct {
	*api.Host
	kind string
	// list answers the collections c that a query finds.
	list func(r *api.Request, q *api.Query) ([]any, error)
	// filter narrows a query by the request's parameters.
	filter func(r *api.Request, q *api.Query) error
}

func (v *collectionView) routes(name string) []api.Route {
	return []api.Route{
		{Name: "kolibri:core:" + name + "-list", Method: http.MethodGet, Handle: v.index},
		{Name: "kolibri:core:" + name + "-list", Method: http.MethodPost, Handle: v.create},
		{Name: "kolibri:core:" + name + "-detail", Method: http.MethodGet, Handle: v.show},
		{Name: "kolibri:core:" + name + "-detail", Method: http.MethodPut, Handle: v.update},
		{Name: "kolibri:core:" + name + "-detail", Method: http.MethodPatch, Handle: v.update},
		{Name: "kolibri:core:" + name + "-detail", Method: http.MethodDelete, Handle: v.remove},
	}
}

func (v *collectionView) query() *api.Query {
	return (&api.Query{From: "kolibriauth_collection c", Order: "c.id"}).Where("c.kind = ?", v.kind)
}

// readable is the query for those that the person may read and the parameters ask for.
func (v *collectionView) readable(r *api.Request) (*api.Query, error) {
	q := v.query()
	if err := v.filter(r, q); err != nil {
		return nil, err
	}
	return q, OnlyReadable(r, q, Collections, "c")
}

func (v *collectionView) index(r *api.Request) (any, error) {
	q, err := v.readable(r)
	if err != nil {
		return nil, err
	}
	return v.list(r, q)
}

func (v *collectionView) show(r *api.Request) (any, error) {
	q, err := v.readable(r)
	if err != nil {
		return nil, err
	}
	return v.one(r, q, r.Param("pk"))
}

func (v *collectionView) one(r *api.Request, q *api.Query, id string) (any, error) {
	id, valid := api.ParseUUID(id)
	if !valid {
		return nil, r.NotFound()
	}
	all, err := v.list(r, q.Where("c.id = ?", id))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, r.NotFound()
	}
	return all[0], nil
}

// fields are those of a body. The original lets a body leave out the parent and then refuses it as
// nobody's to make.
var collectionFields = []api.Field{
	{Name: "name", Clean: api.CleanString(100, false)},
	{Name: "parent", Optional: true, Null: true, Clean: api.CleanKey("SELECT 1 FROM kolibriauth_collection WHERE id = ?")},
}

func (v *collectionView) create(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, collectionFields, false)
	if err != nil {
		return nil, err
	}
	if values.String("parent") == "" {
		return nil, r.Forbidden()
	}
	parent, err := LoadCollection(r.Tx, values.String("parent"))
	if err != nil {
		return nil, err
	}
	made := &Collection{Name: values.String("name"), Kind: v.kind, ParentID: parent.ID, DatasetID: parent.DatasetID}
	if err := Require(r, Create, Collections, made.object()); err != nil {
		return nil, err
	}
	if err := v.unique(r, made); err != nil {
		return nil, err
	}
	made, err = CreateCollection(r.Tx, v.Rand, v.kind, made.Name, parent)
	if err != nil {
		return nil, shapeHierarchy(err)
	}
	answer, err := v.one(r, v.query(), made.ID)
	if err != nil {
		return nil, err
	}
	return api.Created(answer), nil
}

// find loads the collection of the address and checks the permission.
func (v *collectionView) find(r *api.Request, do Action) (*Collection, error) {
	c, err := findCollection(r, v.kind)
	if err != nil {
		return nil, err
	}
	return c, Require(r, do, Collections, c.object())
}

// findCollection loads the collection of a kind that the address names.
func findCollection(r *api.Request, kind string) (*Collection, error) {
	id, _ := api.ParseUUID(r.Param("pk"))
	c, err := LoadCollection(r.Tx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && c.Kind != kind {
		return nil, r.NotFound()
	}
	return c, err
}

func (v *collectionView) update(r *api.Request) (any, error) {
	c, err := v.find(r, Update)
	if err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, collectionFields, r.HTTP.Method == http.MethodPatch)
	if err != nil {
		return nil, err
	}
	if values.Has("name") {
		c.Name = values.String("name")
	}
	if values.Has("parent") && values.String("parent") != c.ParentID {
		if err := v.move(r, c, values.String("parent")); err != nil {
			return nil, err
		}
	}
	if err := v.unique(r, c); err != nil {
		return nil, err
	}
	if err := morango.Update(r.Tx, collectionModels[c.Kind], c.ID, morango.Row{"name": c.Name, "parent_id": c.ParentID}); err != nil {
		return nil, err
	}
	return v.one(r, v.query(), c.ID)
}

// move puts a group into another class of the same facility, which only those may do who manage
// that class too. The original does not look at the new parent's facility; records of two
// facilities must never mix.
func (v *collectionView) move(r *api.Request, c *Collection, parent string) error {
	to, err := LoadCollection(r.Tx, parent)
	if errors.Is(err, store.ErrNotFound) || err == nil && (to.Kind != parentKinds[c.Kind] || to.DatasetID != c.DatasetID) {
		return shapeHierarchy(ErrHierarchy)
	}
	if err != nil {
		return err
	}
	c.ParentID = to.ID
	return Require(r, Create, Collections, c.object())
}

// unique refuses a name that a sibling has.
func (v *collectionView) unique(r *api.Request, c *Collection) error {
	if err := lockNames(r.Tx, c.ParentID); err != nil {
		return err
	}
	same, err := r.Tx.Strings("SELECT id FROM kolibriauth_collection WHERE kind = ? AND parent_id = ? AND name = ?", c.Kind, c.ParentID, c.Name)
	if err != nil || !slices.ContainsFunc(same, func(id string) bool { return id != c.ID }) {
		return err
	}
	return api.FieldError(api.Unique, "non_field_errors", "The fields parent, name must make a unique set.")
}

func (v *collectionView) remove(r *api.Request) (any, error) {
	c, err := v.find(r, Delete)
	if err != nil {
		return nil, err
	}
	return api.NoContent(), DeleteCollection(r.Tx, c.ID)
}

// shapeHierarchy is the answer to ErrHierarchy: the original leaves this one in a plain list.
func shapeHierarchy(err error) error {
	if errors.Is(err, ErrHierarchy) {
		return plainError("Invalid collection hierarchy")
	}
	return err
}

// plainError is a 400 that the original's error shapes pass by: a list with a text.
func plainError(text string) *api.Error {
	return &api.Error{Status: http.StatusBadRequest, Body: []string{text}}
}

// CollectionParam narrows a query by the parameter "collection"; one that there is not is a 400.
func CollectionParam(r *api.Request, q *api.Query, column string) error {
	return ChoiceParam(r, q, "collection", column, "SELECT 1 FROM kolibriauth_collection WHERE id = ?")
}

// ChoiceParam narrows a query to the rows whose column has the id that a parameter names; one that is
// not among those that the condition allows is a 400, as django-filter's ModelChoiceFilter has it.
func ChoiceParam(r *api.Request, q *api.Query, name, column, allowed string, args ...any) error {
	id := r.Query().Get(name)
	if id == "" {
		return nil
	}
	clean, valid := api.ParseUUID(id)
	if valid {
		found, err := r.Tx.Exists(allowed, slices.Concat(args, []any{clean})...)
		if err != nil {
			return err
		}
		valid = found
	}
	if !valid {
		return api.FieldError(api.InvalidChoice, name, "Select a valid choice. That choice is not one of the available choices.")
	}
	q.Where(column+" = ?", clean)
	return nil
}
