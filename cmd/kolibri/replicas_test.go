//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store/postgres/pgtest"
)

// replica is one of several servers on one database, each with a home of its own.
type replica struct {
	*box
	process *exec.Cmd
	log     *bytes.Buffer
	ready   atomic.Bool
}

func newReplica(t *testing.T, env ...string) *replica { return &replica{box: newBox(t, env...)} }

// begin starts the replica and returns when it is ready.
func (r *replica) begin() error {
	r.log = &bytes.Buffer{}
	r.process = r.command("start", "--foreground")
	r.process.Stdout, r.process.Stderr = r.log, r.log
	if err := r.process.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if r.asked() {
			r.ready.Store(true)
			return nil
		}
	}
	return fmt.Errorf("a replica does not start: %s", r.log)
}

func (r *replica) asked() bool {
	res, err := http.Get(r.url("/readyz"))
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func (r *replica) end(signal syscall.Signal) error {
	if err := r.process.Process.Signal(signal); err != nil {
		return err
	}
	err := r.process.Wait()
	if signal == syscall.SIGKILL {
		return nil
	}
	return err
}

// balancer is a plain round-robin proxy: it asks servers whether they are ready, and sends a request
// to the next one when it finds nobody listening. What has reached a server is not sent again.
type balancer struct {
	replicas []*replica
	next     atomic.Uint64
	client   *http.Transport
}

func newBalancer(t *testing.T, replicas []*replica) string {
	b := &balancer{replicas: replicas, client: &http.Transport{DisableKeepAlives: true}}
	done := make(chan bool)
	for _, r := range replicas {
		go func() {
			for tick := time.NewTicker(100 * time.Millisecond); ; {
				select {
				case <-tick.C:
					r.ready.Store(r.asked())
				case <-done:
					return
				}
			}
		}()
	}
	s := httptest.NewServer(b)
	t.Cleanup(func() { s.Close(); close(done) })
	return s.URL
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		to := b.replicas[b.next.Add(1)%uint64(len(b.replicas))]
		if !to.ready.Load() {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		out, err := http.NewRequestWithContext(r.Context(), r.Method, to.url(r.URL.RequestURI()), bytes.NewReader(body))
		if err != nil {
			break
		}
		out.Header = r.Header.Clone()
		res, err := b.client.RoundTrip(out)
		var dialing *net.OpError
		if errors.As(err, &dialing) && dialing.Op == "dial" {
			continue
		}
		if err != nil {
			break
		}
		defer res.Body.Close()
		for name, values := range res.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
		return
	}
	w.WriteHeader(http.StatusBadGateway)
}

// load is what clients do, what was acknowledged, and what went wrong.
type load struct {
	t        *testing.T
	facility string
	round    int // of run, so that no name comes twice

	mu           sync.Mutex
	acknowledged []string
	jobs         []string
	failed       map[string]int
}

// run loads the replicas until stop is closed. Anything but the expected answer is counted.
func (l *load) run(w *browser, stop chan bool) *sync.WaitGroup {
	var all sync.WaitGroup
	l.round++
	for n := range 4 {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("class %d %d %d", l.round, n, i)
				status, _, err := w.send("POST", "/api/auth/classroom/", map[string]any{"name": name, "parent": l.facility})
				l.count("write", status, 201, err)
				if status == 201 {
					l.mu.Lock()
					l.acknowledged = append(l.acknowledged, name)
					l.mu.Unlock()
				}
				status, _, err = w.send("GET", "/api/auth/facilityuser/", nil)
				l.count("read", status, 200, err)
				if i%10 == 0 {
					status, answer, err := w.send("POST", "/api/tasks/tasks/", map[string]any{"type": "kolibri.core.auth.tasks.cleanup_expired_deleted_users"})
					l.count("job", status, 200, err)
					l.note(answer)
				}
			}
		})
	}
	return &all
}

func (l *load) note(answer []byte) {
	var job struct{ ID string }
	if json.Unmarshal(answer, &job) == nil && job.ID != "" {
		l.mu.Lock()
		l.jobs = append(l.jobs, job.ID)
		l.mu.Unlock()
	}
}

func (l *load) count(what string, status, want int, err error) {
	if err == nil && status == want {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed[fmt.Sprintf("%s: %d %v", what, status, err)]++
}

// minutes is how long replicas are killed: a few seconds, or KOLIBRI_REPLICA_MINUTES (make replica-test).
func minutes(t *testing.T) time.Duration {
	text := os.Getenv("KOLIBRI_REPLICA_MINUTES")
	if text == "" {
		return 6 * time.Second
	}
	n, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return time.Duration(n * float64(time.Minute))
}

// Three servers on one database, behind a balancer. First they are killed at random: clients see
// errors, but nothing that was acknowledged may be lost, and every job is done. Then each is replaced
// in turn as an update does it, and every request must be answered. KOLIBRI_REPLICA_FROM names the
// command of another build, which is the one that runs before the update.
func TestReplicas(t *testing.T) {
	database := pgtest.Start(t, "max_connections = 200")
	database.CreateDatabase(t, "school")
	content := t.TempDir()
	env := append(postgresEnv(database, "school"), "KOLIBRI_CONTENT_DIR="+content, "KOLIBRI_DRAIN_TIME=3", "KOLIBRI_DATABASE_CONNECTIONS=8")
	replicas := []*replica{newReplica(t, env...), newReplica(t, env...), newReplica(t, env...)}
	for _, r := range replicas {
		r.program = os.Getenv("KOLIBRI_REPLICA_FROM")
	}
	replicas[0].provision()
	for _, r := range replicas {
		require.NoError(t, r.begin())
		t.Cleanup(func() { _ = r.process.Process.Kill(); _ = r.process.Wait() })
	}
	address := newBalancer(t, replicas)
	_, port, err := net.SplitHostPort(address[len("http://"):])
	require.NoError(t, err)
	front := &box{t: t}
	front.port, err = strconv.Atoi(port)
	require.NoError(t, err)
	w, facility := front.signIn() // one session, which every replica knows
	l := &load{t: t, facility: facility, failed: map[string]int{}}

	stop := make(chan bool)
	clients := l.run(w, stop)
	kills := 0
	for end := time.Now().Add(minutes(t)); time.Now().Before(end); kills++ {
		time.Sleep(time.Duration(200+rand.IntN(1300)) * time.Millisecond)
		r := replicas[rand.IntN(len(replicas))]
		require.NoError(t, r.end(syscall.SIGKILL))
		time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
		require.NoError(t, r.begin())
	}
	close(stop)
	clients.Wait()
	t.Logf("%d kills, %d acknowledged writes, %d jobs, errors while servers died: %v", kills, len(l.acknowledged), len(l.jobs), l.failed)
	l.check(w)

	l.failed = map[string]int{}
	before := len(l.acknowledged)
	stop = make(chan bool)
	clients = l.run(w, stop)
	for _, r := range replicas {
		require.NoError(t, r.end(syscall.SIGTERM), r.log)
		r.ready.Store(false)
		r.program = "" // the new build, beside the others on the same database
		require.NoError(t, r.begin())
		time.Sleep(200 * time.Millisecond)
	}
	close(stop)
	clients.Wait()
	require.Empty(t, l.failed, "an update is nothing that users notice")
	require.Greater(t, len(l.acknowledged), before)
	l.check(w)
}

// check looks for everything that was acknowledged, and waits for every job to be done.
func (l *load) check(w *browser) {
	l.t.Helper()
	status, answer, err := w.send("GET", "/api/auth/classroom/?parent="+l.facility, nil)
	require.NoError(l.t, err)
	require.Equal(l.t, 200, status, string(answer))
	var classes []struct{ Name string }
	require.NoError(l.t, json.Unmarshal(answer, &classes))
	there := map[string]int{}
	for _, c := range classes {
		there[c.Name]++
	}
	wanted := map[string]int{}
	for _, name := range l.acknowledged {
		wanted[name]++
	}
	lost := 0
	for name, n := range wanted {
		if there[name] < n {
			lost++
		}
	}
	require.Zero(l.t, lost, "acknowledged writes that are gone, of %d", len(l.acknowledged))
	for _, id := range l.jobs {
		require.Eventually(l.t, func() bool {
			status, answer, err := w.send("GET", "/api/tasks/tasks/"+id+"/", nil)
			return err == nil && status == 200 && bytes.Contains(answer, []byte(`"COMPLETED"`))
		}, 2*time.Minute, 50*time.Millisecond, "job %s is not done", id)
	}
}
