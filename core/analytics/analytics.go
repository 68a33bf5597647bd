// Package analytics keeps the messages that Kolibri's makers and the server itself have for people
// (kolibri/core/analytics). Nothing is ever sent to anybody: notifications of the telemetry server
// are shown where a real Kolibri's home brings them along.
package analytics

import (
	"context"
	"net/http"
	"time"

	"kolibri/core/api"
	"kolibri/core/tasks"
	"kolibri/store"
)

// Analytics answers for the app.
type Analytics struct {
	host   *api.Host
	runner *tasks.Runner
}

// generate is the task that looks daily for something to tell.
const generate = "kolibri.core.analytics.tasks._generate_local_notifications"

// New makes the app of a host and gives its task its work.
func New(host *api.Host, runner *tasks.Runner) *Analytics {
	a := &Analytics{host, runner}
	runner.Handle(generate, tasks.Work{Run: a.generate})
	return a
}

// Routes are those of kolibri/core/analytics/api_urls.py.
func (a *Analytics) Routes() []api.Route {
	const name = "kolibri:core:"
	return []api.Route{
		{Name: name + "localnotification-list", Method: http.MethodGet, Handle: a.listLocal},
		{Name: name + "localnotification-detail", Method: http.MethodDelete, Handle: a.dropLocal},
		{Name: name + "pingbacknotification-list", Method: http.MethodGet, Handle: a.listPingback},
		{Name: name + "pingbacknotification-detail", Method: http.MethodGet, Handle: a.showPingback},
		{Name: name + "pingbacknotificationdismissed-list", Method: http.MethodGet, Handle: a.listDismissed},
		{Name: name + "pingbacknotificationdismissed-list", Method: http.MethodPost, Handle: a.dismiss},
		{Name: name + "pingbacknotificationdismissed-detail", Method: http.MethodGet, Handle: a.showDismissed},
		{Name: name + "pingbacknotificationdismissed-detail", Method: http.MethodPut, Handle: a.changeDismissed},
		{Name: name + "pingbacknotificationdismissed-detail", Method: http.MethodPatch, Handle: a.changeDismissed},
		{Name: name + "pingbacknotificationdismissed-detail", Method: http.MethodDelete, Handle: a.dropDismissed},
	}
}

// The times between two looks (kolibri/core/analytics/tasks.py).
const (
	cadence  = 24 * time.Hour
	cooldown = 90 * 24 * time.Hour
)

// Start plans the next look. kolibri/core/analytics/tasks.py: schedule_local_notification_generation
func (a *Analytics) Start(ctx context.Context) error {
	return a.host.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := a.runner.Enqueue(tx, generate, tasks.Spec{}, tasks.Schedule{At: tx.Now().Add(cadence)})
		if err == tasks.ErrRunning {
			return nil
		}
		return err
	})
}

// generate looks for something to tell, and plans the next look.
func (a *Analytics) generate(_ context.Context, t *tasks.Task) (any, error) {
	t.RetryIn(cadence)
	told := false
	err := t.Write(func(tx *store.Tx) (err error) {
		told, err = inviteImpactStories(tx)
		return err
	})
	if told {
		t.RetryIn(cooldown)
	}
	return nil, err
}
