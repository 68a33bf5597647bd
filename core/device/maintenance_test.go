package device_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
	"kolibri/store"
)

// doNow runs a planned job at once and waits until it is planned again.
func doNow(t *testing.T, s *servertest.School, id string) {
	t.Helper()
	c := s.As(t, "superuser")
	s.Exec(t, "UPDATE jobs SET state = 'FAILED' WHERE id = ?", id)
	require.Equal(t, 200, c.Post(tasksURL+id+"/restart/", nil).Status)
	require.Eventually(t, func() bool {
		a := c.Get(tasksURL + id + "/")
		require.NotEqual(t, "FAILED", a.Field("status"), a.Text)
		return a.Field("status") == "COMPLETED"
	}, time.Minute, 5*time.Millisecond)
}

func TestMaintenanceIsPlanned(t *testing.T) {
	c := servertest.NewSchool(t).As(t, "superuser")
	vacuum, cleanup := c.Get(tasksURL+"1/"), c.Get(tasksURL+"streamed_cache_cleanup/")
	for seconds, a := range map[float64]*servertest.Answer{86400: vacuum, 3600: cleanup} {
		require.Equal(t, "QUEUED", a.Field("status"))
		require.Equal(t, seconds, a.Field("repeat_interval"))
		require.Contains(t, a.JSON, "repeat")
		require.Nil(t, a.Field("repeat"), "for ever")
	}
	at, err := time.Parse(time.RFC3339Nano, vacuum.Field("scheduled_datetime").(string))
	require.NoError(t, err)
	require.Equal(t, 3, at.Local().Hour())
	require.True(t, at.After(time.Now()) && at.Before(time.Now().Add(25*time.Hour)))
}

func TestCleanUp(t *testing.T) {
	s := servertest.NewSchool(t)
	for key, left := range map[string]time.Duration{"old": -time.Minute, "new": time.Hour} {
		s.Exec(t, "INSERT INTO kolibriauth_session VALUES (?, '{}', ?, NULL)", key, time.Now().Add(left))
	}
	for id, age := range map[string]time.Duration{"w1": 2 * time.Hour, "w2": time.Minute} {
		s.Exec(t, `INSERT INTO jobs (id, state, func, priority, queue, saved_job, time_updated, interval, repeat, scheduled_time)
			VALUES (?, 'COMPLETED', 'kolibri.core.device.tasks.provisiondevice', 10, 'q', '{"job_id":"x","func":"kolibri.core.device.tasks.provisiondevice"}', ?, 0, 0, ?)`,
			id, time.Now().Add(-age), time.Now())
	}
	doNow(t, s, "streamed_cache_cleanup")
	require.Len(t, s.As(t, "learner").Get(tasksURL+"?queue=q").JSON, 1, "what the wizard sent is forgotten after an hour")
	require.NoError(t, s.DB.Read(context.Background(), func(tx *store.Tx) error {
		keys, err := tx.Strings("SELECT session_key FROM kolibriauth_session WHERE user_id IS NULL")
		require.Equal(t, []string{"new"}, keys)
		return err
	}))
}

func TestVacuumGivesBackSpace(t *testing.T) {
	s := servertest.NewSchool(t)
	pages := func() (n int) {
		require.NoError(t, s.DB.Pool().QueryRow("PRAGMA page_count").Scan(&n))
		return n
	}
	small := pages()
	s.Exec(t, "CREATE TABLE bulk AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT hex(randomblob(1000)) AS t FROM n")
	doNow(t, s, "1")
	large := pages()
	require.Greater(t, large, small+500, "a database with little waste is not rewritten")
	s.Exec(t, "DROP TABLE bulk")
	doNow(t, s, "1")
	require.Less(t, pages(), large/2)
}
