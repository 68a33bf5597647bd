package coach

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// notificationRoutes are what coaches ask again and again while they watch a class.
// kolibri/plugins/coach/api.py: ClassroomNotificationsViewset
func notificationRoutes() []api.Route {
	const list, detail = "kolibri:" + plugin + ":notifications-list", "kolibri:" + plugin + ":notifications-detail"
	return []api.Route{
		{Name: list, Method: http.MethodGet, Handle: notifications, Writes: true},
		{Name: list, Method: http.MethodPost, Handle: makeNotification},
		{Name: detail, Method: http.MethodGet, Handle: oneNotification},
		{Name: detail, Method: http.MethodPut, Handle: oneNotification},
		{Name: detail, Method: http.MethodPatch, Handle: oneNotification},
		{Name: detail, Method: http.MethodDelete, Handle: forgetNotification},
	}
}

type notification struct {
	ID          int64           `json:"id"`
	Timestamp   api.Time        `json:"timestamp"`
	User        string          `json:"user_id"`
	Classroom   string          `json:"classroom_id"`
	Lesson      *string         `json:"lesson_id"`
	Assignments json.RawMessage `json:"assignment_collections"`
	Reason      string          `json:"reason"`
	Quiz        *string         `json:"quiz_id"`
	NumCorrect  *int64          `json:"quiz_num_correct"`
	NumAnswered *int64          `json:"quiz_num_answered"`
	Node        *string         `json:"contentnode_id"`
	Object      string          `json:"object"`
	Event       string          `json:"event"`
}

const (
	notificationTable   = "notifications_learnerprogressnotification"
	notificationColumns = `n.id, n.timestamp, n.user_id, n.classroom_id, n.lesson_id, n.assignment_collections, n.reason, n.quiz_id,
		n.quiz_num_correct, n.quiz_num_answered, n.contentnode_id, n.notification_object, n.notification_event`
)

func scanNotification(row store.Scanner) (*notification, error) {
	n := &notification{}
	var at store.Zoned
	var assignments *string
	err := row.Scan(&n.ID, &at, &n.User, &n.Classroom, &n.Lesson, &assignments, &n.Reason, &n.Quiz, &n.NumCorrect, &n.NumAnswered,
		&n.Node, &n.Object, &n.Event)
	n.Timestamp, n.Assignments = api.Time(at.Time()), api.Raw("")
	if assignments != nil {
		n.Assignments = api.Raw(*assignments)
	}
	return n, err
}

// watched checks that the requesting person coaches the class that the parameters name.
func watched(r *api.Request) error {
	class := r.Query().Get("classroom_id")
	if !r.Query().Has("classroom_id") {
		return api.Detail(http.StatusPreconditionFailed, "The following parameters were missing and are required: classroom_id")
	}
	p, err := auth.UserOf(r)
	if err != nil {
		return err
	}
	id, ok := api.ParseUUID(class)
	if ok {
		ok, err = p.HasRoleForCollection(r.Tx, id, auth.Admin, auth.Coach)
	}
	if err == nil && !ok {
		err = r.Forbidden()
	}
	return err
}

// literal takes the meaning from the characters that LIKE treats as patterns.
var literal = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// limitOf is how many notifications are asked for; 0, as for what is no number, means all.
func limitOf(r *api.Request) (int64, error) {
	n, err := strconv.ParseInt(r.Query().Get("limit"), 10, 64)
	if err != nil {
		return 0, nil
	}
	if n < 0 { // for which the original fails
		return 0, api.FieldError(api.Invalid, "limit", "Enter a whole number that is not negative.")
	}
	return n, nil
}

// filterNotifications is the query for what the parameters ask for. Who asks neither for what is
// new nor for a page of what is old gets the last day on which something happened.
func filterNotifications(r *api.Request) (*api.Query, error) {
	q := &api.Query{From: notificationTable + " n", Order: "n.timestamp DESC, n.id"}
	for _, f := range [][2]string{{"classroom_id", "n.classroom_id"}, {"learner_id", "n.user_id"}} {
		id, err := r.UUIDParam(f[0])
		if err != nil {
			return nil, err
		}
		if id != "" {
			q.Where(f[1]+" = ?", id)
		}
	}
	if group := r.Query().Get("group_id"); group != "" {
		q.Where(`n.assignment_collections LIKE ? ESCAPE '\'`, "%"+literal.Replace(group)+"%")
	}
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	var bad api.Invalidities
	after, before := momentParam(r, &bad, "after"), momentParam(r, &bad, "before")
	if err := bad.Err(); err != nil {
		return nil, err
	}
	if !after.IsZero() {
		q.Where("n.timestamp > ?", store.Zoned(after))
	}
	if limit == 0 {
		before = time.Time{} // which only pages may look back from
	}
	if !before.IsZero() {
		q.Where("n.timestamp < ?", store.Zoned(before))
	}
	if !after.IsZero() || !before.IsZero() {
		return q, nil
	}
	text, args := q.SQL("n.timestamp")
	last, err := store.Select(r.Tx, func(row store.Scanner) (at store.Zoned, err error) { return at, row.Scan(&at) }, text+" LIMIT 1", args...)
	if err == nil && len(last) > 0 {
		q.Where("n.timestamp >= ?", store.Zoned(last[0].Time().Add(-24*time.Hour)))
	}
	return q, err
}

func momentParam(r *api.Request, bad *api.Invalidities, name string) time.Time {
	given := r.Query().Get(name)
	if given == "" {
		return time.Time{}
	}
	v, id, _ := api.CleanTime(r, given)
	if id != "" {
		bad.Add(api.Invalid, name, "Enter a valid date/time.")
	}
	at, _ := v.(time.Time)
	return at
}

// pollers is how many coaches at most are counted as watching.
const pollers = 10

// polling counts the coaches who watched in the last five minutes, and notes that this one does: the
// more they are, the less often their pages ask.
func polling(r *api.Request) (int64, error) {
	since := store.Zoned(r.Now().Add(-5 * time.Minute))
	n, err := r.Tx.Int("SELECT count(DISTINCT coach_id) FROM notifications_notificationslog WHERE timestamp >= ?", since)
	if err != nil || n >= pollers {
		return n, err
	}
	if _, err := r.Tx.Exec("INSERT INTO notifications_notificationslog (coach_id, timestamp) VALUES (?, ?)", r.Session.UserID, store.Zoned(r.Now())); err != nil {
		return 0, err
	}
	_, err = r.Tx.Exec("DELETE FROM notifications_notificationslog WHERE timestamp < ?", since)
	return n, err
}

func notifications(r *api.Request) (any, error) {
	if err := watched(r); err != nil {
		return nil, err
	}
	q, err := filterNotifications(r)
	if err != nil {
		return nil, err
	}
	coaches, err := polling(r)
	if err != nil {
		return nil, err
	}
	text, args := q.SQL(notificationColumns)
	limit, err := limitOf(r)
	if err != nil {
		return nil, err
	}
	if limit > 0 {
		text, args = text+" LIMIT ?", append(args, limit+1)
	}
	all, err := store.Select(r.Tx, scanNotification, text, args...)
	if err != nil {
		return nil, err
	}
	more := limit > 0 && int64(len(all)) > limit
	if more {
		all = all[:limit]
	}
	return struct {
		Results []*notification `json:"results"`
		Coaches int64           `json:"coaches_polling"`
		More    bool            `json:"more_results"`
	}{all, coaches, more}, nil
}

// makeNotification: only what learners do makes notifications. The original offers the method, and
// fails.
func makeNotification(r *api.Request) (any, error) {
	if err := watched(r); err != nil {
		return nil, err
	}
	return nil, api.FieldError(api.Invalid, "non_field_errors", "Notifications come from what learners do and cannot be made.")
}

// oneNotification answers with a notification of the class. To change it is allowed and changes
// nothing, as in the original.
func oneNotification(r *api.Request) (any, error) {
	if err := watched(r); err != nil {
		return nil, err
	}
	q, err := filterNotifications(r)
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(r.Param("pk"), 10, 32)
	if err != nil {
		return nil, r.NotFound()
	}
	text, args := q.Where("n.id = ?", id).SQL(notificationColumns)
	found, err := store.Select(r.Tx, scanNotification, text, args...)
	if err == nil && len(found) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func forgetNotification(r *api.Request) (any, error) {
	v, err := oneNotification(r)
	if err != nil {
		return nil, err
	}
	_, err = r.Tx.Exec("DELETE FROM "+notificationTable+" WHERE id = ?", v.(*notification).ID)
	return nil, err
}
