package logger

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

// attempt is an answer to a question, with all that led to it, as pages get it.
type attempt struct {
	ID        string          `json:"id"`
	Correct   api.Float       `json:"correct"`
	Complete  bool            `json:"complete"`
	Hinted    bool            `json:"hinted"`
	Error     bool            `json:"error"`
	Item      string          `json:"item"`
	Answer    json.RawMessage `json:"answer"`
	TimeSpent api.Float       `json:"time_spent"`

	simple, history string
}

const attemptColumns = "SELECT id, correct, complete, hinted, error, item, answer, time_spent, simple_answer, interaction_history FROM logger_attemptlog "

func scanAttempt(row store.Scanner) (*attempt, error) {
	a := &attempt{}
	var correct, spent float64
	var answer *string
	err := row.Scan(&a.ID, &correct, &a.Complete, &a.Hinted, &a.Error, &a.Item, &answer, &spent, &a.simple, &a.history)
	a.Correct, a.TimeSpent, a.Answer = api.Float(correct), api.Float(spent), api.Raw("")
	if answer != nil {
		a.Answer = api.Raw(*answer)
	}
	return a, err
}

// enough is how many of the last answers tell whether a try is complete, where it is not ten.
var enough = map[string]int64{"num_correct_in_a_row_2": 2, "num_correct_in_a_row_3": 3, "num_correct_in_a_row_5": 5, "num_correct_in_a_row_10": 10}

// pastAttempts are the answers of a try that a page needs to go on: all of a quiz, else the latest.
func pastAttempts(tx *store.Tx, t *try) (*assessed, error) {
	var model struct {
		Type string `json:"type"`
		N    int64  `json:"n"`
	}
	if err := json.Unmarshal([]byte(t.criterion), &model); err != nil {
		return nil, err
	}
	order := " ORDER BY " + tx.Dialect().RowID()
	if model.Type != quizModel && model.Type != prePostTest {
		limit := int64(10)
		if model.Type == mOfN {
			limit = model.N
		} else if n, ok := enough[model.Type]; ok {
			limit = n
		}
		order = " ORDER BY start_timestamp DESC, " + tx.Dialect().RowID() + " LIMIT " + strconv.FormatInt(limit, 10)
	}
	past, err := store.Select(tx, scanAttempt, attemptColumns+"WHERE masterylog_id = ?"+order, t.id)
	if err != nil {
		return nil, err
	}
	total, err := tx.Int("SELECT COUNT(*) FROM logger_attemptlog WHERE masterylog_id = ?", t.id)
	return &assessed{Criterion: api.Raw(t.criterion), Past: past, Total: total}, err
}

// interaction is one thing that somebody did about a question.
type interaction struct {
	api.Values
	answer any // nil when none was given
}

var interactionFields = []api.Field{
	{Name: "id", Optional: true, Clean: api.CleanUUID},
	{Name: "item", Clean: api.CleanString(200, false)},
	{Name: "correct", Clean: cleanFloat(0, 1)},
	{Name: "complete", Optional: true, Default: false, Clean: api.CleanBool},
	{Name: "time_spent", Clean: cleanFloat(0, maxSeconds)},
	{Name: "answer", Optional: true, Clean: cleanDict},
	{Name: "simple_answer", Optional: true, Clean: api.CleanString(200, true)},
	{Name: "error", Optional: true, Default: false, Clean: api.CleanBool},
	{Name: "hinted", Optional: true, Default: false, Clean: api.CleanBool},
	{Name: "replace", Optional: true, Default: false, Clean: api.CleanBool},
}

// maxSeconds bounds the time that an answer took, so that its start is a time that can be written.
const maxSeconds = 10 * 365 * 24 * 3600

// cleanFloat accepts numbers within bounds.
func cleanFloat(least, most float64) func(*api.Request, any) (any, string, string) {
	return func(r *api.Request, v any) (any, string, string) {
		value, id, message := api.CleanFloat(r, v)
		n, ok := value.(float64)
		switch {
		case !ok:
			return value, id, message
		case n < least:
			return nil, "MIN_VALUE", "Ensure this value is greater than or equal to " + strconv.FormatFloat(least, 'f', -1, 64) + "."
		case n != n || n > most:
			return nil, "MAX_VALUE", "Ensure this value is less than or equal to " + strconv.FormatFloat(most, 'f', 1, 64) + "."
		}
		return n, "", ""
	}
}

// readInteractions reads the list of interactions of a body, if it has one.
// kolibri/core/logger/api.py: InteractionSerializer
func readInteractions(r *api.Request, bad *api.Invalidities, body map[string]any) []*interaction {
	raw, given := body["interactions"]
	if !given {
		return nil
	}
	list, ok := raw.([]any)
	if !ok {
		bad.Add("NOT_A_LIST", "interactions", "Expected a list of items.")
		return nil
	}
	all := []*interaction{}
	for _, element := range list {
		object, err := api.AsObject(element)
		if err != nil {
			bad.Add(api.Invalid, "interactions.non_field_errors", "Invalid data. Expected a dictionary.")
			continue
		}
		i := &interaction{Values: r.CleanInto(bad, "interactions.", object, interactionFields, false)}
		i.answer = i.Values["answer"]
		if !i.Bool("error") && i.answer == nil && !bad.Has("interactions.answer") {
			bad.Add(api.Invalid, "interactions.non_field_errors", "Must provide an answer if not an error")
		}
		all = append(all, i)
	}
	return all
}

// entry is what the history of an answer says of an interaction.
func (i *interaction) entry() map[string]any {
	switch {
	case i.Bool("error"):
		return map[string]any{"type": "error"}
	case i.Bool("hinted"):
		return map[string]any{"type": "hint", "answer": i.answer}
	}
	return map[string]any{"type": "answer", "answer": i.answer, "correct": i.float("correct")}
}

func (i *interaction) float(name string) api.Float {
	f, _ := i.Values[name].(float64)
	return api.Float(f)
}

// answer records interactions: those that follow each other about the same question belong to one
// answer, an earlier one or a new one.
// kolibri/core/logger/api.py: ProgressTrackingViewSet._update_or_create_attempts
func (l *Logger) answer(r *api.Request, p *auth.Person, s *session, tryID string, all []*interaction) ([]*attempt, error) {
	out := []*attempt{}
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].String("item") == all[0].String("item") {
			n++
		}
		a, err := l.answerOne(r, p, s, tryID, all[:n])
		if err != nil {
			return nil, err
		}
		out, all = append(out, a), all[n:]
	}
	return out, nil
}

func (l *Logger) answerOne(r *api.Request, p *auth.Person, s *session, tryID string, group []*interaction) (*attempt, error) {
	a, err := earlier(r.Tx, p, s, tryID, group[0])
	if err != nil {
		return nil, err
	}
	created := a == nil
	if created {
		if a, err = l.newAnswer(r, p, s, tryID, group[0]); err != nil {
			return nil, err
		}
		group = group[1:]
	}
	s.answered(p, tryID, a, created)
	if len(group) == 0 {
		return a, nil
	}
	row := morango.Row{"end_timestamp": store.Zoned(r.Now())}
	for _, i := range group {
		if err := a.add(r, i, row); err != nil {
			return nil, err
		}
	}
	row["interaction_history"], row["time_spent"] = a.history, float64(a.TimeSpent)
	return a, morango.Update(r.Tx, morango.AttemptLog, a.ID, row)
}

// earlier finds the answer that an interaction goes on with: the one it names, or, where it replaces
// one, the one to the same question. Otherwise it returns nil.
func earlier(tx *store.Tx, p *auth.Person, s *session, tryID string, i *interaction) (*attempt, error) {
	owner, args := "masterylog_id = ? AND user_id = ?", []any{tryID, p.ID}
	switch {
	case p.IsAnonymous():
		owner, args = "masterylog_id IS NULL AND user_id IS NULL AND sessionlog_id = ?", []any{s.id}
	case tryID == "":
		owner, args = "masterylog_id IS NULL AND user_id = ?", []any{p.ID}
	}
	byID := i.Has("id")
	switch {
	case byID:
		owner, args = owner+" AND id = ?", append(args, i.String("id"))
	case i.Bool("replace"):
		owner, args = owner+" AND item = ?", append(args, i.String("item"))
	default:
		return nil, nil
	}
	a, err := store.Get(tx, scanAttempt, attemptColumns+"WHERE "+owner+" ORDER BY start_timestamp DESC LIMIT 1", args...)
	if errors.Is(err, store.ErrNotFound) {
		if byID {
			return nil, plain("Invalid attemptlog id specified")
		}
		return nil, nil
	}
	return a, err
}

func (l *Logger) newAnswer(r *api.Request, p *auth.Person, s *session, tryID string, i *interaction) (*attempt, error) {
	history, err := api.JSON([]any{i.entry()})
	if err != nil {
		return nil, err
	}
	answer := []byte("{}")
	if i.answer != nil {
		if answer, err = api.JSON(i.answer); err != nil {
			return nil, err
		}
	}
	a := &attempt{Correct: i.float("correct"), Complete: i.Bool("complete"), Hinted: i.Bool("hinted"), Error: i.Bool("error"),
		Item: i.String("item"), Answer: answer, TimeSpent: i.float("time_spent"), history: string(history), simple: i.String("simple_answer")}
	now := r.Now()
	var completed any
	if a.Complete {
		completed = store.Zoned(now)
	}
	a.ID, err = morango.Insert(r.Tx, l.host.Rand, morango.AttemptLog, morango.Row{
		"dataset_id": s.dataset, "user_id": store.Null(p.ID), "sessionlog_id": s.id, "masterylog_id": store.Null(tryID), "item": a.Item,
		"start_timestamp": store.Zoned(now.Add(-time.Duration(float64(a.TimeSpent) * float64(time.Second)))), "end_timestamp": store.Zoned(now),
		"completion_timestamp": completed, "time_spent": float64(a.TimeSpent), "complete": a.Complete, "correct": float64(a.Correct), "hinted": a.Hinted,
		"answer": string(answer), "simple_answer": a.simple, "interaction_history": a.history, "error": a.Error})
	return a, err
}

// add brings an answer forward by an interaction; row gets the columns that it changes.
func (a *attempt) add(r *api.Request, i *interaction, row morango.Row) error {
	var history []json.RawMessage
	if err := json.Unmarshal([]byte(a.history), &history); err != nil {
		return err
	}
	entry, err := api.JSON(i.entry())
	if err != nil {
		return err
	}
	text, err := api.JSON(append(history, entry))
	if err != nil {
		return err
	}
	a.history, a.TimeSpent = string(text), i.float("time_spent")
	if i.Bool("error") && !a.Error {
		a.Error, row["error"] = true, true
	}
	if i.Bool("hinted") && !a.Hinted && a.Correct == 0 { // a right answer needed no hint
		a.Hinted, row["hinted"] = true, true
	}
	if i.Bool("replace") {
		a.Correct, row["correct"] = i.float("correct"), float64(i.float("correct"))
		if i.answer != nil {
			answer, err := api.JSON(i.answer)
			if err != nil {
				return err
			}
			a.Answer, row["answer"] = answer, string(answer)
		}
		if i.Has("simple_answer") {
			row["simple_answer"] = i.String("simple_answer")
		}
	}
	if i.Bool("complete") && !a.Complete {
		a.Complete, row["complete"], row["completion_timestamp"] = true, true, store.Zoned(r.Now())
	}
	return nil
}
