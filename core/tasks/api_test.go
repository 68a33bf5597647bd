package tasks_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
	"kolibri/store"
)

const (
	tasksURL  = "/api/tasks/tasks/"
	export    = "kolibri.core.auth.tasks.exportuserstocsv"
	content   = "kolibri.core.content.tasks.diskexport"
	remove    = "kolibri.core.auth.tasks.deletefacility"
	provision = "kolibri.core.device.tasks.provisiondevice"
	cleanup   = "kolibri.core.deviceadmin.tasks.streamed_cache_cleanup"
)

// plant puts a job into the table as another server would have left it. No worker takes it: its
// time has not come.
func plant(t *testing.T, s *servertest.School, name, kind, state, facility string, cancellable bool) string {
	t.Helper()
	id := servertest.ID(name)
	job := map[string]any{"job_id": id, "func": kind, "state": state, "facility_id": nil, "args": []any{"a"}, "kwargs": map[string]any{},
		"extra_metadata": map[string]any{}, "cancellable": cancellable, "progress": 1, "total_progress": 4}
	if facility != "" {
		job["facility_id"] = facility
	}
	saved, err := json.Marshal(job)
	require.NoError(t, err)
	s.Exec(t, `INSERT INTO jobs (id, state, func, priority, queue, saved_job, time_created, interval, repeat, scheduled_time) VALUES (?, ?, ?, 10, 'q', ?, ?, 0, 0, ?)`,
		id, state, kind, string(saved), time.Now(), time.Now().Add(time.Hour))
	return id
}

func TestWhoSeesAndDoesWhat(t *testing.T) {
	s := servertest.NewSchool(t)
	facility := servertest.ID("facility")
	jobs := map[string]string{
		"facility job": plant(t, s, "facility job", export, "FAILED", facility, false),
		"elsewhere":    plant(t, s, "elsewhere", export, "FAILED", servertest.ID("another"), false),
		"content":      plant(t, s, "content", content, "FAILED", "", true),
		"super":        plant(t, s, "super", remove, "FAILED", "", false),
		"first":        plant(t, s, "first", provision, "FAILED", "", false),
		"tidy":         plant(t, s, "tidy", cleanup, "FAILED", "", false),
	}
	s.Exec(t, "INSERT INTO device_devicepermissions VALUES (?, FALSE, TRUE)", servertest.ID("coach"))
	for _, tc := range []struct {
		who  string
		sees string
		may  string // restart, which is to run
	}{
		{"anonymous", "first tidy", "tidy"},
		{"learner", "first tidy", "tidy"},
		{"classcoach", "first tidy", "tidy"},
		{"coach", "content first tidy", "content tidy"}, // manages content
		{"admin", "facility job,first tidy", "facility job,tidy"},
		{"superuser", "facility job,elsewhere,content super first tidy", "facility job,elsewhere,content super tidy"},
	} {
		t.Run(tc.who, func(t *testing.T) {
			c := s.As(t, tc.who)
			if tc.who == "anonymous" {
				c.Put("/api/auth/session/current/", map[string]any{}) // fetches the CSRF cookie
			}
			list := c.Get(tasksURL + "?queue=q")
			require.Equal(t, 200, list.Status)
			for name, id := range jobs {
				sees, may := strings.Contains(tc.sees, name), strings.Contains(tc.may, name)
				require.Equal(t, sees, strings.Contains(list.Text, id), "list: %s", name)
				want := map[bool]int{true: 200, false: 403}
				require.Equal(t, want[sees], c.Get(tasksURL+id+"/").Status, "retrieve: %s", name)
				if !may {
					for _, action := range []string{"restart/", "cancel/", "clear/"} {
						require.Equal(t, 403, c.Post(tasksURL+id+"/"+action, nil).Status, "%s: %s", action, name)
					}
					require.Equal(t, 403, c.Delete(tasksURL+id+"/").Status, "delete: %s", name)
					require.Equal(t, 403, c.Put(tasksURL+id+"/", map[string]any{"enqueue_args": map[string]any{}}).Status, "update: %s", name)
					continue
				}
				answer := c.Put(tasksURL+id+"/", map[string]any{"enqueue_args": map[string]any{"enqueue_in": "3600"}})
				require.Equal(t, 200, answer.Status, "update: %s %s", name, answer.Text)
				require.Equal(t, "QUEUED", answer.Field("status"))
				s.Exec(t, "UPDATE jobs SET state = 'FAILED', queue = 'q' WHERE id = ?", id)
			}
		})
	}
}

func TestLifeOfAJob(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "superuser")
	for _, tc := range []struct {
		state, action string
		cancellable   bool
		status        int
		text          string
	}{
		{"FAILED", "restart", false, 200, `"status":"QUEUED"`},
		{"CANCELED", "restart", false, 200, `"percentage":0,`},
		{"COMPLETED", "restart", false, 400, `["Cannot restart job with state: COMPLETED"]`},
		{"QUEUED", "restart", false, 400, `["Cannot restart job with state: QUEUED"]`},
		{"FAILED", "clear", false, 200, "{}"},
		{"COMPLETED", "clear", false, 200, "{}"},
		{"RUNNING", "clear", false, 400, `["Cannot clear job with state: RUNNING"]`},
		{"QUEUED", "clear", false, 400, `["Cannot clear job with state: QUEUED"]`},
		{"QUEUED", "cancel", true, 200, "{}"},
		{"QUEUED", "cancel", false, 400, `["Cannot cancel job for task: ` + content + `"]`},
		{"RUNNING", "cancel", true, 200, "{}"},
	} {
		t.Run(tc.action+" "+tc.state, func(t *testing.T) {
			id := plant(t, s, "job", content, tc.state, "", tc.cancellable)
			defer s.Exec(t, "DELETE FROM jobs WHERE id = ?", id)
			a := c.Post(tasksURL+id+"/"+tc.action+"/", nil)
			require.Equal(t, tc.status, a.Status, a.Text)
			require.Contains(t, a.Text, tc.text)
			if tc.status == 200 && tc.action != "restart" && tc.state != "RUNNING" {
				require.Equal(t, 404, c.Get(tasksURL+id+"/").Status, "the job is gone")
			}
		})
	}
	t.Run("delete", func(t *testing.T) {
		running, waiting := plant(t, s, "r", content, "RUNNING", "", false), plant(t, s, "w", content, "QUEUED", "", false)
		require.Equal(t, 400, c.Delete(tasksURL+running+"/").Status)
		require.Equal(t, 200, c.Delete(tasksURL+waiting+"/").Status)
		require.Equal(t, 404, c.Get(tasksURL+waiting+"/").Status)
	})
	t.Run("update of a running one", func(t *testing.T) {
		id := plant(t, s, "busy", content, "RUNNING", "", false)
		a := c.Patch(tasksURL+id+"/", map[string]any{"enqueue_args": map[string]any{"enqueue_in": 60}})
		require.Equal(t, 409, a.Status)
		require.Equal(t, "Job is already running", a.JSON)
	})
	t.Run("clearall leaves what is not finished, and other queues", func(t *testing.T) {
		done, open, other := plant(t, s, "done", content, "COMPLETED", "", false), plant(t, s, "open", content, "QUEUED", "", false), plant(t, s, "other", content, "FAILED", "", false)
		s.Exec(t, "UPDATE jobs SET queue = 'z' WHERE id = ?", other)
		require.Equal(t, 200, c.Post(tasksURL+"clearall/", map[string]any{"queue": "q"}).Status)
		require.Equal(t, 404, c.Get(tasksURL+done+"/").Status)
		require.Equal(t, 200, c.Get(tasksURL+open+"/").Status)
		require.Equal(t, 200, c.Get(tasksURL+other+"/").Status)
		require.Equal(t, 200, c.Post(tasksURL+"clearall/", nil).Status)
		require.Equal(t, 404, c.Get(tasksURL+other+"/").Status)
	})
}

func TestAnswerOfAJob(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "superuser")
	a := c.Post(tasksURL, map[string]any{"type": cleanup, "enqueue_args": map[string]any{"enqueue_at": "2999-01-31T08:00:00Z", "repeat": nil, "repeat_interval": 60, "priority": 5, "retry_interval": 3}})
	require.Equal(t, 200, a.Status, a.Text)
	require.JSONEq(t, `{"status":"QUEUED","type":"`+cleanup+`","exception":null,"traceback":"","percentage":0,"id":"streamed_cache_cleanup",
		"cancellable":false,"clearable":false,"facility_id":null,"args":[],"kwargs":{},
		"extra_metadata":{"started_by":"`+servertest.ID("superuser")+`","started_by_username":"superuser"},
		"scheduled_datetime":"2999-01-31T08:00:00+00:00","repeat":null,"repeat_interval":60,"retry_interval":3,"max_retries":null}`, a.Text)

	t.Run("filters", func(t *testing.T) {
		plant(t, s, "once", content, "FAILED", "", false)
		for query, n := range map[string]int{"?queue=q": 1, "?queue=none": 0, "?queue=q&repeating=true": 0, "?queue=q&repeating=false": 1, "?queue=q&repeating=x": 1} {
			require.Len(t, c.Get(tasksURL+query).JSON, n, query)
		}
		require.Contains(t, c.Get(tasksURL+"?repeating=true").Text, cleanup)
	})
	t.Run("progress is a fraction", func(t *testing.T) {
		id := plant(t, s, "quarter", content, "FAILED", "", false)
		require.Contains(t, c.Get(tasksURL+id+"/").Text, `"percentage":0.25,`)
	})
}

func TestSeveralJobsAreAllOrNone(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "superuser")
	one := map[string]any{"type": cleanup, "enqueue_args": map[string]any{"enqueue_in": "1 00:00:00"}}
	a := c.Post(tasksURL, []any{one, one})
	require.Equal(t, 200, a.Status, a.Text)
	require.Len(t, a.JSON, 2)
	require.IsType(t, map[string]any{}, c.Post(tasksURL, []any{one}).JSON, "one job is no list")
	require.Equal(t, []any{}, c.Post(tasksURL, []any{}).JSON)

	s.Exec(t, "DELETE FROM jobs")
	require.Equal(t, 400, c.Post(tasksURL, []any{one, map[string]any{"type": "nosuch"}}).Status)
	require.NoError(t, s.DB.Read(context.Background(), func(tx *store.Tx) error {
		n, err := tx.Int("SELECT count(*) FROM jobs")
		require.Zero(t, n)
		return err
	}))
}

func TestBadTasks(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "superuser")
	job := func(args any) any { return map[string]any{"type": cleanup, "enqueue_args": args} }
	args := func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
	for _, tc := range []struct {
		name   string
		body   any
		status int
		text   string
	}{
		{"no type", map[string]any{}, 400, `["The task type must be a string."]`},
		{"a type that is a number", map[string]any{"type": 7}, 400, `["The task type must be a string."]`},
		{"an unknown type", map[string]any{"type": "nosuch"}, 400, `["nosuch is not a registered task - is it in a tasks module of an installed app?"]`},
		{"no object", "7", 400, ""},
		{"a list of no objects", []any{7}, 400, ""},
		{"no JSON", "{", 400, ""},
		{"arguments that are null", job(nil), 400, `"NULL"`},
		{"arguments that are a list", job([]any{}), 400, `{"enqueue_args":{"non_field_errors":`},
		{"both times", job(args("enqueue_at", "2999-01-01T00:00:00Z", "enqueue_in", 5)), 400, "Cannot specify both."},
		{"a repeat without time", job(args("repeat", 1)), 400, "`repeat` can only be specified"},
		{"an interval without time", job(args("repeat_interval", 1)), 400, "`repeat_interval` can only be specified"},
		{"a repeat without interval", job(args("enqueue_in", 5, "repeat", 1)), 400, "`repeat_interval` must be specified"},
		{"an interval without repeat", job(args("enqueue_in", 5, "repeat_interval", 1)), 400, "`repeat` must be specified"},
		{"a repeat of nought", job(args("enqueue_in", 5, "repeat", 0, "repeat_interval", 5)), 400, "greater than or equal to 1."},
		{"a huge interval", job(args("enqueue_in", 5, "repeat", 1, "repeat_interval", 99999999999)), 400, "enqueue_args"},
		{"a negative retry", job(args("retry_interval", -1)), 400, "greater than or equal to 0."},
		{"a priority of its own", job(args("priority", 7)), 400, `\"7\" is not a valid choice.`},
		{"a time that is none", job(args("enqueue_at", "soon")), 400, "Datetime has wrong format."},
		{"a span that is none", job(args("enqueue_in", "soon")), 400, "Duration has wrong format."},
		{"an endless span", job(args("enqueue_in", "99999999999999999999")), 400, "Duration has wrong format."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Post(tasksURL, tc.body)
			require.Equal(t, tc.status, a.Status, a.Text)
			require.Contains(t, a.Text, tc.text)
		})
	}
	for _, path := range []string{"0123456789abcdef0123456789abcdef/", "%00/", "x'y/"} {
		require.Equal(t, 404, c.Get(tasksURL+path).Status, path)
		require.Equal(t, 404, c.Post(tasksURL+path+"restart/", nil).Status, path)
	}
	require.Equal(t, 404, c.Delete(tasksURL).Status, "a collection is nothing to delete")
	id := plant(t, s, "job", content, "FAILED", "", false)
	require.Equal(t, 400, c.Put(tasksURL+id+"/", map[string]any{}).Status)
	require.Equal(t, 400, c.Put(tasksURL+id+"/", map[string]any{"enqueue_args": map[string]any{"repeat": 1}}).Status)
}

func TestTheTokenIsNeededByEverybody(t *testing.T) {
	s := servertest.NewSchool(t)
	a := s.Client(t).Post(tasksURL+"clearall/", nil) // an anonymous visitor without the cookie
	require.Equal(t, 403, a.Status)
	require.Contains(t, a.Header.Get("Content-Type"), "text/html")
}

func TestSpans(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "superuser")
	for span, seconds := range map[string]int{"90": 90, "01:30": 90, "1:00:00": 3600, "2 00:00:01": 172801, "1 day, 0:00:05": 86405, "P1DT2H3M4S": 93784, "PT0.5S": 0} {
		a := c.Post(tasksURL, map[string]any{"type": cleanup, "enqueue_args": map[string]any{"enqueue_in": span}})
		require.Equal(t, 200, a.Status, a.Text)
		at, err := time.Parse(time.RFC3339Nano, a.Field("scheduled_datetime").(string))
		require.NoError(t, err)
		require.InDelta(t, seconds, time.Until(at).Seconds(), 30, span)
	}
}
