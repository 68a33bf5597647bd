package jobs_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/discovery/network"
	"kolibri/morango"
	"kolibri/server/servertest"
	"kolibri/store"
)

const syncTasks = "kolibri.core.auth.tasks."

// location makes a device known by its address.
func location(t *testing.T, s *servertest.Server, of *servertest.Server) string {
	t.Helper()
	l := &network.Location{Type: network.Static, Status: network.StatusOkay, BaseURL: of.HTTP.URL, Application: "kolibri", DeviceName: "Other"}
	id, err := morango.NewID(strings.NewReader(strings.Repeat("locationlocation", 2)))
	require.NoError(t, err)
	l.ID = id
	require.NoError(t, of.DB.Read(context.Background(), func(tx *store.Tx) error {
		i, err := morango.CurrentInstance(tx)
		l.InstanceID = i.ID
		return err
	}))
	require.NoError(t, s.DB.Write(context.Background(), l.Insert))
	return id
}

// newVisitor is an anonymous browser that has the CSRF cookie.
func newVisitor(t *testing.T, s *servertest.Server) *servertest.Client {
	c := s.Client(t)
	require.Equal(t, 200, c.Put("/api/auth/session/current/", map[string]any{}).Status)
	return c
}

func number(t *testing.T, s *servertest.Server, query string, args ...any) (n int64) {
	t.Helper()
	require.NoError(t, s.DB.Read(context.Background(), func(tx *store.Tx) (err error) { n, err = tx.Int(query, args...); return err }))
	return n
}

// finished waits for the end of the job of an answer and returns how it ended.
func finished(t *testing.T, c *servertest.Client, made *servertest.Answer) *servertest.Answer {
	t.Helper()
	require.Equal(t, 200, made.Status, made.Text)
	id, _ := made.Field("id").(string)
	var now *servertest.Answer
	require.Eventually(t, func() bool {
		now = c.Get("/api/tasks/tasks/" + id + "/")
		state, _ := now.Field("status").(string)
		return state == "COMPLETED" || state == "FAILED" || state == "CANCELED"
	}, time.Minute, 20*time.Millisecond)
	return now
}

func TestFacilityIsImportedInTheWizard(t *testing.T) {
	w, s := servertest.NewWorld(t), servertest.New(t)
	device := location(t, s, w.Server)
	visitor := newVisitor(t, s)
	wish := func(change map[string]any) map[string]any {
		b := map[string]any{"type": syncTasks + "peerfacilityimport", "facility": w.IDs["facility"], "facility_name": "Test School",
			"device_id": device, "username": "admin", "password": servertest.Password}
		for name, value := range change {
			b[name] = value
		}
		return b
	}
	refused := visitor.Post("/api/tasks/tasks/", wish(map[string]any{"password": "nope"}))
	require.Equal(t, 403, refused.Status)
	require.Equal(t, "AUTHENTICATION_FAILED", refused.Field("0", "id"))
	require.Equal(t, 400, visitor.Post("/api/tasks/tasks/", wish(map[string]any{"device_id": nil})).Status)
	require.Equal(t, 400, visitor.Post("/api/tasks/tasks/", wish(map[string]any{"username": ""})).Status)
	require.Equal(t, 410, visitor.Post("/api/tasks/tasks/", map[string]any{"type": syncTasks + "peerfacilityimport", "facility": w.IDs["facility"],
		"baseurl": "http://127.0.0.1:9", "username": "admin"}).Status)

	address := wish(map[string]any{"device_id": nil, "baseurl": w.HTTP.URL})
	delete(address, "device_id")
	require.Equal(t, 410, newVisitor(t, servertest.New(t)).Post("/api/tasks/tasks/", address).Status, "it is no device that is known there")

	end := finished(t, visitor, visitor.Post("/api/tasks/tasks/", wish(nil)))
	require.Equal(t, "COMPLETED", end.Field("status"), end.Text)
	require.Equal(t, "COMPLETED", end.Field("extra_metadata", "sync_state"))
	require.Equal(t, "Other", end.Field("extra_metadata", "device_name"))
	require.NotContains(t, end.Text, servertest.Password)
	require.EqualValues(t, 8, number(t, s, "SELECT count(*) FROM kolibriauth_facilityuser"))
	require.Zero(t, number(t, s, "SELECT count(*) FROM jobs WHERE saved_job LIKE ?", "%"+servertest.Password+"%"))
	require.Zero(t, number(t, s, "SELECT count(*) FROM device_devicepermissions"), "the wizard goes on and chooses a superuser")
}

func TestFacilityIsSynchronizedByItsAdmins(t *testing.T) {
	w, other := servertest.NewWorld(t), servertest.NewWorld(t)
	device := location(t, w.Server, other.Server)
	body := map[string]any{"type": syncTasks + "peerfacilitysync", "facility": w.IDs["facility"], "device_id": device}
	for _, who := range []string{"anonymous", "learner", "classcoach", "coach", "other_admin"} {
		require.Equal(t, 403, w.As(t, who).Post("/api/tasks/tasks/", body).Status, who)
	}
	admin := w.As(t, "admin")
	refused := admin.Post("/api/tasks/tasks/", body)
	require.Equal(t, 403, refused.Status, "the other device holds other facilities")
	require.Equal(t, "PERMISSION_DENIED", refused.Field("0", "id"))
	body["command"] = "resumesync"
	require.Equal(t, 400, admin.Post("/api/tasks/tasks/", body).Status)
}

func TestSingleUserIsImportedAndKeptUpToDate(t *testing.T) {
	w, s := servertest.NewWorld(t), servertest.New(t)
	device := location(t, s, w.Server)
	visitor := newVisitor(t, s)
	wish := func(change map[string]any) map[string]any {
		b := map[string]any{"type": syncTasks + "peeruserimport", "facility": w.IDs["facility"], "device_id": device, "username": "learner", "password": servertest.Password}
		for name, value := range change {
			b[name] = value
		}
		return b
	}
	for name, c := range map[string]struct {
		change map[string]any
		id     string
	}{
		"wrong password":   {map[string]any{"password": "nope"}, "AUTHENTICATION_FAILED"},
		"no password":      {map[string]any{"password": ""}, "BLANK"},
		"password missing": {map[string]any{"password": "NOT_SPECIFIED"}, "MISSING_PASSWORD"},
		"no learner":       {map[string]any{"username": "coach"}, "INVALID"},
	} {
		t.Run(name, func(t *testing.T) {
			got := visitor.Post("/api/tasks/tasks/", wish(c.change))
			require.Equal(t, 400, got.Status, got.Text)
			require.Equal(t, c.id, got.Field("0", "id"))
		})
	}
	end := finished(t, visitor, visitor.Post("/api/tasks/tasks/", wish(map[string]any{"username": "admin", "using_admin": true, "user_id": w.IDs["learner2"]})))
	require.Equal(t, "COMPLETED", end.Field("status"), end.Text)
	require.Equal(t, w.IDs["learner2"], end.Field("extra_metadata", "user_id"))
	end = finished(t, visitor, visitor.Post("/api/tasks/tasks/", wish(nil)))
	require.Equal(t, "COMPLETED", end.Field("status"), end.Text)
	require.EqualValues(t, 2, number(t, s, "SELECT count(*) FROM kolibriauth_facilityuser"))

	// the wizard waits until nothing is left of the queue
	const processing = "SELECT count(*) FROM jobs WHERE func LIKE '%soud_sync_processing' AND state IN ('QUEUED', 'SCHEDULED', 'RUNNING', 'PENDING')"
	require.Zero(t, number(t, s, processing))
	end = finished(t, visitor, visitor.Post("/api/tasks/tasks/", map[string]any{"type": "kolibri.core.device.tasks.provisiondevice", "facility_id": w.IDs["facility"],
		"superuser": map[string]any{"username": "learner", "password": servertest.Password}, "settings": map[string]any{}, "language_id": "en", "device_name": "Mine",
		"allow_guest_access": false, "is_provisioned": true, "is_soud": true}))
	require.Equal(t, "COMPLETED", end.Field("status"), end.Text)

	// both are synchronized, one after the other, and then not before a minute has passed
	const rest = "SELECT count(*) FROM device_syncqueue WHERE status = 'PENDING' AND keep_alive = 60 AND attempts = 0"
	require.Eventually(t, func() bool { return number(t, s, rest) == 2 }, 2*time.Minute, 50*time.Millisecond)
	sessions := number(t, w.Server, "SELECT count(*) FROM morango_syncsession")
	time.Sleep(3 * time.Second) // a task that comes again does so after one
	require.EqualValues(t, 2, number(t, s, rest))
	require.EqualValues(t, sessions, number(t, w.Server, "SELECT count(*) FROM morango_syncsession"))
	require.EqualValues(t, 1, number(t, s, processing), "it waits for its time")
}

func TestQueueLetsOneAtATimeIn(t *testing.T) {
	w := servertest.NewWorld(t)
	c := w.Client(t)
	enter := func(user, instance string) *servertest.Answer {
		return c.Post("/api/public/syncqueue/", map[string]any{"user": user, "instance": strings.Repeat(instance, 32)})
	}
	require.Equal(t, 404, enter(strings.Repeat("0", 32), "a").Status)
	require.Equal(t, 400, enter("x", "a").Status)
	first := enter(w.IDs["learner"], "a")
	require.Equal(t, "READY", first.Field("status"), first.Text)
	second := enter(w.IDs["learner2"], "b")
	require.Equal(t, "QUEUED", second.Field("status"))
	require.Equal(t, 5.0, second.Field("keep_alive"))
	require.Equal(t, first.Field("id"), enter(w.IDs["learner"], "a").Field("id"))
	w.Skip(4 * time.Minute)
	require.Equal(t, "READY", enter(w.IDs["learner3"], "c").Field("status"), "who did not come is forgotten")
}
