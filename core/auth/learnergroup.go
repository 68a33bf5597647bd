package auth

import (
	"kolibri/core/api"
	"kolibri/store"
)

// LearnerGroup is a group as lists show it.
type LearnerGroup struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Parent  string   `json:"parent"`
	UserIDs []string `json:"user_ids"`
}

// Ad hoc groups have no routes of their own: the apps whose assignments they serve make them.
func learnerGroupRoutes(h *api.Host) []api.Route {
	v := &collectionView{Host: h, kind: KindLearnerGroup, list: listLearnerGroups, filter: filterLearnerGroups}
	return v.routes("learnergroup")
}

func filterLearnerGroups(r *api.Request, q *api.Query) error {
	return ChoiceParam(r, q, "parent", "c.parent_id", "SELECT 1 FROM kolibriauth_collection WHERE id = ?")
}

func listLearnerGroups(r *api.Request, q *api.Query) ([]any, error) {
	text, args := q.SQL("c.id, c.name, c.parent_id")
	var ids []string
	all := map[string]*LearnerGroup{}
	out := []any{}
	err := store.ForEach(r.Tx, func(row store.Scanner) error {
		g := &LearnerGroup{UserIDs: []string{}}
		if err := row.Scan(&g.ID, &g.Name, &g.Parent); err != nil {
			return err
		}
		ids, out = append(ids, g.ID), append(out, g)
		all[g.ID] = g
		return nil
	}, text, args...)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	return out, store.ForEach(r.Tx, func(row store.Scanner) error {
		var group, user string
		err := row.Scan(&group, &user)
		all[group].UserIDs = append(all[group].UserIDs, user)
		return err
	}, `SELECT m.collection_id, m.user_id FROM kolibriauth_membership m JOIN kolibriauth_facilityuser u ON u.id = m.user_id
		WHERE m.collection_id IN ? AND u.date_deleted IS NULL ORDER BY m.collection_id, m.id`, store.In(ids))
}
