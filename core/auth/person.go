package auth

import (
	"database/sql"
	"errors"
	"slices"

	"kolibri/core/api"
	"kolibri/store"
)

// The kinds of roles (kolibri/core/auth/constants/role_kinds.py). An assignable coach has the role
// at the facility, which lets nobody do anything, and coaches the classes he is assigned to.
const (
	Admin           = "admin"
	Coach           = "coach"
	AssignableCoach = "classroom assignable coach"
)

// The kinds of collections (kolibri/core/auth/constants/collection_kinds.py).
const (
	KindFacility     = "facility"
	KindClassroom    = "classroom"
	KindLearnerGroup = "learnergroup"
	KindAdHocGroup   = "adhoclearnersgroup"
)

// Person is whoever makes a request. A person without ID is an anonymous visitor.
type Person struct {
	ID, Username, FullName string
	FacilityID, DatasetID  string
	// IsSuperuser and CanManageContent are the rights over this device; a superuser has both.
	IsSuperuser, CanManageContent bool
	// Roles are those that the person holds, in the order of their ids.
	Roles []HeldRole

	memberships []string // nil while not read
}

// HeldRole is a role and the collection it is held for.
type HeldRole struct{ ID, CollectionID, Kind string }

// IsAnonymous tells whether nobody is signed in.
func (p *Person) IsAnonymous() bool { return p.ID == "" }

type personKey struct{}

// UserOf returns who makes the request. The person is read once and kept with the request.
func UserOf(r *api.Request) (*Person, error) {
	if p, ok := r.Value(personKey{}).(*Person); ok && p.ID == r.Session.UserID {
		return p, nil
	}
	p, err := LoadPerson(r.Tx, r.Session.UserID)
	if err != nil {
		return nil, err
	}
	r.SetValue(personKey{}, p)
	return p, nil
}

// ForgetUser makes the next UserOf read the person anew, after the request changed his roles or rights.
func ForgetUser(r *api.Request) { r.SetValue(personKey{}, nil) }

// LoadPerson reads a user with his roles and rights in one query. An empty id, or that of nobody,
// gives the anonymous visitor.
func LoadPerson(tx *store.Tx, id string) (*Person, error) {
	p := &Person{}
	if id == "" {
		return p, nil
	}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var super, manage sql.NullBool
		var role, collection, kind sql.NullString
		if err := row.Scan(&p.ID, &p.Username, &p.FullName, &p.FacilityID, &p.DatasetID, &super, &manage, &role, &collection, &kind); err != nil {
			return err
		}
		p.IsSuperuser, p.CanManageContent = super.Bool, super.Bool || manage.Bool
		if role.Valid {
			p.Roles = append(p.Roles, HeldRole{role.String, collection.String, kind.String})
		}
		return nil
	}, `SELECT u.id, u.username, u.full_name, u.facility_id, u.dataset_id, d.is_superuser, d.can_manage_content, r.id, r.collection_id, r.kind
		FROM kolibriauth_facilityuser u
		LEFT JOIN device_devicepermissions d ON d.user_id = u.id
		LEFT JOIN kolibriauth_role r ON r.user_id = u.id
		WHERE u.id = ? AND u.date_deleted IS NULL ORDER BY r.id`, id)
	return p, err
}

// Memberships are the ids of the classes and groups that the person is a member of.
func (p *Person) Memberships(tx *store.Tx) ([]string, error) {
	if p.memberships != nil || p.IsAnonymous() {
		return p.memberships, nil
	}
	var err error
	p.memberships, err = tx.Strings("SELECT collection_id FROM kolibriauth_membership WHERE user_id = ?", p.ID)
	return p.memberships, err
}

// HoldsRole tells whether the person holds one of the kinds of role for exactly this collection.
func (p *Person) HoldsRole(collection string, kinds ...string) bool {
	return slices.ContainsFunc(p.Roles, func(r HeldRole) bool {
		return r.CollectionID == collection && slices.Contains(kinds, r.Kind)
	})
}

// IsFacilityAdmin tells whether the person administers his facility; a superuser does not by that alone.
func (p *Person) IsFacilityAdmin() bool { return p.HoldsRole(p.FacilityID, Admin) }

// HasRoleForCollection tells whether the person has one of the kinds of role over a collection:
// by the collection itself, by the class of a group, or by the facility. A superuser has every
// admin's role. An unknown collection gives false.
// kolibri/core/auth/models.py: FacilityUser.has_role_for_collection
func (p *Person) HasRoleForCollection(tx *store.Tx, collection string, kinds ...string) (bool, error) {
	c, err := LoadCollection(tx, collection)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return p.hasRoleOver(c, kinds), nil
}

func (p *Person) hasRoleOver(c *Collection, kinds []string) bool {
	switch {
	case p.IsSuperuser:
		return slices.Contains(kinds, Admin)
	case p.IsAnonymous() || p.DatasetID != c.DatasetID:
		return false
	}
	id := c.ID
	if c.Kind == KindLearnerGroup || c.Kind == KindAdHocGroup {
		id = c.ParentID
	}
	return p.HoldsRole(p.FacilityID, kinds...) || p.HoldsRole(id, kinds...)
}

// HasRoleForUser tells whether the person has one of the kinds of role over another user: by that
// user's facility, or by a class of his. A superuser has every admin's role.
// kolibri/core/auth/models.py: FacilityUser.has_role_for_user
func (p *Person) HasRoleForUser(tx *store.Tx, user string, kinds ...string) (bool, error) {
	if p.IsSuperuser {
		return slices.Contains(kinds, Admin), nil
	}
	if p.IsAnonymous() || user == "" {
		return false, nil
	}
	var dataset, facility string
	err := tx.QueryRow("SELECT dataset_id, facility_id FROM kolibriauth_facilityuser WHERE id = ?", user).Scan(&dataset, &facility)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || dataset != p.DatasetID {
		return false, err
	}
	if p.HoldsRole(facility, kinds...) {
		return true, nil
	}
	var classes []string
	for _, r := range p.Roles {
		if slices.Contains(kinds, r.Kind) {
			classes = append(classes, r.CollectionID)
		}
	}
	if len(classes) == 0 {
		return false, nil
	}
	return tx.Exists("SELECT 1 FROM kolibriauth_membership WHERE user_id = ? AND collection_id IN ?", user, store.In(classes))
}

// IsMemberOf tells whether the person belongs to a collection; everybody belongs to his facility.
func (p *Person) IsMemberOf(tx *store.Tx, collection string) (bool, error) {
	if p.IsAnonymous() || collection == p.FacilityID {
		return !p.IsAnonymous(), nil
	}
	all, err := p.Memberships(tx)
	return slices.Contains(all, collection), err
}

// Collection is a facility, a class or a group.
type Collection struct{ ID, Name, Kind, ParentID, DatasetID string }

// LoadCollection reads a collection, or returns store.ErrNotFound.
func LoadCollection(tx *store.Tx, id string) (*Collection, error) {
	c := &Collection{ID: id}
	var parent sql.NullString
	err := tx.QueryRow("SELECT name, kind, parent_id, dataset_id FROM kolibriauth_collection WHERE id = ?", id).
		Scan(&c.Name, &c.Kind, &parent, &c.DatasetID)
	if err != nil {
		return nil, err
	}
	c.ParentID = parent.String
	return c, nil
}
