// Package exams keeps the quizzes that coaches put together for their classes, and their drafts
// (kolibri/core/exams). What learners see of them is in plugins/learn.
package exams

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// Exams answers for the app.
type Exams struct{ host *api.Host }

// New makes the app of a host.
func New(host *api.Host) *Exams { return &Exams{host} }

// Routes are the app's APIs. Quizzes and their drafts share them: a draft's id is a number.
// kolibri/core/exams/api.py: ExamViewset
func (e *Exams) Routes() []api.Route {
	const list, detail = "kolibri:core:exam-list", "kolibri:core:exam-detail"
	return []api.Route{
		{Name: list, Method: http.MethodGet, Handle: e.list},
		{Name: list, Method: http.MethodPost, Handle: e.create},
		{Name: detail, Method: http.MethodGet, Handle: e.retrieve},
		{Name: detail, Method: http.MethodPut, Handle: e.update},
		{Name: detail, Method: http.MethodPatch, Handle: e.update},
		{Name: detail, Method: http.MethodDelete, Handle: e.remove},
		{Name: "kolibri:core:exam-size", Method: http.MethodGet, Handle: e.size},
	}
}

// The permissions. Rules look at CollectionID.
var (
	// Permissions are those of quizzes.
	Permissions = &auth.Model{Name: "Exam", Rules: []auth.Rule{auth.ManagedByCoaches(), takers{}}}
	// managed are the quizzes that somebody manages, and not only takes.
	managed = &auth.Model{Name: "Exam", Rules: []auth.Rule{auth.ManagedByCoaches()}}
	drafts  = &auth.Model{Name: "DraftExam", Rules: []auth.Rule{managedDrafts()}}
)

// managedDrafts is ManagedByCoaches for a table without datasets: drafts stay on the device.
func managedDrafts() auth.ByRole {
	rule := auth.ManagedByCoaches()
	rule.Dataset = "this.collection_id IN (SELECT id FROM kolibriauth_collection WHERE dataset_id = ?)"
	return rule
}

// takers lets learners list the quizzes assigned to them that are open, or that they have begun.
// kolibri/core/exams/permissions.py: UserCanReadExamData
type takers struct{}

// Allows implements auth.Rule: learners change nothing.
func (takers) Allows(*store.Tx, *auth.Person, auth.Action, auth.Object) (bool, error) {
	return false, nil
}

// Readable implements auth.Rule.
func (takers) Readable(p *auth.Person) auth.Condition {
	if p.IsAnonymous() {
		return auth.Nothing
	}
	return auth.Condition{SQL: `this.id IN (SELECT x.exam_id FROM exams_examassignment x JOIN kolibriauth_membership m ON m.collection_id = x.collection_id WHERE m.user_id = ?)
		AND (this.active = TRUE OR this.id IN (SELECT s.content_id FROM logger_masterylog t JOIN logger_contentsummarylog s ON s.id = t.summarylog_id WHERE t.user_id = ?))`,
		Args: []any{p.ID, p.ID}}
}
