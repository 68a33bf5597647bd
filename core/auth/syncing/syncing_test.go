package syncing_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/auth/syncing"
	"kolibri/morango"
	"kolibri/morango/peer"
	"kolibri/server"
	"kolibri/server/servertest"
	"kolibri/store"
)

// device is a server with what synchronizes it.
type device struct {
	*servertest.Server
	*syncing.Syncer
}

func syncerOf(s *servertest.Server, client api.Outgoing) *syncing.Syncer {
	host := &api.Host{DB: s.DB, Rand: rand.Reader, Hasher: servertest.CheapHasher{}, HTTP: client, Options: api.DefaultOptions(),
		Log: slog.New(slog.DiscardHandler), Device: named{}}
	return &syncing.Syncer{Host: host, Controller: server.NewTransfers(host)}
}

type named struct{ api.Device }

func (named) Hostname() string { return "second" }

func empty(t *testing.T, options ...func(*server.Config)) *device {
	cheap := func(c *server.Config) { c.Hasher = servertest.CheapHasher{} }
	s := servertest.New(t, append(options, cheap)...)
	return &device{s, syncerOf(s, api.NewOutgoing(http.DefaultTransport))}
}

func (d *device) count(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	require.NoError(t, d.DB.Read(context.Background(), func(tx *store.Tx) (err error) { n, err = tx.Int(query, args...); return err }))
	return n
}

func rename(t *testing.T, db *store.DB, user, name string) {
	t.Helper()
	require.NoError(t, db.Write(context.Background(), func(tx *store.Tx) error {
		return morango.Update(tx, morango.FacilityUser, user, morango.Row{"full_name": name})
	}))
}

func nameOf(t *testing.T, db *store.DB, user string) (name string) {
	t.Helper()
	require.NoError(t, db.Read(context.Background(), func(tx *store.Tx) error {
		return tx.QueryRow("SELECT full_name FROM kolibriauth_facilityuser WHERE id = ?", user).Scan(&name)
	}))
	return name
}

// stored is a device's store as text, by which two devices are compared.
func stored(t *testing.T, db *store.DB) (all []string) {
	t.Helper()
	require.NoError(t, db.Read(context.Background(), func(tx *store.Tx) (err error) {
		all, err = store.Select(tx, func(row store.Scanner) (string, error) {
			var id, instance, serialized, conflict string
			var counter int64
			var deleted, hard bool
			err := row.Scan(&id, &instance, &counter, &serialized, &conflict, &deleted, &hard)
			return fmt.Sprint(id, instance, counter, serialized, conflict, deleted, hard), err
		}, "SELECT id, last_saved_instance, last_saved_counter, serialized, conflicting_serialized_data, deleted, hard_deleted FROM morango_store ORDER BY id")
		return err
	}))
	return all
}

func from(w *servertest.World) syncing.Options {
	return syncing.Options{BaseURL: w.HTTP.URL, Facility: w.IDs["facility"], Username: "admin", Password: servertest.Password}
}

func TestFacilityTravelsBothWays(t *testing.T) {
	databases := map[string]func(*server.Config){"SQLite": func(*server.Config) {}}
	if !testing.Short() {
		postgres := servertest.StartPostgres(t)
		databases["PostgreSQL"] = postgres.Option(t)
	}
	for name, option := range databases {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			w, d := servertest.NewWorld(t, option), empty(t)
			var states []string
			o := from(w)
			o.Progress = func(s syncing.Step) error {
				if len(states) == 0 || states[len(states)-1] != s.State {
					states = append(states, s.State)
				}
				return nil
			}
			_, err := d.Sync(ctx, o)
			require.NoError(t, err)
			require.Equal(t, []string{"SESSION_CREATION", "REMOTE_QUEUING", "PULLING", "LOCAL_DEQUEUING", "LOCAL_QUEUING", "PUSHING", "REMOTE_DEQUEUING"}, states)
			require.Equal(t, "Lea Learner", nameOf(t, d.DB, w.IDs["learner"]))
			require.EqualValues(t, 8, d.count(t, "SELECT count(*) FROM kolibriauth_facilityuser"), "the other facility stays away")
			require.EqualValues(t, 1, d.count(t, "SELECT count(*) FROM device_devicesettings WHERE is_provisioned = TRUE AND default_facility_id = ?", w.IDs["facility"]))
			require.EqualValues(t, 1, d.count(t, "SELECT count(*) FROM device_devicepermissions WHERE user_id = ? AND is_superuser = TRUE", w.IDs["admin"]))

			rename(t, d.DB, w.IDs["learner"], "Changed here")
			rename(t, w.DB, w.IDs["learner2"], "Changed there")
			rename(t, d.DB, w.IDs["learner3"], "Mine")
			rename(t, w.DB, w.IDs["learner3"], "Theirs")
			o = from(w)
			o.Username, o.Password = "", "" // the certificate is enough
			for range 2 {
				_, err = d.Sync(ctx, o)
				require.NoError(t, err)
			}
			for user, want := range map[string]string{"learner": "Changed here", "learner2": "Changed there", "learner3": "Mine"} {
				require.Equal(t, want, nameOf(t, w.DB, w.IDs[user]))
				require.Equal(t, want, nameOf(t, d.DB, w.IDs[user]))
			}
			ours := stored(t, d.DB)
			require.NotEmpty(t, ours)
			theirs := strings.Join(stored(t, w.DB), "\n")
			for _, row := range ours {
				require.Contains(t, theirs, row)
			}
			require.Zero(t, d.count(t, "SELECT count(*) FROM morango_syncsession WHERE active = TRUE"))
			require.Zero(t, d.count(t, "SELECT (SELECT count(*) FROM morango_buffer) + (SELECT count(*) FROM morango_transfersession WHERE active = TRUE)"))
		})
	}
}

// What reached the store before a device died, but not its apps, comes in with the next synchronization, though
// nothing travels again.
func TestRecordsThatADeathKeptFromTheAppsComeIn(t *testing.T) {
	ctx := context.Background()
	w, d := servertest.NewWorld(t), empty(t)
	_, err := d.Sync(ctx, from(w))
	require.NoError(t, err)
	require.NoError(t, d.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec("UPDATE kolibriauth_facilityuser SET full_name = 'as before' WHERE id = ?", w.IDs["learner"]); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE morango_store SET dirty_bit = TRUE WHERE id = ?", w.IDs["learner"])
		return err
	}))
	o := from(w)
	o.Username, o.Password = "", ""
	_, err = d.Sync(ctx, o)
	require.NoError(t, err)
	require.Equal(t, "Lea Learner", nameOf(t, d.DB, w.IDs["learner"]))
	require.Zero(t, d.count(t, "SELECT count(*) FROM morango_store WHERE dirty_bit"))
}

func TestSyncIsRefused(t *testing.T) {
	w, d := servertest.NewWorld(t), empty(t)
	for name, c := range map[string]struct {
		change func(*syncing.Options)
		says   string
	}{
		"no credentials":    {func(o *syncing.Options) { o.Username = "" }, "Server username and/or password not specified"},
		"wrong password":    {func(o *syncing.Options) { o.Password = "nope" }, "Invalid credentials"},
		"a learner":         {func(o *syncing.Options) { o.Username = "learner" }, "403"},
		"a coach":           {func(o *syncing.Options) { o.Username = "coach" }, "403"},
		"another's admin":   {func(o *syncing.Options) { o.Username = "other_admin" }, "Invalid credentials"},
		"unknown facility":  {func(o *syncing.Options) { o.Facility = strings.Repeat("0", 32) }, "does not exist on server"},
		"several":           {func(o *syncing.Options) { o.Facility = "" }, "multiple facilities"},
		"nobody there":      {func(o *syncing.Options) { o.BaseURL = "http://127.0.0.1:9" }, "Unable to connect"},
		"no address":        {func(o *syncing.Options) { o.BaseURL = "http://a b" }, "not valid"},
		"user, no facility": {func(o *syncing.Options) { o.User, o.Facility = w.IDs["learner"], "" }, "Facility ID must be specified"},
		"malformed user":    {func(o *syncing.Options) { o.User = "x" }, "32-character"},
		"unknown user":      {func(o *syncing.Options) { o.User = strings.Repeat("0", 32) }, "no user with this user_id"},
	} {
		t.Run(name, func(t *testing.T) {
			o := from(w)
			c.change(&o)
			_, err := d.Sync(context.Background(), o)
			require.ErrorContains(t, err, c.says)
		})
	}
	require.Zero(t, d.count(t, "SELECT count(*) FROM kolibriauth_facilityuser"))
	_, err := syncerOf(w.Server, api.NewOutgoing(http.DefaultTransport)).Sync(context.Background(), from(w))
	require.ErrorContains(t, err, "can not sync with itself")
}

func TestSingleUserTakesHisDataOnly(t *testing.T) {
	ctx := context.Background()
	w, d := servertest.NewWorld(t), empty(t)
	o := from(w)
	o.Username, o.User = "learner", w.IDs["learner"]
	_, err := d.Sync(ctx, o)
	require.NoError(t, err)
	require.EqualValues(t, 1, d.count(t, "SELECT count(*) FROM kolibriauth_facilityuser"))
	require.EqualValues(t, 1, d.count(t, "SELECT count(*) FROM device_devicesettings WHERE subset_of_users_device = TRUE"))
	require.EqualValues(t, 1, d.count(t, "SELECT count(*) FROM morango_transfersession WHERE push = FALSE AND filter LIKE ?", "%:classroom:"+w.IDs["class_a"]+"%"),
		"the server adds the learner's class")
	other := from(w)
	other.Username, other.User = "learner2", w.IDs["learner"]
	_, err = empty(t).Sync(ctx, other)
	require.ErrorContains(t, err, "403", "nobody takes another's data")
}

// broken stops a synchronization at one of its requests.
type broken struct {
	api.Outgoing
	left int
	cut  func()
}

func (b *broken) Do(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/morango/") {
		if b.left--; b.left == 0 {
			b.cut()
		}
	}
	return b.Outgoing.Do(r)
}

func TestInterruptedSyncGoesOn(t *testing.T) {
	w := servertest.NewWorld(t)
	rounds := 0
	for at := 1; ; at++ {
		s := servertest.New(t)
		ctx, cancel := context.WithCancel(context.Background())
		d := &device{s, syncerOf(s, &broken{api.NewOutgoing(http.DefaultTransport), at, cancel})}
		o := from(w)
		var id string
		o.Opened = func(session string) error { id = session; return nil }
		_, err := d.Sync(ctx, o)
		d.Syncer = syncerOf(s, api.NewOutgoing(http.DefaultTransport)) // the program was started anew
		if err == nil {
			cancel()
			break
		}
		require.ErrorIs(t, err, context.Canceled, "at request %d", at)
		if id != "" {
			o.Session = id
			rounds++
		}
		_, err = d.Sync(context.Background(), o)
		if errors.Is(err, peer.ErrGone) {
			o.Session = ""
			_, err = d.Sync(context.Background(), o)
		}
		require.NoError(t, err, "at request %d", at)
		require.EqualValues(t, 8, d.count(t, "SELECT count(*) FROM kolibriauth_facilityuser"), "at request %d", at)
		rename(t, d.DB, w.IDs["loner"], fmt.Sprint("after ", at))
		o.Session = ""
		_, err = d.Sync(context.Background(), o)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("after ", at), nameOf(t, w.DB, w.IDs["loner"]))
	}
	require.Greater(t, rounds, 10)
}

func TestCredentialsAreUsedOnce(t *testing.T) {
	w, d := servertest.NewWorld(t), empty(t)
	o := from(w)
	_, err := d.Credentials(context.Background(), w.HTTP.URL, o)
	require.NoError(t, err)
	o.Username, o.Password = "", ""
	_, err = d.Credentials(context.Background(), w.HTTP.URL, o)
	require.NoError(t, err)
	require.EqualValues(t, 2, d.count(t, "SELECT count(*) FROM morango_certificate"), "the facility's and the one below it")
}

func TestPortalGetsItsCertificateFromHere(t *testing.T) {
	d := servertest.NewWorld(t)
	y := syncerOf(d.Server, api.NewOutgoing(http.DefaultTransport))
	w := servertest.New(t)
	y.Host.Options.DataPortalBaseURL = w.HTTP.URL
	_, err := y.Sync(context.Background(), syncing.Options{BaseURL: w.HTTP.URL, Facility: d.IDs["facility"], NoPull: true})
	require.ErrorIs(t, err, peer.ErrNoPushing, "a Kolibri is no data portal")
}
