// Package logger keeps what people do with the library: sessions, summaries, tries and answers
// (kolibri/core/logger).
package logger

import (
	"net/http"

	"kolibri/core/api"
)

// Logger answers for the app.
type Logger struct{ host *api.Host }

// New makes the app of a host.
func New(host *api.Host) *Logger { return &Logger{host} }

// Routes are the app's APIs.
func (l *Logger) Routes() []api.Route {
	return append(csvRequestRoutes(), []api.Route{
		{Name: "kolibri:core:userprogress-detail", Method: http.MethodGet, Handle: userProgress},
		{Name: "kolibri:core:masterylog-list", Method: http.MethodGet, Handle: listTries},
		{Name: "kolibri:core:masterylog-detail", Method: http.MethodGet, Handle: oneTry},
		{Name: "kolibri:core:masterylog-diff", Method: http.MethodGet, Handle: diffTry},
		{Name: "kolibri:core:attemptlog-list", Method: http.MethodGet, Handle: listAttempts},
		{Name: "kolibri:core:attemptlog-detail", Method: http.MethodGet, Handle: oneAttempt},
		{Name: "kolibri:core:trackprogress-list", Method: http.MethodPost, Handle: l.start, CSRFAlways: true},
		{Name: "kolibri:core:trackprogress-detail", Method: http.MethodPut, Handle: l.update, CSRFAlways: true},
	}...)
}

// userProgress answers with somebody's points: one for every resource that he completed, and for
// exercises and quizzes one for every try. Everybody sees his own alone.
// kolibri/core/logger/api.py: TotalContentProgressViewSet
func userProgress(r *api.Request) (any, error) {
	id := r.Param("pk")
	if r.Session.UserID == "" || id != r.Session.UserID {
		return nil, r.PermissionDenied()
	}
	points, err := r.Tx.Int(`SELECT CAST(SUM(CASE WHEN m.tries > 0 THEN m.done ELSE s.progress END) AS INTEGER) FROM logger_contentsummarylog s
		LEFT JOIN (SELECT summarylog_id, COUNT(*) AS tries, SUM(CASE WHEN complete = TRUE THEN 1 ELSE 0 END) AS done
			FROM logger_masterylog WHERE user_id = ? GROUP BY summarylog_id) m ON m.summarylog_id = s.id
		WHERE s.user_id = ? AND (s.progress = 1 OR m.tries > 0)`, id, id)
	return struct {
		ID       string `json:"id"`
		Progress int64  `json:"progress"`
	}{id, points}, err
}
