package notifications

import (
	"time"

	"kolibri/store"
)

// book is what coaches were told already of a learner's work in some lessons, read at once.
type book struct {
	tx    *store.Tx
	user  string
	known map[entry]*told
}

// entry is what there is one notification of.
type entry struct{ object, event, lesson, node, course string }

type told struct {
	id int64
	at time.Time
}

func openBook(tx *store.Tx, user string, lessons []*assigned) (*book, error) {
	ids := make([]string, len(lessons))
	for i, a := range lessons {
		ids[i] = a.id
	}
	b := &book{tx, user, map[entry]*told{}}
	return b, store.ForEach(tx, func(row store.Scanner) error {
		var e entry
		var node, course *string
		var at store.Zoned
		t := &told{}
		if err := row.Scan(&t.id, &e.object, &e.event, &e.lesson, &node, &course, &at); err != nil {
			return err
		}
		if node != nil {
			e.node = *node
		}
		if course != nil {
			e.course = *course
		}
		t.at = at.Time()
		b.known[e] = t
		return nil
	}, "SELECT id, notification_object, notification_event, lesson_id, contentnode_id, course_session_id, timestamp FROM "+table+
		" WHERE user_id = ? AND lesson_id IN ? ORDER BY id DESC", user, store.In(ids))
}

// write tells something for the first time.
func (b *book) write(a *assigned, e entry, reason string, at time.Time) error {
	b.known[e] = &told{at: at}
	n := notice{object: e.object, event: e.event, reason: reason, user: b.user, classroom: a.classroom, lesson: e.lesson, node: e.node,
		course: e.course, groups: a.groups, at: at}
	return n.insert(b.tx)
}

// move changes when something that was told happened.
func (b *book) move(t *told, at time.Time) error {
	t.at = at
	_, err := b.tx.Exec("UPDATE "+table+" SET timestamp = ? WHERE id = ?", store.Zoned(at), t.id)
	return err
}

// begun tells that the resource and the lesson were begun; the earliest moment counts.
// kolibri/core/notifications/api.py: check_and_created_started
func (b *book) begun(a *assigned, at time.Time) error {
	e := entry{resource, started, a.id, a.node, a.course}
	switch t := b.known[e]; {
	case t == nil:
		if err := b.write(a, e, "", at); err != nil {
			return err
		}
	case !t.at.After(at):
		return nil
	default:
		if err := b.move(t, at); err != nil {
			return err
		}
	}
	e = entry{lesson, started, a.id, "", a.course}
	switch t := b.known[e]; {
	case t == nil:
		return b.write(a, e, "", at)
	case t.at.After(at):
		return b.move(t, at)
	}
	return nil
}

// finished tells that the resource was completed, and with the last one the lesson, once.
// kolibri/core/notifications/api.py: _get_lesson_resource_completed_notifications
func (b *book) finished(a *assigned, at time.Time) error {
	e := entry{resource, completed, a.id, a.node, a.course}
	if b.known[e] != nil {
		return nil
	}
	if err := b.write(a, e, "", at); err != nil {
		return err
	}
	done, err := b.tx.Int(`SELECT count(*) FROM logger_contentsummarylog WHERE user_id = ? AND content_id IN ?
		AND (progress >= 1 OR completion_timestamp IS NOT NULL)`, b.user, store.In(a.contents))
	if err != nil || int(done) != len(a.contents) {
		return err
	}
	e = entry{lesson, completed, a.id, "", a.course}
	switch t := b.known[e]; {
	case t == nil:
		return b.write(a, e, "", at)
	case t.at.Before(at):
		return b.move(t, at)
	}
	return nil
}

// answered tells of an answer; every one is told of, but none twice.
// kolibri/core/notifications/api.py: check_and_created_answered_lesson
func (b *book) answered(a *assigned, at time.Time) error {
	e := entry{resource, answered, a.id, a.node, a.course}
	told, err := b.tx.Exists("SELECT 1 FROM "+table+" WHERE user_id = ? AND lesson_id = ? AND notification_event = ? AND timestamp = ?",
		b.user, a.id, answered, store.Zoned(at))
	if err != nil || told {
		return err
	}
	return b.write(a, e, "", at)
}

// needsHelp tells that the learner needs help, or that he still does.
// kolibri/core/notifications/api.py: _get_help_needed_notification
func (b *book) needsHelp(a *assigned, at time.Time, failed bool) error {
	e := entry{resource, helpNeeded, a.id, a.node, a.course}
	switch t := b.known[e]; {
	case t == nil:
		return b.write(a, e, multipleAttempts, at)
	case failed && t.at.Before(at):
		return b.move(t, at)
	}
	return nil
}
