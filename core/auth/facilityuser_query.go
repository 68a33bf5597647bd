package auth

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"kolibri/core/api"
	"kolibri/store"
)

// userRow is an account as the front end sees it.
type userRow struct {
	ID                string     `json:"id"`
	Username          string     `json:"username"`
	FullName          string     `json:"full_name"`
	Facility          string     `json:"facility"`
	IDNumber          string     `json:"id_number"`
	Gender            string     `json:"gender"`
	BirthYear         string     `json:"birth_year"`
	ExtraDemographics any        `json:"extra_demographics"`
	DateJoined        api.Time   `json:"date_joined"`
	PicturePassword   *string    `json:"picture_password"`
	IsSuperuser       bool       `json:"is_superuser"`
	Roles             []userRole `json:"roles"`
	DateDeleted       *api.Time  `json:"date_deleted,omitempty"`

	dataset string
}

type userRole struct {
	Collection string `json:"collection"`
	Kind       string `json:"kind"`
	ID         string `json:"id"`
}

const (
	userColumns = `u.id, u.username, u.full_name, u.facility_id, u.id_number, u.gender, u.birth_year, u.extra_demographics,
	u.date_joined, u.picture_password, u.date_deleted, u.dataset_id, d.is_superuser, r.id, r.collection_id, r.kind`
	// userTables gives a row for each role of each user: what a filter says of roles narrows the roles
	// that are shown, as in the original.
	userTables = `kolibriauth_facilityuser u LEFT JOIN device_devicepermissions d ON d.user_id = u.id
	LEFT JOIN kolibriauth_role r ON r.user_id = u.id`
)

// userList is a list of users: the living or the deleted ones.
type userList struct {
	deleted bool
	order   string   // the column of the default order
	orders  []string // the columns that can be asked for
}

var userOrders = []string{"id", "username", "full_name", "id_number", "gender", "birth_year", "date_joined"}

var (
	livingUsers  = userList{false, "username", userOrders}
	deletedUsers = userList{true, "date_deleted", append(slices.Clone(userOrders), "date_deleted")}
)

// userQuery is a query over userTables. Unless its conditions look at roles or rights, it finds its
// users without those tables.
type userQuery struct {
	*api.Query
	// shown has the conditions that look at roles or rights, which also say what roles are shown.
	shown  *api.Query
	joined bool
}

// byRole adds a condition that looks at roles or rights.
func (q *userQuery) byRole(condition string, args ...any) {
	q.Where(condition, args...)
	q.shown.Where(condition, args...)
	q.joined = true
}

// query selects the users that the request's filters name and, for a GET, that the person may read.
func (l userList) query(r *api.Request) (*userQuery, error) {
	q := &userQuery{Query: &api.Query{From: userTables}, shown: &api.Query{From: userTables}}
	if l.deleted {
		q.Where("u.date_deleted IS NOT NULL")
	} else {
		q.Where("u.date_deleted IS NULL")
	}
	if r.HTTP.Method == http.MethodGet || r.HTTP.Method == http.MethodHead {
		if err := OnlyReadable(r, q.Query, Users, "u"); err != nil {
			return nil, err
		}
	}
	return q, filterUsers(r, q)
}

// find is the text that selects columns of the users themselves, each user once.
func (q *userQuery) find(columns string) (string, []any) {
	if q.joined {
		return q.SQL("DISTINCT " + columns)
	}
	alone := q.Clone()
	alone.From = "kolibriauth_facilityuser u"
	return alone.SQL(columns)
}

// list answers a list, or the page of it that was asked for.
// kolibri/core/auth/api.py: FacilityUserConsolidateMixin, OptionalPageNumberPagination
func (l userList) list(r *api.Request) (any, error) {
	q, err := l.query(r)
	if err != nil {
		return nil, err
	}
	column, down, err := l.ordering(r)
	if err != nil {
		return nil, err
	}
	size := r.PageSize(0, 0)
	if size == 0 {
		rows, err := readUsers(r.Tx, q.Query)
		sortUsers(rows, column, down)
		return rows, err
	}
	text, args := q.find("u.id")
	count, err := r.Tx.Int("SELECT count(*) FROM ("+text+") AS found", args...)
	if err != nil {
		return nil, err
	}
	page, pages, err := r.Page(count, size)
	if err != nil {
		return nil, err
	}
	text, args = q.find("u.id, u." + column)
	direction := ""
	if down {
		direction = " DESC"
	}
	ids, err := store.Select(r.Tx, func(s store.Scanner) (id string, err error) {
		var key any
		return id, s.Scan(&id, &key)
	}, text+" ORDER BY u."+column+direction+", u.id LIMIT ? OFFSET ?", append(args, size, (page-1)*size)...)
	if err != nil {
		return nil, err
	}
	rows, err := readUsers(r.Tx, q.shown.Where("u.id IN ?", store.In(ids)))
	if err != nil {
		return nil, err
	}
	sortUsers(rows, column, down)
	return api.Numbered{Page: page, Count: count, TotalPages: pages, Results: rows}, nil
}

// one reads the user with an id out of the list, or answers 404.
func (l userList) one(r *api.Request, id string) (*userRow, error) {
	key, ok := api.ParseUUID(id)
	if !ok {
		return nil, r.NotFound()
	}
	q, err := l.query(r)
	if err != nil {
		return nil, err
	}
	rows, err := readUsers(r.Tx, q.Where("u.id = ?", key))
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, r.NotFound()
	}
	return rows[0], nil
}

// readUser reads a living account.
func readUser(tx *store.Tx, id string) (*userRow, error) {
	q := &api.Query{From: userTables}
	rows, err := readUsers(tx, q.Where("u.id = ? AND u.date_deleted IS NULL", id))
	if err != nil || len(rows) == 0 {
		return nil, errors.Join(store.ErrNotFound, err)
	}
	return rows[0], nil
}

// ordering reads by which column the list is to be sorted, and whether downwards.
func (l userList) ordering(r *api.Request) (column string, down bool, err error) {
	wanted, given := r.Query()["ordering"]
	if !given {
		return l.order, false, nil
	}
	known := func(term string) bool { return slices.Contains(l.orders, strings.TrimLeft(term, "-")) }
	terms := strings.Split(wanted[0], ",")
	valid := 0
	for i := range terms {
		terms[i] = strings.TrimSpace(terms[i])
		if known(terms[i]) {
			valid++
		}
	}
	if valid > 1 {
		return "", false, &api.Error{Status: http.StatusBadRequest, Body: []any{"Can only define a single ordering field"}}
	}
	if len(terms) > 1 || valid == 0 {
		return "", false, api.FieldError(api.Invalid, "ordering", "Users cannot be ordered by "+wanted[0]+".")
	}
	column, down = strings.CutPrefix(terms[0], "-")
	return column, down, nil
}

// readUsers reads the users of a query, whose rows are one for each role.
func readUsers(tx *store.Tx, q *api.Query) ([]*userRow, error) {
	text, args := q.SQL(userColumns)
	users := []*userRow{}
	byID := map[string]*userRow{}
	err := store.ForEach(tx, func(row store.Scanner) error {
		u := &userRow{Roles: []userRole{}}
		var extra, role, collection, kind *string
		var super *bool
		var joined, deleted store.Zoned
		if err := row.Scan(&u.ID, &u.Username, &u.FullName, &u.Facility, &u.IDNumber, &u.Gender, &u.BirthYear, &extra,
			&joined, &u.PicturePassword, &deleted, &u.dataset, &super, &role, &collection, &kind); err != nil {
			return err
		}
		if known := byID[u.ID]; known != nil {
			u = known
		} else {
			u.DateJoined, u.IsSuperuser = api.Time(joined.Time()), super != nil && *super
			if extra != nil {
				u.ExtraDemographics = api.Raw(*extra)
			}
			if at := deleted.Time(); !at.IsZero() {
				u.DateDeleted = (*api.Time)(&at)
			}
			byID[u.ID], users = u, append(users, u)
		}
		if role != nil && !slices.ContainsFunc(u.Roles, func(r userRole) bool { return r.ID == *role }) {
			u.Roles = append(u.Roles, userRole{*collection, *kind, *role})
		}
		return nil
	}, text, args...)
	return users, err
}

// sortUsers puts a list, or a page of one, into its order: the database's own knows no letter cases.
func sortUsers(users []*userRow, column string, down bool) {
	slices.SortFunc(users, func(a, b *userRow) int { return strings.Compare(a.ID, b.ID) })
	slices.SortStableFunc(users, func(a, b *userRow) int {
		n := a.compare(b, column)
		if down {
			return -n
		}
		return n
	})
}

func (u *userRow) compare(o *userRow, column string) int {
	fold := func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
	switch column {
	case "username":
		return fold(u.Username, o.Username)
	case "full_name":
		return fold(u.FullName, o.FullName)
	case "id_number":
		return fold(u.IDNumber, o.IDNumber)
	case "gender":
		return fold(u.Gender, o.Gender)
	case "birth_year":
		return fold(u.BirthYear, o.BirthYear)
	case "date_joined":
		return time.Time(u.DateJoined).Compare(time.Time(o.DateJoined))
	case "date_deleted":
		return time.Time(*u.DateDeleted).Compare(time.Time(*o.DateDeleted))
	}
	return cmp.Compare(u.ID, o.ID)
}
