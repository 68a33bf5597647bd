package learn

import (
	"maps"
	"slices"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/store"
)

// course is a course that somebody takes in a class.
type course struct {
	ID          string        `json:"id"`
	CourseID    string        `json:"course_id"`
	Title       string        `json:"title"`
	Description *string       `json:"description"`
	Active      bool          `json:"is_active"`
	Collection  string        `json:"collection,omitempty"`
	Classroom   *classroomRef `json:"classroom,omitempty"`
	Units       int64         `json:"unit_count"`
	Lessons     int64         `json:"lesson_count"`
	Progress    float64       `json:"progress"`
}

// coursesOf reads the active courses that are assigned to a person, with his progress, in the order
// in which they were assigned to him. The course's table is named s in conditions.
// kolibri/plugins/learn/viewsets.py: _consolidate_courses_data
func coursesOf(r *api.Request, p *auth.Person, condition string, args ...any) ([]*course, error) {
	courses, byNode, row := []*course{}, map[string][]*course{}, r.Tx.Dialect().RowID()
	err := store.ForEach(r.Tx, func(row store.Scanner) error {
		v := &course{Classroom: &classroomRef{}}
		err := row.Scan(&v.ID, &v.CourseID, &v.Title, &v.Description, &v.Active, &v.Collection, &v.Classroom.ID, &v.Classroom.Name, &v.Classroom.Parent)
		if err != nil || slices.ContainsFunc(courses, func(c *course) bool { return c.ID == v.ID }) {
			return err
		}
		courses, byNode[v.CourseID] = append(courses, v), append(byNode[v.CourseID], v)
		return nil
	}, `SELECT s.id, s.course, s.title, s.description, s.is_active, s.collection_id, c.id, c.name, c.parent_id
		FROM kolibriauth_membership m JOIN courses_coursesessionassignment a ON a.collection_id = m.collection_id
		JOIN courses_coursesession s ON s.id = a.course_session_id JOIN kolibriauth_collection c ON c.id = s.collection_id
		WHERE m.user_id = ? AND s.is_active = TRUE AND (`+condition+") ORDER BY m."+row+", a."+row, append([]any{p.ID}, args...)...)
	if err != nil || len(courses) == 0 {
		return courses, err
	}
	return courses, measure(r.Tx, p, byNode)
}

// measure counts the parts of courses and which of their resources the person has completed.
func measure(tx *store.Tx, p *auth.Person, courses map[string][]*course) error {
	return store.ForEach(tx, func(row store.Scanner) error {
		var node string
		var units, lessons, total, done int64
		err := row.Scan(&node, &units, &lessons, &total, &done)
		for _, v := range courses[node] {
			if v.Units, v.Lessons = units, lessons; total > 0 {
				v.Progress = float64(done) / float64(total)
			}
		}
		return err
	}, `SELECT n.id, (SELECT COUNT(*) FROM content_contentnode u WHERE u.parent_id = n.id AND u.modality = ?),
		(SELECT COUNT(*) FROM content_contentnode u JOIN content_contentnode l ON l.parent_id = u.id
			WHERE u.parent_id = n.id AND u.modality = ? AND l.modality = ?),
		(SELECT COUNT(*) FROM content_contentnode d WHERE d.tree_id = n.tree_id AND d.lft > n.lft AND d.rght < n.rght AND d.kind <> ?),
		(SELECT COUNT(*) FROM logger_contentsummarylog s WHERE s.user_id = ? AND s.progress = 1 AND s.content_id IN (
			SELECT d.content_id FROM content_contentnode d WHERE d.tree_id = n.tree_id AND d.lft > n.lft AND d.rght < n.rght AND d.kind <> ?))
		FROM content_contentnode n WHERE n.id IN ?`,
		content.Unit, content.Unit, content.Lesson, content.Topic, p.ID, content.Topic, store.In(slices.Sorted(maps.Keys(courses))))
}

// courses answers with the courses of whoever asks.
// kolibri/plugins/learn/viewsets.py: LearnerCourseViewset
func (l *Learn) courses(r *api.Request) (any, error) {
	p, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, err
	}
	found, err := coursesOf(r, p, "1 = 1")
	for _, v := range found {
		v.Collection = ""
	}
	return found, err
}

func (l *Learn) course(r *api.Request) (any, error) { return oneCourse(r) }

func oneCourse(r *api.Request) (*course, error) {
	p, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, err
	}
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, r.NotFound()
	}
	found, err := coursesOf(r, p, "s.id = ?", id)
	if err == nil && len(found) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	found[0].Collection = ""
	return found[0], nil
}

// resume answers where the person goes on in a course: at a test of a unit that is open, else at the
// first resource of the latest unit that he has not completed.
// kolibri/core/courses/models.py: CourseSession.get_resume_data
func (l *Learn) resume(r *api.Request) (any, error) {
	v, err := oneCourse(r)
	if err != nil {
		return nil, err
	}
	type test struct {
		Unit string `json:"unit_id"`
		Type string `json:"test_type"`
	}
	type position struct {
		Unit     string  `json:"unit_id"`
		Lesson   *string `json:"lesson_id"`
		Resource *string `json:"resource_id"`
	}
	var answer struct {
		Started bool      `json:"started"`
		Test    *test     `json:"active_test"`
		At      *position `json:"resume_position"`
	}
	const tests = `FROM courses_unittestassignment t WHERE t.course_session_id = ?
		AND EXISTS (SELECT 1 FROM kolibriauth_membership m WHERE m.collection_id = t.collection_id AND m.user_id = ?)`
	user := r.Session.UserID
	open, err := store.Select(r.Tx, func(row store.Scanner) (t test, err error) { return t, row.Scan(&t.Unit, &t.Type) },
		"SELECT t.unit_contentnode_id, t.test_type "+tests+" AND t.closed = FALSE ORDER BY t.id LIMIT 1", v.ID, user)
	if err != nil {
		return nil, err
	}
	if len(open) > 0 {
		answer.Started, answer.Test = true, &open[0]
		return answer, nil
	}
	units, err := r.Tx.Strings("SELECT t.unit_contentnode_id "+tests+` AND t.closed = TRUE AND t.test_type = 'pre'
		ORDER BY (SELECT n.lft FROM content_contentnode n WHERE n.id = t.unit_contentnode_id) DESC LIMIT 1`, v.ID, user)
	if err != nil || len(units) == 0 {
		return answer, err
	}
	answer.Started, answer.At = true, &position{Unit: units[0]}
	return answer, store.ForEach(r.Tx, func(row store.Scanner) error { return row.Scan(&answer.At.Lesson, &answer.At.Resource) },
		`SELECT n.parent_id, n.id FROM content_contentnode n JOIN content_contentnode l ON l.id = n.parent_id
		LEFT JOIN logger_contentsummarylog s ON s.content_id = n.content_id AND s.user_id = ?
		WHERE l.parent_id = ? AND (s.progress < 1 OR s.progress IS NULL) ORDER BY n.lft LIMIT 1`, user, units[0])
}
