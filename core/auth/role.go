package auth

import (
	"errors"
	"io"
	"slices"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

var roleKinds = []string{Admin, Coach, AssignableCoach}

func roleRoutes(h *api.Host) []api.Route {
	v := &linkView{Host: h, model: Roles, table: morango.Role.Table, hasKind: true,
		fields: linkFields(api.Field{Name: "kind", Clean: api.CleanChoice(roleKinds...)})}
	v.create = v.createRoles
	v.remove = v.removeRole
	return v.routes("role")
}

// validRole tells whether a role of the kind can be held for the collection: coaches coach classes,
// everybody else has a role at the facility only (kolibri/core/auth/models.py: Role.validate_role).
func validRole(c *Collection, kind string) bool {
	return c.Kind == KindFacility || c.Kind == KindClassroom && kind == Coach
}

// createRoles gives users roles. kolibri/core/auth/serializers.py: RoleListSerializer
func (v *linkView) createRoles(r *api.Request, all []link, bulk bool) ([]link, error) {
	p, err := UserOf(r)
	if err != nil {
		return nil, err
	}
	for _, l := range all {
		if !validRole(p.collections[l.CollectionID], l.Kind) {
			return nil, refuse(bulk, "Invalid role kind", "Invalid role kind")
		}
	}
	made, err := grantRoles(r.Tx, v.Host.Rand, all, p.collections)
	if err == nil && !bulk && len(made) == 0 {
		return nil, duplicate("user", "collection", "kind")
	}
	return made, err
}

// grantRoles writes those roles that are not there yet and returns them. Who coaches a class gets
// the role of an assignable coach at the facility if he has none there, and whoever has a role signs
// in without pictures.
func grantRoles(tx *store.Tx, random io.Reader, all []link, collections map[string]*Collection) ([]link, error) {
	var rows []morango.Row
	var users []string
	classes := map[link]*Collection{}
	for _, l := range all {
		c := collections[l.CollectionID]
		users = append(users, l.UserID)
		rows = append(rows, morango.Row{"user_id": l.UserID, "collection_id": c.ID, "kind": l.Kind, "dataset_id": c.DatasetID})
		if c.Kind == KindClassroom {
			classes[link{UserID: l.UserID, CollectionID: c.ParentID}] = c
		}
	}
	made, err := insertNew(tx, random, morango.Role, rows, all)
	if err != nil {
		return nil, err
	}
	if err := ensureFacilityRoles(tx, random, classes); err != nil {
		return nil, err
	}
	_, err = morango.UpdateWhere(tx, morango.FacilityUser, morango.Row{"picture_password": nil},
		"id IN ? AND picture_password IS NOT NULL", store.In(users))
	return made, err
}

// ensureFacilityRoles makes users assignable coaches where they have no role at a facility; needed
// holds a class of the facility for each pair of user and facility.
func ensureFacilityRoles(tx *store.Tx, random io.Reader, needed map[link]*Collection) error {
	var users []string
	for pair := range needed {
		users = append(users, pair.UserID)
	}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var pair link
		err := row.Scan(&pair.UserID, &pair.CollectionID)
		delete(needed, pair)
		return err
	}, "SELECT user_id, collection_id FROM kolibriauth_role WHERE user_id IN ?", store.In(users))
	if err != nil {
		return err
	}
	var rows []morango.Row
	for pair, class := range needed {
		rows = append(rows, morango.Row{"user_id": pair.UserID, "collection_id": pair.CollectionID, "kind": AssignableCoach, "dataset_id": class.DatasetID})
	}
	_, err = morango.InsertNew(tx, random, morango.Role, rows...)
	return err
}

// AddRole gives a user a role for a collection, with what follows from it; one who has it keeps
// it. The role must be a valid one.
func AddRole(tx *store.Tx, random io.Reader, user string, c *Collection, kind string) error {
	_, err := grantRoles(tx, random, []link{{UserID: user, CollectionID: c.ID, Kind: kind}}, map[string]*Collection{c.ID: c})
	return err
}

// removeRole takes a role away. An assignable coach loses his classes too. One who has no role any
// more is a learner again, and signs in by pictures where learners do.
// kolibri/core/auth/models.py: Role.delete
func (v *linkView) removeRole(tx *store.Tx, l link) error {
	return RemoveRole(tx, v.Host.Rand, l.ID, l.UserID, l.CollectionID, l.Kind)
}

// RemoveRole takes a role away, with what follows from it.
func RemoveRole(tx *store.Tx, random io.Reader, id, user, collection, kind string) error {
	ids := []string{id}
	if kind == AssignableCoach {
		classes, err := tx.Strings(`SELECT r.id FROM kolibriauth_role r JOIN kolibriauth_collection c ON c.id = r.collection_id
			WHERE r.user_id = ? AND r.kind = ? AND c.parent_id = ?`, user, Coach, collection)
		if err != nil {
			return err
		}
		ids = slices.Concat(classes, ids)
	}
	if err := morango.DeleteRows(tx, morango.Delete, morango.Role.Table, ids...); err != nil {
		return err
	}
	var dataset string
	err := tx.QueryRow(`SELECT dataset_id FROM kolibriauth_facilityuser u WHERE id = ? AND picture_password IS NULL
		AND NOT EXISTS (SELECT 1 FROM kolibriauth_role r WHERE r.user_id = u.id)`, user).Scan(&dataset)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return AssignPicturePassword(tx, random, dataset, user)
}
