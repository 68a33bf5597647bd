package exams

import (
	"strconv"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/core/notifications"
	"kolibri/morango"
)

// both reads the quizzes and drafts that the person may read and the parameters ask for, without
// what the quizzes are assigned to.
func both(r *api.Request) (quizzes, unfinished *api.Query, err error) {
	quizzes, unfinished = query(), draftQuery()
	for q, m := range map[*api.Query]*auth.Model{quizzes: Permissions, unfinished: drafts} {
		if err := auth.CollectionParam(r, q, "e.collection_id"); err != nil {
			return nil, nil, err
		}
		if err := auth.OnlyReadable(r, q, m, "e"); err != nil {
			return nil, nil, err
		}
	}
	return quizzes, unfinished, nil
}

// List reads the quizzes and drafts that the requesting person may read, the newest first. The
// request's parameter collection narrows them down: see Request.WithQuery.
func List(r *api.Request) ([]*Exam, error) {
	quizzes, unfinished, err := both(r)
	if err != nil {
		return nil, err
	}
	all, err := findAssigned(r.Tx, quizzes)
	if err != nil {
		return nil, err
	}
	if err := hideOthers(r, all); err != nil {
		return nil, err
	}
	more, err := findDrafts(r.Tx, unfinished)
	if err != nil {
		return nil, err
	}
	return newestFirst(append(all, more...)), nil
}

func (e *Exams) list(r *api.Request) (any, error) { return List(r) }

// retrieve answers with one quiz or draft. As in the original whoever knows its id may read it: its
// view looks the row up past the permissions.
func (e *Exams) retrieve(r *api.Request) (any, error) { return one(r, r.Param("pk")) }

// one reads a quiz or a draft by the id that an address gives it.
func one(r *api.Request, pk string) (*Exam, error) {
	var all []*Exam
	var err error
	if number, parse := strconv.ParseInt(pk, 10, 64); parse == nil {
		all, err = findDrafts(r.Tx, draftQuery().Where("e.id = ?", number))
	} else if id, ok := api.ParseUUID(pk); ok {
		all, err = findAssigned(r.Tx, query().Where("e.id = ?", id))
	}
	if err == nil && len(all) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// change reads the quiz or draft of the address and checks the permission to change it.
func change(r *api.Request, do auth.Action) (*Exam, error) {
	// a draft is written as a whole: who changes it must have read what others wrote
	if err := r.Tx.Lock("exam " + r.Param("pk")); err != nil {
		return nil, err
	}
	v, err := one(r, r.Param("pk"))
	if err != nil {
		return nil, err
	}
	m := Permissions
	if v.Draft {
		m = drafts
	}
	return v, auth.Require(r, do, m, auth.Object{CollectionID: v.Collection})
}

// size answers how many bytes the exercises of each quiz and draft have.
func (e *Exams) size(r *api.Request) (any, error) {
	quizzes, unfinished, err := both(r)
	if err != nil {
		return nil, err
	}
	all, err := find(r.Tx, quizzes)
	if err != nil {
		return nil, err
	}
	more, err := findDrafts(r.Tx, unfinished)
	if err != nil {
		return nil, err
	}
	all = append(all, more...)
	nodes := make([][]string, len(all))
	for i, v := range all {
		nodes[i] = v.Exercises()
	}
	sizes, err := content.Sizes(r.Tx, nodes)
	if err != nil {
		return nil, err
	}
	out := make([]map[string]int64, len(all))
	for i, v := range all {
		id := v.key()
		if number, ok := v.ID.(int64); ok {
			id = strconv.FormatInt(number, 10)
		}
		out[i] = map[string]int64{id: sizes[i]}
	}
	return out, nil
}

func (e *Exams) remove(r *api.Request) (any, error) {
	v, err := change(r, auth.Delete)
	if err != nil {
		return nil, err
	}
	if v.Draft {
		_, err := r.Tx.Exec("DELETE FROM exams_draftexam WHERE id = ?", v.ID)
		return nil, err
	}
	if err := notifications.ForgetQuiz(r.Tx, v.key()); err != nil {
		return nil, err
	}
	return nil, morango.DeleteRows(r.Tx, morango.Delete, morango.Exam.Table, v.key())
}
