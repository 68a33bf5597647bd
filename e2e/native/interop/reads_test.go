//go:build unix

package interop

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/bench/bigschool"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
	"kolibri/store/sqlite"
)

// homes names a folder of homes that this project's server has left, such as those of played scenarios.
const homes = "KOLIBRI_HOMES"

// things is SQL for the ids of what a home has, by kind; reads names them in braces.
var things = map[string]string{
	"facility":   "SELECT id FROM kolibriauth_collection WHERE kind = 'facility'",
	"dataset":    "SELECT id FROM kolibriauth_facilitydataset",
	"class":      "SELECT id FROM kolibriauth_collection WHERE kind = 'classroom'",
	"group":      "SELECT id FROM kolibriauth_collection WHERE kind = 'learnergroup'",
	"user":       "SELECT id FROM kolibriauth_facilityuser",
	"membership": "SELECT id FROM kolibriauth_membership",
	"role":       "SELECT id FROM kolibriauth_role",
	"lesson":     "SELECT id FROM lessons_lesson",
	"exam":       "SELECT id FROM exams_exam",
	"draft":      "SELECT id FROM exams_draftexam",
	"course":     "SELECT id FROM courses_coursesession",
	"attendance": "SELECT id FROM attendance_attendancesession",
	"bookmark":   "SELECT id FROM bookmarks_bookmark",
	"channel":    "SELECT id FROM content_channelmetadata",
	"node":       "SELECT id FROM content_contentnode",
	"content":    "SELECT DISTINCT content_id FROM logger_masterylog m JOIN logger_contentsummarylog s ON s.id = m.summarylog_id",
	"mastery":    "SELECT id FROM logger_masterylog",
	"attempt":    "SELECT id FROM logger_attemptlog",
	"place":      "SELECT id FROM discovery_networklocation",
}

// reads are the questions that say what a home holds. A name in braces is asked for each of the first
// few things of that kind; answers that tell of the running program are not among them.
var reads = []string{
	"/api/auth/facility/", "/api/auth/facility/{facility}/", "/api/auth/facilitydataset/", "/api/auth/facilitydataset/{dataset}/",
	"/api/auth/facilityuser/", "/api/auth/facilityuser/{user}/", "/api/auth/facilityuser/?member_of={class}", "/api/auth/facilityusername/",
	"/api/auth/deletedfacilityuser/", "/api/auth/classroom/", "/api/auth/classroom/{class}/", "/api/auth/learnergroup/", "/api/auth/learnergroup/{group}/",
	"/api/auth/membership/", "/api/auth/membership/{membership}/", "/api/auth/role/", "/api/auth/role/{role}/",
	"/api/lessons/lesson/", "/api/lessons/lesson/{lesson}/", "/api/lessons/lesson/size/", "/api/exams/exam/", "/api/exams/exam/{exam}/",
	"/api/exams/exam/{draft}/", "/api/exams/exam/size/", "/api/courses/coursesession/", "/api/courses/coursesession/{course}/",
	"/api/courses/coursesession/{course}/active_test/", "/api/attendance/attendancesession/", "/api/attendance/attendancesession/{attendance}/",
	"/api/attendance/attendancesession/recent/?collection={class}", "/api/attendance/attendancerecord/",
	"/api/bookmarks/bookmarks/", "/api/bookmarks/bookmarks/{bookmark}/", "/api/content/contentnode_bookmarks/",
	"/api/content/channel/", "/api/content/channel/{channel}/", "/api/content/contentnode/{node}/", "/api/content/contentnode_tree/{channel}/",
	"/api/content/contentnodeprogress/", "/api/content/contentnodeprogress/{channel}/tree/", "/api/content/usercontentnode/?resume=true",
	"/api/content/contentrequest/", "/device/api/device_channel/", "/api/device/devicepermissions/", "/api/device/devicename/",
	"/api/device/usersyncstatus/", "/api/discovery/staticnetworklocation/", "/api/discovery/pinned_devices/",
	"/api/logger/attemptlog/?user={user}", "/api/logger/attemptlog/{attempt}/", "/api/logger/masterylog/?user={user}", "/api/logger/masterylog/{mastery}/",
	"/api/logger/masterylog/{mastery}/diff/", "/api/logger/userprogress/{user}/", "/api/logger/generatecsvlogrequest/",
	"/coach/api/classsummary/{class}/", "/coach/api/lessonreport/", "/coach/api/lessonreport/{lesson}/", "/coach/api/quizdifficulties/{exam}/",
	"/coach/api/exercisedifficulties/{content}/?classroom_id={class}", "/coach/api/practicequizdifficulties/{content}/?classroom_id={class}",
	"/coach/api/notifications/?classroom_id={class}", "/learn/api/learnerclassroom/", "/learn/api/learnerclassroom/{class}/", "/learn/api/learnerlesson/",
	"/learn/api/learnerlesson/{lesson}/", "/learn/api/learnercourse/", "/learn/api/homehydrate/", "/learn/api/state/?lesson={lesson}",
	"/facility/api/firstlogdate/{facility}/", "/api/public/v1/facility/", "/api/public/v2/channel/",
}

// passing are keys whose values belong to the moment or to the running program.
var passing = map[string]bool{"coaches_polling": true, "last_activity_timestamp": true, "base_url": true}

// settled is an answer without what passes, its lists in an order of their own: the original leaves many to
// the database.
func settled(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if passing[name] {
				delete(v, name)
				continue
			}
			v[name] = settled(inner)
		}
	case []any:
		texts := make([]string, len(v))
		for i, inner := range v {
			text, _ := json.Marshal(settled(inner))
			texts[i] = string(text)
		}
		slices.Sort(texts)
		return texts
	}
	return value
}

// answer asks and returns the status and what the body says.
func (s *site) answer(path string) string {
	s.t.Helper()
	res, err := s.client.Get(s.url(path))
	require.NoError(s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	var value any
	if json.Unmarshal(body, &value) == nil {
		text, _ := json.Marshal(settled(value))
		body = text
	}
	return res.Status + " " + string(body)
}

// answers asks everything as everybody, and returns the answers by person and path.
func (s *site) answers(people []person, paths []string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for _, who := range people {
		if who.name == "" {
			s.forget()
		} else {
			s.send(http.MethodPost, "/api/auth/session/", map[string]any{"username": who.name, "password": password, "facility": who.facility}, http.StatusOK)
		}
		for _, path := range paths {
			all[who.name+" "+path] = s.answer(path)
		}
	}
	return all
}

// forget drops who is signed in.
func (s *site) forget() {
	at, err := url.Parse(s.url("/"))
	require.NoError(s.t, err)
	for _, c := range s.client.Jar.Cookies(at) {
		c.MaxAge = -1
		s.client.Jar.SetCookies(at, []*http.Cookie{c})
	}
}

// person is somebody who can sign in; the one without a name is a visitor.
type person struct{ name, facility string }

// prepare gives everybody in a home the password, and returns somebody of each kind and the paths of all
// that can be asked about it.
func prepare(t *testing.T, home string) (people []person, paths []string) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(home, "db.sqlite3"), nil)
	require.NoError(t, err)
	defer db.Close()
	hash, err := auth.HashPassword(t.Context(), auth.GoHasher{}, rand.Reader, password)
	require.NoError(t, err)
	ids := map[string][]string{}
	require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Exec("UPDATE kolibriauth_facilityuser SET password = ?", hash); err != nil {
			return err
		}
		for kind, query := range things {
			found, err := tx.Strings(query + " ORDER BY 1 LIMIT 4")
			if err != nil {
				return err
			}
			ids[kind] = found
		}
		// somebody of each role at each kind of collection, who has no role, and who may do all
		rows, err := tx.Query(`SELECT min(u.username), u.facility_id FROM kolibriauth_facilityuser u
			LEFT JOIN kolibriauth_role r ON r.user_id = u.id
			LEFT JOIN kolibriauth_collection c ON c.id = r.collection_id
			LEFT JOIN kolibriauth_membership m ON m.user_id = u.id
			LEFT JOIN device_devicepermissions p ON p.user_id = u.id
			WHERE u.date_deleted IS NULL
			GROUP BY u.facility_id, r.kind, c.kind, m.id IS NULL, p.is_superuser ORDER BY 2, 1`)
		if err != nil {
			return err
		}
		defer rows.Close()
		people = []person{{}}
		for rows.Next() {
			var p person
			if err := rows.Scan(&p.name, &p.facility); err != nil {
				return err
			}
			if !slices.Contains(people, p) {
				people = append(people, p)
			}
		}
		return rows.Err()
	}))
	for _, path := range reads {
		paths = append(paths, filled(path, ids)...)
	}
	return people, paths
}

// filled puts ids in the place of the names of a path, in all ways.
func filled(path string, ids map[string][]string) []string {
	before, rest, ok := strings.Cut(path, "{")
	if !ok {
		return []string{path}
	}
	kind, after, _ := strings.Cut(rest, "}")
	var all []string
	for _, id := range ids[kind] {
		all = append(all, filled(before+id+after, ids)...)
	}
	return all
}

// TestBothTellTheSame has every question about a home answered by this project's server and then by the
// original: for a school that we made, and for the homes in the folder that KOLIBRI_HOMES names.
func TestBothTellTheSame(t *testing.T) {
	takesMinutes(t)
	p := findPrograms(t)
	sources := []string{""}
	if folder := os.Getenv(homes); folder != "" {
		found, err := filepath.Glob(filepath.Join(folder, "*", "db.sqlite3"))
		require.NoError(t, err)
		require.NotEmpty(t, found, folder)
		for _, file := range found {
			sources = append(sources, filepath.Dir(file))
		}
	}
	for _, source := range sources {
		t.Run("home "+filepath.Base(source), func(t *testing.T) {
			s := newSite(t, p)
			if source == "" {
				makeSchool(t, s.home)
			} else {
				require.NoError(t, os.CopyFS(s.home, os.DirFS(source)))
			}
			people, paths := prepare(t, s.home)
			s.start(p.ours)
			mine := s.answers(people, paths)
			s.stop(syscall.SIGTERM)
			s.start(p.original)
			theirs := s.answers(people, paths)
			s.stop(syscall.SIGTERM)
			t.Logf("%d people, %d answers", len(people), len(mine))
			for about, answer := range theirs {
				if answer != mine[about] {
					t.Errorf("%s\n  the original: %s\n  ours:         %s", about, clip(answer, mine[about]), clip(mine[about], answer))
				}
			}
		})
	}
}

// clip shows a text from shortly before it differs from another.
func clip(text, other string) string {
	n := 0
	for n < len(text) && n < len(other) && text[n] == other[n] {
		n++
	}
	return string(bytes.ToValidUTF8([]byte(text[max(0, n-80):min(len(text), n+300)]), nil))
}

func makeSchool(t *testing.T, home string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(home, 0o755))
	db, err := sqlite.Open(t.Context(), filepath.Join(home, "db.sqlite3"), nil)
	require.NoError(t, err)
	defer db.Close()
	certificate, err := morango.NewRootCertificate(rand.Reader)
	require.NoError(t, err)
	_, err = bigschool.Make(t.Context(), db, rand.Reader, "", certificate, bigschool.Size{Learners: 12, Classes: 2, Lessons: 2, Quizzes: 2, Attempts: 600})
	require.NoError(t, err)
}
