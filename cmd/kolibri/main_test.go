//go:build unix

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store/postgres/pgtest"
)

// asCommand makes the test binary be the command itself, so that tests run real processes.
const asCommand = "TEST_AS_KOLIBRI"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// box is a home with the command to run on it.
type box struct {
	t       *testing.T
	home    string
	port    int
	env     []string
	program string // another build of the command; empty is this one
}

func newBox(t *testing.T, env ...string) *box {
	t.Helper()
	b := &box{t: t, home: filepath.Join(t.TempDir(), "home"), port: pgtest.FreePort(t)}
	b.env = append([]string{asCommand + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KOLIBRI_HOME=" + b.home,
		"KOLIBRI_LISTEN_ADDRESS=127.0.0.1", "KOLIBRI_HTTP_PORT=" + strconv.Itoa(b.port), "KOLIBRI_DISABLE_PING=True"}, env...)
	t.Cleanup(func() {
		if p := readProcess(b.home); p.PID > 0 && p.alive() {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
	})
	return b
}

func (b *box) command(args ...string) *exec.Cmd {
	c := exec.Command(cmp.Or(b.program, os.Args[0]), args...)
	c.Env, c.Dir = b.env, b.t.TempDir()
	return c
}

// run runs a command to its end and returns its code and all it printed.
func (b *box) run(args ...string) (int, string) {
	b.t.Helper()
	c := b.command(args...)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(b.t, err, &exit, string(out))
	}
	return c.ProcessState.ExitCode(), string(out)
}

// foreground starts the server and waits until it answers.
func (b *box) foreground(args ...string) (*exec.Cmd, *bytes.Buffer) {
	b.t.Helper()
	c := b.command(append([]string{"start", "--foreground"}, args...)...)
	log := &bytes.Buffer{}
	c.Stdout, c.Stderr = log, log
	require.NoError(b.t, c.Start())
	b.t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	require.Eventually(b.t, func() bool { return readProcess(b.home).Status == running && b.status() == 200 }, time.Minute, 10*time.Millisecond, log)
	return c, log
}

func (b *box) url(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", b.port, path) }

func (b *box) status() int {
	res, err := http.Get(b.url("/status/"))
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// browser is a client with cookies.
type browser struct {
	b      *box
	client *http.Client
}

func (b *box) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(b.t, err)
	return &browser{b, &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

func (w *browser) send(method, path string, body any) (int, []byte, error) {
	text, err := json.Marshal(body)
	require.NoError(w.b.t, err)
	req, err := http.NewRequest(method, w.b.url(path), bytes.NewReader(text))
	require.NoError(w.b.t, err)
	req.Header.Set("Content-Type", "application/json")
	for _, c := range w.client.Jar.Cookies(req.URL) {
		if c.Name == "kolibri_csrftoken" {
			req.Header.Set("X-CSRFToken", c.Value)
		}
	}
	res, err := w.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

func TestCommandLine(t *testing.T) {
	b := newBox(t)
	for _, tc := range []struct {
		name     string
		args     []string
		code     int
		contains string
	}{
		{"without arguments the help is shown", nil, 1, "Commands:"},
		{"help", []string{"--help"}, 0, "Commands:"},
		{"help of a verb", []string{"start", "--help"}, 0, "--zip-port"},
		{"version", []string{"--version"}, 0, "kolibri, version 0.19.5"},
		{"an unknown verb", []string{"strat"}, 2, "No such command 'strat'. Did you mean start?"},
		{"an unknown flag", []string{"start", "--foregroud"}, 2, "Error: No such option: --foregroud"},
		{"an option without its value", []string{"start", "--port"}, 2, "Error: Option '--port' requires an argument."},
		{"options of the original without effect", []string{"status", "--debug-database", "--no-input"}, 1, "Stopped (1)"},
		{"a verb that only the original has", []string{"services", "--foreground"}, 2, "use kolibri start"},
		{"another", []string{"shell"}, 2, "'shell' of the original is not a part of this server"},
		{"a management command that only the original has", []string{"manage", "fullfacilitysync"}, 1, "use manage sync"},
		{"what there is to configure", []string{"configure"}, 0, "list-env"},
		{"a verb of configure that is none", []string{"configure", "setpu"}, 2, "Did you mean setup?"},
		{"the variables", []string{"configure", "list-env"}, 0, "KOLIBRI_HTTP_PORT"},
		{"an argument too many", []string{"stop", "now"}, 2, "unexpected extra argument (now)"},
		{"a port out of range", []string{"start", "--port", "65536"}, 2, "65536 is not a port number"},
		{"a port that is none", []string{"start", "--port", "eighty"}, 2, "eighty"},
		{"an unknown management command", []string{"manage", "provisondevice"}, 1, "Did you mean provisiondevice?"},
		{"management help", []string{"manage", "help"}, 0, "provisiondevice"},
		{"help of a management command", []string{"manage", "help", "provisiondevice"}, 0, "--superusername"},
		{"status without a home", []string{"status"}, 1, "Stopped (1)"},
		{"stop without a server", []string{"stop"}, 0, "Already stopped"},
		{"restart without a server", []string{"restart"}, 1, "confirm that the server is running"},
		{"a folder that is no front end", []string{"start", "--foreground", "--build-dir", t.TempDir()}, 1, "run make"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, out := b.run(tc.args...)
			require.Equal(t, tc.code, code, out)
			require.Contains(t, out, tc.contains)
		})
	}
}

func TestConfigureSetupMakesTheHome(t *testing.T) {
	b := newBox(t)
	for range 2 {
		code, out := b.run("configure", "setup")
		require.Zero(t, code, out)
		require.Contains(t, out, "Kolibri has successfully been setup")
	}
	require.FileExists(t, filepath.Join(b.home, "db.sqlite3"))
	require.NoError(t, os.WriteFile(filepath.Join(b.home, "db.sqlite3"), bytes.Repeat([]byte("ruined "), 10_000), 0o600))
	code, out := b.run("configure", "setup")
	require.Equal(t, 1, code, out)
}

func TestBackgroundLifeCycle(t *testing.T) {
	b := newBox(t)
	code, out := b.run("start")
	require.Equal(t, 0, code, out)
	require.Contains(t, out, fmt.Sprintf("http://127.0.0.1:%d/", b.port))
	require.Equal(t, 200, b.status(), "it answers as soon as start has ended")

	code, out = b.run("status")
	require.Equal(t, 0, code, out)
	require.True(t, strings.HasPrefix(out, "OK, running (0)\n"), out)
	require.Contains(t, out, fmt.Sprintf("\thttp://127.0.0.1:%d/\n", b.port))

	code, out = b.run("start", "--port", strconv.Itoa(pgtest.FreePort(t)))
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "another Kolibri server running")

	first := readProcess(b.home)
	code, out = b.run("restart")
	require.Equal(t, 0, code, out)
	require.Eventually(t, func() bool { return b.status() == 200 }, time.Minute, 10*time.Millisecond)
	require.True(t, first.alive(), "the same process goes on")

	code, out = b.run("stop")
	require.Equal(t, 0, code, out)
	require.False(t, first.alive())
	require.NoFileExists(t, filepath.Join(b.home, pidFile))
	require.FileExists(t, filepath.Join(b.home, daemonLog))
	code, out = b.run("status")
	require.Equal(t, 1, code, out)
}

func TestStartFailsForAGoodReason(t *testing.T) {
	occupied, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer occupied.Close()
	port := strconv.Itoa(portOf(occupied))
	for _, tc := range []struct {
		name, contains string
		env            []string
		args           []string
		prepare        func(home string)
	}{
		{"port occupied, in the foreground", "port " + port + " is occupied", nil, []string{"--foreground", "--port", port}, nil},
		{"port occupied, in the background", "port " + port + " is occupied", nil, []string{"--port", port}, nil},
		{"a wrong option", `KOLIBRI_HTTP_PORT: "80a" is not a port number`, []string{"KOLIBRI_HTTP_PORT=80a"}, nil, nil},
		{"a wrong line in options.ini", `options.ini line 2, [Deployment] LISTEN_ADDRESS: "home" is not an IP address`, []string{"KOLIBRI_LISTEN_ADDRESS_=x"}, nil,
			func(home string) { put(t, home, optionsFile, "[Deployment]\nLISTEN_ADDRESS = home\n") }},
		{"a database that is none", "damaged", nil, []string{"--foreground"},
			func(home string) { put(t, home, mainDatabase, strings.Repeat("this is no database. ", 500)) }},
		{"a newer Kolibri's home", "belongs to Kolibri 0.20.1", nil, []string{"--foreground"},
			func(home string) { put(t, home, versionFile, "0.20.1") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, tc.env...)
			if strings.Contains(tc.name, "options.ini") {
				b.env = drop(b.env, "KOLIBRI_LISTEN_ADDRESS=")
			}
			if tc.prepare != nil {
				tc.prepare(b.home)
			}
			code, out := b.run(append([]string{"start"}, tc.args...)...)
			require.Equal(t, 1, code, out)
			require.Contains(t, out, tc.contains)
			require.NoFileExists(t, filepath.Join(b.home, pidFile))
		})
	}
}

func put(t *testing.T, dir, name, content string) {
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
}

func drop(env []string, prefix string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, prefix) {
			kept = append(kept, e)
		}
	}
	return kept
}

func TestSignalsStopGracefully(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			b := newBox(t)
			c, log := b.foreground()
			require.NoError(t, c.Process.Signal(sig))
			require.NoError(t, c.Wait(), log)
			require.NoFileExists(t, filepath.Join(b.home, pidFile))
			require.NoFileExists(t, filepath.Join(b.home, mainDatabase+"-wal"), "the log has gone into the database")
			version, err := os.ReadFile(filepath.Join(b.home, versionFile))
			require.NoError(t, err)
			require.Equal(t, "0.19.5", string(version))
		})
	}
}

func TestAnyFreePort(t *testing.T) {
	b := newBox(t)
	b.env = append(drop(b.env, "KOLIBRI_HTTP_PORT="), "KOLIBRI_HTTP_PORT=0")
	c := b.command("start", "--foreground")
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	require.Eventually(t, func() bool { return readProcess(b.home).Status == running }, time.Minute, 10*time.Millisecond)
	b.port = readProcess(b.home).Port
	require.Equal(t, 200, b.status())
}

func TestInvalidPIDFile(t *testing.T) {
	b := newBox(t)
	put(t, b.home, pidFile, "seven\n8080\n\n0\n")
	code, out := b.run("status")
	require.Equal(t, 100, code, out)
	require.Contains(t, out, "Invalid PID file (100)")
}

// After a crash the number in the PID file may belong to any other program.
func TestStalePIDFileOfAnotherProcess(t *testing.T) {
	other := exec.Command("sleep", "60")
	require.NoError(t, other.Start())
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	b := newBox(t)
	stale := func() {
		require.NoError(t, os.MkdirAll(b.home, 0o755))
		require.NoError(t, process{PID: other.Process.Pid, Port: b.port, Status: running}.write(b.home))
	}
	stale()
	code, out := b.run("stop")
	require.Equal(t, 0, code, out)
	require.NoFileExists(t, filepath.Join(b.home, pidFile))
	require.NoError(t, other.Process.Signal(syscall.Signal(0)), "nobody else's process is killed")
	stale()
	code, out = b.run("start")
	require.Equal(t, 0, code, out)
	code, out = b.run("stop")
	require.Equal(t, 0, code, out)
	require.NoError(t, other.Process.Signal(syscall.Signal(0)))
}

func TestSomethingElseOnThePort(t *testing.T) {
	b := newBox(t)
	other := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", b.port), Handler: http.NotFoundHandler()}
	go func() { _ = other.ListenAndServe() }()
	defer other.Close()
	require.Eventually(t, func() bool { return b.status() == 404 }, time.Minute, 10*time.Millisecond)
	require.NoError(t, os.MkdirAll(b.home, 0o755))
	require.NoError(t, process{PID: os.Getpid(), Port: b.port, Status: running}.write(b.home))
	defer os.Remove(filepath.Join(b.home, pidFile)) // the process it names is this one
	code, out := b.run("status")
	require.Equal(t, int(unknownInstance), code, out)
}
