package auth

import (
	"strings"

	"kolibri/store"
)

// IsSelf grants actions on the row that is the person.
// kolibri/core/auth/permissions/general.py
type IsSelf struct{ May Action }

// Allows implements Rule.
func (s IsSelf) Allows(_ *store.Tx, p *Person, do Action, o Object) (bool, error) {
	return s.May&do != 0 && !p.IsAnonymous() && p.ID == o.ID, nil
}

// Readable implements Rule.
func (s IsSelf) Readable(p *Person) Condition {
	if p.IsAnonymous() || s.May&Read == 0 {
		return Nothing
	}
	return Condition{"this.id = ?", []any{p.ID}}
}

// IsOwn grants actions on rows whose user the person is. As in the original, nobody's rows are an
// anonymous visitor's own, but he never finds them in a list.
// kolibri/core/auth/permissions/general.py
type IsOwn struct {
	May Action
	// Column names the user's column if it is not user_id.
	Column string
}

// Allows implements Rule.
func (w IsOwn) Allows(_ *store.Tx, p *Person, do Action, o Object) (bool, error) {
	return w.May&do != 0 && p.ID == o.UserID, nil
}

// Readable implements Rule.
func (w IsOwn) Readable(p *Person) Condition {
	if p.IsAnonymous() || w.May&Read == 0 {
		return Nothing
	}
	column := w.Column
	if column == "" {
		column = "user_id"
	}
	return Condition{"this." + column + " = ?", []any{p.ID}}
}

// Anybody grants actions to everybody, on rows of one kind if Kind is set.
type Anybody struct {
	May  Action
	Kind string
}

// Allows implements Rule.
func (a Anybody) Allows(_ *store.Tx, _ *Person, do Action, o Object) (bool, error) {
	return a.May&do != 0 && (a.Kind == "" || a.Kind == o.Kind), nil
}

// Readable implements Rule.
func (a Anybody) Readable(*Person) Condition {
	switch {
	case a.May&Read == 0:
		return Nothing
	case a.Kind == "":
		return Everything
	}
	return Condition{"this.kind = ?", []any{a.Kind}}
}

// FacilityAdmin grants actions on the rows of a facility to its admins.
// kolibri/core/auth/permissions/general.py: IsAdminForOwnFacility
type FacilityAdmin struct{ May Action }

// Allows implements Rule.
func (f FacilityAdmin) Allows(_ *store.Tx, p *Person, do Action, o Object) (bool, error) {
	return f.May&do != 0 && !p.IsAnonymous() && p.DatasetID == o.DatasetID && p.IsFacilityAdmin(), nil
}

// Readable implements Rule.
func (f FacilityAdmin) Readable(p *Person) Condition {
	if f.May&Read == 0 || p.IsAnonymous() || !p.IsFacilityAdmin() {
		return Nothing
	}
	return Condition{"this.dataset_id = ?", []any{p.DatasetID}}
}

// AnonymousLogs lets everybody write rows that are nobody's.
// kolibri/core/logger/permissions.py: AnyoneCanWriteAnonymousLogs
type AnonymousLogs struct{}

// Allows implements Rule.
func (AnonymousLogs) Allows(_ *store.Tx, _ *Person, do Action, o Object) (bool, error) {
	return do&(Create|Update) != 0 && o.UserID == "", nil
}

// Readable implements Rule.
func (AnonymousLogs) Readable(*Person) Condition { return Nothing }

// Target says whom or what a role must be over.
type Target int

// The targets.
const (
	OverCollection Target = iota // Object.CollectionID
	OverUser                     // Object.UserID
	OverSelf                     // the row is itself a user: Object.ID
)

// Who holds the roles that give a right.
var (
	admins  = []string{Admin}
	coaches = []string{Admin, Coach}
	nobody  []string
)

// ByRole grants each action to those who hold one of the kinds of role over the row's target.
// kolibri/core/auth/permissions/base.py: RoleBasedPermissions
type ByRole struct {
	Over                         Target
	Create, Read, Update, Delete []string
	// Within is the condition for rows that belong to the classes a coach coaches; {} stands for
	// the set of those classes and their groups.
	Within string
	// Dataset is the condition for rows of one facility, if it is not "this.dataset_id = ?".
	Dataset string
}

// The usual values of ByRole.Within.
const (
	WithinCollection = "this.collection_id IN {}"
	WithinUser       = "this.user_id IN (SELECT user_id FROM kolibriauth_membership WHERE collection_id IN {})"
	withinSelf       = "this.id IN (SELECT user_id FROM kolibriauth_membership WHERE collection_id IN {})"
)

// ManagedByCoaches is the rule of what coaches make for a class: lessons, quizzes, courses.
func ManagedByCoaches() ByRole {
	return ByRole{Over: OverCollection, Create: coaches, Read: coaches, Update: coaches, Delete: coaches, Within: WithinCollection}
}

func (b ByRole) kinds(do Action) []string {
	switch do {
	case Create:
		return b.Create
	case Read:
		return b.Read
	case Update:
		return b.Update
	case Delete:
		return b.Delete
	}
	return nil
}

// Allows implements Rule.
func (b ByRole) Allows(tx *store.Tx, p *Person, do Action, o Object) (bool, error) {
	kinds := b.kinds(do)
	if len(kinds) == 0 || len(p.Roles) == 0 {
		return false, nil
	}
	switch b.Over {
	case OverUser:
		return p.HasRoleForUser(tx, o.UserID, kinds...)
	case OverSelf:
		return p.HasRoleForUser(tx, o.ID, kinds...)
	}
	return p.HasRoleForCollection(tx, o.CollectionID, kinds...)
}

// Readable implements Rule.
func (b ByRole) Readable(p *Person) Condition {
	if p.IsAnonymous() || len(b.Read) == 0 {
		return Nothing
	}
	if p.HoldsRole(p.FacilityID, b.Read...) {
		dataset := b.Dataset
		if dataset == "" {
			dataset = "this.dataset_id = ?"
		}
		return Condition{dataset, []any{p.DatasetID}}
	}
	var classes []string
	for _, r := range p.Roles {
		if r.Kind == Coach && len(b.Read) > 1 { // only where coaches may read at all
			classes = append(classes, r.CollectionID)
		}
	}
	if len(classes) == 0 {
		return Nothing
	}
	const reach = "(SELECT id FROM kolibriauth_collection WHERE id IN ? OR parent_id IN ?)"
	return Condition{strings.ReplaceAll(b.Within, "{}", reach), []any{store.In(classes), store.In(classes)}}
}

// collectionRule is the rule of collections: their own admin changes them, whoever may change the
// parent makes and deletes them, and facilities are made and deleted by superusers only.
// kolibri/core/auth/permissions/auth.py: CollectionSpecificRoleBasedPermissions
type collectionRule struct{}

func (collectionRule) Allows(tx *store.Tx, p *Person, do Action, o Object) (bool, error) {
	switch {
	case do == Read:
		return p.HasRoleForCollection(tx, o.ID, coaches...)
	case do == Update:
		return p.HasRoleForCollection(tx, o.ID, admins...)
	case o.Kind == KindFacility || o.ParentID == "":
		return false, nil
	}
	return p.HasRoleForCollection(tx, o.ParentID, admins...)
}

func (collectionRule) Readable(p *Person) Condition {
	return ByRole{Read: coaches, Within: "this.id IN {}"}.Readable(p)
}

// groupRule lets coaches manage the groups of their classes.
// kolibri/core/auth/permissions/auth.py: CoachesCanManageGroupsForTheirClasses
type groupRule struct{}

func (groupRule) Allows(tx *store.Tx, p *Person, do Action, o Object) (bool, error) {
	if do == Read || o.Kind != KindLearnerGroup && o.Kind != KindAdHocGroup {
		return false, nil
	}
	return p.HasRoleForCollection(tx, o.ParentID, Coach)
}

func (groupRule) Readable(*Person) Condition { return Nothing }

// groupMembershipRule lets coaches put members of their classes into groups and take them out.
// kolibri/core/auth/permissions/auth.py: CoachesCanManageMembershipsForTheirGroups
type groupMembershipRule struct{}

func (groupMembershipRule) Allows(tx *store.Tx, p *Person, do Action, o Object) (bool, error) {
	if do&(Create|Delete) == 0 || len(p.Roles) == 0 {
		return false, nil
	}
	group, err := p.collection(tx, o.CollectionID)
	if err != nil || group == nil || !group.isGroup() || !p.hasRoleOver(group, []string{Coach}) {
		return false, err
	}
	return tx.Exists("SELECT 1 FROM kolibriauth_membership WHERE user_id = ? AND collection_id = ?", o.UserID, group.ParentID)
}

func (groupMembershipRule) Readable(*Person) Condition { return Nothing }
