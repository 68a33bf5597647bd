package logger

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

// summary is all that a person ever did with a resource.
type summary struct {
	id                  string
	progress, timeSpent float64
	extra               string
	channel             *string
}

func findSummary(tx *store.Tx, user, contentID string) (*summary, error) {
	s := &summary{}
	err := tx.QueryRow("SELECT id, progress, time_spent, extra_fields, channel_id FROM logger_contentsummarylog WHERE user_id = ? AND content_id = ?", user, contentID).
		Scan(&s.id, &s.progress, &s.timeSpent, &s.extra, &s.channel)
	return s, err
}

// started is the answer to the start of a session: what is known of earlier ones.
type started struct {
	Progress  api.Float       `json:"progress"`
	Extra     json.RawMessage `json:"extra_fields"`
	TimeSpent api.Float       `json:"time_spent"`
	Complete  bool            `json:"complete"`
	*assessed
	Session string         `json:"session_id"`
	Context sessionContext `json:"context"`
}

// assessed is what started says besides of an assessment.
type assessed struct {
	Criterion any        `json:"mastery_criterion"`
	Past      []*attempt `json:"pastattempts"`
	Total     int64      `json:"totalattempts"`
}

// start begins a session with a resource, a quiz or a test. What guests do is kept without a summary.
// kolibri/core/logger/api.py: ProgressTrackingViewSet.create
func (l *Logger) start(r *api.Request) (any, error) {
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	at, err := visitOf(r, p)
	if err != nil {
		return nil, err
	}
	dataset, err := datasetOf(r, p)
	if err != nil {
		return nil, err
	}
	answer := &started{Extra: api.Raw("{}")}
	var visitor any
	if p.IsAnonymous() {
		if at.model != nil {
			answer.assessed = &assessed{Criterion: at.model, Past: []*attempt{}}
		}
		if c, err := r.HTTP.Cookie("visitor_id"); err == nil {
			if id, ok := api.ParseUUID(c.Value); ok {
				visitor = id
			}
		}
	} else if err := l.resumeSummary(r, p, at, answer); err != nil {
		return nil, err
	}
	kept, err := api.JSON(map[string]any{"context": at.context})
	if err != nil {
		return nil, err
	}
	now := store.Zoned(r.Now())
	answer.Context = at.context
	answer.Session, err = morango.Insert(r.Tx, l.host.Rand, morango.ContentSessionLog, morango.Row{
		"dataset_id": dataset, "user_id": store.Null(p.ID), "visitor_id": visitor, "content_id": at.content, "channel_id": store.Null(at.channel),
		"start_timestamp": now, "end_timestamp": now, "time_spent": 0.0, "progress": 0.0, "kind": at.kind, "extra_fields": string(kept)})
	return answer, err
}

// resumeSummary finds or makes the summary of a resource, and the try of an assessment.
func (l *Logger) resumeSummary(r *api.Request, p *auth.Person, at *visit, answer *started) error {
	now := store.Zoned(r.Now())
	s, err := findSummary(r.Tx, p.ID, at.content)
	begun := errors.Is(err, store.ErrNotFound)
	switch {
	case begun:
		s = &summary{extra: "{}"}
		s.id, err = morango.Insert(r.Tx, l.host.Rand, morango.ContentSummaryLog, morango.Row{
			"dataset_id": p.DatasetID, "user_id": p.ID, "content_id": at.content, "channel_id": store.Null(at.channel), "start_timestamp": now,
			"end_timestamp": now, "completion_timestamp": nil, "time_spent": 0.0, "progress": 0.0, "kind": at.kind, "extra_fields": s.extra})
	case err == nil:
		changes := morango.Row{"end_timestamp": now, "channel_id": store.Null(at.channel)}
		if at.repeat {
			s.progress, changes["progress"] = 0, 0.0
		}
		err = morango.Update(r.Tx, morango.ContentSummaryLog, s.id, changes)
	}
	if err != nil {
		return err
	}
	if begun {
		if err := at.work(p, s.id).Begun(r.Tx, r.Now()); err != nil {
			return err
		}
	}
	answer.Progress, answer.TimeSpent = api.Float(s.progress), api.Float(s.timeSpent)
	answer.Extra, answer.Complete = api.Raw(s.extra), s.progress >= 1
	if at.model == nil {
		return nil
	}
	t, err := l.resumeTry(r, p, at, s.id)
	if err != nil {
		return err
	}
	at.context.Mastery = &t.level
	answer.TimeSpent, answer.Complete = api.Float(t.timeSpent), t.complete
	answer.assessed, err = pastAttempts(r.Tx, t)
	return err
}

// try is one go at an assessment.
type try struct {
	id        string
	level     int64
	complete  bool
	timeSpent float64
	criterion string
}

// finished tells whether a coach's quiz was handed in: nothing can be added to it.
func (t *try) finished() bool {
	var model struct {
		Type          string `json:"type"`
		CoachAssigned bool   `json:"coach_assigned"`
	}
	// a criterion of another shape is no quiz
	_ = json.Unmarshal([]byte(t.criterion), &model)
	return t.complete && model.Type == quizModel && model.CoachAssigned
}

func scanTry(row store.Scanner) (*try, error) {
	t := &try{}
	var spent sql.NullFloat64
	err := row.Scan(&t.id, &t.level, &t.complete, &spent, &t.criterion)
	t.timeSpent = spent.Float64
	return t, err
}

const tryColumns = "SELECT id, mastery_level, complete, time_spent, mastery_criterion FROM logger_masterylog "

// resumeTry goes on with the open try of an assessment, or begins the first, or another one when
// the last is complete and a repetition was asked for. Levels count tries of exercises up from 1;
// tries of quizzes have random negative levels, so that tries on several devices stay apart.
// kolibri/core/logger/api.py: ProgressTrackingViewSet._get_or_create_masterylog
func (l *Logger) resumeTry(r *api.Request, p *auth.Person, at *visit, summaryID string) (*try, error) {
	isQuiz := at.model["type"] == quizModel || at.model["type"] == prePostTest
	sign := "> 0"
	if isQuiz {
		sign = "< 0"
	}
	t, err := store.Get(r.Tx, scanTry, tryColumns+"WHERE summarylog_id = ? AND user_id = ? AND mastery_level "+sign+
		" ORDER BY complete, end_timestamp DESC LIMIT 1", summaryID, p.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		t = nil
	case err != nil:
		return nil, err
	case !t.complete || !at.repeat:
		if t.finished() {
			return nil, r.PermissionDenied()
		}
		return t, nil
	}
	level := int64(1)
	if isQuiz {
		if level, err = randomLevel(l.host.Rand); err != nil {
			return nil, err
		}
	} else if t != nil {
		level = t.level + 1
	}
	criterion, err := api.JSON(at.model)
	if err != nil {
		return nil, err
	}
	now := store.Zoned(r.Now())
	t = &try{level: level, criterion: string(criterion)}
	t.id, err = morango.Insert(r.Tx, l.host.Rand, morango.MasteryLog, morango.Row{
		"dataset_id": p.DatasetID, "user_id": p.ID, "summarylog_id": summaryID, "mastery_criterion": t.criterion, "start_timestamp": now,
		"end_timestamp": now, "completion_timestamp": nil, "mastery_level": level, "complete": false, "time_spent": 0.0})
	if q := at.context.taken(p, at.content); err == nil && q != nil {
		err = q.Begun(r.Tx, r.Now())
	}
	return t, err
}

// randomLevel draws a negative number of 32 bits.
func randomLevel(random io.Reader) (int64, error) {
	var b [4]byte
	_, err := io.ReadFull(random, b[:])
	return -1 - int64(binary.BigEndian.Uint32(b[:])>>1), err
}

var updateFields = []api.Field{
	{Name: "progress_delta", Optional: true, Clean: cleanFloat(0, 1)},
	{Name: "progress", Optional: true, Clean: cleanFloat(0, 1)},
	{Name: "time_spent_delta", Optional: true, Clean: cleanFloat(0, math.MaxFloat64)},
	{Name: "extra_fields", Optional: true, Clean: cleanDict},
}

// update adds to a session, and to the summary and the try that belong to it.
// kolibri/core/logger/api.py: ProgressTrackingViewSet.update
func (l *Logger) update(r *api.Request) (any, error) {
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	change, err := readChange(r)
	if err != nil {
		return nil, err
	}
	s, err := openSession(r, p)
	if err != nil {
		return nil, err
	}
	if s.context.Quiz != "" {
		if err := mayTakeQuiz(r, p, s.context.Quiz); err != nil {
			return nil, err
		}
	}
	if err := morango.Update(r.Tx, morango.ContentSessionLog, s.id, change.columns(r, &s.progress, &s.timeSpent)); err != nil {
		return nil, err
	}
	var answer struct {
		Complete bool `json:"complete"`
		*answers
	}
	answer.Complete = s.progress >= 1
	tryID := ""
	if !p.IsAnonymous() {
		sum, err := l.updateSummary(r, p, s, change)
		if err != nil {
			return nil, err
		}
		answer.Complete = sum.progress >= 1
		if tryID, err = l.updateTry(r, p, s, sum.id, change, answer.Complete); err != nil {
			return nil, err
		}
	}
	if change.interactions != nil {
		attempts, err := l.answer(r, p, s, tryID, change.interactions)
		if err != nil {
			return nil, err
		}
		answer.answers = &answers{attempts}
	}
	for _, tell := range s.told {
		if err := tell(r.Tx); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

type answers struct {
	Attempts []*attempt `json:"attempts"`
}

// change is what a page says has happened since it last did.
type change struct {
	values       api.Values
	interactions []*interaction // nil when none were mentioned
}

func readChange(r *api.Request) (*change, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	var bad api.Invalidities
	c := &change{values: r.CleanInto(&bad, "", body, updateFields, false)}
	c.interactions = readInteractions(r, &bad, body)
	if err := bad.Err(); err != nil {
		return nil, err
	}
	if c.values.Has("progress") && c.values.Has("progress_delta") {
		return nil, api.FieldError(api.Invalid, "non_field_errors", "must not pass progress_delta and progress in the same request")
	}
	return c, nil
}

// columns are the columns of a log that a change touches; progress and time are brought forward.
func (c *change) columns(r *api.Request, progress, timeSpent *float64) morango.Row {
	row := morango.Row{"end_timestamp": store.Zoned(r.Now())}
	if delta, ok := c.values["progress_delta"].(float64); ok {
		*progress = thousandths(*progress + delta)
		row["progress"] = *progress
	}
	if now, ok := c.values["progress"].(float64); ok {
		*progress = thousandths(now)
		row["progress"] = *progress
	}
	if delta, ok := c.values["time_spent_delta"].(float64); ok {
		*timeSpent += delta
		row["time_spent"] = *timeSpent
	}
	return row
}

// thousandths rounds a progress up to three decimal places, within 0 and 1.
func thousandths(progress float64) float64 {
	return max(0, min(1, math.Ceil(progress*1000)/1000))
}

// session is an open session.
type session struct {
	id, content         string
	progress, timeSpent float64
	dataset             string
	context             sessionContext
	summary             *summary // nil for guests
	// told is what coaches are to be told of, once everything is written.
	told []func(*store.Tx) error
}

// openSession finds the session of a request's path. It belongs to the person, or to a guest.
func openSession(r *api.Request, p *auth.Person) (*session, error) {
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, r.NotFound()
	}
	owner, args := "user_id IS NULL", []any{id}
	if !p.IsAnonymous() {
		owner, args = "user_id = ?", append(args, p.ID)
	}
	s := &session{id: id}
	var extra string
	err := r.Tx.QueryRow("SELECT content_id, progress, time_spent, dataset_id, extra_fields FROM logger_contentsessionlog WHERE id = ? AND "+owner, args...).
		Scan(&s.content, &s.progress, &s.timeSpent, &s.dataset, &extra)
	if errors.Is(err, store.ErrNotFound) {
		return nil, r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	var kept struct {
		Context sessionContext `json:"context"`
	}
	// sessions of old devices have no context, or one of another shape
	_ = json.Unmarshal([]byte(extra), &kept)
	s.context = kept.Context
	return s, nil
}

func (l *Logger) updateSummary(r *api.Request, p *auth.Person, s *session, c *change) (*summary, error) {
	sum, err := findSummary(r.Tx, p.ID, s.content)
	if errors.Is(err, store.ErrNotFound) {
		return nil, r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	s.summary = sum
	complete := sum.progress >= 1
	row := c.columns(r, &sum.progress, &sum.timeSpent)
	if sum.progress >= 1 && !complete {
		row["completion_timestamp"] = store.Zoned(r.Now())
		s.told = append(s.told, s.work(p, "").Finished)
	}
	if extra, ok := c.values["extra_fields"]; ok {
		text, err := api.JSON(extra)
		if err != nil {
			return nil, err
		}
		row["extra_fields"] = string(text)
	}
	return sum, morango.Update(r.Tx, morango.ContentSummaryLog, sum.id, row)
}

// updateTry adds to the try that a session is about, and returns its id; empty for no assessment.
func (l *Logger) updateTry(r *api.Request, p *auth.Person, s *session, summaryID string, c *change, complete bool) (string, error) {
	if s.context.Mastery == nil {
		return "", nil
	}
	t, err := store.Get(r.Tx, scanTry, tryColumns+"WHERE summarylog_id = ? AND user_id = ? AND mastery_level = ?", summaryID, p.ID, *s.context.Mastery)
	if errors.Is(err, store.ErrNotFound) {
		return "", plain("Invalid mastery_level value, this session has not been started.")
	}
	if err != nil {
		return "", err
	}
	row := morango.Row{}
	if delta, _ := c.values["time_spent_delta"].(float64); delta != 0 {
		row["time_spent"] = t.timeSpent + delta
	}
	now := store.Zoned(r.Now())
	switch {
	case complete && !t.complete:
		row["complete"], row["completion_timestamp"] = true, now
		if q := s.context.taken(p, s.content); q != nil {
			s.told = append(s.told, func(tx *store.Tx) error { return q.Finished(tx, t.id, tx.Now()) })
		}
	case t.finished():
		return "", r.PermissionDenied()
	}
	if len(row) == 0 {
		return t.id, nil
	}
	row["end_timestamp"] = now
	return t.id, morango.Update(r.Tx, morango.MasteryLog, t.id, row)
}
