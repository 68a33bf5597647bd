package notifications

import (
	"database/sql"
	"errors"
	"time"

	"kolibri/store"
)

// Quiz is what a learner takes: a quiz, or a test of a course's unit, which has a course session.
type Quiz struct{ User, ID, Course string }

// Begun tells that the learner began a quiz. kolibri/core/notifications/api.py: quiz_started_notification
func (q Quiz) Begun(tx *store.Tx, at time.Time) error { return q.tell(tx, started, at, zero, zero) }

// Answered tells that the learner answered the first question.
// kolibri/core/notifications/api.py: quiz_answered_notification
func (q Quiz) Answered(tx *store.Tx, at time.Time) error { return q.tell(tx, answered, at, zero, zero) }

var zero = new(int64)

// Finished tells that the learner handed a quiz in, and with how many questions answered and right.
// try is the mastery log. kolibri/core/notifications/api.py: quiz_completed_notification
func (q Quiz) Finished(tx *store.Tx, try string, at time.Time) error {
	var correct sql.NullFloat64
	var count int64
	if err := tx.QueryRow("SELECT SUM(correct), COUNT(id) FROM logger_attemptlog WHERE masterylog_id = ?", try).Scan(&correct, &count); err != nil {
		return err
	}
	if count == 0 {
		return q.tell(tx, completed, at, nil, nil)
	}
	right := int64(correct.Float64)
	return q.tell(tx, completed, at, &right, &count)
}

// tell writes a notification unless there was one of the kind.
func (q Quiz) tell(tx *store.Tx, event string, at time.Time, correct, count *int64) error {
	same, args := "SELECT 1 FROM "+table+" WHERE user_id = ? AND quiz_id = ? AND notification_event = ?", []any{q.User, q.ID, event}
	if q.Course != "" {
		same, args = same+" AND course_session_id = ?", append(args, q.Course)
	}
	told, err := tx.Exists(same, args...)
	if err != nil || told {
		return err
	}
	n := &notice{object: quiz, event: event, user: q.User, quiz: q.ID, course: q.Course, numCorrect: correct, numAnswered: count, at: at}
	if q.Course != "" {
		n.classroom, n.groups, err = courseOf(tx, q.User, q.Course)
	} else {
		n.classroom, n.groups, err = quizOf(tx, q.User, q.ID)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted meanwhile: there is nobody to tell
	}
	if err != nil {
		return err
	}
	return n.insert(tx)
}

// quizOf finds the class of a quiz, and by what it is assigned to a learner.
func quizOf(tx *store.Tx, user, id string) (class string, groups []string, err error) {
	if err := tx.QueryRow("SELECT collection_id FROM exams_exam WHERE id = ?", id).Scan(&class); err != nil {
		return "", nil, err
	}
	groups, err = tx.Strings(`SELECT DISTINCT a.collection_id FROM exams_examassignment a JOIN kolibriauth_membership m ON m.collection_id = a.collection_id
		WHERE a.exam_id = ? AND m.user_id = ?`, id, user)
	return class, groups, err
}

// courseOf finds the class of a course session, and by what it is assigned to a learner.
// kolibri/core/notifications/api.py: get_course_session_context
func courseOf(tx *store.Tx, user, session string) (class string, groups []string, err error) {
	if err := tx.QueryRow("SELECT collection_id FROM courses_coursesession WHERE id = ?", session).Scan(&class); err != nil {
		return "", nil, err
	}
	groups, err = tx.Strings(`SELECT DISTINCT a.collection_id FROM courses_coursesessionassignment a
		JOIN kolibriauth_membership m ON m.collection_id = a.collection_id WHERE a.course_session_id = ? AND m.user_id = ?`, session, user)
	return class, groups, err
}
