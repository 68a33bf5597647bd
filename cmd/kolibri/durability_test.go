//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store/postgres/pgtest"
)

const secret = "correct horse"

// provision sets the box's device up and returns who signed in.
func (b *box) provision() {
	b.t.Helper()
	code, out := b.run("manage", "provisiondevice", "--facility", "Größe", "--preset", "nonformal", "--superusername", "admin",
		"--superuserpassword", secret, "--language_id", "en", "--no-input")
	require.Equal(b.t, 0, code, out)
}

func (b *box) signIn() (w *browser, facility string) {
	b.t.Helper()
	w = b.browser()
	status, answer, err := w.send("POST", "/api/auth/session/", map[string]any{"username": "admin", "password": secret})
	require.NoError(b.t, err)
	require.Equal(b.t, 200, status, string(answer))
	var session struct {
		Facility string `json:"facility_id"`
	}
	require.NoError(b.t, json.Unmarshal(answer, &session))
	return w, session.Facility
}

func (w *browser) usernames() map[string]bool {
	status, answer, err := w.send("GET", "/api/auth/facilityuser/", nil)
	require.NoError(w.b.t, err)
	require.Equal(w.b.t, 200, status, string(answer))
	var users []struct{ Username string }
	require.NoError(w.b.t, json.Unmarshal(answer, &users))
	names := map[string]bool{}
	for _, u := range users {
		names[u.Username] = true
	}
	return names
}

func TestProvisionDevice(t *testing.T) {
	b := newBox(t)
	for _, tc := range []struct {
		name, contains string
		args           []string
		code           int
	}{
		{"no such preset", "invalid choice: 'free'", []string{"--preset", "free", "--facility", "F"}, 2},
		{"no such file", "does not exist", []string{"--facility_settings", "/nowhere.json", "--facility", "F"}, 2},
		{"questions without answers", "--no-input", []string{"--facility", "F"}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append([]string{"manage", "provisiondevice"}, tc.args...)
			if tc.code == 2 {
				args = append(args, "--no-input")
			}
			code, out := b.run(args...)
			require.Equal(t, tc.code, code, out)
			require.Contains(t, out, tc.contains)
		})
	}
	put(t, b.home, "settings.json", `{"learner_can_sign_upp": true}`)
	code, out := b.run("manage", "provisiondevice", "--facility", "F", "--no-input", "--facility_settings", filepath.Join(b.home, "settings.json"))
	require.NotEqual(t, 0, code, out)
	require.Contains(t, out, "learner_can_sign_upp")
	b.provision()
	code, out = b.run("manage", "provisiondevice", "--facility", "Again", "--no-input")
	require.Equal(t, 1, code)
	require.Contains(t, out, "already been provisioned")
	b.foreground()
	b.signIn()
}

// A file provisions a new device at its first start, and does nothing to one that is set up.
func TestAutomaticProvisioning(t *testing.T) {
	b := newBox(t, "KOLIBRI_AUTOMATIC_PROVISION_FILE=provision.json")
	put(t, b.home, "provision.json", `{"facility_name": "F", "preset": "formal", "superuser": {"username": "admin", "password": "`+secret+`"}, "device_settings": {"language_id": "en"}}`)
	c, _ := b.foreground()
	b.signIn()
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	require.NoError(t, c.Wait())
	put(t, b.home, "provision.json", "nonsense")
	_, log := b.foreground()
	b.signIn()
	require.Contains(t, log.String(), "provision.json")
}

// The server is killed while clients write; everything it has acknowledged must be there again.
func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	b := newBox(t)
	b.provision()
	acknowledged := map[string]bool{}
	for round := range 3 {
		c, _ := b.foreground()
		first, facility := b.signIn()
		for name := range acknowledged {
			require.Contains(t, first.usernames(), name)
		}
		var mu sync.Mutex
		var writers sync.WaitGroup
		for writer := range 3 {
			writers.Go(func() {
				for n := 0; ; n++ {
					name := fmt.Sprintf("user_%d_%d_%d", round, writer, n)
					status, _, err := first.send("POST", "/api/auth/facilityuser/", map[string]any{"facility": facility, "username": name, "full_name": name, "password": "p"})
					if err != nil {
						return
					}
					if status == 201 {
						mu.Lock()
						acknowledged[name] = true
						mu.Unlock()
					}
				}
			})
		}
		require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(acknowledged) > 5*(round+1) }, time.Minute, 5*time.Millisecond)
		require.NoError(t, c.Process.Signal(syscall.SIGKILL))
		_ = c.Wait()
		writers.Wait()
		code, out := b.run("status")
		require.Equal(t, int(uncleanShutdown), code, out)
	}
	b.foreground()
	w, _ := b.signIn()
	names := w.usernames()
	for name := range acknowledged {
		require.Contains(t, names, name)
	}
}

func postgresEnv(server *pgtest.Server, database string) []string {
	return []string{"KOLIBRI_DATABASE_ENGINE=postgres", "KOLIBRI_DATABASE_NAME=" + database, "KOLIBRI_DATABASE_USER=postgres",
		"KOLIBRI_DATABASE_HOST=" + server.Host, "KOLIBRI_DATABASE_PORT=" + strconv.Itoa(server.Port)}
}

// The same command on PostgreSQL; nothing of it is in the home.
func TestOnPostgres(t *testing.T) {
	server := pgtest.Start(t)
	server.CreateDatabase(t, "kolibri")
	b := newBox(t, postgresEnv(server, "kolibri")...)
	b.provision()
	require.NoError(t, os.RemoveAll(filepath.Join(b.home, "content", "media")))
	put(t, filepath.Join(b.home, "content"), "media", "no folder can be made here")
	c, log := b.foreground()
	require.Contains(t, log.String(), "the content folder cannot be written", "which is no reason not to serve")
	w, facility := b.signIn()
	status, answer, err := w.send("POST", "/api/auth/facilityuser/", map[string]any{"facility": facility, "username": "zoë", "full_name": "Zoë", "password": "p"})
	require.NoError(t, err)
	require.Equal(t, 201, status, string(answer))
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	require.NoError(t, c.Wait())
	require.NoFileExists(t, filepath.Join(b.home, mainDatabase))
	b.env = append(b.env, "KOLIBRI_DATABASE_PORT=1")
	code, out := b.run("start", "--foreground")
	require.Equal(t, 1, code)
	require.Contains(t, out, "DATABASE_PORT")
}
