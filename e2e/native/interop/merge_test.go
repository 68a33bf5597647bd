//go:build unix

package interop

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// task has the server do a task and waits for its end.
func (s *site) task(body map[string]any) {
	s.t.Helper()
	id := s.send("POST", "/api/tasks/tasks/", body, 200).(map[string]any)["id"].(string)
	for end := time.Now().Add(2 * patience); ; time.Sleep(200 * time.Millisecond) {
		job := s.send("GET", "/api/tasks/tasks/"+id+"/", nil, 200).(map[string]any)
		if job["status"] == "COMPLETED" {
			return
		}
		require.NotEqual(s.t, "FAILED", job["status"], "%v\n%s", job, s.log)
		require.Less(s.t, time.Now(), end, "%v\n%s", job, s.log)
	}
}

// An account with what it has learned moves from a device of each program into a facility of the other's, where the task
// makes an account for it: both leave the same.
func TestAccountsMoveBetweenBoth(t *testing.T) {
	takesMinutes(t)
	p := findPrograms(t)
	left := map[string][]string{}
	for name, of := range map[string]struct{ server, client string }{
		"from us":           {p.original, p.ours},
		"from the original": {p.ours, p.original},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := newSite(t, p), newSite(t, p)
			apart(server, client)
			server.provision(of.server, "École 学校")
			server.start(of.server)
			facility := server.signIn("admin")
			client.provision(of.client, "Home")
			client.django(p.original, "make", "lea")
			old := client.column("db.sqlite3", "SELECT id FROM kolibriauth_facilityuser WHERE username = 'lea'")
			require.Len(t, old, 1)
			client.start(of.client)
			client.signIn("admin")
			client.send("POST", "/api/discovery/networklocation/", map[string]any{"base_url": server.url("/"), "nickname": "Far"}, 201)
			client.task(map[string]any{"type": "kolibri.plugins.user_profile.tasks.mergeuser", "baseurl": server.url(""), "facility": facility,
				"facility_name": "École 学校", "username": "lea", "password": password, "local_user_id": old[0]})
			for at, s := range map[string]*site{"server": server, "client": client} {
				require.Empty(t, s.column("db.sqlite3", "SELECT id FROM kolibriauth_facilityuser WHERE id = '"+old[0]+"'"), at)
				user := s.column("db.sqlite3", "SELECT id FROM kolibriauth_facilityuser WHERE username = 'lea'")
				require.Len(t, user, 1, at)
				for _, table := range []string{"logger_contentsummarylog", "logger_contentsessionlog", "logger_masterylog", "logger_attemptlog",
					"logger_examlog", "logger_examattemptlog", "bookmarks_bookmark", "kolibriauth_membership", "kolibriauth_role"} {
					n := s.column("db.sqlite3", "SELECT count(*) FROM "+table+" WHERE user_id = '"+user[0]+"'")
					left[name] = append(left[name], at+" "+table+" "+n[0])
				}
			}
			require.Contains(t, left[name], "server logger_contentsummarylog 1")
			require.Contains(t, left[name], "server logger_attemptlog 1")
		})
	}
	require.ElementsMatch(t, left["from us"], left["from the original"])
}
