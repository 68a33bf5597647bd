package learn

import (
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

// coursesOf reads the active courses that are assigned to a person, with his progress. The course's
// table is named s in conditions.
// kolibri/plugins/learn/viewsets.py: _consolidate_courses_data
func coursesOf(r *api.Request, p *auth.Person, condition string, args ...any) ([]*course, error) {
	courses, err := store.Select(r.Tx, func(row store.Scanner) (*course, error) {
		v := &course{Classroom: &classroomRef{}}
		return v, row.Scan(&v.ID, &v.CourseID, &v.Title, &v.Description, &v.Active, &v.Collection, &v.Classroom.ID, &v.Classroom.Name, &v.Classroom.Parent)
	}, `SELECT s.id, s.course, s.title, s.description, s.is_active, s.collection_id, c.id, c.name, c.parent_id
		FROM courses_coursesession s JOIN kolibriauth_collection c ON c.id = s.collection_id
		WHERE s.is_active = TRUE AND EXISTS (SELECT 1 FROM courses_coursesessionassignment a
			JOIN kolibriauth_membership m ON m.collection_id = a.collection_id WHERE a.course_session_id = s.id AND m.user_id = ?)
		AND (`+condition+`) ORDER BY s.date_created, s.id`, append([]any{p.ID}, args...)...)
	if err != nil {
		return nil, err
	}
	for _, v := range courses {
		if err := measure(r.Tx, p, v); err != nil {
			return nil, err
		}
	}
	return courses, nil
}

// measure counts the parts of a course and which of its resources the person has completed.
func measure(tx *store.Tx, p *auth.Person, v *course) error {
	var total, done int64
	err := store.ForEach(tx, func(row store.Scanner) error { return row.Scan(&v.Units, &v.Lessons, &total, &done) },
		`SELECT (SELECT COUNT(*) FROM content_contentnode u WHERE u.parent_id = n.id AND u.modality = ?),
		(SELECT COUNT(*) FROM content_contentnode u JOIN content_contentnode l ON l.parent_id = u.id
			WHERE u.parent_id = n.id AND u.modality = ? AND l.modality = ?),
		(SELECT COUNT(*) FROM content_contentnode d WHERE d.tree_id = n.tree_id AND d.lft > n.lft AND d.rght < n.rght AND d.kind <> ?),
		(SELECT COUNT(*) FROM logger_contentsummarylog s WHERE s.user_id = ? AND s.progress = 1 AND s.content_id IN (
			SELECT d.content_id FROM content_contentnode d WHERE d.tree_id = n.tree_id AND d.lft > n.lft AND d.rght < n.rght AND d.kind <> ?))
		FROM content_contentnode n WHERE n.id = ?`,
		content.Unit, content.Unit, content.Lesson, content.Topic, p.ID, content.Topic, v.CourseID)
	if total > 0 {
		v.Progress = float64(done) / float64(total)
	}
	return err
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
