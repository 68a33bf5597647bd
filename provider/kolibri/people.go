package kolibri

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kolibri/provider/platform"
	"kolibri/provider/upstream"
)

type rawMessage = json.RawMessage

// page is what a list says of itself beside its items.
type page struct {
	number, pages int
	more          url.Values
}

// pageOf reads the three forms of Kolibri's pages; a bare array has none.
func pageOf(rest map[string]rawMessage) (p page, err error) {
	for name, into := range map[string]*int{"page": &p.number, "total_pages": &p.pages} {
		if raw, ok := rest[name]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				return p, fmt.Errorf("%w: its %s", platform.ErrMalformed, name)
			}
		}
	}
	if raw, ok := rest["more"]; ok && string(raw) != "null" {
		var more map[string]any
		if err := json.Unmarshal(raw, &more); err != nil {
			return p, fmt.Errorf("%w: its more", platform.ErrMalformed)
		}
		p.more = url.Values{}
		for name, value := range more {
			if value != nil {
				p.more.Set(name, fmt.Sprint(value))
			}
		}
	}
	return p, nil
}

// user is an element of kolibri/core/auth/api.py: FacilityUserViewSet.
type user struct {
	ID          string
	Username    string
	FullName    string `json:"full_name"`
	IDNumber    string `json:"id_number"`
	IsSuperuser bool   `json:"is_superuser"`
	DateJoined  string `json:"date_joined"`
	Roles       []struct{ Kind string }
}

func (u user) common() platform.User {
	role := "learner"
	for _, r := range u.Roles {
		if r.Kind == "admin" {
			role = "admin"
		} else if role != "admin" {
			role = "coach"
		}
	}
	if u.IsSuperuser {
		role = "admin"
	}
	return platform.User{ID: u.ID, Username: u.Username, Name: u.FullName, Identifier: u.IDNumber, Role: role, JoinedAt: moment(u.DateJoined)}
}

// moment reads a time as Kolibri writes it; one that cannot be read is none.
func moment(text string) *time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999-07:00", "2006-01-02 15:04:05.999999", "2006-01-02T15:04:05.999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			t = t.UTC()
			return &t
		}
	}
	return nil
}

func (k *Kolibri) facility(ctx context.Context) (string, error) {
	h, err := k.keeper.Get(ctx)
	return h.Session.facility, err
}

func (k *Kolibri) users(ctx context.Context, q platform.Query, token string, yield func(any) error) (string, error) {
	facility, err := k.facility(ctx)
	if err != nil {
		return "", err
	}
	if token == "" {
		token = "1"
	}
	number, err := strconv.Atoi(token)
	if err != nil {
		return "", platform.ErrInvalid
	}
	query := url.Values{"member_of": {facility}, "page": {token}, "page_size": {pageSize(q)}}
	if search := q.Filter["search"]; search != "" {
		query.Set("search", search)
	}
	p, err := list(ctx, k, usersPath, query, func(u user) error { return yield(u.common()) })
	if err != nil || number >= p.pages {
		return "", err
	}
	return strconv.Itoa(number + 1), nil
}

// classroom is an element of kolibri/core/auth/api.py: ClassroomViewSet.
type classroom struct{ ID, Name, Parent string }

func (k *Kolibri) classes(ctx context.Context, item func(classroom) error) error {
	facility, err := k.facility(ctx)
	if err != nil {
		return err
	}
	_, err = list(ctx, k, "/api/auth/classroom/", url.Values{"parent": {facility}}, item)
	return err
}

// membership is an element of the lists of memberships and of roles.
type membership struct{ ID, Collection, User, Kind string }

const (
	memberPrefix = "membership-"
	rolePrefix   = "role-"
	coaches      = "coaches" // the token of the second page
)

// enrolments are memberships of classes, and after them the roles of their coaches.
func (k *Kolibri) enrolments(ctx context.Context, q platform.Query, token string, yield func(any) error) (string, error) {
	var classes []string
	if err := k.classes(ctx, func(c classroom) error {
		classes = append(classes, c.ID)
		return nil
	}); err != nil {
		return "", err
	}
	slices.Sort(classes)
	query := url.Values{}
	if id := q.Filter["course_id"]; id != "" {
		if !slices.Contains(classes, id) {
			return "", nil
		}
		query.Set("collection", id)
	}
	if id := q.Filter["user_id"]; id != "" {
		if !isID(id) {
			return "", nil // the original fails at one
		}
		query.Set("user_ids", id)
	}
	path, prefix, role, next := "/api/auth/membership/", memberPrefix, "learner", coaches
	switch token {
	case coaches:
		query.Set("kind", "coach")
		path, prefix, role, next = "/api/auth/role/", rolePrefix, "coach", ""
	case "":
		if q.Filter["role"] == "coach" {
			return coaches, nil
		}
	default:
		return "", platform.ErrInvalid
	}
	_, err := list(ctx, k, path, query, func(m membership) error {
		if _, ok := slices.BinarySearch(classes, m.Collection); !ok {
			return nil
		}
		return yield(platform.Enrolment{ID: prefix + m.ID, UserID: m.User, CourseID: m.Collection, Role: role})
	})
	return next, err
}

// Create implements platform.Platform: people, classes and places in classes.
func (k *Kolibri) Create(ctx context.Context, o platform.Object, _ string, f platform.Fields) (any, error) {
	facility, err := k.facility(ctx)
	if err != nil {
		return nil, err
	}
	switch o {
	case platform.Users:
		var made user
		err := k.create(ctx, usersPath, map[string]string{"username": f.Username, "full_name": f.Name, "password": f.Password,
			"id_number": f.Identifier, "facility": facility}, &made)
		return made.common(), err
	case platform.Courses:
		var made classroom
		err := k.create(ctx, "/api/auth/classroom/", map[string]string{"name": f.Name, "parent": facility}, &made)
		return platform.Course{ID: made.ID, Kind: "class", Name: made.Name}, err
	case platform.Enrolments:
		return k.enrol(ctx, f)
	}
	return nil, platform.ErrNotSupported
}

// enrol makes a place in a class, unless it is there: the original fails at a second one.
func (k *Kolibri) enrol(ctx context.Context, f platform.Fields) (any, error) {
	path, prefix, role := "/api/auth/membership/", memberPrefix, "learner"
	fields := map[string]string{"user": f.UserID, "collection": f.CourseID}
	if f.Role == "coach" {
		path, prefix, role, fields["kind"] = "/api/auth/role/", rolePrefix, "coach", "coach"
	}
	if isID(f.UserID) && isID(f.CourseID) {
		query, there := url.Values{"user_ids": {f.UserID}, "collection": {f.CourseID}}, false
		if role == "coach" {
			query.Set("kind", "coach")
		}
		if _, err := list(ctx, k, path, query, func(m membership) error {
			there = there || m.User == f.UserID && m.Collection == f.CourseID && (m.Kind == "" || m.Kind == role)
			return nil
		}); err != nil {
			return nil, err
		}
		if there {
			return nil, &platform.Invalid{Reasons: []string{"UNIQUE"}}
		}
	}
	var made membership
	err := k.create(ctx, path, fields, &made)
	return platform.Enrolment{ID: prefix + made.ID, UserID: made.User, CourseID: made.Collection, Role: role}, err
}

func (k *Kolibri) create(ctx context.Context, path string, fields map[string]string, into any) error {
	a, _, err := k.do(ctx, http.MethodPost, k.client.URL(path, nil), fields)
	var status *upstream.StatusError
	if errors.Is(err, platform.ErrInvalid) && errors.As(err, &status) {
		return &platform.Invalid{Reasons: reasonsOf(status)}
	}
	if err != nil {
		return err
	}
	return upstream.Decode(a, into)
}

// Delete implements platform.Platform.
func (k *Kolibri) Delete(ctx context.Context, o platform.Object, _, id string) error {
	path := ""
	switch o {
	case platform.Users:
		path = usersPath
	case platform.Courses:
		path = "/api/auth/classroom/"
	case platform.Enrolments:
		if rest, ok := strings.CutPrefix(id, rolePrefix); ok {
			path, id = "/api/auth/role/", rest
		} else {
			path, id = "/api/auth/membership/", strings.TrimPrefix(id, memberPrefix)
		}
	default:
		return platform.ErrNotSupported
	}
	if !isID(id) {
		return platform.ErrNotFound
	}
	a, _, err := k.do(ctx, http.MethodDelete, k.client.URL(path+id+"/", nil), nil)
	if err == nil {
		a.Body.Close()
	}
	return err
}

func isID(text string) bool {
	return len(text) == 32 && strings.Trim(text, "0123456789abcdef") == ""
}
