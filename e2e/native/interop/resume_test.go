//go:build unix

package interop

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// gate passes requests on to a server. A client is killed at the first that is fatal, which gets no answer.
type gate struct {
	*httptest.Server
	held   sync.Mutex
	fatal  func(*http.Request) bool
	victim *exec.Cmd
}

func newGate(t *testing.T, to *site) *gate {
	there, err := url.Parse(to.url("/"))
	require.NoError(t, err)
	pass := httputil.NewSingleHostReverseProxy(there)
	g := &gate{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.held.Lock()
		victim := g.victim
		if victim == nil || !g.fatal(r) {
			victim = nil
		} else {
			g.victim = nil
		}
		g.held.Unlock()
		if victim != nil {
			_ = syscall.Kill(-victim.Process.Pid, syscall.SIGKILL)
			panic(http.ErrAbortHandler)
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// killed runs a client until it is killed at the first request that is fatal.
func (g *gate) killed(s *site, fatal func(*http.Request) bool, program string, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	c := s.command(ctx, program, args...)
	var said strings.Builder
	c.Stdout, c.Stderr = &said, &said
	g.held.Lock()
	err := c.Start()
	g.victim, g.fatal = c, fatal
	g.held.Unlock()
	require.NoError(s.t, err)
	require.Error(s.t, c.Wait(), said.String())
	require.NoError(s.t, ctx.Err(), said.String())
	g.held.Lock()
	defer g.held.Unlock()
	require.Nil(s.t, g.victim, "it was not killed: %s", said.String())
}

// run runs a program's command to its end.
func (s *site) run(program string, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	out, err := s.command(ctx, program, args...).CombinedOutput()
	require.NoError(s.t, err, string(out))
}

// isTo tells requests of a method to a resource of Morango, from the nth on.
func isTo(method, resource string, nth int) func(*http.Request) bool {
	return func(r *http.Request) bool {
		if r.Method == method && strings.Contains(r.URL.Path, "/api/morango/v1/"+resource+"/") {
			nth--
		}
		return nth <= 0
	}
}

const openSessions = "SELECT id FROM morango_syncsession WHERE active"

// Each program's client is killed in the middle of a pull and of a push with the other's server, goes on by
// resumesync, and what nobody goes on with is closed by cleanupsyncs on either side.
func TestKilledClientsGoOn(t *testing.T) {
	takesMinutes(t)
	p := findPrograms(t)
	for name, of := range map[string]struct{ server, client string }{
		"our client":            {p.original, p.ours},
		"the original's client": {p.ours, p.original},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := newSite(t, p), newSite(t, p)
			apart(server, client)
			server.provision(of.server, "École 学校")
			server.start(of.server)
			facility := server.signIn("admin")
			for i := range 20 {
				server.add(facility, fmt.Sprint("learner", i), fmt.Sprint("Learner ", i))
			}
			g := newGate(t, server)
			fresh := []string{"manage", "sync", "--baseurl", g.URL, "--facility", facility, "--username", "admin", "--password", password,
				"--noninteractive", "--chunk-size", "3"}
			resume := func() {
				t.Helper()
				open := client.column("db.sqlite3", openSessions)
				require.Len(t, open, 1)
				client.run(of.client, "manage", "resumesync", "--id", open[0], "--baseurl", g.URL, "--noninteractive", "--chunk-size", "3")
				require.Empty(t, client.column("db.sqlite3", openSessions))
				require.Empty(t, server.column("db.sqlite3", openSessions))
			}

			t.Log("killed while it pulls")
			g.killed(client, isTo("GET", "buffers", 2), of.client, fresh...)
			resume()
			require.Len(t, client.column("db.sqlite3", "SELECT id FROM kolibriauth_facilityuser WHERE username LIKE 'learner%'"), 20)
			client.sync(of.client, server, facility)
			agree(t, server, client)

			t.Log("killed while it pushes")
			client.execute("db.sqlite3", "UPDATE kolibriauth_facilityuser SET full_name = 'Anew ' || username, _morango_dirty_bit = 1 WHERE username LIKE 'learner%'")
			g.killed(client, isTo("POST", "buffers", 2), of.client, fresh...)
			resume()
			client.sync(of.client, server, facility)
			agree(t, server, client)
			require.Len(t, server.column("db.sqlite3", "SELECT id FROM kolibriauth_facilityuser WHERE full_name LIKE 'Anew %'"), 20)

			t.Log("killed, and never resumed")
			server.add(facility, "late", "Late Learner")
			g.killed(client, isTo("GET", "buffers", 1), of.client, fresh...)
			for program, s := range map[string]*site{of.server: server, of.client: client} {
				require.Len(t, s.column("db.sqlite3", openSessions), 1)
				s.run(program, "manage", "cleanupsyncs", "--expiration", "0")
				require.Empty(t, s.column("db.sqlite3", openSessions))
				require.Empty(t, s.column("db.sqlite3", "SELECT id FROM morango_transfersession WHERE active"))
				require.Empty(t, s.column("db.sqlite3", "SELECT model_uuid FROM morango_buffer"))
			}
			client.sync(of.client, server, facility)
			agree(t, server, client)
			require.Len(t, client.column("db.sqlite3", "SELECT id FROM kolibriauth_facilityuser WHERE username = 'late'"), 1)
		})
	}
}
