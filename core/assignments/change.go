package assignments

import (
	"kolibri/core/api"
	"kolibri/core/auth"
)

// Change is what a request that makes or changes a thing brings along.
type Change struct {
	Person *auth.Person
	// Class is the collection that the thing is or will be in.
	Class *auth.Collection
	// Values are the cleaned fields of the body.
	Values api.Values
}

// Reader cleans the body of a request.
type Reader func(*api.Request) (api.Values, error)

// Creating reads a request to make a thing in the collection that its body names. The person must be
// allowed to make things of m there, and check must find nothing wrong.
func Creating(r *api.Request, m *auth.Model, read Reader, check func(api.Values, *auth.Collection) error) (*Change, error) {
	values, err := read(r)
	if err != nil {
		return nil, err
	}
	class, err := auth.LoadCollection(r.Tx, values.String("collection"))
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Create, m, auth.Object{CollectionID: class.ID}); err != nil {
		return nil, err
	}
	if err := check(values, class); err != nil {
		return nil, err
	}
	p, err := auth.UserOf(r)
	return &Change{p, class, values}, err
}

// Changing reads a request to change a thing of a collection. It stays in there: another collection
// in the body only changes what the body is checked against, as in the original.
func Changing(r *api.Request, collection string, read Reader, check func(values api.Values, against string) error) (*Change, error) {
	values, err := read(r)
	if err != nil {
		return nil, err
	}
	against := collection
	if values.Has("collection") {
		against = values.String("collection")
	}
	if err := check(values, against); err != nil {
		return nil, err
	}
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	class, err := auth.LoadCollection(r.Tx, collection)
	return &Change{p, class, values}, err
}

// Readable narrows a query down to the things of m that the person may read and that the request's
// parameters collection and id ask for. alias is the things' table in the query.
func Readable(r *api.Request, q *api.Query, m *auth.Model, alias string) (*api.Query, error) {
	if err := auth.CollectionParam(r, q, alias+".collection_id"); err != nil {
		return nil, err
	}
	if given := r.Query().Get("id"); given != "" {
		if id, ok := api.ParseUUID(given); ok {
			q.Where(alias+".id = ?", id)
		} else {
			q.Where("1 = 0") // what is no id is nothing's
		}
	}
	return q, auth.OnlyReadable(r, q, m, alias)
}
