package exams

import (
	"encoding/json"
	"slices"
	"time"

	"kolibri/core/api"
	"kolibri/store"
)

// Drafts are quizzes that a coach is still working on. They stay on the device, and keep in two
// columns to whom they will be assigned. kolibri/core/exams/models.py: DraftExam

func draftQuery() *api.Query {
	return &api.Query{From: "exams_draftexam e", Order: "e.date_created DESC, e.id"}
}

func scanDraft(row store.Scanner) (*Exam, error) {
	v := &Exam{Draft: true}
	var id int64
	var sources, collections, learners string
	if err := row.Scan(&id, &v.Title, &sources, &v.Seed, &v.Collection, &v.QuestionCount, &v.Creator, &v.DataModelVersion, &v.FixedOrder,
		&v.InstantReport, &v.DateCreated, &collections, &learners); err != nil {
		return nil, err
	}
	v.ID, v.QuestionSources = id, api.Raw(sources)
	var err error
	if v.Assignments, err = ids(collections); err == nil {
		v.Learners, err = ids(learners)
	}
	return v, err
}

// ids reads a column that holds a list of ids.
func ids(column string) ([]string, error) {
	list := []string{}
	err := json.Unmarshal([]byte(column), &list)
	if list == nil {
		list = []string{}
	}
	return list, err
}

// findDrafts reads drafts, without learners who have been deleted.
func findDrafts(tx *store.Tx, q *api.Query) ([]*Exam, error) {
	text, args := q.SQL(columns + ", e.assignments, e.learner_ids")
	all, err := store.Select(tx, scanDraft, text, args...)
	if err != nil {
		return nil, err
	}
	var learners []string
	for _, v := range all {
		learners = append(learners, v.Learners...)
	}
	there, err := existing(tx, "SELECT id FROM kolibriauth_facilityuser WHERE date_deleted IS NULL AND id IN ?", learners)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		v.Learners = slices.DeleteFunc(v.Learners, func(id string) bool { return !there[id] })
	}
	return all, nil
}

// existing tells which ids a query finds. Its last argument is the list of ids.
func existing(tx *store.Tx, query string, ids []string, args ...any) (map[string]bool, error) {
	found := map[string]bool{}
	for chunk := range slices.Chunk(ids, 500) {
		these, err := tx.Strings(query, append(slices.Clone(args), store.In(chunk))...)
		if err != nil {
			return nil, err
		}
		for _, id := range these {
			found[id] = true
		}
	}
	return found, nil
}

// newestFirst sorts quizzes and drafts together.
func newestFirst(all []*Exam) []*Exam {
	slices.SortStableFunc(all, func(a, b *Exam) int { return time.Time(b.DateCreated).Compare(time.Time(a.DateCreated)) })
	return all
}
