package auth

import (
	"io"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

func membershipRoutes(h *api.Host) []api.Route {
	v := &linkView{Host: h, model: Memberships, table: morango.Membership.Table, fields: linkFields(), remove: removeMembership}
	v.create = v.createMemberships
	return v.routes("membership")
}

// createMemberships makes members: of classes, and of groups those who are in the group's class.
// kolibri/core/auth/serializers.py: MembershipListSerializer
func (v *linkView) createMemberships(r *api.Request, all []link, bulk bool) ([]link, error) {
	p, err := UserOf(r)
	if err != nil {
		return nil, err
	}
	classes := map[[2]string]bool{} // user and class for which a membership is needed
	var users []string
	rows := make([]morango.Row, 0, len(all))
	for _, l := range all {
		c := p.collections[l.CollectionID]
		if c.Kind == KindFacility {
			return nil, refuse(bulk, "Invalid membership",
				"Cannot create membership objects for facilities, as should already be a member by facility attribute")
		}
		if c.isGroup() {
			classes[[2]string{l.UserID, c.ParentID}] = true
			users = append(users, l.UserID)
		}
		rows = append(rows, morango.Row{"user_id": l.UserID, "collection_id": l.CollectionID, "dataset_id": c.DatasetID})
	}
	err = store.ForEach(r.Tx, func(row store.Scanner) error {
		var pair [2]string
		err := row.Scan(&pair[0], &pair[1])
		delete(classes, pair)
		return err
	}, "SELECT user_id, collection_id FROM kolibriauth_membership WHERE user_id IN ?", store.In(users))
	if err != nil {
		return nil, err
	}
	if len(classes) > 0 {
		return nil, refuse(bulk, "Invalid membership",
			"Cannot create membership for a user in a LearnerGroup or AdHocGroup when they are not a member of the parent Classroom")
	}
	made, err := insertNew(r.Tx, v.Host.Rand, morango.Membership, rows, all)
	if err == nil && !bulk && len(made) == 0 {
		return nil, duplicate("user", "collection")
	}
	return made, err
}

// removeMembership takes a user out of a class with its groups, or out of a group.
// kolibri/core/auth/signals.py: cascade_delete_membership
func removeMembership(tx *store.Tx, l link) error {
	inner, err := tx.Strings(`SELECT m.id FROM kolibriauth_membership m JOIN kolibriauth_collection c ON c.id = m.collection_id
		WHERE m.user_id = ? AND c.parent_id = ?`, l.UserID, l.CollectionID)
	if err != nil {
		return err
	}
	return morango.DeleteRows(tx, morango.Delete, morango.Membership.Table, append(inner, l.ID)...)
}

// AddMembers makes users members of a class or group; those who are keep what they are. For a
// group, all must be in its class.
func AddMembers(tx *store.Tx, random io.Reader, c *Collection, users ...string) error {
	rows := make([]morango.Row, 0, len(users))
	for _, u := range users {
		rows = append(rows, morango.Row{"user_id": u, "collection_id": c.ID, "dataset_id": c.DatasetID})
	}
	_, err := morango.InsertNew(tx, random, morango.Membership, rows...)
	return err
}
