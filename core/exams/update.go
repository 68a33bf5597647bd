package exams

import (
	"net/http"
	"time"

	"kolibri/core/api"
	"kolibri/core/assignments"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

// impossible is what the original answers when it finds only while writing that it cannot.
func impossible(message string) error {
	return &api.Error{Status: http.StatusBadRequest, Body: []string{message}}
}

// update changes a quiz or a draft, or makes a draft a quiz.
func (e *Exams) update(r *api.Request) (any, error) {
	v, err := change(r, auth.Update)
	if err != nil {
		return nil, err
	}
	c, err := assignments.Changing(r, v.Collection, read, func(values api.Values, against string) error {
		return check(r, values, v, against)
	})
	if err != nil {
		return nil, err
	}
	staysDraft := v.Draft
	if c.Values.Has("draft") {
		staysDraft = c.Values.Bool("draft")
	}
	switch {
	case v.Draft && staysDraft:
		err = updateDraft(r.Tx, v, c.Values)
	case v.Draft:
		err = e.publish(r, v, c)
	case staysDraft:
		err = impossible("Cannot change an Exam to a DraftExam")
	default:
		err = e.updateQuiz(r, v, c)
	}
	if err != nil {
		return nil, err
	}
	return reread(r, v)
}

func updateDraft(tx *store.Tx, v *Exam, values api.Values) error {
	if err := v.apply(values); err != nil {
		return err
	}
	collections, learners, err := v.assigned()
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE exams_draftexam SET title = ?, question_count = ?, question_sources = ?, learners_see_fixed_order = ?,
		instant_report_visibility = ?, assignments = ?, learner_ids = ? WHERE id = ?`,
		v.Title, v.QuestionCount, string(v.QuestionSources), v.FixedOrder, v.InstantReport, collections, learners, v.ID)
	return err
}

// publish makes a draft a quiz. Its questions are those that were saved: a body that publishes
// cannot change them. Whom it was to be assigned to and who is no longer there is passed over.
// kolibri/core/exams/serializers.py: ExamSerializer.update
func (e *Exams) publish(r *api.Request, v *Exam, c *assignments.Change) error {
	if v.QuestionCount == 0 {
		return impossible("Cannot publish a draft exam with no questions")
	}
	delete(c.Values, "question_sources")
	if !c.Values.Has("assignments") {
		there, err := existing(r.Tx, "SELECT id FROM kolibriauth_collection WHERE id IN ?", v.Assignments)
		if err != nil {
			return err
		}
		c.Values["assignments"] = present(v.Assignments, there)
	}
	if !c.Values.Has("learner_ids") {
		there, err := existing(r.Tx, `SELECT m.user_id FROM kolibriauth_membership m JOIN kolibriauth_facilityuser u ON u.id = m.user_id
			WHERE u.date_deleted IS NULL AND m.collection_id = ? AND m.user_id IN ?`, v.Learners, c.Class.ID)
		if err != nil {
			return err
		}
		c.Values["learner_ids"] = present(v.Learners, there)
	}
	if _, err := r.Tx.Exec("DELETE FROM exams_draftexam WHERE id = ?", v.ID); err != nil {
		return err
	}
	v.Draft = false
	if err := v.apply(c.Values); err != nil {
		return err
	}
	return e.insert(r, v, c)
}

// present are those of the ids that are there, as cleaned values.
func present(ids []string, there map[string]bool) []any {
	list := []any{}
	for _, id := range ids {
		if there[id] {
			list = append(list, id)
		}
	}
	return list
}

func (e *Exams) updateQuiz(r *api.Request, v *Exam, c *assignments.Change) error {
	wasActive, wasArchived := v.Active, v.Archive
	if err := v.apply(c.Values); err != nil {
		return err
	}
	if err := assignments.Quizzes.Assign(r.Tx, e.host.Rand, c, v.key()); err != nil {
		return err
	}
	// every save counts the questions anew: in a quiz of version 0, the exercises that it draws from
	sources, err := v.withoutEmpty()
	if err != nil {
		return err
	}
	activated, archived := stamps(v.Active, v.Archive, v.DateActivated, v.DateArchived, r.Now())
	changes := morango.Row{"question_count": len(v.Exercises()), "question_sources": string(sources), "title": v.Title, "learners_see_fixed_order": v.FixedOrder, "active": v.Active, "archive": v.Archive,
		"date_activated": activated, "date_archived": archived}
	if c.Values.Has("instant_report_visibility") {
		changes["instant_report_visibility"] = v.InstantReport
	}
	if err := morango.Update(r.Tx, morango.Exam, v.key(), changes); err != nil {
		return err
	}
	return closeTries(r.Tx, v.key(), wasActive && !v.Active, !wasArchived && v.Archive)
}

// closeTries ends what learners have begun of a quiz: tries of a quiz that is no longer open end
// now, and those of a closed one count as handed in.
// kolibri/core/exams/api.py: ExamViewset.perform_update
func closeTries(tx *store.Tx, quiz string, ended, closed bool) error {
	const ofQuiz = "summarylog_id IN (SELECT id FROM logger_contentsummarylog WHERE content_id = ?)"
	if ended {
		_, err := morango.UpdateWhere(tx, morango.MasteryLog, morango.Row{"completion_timestamp": store.Zoned(tx.Now())},
			"completion_timestamp IS NULL AND "+ofQuiz, quiz)
		if err != nil {
			return err
		}
	}
	if !closed {
		return nil
	}
	_, err := morango.UpdateWhere(tx, morango.MasteryLog, morango.Row{"complete": true}, ofQuiz, quiz)
	return err
}

// timeOf is when a quiz was made: old drafts do not know.
func timeOf(created api.Time, r *api.Request) time.Time {
	if t := time.Time(created); !t.IsZero() {
		return t
	}
	return r.Now()
}
