package logger

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// narrow lets those logs through that the person may read and that the filters of all log views
// name: by facility, class, group and user. The log's table is named as given.
// kolibri/core/logger/api.py: BaseLogFilter
func narrow(r *api.Request, q *api.Query, table string) error {
	if err := auth.OnlyReadable(r, q, auth.Logs, table); err != nil {
		return err
	}
	const ofMembers = " IN (SELECT m.user_id FROM kolibriauth_membership m JOIN kolibriauth_collection c ON c.id = m.collection_id WHERE "
	for _, f := range [][2]string{
		{"facility", table + ".user_id IN (SELECT u.id FROM kolibriauth_facilityuser u WHERE u.facility_id = ?)"},
		{"classroom", table + ".user_id" + ofMembers + "c.id = ? OR c.parent_id = ?)"},
		{"learner_group", table + ".user_id" + ofMembers + "c.id = ?)"},
	} {
		id, err := r.UUIDParam(f[0])
		if err != nil {
			return err
		}
		if id == "" {
			continue
		}
		args := []any{id, id}
		q.Where(f[1], args[:strings.Count(f[1], "?")]...)
	}
	if err := auth.ChoiceParam(r, q, "user", table+".user_id", "SELECT 1 FROM kolibriauth_facilityuser WHERE id = ?"); err != nil {
		return err
	}
	if complete, given := r.BoolParam("complete"); given {
		q.Where(table+".complete = ?", complete)
	}
	return nil
}

// loggedTry is a try as the API shows it.
type loggedTry struct {
	ID        string          `json:"id"`
	Criterion json.RawMessage `json:"mastery_criterion"`
	Start     api.Time        `json:"start_timestamp"`
	End       api.Time        `json:"end_timestamp"`
	Completed api.Time        `json:"completion_timestamp"`
	Complete  bool            `json:"complete"`
	Correct   int64           `json:"correct"`
	TimeSpent *api.Float      `json:"time_spent"`
}

const loggedTryColumns = `t.id, t.mastery_criterion, t.start_timestamp, t.end_timestamp, t.completion_timestamp, t.complete,
	(SELECT CAST(COALESCE(SUM(a.correct), 0) AS INTEGER) FROM logger_attemptlog a WHERE a.masterylog_id = t.id), t.time_spent`

func scanLoggedTry(row store.Scanner) (*loggedTry, error) {
	v := &loggedTry{}
	var start, end, completed store.Zoned
	var spent sql.NullFloat64
	var criterion string
	err := row.Scan(&v.ID, &criterion, &start, &end, &completed, &v.Complete, &v.Correct, &spent)
	v.Criterion, v.Start, v.End, v.Completed = api.Raw(criterion), moment(start), moment(end), moment(completed)
	if spent.Valid {
		f := api.Float(spent.Float64)
		v.TimeSpent = &f
	}
	return v, err
}

// tries is the query of a request about tries: of one content, by one user, the latest first.
// kolibri/core/logger/api.py: MasteryLogViewSet
func tries(r *api.Request) (*api.Query, error) {
	var missing []string
	for _, name := range []string{"content", "user"} {
		if r.Query().Get(name) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, &api.Error{Status: http.StatusPreconditionFailed,
			Detail: "The following parameters were missing and are required: " + strings.Join(missing, ", ")}
	}
	q := &api.Query{From: "logger_masterylog t", Order: "CASE WHEN t.end_timestamp IS NULL THEN 1 ELSE 0 END, t.end_timestamp DESC, t.id"}
	if err := narrow(r, q, "t"); err != nil {
		return nil, err
	}
	contentID, err := r.UUIDParam("content")
	if err != nil {
		return nil, err
	}
	q.Where("t.summarylog_id IN (SELECT s.id FROM logger_contentsummarylog s WHERE s.content_id = ?)", contentID)
	if quiz, given := r.BoolParam("quiz"); given {
		q.Where("t.mastery_level " + map[bool]string{true: "< 0", false: ">= 0"}[quiz])
	}
	return q, nil
}

func listTries(r *api.Request) (any, error) {
	q, err := tries(r)
	if err != nil {
		return nil, err
	}
	return api.List(r, q, loggedTryColumns, r.PageSize(0, 0), scanLoggedTry)
}

func oneTry(r *api.Request) (any, error) {
	q, err := tries(r)
	if err != nil {
		return nil, err
	}
	id, _ := api.ParseUUID(r.Param("pk"))
	return first(r, q.Where("t.id = ?", id), loggedTryColumns, scanLoggedTry)
}

// first answers with the first row of a query, or 404.
func first[T any](r *api.Request, q *api.Query, columns string, scan func(store.Scanner) (T, error)) (any, error) {
	text, args := q.SQL(columns)
	found, err := store.Select(r.Tx, scan, text+" LIMIT 1", args...)
	if err == nil && len(found) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// diffTry answers with a try, counted back from the latest, its answers, and how both differ from
// the try before.
// kolibri/core/logger/api.py: MasteryLogViewSet.diff
func diffTry(r *api.Request) (any, error) {
	q, err := tries(r)
	if err != nil {
		return nil, err
	}
	back, err := strconv.Atoi(r.Param("pk"))
	if err != nil || back < 0 {
		return api.Status(http.StatusNotFound, "Parameter must be an integer"), nil
	}
	text, args := q.SQL(loggedTryColumns)
	found, err := store.Select(r.Tx, scanLoggedTry, text+" LIMIT 2 OFFSET ?", append(args, back)...)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return api.Status(http.StatusNotFound, "No mastery log found"), nil
	}
	type difference struct {
		Correct   *int64     `json:"correct"`
		TimeSpent *api.Float `json:"time_spent,omitempty"`
	}
	type answered struct {
		*loggedAttempt
		Diff difference `json:"diff"`
	}
	answer := struct {
		*loggedTry
		Diff     *difference `json:"diff"`
		Attempts []answered  `json:"attemptlogs"`
	}{loggedTry: found[0]}
	previous := ""
	if len(found) == 2 {
		previous = found[1].ID
		correct, spent := found[0].Correct-found[1].Correct, seconds(found[0])-seconds(found[1])
		answer.Diff = &difference{&correct, &spent}
	}
	answer.Attempts, err = store.Select(r.Tx, func(row store.Scanner) (v answered, err error) {
		var diff sql.NullFloat64
		v.loggedAttempt, err = scanLoggedAttempt(row, &diff)
		if diff.Valid {
			n := int64(diff.Float64)
			v.Diff.Correct = &n
		}
		return v, err
	}, "SELECT "+loggedAttemptColumns+`, a.correct - (SELECT b.correct FROM logger_attemptlog b
		WHERE b.masterylog_id = ? AND b.item = a.item AND b.user_id = a.user_id ORDER BY b.end_timestamp DESC LIMIT 1)
		FROM logger_attemptlog a WHERE a.masterylog_id = ? ORDER BY a.start_timestamp, a.id`, previous, found[0].ID)
	return answer, err
}

func seconds(t *loggedTry) api.Float {
	if t.TimeSpent == nil {
		return 0
	}
	return *t.TimeSpent
}

// loggedAttempt is an answer as the API shows it.
type loggedAttempt struct {
	ID        string          `json:"id"`
	Item      string          `json:"item"`
	Start     api.Time        `json:"start_timestamp"`
	End       api.Time        `json:"end_timestamp"`
	Completed api.Time        `json:"completion_timestamp"`
	TimeSpent api.Float       `json:"time_spent"`
	Complete  bool            `json:"complete"`
	Correct   api.Float       `json:"correct"`
	Hinted    bool            `json:"hinted"`
	Answer    json.RawMessage `json:"answer"`
	Simple    string          `json:"simple_answer"`
	History   json.RawMessage `json:"interaction_history"`
	User      *string         `json:"user"`
	Error     bool            `json:"error"`
	Mastery   *string         `json:"masterylog"`
	Session   string          `json:"sessionlog"`
}

const loggedAttemptColumns = `a.id, a.item, a.start_timestamp, a.end_timestamp, a.completion_timestamp, a.time_spent, a.complete, a.correct,
	a.hinted, a.answer, a.simple_answer, a.interaction_history, a.user_id, a.error, a.masterylog_id, a.sessionlog_id`

func scanLoggedAttempt(row store.Scanner, more ...any) (*loggedAttempt, error) {
	v := &loggedAttempt{}
	var start, end, completed store.Zoned
	var spent, correct float64
	var answer *string
	var history string
	err := row.Scan(append([]any{&v.ID, &v.Item, &start, &end, &completed, &spent, &v.Complete, &correct, &v.Hinted, &answer, &v.Simple,
		&history, &v.User, &v.Error, &v.Mastery, &v.Session}, more...)...)
	v.Start, v.End, v.Completed = moment(start), moment(end), moment(completed)
	v.TimeSpent, v.Correct, v.History, v.Answer = api.Float(spent), api.Float(correct), api.Raw(history), api.Raw("")
	if answer != nil {
		v.Answer = api.Raw(*answer)
	}
	return v, err
}

// attempts is the query of a request about answers.
// kolibri/core/logger/api.py: AttemptLogViewSet
func attempts(r *api.Request) (*api.Query, error) {
	q := &api.Query{From: "logger_attemptlog a", Order: "a.start_timestamp, a.id"}
	if err := narrow(r, q, "a"); err != nil {
		return nil, err
	}
	if err := auth.ChoiceParam(r, q, "masterylog", "a.masterylog_id", "SELECT 1 FROM logger_masterylog WHERE id = ?"); err != nil {
		return nil, err
	}
	if text := r.Query().Get("content"); text != "" {
		contentID, _ := api.ParseUUID(text)
		q.Where(`a.masterylog_id IN (SELECT t.id FROM logger_masterylog t JOIN logger_contentsummarylog s ON s.id = t.summarylog_id
			WHERE s.content_id = ?)`, contentID)
	}
	if item := r.Query().Get("item"); item != "" {
		q.Where("a.item = ?", item)
	}
	if text := r.Query().Get("mastery_level"); text != "" {
		level, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, api.FieldError(api.Invalid, "mastery_level", "Enter a number.")
		}
		q.Where("a.masterylog_id IN (SELECT t.id FROM logger_masterylog t WHERE t.mastery_level = ?)", level)
	}
	return q, nil
}

func scanOnlyAttempt(row store.Scanner) (*loggedAttempt, error) { return scanLoggedAttempt(row) }

func listAttempts(r *api.Request) (any, error) {
	q, err := attempts(r)
	if err != nil {
		return nil, err
	}
	return api.List(r, q, loggedAttemptColumns, r.PageSize(0, 0), scanOnlyAttempt)
}

func oneAttempt(r *api.Request) (any, error) {
	q, err := attempts(r)
	if err != nil {
		return nil, err
	}
	id, _ := api.ParseUUID(r.Param("pk"))
	return first(r, q.Where("a.id = ?", id), loggedAttemptColumns, scanOnlyAttempt)
}
