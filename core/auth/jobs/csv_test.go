package jobs_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server"
	"kolibri/server/servertest"
	"kolibri/store"
)

const (
	tasksURL = "/api/tasks/tasks/"
	head     = "Database ID (UUID),Username (USERNAME),Password (PASSWORD),Full name (FULL_NAME),User type (USER_TYPE),Identifier (IDENTIFIER)," +
		"Birth year (BIRTH_YEAR),Gender (GENDER),Learner enrollment (ENROLLED_IN),Coach assignment (ASSIGNED_TO)\r\n"
)

// send uploads a file as admin and returns the job when it has ended.
func send(t *testing.T, w *servertest.World, text string, fields ...string) *servertest.Answer {
	t.Helper()
	all := map[string]string{"type": "kolibri.core.auth.tasks.importusersfromcsv", "facility": w.IDs["facility"], "locale": "en"}
	for i := 0; i < len(fields); i += 2 {
		all[fields[i]] = fields[i+1]
	}
	admin := w.As(t, "admin")
	return admin.Ended(admin.Upload(tasksURL, all, "csvfile", "users.csv", text))
}

func count(t *testing.T, w *servertest.World, query string, args ...any) (n int64) {
	t.Helper()
	require.NoError(t, w.DB.Read(context.Background(), func(tx *store.Tx) (err error) {
		n, err = tx.Int(query, args...)
		return err
	}))
	return n
}

// errorsOf are the errors of a job's report as "row column message: value".
func errorsOf(job *servertest.Answer) []string {
	list, _ := job.Field("extra_metadata", "per_line_errors").([]any)
	all := []string{}
	for _, e := range list {
		m := e.(map[string]any)
		all = append(all, fmt.Sprintf("%v %v %v: %v", m["row"], m["field"], m["message"], m["value"]))
	}
	return all
}

func TestImportInTwoPhases(t *testing.T) {
	for name, options := range databases(t) {
		t.Run(name, func(t *testing.T) {
			w := servertest.NewWorld(t, options...)
			file := head + ",csv1,pass-word1,Csv One,LEARNER,i-1,2010,female,\"Class A, new class\",\r\n" +
				",csv2,pass-word1,Csv Two,class_coach,,,,,\"class b,New Class\"\r\n" +
				w.IDs["learner"] + ",learner,*,Renamed Learner,LEARNER,,DEFERRED,,Class B,\r\n"
			dry := send(t, w, file, "dryrun", "true")
			require.Equal(t, "COMPLETED", dry.Field("status"), dry.Text)
			require.Empty(t, errorsOf(dry))
			require.Equal(t, map[string]any{"created": 2.0, "updated": 1.0, "deleted": 0.0}, dry.Field("extra_metadata", "users"))
			require.Equal(t, map[string]any{"created": 1.0, "updated": 2.0, "cleared": 0.0}, dry.Field("extra_metadata", "classes"))
			require.Zero(t, count(t, w, "SELECT count(*) FROM kolibriauth_facilityuser WHERE username LIKE 'csv%'"))

			admin := w.As(t, "admin")
			wet := admin.Ended(admin.Post(tasksURL, map[string]any{"type": "kolibri.core.auth.tasks.importusersfromcsv", "facility": w.IDs["facility"],
				"csvfilename": dry.Field("extra_metadata", "filename"), "locale": "en"}))
			require.Equal(t, "COMPLETED", wet.Field("status"), wet.Text)
			require.Equal(t, dry.Field("extra_metadata", "users"), wet.Field("extra_metadata", "users"))
			require.Equal(t, dry.Field("percentage"), wet.Field("percentage"))

			const enrolled = `SELECT count(*) FROM kolibriauth_membership m JOIN kolibriauth_collection c ON c.id = m.collection_id
				JOIN kolibriauth_facilityuser u ON u.id = m.user_id WHERE u.username = ? AND c.name = ?`
			require.Equal(t, int64(1), count(t, w, enrolled, "csv1", "Class A"))
			require.Equal(t, int64(1), count(t, w, enrolled, "csv1", "new class"))
			require.Equal(t, int64(1), count(t, w, enrolled, "learner", "Class B"))
			require.Zero(t, count(t, w, enrolled, "learner", "Class A"))
			require.Zero(t, count(t, w, enrolled, "learner", "Group A1"), "a group goes with its class")
			require.Equal(t, int64(2), count(t, w, `SELECT count(*) FROM kolibriauth_role r JOIN kolibriauth_facilityuser u ON u.id = r.user_id
				JOIN kolibriauth_collection c ON c.id = r.collection_id WHERE u.username = 'csv2' AND r.kind = 'coach' AND c.kind = 'classroom'`))
			require.Equal(t, int64(1), count(t, w, "SELECT count(*) FROM kolibriauth_facilityuser WHERE full_name = 'Renamed Learner' AND birth_year = '' AND _morango_dirty_bit = TRUE"))
			session := w.Client(t).Post("/api/auth/session/", map[string]string{"username": "csv1", "password": "pass-word1", "facility": w.IDs["facility"]})
			require.Equal(t, 200, session.Status, session.Text)

			gone := admin.Post(tasksURL, map[string]any{"type": "kolibri.core.auth.tasks.importusersfromcsv", "locale": "en", "csvfilename": dry.Field("extra_metadata", "filename")})
			require.Equal(t, 400, gone.Status)
			require.Equal(t, "Supplied csvfilename does not exist", gone.Field("0", "metadata", "message"))
		})
	}
}

func databases(t *testing.T) map[string][]func(*server.Config) {
	return map[string][]func(*server.Config){"SQLite": nil, "PostgreSQL": {servertest.StartPostgres(t).Option(t)}}
}

func TestLineErrors(t *testing.T) {
	w := servertest.NewWorld(t)
	long := strings.Repeat("x", 129)
	for _, c := range []struct {
		name, lines string
		want        []string
	}{
		{"names", ",a b,p,F,LEARNER,,,,,\n,,p,F,LEARNER,,,,,\n,Learner,p,F,LEARNER,,,,,\n,New,p,F,LEARNER,,,,,\n,nEW,p,F,LEARNER,,,,,\n", []string{
			"1 USERNAME Username only can contain characters, numbers and underscores: a b",
			"2 USERNAME Username is duplicated: ",
			"2 USERNAME The column 'USERNAME' is required: ",
			"3 USERNAME Username is duplicated: Learner",
			"5 USERNAME Username is duplicated: nEW",
		}},
		{"values", ",v,,F,BOSS,,x,BOTH,,\n,v2," + long + "," + long + ",LEARNER," + long + ",1899,,\"A," + long[:51] + "\",\n", []string{
			"1 BIRTH_YEAR Value in column 'BIRTH_YEAR' not valid: x",
			"1 PASSWORD The password field is required. To leave the password unchanged in existing users, insert an asterisk (*): ",
			"1 USER_TYPE Value in column 'USER_TYPE' not valid: BOSS",
			"1 GENDER Value in column 'GENDER' not valid: BOTH",
			"2 FULL_NAME Value in column 'FULL_NAME' has too many characters: " + long,
			"2 BIRTH_YEAR Value in column 'BIRTH_YEAR' not valid: 1899",
			"2 PASSWORD Value in column 'PASSWORD' has too many characters: " + long,
			"2 IDENTIFIER Value in column 'IDENTIFIER' has too many characters: " + long,
			"2 ENROLLED_IN Value in column 'Class name' has too many characters: A," + long[:51],
		}},
		{"ids", "zz,i1,*,F,LEARNER,,,,,\n0123456789abcdef0123456789abcdef,i2,*,F,LEARNER,,,,,\n,i3,*,F,LEARNER,,,,,\n{learner},learner2,*,F,LEARNER,,,,,\n", []string{
			"1 UUID Database ID is not valid: zz",
			"2 PASSWORD Cannot update user with ID: 'i2' because no user with that database ID exists in this facility: *",
			"3 PASSWORD The password field is required. To leave the password unchanged in existing users, insert an asterisk (*): *",
			"4 USERNAME Username is duplicated: learner2",
		}},
		{"what an account was not made for", "," + long[:31] + ",p,Ann,LEARNER,,3001,,,\n", []string{
			`"Ann"@"Test School" username Required. 30 characters or fewer. Letters and digits only: ` + long[:31],
			`"Ann"@"Test School" birth_year Birth year 3001 is invalid, as it is after the year 3000: 3001`,
		}},
		{"a short line", ",s,p,F\n", []string{
			"1 USER_TYPE Value in column 'USER_TYPE' not valid: <nil>",
			"1 GENDER Value in column 'GENDER' not valid: <nil>",
			"1 IDENTIFIER Value in column 'IDENTIFIER' has too many characters: <nil>",
		}},
		{"empty lines count for nothing", "\n\r\n,a b,p,F,LEARNER,,,,,\r,e,p,F,LEARNER,,,,,", []string{
			"1 USERNAME Username only can contain characters, numbers and underscores: a b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := send(t, w, head+w.Path(c.lines), "dryrun", "true")
			require.Equal(t, "COMPLETED", job.Field("status"), job.Text)
			require.Equal(t, c.want, errorsOf(job))
		})
	}
}

func TestBadFiles(t *testing.T) {
	w := servertest.NewWorld(t)
	for _, c := range []struct {
		name, text string
		want       []any
	}{
		{"another file", "nothing,like\nthis,csv\n", []any{"Incorrect header label found in the first row"}},
		{"some columns", "UUID,Nonsense\n", []any{"Incorrect header label found in the first row", "Incorrect header label found in the first row"}},
		{"a column too few", strings.Replace(head, "Password (PASSWORD),", "", 1), []any{"The column 'PASSWORD' is required"}},
		{"UTF-16 without its mark", "U\x00,\x00", []any{"Incorrect header label found in the first row"}},
		{"a spreadsheet", "PK\x03\x04\x14\x00\x06\x00", []any{"Incorrect header label found in the first row"}},
		{"Latin-1", head + ",zoe,pw,Zo\xeb,LEARNER,,,,,\r\n", []any{fmt.Sprintf("Error trying to read csv file: 'utf-8' codec can't decode byte 0xeb in position %d: invalid continuation byte", len(head)+10)}},
		{"Windows-1252", head + ",ann,pw,\x93Ann\x94,LEARNER,,,,,\r\n", []any{fmt.Sprintf("Error trying to read csv file: 'utf-8' codec can't decode byte 0x93 in position %d: invalid start byte", len(head)+8)}},
		{"Shift JIS", head + ",ann,pw,\x8e\x52\x93\x63,LEARNER,,,,,\r\n", []any{fmt.Sprintf("Error trying to read csv file: 'utf-8' codec can't decode byte 0x8e in position %d: invalid start byte", len(head)+8)}},
		{"UTF-16", "\xff\xfeU\x00", []any{"Error trying to read csv file: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"}},
		{"an open quote", head + ",\"a", []any{"Error trying to read csv file: unexpected end of data"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := send(t, w, c.text)
			require.Equal(t, "FAILED", job.Field("status"), job.Text)
			require.Equal(t, "CommandError", job.Field("exception"))
			require.Equal(t, c.want, job.Field("extra_metadata", "overall_error"))
			require.Equal(t, 0.0, job.Field("extra_metadata", "per_line_errors"))
		})
	}
	admin := w.As(t, "admin")
	empty := admin.Upload(tasksURL, map[string]string{"type": "kolibri.core.auth.tasks.importusersfromcsv", "locale": "en"}, "csvfile", "users.csv", "")
	require.Equal(t, 400, empty.Status, empty.Text)
	require.Equal(t, "EMPTY", empty.Field("0", "id"))
	for _, name := range []string{"../db.sqlite3", "..", "a/../../db.sqlite3", "\x00"} {
		answer := admin.Post(tasksURL, map[string]any{"type": "kolibri.core.auth.tasks.importusersfromcsv", "locale": "en", "csvfilename": name})
		require.Equal(t, 400, answer.Status, name)
	}
	require.Equal(t, 403, w.As(t, "coach").Upload(tasksURL, map[string]string{"type": "kolibri.core.auth.tasks.importusersfromcsv", "locale": "en"}, "csvfile", "u.csv", head).Status)
	foreign := admin.Upload(tasksURL, map[string]string{"type": "kolibri.core.auth.tasks.importusersfromcsv", "locale": "en", "facility": w.IDs["other_facility"]}, "csvfile", "u.csv", head)
	require.Equal(t, 403, foreign.Status)
}

// What no database of text can hold is refused by PostgreSQL as a whole, and kept by SQLite, as the original does.
func TestNULInAFile(t *testing.T) {
	for name, options := range databases(t) {
		t.Run(name, func(t *testing.T) {
			w := servertest.NewWorld(t, options...)
			job := send(t, w, head+",nul,pw,Zo\x00e,LEARNER,,,,,\r\n")
			if name != "SQLite" {
				require.Equal(t, "FAILED", job.Field("status"), job.Text)
				require.Equal(t, int64(0), count(t, w, "SELECT count(*) FROM kolibriauth_facilityuser WHERE username = 'nul'"))
				return
			}
			require.Equal(t, "COMPLETED", job.Field("status"), job.Text)
			require.Empty(t, errorsOf(job))
			require.Equal(t, http.StatusOK, w.As(t, "admin").Get("/api/auth/facilityuser/?search=nul").Status)
		})
	}
}

func TestImportDeletesTheOthers(t *testing.T) {
	w := servertest.NewWorld(t)
	job := send(t, w, head+w.IDs["learner2"]+",learner2,*,Leo Learner,LEARNER,,2011,MALE,Class A,\n", "delete", "true")
	require.Equal(t, "COMPLETED", job.Field("status"), job.Text)
	require.Equal(t, map[string]any{"created": 0.0, "updated": 0.0, "deleted": 5.0}, job.Field("extra_metadata", "users"))
	require.Equal(t, map[string]any{"created": 0.0, "updated": 1.0, "cleared": 1.0}, job.Field("extra_metadata", "classes"))
	require.Equal(t, int64(3), count(t, w, "SELECT count(*) FROM kolibriauth_facilityuser WHERE facility_id = ?", w.IDs["facility"]), "admins stay")
	require.Equal(t, int64(3), count(t, w, "SELECT count(*) FROM kolibriauth_facilityuser WHERE facility_id = ?", w.IDs["other_facility"]))
	require.Equal(t, int64(1), count(t, w, "SELECT count(*) FROM kolibriauth_membership m JOIN kolibriauth_collection c ON c.id = m.collection_id WHERE c.dataset_id = ?", w.IDs["dataset"]))
}

func TestImportRestoresTheDeleted(t *testing.T) {
	w := servertest.NewWorld(t)
	require.Equal(t, 204, w.As(t, "admin").Delete(w.Path("/api/auth/facilityuser/{loner}/")).Status)
	job := send(t, w, head+w.IDs["loner"]+",loner,*,Lon Learner,LEARNER,,,,,\n")
	require.Equal(t, "COMPLETED", job.Field("status"), job.Text)
	require.Equal(t, int64(1), count(t, w, "SELECT count(*) FROM kolibriauth_facilityuser WHERE username = 'loner' AND date_deleted IS NULL"))
}

// What is exported can be imported: nothing changes by it.
func TestExport(t *testing.T) {
	for name, options := range databases(t) {
		t.Run(name, func(t *testing.T) {
			w := servertest.NewWorld(t, options...)
			w.Exec(t, "UPDATE kolibriauth_facilityuser SET full_name = '=1+1|x', id_number = '-5' WHERE id = ?", w.IDs["loner"])
			admin := w.As(t, "admin")
			info := w.Path("/facility/api/exportedcsvinfo/{facility}/")
			require.Nil(t, admin.Get(info).Field("user"))
			require.Equal(t, 404, admin.Get(w.Path("/facility/api/downloadcsvfile/user/{facility}/")).Status)
			job := admin.Ended(admin.Post(tasksURL, map[string]any{"type": "kolibri.core.auth.tasks.exportuserstocsv", "facility": w.IDs["facility"], "locale": "en"}))
			require.Equal(t, "COMPLETED", job.Field("status"), job.Text)
			require.Equal(t, 0.75, job.Field("percentage"), "admins are not exported")
			require.NotNil(t, admin.Get(info).Field("user"))
			file := admin.Get(w.Path("/facility/api/downloadcsvfile/user/{facility}/"))
			require.Equal(t, 200, file.Status)
			require.Equal(t, w.Path("attachment; filename=Test School_"+w.IDs["facility"][:4]+"_users.csv"), file.Header.Get("Content-Disposition"))
			require.True(t, strings.HasPrefix(file.Text, "\ufeff"+head), file.Text)
			require.Contains(t, file.Text, w.IDs["learner"]+",learner,*,Lea Learner,LEARNER,L-1,2012,FEMALE,Class A,\r\n")
			require.Contains(t, file.Text, w.IDs["classcoach"]+",classcoach,*,Claude Classcoach,CLASS_COACH,,,,,Class A\r\n")
			require.Contains(t, file.Text, w.IDs["loner"]+`,loner,*,'=1+1\|x,LEARNER,-5,,,,`)
			require.NotContains(t, file.Text, "other_")

			back := send(t, w, strings.ReplaceAll(file.Text, `'=1+1\|x`, "=1+1|x"))
			require.Equal(t, "COMPLETED", back.Field("status"), back.Text)
			require.Empty(t, errorsOf(back))
			require.Equal(t, map[string]any{"created": 0.0, "updated": 0.0, "deleted": 0.0}, back.Field("extra_metadata", "users"))
			for _, who := range []string{"anonymous", "learner", "classcoach", "coach", "other_admin"} {
				require.Equal(t, 403, w.As(t, who).Get(w.Path("/facility/api/downloadcsvfile/user/{facility}/")).Status, who)
				require.Equal(t, 403, w.As(t, who).Get(info).Status, who)
			}
		})
	}
}

// A hundred thousand lines are checked in seconds, whatever is wrong with them.
func TestManyLines(t *testing.T) {
	w := servertest.NewWorld(t)
	var b strings.Builder
	b.WriteString(head)
	for i := range 100_000 {
		fmt.Fprintf(&b, ",user%d,pass-word1,User %d,LEARNER,,,,Class %d,\r", i, i, i%100)
	}
	job := send(t, w, b.String(), "dryrun", "true")
	require.Equal(t, "COMPLETED", job.Field("status"))
	require.Equal(t, 100_000.0, job.Field("extra_metadata", "users", "created"))
	require.Equal(t, 100.0, job.Field("extra_metadata", "classes", "created"))
}
