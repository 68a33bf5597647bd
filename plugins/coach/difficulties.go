package coach

import (
	"net/http"
	"slices"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// difficulty is how a question was answered: the sum of what was right, and of how many.
type difficulty struct {
	Item    string    `json:"item"`
	Correct api.Float `json:"correct"`
	Total   int64     `json:"total"`
}

func scanDifficulty(row store.Scanner) (d difficulty, err error) {
	return d, row.Scan(&d.Item, &d.Correct, &d.Total)
}

// member is the condition that the user of t belongs to a collection.
const member = "t.user_id IN (SELECT user_id FROM kolibriauth_membership WHERE collection_id IN ?)"

// exerciseReader checks that the person may see how questions of a resource were answered in the
// class, group or lesson that the parameters name, and returns by whom: by the members of some
// collections, or by everybody when there are none.
// kolibri/plugins/coach/api.py: ExerciseDifficultiesPermissions
func exerciseReader(r *api.Request) (members []string, nobody bool, err error) {
	q := r.Query()
	if !q.Has("classroom_id") {
		return nil, false, api.Detail(http.StatusPreconditionFailed, "The following parameters were missing and are required: classroom_id")
	}
	if _, err := auth.RequireSignedIn(r); err != nil {
		return nil, false, err
	}
	class, group := q.Get("classroom_id"), q.Get("group_id")
	over := class
	if group != "" {
		over = group
	}
	lesson, named := "", q.Get("lesson_id") != ""
	if named {
		lesson, _ = api.ParseUUID(q.Get("lesson_id"))
		if over, err = classOf(r.Tx, "lessons_lesson", lesson); err != nil {
			return nil, false, err
		}
	}
	if err := coaching(r, over); err != nil {
		return nil, false, err
	}
	classID, _ := api.ParseUUID(class)
	groupID, _ := api.ParseUUID(group)
	if named {
		if members, err = r.Tx.Strings("SELECT collection_id FROM lessons_lessonassignment WHERE lesson_id = ?", lesson); err != nil {
			return nil, false, err
		}
		if !q.Has("group_id") {
			return members, len(members) == 0, nil
		}
		// a group that does not have the lesson, nor has its class
		nobody = !slices.Contains(members, groupID) && !slices.Contains(members, classID)
	}
	switch {
	case !q.Has("group_id"):
		return nil, false, nil
	case groupID != "":
		return []string{groupID}, nobody, nil
	case group == "" && classID != "":
		return []string{classID}, nobody, nil
	}
	return nil, true, nil
}

// exerciseDifficulties answers with how each question of an exercise was answered.
// kolibri/plugins/coach/api.py: ExerciseDifficultQuestionsViewset
func (c *Coach) exerciseDifficulties(r *api.Request) (any, error) {
	members, nobody, err := exerciseReader(r)
	content, known := api.ParseUUID(r.Param("pk"))
	if err == nil && !known {
		err = r.NotFound()
	}
	if err != nil || nobody {
		return []difficulty{}, err
	}
	q := &api.Query{From: `logger_attemptlog t JOIN logger_masterylog m ON m.id = t.masterylog_id JOIN logger_contentsummarylog s ON s.id = m.summarylog_id
		JOIN logger_contentsessionlog v ON v.id = t.sessionlog_id LEFT JOIN kolibriauth_facilityuser u ON u.id = v.user_id`}
	q.Where("s.content_id = ?", content).Where("u.date_deleted IS NULL")
	if members != nil {
		q.Where(strings.Replace(member, "t.", "s.", 1), store.In(members)) // the summary's user, which spares reading others' answers
	}
	text, args := q.SQL("t.item, SUM(t.correct), COUNT(t.correct)")
	return store.Select(r.Tx, scanDifficulty, text+" GROUP BY t.item ORDER BY t.item", args...)
}

// practiceQuizDifficulties answers with how each question of a practice quiz was answered in the
// last try that each learner handed in. Who handed none in does not count.
// kolibri/plugins/coach/api.py: PracticeQuizDifficultQuestionsViewset
func (c *Coach) practiceQuizDifficulties(r *api.Request) (any, error) {
	members, nobody, err := exerciseReader(r)
	content, known := api.ParseUUID(r.Param("pk"))
	if err == nil && !known {
		err = r.NotFound()
	}
	if err != nil || nobody {
		return []difficulty{}, err
	}
	q := &api.Query{From: "logger_masterylog t JOIN logger_contentsummarylog s ON s.id = t.summarylog_id"}
	q.Where("s.content_id = ?", content).Where("t.complete = TRUE AND t.mastery_level < 0")
	if members != nil {
		q.Where(member, store.In(members))
	}
	text, args := q.SQL(`t.id, ROW_NUMBER() OVER (PARTITION BY t.user_id
		ORDER BY CASE WHEN t.completion_timestamp IS NULL THEN 1 ELSE 0 END, t.completion_timestamp DESC, t.id) AS n`)
	return store.Select(r.Tx, scanDifficulty, "WITH last AS (SELECT id FROM ("+text+`) x WHERE n = 1)
		SELECT a.item, SUM(a.correct), (SELECT COUNT(*) FROM last) FROM logger_attemptlog a WHERE a.masterylog_id IN (SELECT id FROM last)
		GROUP BY a.item ORDER BY a.item`, args...)
}

// quizDifficulties answers with how each question of a quiz was answered: while the quiz is open,
// by those who handed it in; afterwards, by all who began it.
// kolibri/plugins/coach/api.py: QuizDifficultQuestionsViewset
func (c *Coach) quizDifficulties(r *api.Request) (any, error) {
	if _, err := auth.RequireSignedIn(r); err != nil {
		return nil, err
	}
	quiz, _ := api.ParseUUID(r.Param("pk"))
	class, err := classOf(r.Tx, "exams_exam", quiz)
	if err != nil {
		return nil, err
	}
	if err := coaching(r, class); err != nil { // nobody coaches the class of an unknown quiz
		return nil, err
	}
	open, err := r.Tx.Exists("SELECT 1 FROM exams_exam WHERE id = ? AND active = TRUE", quiz)
	if err != nil {
		return nil, err
	}
	answers := &api.Query{From: "logger_attemptlog t JOIN logger_contentsessionlog v ON v.id = t.sessionlog_id"}
	// a condition on the session, not a join, is looked at once for all its answers
	answers.Where("v.content_id = ?", quiz).Where("NOT EXISTS (SELECT 1 FROM kolibriauth_facilityuser u WHERE u.id = v.user_id AND u.date_deleted IS NOT NULL)")
	takers := &api.Query{From: "logger_masterylog t JOIN logger_contentsummarylog s ON s.id = t.summarylog_id"}
	takers.Where("s.content_id = ?", quiz)
	if open {
		answers.Join("JOIN logger_masterylog m ON m.id = t.masterylog_id").Where("m.complete = TRUE")
		takers.Where("t.complete = TRUE")
	}
	among := class
	if group := r.Query(); group.Has("group_id") {
		id, known := api.ParseUUID(group.Get("group_id"))
		if !known {
			return nil, api.FieldError(api.Invalid, "group_id", "Enter a valid UUID.")
		}
		among = id
		answers.Where(member, store.In([]string{id}))
	}
	takers.Where(member, store.In([]string{among}))
	total, err := takers.Count(r.Tx)
	if err != nil {
		return nil, err
	}
	text, args := answers.SQL("t.item, SUM(t.correct)")
	return store.Select(r.Tx, func(row store.Scanner) (difficulty, error) {
		d := difficulty{Total: total}
		return d, row.Scan(&d.Item, &d.Correct)
	}, text+" GROUP BY t.item ORDER BY t.item", args...)
}
