package auth

import (
	"strings"

	"kolibri/core/api"
	"kolibri/store"
)

// Permissions, as kolibri/core/auth/permissions has them: every model has a list of rules, and a
// person may do what any of them grants. A superuser may do everything but delete himself. Rules
// answer two questions: may this person do this to that row, and which rows may he read, as SQL.

// Action is what somebody wants to do to a row; actions can be joined with |.
type Action uint8

// The actions.
const (
	Create Action = 1 << iota
	Read
	Update
	Delete
	Write = Create | Update | Delete
)

// Object is what rules look at of a row, be it stored or about to be. Fill what the model's rules
// need: models.go says which fields those are.
type Object struct {
	ID, DatasetID string
	UserID        string // whose row it is; empty for nobody's
	CollectionID  string // the collection it belongs to
	Kind          string // a collection's kind
	ParentID      string // a collection's parent
}

// Rule grants actions on rows.
type Rule interface {
	// Allows tells whether the rule lets the person, who is no superuser, do one action to the row.
	Allows(tx *store.Tx, p *Person, do Action, o Object) (bool, error)
	// Readable is the condition on the rows that the rule lets the person read; columns of the
	// model's table are written "this.column".
	Readable(p *Person) Condition
}

// Condition is a piece of SQL with its arguments.
type Condition struct {
	SQL  string
	Args []any
}

// Nothing and Everything are the two plain conditions.
var (
	Nothing    = Condition{SQL: "1 = 0"}
	Everything = Condition{SQL: "1 = 1"}
)

// Model is one model's permissions.
type Model struct {
	Name  string
	Rules []Rule
}

// Can tells whether the person may do the action to the row.
func (p *Person) Can(tx *store.Tx, do Action, m *Model, o Object) (bool, error) {
	if do == Delete && m == Users && o.ID == p.ID {
		return false, nil // kolibri/core/auth/models.py: FacilityUser.can_delete
	}
	if p.IsSuperuser {
		return true, nil
	}
	for _, rule := range m.Rules {
		if ok, err := rule.Allows(tx, p, do, o); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// Readable returns the condition on the model's rows that the person may read. alias is the name
// that the model's table has in the query.
func (p *Person) Readable(m *Model, alias string) (string, []any) {
	if p.IsSuperuser {
		return Everything.SQL, nil
	}
	var parts []string
	var args []any
	for _, rule := range m.Rules {
		c := rule.Readable(p)
		switch c.SQL {
		case Nothing.SQL:
		case Everything.SQL:
			return Everything.SQL, nil
		default:
			parts = append(parts, "("+strings.ReplaceAll(c.SQL, "this.", alias+".")+")")
			args = append(args, c.Args...)
		}
	}
	if len(parts) == 0 {
		return Nothing.SQL, nil
	}
	return strings.Join(parts, " OR "), args
}

// Require answers 403 unless the requesting person may do the action to the row.
func Require(r *api.Request, do Action, m *Model, o Object) error {
	p, err := UserOf(r)
	if err != nil {
		return err
	}
	ok, err := p.Can(r.Tx, do, m, o)
	if err != nil {
		return err
	}
	if !ok {
		return r.Forbidden()
	}
	return nil
}

// OnlyReadable narrows a query to the rows that the requesting person may read.
func OnlyReadable(r *api.Request, q *api.Query, m *Model, alias string) error {
	p, err := UserOf(r)
	if err != nil {
		return err
	}
	condition, args := p.Readable(m, alias)
	if condition != Everything.SQL {
		q.Where(condition, args...)
	}
	return nil
}

// RequireSuperuser answers 403 to everybody but superusers
// (kolibri/core/device/permissions.py: IsSuperuser).
func RequireSuperuser(r *api.Request) (*Person, error) {
	return requirePerson(r, func(p *Person) bool { return p.IsSuperuser })
}

// RequireContentManager answers 403 to everybody who may not manage this device's content
// (kolibri/core/device/permissions.py: UserHasAnyDevicePermissions).
func RequireContentManager(r *api.Request) (*Person, error) {
	return requirePerson(r, func(p *Person) bool { return p.CanManageContent })
}

// RequireSignedIn answers 403 to anonymous visitors.
func RequireSignedIn(r *api.Request) (*Person, error) {
	return requirePerson(r, func(p *Person) bool { return !p.IsAnonymous() })
}

func requirePerson(r *api.Request, fits func(*Person) bool) (*Person, error) {
	p, err := UserOf(r)
	if err != nil {
		return nil, err
	}
	if !fits(p) {
		return nil, r.Forbidden()
	}
	return p, nil
}
