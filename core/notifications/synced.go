package notifications

import (
	"time"

	"kolibri/morango/transfer"
	"kolibri/store"
)

// SyncHook tells coaches of what their learners did on other devices, once it has come. A single
// user's device has no coaches. kolibri/core/notifications/kolibri_plugin.py
var SyncHook = transfer.Hook{App: "notifications", Behind: func(tx *store.Tx, e *transfer.Event) error {
	if !e.Receives() || e.LocalSingleUser {
		return nil
	}
	for _, tell := range []func(*store.Tx, string) error{syncedResources, syncedAttempts, syncedAnswers, syncedTries} {
		if err := tell(tx, e.ID); err != nil {
			return err
		}
	}
	return nil
}}

// inLesson is SQL for "the resource of summary log s is in a lesson that its learner works through",
// which leaves out most logs at once.
const inLesson = ` EXISTS (SELECT 1 FROM kolibriauth_membership b JOIN lessons_lessonassignment g ON g.collection_id = b.collection_id
	JOIN lessons_lesson l ON l.id = g.lesson_id WHERE b.user_id = s.user_id AND l.is_active = TRUE
	AND l.resources LIKE '%' || replace(CAST(s.content_id AS text), '-', '') || '%')`

// touched is SQL for "the row was brought by the transfer session".
const touched = " IN (SELECT id FROM morango_store WHERE last_transfer_session_id = ? AND model_name = ?)"

// syncedResources tells of resources begun and finished.
// kolibri/core/notifications/api.py: batch_process_summarylogs
func syncedResources(tx *store.Tx, session string) error {
	type log struct {
		Work
		begun    store.Zoned
		finished bool
	}
	logs, err := store.Select(tx, func(row store.Scanner) (l log, err error) {
		var channel *string
		err = row.Scan(&l.Summary, &l.User, &l.Content, &channel, &l.Kind, &l.begun, &l.finished)
		if channel != nil {
			l.Channel = *channel
		}
		return l, err
	}, `SELECT s.id, s.user_id, s.content_id, s.channel_id, s.kind, s.start_timestamp, s.progress >= 1 OR s.completion_timestamp IS NOT NULL
		FROM logger_contentsummarylog s WHERE s.id`+touched+" AND"+inLesson+" ORDER BY s.start_timestamp, s.id", session, "contentsummarylog")
	if err != nil {
		return err
	}
	for _, l := range logs {
		all, err := l.inLessons(tx, false)
		if err != nil {
			return err
		}
		if l.Kind != "exercise" {
			if err := l.tell(tx, all, func(b *book, a *assigned) error { return b.begun(a, l.begun.Time()) }); err != nil {
				return err
			}
		}
		if !l.finished {
			continue
		}
		at, err := l.completedAt(tx)
		if err != nil {
			return err
		}
		if at.IsZero() {
			continue
		}
		if err := l.tell(tx, all, func(b *book, a *assigned) error { return b.finished(a, at) }); err != nil {
			return err
		}
	}
	return nil
}

// syncedAttempts tells of answers to questions of exercises.
// kolibri/core/notifications/api.py: batch_process_attemptlogs
func syncedAttempts(tx *store.Tx, session string) error {
	tries, err := store.Select(tx, func(row store.Scanner) (w Work, err error) {
		var channel *string
		err = row.Scan(&w.Try, &w.Summary, &w.User, &w.Content, &channel)
		if channel != nil {
			w.Channel = *channel
		}
		return w, err
	}, `SELECT m.id, s.id, s.user_id, s.content_id, s.channel_id FROM logger_masterylog m JOIN logger_contentsummarylog s ON s.id = m.summarylog_id
		WHERE m.mastery_criterion NOT LIKE '%coach_assigned%' AND m.id IN (SELECT masterylog_id FROM logger_attemptlog WHERE id`+touched+") AND"+inLesson+
		" ORDER BY m.start_timestamp, m.id", session, "attemptlog")
	if err != nil {
		return err
	}
	for _, w := range tries {
		all, err := w.inLessons(tx, true)
		if err != nil {
			return err
		}
		attempts, err := tx.Strings("SELECT id FROM logger_attemptlog WHERE masterylog_id = ? AND id"+touched+" ORDER BY start_timestamp, id", w.Try, session, "attemptlog")
		if err != nil {
			return err
		}
		for _, attempt := range attempts {
			if err := w.attempted(tx, all, attempt); err != nil {
				return err
			}
		}
	}
	return nil
}

// quizMoment is when something first happened with a quiz.
type quizMoment struct {
	Quiz
	try       string
	at, ended store.Zoned
	complete  bool
}

func scanMoment(row store.Scanner) (m quizMoment, err error) {
	return m, row.Scan(&m.User, &m.ID, &m.try, &m.at, &m.ended, &m.complete)
}

// syncedAnswers tells of the first answers in quizzes.
// kolibri/core/notifications/api.py: batch_process_masterylogs_for_quizzes
func syncedAnswers(tx *store.Tx, session string) error {
	first, err := store.Select(tx, scanMoment, `SELECT m.user_id, s.content_id, m.id, min(a.start_timestamp), NULL, m.complete
		FROM logger_attemptlog a JOIN logger_masterylog m ON m.id = a.masterylog_id JOIN logger_contentsummarylog s ON s.id = m.summarylog_id
		WHERE m.mastery_criterion LIKE '%coach_assigned%' AND a.id`+touched+" GROUP BY m.user_id, s.content_id, m.id, m.complete ORDER BY 4, 3", session, "attemptlog")
	if err != nil {
		return err
	}
	for _, m := range first {
		if err := m.Answered(tx, m.at.Time()); err != nil {
			return err
		}
	}
	return nil
}

// syncedTries tells of quizzes begun and handed in.
func syncedTries(tx *store.Tx, session string) error {
	tries, err := store.Select(tx, scanMoment, `SELECT m.user_id, s.content_id, m.id, m.start_timestamp, m.completion_timestamp, m.complete
		FROM logger_masterylog m JOIN logger_contentsummarylog s ON s.id = m.summarylog_id
		WHERE m.mastery_criterion LIKE '%coach_assigned%' AND m.id`+touched+" ORDER BY m.start_timestamp, m.id", session, "masterylog")
	if err != nil {
		return err
	}
	for _, m := range tries {
		if err := m.Begun(tx, m.at.Time()); err != nil {
			return err
		}
		if !m.complete {
			continue
		}
		at := m.ended.Time()
		if at.IsZero() {
			at = tx.Now().Truncate(time.Microsecond)
		}
		if err := m.Finished(tx, m.try, at); err != nil {
			return err
		}
	}
	return nil
}
