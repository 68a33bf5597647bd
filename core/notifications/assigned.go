package notifications

import (
	"encoding/json"
	"errors"
	"slices"

	"kolibri/store"
)

// assigned is a lesson that a learner's resource is in: one of the class, or a node of a course.
type assigned struct {
	id, classroom, course string
	node                  string   // the resource's node in the lesson
	contents              []string // the content ids of all resources
	groups                []string
}

// inLessons finds the active lessons that are assigned to the learner and have the resource.
// exercisesOnly leaves out those in which the resource's node is known to be something else.
// kolibri/core/notifications/api.py: get_assignments
func (w Work) inLessons(tx *store.Tx, exercisesOnly bool) ([]*assigned, error) {
	var all []*assigned
	seen := map[string]*assigned{}
	err := store.ForEach(tx, func(row store.Scanner) error {
		a := &assigned{}
		var resources, group string
		if err := row.Scan(&a.id, &a.classroom, &resources, &group); err != nil {
			return err
		}
		if known, ok := seen[a.id]; ok {
			known.groups = append(known.groups, group)
			return nil
		}
		a.groups = []string{group}
		if a.read(resources, w) {
			seen[a.id] = a
			all = append(all, a)
		}
		return nil
	}, `SELECT l.id, l.collection_id, l.resources, a.collection_id FROM lessons_lesson l JOIN lessons_lessonassignment a ON a.lesson_id = l.id
		JOIN kolibriauth_membership m ON m.collection_id = a.collection_id
		WHERE m.user_id = ? AND l.is_active = TRUE AND l.resources LIKE ? ORDER BY l.date_created, l.id, a.id`, w.User, "%"+w.Content+"%")
	if err != nil || !exercisesOnly || len(all) == 0 {
		return all, err
	}
	nodes := make([]string, len(all))
	for i, a := range all {
		nodes[i] = a.node
	}
	others, err := tx.Strings("SELECT id FROM content_contentnode WHERE kind <> 'exercise' AND id IN ?", store.In(nodes))
	return slices.DeleteFunc(all, func(a *assigned) bool { return slices.Contains(others, a.node) }), err
}

// read takes a lesson's resources in, and tells whether the learner's is among them.
func (a *assigned) read(resources string, w Work) bool {
	var list []struct {
		Content string `json:"content_id"`
		Channel string `json:"channel_id"`
		Node    string `json:"contentnode_id"`
	}
	// resources of another shape, which a peer may have sent, are nobody's
	_ = json.Unmarshal([]byte(resources), &list)
	for _, r := range list {
		a.contents = append(a.contents, r.Content)
		if r.Content == w.Content && r.Channel == w.Channel {
			a.node = r.Node
		}
	}
	return a.node != ""
}

// inCourse finds the part of the course that the learner's node is in; nil when either is gone.
// kolibri/core/notifications/api.py: get_course_lesson_dict
func (w Work) inCourse(tx *store.Tx) (*assigned, error) {
	a := &assigned{course: w.Course, node: w.Node}
	var parent *string
	err := tx.QueryRow("SELECT parent_id FROM content_contentnode WHERE id = ?", w.Node).Scan(&parent)
	if errors.Is(err, store.ErrNotFound) || err == nil && parent == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a.id = *parent
	a.classroom, a.groups, err = courseOf(tx, w.User, w.Course)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a.contents, err = tx.Strings("SELECT content_id FROM content_contentnode WHERE parent_id = ?", a.id)
	return a, err
}
