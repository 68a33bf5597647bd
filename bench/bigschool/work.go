package bigschool

import (
	"fmt"
	"time"

	"kolibri/morango"
	"kolibri/store"
)

// task is something that learners of a class work on.
type task struct {
	content, node, kind string
	lesson, quiz        string
	criterion           string // empty for what is no assessment
}

// tasks are what the learners of a class work on, quizzes first.
func (b *builder) tasks(class int) []task {
	var all []task
	for _, id := range b.quizzes[class] {
		all = append(all, task{content: id, quiz: id, kind: "quiz", criterion: `{"type": "quiz", "coach_assigned": true}`})
	}
	for l, lesson := range b.lessons[class] {
		for _, k := range kinds {
			t := task{content: contentID(k.name, class+l), node: node(k.name, class+l), kind: k.kind, lesson: lesson}
			switch k.name {
			case "exercise":
				t.criterion = `{"type": "m_of_n", "m": 3, "n": 5}`
			case "drill":
				t.criterion = `{"type": "quiz", "coach_assigned": false}`
			}
			all = append(all, t)
		}
	}
	return all
}

// rows are the records of a class's work, written at once at the end.
type rows struct{ summaries, sessions, tries, attempts, visits []morango.Row }

// work writes what the learners of a class did.
func (b *builder) work(tx *store.Tx, class int) error {
	tasks, learners := b.tasks(class), b.members[class]
	var r rows
	for n, learner := range learners {
		share := b.size.Attempts/b.size.Learners + 1
		if class*len(learners)+n >= b.size.Attempts%b.size.Learners {
			share--
		}
		at := tx.Now().Add(-time.Duration(b.luck.Int64N(int64(span))))
		r.visits = append(r.visits, morango.Row{"user_id": learner, "dataset_id": b.Dataset, "channels": "", "pages": "", "device_info": "Linux,6/Chrome,130.0",
			"start_timestamp": store.Zoned(at), "last_interaction_timestamp": store.Zoned(at.Add(time.Hour))})
		for i := 0; share > 0 || i < len(tasks) && tasks[i].criterion == ""; i = (i + 1) % len(tasks) {
			t, again := tasks[i], len(r.summaries)
			if t.criterion == "" && again > 0 && r.seen(learner, t.content) {
				continue
			}
			answers := min(share, perTry)
			if t.criterion == "" {
				answers = 0
			}
			share -= answers
			if err := b.try(&r, t, learner, at, answers); err != nil {
				return err
			}
			at = at.Add(time.Hour)
		}
	}
	for _, w := range []struct {
		model *morango.Model
		rows  []morango.Row
	}{{morango.UserSessionLog, r.visits}, {morango.ContentSummaryLog, r.summaries}, {morango.ContentSessionLog, r.sessions}, {morango.MasteryLog, r.tries}, {morango.AttemptLog, r.attempts}} {
		if _, err := morango.InsertNew(tx, b.random, w.model, w.rows...); err != nil {
			return err
		}
	}
	return b.tell(tx, class, tasks)
}

// seen tells whether the learner has a summary of a content already.
func (r *rows) seen(learner, content string) bool {
	for i := len(r.summaries) - 1; i >= 0 && r.summaries[i]["user_id"] == learner; i-- {
		if r.summaries[i]["content_id"] == content {
			return true
		}
	}
	return false
}

// try adds one try at a task, with a session, and the summary if it is the first.
func (b *builder) try(r *rows, t task, learner string, at time.Time, answers int) error {
	end := at.Add(time.Duration(answers+1) * time.Minute)
	done := answers == perTry || answers == 0
	log := func(extra morango.Row) morango.Row {
		row := morango.Row{"user_id": learner, "dataset_id": b.Dataset, "start_timestamp": store.Zoned(at), "end_timestamp": store.Zoned(end), "time_spent": end.Sub(at).Seconds()}
		for column, value := range extra {
			row[column] = value
		}
		return row
	}
	progress, completed := 0.5, any(nil)
	if done {
		progress, completed = 1, store.Zoned(end)
	}
	channel := any(ID("channel"))
	if t.quiz != "" {
		channel = nil
	}
	level := b.level(t)
	summary := log(morango.Row{"content_id": t.content, "channel_id": channel, "kind": t.kind, "progress": progress, "extra_fields": "{}", "completion_timestamp": completed})
	if !r.seen(learner, t.content) {
		r.summaries = append(r.summaries, summary)
	}
	session := log(morango.Row{"content_id": t.content, "channel_id": channel, "kind": t.kind, "progress": progress, "extra_fields": "{}", "visitor_id": nil})
	ids, err := b.name(morango.ContentSummaryLog, summary)
	if err != nil {
		return err
	}
	visit, err := b.name(morango.ContentSessionLog, session)
	if err != nil {
		return err
	}
	session["$source"] = visit.Source
	r.sessions = append(r.sessions, session)
	if t.criterion == "" {
		return nil
	}
	try := log(morango.Row{"summarylog_id": ids.ID, "mastery_criterion": t.criterion, "mastery_level": level, "complete": done, "completion_timestamp": completed})
	name, err := b.name(morango.MasteryLog, try)
	if err != nil {
		return err
	}
	r.tries = append(r.tries, try)
	for q := range answers {
		right, from := float64(b.luck.IntN(3)/1%2), at.Add(time.Duration(q)*time.Minute)
		item := ID(fmt.Sprint("question ", q))
		if t.quiz != "" {
			item = node("exercise", q) + ":" + item
		}
		r.attempts = append(r.attempts, morango.Row{"user_id": learner, "dataset_id": b.Dataset, "sessionlog_id": visit.ID, "masterylog_id": name.ID, "item": item,
			"start_timestamp": store.Zoned(from), "end_timestamp": store.Zoned(from.Add(30 * time.Second)), "completion_timestamp": store.Zoned(from.Add(30 * time.Second)),
			"time_spent": 30.0, "complete": true, "correct": right, "hinted": false, "error": false, "answer": `{"value": 3}`, "simple_answer": "3",
			"interaction_history": fmt.Sprintf(`[{"type": "answer", "answer": {"value": 3}, "correct": %.1f}]`, right)})
	}
	return nil
}

// level is the number of a try: one for an exercise, a random negative one for a quiz.
func (b *builder) level(t task) int64 {
	if t.criterion == "" || t.kind == "exercise" && t.criterion[10] == 'm' {
		return 1
	}
	return -1 - b.luck.Int64N(1<<31-1)
}

// name finds out what a record will be known by, so that others can refer to it.
func (b *builder) name(m *morango.Model, row morango.Row) (morango.Identity, error) {
	return m.Identify(b.random, row)
}

// tell writes what the class's coach was told: that learners began and finished lessons and quizzes,
// and that some need help.
func (b *builder) tell(tx *store.Tx, class int, tasks []task) error {
	for n, learner := range b.members[class] {
		for i, t := range tasks {
			object, event, reason := "Resource", "Completed", ""
			if t.quiz != "" {
				object = "Quiz"
			} else if (n+i)%7 == 0 {
				event, reason = "HelpNeeded", "MultipleUnsuccessfulAttempts"
			}
			if _, err := tx.Exec(`INSERT INTO notifications_learnerprogressnotification (notification_object, notification_event, user_id, classroom_id,
				assignment_collections, contentnode_id, lesson_id, quiz_id, quiz_num_correct, quiz_num_answered, reason, course_session_id, timestamp)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)`, object, event, learner, b.Classes[class], `["`+b.Classes[class]+`"]`, store.Null(t.node),
				store.Null(t.lesson), store.Null(t.quiz), nil, nil, reason, store.Zoned(tx.Now().Add(-time.Duration(b.luck.Int64N(int64(span)))))); err != nil {
				return err
			}
		}
	}
	return nil
}
