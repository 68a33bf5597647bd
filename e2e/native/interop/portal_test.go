//go:build unix

package interop

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Both programs register a facility with a stand-in for the data portal by the same requests, and pass on what it answers.
func TestBothRegisterAlikeWithThePortal(t *testing.T) {
	takesMinutes(t)
	p := findPrograms(t)
	told := map[string][]string{} // the requests by program, without what differs between homes
	for name, program := range map[string]string{"original": p.original, "ours": p.ours} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan string, 100) // the portal answers while the test waits for the program
			portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				const nonce = "0123456789abcdef0123456789abcdef"
				switch r.Method + " " + r.URL.Path {
				case "POST /api/morango/v1/nonces/":
					asked <- "a nonce"
					w.WriteHeader(http.StatusCreated)
					fmt.Fprintf(w, `{"id":"%s","timestamp":"2026-01-05T08:00:00Z","ip":"127.0.0.1"}`, nonce)
				case "POST /portal/api/public/v1/registerfacility/":
					_ = r.ParseForm()
					var chain []map[string]any
					err := json.Unmarshal([]byte(r.PostForm.Get("certificate_chain")), &chain)
					of := []string{r.Header.Get("Content-Type"), r.PostForm.Get("server_nonce"), r.PostForm.Get("token"), fmt.Sprint(err)}
					of = append(of, slices.Sorted(maps.Keys(r.PostForm))...)
					for _, c := range chain {
						of = append(of, slices.Sorted(maps.Keys(c))...)
						of = append(of, fmt.Sprint(c["profile"], c["scope_definition"], c["scope_version"], c["id"] == r.PostForm.Get("client_certificate_id")))
					}
					asked <- strings.Join(of, " ")
					if r.PostForm.Get("token") != "right" {
						w.WriteHeader(http.StatusBadRequest)
						_, _ = w.Write([]byte(`[{"id":"INVALID_KDP_REGISTRATION_TOKEN","metadata":{}}]`))
						return
					}
					w.WriteHeader(http.StatusCreated)
					_, _ = w.Write([]byte(`{}`))
				default:
					w.WriteHeader(http.StatusNotFound)
				}
			}))
			defer portal.Close()
			s := newSite(t, p)
			s.env = append(s.env, "KOLIBRI_DATA_PORTAL_SYNCING_BASE_URL="+portal.URL)
			s.provision(program, "École 学校")
			s.start(program)
			body := map[string]any{"facility_id": s.signIn("admin"), "name": "École 学校", "token": "wrong"}
			answer, err := json.Marshal(s.send("POST", "/api/auth/portal/register/", body, 400))
			require.NoError(t, err)
			told[name] = append(told[name], string(answer))
			body["token"] = "right"
			s.send("POST", "/api/auth/portal/register/", body, 201)
			for range len(asked) { // each was asked before the program answered
				told[name] = append(told[name], <-asked)
			}
			s.stop(syscall.SIGTERM) // which brings what ours has in one database into the original's files
			told[name] = append(told[name], s.column("job_storage.sqlite3", "SELECT count(*) FROM jobs WHERE id LIKE 'kdp_sync_%'")...)
		})
	}
	require.Equal(t, told["original"], told["ours"])
}
