package coach

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/core/courses"
	"kolibri/core/logger"
	"kolibri/store"
)

// takers is the query for those who take the course of a session.
const takers = `SELECT m.user_id FROM kolibriauth_membership m JOIN courses_coursesessionassignment a ON a.collection_id = m.collection_id
	WHERE a.course_session_id = ?`

// unitOptions is what a unit's options say of its tests.
type unitOptions struct {
	Objectives []struct {
		ID   json.RawMessage `json:"id"`
		Text json.RawMessage `json:"text"`
	} `json:"learning_objectives"`
	// Assessed are the objectives that each question assesses.
	Assessed map[string][]json.RawMessage `json:"assessment_objectives"`
	Criteria *struct {
		Threshold *struct {
			Test *struct {
				VersionA []string `json:"version_a_item_ids"`
			} `json:"pre_post_test"`
		} `json:"threshold"`
	} `json:"completion_criteria"`
}

// versionA are the questions of one version of the tests; the other has as many for each objective.
func (o *unitOptions) versionA() []string {
	if o.Criteria == nil || o.Criteria.Threshold == nil || o.Criteria.Threshold.Test == nil {
		return nil
	}
	return o.Criteria.Threshold.Test.VersionA
}

// plainID is an objective's id as text, be it text or a number.
func plainID(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

type objective struct {
	ID        json.RawMessage `json:"id"`
	Text      json.RawMessage `json:"text"`
	Questions int64           `json:"num_questions"`
}

// scores are right answers by learner and objective.
type scores map[string]map[string]int64

func (s scores) total(learner string) (n int64) {
	for _, right := range s[learner] {
		n += right
	}
	return n
}

type testReport struct {
	Status string `json:"status"`
	Scores scores `json:"scores"`
}

type taker struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

// loadUnit checks that the person may read the course session of the address, and reads its unit.
func loadUnit(r *api.Request) (session *courses.Session, unit, title, options string, err error) {
	if session, err = courses.Load(r, r.Param("course_session_id"), auth.Read); err != nil {
		return nil, "", "", "", err
	}
	unit, _ = api.ParseUUID(r.Param("unit_contentnode_id"))
	err = r.Tx.QueryRow("SELECT title, coalesce(options, '{}') FROM content_contentnode WHERE id = ? AND modality = ?", unit, content.Unit).Scan(&title, &options)
	if errors.Is(err, store.ErrNotFound) {
		err = r.NotFound()
	}
	return session, unit, title, options, err
}

// unitReport answers with how the learners did in a unit's tests, by learning objective; those who
// knew least come first.
// kolibri/plugins/coach/unit_report_api.py: UnitReportViewSet
func (c *Coach) unitReport(r *api.Request) (any, error) {
	session, unit, title, text, err := loadUnit(r)
	if err != nil {
		return nil, err
	}
	var options unitOptions
	// options of another shape tell nothing
	_ = json.Unmarshal([]byte(text), &options)
	questions, versionA := map[string]int64{}, options.versionA()
	for item, objectives := range options.Assessed {
		if slices.Contains(versionA, item) {
			for _, id := range objectives {
				questions[plainID(id)]++
			}
		}
	}
	objectives := []objective{}
	for _, o := range options.Objectives {
		objectives = append(objectives, objective{o.ID, o.Text, questions[plainID(o.ID)]})
	}
	users, err := readUsers(r.Tx, takers, session.ID)
	if err != nil {
		return nil, err
	}
	pre, post := testReport{notActivated, scores{}}, testReport{notActivated, scores{}}
	if err := testStates(r.Tx, session.ID, unit, map[string]*testReport{courses.Pre: &pre, courses.Post: &post}); err != nil {
		return nil, err
	}
	of := map[string]scores{logger.UnitTestContentID(session.ID, unit, courses.Pre): pre.Scores,
		logger.UnitTestContentID(session.ID, unit, courses.Post): post.Scores}
	if err := readScores(r.Tx, session.ID, of, options.Assessed); err != nil {
		return nil, err
	}
	learners := []taker{}
	for _, u := range users {
		learners = append(learners, taker{u.ID, u.Username, u.Name})
	}
	slices.SortFunc(learners, func(a, b taker) int {
		return cmp.Or(cmp.Compare(pre.Scores.total(a.ID)+post.Scores.total(a.ID), pre.Scores.total(b.ID)+post.Scores.total(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return map[string]any{"unit_title": title, "learning_objectives": objectives, "learners": learners, "pre_test": pre, "post_test": post}, nil
}

// The states of a unit's test (kolibri/plugins/coach/unit_report_api.py: get_test_status).
const (
	notActivated = "not_activated"
	open         = "open"
	closed       = "closed"
)

func testStates(tx *store.Tx, session, unit string, tests map[string]*testReport) error {
	return store.ForEach(tx, func(row store.Scanner) error {
		var kind string
		var ended bool
		if err := row.Scan(&kind, &ended); err != nil {
			return err
		}
		if t := tests[kind]; t != nil && t.Status != open {
			t.Status = map[bool]string{true: closed, false: open}[ended]
		}
		return nil
	}, "SELECT test_type, closed FROM courses_unittestassignment WHERE course_session_id = ? AND unit_contentnode_id = ?", session, unit)
}

// readScores counts the right answers in the last test that each learner handed in. Of several
// answers to a question the last one counts, and only if it is wholly right. tests are the scores to
// fill, by the content id under which the test's logs are kept.
func readScores(tx *store.Tx, session string, tests map[string]scores, assessed map[string][]json.RawMessage) error {
	contents := make([]string, 0, len(tests))
	for id := range tests {
		contents = append(contents, id)
	}
	slices.Sort(contents)
	return store.ForEach(tx, func(row store.Scanner) error {
		var learner, test string
		var item *string
		var right *bool
		if err := row.Scan(&learner, &test, &item, &right); err != nil {
			return err
		}
		of := tests[test]
		if of[learner] == nil {
			of[learner] = map[string]int64{}
		}
		if item != nil && right != nil && *right {
			for _, id := range assessed[*item] {
				of[learner][plainID(id)]++
			}
		}
		return nil
	}, `WITH tries AS (SELECT m.id, s.user_id, s.content_id,
			ROW_NUMBER() OVER (PARTITION BY s.user_id, s.content_id ORDER BY m.end_timestamp DESC, m.id) AS n
			FROM logger_masterylog m JOIN logger_contentsummarylog s ON s.id = m.summarylog_id
			WHERE s.content_id IN ? AND m.complete = TRUE AND m.end_timestamp IS NOT NULL
			AND s.user_id IN (SELECT id FROM kolibriauth_facilityuser WHERE date_deleted IS NULL AND id IN (`+takers+`))),
		answers AS (SELECT a.masterylog_id, a.item, a.correct,
			ROW_NUMBER() OVER (PARTITION BY a.masterylog_id, a.item ORDER BY a.end_timestamp DESC, a.id) AS n
			FROM logger_attemptlog a WHERE a.masterylog_id IN (SELECT id FROM tries WHERE n = 1))
		SELECT t.user_id, t.content_id, a.item, a.correct = 1 FROM tries t
		LEFT JOIN answers a ON a.masterylog_id = t.id AND a.n = 1 WHERE t.n = 1`, store.In(contents), session)
}

type unitLesson struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Contents []string `json:"content_ids"`
}

// unitLessons answers with how far the learners are with the lessons of a unit.
// kolibri/plugins/coach/unit_lesson_progress_api.py: UnitLessonProgressViewSet
func (c *Coach) unitLessons(r *api.Request) (any, error) {
	session, unit, _, _, err := loadUnit(r)
	if err != nil {
		return nil, err
	}
	found := []*unitLesson{}
	nodes := map[string][]string{}
	var resources []string
	err = store.ForEach(r.Tx, func(row store.Scanner) error {
		var lesson, title string
		var node, contentID *string
		if err := row.Scan(&lesson, &title, &node, &contentID); err != nil {
			return err
		}
		if len(found) == 0 || found[len(found)-1].ID != lesson {
			found = append(found, &unitLesson{lesson, title, []string{}})
		}
		if node != nil && contentID != nil {
			last := found[len(found)-1]
			last.Contents = append(last.Contents, *contentID)
			nodes[*contentID] = append(nodes[*contentID], *node)
			resources = append(resources, *node)
		}
		return nil
	}, `SELECT l.id, l.title, n.id, n.content_id FROM content_contentnode l LEFT JOIN content_contentnode n ON n.parent_id = l.id AND n.available = TRUE
		WHERE l.parent_id = ? AND l.modality = ? AND l.available = TRUE ORDER BY l.lft, l.id, n.lft`, unit, content.Lesson)
	if err != nil {
		return nil, err
	}
	status, err := contentStatuses(r.Tx, progress{nodes: nodes, learners: takers, of: []any{session.ID},
		told:     "course_session_id = ? AND classroom_id = ? AND contentnode_id IN ?",
		toldArgs: []any{session.ID, session.Collection, store.In(resources)}})
	return map[string]any{"lessons": found, "content_learner_status": status}, err
}
