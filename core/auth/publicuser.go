package auth

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/store"
)

// publicUserView tells other devices of the people here, to those who prove who they are: to an admin
// of everybody in the facility, to others of themselves.
// kolibri/core/auth/api.py: PublicFacilityUserViewSet
type publicUserView struct{ *accounts }

func (v publicUserView) routes() []api.Route {
	return []api.Route{
		{Name: "kolibri:core:publicuser-list", Method: http.MethodGet, Handle: v.index, NoTx: true},
		{Name: "kolibri:core:publicuser-detail", Method: http.MethodGet, Handle: v.show, NoTx: true},
	}
}

func (v publicUserView) index(r *api.Request) (any, error) { return v.find(r, "") }

func (v publicUserView) show(r *api.Request) (any, error) {
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, r.NotFound()
	}
	found, err := v.find(r, id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, r.NotFound()
	}
	return found[0], nil
}

// find reads the users of the facility of the query that the person may know of; only narrows them to one.
func (v publicUserView) find(r *api.Request, only string) ([]*remoteUser, error) {
	who, err := BasicPerson(r, v.h)
	if err != nil {
		return nil, err
	}
	if who.IsAnonymous() {
		return nil, Unauthorized("Authentication credentials were not provided.")
	}
	all, byID := []*remoteUser{}, map[string]*remoteUser{}
	facility := who.FacilityID
	if r.Query().Has("facility_id") {
		given, ok := api.ParseUUID(r.Query().Get("facility_id"))
		if !ok {
			return all, nil
		}
		facility = given
	}
	q := (&api.Query{From: userTables, Order: "u.id, r.id"}).Where("u.facility_id = ? AND u.date_deleted IS NULL", facility)
	if !who.IsSuperuser && !who.IsFacilityAdmin() {
		q.Where("u.id = ?", who.ID)
	}
	if only != "" {
		q.Where("u.id = ?", only)
	}
	text, args := q.SQL("u.id, u.username, u.full_name, u.facility_id, u.id_number, u.gender, u.birth_year, coalesce(d.is_superuser, FALSE), r.kind")
	err = v.h.DB.Read(r.Ctx, func(tx *store.Tx) error {
		return store.ForEach(tx, func(row store.Scanner) error {
			u := &remoteUser{Roles: []string{}}
			var role *string
			if err := row.Scan(&u.ID, &u.Username, &u.FullName, &u.Facility, &u.IDNumber, &u.Gender, &u.BirthYear, &u.IsSuperuser, &role); err != nil {
				return err
			}
			if byID[u.ID] == nil {
				byID[u.ID] = u
				all = append(all, u)
			}
			if role != nil {
				byID[u.ID].Roles = append(byID[u.ID].Roles, *role)
			}
			return nil
		}, text, args...)
	})
	return all, err
}
