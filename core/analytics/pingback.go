package analytics

import (
	"errors"
	"strconv"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// pingback is a message from Kolibri's makers.
// kolibri/core/analytics/serializers.py: PingbackNotificationSerializer
type pingback struct {
	ID           string `json:"id"`
	VersionRange string `json:"version_range"`
	Timestamp    date   `json:"timestamp"`
	LinkURL      string `json:"link_url"`
	I18n         any    `json:"i18n"`
}

// date is a day.
type date struct{ api.Time }

// MarshalJSON implements json.Marshaler.
func (d date) MarshalJSON() ([]byte, error) {
	text, err := d.Time.MarshalJSON()
	if err == nil && len(text) > 11 {
		text = append(text[:11:11], '"')
	}
	return text, err
}

func scanPingback(row store.Scanner) (p pingback, err error) {
	var i18n string
	err = row.Scan(&p.ID, &p.VersionRange, &p.Timestamp, &p.LinkURL, &i18n)
	p.I18n = api.Raw(i18n)
	return p, err
}

const pingbackColumns = "id, version_range, timestamp, link_url, i18n"

// listPingback shows the messages for this version that the person has not dismissed.
// kolibri/core/analytics/api.py: PingbackNotificationViewSet
func (a *Analytics) listPingback(r *api.Request) (any, error) {
	return a.pingbacks(r, "")
}

func (a *Analytics) showPingback(r *api.Request) (any, error) {
	all, err := a.pingbacks(r, r.Param("pk"))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, r.NotFound()
	}
	return all[0], nil
}

func (a *Analytics) pingbacks(r *api.Request, id string) ([]pingback, error) {
	q := &api.Query{From: "analytics_pingbacknotification", Order: "timestamp DESC, id"}
	q.Where("active = TRUE")
	if id != "" {
		q.Where("id = ?", id)
	}
	if r.Session.UserID != "" {
		q.Where("id NOT IN (SELECT notification_id FROM analytics_pingbacknotificationdismissed WHERE user_id = ?)", r.Session.UserID)
	}
	text, args := q.SQL(pingbackColumns)
	all, err := store.Select(r.Tx, scanPingback, text, args...)
	fitting := make([]pingback, 0, len(all))
	for _, p := range all {
		if inRange(p.VersionRange) {
			fitting = append(fitting, p)
		}
	}
	return fitting, err
}

// dismissal says that somebody does not want to see a message any more.
type dismissal struct {
	User         string `json:"user"`
	Notification string `json:"notification"`
}

func scanDismissal(row store.Scanner) (d dismissal, err error) {
	return d, row.Scan(&d.User, &d.Notification)
}

// dismissals are the permissions: everybody's own.
var dismissals = &auth.Model{Name: "PingbackNotificationDismissed", Rules: []auth.Rule{auth.IsOwn{May: auth.Read | auth.Write}}}

var dismissalFields = []api.Field{
	{Name: "user", Clean: api.CleanKey("SELECT 1 FROM kolibriauth_facilityuser WHERE id = ? AND date_deleted IS NULL")},
	{Name: "notification", Clean: cleanNotification},
}

// cleanNotification accepts the id of a message, which is any text.
func cleanNotification(r *api.Request, v any) (any, string, string) {
	id, _ := v.(string)
	found, err := r.Tx.Exists("SELECT 1 FROM analytics_pingbacknotification WHERE id = ?", id)
	if err != nil || !found {
		return nil, api.DoesNotExist, `Invalid pk "` + id + `" - object does not exist.`
	}
	return id, "", ""
}

// listDismissed: kolibri/core/analytics/api.py: PingbackNotificationDismissedViewSet
func (a *Analytics) listDismissed(r *api.Request) (any, error) {
	q := &api.Query{From: "analytics_pingbacknotificationdismissed d", Order: "id"}
	if err := auth.OnlyReadable(r, q, dismissals, "d"); err != nil {
		return nil, err
	}
	return api.List(r, q, "user_id, notification_id", 0, scanDismissal)
}

func (a *Analytics) dismiss(r *api.Request) (any, error) {
	d, err := a.readDismissal(r, dismissal{}, 0, false)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Create, dismissals, auth.Object{UserID: d.User}); err != nil {
		return nil, err
	}
	_, err = r.Tx.Exec("INSERT INTO analytics_pingbacknotificationdismissed (user_id, notification_id) VALUES (?, ?)", d.User, d.Notification)
	return api.Created(d), err
}

// findDismissal is the row of the path, if the person may see it.
func (a *Analytics) findDismissal(r *api.Request) (d dismissal, id int64, err error) {
	if id, err = strconv.ParseInt(r.Param("pk"), 10, 64); err != nil {
		return d, 0, r.NotFound()
	}
	q := &api.Query{From: "analytics_pingbacknotificationdismissed d"}
	q.Where("d.id = ?", id)
	if err := auth.OnlyReadable(r, q, dismissals, "d"); err != nil {
		return d, 0, err
	}
	text, args := q.SQL("d.user_id, d.notification_id")
	d, err = store.Get(r.Tx, scanDismissal, text, args...)
	if errors.Is(err, store.ErrNotFound) {
		err = r.NotFound()
	}
	return d, id, err
}

func (a *Analytics) showDismissed(r *api.Request) (any, error) {
	d, _, err := a.findDismissal(r)
	return d, err
}

func (a *Analytics) changeDismissed(r *api.Request) (any, error) {
	d, id, err := a.findDismissal(r)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Update, dismissals, auth.Object{UserID: d.User}); err != nil {
		return nil, err
	}
	if d, err = a.readDismissal(r, d, id, r.HTTP.Method == "PATCH"); err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Update, dismissals, auth.Object{UserID: d.User}); err != nil { // nobody makes it another's
		return nil, err
	}
	_, err = r.Tx.Exec("UPDATE analytics_pingbacknotificationdismissed SET user_id = ?, notification_id = ? WHERE id = ?", d.User, d.Notification, id)
	return d, err
}

func (a *Analytics) dropDismissed(r *api.Request) (any, error) {
	d, id, err := a.findDismissal(r)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Delete, dismissals, auth.Object{UserID: d.User}); err != nil {
		return nil, err
	}
	_, err = r.Tx.Exec("DELETE FROM analytics_pingbacknotificationdismissed WHERE id = ?", id)
	return api.NoContent(), err
}

// readDismissal reads the body over what is there; a person dismisses a message once.
func (a *Analytics) readDismissal(r *api.Request, d dismissal, id int64, partial bool) (dismissal, error) {
	body, err := r.Object()
	if err != nil {
		return d, err
	}
	v, err := r.Clean(body, dismissalFields, partial)
	if err != nil {
		return d, err
	}
	if v.Has("user") {
		d.User = v.String("user")
	}
	if v.Has("notification") {
		d.Notification = v.String("notification")
	}
	twice, err := r.Tx.Exists("SELECT 1 FROM analytics_pingbacknotificationdismissed WHERE user_id = ? AND notification_id = ? AND id <> ?", d.User, d.Notification, id)
	if err == nil && twice {
		err = api.FieldError(api.Unique, "non_field_errors", "The fields user, notification must make a unique set.")
	}
	return d, err
}
