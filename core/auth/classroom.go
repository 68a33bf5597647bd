package auth

import (
	"slices"

	"kolibri/core/api"
	"kolibri/store"
)

// Classroom is a class as lists show it.
type Classroom struct {
	ID           string           `json:"id"`
	Name         string           `json:"name"`
	Parent       string           `json:"parent"`
	LearnerCount int64            `json:"learner_count"`
	Coaches      []ClassroomCoach `json:"coaches"`
}

// ClassroomCoach is somebody with a role for a class. Roles holds the one he has at the facility.
type ClassroomCoach struct {
	ID          string         `json:"id"`
	Facility    string         `json:"facility"`
	IsSuperuser bool           `json:"is_superuser"`
	FullName    string         `json:"full_name"`
	Username    string         `json:"username"`
	Roles       []FacilityRole `json:"roles"`
}

// FacilityRole is a role at a facility.
type FacilityRole struct {
	Kind       string `json:"kind"`
	Collection string `json:"collection"`
	ID         string `json:"id"`
}

func classroomRoutes(h *api.Host) []api.Route {
	v := &collectionView{Host: h, kind: KindClassroom, list: listClassrooms, filter: filterClassrooms}
	return v.routes("classroom")
}

// filterClassrooms: parent is a facility; any role asks for the classes that the person has a role
// for. kolibri/core/auth/api.py: ClassroomFilter
func filterClassrooms(r *api.Request, q *api.Query) error {
	if role := r.Query().Get("role"); role != "" {
		p, err := UserOf(r)
		if err != nil {
			return err
		}
		filterByRole(p, q, role)
	}
	return ChoiceParam(r, q, "parent", "c.parent_id", "SELECT 1 FROM kolibriauth_collection WHERE kind = ? AND id = ?", KindFacility)
}

func filterByRole(p *Person, q *api.Query, role string) {
	if p.IsSuperuser || p.IsFacilityAdmin() {
		return
	}
	var over []string
	for _, r := range p.Roles {
		if r.Kind != AssignableCoach && (role != Coach || r.Kind == Coach) {
			over = append(over, r.CollectionID)
		}
	}
	q.Where("c.id IN ? OR c.parent_id IN ?", store.In(over), store.In(over))
}

func listClassrooms(r *api.Request, q *api.Query) ([]any, error) {
	text, args := q.SQL("c.id, c.name, c.parent_id, (SELECT count(*) FROM kolibriauth_membership m WHERE m.collection_id = c.id)")
	var ids []string
	all := map[string]*Classroom{}
	out := []any{}
	err := store.ForEach(r.Tx, func(row store.Scanner) error {
		c := &Classroom{Coaches: []ClassroomCoach{}}
		if err := row.Scan(&c.ID, &c.Name, &c.Parent, &c.LearnerCount); err != nil {
			return err
		}
		ids, out = append(ids, c.ID), append(out, c)
		all[c.ID] = c
		return nil
	}, text, args...)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	if err := subtractDeleted(r.Tx, all, ids); err != nil {
		return out, err
	}
	return out, addCoaches(r.Tx, all, ids)
}

// subtractDeleted takes the deleted accounts out of the numbers of members. They are few, and have an
// index: to look at each member's account would take longer.
func subtractDeleted(tx *store.Tx, classes map[string]*Classroom, ids []string) error {
	facilities := []string{}
	for _, c := range classes {
		if !slices.Contains(facilities, c.Parent) {
			facilities = append(facilities, c.Parent)
		}
	}
	return store.ForEach(tx, func(row store.Scanner) error {
		var class string
		var deleted int64
		if err := row.Scan(&class, &deleted); err != nil {
			return err
		}
		classes[class].LearnerCount -= deleted
		return nil
	}, `SELECT m.collection_id, count(*) FROM kolibriauth_facilityuser u CROSS JOIN kolibriauth_membership m
		WHERE m.user_id = u.id AND m.collection_id IN ? AND u.date_deleted IS NOT NULL AND u.facility_id IN ? GROUP BY m.collection_id`, store.In(ids), store.In(facilities))
}

// addCoaches fills in who has a role for the classes.
func addCoaches(tx *store.Tx, classes map[string]*Classroom, ids []string) error {
	atFacility := map[string]FacilityRole{}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var user string
		var f FacilityRole
		err := row.Scan(&user, &f.Kind, &f.Collection, &f.ID)
		atFacility[user] = f
		return err
	}, `SELECT r.user_id, r.kind, r.collection_id, r.id FROM kolibriauth_role r JOIN kolibriauth_collection c ON c.id = r.collection_id
		WHERE c.kind = ? AND r.user_id IN (SELECT user_id FROM kolibriauth_role WHERE collection_id IN ?) ORDER BY r.id`, KindFacility, store.In(ids))
	if err != nil {
		return err
	}
	return store.ForEach(tx, func(row store.Scanner) error {
		var class string
		k := ClassroomCoach{Roles: []FacilityRole{}}
		if err := row.Scan(&class, &k.ID, &k.FullName, &k.Username, &k.IsSuperuser); err != nil {
			return err
		}
		c := classes[class]
		k.Facility = c.Parent
		if f, ok := atFacility[k.ID]; ok && f.Collection == c.Parent {
			k.Roles = append(k.Roles, f)
		}
		c.Coaches = append(c.Coaches, k)
		return nil
	}, `SELECT r.collection_id, u.id, u.full_name, u.username, coalesce(d.is_superuser, FALSE) FROM kolibriauth_role r
		JOIN kolibriauth_facilityuser u ON u.id = r.user_id LEFT JOIN device_devicepermissions d ON d.user_id = u.id
		WHERE r.collection_id IN ? AND u.date_deleted IS NULL ORDER BY r.collection_id, r.id`, store.In(ids))
}
