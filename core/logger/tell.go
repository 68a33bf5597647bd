package logger

import (
	"time"

	"kolibri/core/auth"
	"kolibri/core/notifications"
	"kolibri/store"
)

// What learners leave behind is told to their coaches. The original does that some seconds later, in
// a thread; here it is a part of the same transaction.

// work is what somebody is about to do, as notifications need it.
func (at *visit) work(p *auth.Person, summary string) notifications.Work {
	return notifications.Work{User: p.ID, Content: at.content, Channel: at.channel, Kind: at.kind, Summary: summary,
		Node: at.context.Node, Lesson: at.context.Lesson, Course: at.context.Course}
}

// work is what somebody did in a session.
func (s *session) work(p *auth.Person, tryID string) notifications.Work {
	w := notifications.Work{User: p.ID, Content: s.content, Summary: s.summary.id, Try: tryID,
		Node: s.context.Node, Lesson: s.context.Lesson, Course: s.context.Course}
	if s.summary.channel != nil {
		w.Channel = *s.summary.channel
	}
	return w
}

// taken is the quiz or the test that a context is about; nil for anything else.
func (c sessionContext) taken(p *auth.Person, content string) *notifications.Quiz {
	switch {
	case c.Quiz != "":
		return &notifications.Quiz{User: p.ID, ID: c.Quiz}
	case c.Unit != "" && c.Course != "":
		return &notifications.Quiz{User: p.ID, ID: content, Course: c.Course}
	}
	return nil
}

// answered remembers to tell of an answer.
// kolibri/core/logger/api.py: ProgressTrackingViewSet._process_attempt_notifications
func (s *session) answered(p *auth.Person, tryID string, a *attempt, created bool) {
	if p.IsAnonymous() {
		return
	}
	w := s.work(p, tryID)
	s.told = append(s.told, func(tx *store.Tx) error { return w.Attempted(tx, a.ID) })
	if q := s.context.taken(p, s.content); q != nil && created {
		begun := time.Duration(float64(a.TimeSpent) * float64(time.Second))
		s.told = append(s.told, func(tx *store.Tx) error { return q.Answered(tx, tx.Now().Add(-begun)) })
	}
}
