//go:build !js

// Package pgtest starts a PostgreSQL server for tests from the machine's own programs
// (Debian: apt-get install postgresql).
package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Server is a running PostgreSQL server. Its superuser is "postgres", without a password.
type Server struct {
	Host string // 127.0.0.1
	Port int
	Dir  string // of the data: see Write

	bin     string
	as      *syscall.Credential
	base    string
	running *exec.Cmd
}

// Start starts a server of its own, which stops at the end of the test. settings are lines for
// postgresql.conf.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	bin := programs(t)
	s := &Server{Host: "127.0.0.1", Port: FreePort(t), bin: bin, as: unprivileged(t)}
	base, err := os.MkdirTemp("", "pgtest-") // not t.TempDir: another user must be able to enter it
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	require.NoError(t, os.Chmod(base, 0o711))
	s.base, s.Dir = base, filepath.Join(base, "data")
	require.NoError(t, os.Mkdir(s.Dir, 0o700))
	if s.as != nil {
		require.NoError(t, os.Chown(base, int(s.as.Uid), int(s.as.Gid)))
		require.NoError(t, os.Chown(s.Dir, int(s.as.Uid), int(s.as.Gid)))
	}
	s.run(t, "initdb", "--pgdata", s.Dir, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
		"--locale", "C.UTF-8", "--no-sync")
	settings = append([]string{
		"listen_addresses = '127.0.0.1'", fmt.Sprintf("port = %d", s.Port),
		fmt.Sprintf("unix_socket_directories = '%s'", base),
		"fsync = off", "full_page_writes = off", "shared_buffers = '32MB'",
	}, settings...)
	conf, err := os.OpenFile(filepath.Join(s.Dir, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = conf.WriteString("\n" + strings.Join(settings, "\n") + "\n")
	require.NoError(t, err)
	require.NoError(t, conf.Close())

	t.Cleanup(func() { s.Stop(t, syscall.SIGINT) })
	s.Again(t)
	return s
}

// Stop ends the server: by SIGINT as an operator's restart does, by SIGQUIT as a crash. It does
// nothing to a server that is stopped.
func (s *Server) Stop(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if s.running == nil {
		return
	}
	require.NoError(t, s.running.Process.Signal(signal))
	_ = s.running.Wait()
	s.running = nil
}

// Again starts a stopped server.
func (s *Server) Again(t testing.TB) {
	t.Helper()
	path := filepath.Join(s.base, "log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer log.Close()
	s.running = s.command("postgres", "-D", s.Dir)
	s.running.Stdout, s.running.Stderr = log, log
	require.NoError(t, s.running.Start())
	s.waitUntilReady(t, path)
}

// Write puts a file into the data folder, which the server reads at its next start or Reload.
func (s *Server) Write(t testing.TB, name string, content []byte) {
	t.Helper()
	path := filepath.Join(s.Dir, name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	if s.as != nil {
		require.NoError(t, os.Chown(path, int(s.as.Uid), int(s.as.Gid)))
	}
}

// CreateDatabase makes an empty database.
func (s *Server) CreateDatabase(t testing.TB, name string) {
	t.Helper()
	s.SQL(t, "postgres", `CREATE DATABASE "`+name+`"`)
}

// SQL runs statements by psql and returns what it prints, without decoration.
func (s *Server) SQL(t testing.TB, database, statements string) string {
	t.Helper()
	return s.run(t, "psql", "--host", s.Host, "--port", strconv.Itoa(s.Port), "--username", "postgres",
		"--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--dbname", database, "--command", statements)
}

// Reload makes the server read its configuration again.
func (s *Server) Reload(t testing.TB) { s.SQL(t, "postgres", "SELECT pg_reload_conf()") }

func (s *Server) waitUntilReady(t testing.TB, log string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		ready := s.command("pg_isready", "--host", s.Host, "--port", strconv.Itoa(s.Port))
		said, err := ready.CombinedOutput()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			logged, _ := os.ReadFile(log)
			t.Fatalf("PostgreSQL does not start: %v: %s\n%s", err, said, logged)
		}
	}
}

func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if s.as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	}
	return cmd
}

func (s *Server) run(t testing.TB, program string, args ...string) string {
	t.Helper()
	out, err := s.command(program, args...).CombinedOutput()
	require.NoError(t, err, "%s: %s", program, out)
	return string(out)
}

// programs finds the newest installed server.
func programs(t testing.TB) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil && len(found) == 0 {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		t.Fatal("this test needs a PostgreSQL server on the machine; on Debian: apt-get install postgresql")
	}
	sort.Strings(found)
	return filepath.Dir(found[len(found)-1])
}

// unprivileged is the user to become, because PostgreSQL refuses to run as root.
func unprivileged(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		require.NoError(t, err)
		gid, err := strconv.ParseUint(account.Gid, 10, 32)
		require.NoError(t, err)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Fatal("there is no user to run PostgreSQL as")
	return nil
}
