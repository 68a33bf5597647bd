//go:build unix

package interop

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// edit changes something by the API, as people do.
func (s *site) edit(r *rand.Rand, facility string, name string) {
	s.t.Helper()
	var learners []string
	for _, v := range s.send("GET", "/api/auth/facilityuser/", nil, 200).([]any) {
		if user := v.(map[string]any); user["username"] != "admin" {
			learners = append(learners, "/api/auth/facilityuser/"+user["id"].(string)+"/")
		}
	}
	rooms := s.send("GET", "/api/auth/classroom/", nil, 200).([]any)
	switch n := r.IntN(5); {
	case n == 0 || len(learners) == 0:
		s.add(facility, "l"+name, "Learner "+name)
	case n == 1 && len(learners) > 3:
		s.send("DELETE", learners[r.IntN(len(learners))], nil, 204)
	case n == 2 || len(rooms) == 0:
		s.send("POST", "/api/auth/classroom/", map[string]any{"name": "Class " + name, "parent": facility}, 201)
	case n == 3:
		room := rooms[r.IntN(len(rooms))].(map[string]any)["id"].(string)
		if len(rooms) > 2 {
			s.send("DELETE", "/api/auth/classroom/"+room+"/", nil, 204)
			return
		}
		s.send("PATCH", "/api/auth/classroom/"+room+"/", map[string]any{"name": "Renamed " + name}, 200)
	default:
		s.send("PATCH", learners[r.IntN(len(learners))], map[string]any{"full_name": "Name " + name}, 200)
	}
}

// A real Kolibri and two of ours edit at random, pairs of them synchronize, and after two quiet rounds all hold the
// same. KOLIBRI_SYNC_SEEDS is how often (3).
func TestRingWithAnOriginalConverges(t *testing.T) {
	takesMinutes(t)
	seeds := uint64(3)
	if text := os.Getenv("KOLIBRI_SYNC_SEEDS"); text != "" {
		var err error
		seeds, err = strconv.ParseUint(text, 10, 32)
		require.NoError(t, err)
	}
	p := findPrograms(t)
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			programs := []string{p.original, p.ours, p.ours}
			ring := []*site{newSite(t, p), newSite(t, p), newSite(t, p)}
			apart(ring...)
			var facility string
			join := func(client, server int) {
				t.Helper()
				ring[client].run(programs[client], "manage", "sync", "--baseurl", ring[server].url(""), "--facility", facility,
					"--username", "admin", "--password", password, "--noninteractive")
			}
			ring[0].provision(p.original, "École 学校")
			ring[0].django(p.original, "make", "stays")
			for i, s := range ring {
				if i > 0 {
					join(i, i-1)
				}
				s.start(programs[i])
				facility = s.signIn("admin")
			}
			for step := range 4 {
				for i, s := range ring {
					s.edit(r, facility, fmt.Sprint(step, "_", i))
				}
				client := r.IntN(3)
				join(client, (client+1+r.IntN(2))%3)
			}
			for range 2 { // quiet rounds
				join(1, 0)
				join(2, 1)
				join(0, 2)
			}
			agree(t, ring...)
		})
	}
}
