package syncing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/server/servertest"
	"kolibri/store"
)

// edit changes something at random, as people do.
func edit(t *testing.T, r *rand.Rand, db *store.DB, facility string, step int) {
	t.Helper()
	require.NoError(t, db.Write(context.Background(), func(tx *store.Tx) error {
		users, err := tx.Strings("SELECT id FROM kolibriauth_facilityuser WHERE username LIKE 'l%' ORDER BY id")
		if err != nil {
			return err
		}
		switch r.IntN(4) {
		case 0:
			c, err := auth.LoadCollection(tx, facility)
			if err != nil {
				return err
			}
			_, err = auth.CreateUser(tx, randomReader{r}, c, auth.NewUser{Username: fmt.Sprint("l", step, "x", r.Uint32()), FullName: "New"})
			return err
		case 1:
			if len(users) > 3 {
				return auth.PurgeUsers(tx, morango.Delete, users[r.IntN(len(users))])
			}
		}
		if len(users) == 0 {
			return nil
		}
		return morango.Update(tx, morango.FacilityUser, users[r.IntN(len(users))], morango.Row{"full_name": fmt.Sprint("Name ", step, r.Uint32())})
	}))
}

type randomReader struct{ *rand.Rand }

func (r randomReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return len(p), nil
}

// people are the accounts of a device as everybody sees them.
func people(t *testing.T, db *store.DB, facility string) (all []string) {
	t.Helper()
	require.NoError(t, db.Read(context.Background(), func(tx *store.Tx) (err error) {
		all, err = tx.Strings("SELECT id || username || full_name FROM kolibriauth_facilityuser WHERE facility_id = ? ORDER BY id", facility)
		return err
	}))
	return all
}

// facilityStore is what a device's store has of a facility.
func facilityStore(t *testing.T, db *store.DB, dataset string) (all []string) {
	t.Helper()
	require.NoError(t, db.Read(context.Background(), func(tx *store.Tx) (err error) {
		all, err = tx.Strings(`SELECT id || ' ' || last_saved_instance || ' ' || last_saved_counter || ' ' || deleted || hard_deleted || serialized || conflicting_serialized_data
			FROM morango_store WHERE partition LIKE ? ORDER BY id`, dataset+"%")
		return err
	}))
	return all
}

// TestRingOfThreeConverges edits on three devices at random, has pairs of them synchronize, and
// compares all stores after two quiet rounds. KOLIBRI_SYNC_SEEDS is how often.
func TestRingOfThreeConverges(t *testing.T) {
	seeds := uint64(1)
	if text := os.Getenv("KOLIBRI_SYNC_SEEDS"); text != "" {
		var err error
		seeds, err = strconv.ParseUint(text, 10, 32)
		require.NoError(t, err)
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := servertest.NewWorld(t)
			ring := []*device{{w.Server, syncerOf(w.Server, api.NewOutgoing(http.DefaultTransport))}, empty(t), empty(t)}
			join := func(client, server int) {
				t.Helper()
				o := from(w)
				o.BaseURL = ring[server].HTTP.URL
				_, err := ring[client].Sync(context.Background(), o)
				require.NoError(t, err)
			}
			join(1, 0)
			join(2, 1)
			for step := range 8 {
				for _, d := range ring {
					edit(t, r, d.DB, w.IDs["facility"], step)
				}
				client := r.IntN(3)
				join(client, (client+1+r.IntN(2))%3)
			}
			for range 2 { // quiet rounds
				join(1, 0)
				join(2, 1)
				join(0, 2)
			}
			want, store := people(t, ring[0].DB, w.IDs["facility"]), facilityStore(t, ring[0].DB, w.IDs["dataset"])
			require.NotEmpty(t, want)
			for _, d := range ring[1:] {
				require.Equal(t, want, people(t, d.DB, w.IDs["facility"]))
				require.Equal(t, store, facilityStore(t, d.DB, w.IDs["dataset"]))
			}
		})
	}
}

func TestSeveralSynchronizeAtOnce(t *testing.T) {
	w := servertest.NewWorld(t)
	var all []*device
	for range 3 {
		all = append(all, empty(t))
	}
	var waiting sync.WaitGroup
	failures := make([]error, len(all))
	for i, d := range all {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			_, failures[i] = d.Sync(context.Background(), from(w))
		}()
	}
	waiting.Wait()
	for i, d := range all {
		require.NoError(t, failures[i])
		require.Len(t, people(t, d.DB, w.IDs["facility"]), 8)
	}
}

// liar changes what the other device answers.
type liar struct {
	api.Outgoing
	change func(path string, body map[string]any)
}

func (l *liar) Do(r *http.Request) (*http.Response, error) {
	res, err := l.Outgoing.Do(r)
	if err != nil || !strings.Contains(r.URL.Path, "/api/morango/") {
		return res, err
	}
	text, err := io.ReadAll(res.Body)
	res.Body.Close()
	var body map[string]any
	if err == nil && json.Unmarshal(text, &body) == nil {
		l.change(r.URL.Path, body)
		text, err = json.Marshal(body)
	}
	res.Body = io.NopCloser(bytes.NewReader(text))
	return res, err
}

func TestOtherDeviceLies(t *testing.T) {
	w := servertest.NewWorld(t)
	for name, change := range map[string]func(path string, body map[string]any){
		"more than it sends": func(path string, body map[string]any) {
			if n, ok := body["records_total"].(float64); ok && strings.Contains(path, "transfersessions") {
				body["records_total"] = n + 5
			}
		},
		"the same again": func(path string, body map[string]any) {
			if list, ok := body["results"].([]any); ok && len(list) > 1 {
				body["results"] = append(list, list[0])
			}
		},
		"another's records": func(path string, body map[string]any) {
			if list, ok := body["results"].([]any); ok {
				list[0].(map[string]any)["partition"] = w.IDs["other_dataset"]
			}
		},
		"records without end": func(path string, body map[string]any) {
			if body["records_total"] != nil {
				body["records_total"] = 1 << 50
			}
		},
		"nothing": func(path string, body map[string]any) {
			if body["records_total"] != nil {
				body["records_total"] = 0
			}
		},
		"less than nothing": func(path string, body map[string]any) {
			if body["records_total"] != nil {
				body["records_total"] = -5
			}
		},
		"nobody's signature": func(path string, body map[string]any) {
			if body["server_instance"] != nil {
				body["signature"] = "AAAA"
			}
		},
		"a wider filter": func(path string, body map[string]any) {
			if body["filter"] != nil {
				body["filter"] = body["filter"].(string) + "\n" + w.IDs["other_dataset"]
			}
		},
		"an unknown stage": func(path string, body map[string]any) {
			if body["transfer_stage"] == "serializing" {
				body["transfer_stage_status"] = "errored"
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := servertest.New(t)
			_, err := syncerOf(s, &liar{api.NewOutgoing(http.DefaultTransport), change}).Sync(context.Background(), from(w))
			require.Error(t, err)
			require.Empty(t, people(t, s.DB, w.IDs["facility"]))
		})
	}
}
