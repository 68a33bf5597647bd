package jobs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server"
	"kolibri/server/servertest"
	"kolibri/store"
)

const tasksURL = "/api/tasks/tasks/"

// log writes a visit and its summary behind the server's back; nobody is an anonymous visitor.
func log(t *testing.T, w *servertest.World, name, user, content, extra string, start time.Time) {
	t.Helper()
	var who any
	if user != "" {
		who = w.IDs[user]
	}
	w.Exec(t, `INSERT INTO logger_contentsessionlog (id, _morango_dirty_bit, _morango_source_id, _morango_partition, content_id, channel_id, start_timestamp,
			end_timestamp, time_spent, progress, kind, extra_fields, dataset_id, user_id) VALUES (?, TRUE, '', '', ?, ?, ?, ?, 12.34, 0.99999, 'video', ?, ?, ?)`,
		servertest.ID(name), servertest.ID(content), servertest.ID("channel"), store.Zoned(start), store.Zoned(start.Add(time.Minute)), extra, w.IDs["dataset"], who)
	if user != "" {
		w.Exec(t, `INSERT INTO logger_contentsummarylog (id, _morango_dirty_bit, _morango_source_id, _morango_partition, content_id, channel_id, start_timestamp,
				end_timestamp, completion_timestamp, time_spent, progress, kind, extra_fields, dataset_id, user_id) VALUES (?, TRUE, '', '', ?, ?, ?, ?, ?, 12.34, 1, 'video', '{}', ?, ?)`,
			servertest.ID(name+" summary"), servertest.ID(content), servertest.ID("channel"), store.Zoned(start), store.Zoned(start), store.Zoned(start), w.IDs["dataset"], who)
	}
}

func library(t *testing.T, w *servertest.World) {
	node := func(id, title, content, kind, ancestors string, level int) {
		w.Exec(t, `INSERT INTO content_contentnode (id, title, content_id, channel_id, license_owner, author, kind, available, lft, rght, tree_id, level, coach_content, ancestors)
			VALUES (?, ?, ?, ?, '', '', ?, TRUE, 1, 2, 1, ?, FALSE, ?)`, servertest.ID(id), title, servertest.ID(content), servertest.ID("channel"), kind, level, ancestors)
	}
	node("rain 1", "Rain", "rain", "video", `[{"id":"1","title":"Science"},{"id":"2","title":"Water"}]`, 2)
	node("rain 2", "Rain again", "rain", "video", `[{"id":"1","title":"Science"},{"id":"3","title":"=Deep"},{"id":"4","title":"Deeper"}]`, 3)
	w.Exec(t, `INSERT INTO content_channelmetadata (id, name, description, author, version, thumbnail, min_schema_version, root_id, public)
		VALUES (?, 'Science', '', '', 1, '', '5', ?, FALSE)`, servertest.ID("channel"), servertest.ID("rain 1"))
}

func TestExportLogs(t *testing.T) {
	for name, options := range map[string][]func(*server.Config){"SQLite": nil, "PostgreSQL": {servertest.StartPostgres(t).Option(t)}} {
		t.Run(name, func(t *testing.T) {
			w := servertest.NewWorld(t, options...)
			library(t, w)
			day := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
			log(t, w, "second", "classcoach", "rain", `{"context":{"node_id":"`+servertest.ID("rain 2")+`"}}`, day.Add(time.Hour))
			log(t, w, "first", "learner", "rain", "{}", day)
			log(t, w, "nobody's", "", "gone", "not JSON", day.Add(2*time.Hour))
			log(t, w, "later", "learner2", "rain", "{}", day.AddDate(0, 0, 3))
			admin := w.As(t, "admin")
			require.Equal(t, "2026-03-01T10:00:00+00:00", admin.Get(w.Path("/facility/api/firstlogdate/{facility}/")).Field("first_log_date"))
			download := func(kind string) string {
				job := admin.Ended(admin.Post(tasksURL, map[string]any{"type": "kolibri.core.logger.tasks.export" + kind + "logcsv", "facility": w.IDs["facility"],
					"start_date": "2026-03-01T00:00:00.000Z", "end_date": "2026-03-02", "locale": "en"}))
				require.Equal(t, "COMPLETED", job.Field("status"), job.Text)
				file := admin.Get(w.Path("/facility/api/downloadcsvfile/" + kind + "/{facility}/"))
				require.Equal(t, 200, file.Status)
				require.Equal(t, "attachment; filename=Test School_"+w.IDs["facility"][:4]+"_content_"+kind+"_logs_from2026-03-01_to2026-03-02.csv", file.Header.Get("Content-Disposition"))
				return strings.NewReplacer(servertest.ID("channel"), "CHANNEL", servertest.ID("rain"), "RAIN", servertest.ID("gone"), "GONE").Replace(file.Text)
			}
			require.Equal(t, "\ufeffFacility name,Username,User type,Channel id,Channel name,Folder level 1,Folder level 2,Content id,Content title,"+
				"Time of first interaction,Time of last interaction,Time Spent (sec),Progress (0-1),Content kind\r\n"+
				"Test School,learner,Learner,CHANNEL,Science,Water,,RAIN,Rain,2026-03-01 10:00:00+00:00,2026-03-01 10:01:00+00:00,12.3,0.9999,video\r\n"+
				"Test School,classcoach,Class coach,CHANNEL,Science,'=Deep,Deeper,RAIN,Rain again,2026-03-01 11:00:00+00:00,2026-03-01 11:01:00+00:00,12.3,0.9999,video\r\n"+
				",,Learner,CHANNEL,Science,,,GONE,,2026-03-01 12:00:00+00:00,2026-03-01 12:01:00+00:00,12.3,0.9999,video\r\n", download("session"))
			require.Equal(t, "\ufeffFacility name,Username,User type,Channel id,Channel name,Folder level 1,Folder level 2,Content id,Content title,"+
				"Time of first interaction,Time of last interaction,Time of completion,Time Spent (sec),Progress (0-1),Content kind\r\n"+
				"Test School,learner,Learner,CHANNEL,Science,Water,,RAIN,Rain,2026-03-01 10:00:00+00:00,2026-03-01 10:00:00+00:00,2026-03-01 10:00:00+00:00,12.3,1.0000,video\r\n"+
				"Test School,classcoach,Class coach,CHANNEL,Science,'=Deep,Deeper,RAIN,Rain again,2026-03-01 11:00:00+00:00,2026-03-01 11:00:00+00:00,2026-03-01 11:00:00+00:00,12.3,1.0000,video\r\n", download("summary"))

			const requests = "/api/logger/generatecsvlogrequest/"
			kept := admin.Get(requests + "?log_type=session")
			require.Equal(t, "2026-03-02T00:00:00Z", kept.Field("0", "selected_end_date"), kept.Text)
			for who, n := range map[string]int{"anonymous": 0, "learner": 0, "coach": 0, "other_admin": 0, "admin": 2, "superuser": 2} {
				list, _ := w.As(t, who).Get(requests).JSON.([]any)
				require.Len(t, list, n, who)
			}
			body := map[string]string{"facility": w.IDs["facility"], "log_type": "session"}
			require.Equal(t, 403, w.As(t, "coach").Post(requests, body).Status)
			require.Equal(t, 201, admin.Post(requests, body).Status)
			require.Equal(t, 400, admin.Post(requests, map[string]string{"facility": w.IDs["facility"], "log_type": "other"}).Status)
			require.Equal(t, 200, admin.Patch(requests+"1/", map[string]string{"log_type": "summary"}).Status)
			require.Equal(t, 404, w.As(t, "other_admin").Delete(requests+"1/").Status)
			require.Equal(t, 204, admin.Delete(requests+"1/").Status)
		})
	}
}

func TestWhatCannotBeExported(t *testing.T) {
	w := servertest.NewWorld(t)
	order := func(facility, start string) map[string]any {
		return map[string]any{"type": "kolibri.core.logger.tasks.exportsessionlogcsv", "facility": facility, "start_date": start, "end_date": "2026-01-01", "locale": "xx"}
	}
	admin := w.As(t, "admin")
	require.Equal(t, 403, admin.Post(tasksURL, order(w.IDs["other_facility"], "2026-01-01")).Status)
	require.Equal(t, 403, w.As(t, "coach").Post(tasksURL, order(w.IDs["facility"], "2026-01-01")).Status)
	require.Equal(t, 400, admin.Post(tasksURL, order("nonsense", "2026-01-01")).Status)
	bad := admin.Ended(admin.Post(tasksURL, order(w.IDs["facility"], "../../etc")))
	require.Equal(t, "FAILED", bad.Field("status"))
	require.Equal(t, "Content of cell 'start_date' is not valid", bad.Field("extra_metadata", "overall_error"))
}
