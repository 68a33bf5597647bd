// Package courses keeps the courses that classes take, and the tests of their units
// (kolibri/core/courses). What learners see of them is in plugins/learn.
package courses

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/assignments"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

// Permissions are those of course sessions. Rules look at CollectionID.
var Permissions = &auth.Model{Name: "CourseSession", Rules: []auth.Rule{auth.ManagedByCoaches()}}

// Courses answers for the app.
type Courses struct{ host *api.Host }

// New makes the app of a host.
func New(host *api.Host) *Courses { return &Courses{host} }

// Routes are the app's APIs.
// kolibri/core/courses/viewsets.py: CourseSessionViewset
func (c *Courses) Routes() []api.Route {
	const session = "kolibri:core:coursesession-"
	return []api.Route{
		{Name: session + "list", Method: http.MethodGet, Handle: c.list},
		{Name: session + "list", Method: http.MethodPost, Handle: c.create},
		{Name: session + "detail", Method: http.MethodGet, Handle: c.retrieve},
		{Name: session + "detail", Method: http.MethodPut, Handle: c.update},
		{Name: session + "detail", Method: http.MethodPatch, Handle: c.update},
		{Name: session + "detail", Method: http.MethodDelete, Handle: c.remove},
		{Name: session + "activate-test", Method: http.MethodPost, Handle: c.activateTest},
		{Name: session + "close-test", Method: http.MethodPost, Handle: c.closeTest},
		{Name: session + "active-test", Method: http.MethodGet, Handle: c.activeTest},
		{Name: session + "last-unit-test", Method: http.MethodGet, Handle: c.lastTest},
	}
}

// Session is a course that a class takes, as coaches see it. Course is the course's content node.
type Session struct {
	ID          string    `json:"id"`
	Title       string    `json:"title"`
	Description *string   `json:"description"`
	Course      string    `json:"course"`
	Collection  string    `json:"collection"`
	CreatedBy   *string   `json:"created_by"`
	DateCreated api.Time  `json:"date_created"`
	Missing     bool      `json:"missing_resource"`
	Active      bool      `json:"active"`
	Classroom   Classroom `json:"classroom"`
	Assignments []string  `json:"assignments"`
	Learners    []string  `json:"learner_ids"`
}

// Classroom names the class that takes a course.
type Classroom struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Parent *string `json:"parent"`
}

const columns = `s.id, s.title, s.description, s.course, s.collection_id, s.created_by_id, s.date_created, s.is_active, c.id, c.name, c.parent_id,
	NOT EXISTS (SELECT 1 FROM content_contentnode n WHERE n.id = s.course AND n.available = TRUE)`

func scan(row store.Scanner) (*Session, error) {
	v := &Session{}
	var created store.Zoned
	err := row.Scan(&v.ID, &v.Title, &v.Description, &v.Course, &v.Collection, &v.CreatedBy, &created, &v.Active,
		&v.Classroom.ID, &v.Classroom.Name, &v.Classroom.Parent, &v.Missing)
	v.DateCreated = api.Time(created.Time())
	return v, err
}

func query() *api.Query {
	return &api.Query{From: "courses_coursesession s JOIN kolibriauth_collection c ON c.id = s.collection_id", Order: "s.date_created DESC, s.id"}
}

// find reads course sessions with their assignments.
func find(tx *store.Tx, q *api.Query) ([]*Session, error) {
	text, args := q.SQL(columns)
	all, err := store.Select(tx, scan, text, args...)
	if err != nil {
		return nil, err
	}
	return all, assignments.Fill(tx, assignments.Courses, all, func(v *Session) (string, *[]string, *[]string) {
		return v.ID, &v.Assignments, &v.Learners
	})
}

// readable is the query for the course sessions that the person may read and the parameters ask for.
func readable(r *api.Request) (*api.Query, error) {
	return assignments.Readable(r, query(), Permissions, "s")
}

func (c *Courses) list(r *api.Request) (any, error) {
	q, err := readable(r)
	if err != nil {
		return nil, err
	}
	return find(r.Tx, q)
}

func (c *Courses) retrieve(r *api.Request) (any, error) {
	q, err := readable(r)
	if err != nil {
		return nil, err
	}
	return one(r, q, r.Param("pk"))
}

func one(r *api.Request, q *api.Query, id string) (*Session, error) {
	return api.One(r, id, func(id string) ([]*Session, error) { return find(r.Tx, q.Where("s.id = ?", id)) })
}

// Load reads a course session and checks that the person may do something to it: 404 without a
// session of that id, 403 without the right.
func Load(r *api.Request, id string, do auth.Action) (*Session, error) {
	v, err := one(r, query(), id)
	if err != nil {
		return nil, err
	}
	return v, auth.Require(r, do, Permissions, auth.Object{CollectionID: v.Collection})
}

func (c *Courses) remove(r *api.Request) (any, error) {
	v, err := Load(r, r.Param("pk"), auth.Delete)
	if err != nil {
		return nil, err
	}
	return nil, morango.DeleteRows(r.Tx, morango.Delete, morango.CourseSession.Table, v.ID)
}
