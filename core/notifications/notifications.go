// Package notifications tells coaches what their learners do with what was assigned to them: who
// began, finished or needs help (kolibri/core/notifications). The logs that learners leave bring
// notifications about; they are written in the same transaction, so that none gets lost.
package notifications

import (
	"time"

	"kolibri/core/api"
	"kolibri/store"
)

// What a notification is about, and what happened (kolibri/core/notifications/models.py).
const (
	resource = "Resource"
	quiz     = "Quiz"
	lesson   = "Lesson"

	started    = "Started"
	completed  = "Completed"
	answered   = "Answered"
	helpNeeded = "HelpNeeded"

	multipleAttempts = "MultipleUnsuccessfulAttempts"
)

const table = "notifications_learnerprogressnotification"

// notice is a notification. Empty ids are NULL.
type notice struct {
	object, event, reason   string
	user, classroom         string
	lesson, node, quiz      string
	course                  string
	groups                  []string // by which classes and groups it is assigned to the learner
	numCorrect, numAnswered *int64
	at                      time.Time
}

func (n *notice) insert(tx *store.Tx) error {
	groups := n.groups
	if groups == nil {
		groups = []string{}
	}
	text, err := api.JSON(groups)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO "+table+` (notification_object, notification_event, user_id, classroom_id, assignment_collections, contentnode_id,
		lesson_id, quiz_id, quiz_num_correct, quiz_num_answered, reason, course_session_id, timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		n.object, n.event, n.user, n.classroom, string(text), store.Null(n.node), store.Null(n.lesson), store.Null(n.quiz),
		n.numCorrect, n.numAnswered, n.reason, store.Null(n.course), store.Zoned(n.at))
	return err
}

// ForgetLesson deletes what was told about a lesson.
func ForgetLesson(tx *store.Tx, lesson string) error {
	_, err := tx.Exec("DELETE FROM "+table+" WHERE lesson_id = ?", lesson)
	return err
}

// ForgetQuiz deletes what was told about a quiz.
func ForgetQuiz(tx *store.Tx, quiz string) error {
	_, err := tx.Exec("DELETE FROM "+table+" WHERE quiz_id = ?", quiz)
	return err
}
