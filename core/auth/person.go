package auth

import (
	"database/sql"
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
	// What the person's roles were asked about in this request: whoever handles many rows at once
	// reads their users and collections at once, by Know.
	users       map[string]place
	collections map[string]*Collection
}

// place is where a user belongs.
type place struct{ DatasetID, FacilityID string }

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
	c, err := p.collection(tx, collection)
	if err != nil || c == nil {
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
	if c.isGroup() {
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
	at, err := p.user(tx, user)
	if err != nil || at.DatasetID != p.DatasetID {
		return false, err
	}
	if p.HoldsRole(at.FacilityID, kinds...) {
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

// Know reads users and collections that the person's roles will be asked about, in two queries.
func (p *Person) Know(tx *store.Tx, users, collections []string) error {
	if p.users == nil {
		p.users, p.collections = map[string]place{}, map[string]*Collection{}
	}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var id string
		var at place
		err := row.Scan(&id, &at.DatasetID, &at.FacilityID)
		p.users[id] = at
		return err
	}, "SELECT id, dataset_id, facility_id FROM kolibriauth_facilityuser WHERE id IN ?", store.In(users))
	if err != nil {
		return err
	}
	return store.ForEach(tx, func(row store.Scanner) error {
		c, err := scanCollection(row)
		p.collections[c.ID] = c
		return err
	}, "SELECT "+collectionColumns+" FROM kolibriauth_collection WHERE id IN ?", store.In(collections))
}

// user tells where a user belongs; an unknown one belongs nowhere.
func (p *Person) user(tx *store.Tx, id string) (place, error) {
	if _, ok := p.users[id]; !ok {
		if err := p.Know(tx, []string{id}, nil); err != nil {
			return place{}, err
		}
	}
	return p.users[id], nil
}

// collection returns a collection, or nil for an unknown one.
func (p *Person) collection(tx *store.Tx, id string) (*Collection, error) {
	if _, ok := p.collections[id]; !ok && id != "" {
		if err := p.Know(tx, nil, []string{id}); err != nil {
			return nil, err
		}
	}
	return p.collections[id], nil
}
