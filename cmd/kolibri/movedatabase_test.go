//go:build unix

package main

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store/postgres/pgtest"
)

// A classroom's home goes into the cloud, works there, and comes back.
func TestMoveDatabase(t *testing.T) {
	database := pgtest.Start(t)
	database.CreateDatabase(t, "school")
	cloud := postgresEnv(database, "school")
	b := newBox(t)
	classroom := b.env
	b.provision()
	class := func(name string) {
		c, log := b.foreground()
		w, facility := b.signIn()
		status, answer, err := w.send("POST", "/api/auth/classroom/", map[string]any{"name": name, "parent": facility})
		require.NoError(t, err)
		require.Equal(t, 201, status, string(answer))
		require.NoError(t, c.Process.Signal(syscall.SIGTERM))
		require.NoError(t, c.Wait(), log)
	}
	class("made in the classroom")
	run := func(want int, contains string, args ...string) {
		t.Helper()
		code, out := b.run(append([]string{"manage", "movedatabase"}, args...)...)
		require.Equal(t, want, code, out)
		require.Contains(t, out, contains)
	}
	run(2, "--to must be")
	run(1, "set DATABASE_ENGINE", "--to", "postgres")
	b.env = append(classroom[:len(classroom):len(classroom)], cloud...)
	run(0, "Copied", "--to", "postgres")
	run(1, "has a facility already", "--to", "postgres")
	class("made in the cloud")
	run(1, "has a facility already", "--to", "sqlite")

	b.home = filepath.Join(t.TempDir(), "back")
	b.env = append(drop(b.env, "KOLIBRI_HOME="), "KOLIBRI_HOME="+b.home)
	run(1, "KOLIBRI_HOME must be the home", "--to", "postgres")
	run(0, "Unset DATABASE_ENGINE", "--to", "sqlite")
	b.env = append(drop(drop(classroom, "KOLIBRI_HOME="), "KOLIBRI_DATABASE"), "KOLIBRI_HOME="+b.home)
	class("made back in the classroom")
	c, _ := b.foreground()
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	w, _ := b.signIn()
	_, answer, err := w.send("GET", "/api/auth/classroom/", nil)
	require.NoError(t, err)
	for _, name := range []string{"made in the classroom", "made in the cloud", "made back in the classroom"} {
		require.Contains(t, string(answer), name)
	}
}
