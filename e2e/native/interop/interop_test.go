//go:build unix

package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store/postgres/pgtest"
)

// patience is how long a program may take over one step on a slow machine.
const patience = 5 * time.Minute

const (
	root     = "../../.."
	password = "sésame, ouvre-toi"
)

// programs are the two servers.
type programs struct{ original, ours string }

func findPrograms(t *testing.T) programs {
	if testing.Short() {
		t.Skip("runs a real Kolibri")
	}
	original, err := Original(root)
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("a real Kolibri cannot be installed here: ", err)
	}
	require.NoError(t, err)
	ours := filepath.Join(t.TempDir(), "kolibri")
	out, err := exec.Command("go", "build", "-o", ours, "../../../cmd/kolibri").CombinedOutput()
	require.NoError(t, err, string(out))
	return programs{original, ours}
}

// takesMinutes skips what is left to make interop, when there is more time than in every run.
func takesMinutes(t *testing.T) {
	if os.Getenv("KOLIBRI_INTEROP") == "" {
		t.Skip("takes minutes: make interop")
	}
}

// site is a home that servers are started on, one after the other.
type site struct {
	t    *testing.T
	ours string
	home string
	port int
	env  []string
	// process is the running server, log what it said.
	process *exec.Cmd
	log     *bytes.Buffer
	client  *http.Client
}

func newSite(t *testing.T, p programs) *site {
	s := &site{t: t, ours: p.ours, home: filepath.Join(t.TempDir(), "home")}
	s.port = pgtest.FreePort(t)
	s.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KOLIBRI_HOME=" + s.home, "KOLIBRI_RUN_MODE=dev", "KOLIBRI_DISABLE_PING=True",
		"KOLIBRI_ZEROCONF_ENABLED=False", "KOLIBRI_LISTEN_ADDRESS=127.0.0.1", "KOLIBRI_ZIP_CONTENT_PORT=" + strconv.Itoa(pgtest.FreePort(t))}
	t.Cleanup(func() {
		if s.process != nil {
			_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL)
			_ = s.process.Wait()
		}
	})
	return s
}

// apart makes sites of one machine devices of their own to each other, as Morango tells them.
func apart(sites ...*site) {
	for i, s := range sites {
		s.env = append(s.env, fmt.Sprint("MORANGO_SYSTEM_ID=system-", i), fmt.Sprint("MORANGO_NODE_ID=node-", i))
	}
}

func (s *site) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program, args...)
	c.Env = s.env
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// a process of the group that outlives its leader keeps the pipe of the output open
	c.WaitDelay = 5 * time.Second
	return c
}

func (s *site) provision(program, facility string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	out, err := s.command(ctx, program, "manage", "provisiondevice", "--facility", facility, "--preset", "nonformal", "--superusername", "admin",
		"--superuserpassword", password, "--language_id", "fr-fr", "--no-input").CombinedOutput()
	require.NoError(s.t, err, string(out))
}

func (s *site) start(program string) {
	s.t.Helper()
	s.process, s.log = s.command(context.Background(), program, "start", "--foreground", "--port", strconv.Itoa(s.port)), &bytes.Buffer{}
	s.process.Stdout, s.process.Stderr = s.log, s.log
	require.NoError(s.t, s.process.Start())
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	s.client = &http.Client{Jar: jar, Timeout: 20 * time.Second}
	require.Eventually(s.t, func() bool {
		res, err := http.Get(s.url("/status/"))
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == 200
	}, patience, 50*time.Millisecond, "%s", s.log)
}

// stop sends a signal and waits for the end. An original that does not heed it is killed, as its
// service manager would: what it has acknowledged must be there all the same. Ours has to heed it.
func (s *site) stop(sig syscall.Signal) {
	s.t.Helper()
	process := s.process
	s.process = nil
	require.NoError(s.t, process.Process.Signal(sig))
	ended := make(chan struct{})
	go func() { _ = process.Wait(); close(ended) }()
	heeded := true
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		heeded = false
	}
	// whoever is left of the group must not hold the home when the other program opens it
	_ = syscall.Kill(-process.Process.Pid, syscall.SIGKILL)
	<-ended
	if !heeded {
		s.t.Logf("%s did not end in time after %v: %s", process.Path, sig, s.log)
		require.NotEqual(s.t, s.ours, process.Path, "only the original may need a kill")
	}
}

func (s *site) url(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path) }

// send sends a request and reads the JSON answer.
func (s *site) send(method, path string, body any, status int) any {
	s.t.Helper()
	text, err := json.Marshal(body)
	require.NoError(s.t, err)
	req, err := http.NewRequest(method, s.url(path), bytes.NewReader(text))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	u, err := url.Parse(s.url("/"))
	require.NoError(s.t, err)
	for _, c := range s.client.Jar.Cookies(u) {
		if c.Name == "kolibri_csrftoken" {
			req.Header.Set("X-CSRFToken", c.Value)
		}
	}
	res, err := s.client.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, status, res.StatusCode, "%s %s: %s\n%s", method, path, answer, s.log)
	var v any
	if len(answer) > 0 {
		require.NoError(s.t, json.Unmarshal(answer, &v), string(answer))
	}
	return v
}

// signIn opens a session and returns the facility's id.
func (s *site) signIn(username string) string {
	s.t.Helper()
	session := s.send("POST", "/api/auth/session/", map[string]any{"username": username, "password": password}, 200).(map[string]any)
	require.Equal(s.t, username, session["username"])
	return session["facility_id"].(string)
}

// add makes a learner.
func (s *site) add(facility, username, name string) {
	s.t.Helper()
	s.send("POST", "/api/auth/facilityuser/", map[string]any{"facility": facility, "username": username, "full_name": name, "password": password}, 201)
}

// people lists who there is, with all that the API tells of them.
func (s *site) people() []string {
	s.t.Helper()
	var all []string
	for _, user := range s.send("GET", "/api/auth/facilityuser/", nil, 200).([]any) {
		u := user.(map[string]any)
		text, err := json.Marshal(map[string]any{"id": u["id"], "username": u["username"], "full_name": u["full_name"], "facility": u["facility"], "roles": u["roles"], "super": u["is_superuser"]})
		require.NoError(s.t, err)
		all = append(all, string(text))
	}
	sort.Strings(all)
	return all
}

// sqlite reads one column by way of Python, which every machine that runs the original has.
func (s *site) column(file, query string) []string {
	s.t.Helper()
	out, err := exec.Command("python3", "-c", "import sqlite3, sys\nfor r in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(r[0])",
		filepath.Join(s.home, file), query).CombinedOutput()
	require.NoError(s.t, err, string(out))
	return strings.Fields(string(out))
}

func (s *site) execute(file, statement string) {
	s.t.Helper()
	out, err := exec.Command("python3", "-c", "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()",
		filepath.Join(s.home, file), statement).CombinedOutput()
	require.NoError(s.t, err, string(out))
}

const (
	noticeRows = "SELECT reason FROM notifications_learnerprogressnotification ORDER BY reason"
	jobRows    = "SELECT id FROM jobs WHERE id IN ('streamed_cache_cleanup', 'local-notifications') ORDER BY id"
	placeRows  = "SELECT nickname FROM discovery_networklocation WHERE location_type = 'static'"
)

func notice(reason string) string {
	return `INSERT INTO notifications_learnerprogressnotification (notification_object, notification_event, user_id, classroom_id, reason, timestamp)
		VALUES ('Lesson', 'Completed', '` + strings.Repeat("a", 32) + `', '` + strings.Repeat("b", 32) + `', '` + reason + `', '2024-01-01 00:00:00.000000(UTC)')`
}

func place(nickname string) string {
	return `INSERT INTO discovery_networklocation (id, base_url, application, kolibri_version, instance_id, device_name, operating_system, added, last_accessed,
		nickname, subset_of_users_device, connection_faults, connection_status, is_local, location_type)
		VALUES ('` + strings.Repeat("c", 32) + `', 'http://10.0.0.1:8080', 'kolibri', '0.19.5', '` + strings.Repeat("d", 32) + `', 'Peer', 'Linux',
		'2024-01-01 00:00:00', '2024-01-01 00:00:00', '` + nickname + `', 0, 0, 'Unknown', 1, 'static')`
}

func TestOriginalOpensOurHome(t *testing.T) {
	p := findPrograms(t)
	s := newSite(t, p)
	s.provision(p.ours, "Größe 学校 مدرسة")
	s.start(p.ours)
	facility := s.signIn("admin")
	s.add(facility, "zoë", "Zoë Œuvre")
	s.add(facility, "علي", "علي بن علي")
	mine := s.people()
	require.Len(t, mine, 3)
	s.stop(syscall.SIGTERM)

	s.start(p.original)
	require.Equal(t, facility, s.signIn("admin"))
	require.Equal(t, mine, s.people(), "the original shows the same people")
	s.signIn("zoë")
	s.signIn("admin")
	s.add(facility, "raj", "राज")
	theirs := s.people()
	s.stop(syscall.SIGTERM)
	require.Equal(t, []string{"0.19.5"}, []string{read(t, s.home, ".data_version")})

	s.start(p.ours)
	require.Equal(t, facility, s.signIn("admin"))
	require.Equal(t, theirs, s.people())
	s.signIn("raj")
	s.stop(syscall.SIGKILL)

	// what is left after a kill opens too
	s.start(p.original)
	s.signIn("admin")
	require.Equal(t, theirs, s.people())
	s.stop(syscall.SIGTERM)
	s.start(p.ours)
	s.signIn("admin")
	require.Equal(t, theirs, s.people())
	s.stop(syscall.SIGTERM)

	// a backup from the tab is the database alone
	database, err := os.ReadFile(filepath.Join(s.home, "db.sqlite3"))
	require.NoError(t, err)
	restored := newSite(t, p)
	require.NoError(t, os.MkdirAll(restored.home, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(restored.home, "db.sqlite3"), database, 0o644))
	restored.start(p.original)
	restored.signIn("admin")
	require.Equal(t, theirs, restored.people())
	restored.stop(syscall.SIGTERM)
}

func TestWeOpenTheOriginalsHome(t *testing.T) {
	p := findPrograms(t)
	s := newSite(t, p)
	s.provision(p.original, "École")
	s.start(p.original)
	facility := s.signIn("admin")
	s.add(facility, "zoë", "Zoë Œuvre")
	theirs := s.people()
	s.stop(syscall.SIGTERM)
	s.execute("notifications.sqlite3", notice("theirs"))
	s.execute("networklocation.sqlite3", place("Peer-one"))
	require.Len(t, s.column("job_storage.sqlite3", jobRows), 2)

	s.start(p.ours)
	require.Equal(t, facility, s.signIn("admin"))
	require.Equal(t, theirs, s.people())
	require.Equal(t, []string{"theirs"}, s.column("db.sqlite3", noticeRows))
	require.Equal(t, []string{"Peer-one"}, s.column("db.sqlite3", placeRows))
	require.Len(t, s.column("db.sqlite3", jobRows), 2)
	s.add(facility, "raj", "राज")
	mine := s.people()
	s.execute("db.sqlite3", notice("ours"))
	s.stop(syscall.SIGTERM)

	require.Equal(t, []string{"ours", "theirs"}, s.column("notifications.sqlite3", noticeRows))
	require.Equal(t, []string{"Peer-one"}, s.column("networklocation.sqlite3", placeRows))
	s.start(p.original)
	s.signIn("admin")
	require.Equal(t, mine, s.people())
	s.send("GET", "/api/tasks/tasks/", nil, 200)
	require.Len(t, s.send("GET", "/api/discovery/staticnetworklocation/", nil, 200), 1)
	s.stop(syscall.SIGTERM)
}

func read(t *testing.T, dir, name string) string {
	text, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return string(text)
}
