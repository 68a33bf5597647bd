package exams

import (
	"encoding/json"
	"time"

	"kolibri/core/api"
	"kolibri/core/assignments"
	"kolibri/core/auth"
	"kolibri/store"
)

// Exam is a quiz or a draft as coaches see it. A quiz's ID is a text, a draft's is a number.
type Exam struct {
	ID               any             `json:"id"`
	Title            string          `json:"title"`
	QuestionSources  json.RawMessage `json:"question_sources"`
	Seed             int64           `json:"seed"`
	Collection       string          `json:"collection"`
	QuestionCount    int64           `json:"question_count"`
	Creator          *string         `json:"creator"`
	DataModelVersion int64           `json:"data_model_version"`
	FixedOrder       bool            `json:"learners_see_fixed_order"`
	// InstantReport lets learners see their results at once. In old quizzes it is not set, which means yes.
	InstantReport *bool    `json:"instant_report_visibility"`
	DateCreated   api.Time `json:"date_created"`
	Active        bool     `json:"active"`
	Archive       bool     `json:"archive"`
	DateArchived  api.Time `json:"date_archived"`
	DateActivated api.Time `json:"date_activated"`
	Assignments   []string `json:"assignments"`
	Learners      []string `json:"learner_ids"`
	Draft         bool     `json:"draft"`
}

// key is the id of a stored quiz; empty for a draft.
func (v *Exam) key() string { id, _ := v.ID.(string); return id }

// Exercises are the nodes that the questions are taken from, one for each question.
// kolibri/core/exams/models.py: AbstractExam.get_questions
func (v *Exam) Exercises() []string {
	all := sections(v.QuestionSources)
	if v.DataModelVersion != 3 {
		// before version 3 a quiz was one list of questions
		return exercises(all)
	}
	var ids []string
	for _, section := range all {
		ids = append(ids, exercises(questions(section))...)
	}
	return ids
}

// sections reads a column of question sources. Sources of another shape, which a peer may have
// sent, have no questions.
func sections(column []byte) []map[string]any {
	var list []map[string]any
	_ = json.Unmarshal(column, &list)
	return list
}

func questions(section map[string]any) []map[string]any {
	list, _ := section["questions"].([]any)
	var all []map[string]any
	for _, v := range list {
		if q, ok := v.(map[string]any); ok {
			all = append(all, q)
		}
	}
	return all
}

func exercises(questions []map[string]any) []string {
	ids := make([]string, 0, len(questions))
	for _, q := range questions {
		id, _ := q["exercise_id"].(string)
		ids = append(ids, id)
	}
	return ids
}

const columns = `e.id, e.title, e.question_sources, e.seed, e.collection_id, e.question_count, e.creator_id, e.data_model_version,
	e.learners_see_fixed_order, e.instant_report_visibility, e.date_created`

func query() *api.Query { return &api.Query{From: "exams_exam e", Order: "e.date_created DESC, e.id"} }

func scan(row store.Scanner) (*Exam, error) {
	v := &Exam{}
	var id, sources string
	err := row.Scan(&id, &v.Title, &sources, &v.Seed, &v.Collection, &v.QuestionCount, &v.Creator, &v.DataModelVersion, &v.FixedOrder,
		&v.InstantReport, &v.DateCreated, &v.Active, &v.Archive, &v.DateArchived, &v.DateActivated)
	v.ID, v.QuestionSources = id, api.Raw(sources)
	if v.InstantReport == nil {
		yes := true
		v.InstantReport = &yes
	}
	return v, err
}

// find reads quizzes without their assignments.
func find(tx *store.Tx, q *api.Query) ([]*Exam, error) {
	text, args := q.SQL(columns + ", e.active, e.archive, e.date_archived, e.date_activated")
	return store.Select(tx, scan, text, args...)
}

// findAssigned reads quizzes with their assignments.
func findAssigned(tx *store.Tx, q *api.Query) ([]*Exam, error) {
	all, err := find(tx, q)
	if err != nil {
		return nil, err
	}
	return all, assignments.Fill(tx, assignments.Quizzes, all, func(v *Exam) (string, *[]string, *[]string) {
		return v.key(), &v.Assignments, &v.Learners
	})
}

// hideOthers takes away the groups that somebody who only takes a quiz is not a member of: his list
// says by what it is assigned to him, and not to whom else.
func hideOthers(r *api.Request, all []*Exam) error {
	p, err := auth.UserOf(r)
	if err != nil {
		return err
	}
	condition, args := p.Readable(managed, "e")
	text, args := query().Where(condition, args...).SQL("e.id")
	own, err := r.Tx.Strings(text, args...)
	if err != nil {
		return err
	}
	manages := map[string]bool{}
	for _, id := range own {
		manages[id] = true
	}
	memberships, err := p.Memberships(r.Tx)
	if err != nil {
		return err
	}
	for _, v := range all {
		if manages[v.key()] {
			continue
		}
		mine := []string{}
		for _, collection := range v.Assignments {
			for _, m := range memberships {
				if m == collection {
					mine = append(mine, m)
				}
			}
		}
		v.Assignments = mine
	}
	return nil
}

// stamps are the moments at which a quiz was first opened and closed: the first time it is so, they
// become now.
func stamps(active, archive bool, activated, archived api.Time, now time.Time) (a, b time.Time) {
	a, b = time.Time(activated), time.Time(archived)
	if active && a.IsZero() {
		a = now
	}
	if archive && b.IsZero() {
		b = now
	}
	return a, b
}
