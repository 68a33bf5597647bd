package courses

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/assignments"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/morango"
	"kolibri/store"
)

// The two tests of a unit (kolibri/core/courses/models.py: TestType).
const (
	Pre  = "pre"
	Post = "post"
)

// Where a class stands in the unit it works on (kolibri/core/courses/models.py: UnitPhase).
const (
	preTestPending  = "pre_test_pending"
	preTestActive   = "pre_test_active"
	postTestPending = "post_test_pending"
	postTestActive  = "post_test_active"
	complete        = "complete"
)

// test is a test of a unit that a coach opened for the class.
type test struct {
	id, unit, kind string
	closed         bool
	by             *coach
}

// coach is who opened a test.
type coach struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	FullName string `json:"full_name"`
}

// state is the answer about a test, and where the class stands with it. A session without tests has
// only the latter.
type state struct {
	ID     *string `json:"id"`
	Unit   *string `json:"unit_contentnode_id"`
	Kind   *string `json:"test_type"`
	By     *coach  `json:"activated_by"`
	Closed *bool   `json:"closed"`
	standing
}

type standing struct {
	Phase string  `json:"unit_phase"`
	Unit  *string `json:"active_unit_id"`
}

// openTest is the answer about the test that learners can take now.
type openTest struct {
	ID     string  `json:"id"`
	Unit   string  `json:"unit_contentnode_id"`
	Title  *string `json:"unit_title"`
	Kind   string  `json:"test_type"`
	Closed bool    `json:"closed"`
	By     *coach  `json:"activated_by"`
}

// findTest reads the first test of a session that meets a condition; nil for none. The tests of the
// last unit come first, and there the post-test.
func findTest(tx *store.Tx, session, condition string, args ...any) (*test, error) {
	t, err := store.Get(tx, func(row store.Scanner) (*test, error) {
		t := &test{}
		var id, username, name *string
		err := row.Scan(&t.id, &t.unit, &t.kind, &t.closed, &id, &username, &name)
		if id != nil && username != nil && name != nil {
			t.by = &coach{*id, *username, *name}
		}
		return t, err
	}, `SELECT t.id, t.unit_contentnode_id, t.test_type, t.closed, u.id, u.username, u.full_name FROM courses_unittestassignment t
		LEFT JOIN kolibriauth_facilityuser u ON u.id = t.activated_by_id LEFT JOIN content_contentnode n ON n.id = t.unit_contentnode_id
		WHERE t.course_session_id = ? AND `+condition+" ORDER BY coalesce(n.lft, 0) DESC, t.test_type, t.id LIMIT 1", append([]any{session}, args...)...)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return t, err
}

// standingOf tells where a class stands in a course after its latest test; nil for none yet.
// kolibri/core/courses/viewsets.py: _compute_course_state
func standingOf(tx *store.Tx, course string, last *test) (standing, error) {
	const units = "SELECT id FROM content_contentnode u WHERE u.parent_id = ? AND u.modality = '" + content.Unit + "'"
	const first = " ORDER BY u.lft LIMIT 1"
	next := func(query string, args ...any) (*string, error) {
		found, err := tx.Strings(query+first, args...)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		return &found[0], nil
	}
	switch {
	case last == nil:
		unit, err := next(units, course)
		return standing{preTestPending, unit}, err
	case last.kind == Pre && !last.closed:
		return standing{preTestActive, &last.unit}, nil
	case last.kind == Pre:
		return standing{postTestPending, &last.unit}, nil
	case !last.closed:
		return standing{postTestActive, &last.unit}, nil
	}
	unit, err := next(units+" AND u.lft > (SELECT n.lft FROM content_contentnode n WHERE n.id = ?)", course, last.unit)
	if err != nil || unit == nil {
		return standing{complete, nil}, err
	}
	return standing{preTestPending, unit}, nil
}

// stateOf is the answer about a test of a session.
func stateOf(tx *store.Tx, v *Session, t *test) (*state, error) {
	at, err := standingOf(tx, v.Course, t)
	if t == nil {
		return &state{standing: at}, err
	}
	return &state{ID: &t.id, Unit: &t.unit, Kind: &t.kind, By: t.by, Closed: &t.closed, standing: at}, err
}

// readTest cleans a body that names a test of a unit, which must be one of the course's.
// kolibri/core/courses/viewsets.py: UnitTestValidationSerializer
func readTest(r *api.Request, v *Session) (unit, kind string, err error) {
	body, err := r.Object()
	if err != nil {
		return "", "", err
	}
	values, err := r.Clean(body, []api.Field{
		{Name: "unit_contentnode_id", Clean: api.CleanKey("SELECT 1 FROM content_contentnode WHERE modality = '" + content.Unit + "' AND id = ?")},
		{Name: "test_type", Clean: api.CleanChoice(Pre, Post)},
	}, false)
	if err != nil {
		return "", "", err
	}
	unit, kind = values.String("unit_contentnode_id"), values.String("test_type")
	belongs, err := r.Tx.Exists("SELECT 1 FROM content_contentnode WHERE id = ? AND parent_id = ?", unit, v.Course)
	if err == nil && !belongs {
		err = api.FieldError(api.Invalid, "non_field_errors", "Unit does not belong to this course")
	}
	return unit, kind, err
}

// activateTest opens a test for the class, and closes every other one.
func (c *Courses) activateTest(r *api.Request) (any, error) {
	v, err := Load(r, r.Param("pk"), auth.Update)
	if err != nil {
		return nil, err
	}
	unit, kind, err := readTest(r, v)
	if err != nil {
		return nil, err
	}
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	class, err := auth.LoadCollection(r.Tx, v.Collection)
	if err != nil {
		return nil, err
	}
	if _, err := morango.UpdateWhere(r.Tx, morango.UnitTestAssignment, morango.Row{"closed": true},
		"course_session_id = ? AND closed = FALSE AND NOT (unit_contentnode_id = ? AND test_type = ?)", v.ID, unit, kind); err != nil {
		return nil, err
	}
	by := assignments.Author(p, class.DatasetID)
	sum := md5.Sum([]byte(morango.UnitTestAssignment.Name + ":" + unit + ":" + class.ID + ":" + kind))
	ids, err := morango.InsertNew(r.Tx, c.host.Rand, morango.UnitTestAssignment, morango.Row{"course_session_id": v.ID, "unit_contentnode_id": unit,
		"test_type": kind, "collection_id": class.ID, "dataset_id": class.DatasetID, "closed": false, "activated_by_id": by,
		"$classroom": class.ID, "$test": hex.EncodeToString(sum[:])})
	if err != nil {
		return nil, err
	}
	if err := morango.Update(r.Tx, morango.UnitTestAssignment, ids[0], morango.Row{"closed": false, "activated_by_id": by}); err != nil {
		return nil, err
	}
	t, err := findTest(r.Tx, v.ID, "t.id = ?", ids[0])
	if err != nil {
		return nil, err
	}
	return stateOf(r.Tx, v, t)
}

// closeTest closes the open test, which the body must name.
func (c *Courses) closeTest(r *api.Request) (any, error) {
	v, err := Load(r, r.Param("pk"), auth.Update)
	if err != nil {
		return nil, err
	}
	unit, kind, err := readTest(r, v)
	if err != nil {
		return nil, err
	}
	t, err := findTest(r.Tx, v.ID, "t.closed = FALSE")
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, &api.Error{Status: http.StatusNotFound, Body: map[string]string{"error": "No active test exists for this course session"}}
	case t.unit != unit:
		return nil, mismatch("unit_contentnode_id")
	case t.kind != kind:
		return nil, mismatch("test_type")
	}
	if err := morango.Update(r.Tx, morango.UnitTestAssignment, t.id, morango.Row{"closed": true}); err != nil {
		return nil, err
	}
	t.closed = true
	return stateOf(r.Tx, v, t)
}

func mismatch(field string) error {
	return &api.Error{Status: http.StatusBadRequest, Body: []string{"The provided " + field + " does not match the active test"}}
}

// activeTest answers with the open test. Only who may open tests may see it.
func (c *Courses) activeTest(r *api.Request) (any, error) {
	v, err := c.seen(r, auth.Update)
	if err != nil {
		return nil, err
	}
	t, err := findTest(r.Tx, v.ID, "t.closed = FALSE")
	if err != nil {
		return nil, err
	}
	if t == nil {
		return map[string]any{"active_test": nil}, nil
	}
	answer := openTest{ID: t.id, Unit: t.unit, Kind: t.kind, Closed: t.closed, By: t.by}
	titles, err := r.Tx.Strings("SELECT title FROM content_contentnode WHERE id = ?", t.unit)
	if len(titles) > 0 { // none for a unit of a channel that is gone
		answer.Title = &titles[0]
	}
	return answer, err
}

// lastTest answers with the latest test, and where the class stands.
func (c *Courses) lastTest(r *api.Request) (any, error) {
	v, err := c.seen(r, auth.Read)
	if err != nil {
		return nil, err
	}
	t, err := findTest(r.Tx, v.ID, "1 = 1")
	if err != nil {
		return nil, err
	}
	return stateOf(r.Tx, v, t)
}

// seen reads the session of the address among those that the person may read.
func (c *Courses) seen(r *api.Request, do auth.Action) (*Session, error) {
	q, err := readable(r)
	if err != nil {
		return nil, err
	}
	v, err := one(r, q, r.Param("pk"))
	if err != nil {
		return nil, err
	}
	return v, auth.Require(r, do, Permissions, auth.Object{CollectionID: v.Collection})
}
