package analytics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
	"kolibri/store"
	"time"
)

const notifications = "/api/notifications/"

func TestLocalNotifications(t *testing.T) {
	s := servertest.NewSchool(t)
	const url = notifications + "localnotification/"
	for _, who := range []string{"anonymous", "learner", "classcoach", "coach", "admin"} {
		require.Equal(t, 403, s.As(t, who).Get(url).Status, who)
		require.Equal(t, 403, s.As(t, who).Delete(url+"1/").Status, who)
	}
	c := s.As(t, "superuser")
	require.Equal(t, []any{}, c.Get(url).JSON)
	s.Exec(t, "INSERT INTO analytics_localnotification (id, key, created_at) VALUES (7, 'impact-stories', ?)", time.Now())
	a := c.Get(url)
	require.Equal(t, "facility", a.Field("0", "facility_name"))
	require.Equal(t, 4.0, a.Field("0", "learner_count"))
	require.Equal(t, 404, c.Delete(url+"x/").Status)
	require.Equal(t, 204, c.Delete(url+"7/").Status)
	require.Equal(t, 404, c.Delete(url+"7/").Status)
}

func TestTheServerLooksForSomethingToTell(t *testing.T) {
	s := servertest.NewSchool(t)
	c := s.As(t, "superuser")
	look := func() bool {
		s.Exec(t, "UPDATE jobs SET state = 'FAILED' WHERE id = 'local-notifications'")
		require.Equal(t, 200, c.Post("/api/tasks/tasks/local-notifications/restart/", nil).Status)
		require.Eventually(t, func() bool { // it plans its next look
			at, err := time.Parse(time.RFC3339Nano, c.Get("/api/tasks/tasks/local-notifications/").Field("scheduled_datetime").(string))
			return err == nil && time.Until(at) > time.Hour
		}, time.Minute, 5*time.Millisecond)
		return len(c.Get(notifications+"localnotification/").JSON.([]any)) > 0
	}
	require.False(t, look(), "nobody learned anything yet")
	log := func(at time.Time) {
		s.Exec(t, `INSERT INTO logger_contentsessionlog (id, _morango_dirty_bit, _morango_source_id, _morango_partition, content_id, start_timestamp, time_spent, progress, kind, extra_fields, dataset_id, user_id)
			SELECT hex(randomblob(16)), TRUE, 's', 'p', ?, ?, 0, 0, 'video', '{}', ?, ? FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n)`,
			servertest.ID("c"), store.Zoned(at), servertest.ID("dataset"), servertest.ID("learner"))
	}
	log(time.Now().AddDate(0, 0, -100))
	require.False(t, look(), "that was long ago")
	log(time.Now())
	s.Exec(t, "UPDATE kolibriauth_facilitydataset SET registered = TRUE")
	require.False(t, look(), "who is registered is known")
	s.Exec(t, "UPDATE kolibriauth_facilitydataset SET registered = FALSE")
	require.True(t, look())
}

func TestPingbackNotifications(t *testing.T) {
	s := servertest.NewSchool(t)
	for id, versions := range map[string]string{"old": "<0.10.0", "new": ">=0.19.0", "any": "*", "off": "*"} {
		s.Exec(t, "INSERT INTO analytics_pingbacknotification VALUES (?, ?, '2026-01-31', 'https://l', '{\"en\":{}}', ?, 'pingback')", id, versions, id != "off")
	}
	const list, dismissed = notifications + "pingbacknotification/", notifications + "pingbacknotificationdismissed/"
	seen := func(who string) (ids []any) {
		for _, n := range s.As(t, who).Get(list).JSON.([]any) {
			ids = append(ids, n.(map[string]any)["id"])
		}
		return ids
	}
	require.Equal(t, []any{"any", "new"}, seen("anonymous"))
	require.JSONEq(t, `{"id":"new","version_range":">=0.19.0","timestamp":"2026-01-31","link_url":"https://l","i18n":{"en":{}}}`, s.As(t, "learner").Get(list+"new/").Text)
	require.Equal(t, 404, s.As(t, "learner").Get(list+"old/").Status)

	learner, admin := s.As(t, "learner"), s.As(t, "admin")
	own := map[string]any{"user": servertest.ID("learner"), "notification": "any"}
	require.Equal(t, 400, learner.Post(dismissed, map[string]any{}).Status)
	require.Equal(t, 400, learner.Post(dismissed, map[string]any{"user": servertest.ID("learner"), "notification": "none"}).Status)
	require.Equal(t, 403, admin.Post(dismissed, own).Status, "nobody dismisses for another")
	require.Equal(t, 201, learner.Post(dismissed, own).Status)
	require.Equal(t, 400, learner.Post(dismissed, own).Status)
	require.Equal(t, []any{"new"}, seen("learner"))
	require.Equal(t, []any{"any", "new"}, seen("admin"))
	require.Equal(t, []any{}, admin.Get(dismissed).JSON)
	require.Equal(t, []any{own}, learner.Get(dismissed).JSON)
	require.Equal(t, 404, admin.Get(dismissed+"1/").Status)
	require.Equal(t, 403, learner.Patch(dismissed+"1/", map[string]any{"user": servertest.ID("admin")}).Status)
	require.Equal(t, 200, learner.Patch(dismissed+"1/", map[string]any{"notification": "new"}).Status)
	require.Equal(t, []any{"any"}, seen("learner"))
	require.Equal(t, 204, learner.Delete(dismissed+"1/").Status)
	require.Equal(t, 404, learner.Delete(dismissed+"x/").Status)
}
