// Package notifications tells coaches what their learners do with what was assigned to them: who
// began, finished or needs help (kolibri/core/notifications). The logs that learners leave bring
// notifications about; they are written in the same transaction, so that none gets lost.
package notifications

import "kolibri/store"

// ForgetLesson deletes what was told about a lesson.
func ForgetLesson(tx *store.Tx, lesson string) error {
	_, err := tx.Exec("DELETE FROM notifications_learnerprogressnotification WHERE lesson_id = ?", lesson)
	return err
}

// ForgetQuiz deletes what was told about a quiz.
func ForgetQuiz(tx *store.Tx, quiz string) error {
	_, err := tx.Exec("DELETE FROM notifications_learnerprogressnotification WHERE quiz_id = ?", quiz)
	return err
}
