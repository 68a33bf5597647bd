package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

type object = map[string]any

const nobody = "0123456789abcdef0123456789abcdef"

// sound has what the front end sends to the routes that take a body, by route name without its
// namespace; ids by name as servertest.World.Path replaces them. Each bad call is one of these with one thing wrong.
var sound = map[string]object{
	"attendancerecord-bulk-update": {"attendance_session": nobody, "records": []any{object{"user": "{learner}", "present": true}}},
	"attendancesession": {"collection": "{class_a}", "session_start_datetime": "2026-01-02T03:04:05Z",
		"attendance_records": []any{object{"user": "{learner}", "present": true}}},
	"bookmarks":           {"contentnode_id": nobody, "channel_id": nobody, "content_id": nobody, "user": "{superuser}"},
	"classroom":           {"name": "Class", "parent": "{facility}"},
	"contentrequest":      {"contentnode_id": nobody, "metadata": object{}, "source_id": "{superuser}"},
	"coursesession":       {"course": nobody, "collection": "{class_a}", "active": true, "assignments": []any{"{class_a}"}, "learner_ids": []any{}},
	"deletedfacilityuser": {"by_ids": nobody},
	"devicename":          {"name": "Device"},
	"devicepermissions":   {"user": "{admin}", "is_superuser": false, "can_manage_content": true},
	"devicesettings": {"allow_guest_access": true, "landing_page": "learn", "language_id": "en", "name": "Device",
		"extra_settings": object{"limit_for_autodownload": 2, "enable_automatic_download": true}},
	"devicechannelorder": {"channel": []any{nobody}},
	"exam": {"title": "Quiz", "collection": "{class_a}", "assignments": []any{"{class_a}"}, "learner_ids": []any{}, "active": false, "draft": true,
		"data_model_version": 3, "instant_report_visibility": true, "question_count": 1,
		"question_sources": []any{object{"section_id": nobody, "section_title": "", "description": "", "learners_see_fixed_order": false,
			"questions": []any{object{"exercise_id": nobody, "question_id": nobody, "title": "Q", "counter_in_exercise": 1, "item": nobody + ":" + nobody}}}}},
	"facility":        {"name": "School", "preset": "formal", "dataset": "{dataset}"},
	"facilitydataset": {"preset": "formal", "learner_can_sign_up": true, "description": "", "location": "", "registered": false, "extra_fields": object{}},
	"facilitydataset-save-facility-login-settings": {"learner_can_login_with_no_password": true, "learner_can_edit_password": false, "picture_password_settings": nil},
	"facilitydataset-update-pin":                   {"pin_code": "1234"},
	"facilityimport-createsuperuser":               {"username": "super2", "password": "x", "full_name": "Super"},
	"facilityimport-grantsuperuserpermissions":     {"user_id": "{admin}", "password": "x"},
	"facilityuser": {"username": "somebody", "full_name": "Some Body", "password": "pass-word1", "facility": "{facility}", "gender": "MALE",
		"birth_year": "2010", "id_number": "1", "extra_demographics": object{}},
	"generatecsvlogrequest": {"facility": "{facility}", "log_type": "summary", "selected_start_date": "2026-01-02T03:04:05Z", "selected_end_date": "2026-01-03T03:04:05Z"},
	"importexportsizeview":  {"channel_id": nobody, "node_ids": []any{nobody}, "exclude_node_ids": []any{}},
	"ispinvalid":            {"pin_code": "1234"},
	"learnergroup":          {"name": "Group", "parent": "{class_a}"},
	"lesson": {"title": "Lesson", "description": "", "collection": "{class_a}", "assignments": []any{"{class_a}"}, "learner_ids": []any{}, "active": true,
		"resources": []any{object{"contentnode_id": nobody, "content_id": nobody, "channel_id": nobody}}},
	"loginmergeduser":                     {"pk": "{learner}", "token": "x"},
	"membership":                          {"user": "{loner}", "collection": "{class_a}"},
	"networklocation":                     {"base_url": "http://127.0.0.1:9", "nickname": "Other"},
	"notifications":                       {"timestamp": "2026-01-02T03:04:05Z"},
	"pingbacknotificationdismissed":       {"user": "{superuser}", "notification": nobody},
	"pinned_devices":                      {"instance_id": nobody},
	"portal-register":                     {"facility_id": "{facility}", "name": "School", "token": "x"},
	"remotefacilityauthenticateduserinfo": {"baseurl": "http://127.0.0.1:9", "facility_id": "{facility}", "username": "x", "password": "y"},
	"role":                                {"user": "{loner}", "collection": "{facility}", "kind": "coach"},
	"session":                             {"username": "learner", "password": "wrong", "facility": "{facility}", "active": true, "browser": object{"name": "x"}, "os": object{}},
	"setnonspecifiedpassword":             {"username": "learner", "password": "pass-word2", "facility": "{facility}"},
	"setupwizard-createuseronremote":      {"facility_id": "{facility}", "username": "x", "password": "y", "full_name": "X", "baseurl": "http://127.0.0.1:9"},
	"sharefile":                           {"filename": "x", "message": "y"},
	"signup":                              {"username": "newcomer", "full_name": "New Comer", "password": "pass-word1", "facility": "{facility}", "gender": "", "birth_year": ""},
	"staticnetworklocation":               {"base_url": "http://127.0.0.1:9", "nickname": "Other"},
	"syncqueue":                           {"user": "{learner}", "instance": nobody, "sync_filter": nobody},
	"task": {"type": "kolibri.core.auth.tasks.exportuserstocsv", "facility": "{facility}", "facility_id": "{facility}", "channel_id": nobody,
		"channel_name": "x", "drive_id": "x", "user": "{learner}", "locale": "en", "csvfile": "x", "enqueue_args": object{"priority": 1}},
	"trackprogress": {"node_id": nobody, "content_id": nobody, "channel_id": nobody, "kind": "exercise", "mastery_model": object{"type": "m_of_n", "m": 1, "n": 2},
		"lesson_id": nobody, "quiz_id": nobody, "repeat": true, "progress_delta": 0.5, "time_spent_delta": 1, "extra_fields": object{},
		"interactions": []any{object{"item": "x", "correct": 1, "time_spent": 1, "answer": object{}, "id": nobody}}},
	"usernameavailable": {"username": "newcomer", "facility": "{facility}"},
	"certificatechain":  {"x": "y"}, "certificates": {"parent": nobody, "profile": "facilitydata", "scope_definition_id": "x", "scope_version": 1, "scope_params": "{}", "public_key": "x"},
	"nonces": {}, "syncsessions": {"id": nobody, "server_certificate_id": nobody, "client_certificate_id": nobody, "profile": "facilitydata", "certificate_chain": "[]", "connection_path": "x", "instance": "{}", "nonce": "x", "client_ip": "", "server_ip": "", "signature": "x"},
	"transfersessions": {"id": nobody, "filter": "x", "push": true, "records_total": 1, "sync_session_id": nobody, "client_fsic": "{}", "server_fsic": "{}"},
	"buffers":          {"records": "x"},
}

// wrong are the values that stand in for each field of a sound body.
var wrong = []any{
	nil, true, -1, 2.5, json.Number("99999999999999999999"), json.Number("1e400"), "", "nonsense", "a\x00b", strings.Repeat("x", 5000), "9999-99-99T00:00:00Z",
	[]any{}, []any{nil}, []any{1}, []any{[]any{}}, object{}, []any{object{}}, nobody, "{other_learner}", "{other_class}", "{gone}",
}

// bodies are wrong as a whole; they are sent as they stand.
var bodies = []string{"", "{", "null", "[]", "[null]", "[1]", "[{}]", "7", `"x"`, `[[]]`, "\xff", `{"\ud800": "\ud800", "name": "\ud800", "username": "\ud800"}`,
	strings.Repeat("[", 20000)}

// keys stand where a path wants an id.
var keys = []string{nobody, "nonsense", "%00", "%FF", "{gone}", "{facility}", "{learner}", "{other_learner}", "{class_a}", "{other_class}", "{dataset}", strings.Repeat("f", 5000)}

// filters are parameters of queries that one route or another reads.
var filters = []string{"parent", "collection", "member_of", "facility", "facility_id", "ids", "user", "user_ids", "search", "page", "page_size", "max_results", "cursor", "ordering",
	"lesson", "exam", "content", "content_id", "channel_id", "channel", "kind", "kind_in", "before", "after", "limit", "classroom_id", "learner_id", "queue", "repeating", "role",
	"dataset", "user_type", "exclude_member_of", "exclude_coach_for", "attendance_session", "last_queried", "node_id", "keywords", "languages", "tree_id", "lft__gt", "include_coach_content",
	"mastered", "start_date", "active", "id_lt", "course_session_id", "by_ids", "filter", "transfer_session_id", "importable", "version", "token", "baseurl", "id"}

var queries = []string{"", "nonsense", "\x00", "\xff", nobody, "-1", "99999999999999999999", nobody + ",x", "{gone}", "{other_class}", "0", "2.5", "nan", "[]", "{}", "null", "%", "2026-01-02T03:04:05Z"}

// once were answered wrongly by a server on PostgreSQL.
var once = []call{
	{Method: "GET", Path: "/api/notifications/pingbacknotification/%FF/", Query: url.Values{"cursor": {"\xff"}}},
	{Method: "GET", Path: "/api/content/contentnode_tree/" + nobody + "/", Query: url.Values{"lft__gt": {"99999999999999999999"}}},
	{Method: "GET", Path: "/api/content/contentnode/" + nobody + "/recommendations_for/", Query: url.Values{"tree_id": {"2.5"}}},
	{Method: "POST", Path: "/api/auth/remotefacilityauthenticateduserinfo", Raw: `{"baseurl": "a\u0000b", "facility_id": "{facility}", "password": "y", "username": "x"}`},
}

type call struct {
	Method, Path string
	Raw          string // the body
	Query        url.Values
}

// calls are all bad calls of a line of the URL table.
func calls(name, path, method string) (out []call) {
	name = name[strings.LastIndex(name, ":")+1:]
	paths := []string{strings.TrimSuffix(strings.ReplaceAll(path, "{lang}", "en"), "*")}
	if at := strings.Index(paths[0], "{"); at >= 0 {
		stem, rest, _ := strings.Cut(paths[0], "{")
		_, rest, _ = strings.Cut(rest, "}")
		for strings.Contains(rest, "{") {
			before, after, _ := strings.Cut(rest, "{")
			_, after, _ = strings.Cut(after, "}")
			rest = before + nobody + after
		}
		paths = nil
		for _, k := range keys {
			paths = append(paths, stem+k+rest)
		}
	}
	if method == "GET" {
		for i, p := range paths {
			out = append(out, call{Method: method, Path: p})
			for j, f := range filters {
				out = append(out, call{Method: method, Path: p, Query: url.Values{f: {queries[(i+j*7+len(p))%len(queries)]}}})
			}
		}
		return out
	}
	for _, p := range paths {
		for i, b := range bodies {
			if method == "DELETE" && i > 1 {
				break
			}
			out = append(out, call{Method: method, Path: p, Raw: b})
		}
	}
	body := sound[name]
	if body == nil {
		body = sound[strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "-detail"), "-list"), "-restore")]
	}
	add := func(i int, b any) {
		text, err := json.Marshal(b)
		if err != nil {
			panic(err)
		}
		out = append(out, call{Method: method, Path: paths[i%len(paths)], Raw: string(text)})
	}
	add(0, with(body, "unasked", []any{object{"x": 1}}))
	for i, field := range slices.Sorted(maps.Keys(body)) {
		without := maps.Clone(body)
		delete(without, field)
		add(i+5, without)
		for j, v := range wrong {
			add(i+j, with(body, field, v))
			if list, ok := body[field].([]any); ok && len(list) > 0 {
				add(i+j, with(body, field, []any{v}))
				if inner, ok := list[0].(object); ok {
					for _, f := range slices.Sorted(maps.Keys(inner)) {
						add(i+j, with(body, field, []any{with(inner, f, v)}))
					}
				}
			}
			if inner, ok := body[field].(object); ok {
				for _, f := range slices.Sorted(maps.Keys(inner)) {
					add(i+j, with(body, field, with(inner, f, v)))
				}
			}
		}
	}
	return out
}

func with(o object, field string, v any) object {
	o = maps.Clone(o)
	if o == nil {
		o = object{}
	}
	o[field] = v
	return o
}

// Whatever is sent, the answer is one that Kolibri has, and the server goes on.
func TestBadInput(t *testing.T) {
	refuse(t, func(t *testing.T) *servertest.World { return servertest.NewWorld(t) })
}

func TestBadInputOnPostgreSQL(t *testing.T) {
	pg := servertest.StartPostgres(t)
	refuse(t, func(t *testing.T) *servertest.World { return servertest.NewWorld(t, pg.Option(t)) })
}

// every tells that one call in so many is made, and how many routes share a world. All calls take
// minutes; some hundred, other ones of each route, do for every day.
func every() (calls, routes int) {
	if os.Getenv("KOLIBRI_BAD_INPUT") == "all" {
		return 1, 10
	}
	return 197, 110
}

func refuse(t *testing.T, world func(*testing.T) *servertest.World) {
	table, err := os.ReadFile("urls.tsv")
	require.NoError(t, err)
	w := newTarget(t, world)
	for _, call := range once {
		w = w.refuses(t, call, world)
	}
	stride, share := every()
	lines := slices.Collect(slices.Chunk(strings.Split(strings.TrimSpace(string(table)), "\n"), share))
	for i, part := range lines {
		t.Run(fmt.Sprint("part ", i+1), func(t *testing.T) {
			w := newTarget(t, world)
			for i, line := range part {
				f := strings.Split(line, "\t")
				if strings.HasPrefix(line, "#") {
					continue
				}
				for _, m := range strings.Split(f[2], ",") {
					method, _, _ := strings.Cut(m, "=")
					if method == "ANY" {
						method = http.MethodGet
					}
					for j, call := range calls(f[0], f[1], method) {
						if (i+j)%stride == 0 {
							w = w.refuses(t, call, world)
						}
					}
				}
			}
		})
	}
}

type target struct {
	*servertest.World
	super *servertest.Client
}

// newTarget starts a world in which a learner has been deleted for good.
func newTarget(t *testing.T, world func(*testing.T) *servertest.World) target {
	w := world(t)
	c := w.As(t, "superuser")
	made := c.Post("/api/auth/facilityuser/", object{"username": "gone", "full_name": "Gone", "password": "pass-word1", "facility": w.IDs["facility"]})
	w.IDs["gone"] = made.Field("id").(string)
	require.Equal(t, http.StatusNoContent, c.Delete("/api/auth/facilityuser/"+w.IDs["gone"]+"/").Status)
	w.Exec(t, "DELETE FROM kolibriauth_facilityuser WHERE id = ?", w.IDs["gone"])
	return target{w, c}
}

// refuses makes a call and looks at the answer. What was not refused may have ended the superuser;
// then there is a new target.
func (w target) refuses(t *testing.T, c call, world func(*testing.T) *servertest.World) target {
	path := w.Path(c.Path)
	if c.Query != nil {
		path += "?" + strings.NewReplacer("%7B", "{", "%7D", "}").Replace(c.Query.Encode())
		path = w.Path(path)
	}
	var body any
	if c.Method != http.MethodGet {
		body = w.Path(c.Raw)
	}
	w.Log.Reset()
	a := w.super.Do(c.Method, path, body)
	about := fmt.Sprintf("%s %.300s %.700s: %d %.300s\n%s", c.Method, path, c.Raw, a.Status, a.Text, w.Log)
	switch {
	case a.Status >= 500:
		// A portal that cannot be asked, and what docs/ lists as not built.
		if a.Status != http.StatusServiceUnavailable && a.Status != http.StatusNotImplemented {
			t.Error(about)
		}
	case a.Status >= 400 && strings.HasPrefix(a.Header.Get("Content-Type"), "application/json"):
		_, text := a.JSON.(string)
		plain := func(start string) bool { return strings.HasPrefix(path, start) }
		if !inShape(a.JSON) && !(text && slices.ContainsFunc(toldByText, plain)) {
			t.Error("not a shape of errors", about)
		}
	}
	if c.Method == http.MethodGet {
		return w
	}
	if w.super.Get("/api/device/devicepermissions/").Status == http.StatusOK && w.super.Get("/api/device/deviceinfo/").Status == http.StatusOK {
		return w
	}
	w.end() // its connections too: a part of all calls goes through some dozen targets
	return newTarget(t, world)
}

// end ends a target before its test does.
func (w target) end() {
	w.HTTP.Close()
	w.Server.Server.Close()
	w.DB.Close()
}

// toldByText are the views of the original that refuse by a mere text: those for peers, which are no
// front end, and two about accounts (kolibri/core/auth/api.py: UsernameAvailableView,
// SetNonSpecifiedPasswordView).
var toldByText = []string{"/api/morango/", "/api/public/", "/api/auth/usernameavailable", "/api/auth/setnonspecifiedpassword"}

// inShape tells whether a refusal has one of the shapes that the front end reads: a list of
// errors, or details (kolibri/core/utils/exception_handler.py).
func inShape(v any) bool {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			if item, ok := e.(object); ok && item["id"] == nil || e == nil {
				return false
			}
		}
		return len(list) > 0
	}
	o, ok := v.(object)
	return ok && len(o) > 0
}
