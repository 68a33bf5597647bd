package attendance_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/server/servertest"
)

const (
	sessions = "/api/attendance/attendancesession/"
	records  = "/api/attendance/attendancerecord/"
)

func session(w *servertest.World, changes ...any) map[string]any {
	body := map[string]any{"collection": w.IDs["class_a"], "session_start_datetime": "2026-01-05T08:00:00Z",
		"attendance_records": []any{mark(w, "learner", true), mark(w, "learner2", false)}}
	return servertest.With(body, changes...)
}

func mark(w *servertest.World, who string, present any) map[string]any {
	return map[string]any{"user": w.IDs[who], "present": present}
}

func made(t *testing.T, w *servertest.World, changes ...any) string {
	t.Helper()
	a := w.As(t, "coach").Post(sessions, session(w, changes...))
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	return a.Field("id").(string)
}

func TestWhoTakesAttendance(t *testing.T) { ladder(t, servertest.NewWorld(t)) }

func ladder(t *testing.T, w *servertest.World) {
	elsewhere := made(t, w, "collection", w.IDs["class_b"], "attendance_records", []any{mark(w, "learner3", true)})
	for _, tc := range []struct {
		who                     string
		create, inB             int
		sessions, records       int
		read, change, bulk, end int
	}{
		{"anonymous", 403, 403, 0, 0, 404, 403, 403, 403},
		{"loner", 403, 403, 0, 0, 404, 403, 403, 403},
		{"learner", 403, 403, 0, 0, 404, 403, 403, 403},
		{"other_coach", 403, 403, 0, 0, 404, 403, 403, 403},
		{"other_admin", 403, 403, 0, 0, 404, 403, 403, 403},
		{"classcoach", 201, 403, 1, 2, 200, 200, 200, 403},
		{"coach", 201, 201, 2, 3, 200, 200, 200, 403},
		{"admin", 201, 201, 2, 3, 200, 200, 200, 204},
		{"superuser", 201, 201, 2, 3, 200, 200, 200, 204},
	} {
		t.Run(tc.who, func(t *testing.T) {
			key := made(t, w)
			one, c, super := sessions+key+"/", w.As(t, tc.who), w.As(t, "superuser")
			require.Len(t, c.Get(sessions).JSON, tc.sessions)
			require.Len(t, c.Get(sessions+"recent/").JSON, tc.sessions)
			require.Len(t, c.Get(records).JSON, tc.records)
			require.Equal(t, tc.read, c.Get(one).Status)
			record := super.Get(records+"?attendance_session="+key).Field("0", "id").(string)
			require.Equal(t, tc.read, c.Get(records+record+"/").Status)
			require.Equal(t, tc.change, c.Patch(one, map[string]any{}).Status)
			require.Equal(t, tc.change, c.Put(one, session(w)).Status)
			require.Equal(t, tc.bulk, c.Post(records+"bulk_update/", map[string]any{"attendance_session": key, "records": []any{mark(w, "learner", false)}}).Status)
			require.Equal(t, tc.end, c.Delete(one).Status)
			if tc.end != http.StatusNoContent {
				require.Equal(t, http.StatusNoContent, super.Delete(one).Status)
			}
			for class, want := range map[string]int{"class_a": tc.create, "class_b": tc.inB} {
				a := c.Post(sessions, map[string]any{"collection": w.IDs[class]})
				require.Equal(t, want, a.Status, a.Text)
				if want == http.StatusCreated {
					require.Equal(t, w.IDs[tc.who], a.Field("created_by"))
					require.Equal(t, http.StatusNoContent, super.Delete(sessions+a.Field("id").(string)+"/").Status)
				}
			}
			require.Equal(t, tc.inB == 201, c.Get(sessions+elsewhere+"/").Status == 200)
		})
	}
}

func TestWhoWasThere(t *testing.T) { look(t, servertest.NewWorld(t)) }

func look(t *testing.T, w *servertest.World) {
	c := w.As(t, "coach")
	first, second := made(t, w), made(t, w, "session_start_datetime", "2026-01-06T10:00:00+02:00", "attendance_records", nil)
	a := c.Get(sessions + first + "/")
	require.Equal(t, []any{"2026-01-05T08:00:00Z", 1.0, 2.0}, []any{a.Field("session_start_datetime"), a.Field("present_count"), a.Field("total_count")})
	require.Equal(t, "2026-01-06T08:00:00Z", c.Get(sessions+second+"/").Field("session_start_datetime"))
	for path, want := range map[string][]any{
		"": {second, first}, "?collection={class_a}": {second, first}, "?collection={class_b}": {}, "recent/?limit=1": {second}, "recent/?limit=0": {second},
		"recent/?limit=x": {second, first}, "?start_date=2026-01-06T00:00:00Z": {second}, "?end_date=2026-01-06T08:00:00Z": {first}, "?page_size=1&page=2": {first},
	} {
		answer := c.Get(sessions + w.Path(path))
		list, ok := answer.JSON.([]any)
		if !ok {
			list, _ = answer.Field("results").([]any)
		}
		ids := []any{}
		for _, v := range list {
			ids = append(ids, v.(map[string]any)["id"])
		}
		require.Equal(t, want, ids, path)
	}
	for _, path := range []string{"?collection=x", "?start_date=x", "?end_date=yesterday"} {
		require.Equal(t, http.StatusBadRequest, c.Get(sessions+path).Status, path)
	}
	require.Equal(t, http.StatusNotFound, c.Get(sessions+"?page_size=1&page=3").Status)

	changed := c.Patch(sessions+first+"/", map[string]any{"attendance_records": []any{mark(w, "learner2", true), map[string]any{"user": w.IDs["learner"]}}})
	require.Equal(t, []any{1.0, 2.0}, []any{changed.Field("present_count"), changed.Field("total_count")}, "absent unless said otherwise")
	marked := c.Post(records+"bulk_update/", map[string]any{"attendance_session": second, "records": []any{mark(w, "learner", true), mark(w, "learner2", false), mark(w, "learner", false)}})
	require.Equal(t, http.StatusOK, marked.Status, marked.Text)
	require.Len(t, marked.JSON, 2)
	require.Equal(t, 0.0, c.Get(sessions+second+"/").Field("present_count"), "what is said last holds")
	require.Len(t, c.Post(records+"bulk_update/", map[string]any{"attendance_session": second, "records": []any{}}).JSON, 0)
	one := c.Get(records + "?attendance_session=" + first)
	require.Len(t, one.JSON, 2)
	moved := c.Put(sessions+second+"/", map[string]any{"collection": w.IDs["class_b"]})
	require.Equal(t, w.IDs["class_b"], moved.Field("collection"), moved.Text)
	require.Equal(t, "2026-01-06T08:00:00Z", moved.Field("session_start_datetime"))

	var key, source, partition string
	var dirty bool
	require.NoError(t, w.DB.Pool().QueryRow("SELECT id, _morango_source_id, _morango_partition, _morango_dirty_bit FROM attendance_attendancerecord LIMIT 1").
		Scan(&key, &source, &partition, &dirty))
	require.Equal(t, w.IDs["dataset"], partition)
	require.Equal(t, morango.UUID(partition, source, "attendancerecord"), strings.ReplaceAll(key, "-", ""))
	require.True(t, dirty)
	require.Equal(t, http.StatusNoContent, w.As(t, "admin").Delete(sessions+first+"/").Status)
	require.Empty(t, c.Get(records+"?attendance_session="+first).JSON)
}

func TestBadAttendance(t *testing.T) { bad(t, servertest.NewWorld(t)) }

func bad(t *testing.T, w *servertest.World) {
	key := made(t, w)
	c := w.As(t, "superuser")
	for _, tc := range []struct {
		name string
		body any
	}{
		{"no JSON", "{"}, {"null", "null"}, {"a list", []any{}}, {"nothing", map[string]any{}},
		{"a class that is none", session(w, "collection", 5)}, {"no such class", session(w, "collection", w.IDs["coach"])},
		{"no time", session(w, "session_start_datetime", "tomorrow")}, {"a number as time", session(w, "session_start_datetime", 5)},
		{"records that are no list", session(w, "attendance_records", "x")}, {"a record that is none", session(w, "attendance_records", []any{1})},
		{"null records", session(w, "attendance_records", []any{nil})},
		{"nobody", session(w, "attendance_records", []any{map[string]any{"present": true}})},
		{"no such learner", session(w, "attendance_records", []any{mark(w, "class_a", true)})},
		{"no id", session(w, "attendance_records", []any{map[string]any{"user": "x", "present": true}})},
		{"neither there nor not", session(w, "attendance_records", []any{mark(w, "learner", "perhaps")})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.Post(sessions, tc.body)
			require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
		})
	}
	require.Equal(t, http.StatusBadRequest, c.Patch(sessions+key+"/", map[string]any{"collection": w.IDs["other_class"]}).Status)
	for _, body := range []any{nil, "[]", map[string]any{}, map[string]any{"attendance_session": "x", "records": []any{}},
		map[string]any{"attendance_session": w.IDs["coach"], "records": []any{}}, map[string]any{"attendance_session": key, "records": 5},
		map[string]any{"attendance_session": key, "records": []any{map[string]any{"user": w.IDs["learner"]}}},
		map[string]any{"attendance_session": key, "records": []any{mark(w, "class_a", true)}},
		map[string]any{"attendance_session": key, "records": []any{map[string]any{"user": "x", "present": true}}}} {
		a := c.Post(records+"bulk_update/", body)
		require.Equal(t, http.StatusBadRequest, a.Status, fmt.Sprint(body, a.Text))
	}
	for _, path := range []string{sessions + "x/", sessions + w.IDs["coach"] + "/", records + "x/", records + w.IDs["coach"] + "/"} {
		require.Equal(t, http.StatusNotFound, c.Get(path).Status, path)
	}
	require.Len(t, c.Get(sessions).JSON, 1, "none of them is half made")
}

func TestOnPostgreSQL(t *testing.T) {
	pg := servertest.StartPostgres(t)
	for name, test := range map[string]func(*testing.T, *servertest.World){"ladder": ladder, "look": look, "bad": bad} {
		t.Run(name, func(t *testing.T) { test(t, servertest.NewWorld(t, pg.Option(t))) })
	}
}

func TestWhatIsWrongWithRecordsIsNamedByField(t *testing.T) {
	w := servertest.NewWorld(t)
	coach := w.As(t, "coach")
	item := func(id, field, message string) any {
		return []any{map[string]any{"id": id, "metadata": map[string]any{"field": "attendance_records" + field, "message": message}}}
	}
	for name, tc := range map[string]struct{ records, want any }{
		"no list":      {"x", map[string]any{"attendance_records": map[string]any{"non_field_errors": []any{`Expected a list of items but got type "str".`}}}},
		"null":         {[]any{nil}, map[string]any{"attendance_records": []any{[]any{"This field may not be null."}}}},
		"no object":    {[]any{"x", nil}, item("INVALID", ".non_field_errors", "Invalid data. Expected a dictionary, but got str.")},
		"nobody":       {[]any{map[string]any{"present": true}}, item("REQUIRED", ".user", "This field is required.")},
		"odd presence": {[]any{mark(w, "learner", "x")}, item("INVALID", ".present", "Must be a valid boolean.")},
		"twice":        {[]any{mark(w, "learner", true), mark(w, "learner", false)}, item("UNIQUE", "", "Each learner can be there only once.")},
	} {
		t.Run(name, func(t *testing.T) {
			a := coach.Post(sessions, session(w, "attendance_records", tc.records))
			require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
			require.Equal(t, tc.want, a.JSON)
		})
	}
	require.Equal(t, http.StatusBadRequest, coach.Get(records+"?attendance_session=x").Status)
}
