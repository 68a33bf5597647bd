package learn

import (
	"encoding/json"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// exam is a quiz as those see it who take it.
type exam struct {
	ID               string          `json:"id"`
	Title            string          `json:"title"`
	Collection       string          `json:"collection"`
	Active           bool            `json:"active"`
	Archive          bool            `json:"archive"`
	QuestionCount    int64           `json:"question_count"`
	DataModelVersion int64           `json:"data_model_version"`
	QuestionSources  json.RawMessage `json:"question_sources"`
	InstantReport    *bool           `json:"instant_report_visibility"`
	Progress         examProgress    `json:"progress"`
	MissingResource  bool            `json:"missing_resource"`
}

// examProgress is empty for who has not started.
type examProgress struct {
	Started bool     `json:"started"`
	Closed  *bool    `json:"closed"`
	Score   *float64 `json:"score"`
	Answers *int64   `json:"answer_count"`
}

// examsOf reads the quizzes of some classes that are assigned to a person, with his progress: those
// that are open, and those that he has begun.
func examsOf(r *api.Request, p *auth.Person, classes []string) ([]*exam, error) {
	exams, err := store.Select(r.Tx, func(row store.Scanner) (*exam, error) {
		v := &exam{}
		var sources string
		err := row.Scan(&v.ID, &v.Title, &v.Collection, &v.Active, &v.Archive, &v.QuestionCount, &v.DataModelVersion,
			&sources, &v.InstantReport, &v.Progress.Closed, &v.Progress.Score, &v.Progress.Answers)
		v.QuestionSources = api.Raw(sources)
		if v.Progress.Started = v.Progress.Closed != nil; !v.Progress.Started {
			v.Progress.Score, v.Progress.Answers = nil, nil
		}
		return v, err
	}, `SELECT e.id, e.title, e.collection_id, e.active, e.archive, e.question_count, e.data_model_version, e.question_sources, e.instant_report_visibility,
		(SELECT m.complete FROM logger_masterylog m JOIN logger_contentsummarylog s ON s.id = m.summarylog_id WHERE m.user_id = ? AND s.content_id = e.id LIMIT 1),
		(SELECT SUM(a.correct) FROM logger_attemptlog a JOIN logger_contentsessionlog s ON s.id = a.sessionlog_id
			WHERE a.user_id = ? AND s.content_id = e.id GROUP BY a.masterylog_id LIMIT 1),
		(SELECT COUNT(a.id) FROM logger_attemptlog a JOIN logger_contentsessionlog s ON s.id = a.sessionlog_id
			WHERE a.user_id = ? AND s.content_id = e.id GROUP BY a.masterylog_id LIMIT 1)
		FROM exams_exam e WHERE e.collection_id IN ? AND EXISTS (SELECT 1 FROM exams_examassignment x
			JOIN kolibriauth_membership m ON m.collection_id = x.collection_id WHERE x.exam_id = e.id AND m.user_id = ?)
		AND (e.active = TRUE OR e.id IN (SELECT s.content_id FROM logger_masterylog m JOIN logger_contentsummarylog s ON s.id = m.summarylog_id WHERE m.user_id = ?))
		ORDER BY e.date_created, e.id`, p.ID, p.ID, p.ID, store.In(classes), p.ID, p.ID)
	if err != nil {
		return nil, err
	}
	return exams, markMissing(r.Tx, exams)
}

// markMissing finds the quizzes whose exercises are not all on the device.
func markMissing(tx *store.Tx, exams []*exam) error {
	needed := map[*exam][]string{}
	var all []string
	for _, e := range exams {
		needed[e] = exercises(e.QuestionSources)
		all = append(all, needed[e]...)
	}
	found, err := tx.Strings("SELECT id FROM content_contentnode WHERE available = TRUE AND id IN ?", store.In(all))
	if err != nil {
		return err
	}
	here := map[string]bool{}
	for _, id := range found {
		here[id] = true
	}
	for e, ids := range needed {
		for _, id := range ids {
			e.MissingResource = e.MissingResource || !here[id]
		}
	}
	return nil
}

// exercises are the nodes that a quiz takes its questions from. Sources are questions, in older
// quizzes, or sections of questions.
// kolibri/core/exams/models.py: exam_assignment_lookup
func exercises(sources json.RawMessage) []string {
	type question struct {
		Exercise string `json:"exercise_id"`
	}
	var list []struct {
		question
		Questions []question `json:"questions"`
	}
	// sources of another shape name no exercise
	_ = json.Unmarshal(sources, &list)
	var ids []string
	for _, s := range list {
		if s.Exercise != "" {
			ids = append(ids, s.Exercise)
			continue
		}
		for _, q := range s.Questions {
			ids = append(ids, q.Exercise)
		}
	}
	return ids
}
