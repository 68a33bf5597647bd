// Package lessons keeps the lessons that coaches put together for their classes (kolibri/core/lessons).
// What learners see of them is in plugins/learn.
package lessons

import (
	"encoding/json"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/assignments"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/core/notifications"
	"kolibri/morango"
	"kolibri/store"
)

// Permissions are those of lessons. Rules look at CollectionID.
var Permissions = &auth.Model{Name: "Lesson", Rules: []auth.Rule{auth.ManagedByCoaches()}}

// Lessons answers for the app.
type Lessons struct{ host *api.Host }

// New makes the app of a host.
func New(host *api.Host) *Lessons { return &Lessons{host} }

// Routes are the app's APIs.
// kolibri/core/lessons/viewsets.py: LessonViewset
func (l *Lessons) Routes() []api.Route {
	const list, detail = "kolibri:core:lesson-list", "kolibri:core:lesson-detail"
	return []api.Route{
		{Name: list, Method: http.MethodGet, Handle: l.list},
		{Name: list, Method: http.MethodPost, Handle: l.create},
		{Name: detail, Method: http.MethodGet, Handle: l.retrieve},
		{Name: detail, Method: http.MethodPut, Handle: l.update},
		{Name: detail, Method: http.MethodPatch, Handle: l.update},
		{Name: detail, Method: http.MethodDelete, Handle: l.remove},
		{Name: "kolibri:core:lesson-size", Method: http.MethodGet, Handle: l.size},
	}
}

// Lesson is a lesson as coaches see it.
type Lesson struct {
	ID          string          `json:"id"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Resources   json.RawMessage `json:"resources"`
	Collection  string          `json:"collection"`
	CreatedBy   *string         `json:"created_by"`
	DateCreated api.Time        `json:"date_created"`
	Active      bool            `json:"active"`
	Classroom   Classroom       `json:"classroom"`
	Assignments []string        `json:"assignments"`
	Learners    []string        `json:"learner_ids"`
}

// Classroom names the class that a lesson was made for.
type Classroom struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Parent *string `json:"parent"`
}

// Nodes are the content nodes of the lesson's resources, in their order.
func (v *Lesson) Nodes() []string {
	var resources []struct {
		Node string `json:"contentnode_id"`
	}
	// resources of another shape, which a peer may have sent, name no nodes
	_ = json.Unmarshal(v.Resources, &resources)
	ids := make([]string, 0, len(resources))
	for _, r := range resources {
		if r.Node != "" {
			ids = append(ids, r.Node)
		}
	}
	return ids
}

const columns = "l.id, l.title, l.description, l.resources, l.collection_id, l.created_by_id, l.date_created, l.is_active, c.id, c.name, c.parent_id"

func scan(row store.Scanner) (*Lesson, error) {
	v := &Lesson{}
	var resources string
	var created store.Zoned
	err := row.Scan(&v.ID, &v.Title, &v.Description, &resources, &v.Collection, &v.CreatedBy, &created, &v.Active,
		&v.Classroom.ID, &v.Classroom.Name, &v.Classroom.Parent)
	v.DateCreated, v.Resources = api.Time(created.Time()), api.Raw(resources)
	if resources == "" || resources == "null" {
		v.Resources = api.Raw("[]")
	}
	return v, err
}

func query() *api.Query {
	return &api.Query{From: "lessons_lesson l JOIN kolibriauth_collection c ON c.id = l.collection_id", Order: "l.date_created DESC, l.id"}
}

// find reads lessons with their assignments.
func find(tx *store.Tx, q *api.Query) ([]*Lesson, error) {
	text, args := q.SQL(columns)
	all, err := store.Select(tx, scan, text, args...)
	if err != nil {
		return nil, err
	}
	return all, assignments.Fill(tx, assignments.Lessons, all, func(v *Lesson) (string, *[]string, *[]string) {
		return v.ID, &v.Assignments, &v.Learners
	})
}

// readable is the query for the lessons that the person may read and the parameters ask for.
func readable(r *api.Request) (*api.Query, error) {
	return assignments.Readable(r, query(), Permissions, "l")
}

// List reads the lessons that the requesting person may read, the newest first. The request's
// parameters collection and id narrow them down: see Request.WithQuery.
func List(r *api.Request) ([]*Lesson, error) {
	q, err := readable(r)
	if err != nil {
		return nil, err
	}
	return find(r.Tx, q)
}

func (l *Lessons) list(r *api.Request) (any, error) { return List(r) }

func (l *Lessons) retrieve(r *api.Request) (any, error) {
	q, err := readable(r)
	if err != nil {
		return nil, err
	}
	return one(r, q, r.Param("pk"))
}

func one(r *api.Request, q *api.Query, id string) (*Lesson, error) {
	return api.One(r, id, func(id string) ([]*Lesson, error) { return find(r.Tx, q.Where("l.id = ?", id)) })
}

// size answers how many bytes the resources of each lesson have.
func (l *Lessons) size(r *api.Request) (any, error) {
	q, err := readable(r)
	if err != nil {
		return nil, err
	}
	text, args := q.SQL(columns)
	all, err := store.Select(r.Tx, scan, text, args...)
	if err != nil {
		return nil, err
	}
	nodes := make([][]string, len(all))
	for i, v := range all {
		nodes[i] = v.Nodes()
	}
	sizes, err := content.Sizes(r.Tx, nodes)
	if err != nil {
		return nil, err
	}
	out := make([]map[string]int64, len(all))
	for i, v := range all {
		out[i] = map[string]int64{v.ID: sizes[i]}
	}
	return out, nil
}

func (l *Lessons) remove(r *api.Request) (any, error) {
	v, err := load(r, auth.Delete)
	if err != nil {
		return nil, err
	}
	if err := notifications.ForgetLesson(r.Tx, v.ID); err != nil {
		return nil, err
	}
	return nil, morango.DeleteRows(r.Tx, morango.Delete, morango.Lesson.Table, v.ID)
}

// load reads the lesson of the address and checks the permission.
func load(r *api.Request, do auth.Action) (*Lesson, error) {
	v, err := one(r, query(), r.Param("pk"))
	if err != nil {
		return nil, err
	}
	return v, auth.Require(r, do, Permissions, auth.Object{CollectionID: v.Collection})
}
