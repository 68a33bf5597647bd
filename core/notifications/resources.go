package notifications

import (
	"encoding/json"
	"errors"
	"time"

	"kolibri/store"
)

// Work is a learner's work on a resource.
type Work struct {
	User, Content, Channel, Kind string
	// Summary is the learner's summary log of the resource, Try the mastery log; empty for no assessment.
	Summary, Try string
	// Node, Lesson and Course are the context in which the learner works, as far as there is any.
	Node, Lesson, Course string
}

// Begun tells that the learner looked at a resource for the first time. Exercises are begun with the
// first answer. kolibri/core/notifications/api.py: create_summarylog, start_lesson_resource
func (w Work) Begun(tx *store.Tx, at time.Time) error {
	if w.Node == "" || w.Kind == "exercise" {
		return nil
	}
	return w.tellAll(tx, false, func(b *book, a *assigned) error { return b.begun(a, at) })
}

// Finished tells that the learner completed a resource, and the lesson if that was the last of it.
// kolibri/core/notifications/api.py: parse_summarylog, finish_lesson_resource
func (w Work) Finished(tx *store.Tx) error {
	if w.Node == "" {
		return nil
	}
	at, err := w.completedAt(tx)
	if err != nil || at.IsZero() {
		return err
	}
	return w.tellAll(tx, false, func(b *book, a *assigned) error { return b.finished(a, at) })
}

// tellAll tells about every lesson that the work is for.
func (w Work) tellAll(tx *store.Tx, exercisesOnly bool, tell func(*book, *assigned) error) error {
	all, err := w.inLessons(tx, exercisesOnly)
	if err != nil {
		return err
	}
	if w.Course != "" && w.Lesson == "" {
		part, err := w.inCourse(tx)
		if err != nil {
			return err
		}
		if part != nil {
			all = append(all, part)
		}
	}
	return w.tell(tx, all, tell)
}

func (w Work) tell(tx *store.Tx, all []*assigned, tell func(*book, *assigned) error) error {
	if len(all) == 0 {
		return nil
	}
	b, err := openBook(tx, w.User, all)
	if err != nil {
		return err
	}
	for _, a := range all {
		if err := tell(b, a); err != nil {
			return err
		}
	}
	return nil
}

// completedAt is when the resource was completed: with the first completed try of an assessment.
// kolibri/core/notifications/api.py: _get_resource_completion_timestamp
func (w Work) completedAt(tx *store.Tx) (time.Time, error) {
	var at store.Zoned
	err := tx.QueryRow("SELECT completion_timestamp FROM logger_masterylog WHERE summarylog_id = ? AND complete = TRUE ORDER BY completion_timestamp LIMIT 1", w.Summary).Scan(&at)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return time.Time{}, err
	}
	if at.Time().IsZero() {
		err = tx.QueryRow("SELECT completion_timestamp FROM logger_contentsummarylog WHERE id = ?", w.Summary).Scan(&at)
	}
	return at.Time(), err
}

// Attempted tells of an answer to a question of an exercise: that the learner began, that he
// answered, and that he needs help if too many answers were wrong.
// kolibri/core/notifications/api.py: parse_attemptslog
func (w Work) Attempted(tx *store.Tx, attempt string) error {
	if w.Try == "" || w.Lesson == "" && w.Course == "" {
		return nil
	}
	var all []*assigned
	var err error
	if w.Course != "" && w.Node != "" {
		var part *assigned
		if part, err = w.inCourse(tx); part != nil {
			all = append(all, part)
		}
	} else {
		all, err = w.inLessons(tx, true)
	}
	if err != nil {
		return err
	}
	return w.attempted(tx, all, attempt)
}

// attempted tells of an answer in all lessons that it is for.
func (w Work) attempted(tx *store.Tx, all []*assigned, attempt string) error {
	if len(all) == 0 {
		return nil
	}
	var from, to store.Zoned
	var history string
	if err := tx.QueryRow("SELECT start_timestamp, end_timestamp, interaction_history FROM logger_attemptlog WHERE id = ?", attempt).Scan(&from, &to, &history); err != nil {
		return err
	}
	needsHelp, err := w.needsHelp(tx)
	if err != nil {
		return err
	}
	return w.tell(tx, all, func(b *book, a *assigned) error {
		if needsHelp {
			if err := b.needsHelp(a, to.Time(), failures(history) > 0); err != nil {
				return err
			}
		}
		if err := b.begun(a, from.Time()); err != nil || from.Time().Equal(to.Time()) {
			return err
		}
		return b.answered(a, to.Time())
	})
}

// enoughFailures is how many wrong answers make a coach look.
const enoughFailures = 4

// needsHelp tells whether the learner failed too often at an exercise that he never completed.
func (w Work) needsHelp(tx *store.Tx) (bool, error) {
	open, err := tx.Exists("SELECT 1 FROM logger_contentsummarylog WHERE id = ? AND progress < 1 AND completion_timestamp IS NULL", w.Summary)
	if err != nil || !open {
		return false, err
	}
	n := 0
	err = store.ForEach(tx, func(row store.Scanner) error {
		var history string
		err := row.Scan(&history)
		n += failures(history)
		return err
	}, "SELECT interaction_history FROM logger_attemptlog WHERE masterylog_id = ?", w.Try)
	return n >= enoughFailures, err
}

// failures counts the steps of an interaction history that are not right; asking for hints counts too.
func failures(history string) int {
	var steps []struct {
		Correct float64 `json:"correct"`
	}
	// a history of another shape, which a peer may have sent, has no steps
	_ = json.Unmarshal([]byte(history), &steps)
	n := 0
	for _, s := range steps {
		if s.Correct == 0 {
			n++
		}
	}
	return n
}
