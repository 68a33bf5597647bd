package learn

import (
	"encoding/json"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// lesson is a lesson as those see it who are to work through it.
type lesson struct {
	ID          string           `json:"id"`
	Title       string           `json:"title"`
	Description string           `json:"description"`
	Resources   []map[string]any `json:"resources"`
	Active      bool             `json:"active"`
	Collection  string           `json:"collection"`
	Classroom   *classroomRef    `json:"classroom,omitempty"`
	Progress    lessonProgress   `json:"progress"`
	// MissingResource tells that the device lacks something of the lesson.
	MissingResource bool `json:"missing_resource"`
}

type lessonProgress struct {
	Resources api.Float `json:"resource_progress"`
	Total     int       `json:"total_resources"`
}

// classroomRef names the class that something was assigned in.
type classroomRef struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Parent *string `json:"parent"`
}

// lessonsOf reads the active lessons that are assigned to a person, by the class, a group or to him
// alone, with his progress. Conditions narrow them further; the lesson's table is named l.
func (l *Learn) lessonsOf(r *api.Request, p *auth.Person, condition string, args ...any) ([]*lesson, error) {
	lessons, err := store.Select(r.Tx, func(row store.Scanner) (*lesson, error) {
		v := &lesson{Classroom: &classroomRef{}}
		var resources string
		err := row.Scan(&v.ID, &v.Title, &v.Description, &resources, &v.Active, &v.Collection,
			&v.Classroom.ID, &v.Classroom.Name, &v.Classroom.Parent)
		if err == nil {
			v.Resources, err = objects(resources)
		}
		return v, err
	}, `SELECT l.id, l.title, l.description, l.resources, l.is_active, l.collection_id, c.id, c.name, c.parent_id
		FROM lessons_lesson l JOIN kolibriauth_collection c ON c.id = l.collection_id
		WHERE l.is_active = TRUE AND EXISTS (SELECT 1 FROM lessons_lessonassignment a
			JOIN kolibriauth_membership m ON m.collection_id = a.collection_id WHERE a.lesson_id = l.id AND m.user_id = ?)
		AND (`+condition+`) ORDER BY l.date_created, l.id`, append([]any{p.ID}, args...)...)
	if err != nil {
		return nil, err
	}
	return lessons, l.addProgress(r, lessons)
}

// addProgress adds to each resource of lessons what it is and how far the person is with it.
// kolibri/plugins/learn/viewsets.py: _consolidate_lessons_data
func (l *Learn) addProgress(r *api.Request, lessons []*lesson) error {
	var ids []string
	for _, v := range lessons {
		for _, resource := range v.Resources {
			ids = append(ids, text(resource["contentnode_id"]))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	progress, err := l.content.ProgressByID(r, ids)
	if err != nil {
		return err
	}
	nodes, err := l.content.NodesByID(r.Tx, ids)
	if err != nil {
		return err
	}
	byID := map[string]any{}
	for _, n := range nodes {
		byID[n.ID] = n
	}
	for _, v := range lessons {
		v.Progress.Total = len(v.Resources)
		for _, resource := range v.Resources {
			done := progress[text(resource["content_id"])]
			v.Progress.Resources += done
			resource["progress"] = done
			resource["contentnode"] = byID[text(resource["contentnode_id"])]
			if resource["contentnode"] == nil {
				v.MissingResource = true
			}
		}
	}
	return nil
}

// objects reads a JSON column that holds a list of objects.
func objects(column string) ([]map[string]any, error) {
	list := []map[string]any{}
	dec := json.NewDecoder(strings.NewReader(column))
	dec.UseNumber()
	err := dec.Decode(&list)
	return list, err
}

func text(v any) string { s, _ := v.(string); return s }

// lessons answers with the lessons of whoever asks.
// kolibri/plugins/learn/viewsets.py: LearnerLessonViewset
func (l *Learn) lessons(r *api.Request) (any, error) {
	p, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, err
	}
	return l.lessonsOf(r, p, "1 = 1")
}

func (l *Learn) lesson(r *api.Request) (any, error) {
	p, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, err
	}
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, r.NotFound()
	}
	found, err := l.lessonsOf(r, p, "l.id = ?", id)
	if err == nil && len(found) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}
