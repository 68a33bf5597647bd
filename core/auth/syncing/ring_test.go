package syncing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/server/servertest"
	"kolibri/store"
)

// people are the accounts of a device as everybody sees them.
func people(t *testing.T, db *store.DB, facility string) (all []string) {
	t.Helper()
	require.NoError(t, db.Read(context.Background(), func(tx *store.Tx) (err error) {
		all, err = tx.Strings("SELECT id || username || full_name FROM kolibriauth_facilityuser WHERE facility_id = ? ORDER BY id", facility)
		return err
	}))
	return all
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
