package coach

import (
	"maps"
	"slices"

	"kolibri/core/api"
	"kolibri/store"
)

// many is how many ids a query names at most.
const many = 10000

// The states of a learner's work (kolibri/plugins/coach/class_summary_api.py).
const (
	notStarted = "NotStarted"
	started    = "Started"
	helpNeeded = "HelpNeeded"
	completed  = "Completed"
)

// quizScore is how well somebody did in the last try at a quiz.
type quizScore struct {
	Correct      *api.Float `json:"num_correct"`
	Answered     *int64     `json:"num_answered"`
	LastActivity api.Time   `json:"last_activity"`
	// Before is how many questions were right in the try before the last one.
	Before int64 `json:"previous_num_correct"`
}

// examStatus is how far somebody is with a quiz of the class.
type examStatus struct {
	quizScore
	Learner string `json:"learner_id"`
	Status  string `json:"status"`
	Exam    string `json:"exam_id"`
}

// contentStatus is how far a learner is with a resource. Practice quizzes have a score too.
type contentStatus struct {
	Learner      string    `json:"learner_id"`
	Content      string    `json:"content_id"`
	Status       string    `json:"status"`
	LastActivity api.Time  `json:"last_activity"`
	TimeSpent    api.Float `json:"time_spent"`
	Tries        *int64    `json:"tries,omitempty"`
	*practiced
}

type practiced struct {
	Complete bool `json:"complete"`
	quizScore
}

// work is what somebody did on some content.
type work struct{ user, content string }

// lastTry is the last try of somebody at a quiz.
type lastTry struct {
	work
	id, before string // the tries, this one and the one before it
	at         store.Zoned
	score      quizScore
	complete   bool
}

// lastTries reads the last tries at quizzes that meet a condition, whose tables are m for the try
// and s for the summary log.
// kolibri/plugins/coach/class_summary_api.py: _get_quiz_status
func lastTries(tx *store.Tx, condition string, args ...any) ([]*lastTry, error) {
	latest, byID, before := map[work]*lastTry{}, map[string]*lastTry{}, map[string]*lastTry{}
	var all []*lastTry
	err := store.ForEach(tx, func(row store.Scanner) error {
		t := &lastTry{}
		if err := row.Scan(&t.id, &t.user, &t.content, &t.complete, &t.at); err != nil {
			return err
		}
		newer := latest[t.work]
		switch {
		case newer == nil:
			latest[t.work], byID[t.id], all = t, t, append(all, t)
		case newer.before == "" && t.at.Time().Before(newer.at.Time()):
			newer.before, before[t.id] = t.id, newer
		}
		return nil
	}, `SELECT m.id, m.user_id, s.content_id, m.complete, m.end_timestamp FROM logger_masterylog m JOIN logger_contentsummarylog s ON s.id = m.summarylog_id
		WHERE m.mastery_level < 0 AND `+condition+" ORDER BY CASE WHEN m.end_timestamp IS NULL THEN 1 ELSE 0 END, m.end_timestamp DESC, m.id", args...)
	if err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(byID)), many) {
		err := store.ForEach(tx, func(row store.Scanner) error {
			var id string
			var correct api.Float
			var answered int64
			var last store.Zoned
			err := row.Scan(&id, &correct, &answered, &last)
			byID[id].score = quizScore{Correct: &correct, Answered: &answered, LastActivity: api.Time(last.Time())}
			return err
		}, `SELECT masterylog_id, SUM(correct), COUNT(*), MAX(end_timestamp) FROM logger_attemptlog
			WHERE masterylog_id IN ? GROUP BY masterylog_id`, store.In(chunk))
		if err != nil {
			return nil, err
		}
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(before)), many) {
		err := store.ForEach(tx, func(row store.Scanner) error {
			var id string
			var right int64
			err := row.Scan(&id, &right)
			before[id].score.Before = right
			return err
		}, `SELECT masterylog_id, COUNT(DISTINCT item) FROM logger_attemptlog WHERE correct = 1
			AND masterylog_id IN ? GROUP BY masterylog_id`, store.In(chunk))
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// examStatuses tells how far whoever began some quizzes is with them.
func examStatuses(tx *store.Tx, quizzes []string) ([]*examStatus, error) {
	all := []*examStatus{}
	if len(quizzes) == 0 {
		return all, nil
	}
	tries, err := lastTries(tx, "s.content_id IN ?", store.In(quizzes))
	for _, t := range tries {
		status := started
		if t.complete {
			status = completed
		}
		all = append(all, &examStatus{t.score, t.user, status, t.content})
	}
	return all, err
}

// progress is a question about the work of some learners on some resources.
type progress struct {
	nodes    map[string][]string // the nodes of each content
	learners string              // the query for the learners' ids, with its arguments
	of       []any
	told     string // which notifications count, with the arguments
	toldArgs []any
	tries    bool // practice quizzes get their scores
}

// contentStatuses tells how far learners are with resources.
// kolibri/plugins/coach/class_summary_api.py: content_status_serializer
func contentStatuses(tx *store.Tx, q progress) ([]*contentStatus, error) {
	all := []*contentStatus{}
	if len(q.nodes) == 0 {
		return all, nil
	}
	learners := "(SELECT id FROM kolibriauth_facilityuser WHERE date_deleted IS NULL AND id IN (" + q.learners + "))"
	// what learners did is less than what all did on a resource: coalesce keeps SQLite from
	// looking the logs up by resource
	contents := store.In(slices.Sorted(maps.Keys(q.nodes)))
	const ofContents = " AND coalesce(s.content_id, s.content_id) IN ?"
	scores := map[work]*lastTry{}
	if q.tries {
		tries, err := lastTries(tx, "s.user_id IN "+learners+ofContents, append(slices.Clone(q.of), contents)...)
		if err != nil {
			return nil, err
		}
		for _, t := range tries {
			scores[t.work] = t
		}
	}
	helpless, err := needHelp(tx, q.told, q.toldArgs...)
	if err != nil {
		return nil, err
	}
	err = store.ForEach(tx, func(row store.Scanner) error {
		v := &contentStatus{Tries: new(int64)}
		var kind string
		var last store.Zoned
		var part float64
		var attempted bool
		if err := row.Scan(&v.Learner, &v.Content, &last, &v.TimeSpent, &part, &kind, &attempted, v.Tries); err != nil {
			return err
		}
		v.LastActivity = api.Time(last.Time())
		switch {
		case part == 1:
			v.Status = completed
		case slices.ContainsFunc(q.nodes[v.Content], func(node string) bool { return helpless[work{v.Learner, node}] }):
			v.Status = helpNeeded
		case kind == "exercise" && !attempted:
			v.Status = notStarted
		default:
			v.Status = started
		}
		if t := scores[work{v.Learner, v.Content}]; t != nil {
			v.practiced = &practiced{t.complete, t.score}
			v.LastActivity = t.score.LastActivity
		}
		all = append(all, v)
		return nil
	}, `SELECT s.user_id, s.content_id, s.end_timestamp, s.time_spent, s.progress, s.kind,
		EXISTS (SELECT 1 FROM logger_attemptlog a JOIN logger_masterylog m ON m.id = a.masterylog_id WHERE m.summarylog_id = s.id),
		(SELECT COUNT(*) FROM logger_masterylog m WHERE m.summarylog_id = s.id)
		FROM logger_contentsummarylog s WHERE s.user_id IN `+learners+ofContents+" ORDER BY s.id", append(slices.Clone(q.of), contents)...)
	return all, err
}

// needHelp finds who was told to need help with which node, and not told to have completed it since.
// kolibri/plugins/coach/class_summary_api.py: fetch_notification_maps
func needHelp(tx *store.Tx, condition string, args ...any) (map[work]bool, error) {
	found := map[work]bool{}
	return found, store.ForEach(tx, func(row store.Scanner) error {
		var w work
		var help, done store.Zoned
		err := row.Scan(&w.user, &w.content, &help, &done)
		found[w] = done.Time().IsZero() || done.Time().Before(help.Time())
		return err
	}, `SELECT user_id, contentnode_id, MAX(CASE WHEN notification_event = 'HelpNeeded' THEN timestamp END),
		MAX(CASE WHEN notification_event = 'Completed' THEN timestamp END)
		FROM notifications_learnerprogressnotification WHERE notification_event IN ('HelpNeeded', 'Completed') AND contentnode_id IS NOT NULL AND `+condition+`
		GROUP BY user_id, contentnode_id HAVING MAX(CASE WHEN notification_event = 'HelpNeeded' THEN timestamp END) IS NOT NULL`, args...)
}
