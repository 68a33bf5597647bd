package tasks

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kolibri/core/api"
)

// Errors collects what is wrong with a task's request. Errors of fields are answered as everywhere;
// those inside a nested object have the plain shape {"object": {"field": ["message"]}}, because the
// original's exception handler does not look into objects
// (kolibri/core/utils/exception_handler.py: _return_errors).
type Errors struct {
	api.Invalidities
	nested map[string]any
}

// Nested notes the errors of a nested object.
func (e *Errors) Nested(field string, inner *api.Invalidities) {
	var bad *api.Error
	if !errors.As(inner.Err(), &bad) {
		return
	}
	messages := map[string][]string{}
	for _, item := range bad.Items {
		name, _ := item.Metadata["field"].(string)
		text, _ := item.Metadata["message"].(string)
		messages[name] = append(messages[name], text)
	}
	if e.nested == nil {
		e.nested = map[string]any{}
	}
	e.nested[field] = messages
}

// NotObject notes that a nested object is none.
func (e *Errors) NotObject(field string) {
	var inner api.Invalidities
	inner.Add(api.Invalid, "non_field_errors", "Invalid data. Expected a dictionary.")
	e.Nested(field, &inner)
}

// Err returns a 400 with the errors, or nil.
func (e *Errors) Err() error {
	if err := e.Invalidities.Err(); err != nil || e.nested == nil {
		return err
	}
	return &api.Error{Status: http.StatusBadRequest, Body: e.nested}
}

// merge joins the errors of enqueue_args with those of the task's own fields, as if one serializer
// had found them.
func merge(first, second error) error {
	var a, b *api.Error
	if !errors.As(first, &a) || !errors.As(second, &b) || a.Status != b.Status {
		if first != nil {
			return first
		}
		return second
	}
	switch {
	case a.Items != nil && b.Items != nil:
		return &api.Error{Status: a.Status, Items: append(append([]api.Item{}, a.Items...), b.Items...)}
	case b.Items != nil:
		return b
	}
	return a
}

// plain is the 400 of a ValidationError that is about no field: an array of one text.
func plain(text string) *api.Error {
	return &api.Error{Status: http.StatusBadRequest, Body: []string{text}}
}

var enqueueFields = []api.Field{
	{Name: "enqueue_at", Optional: true, Clean: api.CleanTime},
	{Name: "enqueue_in", Optional: true, Clean: cleanDuration},
	{Name: "repeat", Optional: true, Null: true, Clean: atLeast(1)},
	{Name: "repeat_interval", Optional: true, Clean: atLeast(1)},
	{Name: "retry_interval", Optional: true, Null: true, Clean: atLeast(0)},
	{Name: "max_retries", Optional: true, Null: true, Clean: atLeast(0)},
	{Name: "priority", Optional: true, Clean: api.CleanChoice("5", "10", "15")},
}

// cleanEnqueueArgs reads when a job shall run (kolibri/core/tasks/validation.py:
// EnqueueArgsSerializer). timed tells whether a moment was given.
func cleanEnqueueArgs(r *api.Request, bad *api.Invalidities, object map[string]any) (when Schedule, timed bool) {
	v := r.CleanInto(bad, "", object, enqueueFields, false)
	if bad.Err() != nil {
		return when, false
	}
	fail := func(text string) { bad.Add(api.Invalid, "non_field_errors", text) }
	at, _ := v["enqueue_at"].(time.Time)
	in, _ := v["enqueue_in"].(time.Duration)
	timed = !at.IsZero() || in != 0
	switch {
	case !at.IsZero() && in != 0:
		fail("Specify either `enqueue_at` or `enqueue_in`. Cannot specify both.")
	case !timed && v.Has("repeat"):
		fail("`repeat` can only be specified when either `enqueue_in` or `enqueue_at` is specified.")
	case !timed && v.Has("repeat_interval"):
		fail("`repeat_interval` can only be specified when either `enqueue_in` or `enqueue_at` is specified.")
	case v.Has("repeat") && !v.Has("repeat_interval"):
		fail("`repeat_interval` must be specified when `repeat` is specified.")
	case v.Has("repeat_interval") && !v.Has("repeat"):
		fail("`repeat` must be specified when `repeat_interval` is specified.")
	}
	when.At = at
	if in != 0 {
		when.At = r.Now().Add(in)
	}
	when.Interval = v.Int("repeat_interval")
	when.Repeat = v.Int("repeat")
	if v.Has("repeat") && v["repeat"] == nil {
		when.Repeat = Forever
	}
	when.RetryInterval, when.MaxRetries = optional(v, "retry_interval"), optional(v, "max_retries")
	when.Priority, _ = strconv.Atoi(v.String("priority"))
	return when, timed
}

func optional(v api.Values, name string) *int64 {
	if n, ok := v[name].(int64); ok {
		return &n
	}
	return nil
}

func atLeast(least int64) func(*api.Request, any) (any, string, string) {
	return func(r *api.Request, v any) (any, string, string) {
		value, id, message := api.CleanInt(r, v)
		if id != "" {
			return nil, id, message
		}
		if n := value.(int64); n < least || n > 1<<31-1 { // the columns are 32 bits wide on PostgreSQL
			return nil, "MIN_VALUE", "Ensure this value is greater than or equal to " + strconv.FormatInt(least, 10) + "."
		}
		return value, "", ""
	}
}

// cleanDuration reads what Django's parse_duration does: seconds, clock times with days before
// them ("1 02:03:04"), and ISO 8601 without years and months ("P1DT2H").
func cleanDuration(_ *api.Request, v any) (any, string, string) {
	var text string
	switch t := v.(type) {
	case string:
		text = strings.TrimSpace(t)
	case json.Number:
		text = t.String()
	}
	if d, ok := parseDuration(text); ok {
		return d, "", ""
	}
	return nil, api.Invalid, "Duration has wrong format. Use one of these formats instead: [DD] [HH:[MM:]]ss[.uuuuuu]."
}

func parseDuration(text string) (time.Duration, bool) {
	if rest, ok := strings.CutPrefix(text, "P"); ok {
		return parseISODuration(rest)
	}
	sign := 1.0
	days := 0.0
	if day, rest, ok := strings.Cut(text, " "); ok {
		n, err := strconv.ParseFloat(day, 64)
		if err != nil {
			return 0, false
		}
		days, text = n, strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(rest), "days"), "day"), ",")
		text = strings.TrimSpace(text)
	} else if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = -1, rest
	}
	parts := strings.Split(text, ":")
	if text == "" || len(parts) > 3 {
		return 0, false
	}
	seconds := 0.0
	for _, p := range parts {
		n, err := strconv.ParseFloat(p, 64)
		if err != nil || n < 0 {
			return 0, false
		}
		seconds = seconds*60 + n
	}
	return span(days*86400 + sign*seconds)
}

func parseISODuration(text string) (time.Duration, bool) {
	day, clock, _ := strings.Cut(text, "T")
	seconds, found := 0.0, false
	for _, part := range []struct {
		text  string
		units map[byte]float64
	}{{day, map[byte]float64{'D': 86400}}, {clock, map[byte]float64{'H': 3600, 'M': 60, 'S': 1}}} {
		rest := part.text
		for rest != "" {
			i := strings.IndexFunc(rest, func(c rune) bool { return c >= 'A' && c <= 'Z' })
			if i < 1 || part.units[rest[i]] == 0 {
				return 0, false
			}
			n, err := strconv.ParseFloat(rest[:i], 64)
			if err != nil {
				return 0, false
			}
			seconds, found, rest = seconds+n*part.units[rest[i]], true, rest[i+1:]
		}
	}
	if !found {
		return 0, false
	}
	return span(seconds)
}

// span refuses what is longer than a hundred years, which no clock here could hold.
func span(seconds float64) (time.Duration, bool) {
	if !(seconds > -3e9 && seconds < 3e9) {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)).Truncate(time.Microsecond), true
}
