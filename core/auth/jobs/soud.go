package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"kolibri/core/auth/syncing"
	"kolibri/core/device/settings"
	"kolibri/core/device/soud"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
	"kolibri/morango"
	"kolibri/morango/peer"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// rounds bounds how often one run looks for places that have become due meanwhile.
const rounds = 50

// runSoud synchronizes the single users that are due, one after the other, and comes again when the
// next is. kolibri/core/device/soud.py: execute_syncs
func (j *Jobs) runSoud(ctx context.Context, t *tasks.Task) (any, error) {
	if err := t.Write(soud.Interrupted); err != nil {
		return nil, err
	}
	for range rounds {
		some := false
		for _, ready := range []bool{true, false} {
			var due []*soud.Place // anew: a synchronization says when the next is
			if err := t.Read(func(tx *store.Tx) (err error) { due, err = soud.Due(tx); return err }); err != nil {
				return nil, err
			}
			for _, p := range due {
				if ready != (p.Status == soud.Ready) {
					continue
				}
				some = true
				if err := t.Check(); err != nil {
					return nil, err
				}
				step := j.ask
				if ready {
					step = j.syncUser
				}
				if err := step(ctx, t, p); err != nil {
					return nil, err
				}
			}
		}
		if !some {
			break
		}
	}
	return nil, t.Read(func(tx *store.Tx) error {
		in, some, err := soud.Next(tx)
		if some {
			t.RetryIn(max(in, time.Second))
		}
		return err
	})
}

// ask asks a server for a place in its queue. kolibri/core/device/soud.py: request_sync
func (j *Jobs) ask(ctx context.Context, t *tasks.Task, p *soud.Place) error {
	var l *network.Location
	var own morango.Instance
	err := t.Read(func(tx *store.Tx) (err error) {
		if own, err = morango.CurrentInstance(tx); err != nil {
			return err
		}
		l, err = p.Location(tx)
		return err
	})
	status, keep, session := "", 0.0, ""
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return err
	default:
		answer, err := network.NewClient(j.syncer.Host, l.BaseURL).Post(ctx, "api/public/syncqueue/", soud.Request{User: p.User, Instance: own.ID})
		var said soud.Answer
		switch {
		case err == nil && json.Unmarshal(answer.Body, &said) == nil:
			status, keep = said.Status, float64(said.KeepAlive)
		case answer != nil && answer.Status == http.StatusNotFound:
			status = soud.Ineligible
		}
	}
	return t.Write(func(tx *store.Tx) error {
		if status == soud.Ready {
			if session, err = j.syncer.Resumable(tx, p.User, l.BaseURL); err != nil {
				return err
			}
		}
		return p.Answered(tx, status, keep, session)
	})
}

// syncUser synchronizes one user with a server that is ready for it. The session stays open, for the
// next time. kolibri/core/device/soud.py: execute_sync
func (j *Jobs) syncUser(ctx context.Context, t *tasks.Task, p *soud.Place) error {
	o := syncing.Options{User: p.User, KeepAlive: true, NoProvision: true, Session: p.Session}
	err := t.Write(func(tx *store.Tx) error {
		l, err := p.Location(tx)
		if err != nil {
			return err
		}
		o.BaseURL = l.BaseURL
		if err := tx.QueryRow("SELECT facility_id FROM kolibriauth_facilityuser WHERE id = ?", p.User).Scan(&o.Facility); err != nil {
			return err
		}
		return p.Begun(tx)
	})
	if err == nil {
		o.Progress = func(syncing.Step) error { return t.Check() }
		_, err = j.syncer.Sync(ctx, o)
	}
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		j.syncer.Host.Log.Warn("soud: a user was not synchronized", "user", p.User, "server", o.BaseURL, "error", err)
	}
	return t.Write(func(tx *store.Tx) error {
		if err != nil && p.Session != "" {
			if _, _, err := transfer.CleanUp(tx, transfer.Expiry{Before: tx.Now().Add(time.Second), IDs: []string{p.Session}}); err != nil {
				return err
			}
		}
		return p.Ended(tx, err != nil, errors.Is(err, peer.ErrGone) && p.Session != "")
	})
}

// runSoudCleanUp closes single users' sessions. kolibri/core/auth/tasks.py: soud_sync_cleanup
func runSoudCleanUp(_ context.Context, t *tasks.Task) (any, error) {
	condition, args := "1 = 1", []any{}
	if instance, ok := t.Job.Kwargs["client_instance_id"].(string); ok {
		condition, args = "client_instance_id = ? AND is_server = ?", []any{instance, true}
	}
	if list, ok := t.Job.Kwargs["pk__in"].([]any); ok {
		condition, args = "id IN ?", []any{store.In(list)}
	}
	return nil, t.Write(func(tx *store.Tx) error {
		ids, err := tx.Strings(`SELECT id FROM morango_syncsession WHERE active = TRUE AND client_certificate_id IN
			(SELECT id FROM morango_certificate WHERE scope_definition_id = 'single-user') AND `+condition, args...)
		if err != nil || len(ids) == 0 {
			return err
		}
		_, _, err = transfer.CleanUp(tx, transfer.Expiry{Before: tx.Now().Add(time.Second), IDs: ids})
		return err
	})
}

// Start takes up what is due since the last server ended, with every device that answered then.
func (j *Jobs) Start(ctx context.Context) error {
	return j.syncer.Host.DB.Write(ctx, j.Provisioned)
}

// Provisioned takes up what waited until the device was set up.
func (j *Jobs) Provisioned(tx *store.Tx) error {
	return j.reachedAll(tx, "connection_status = ?", network.StatusOkay)
}

// reachedAll is Reached for the known devices that meet a condition.
func (j *Jobs) reachedAll(tx *store.Tx, condition string, args ...any) error {
	all, err := store.Select(tx, network.ScanLocation, "SELECT "+network.Columns+" FROM discovery_networklocation WHERE "+condition, args...)
	if err != nil {
		return err
	}
	for _, l := range all {
		if _, err := soud.Reached(tx, j.syncer.Host.Rand, l); err != nil {
			return err
		}
	}
	return j.StartSoud(tx)
}

// runUser fetches a single user, who is kept up to date from then on.
func (j *Jobs) runUser(ctx context.Context, t *tasks.Task) (any, error) {
	result, err := j.runSync(ctx, t)
	if err != nil {
		return result, err
	}
	base, _ := t.Job.Kwargs["baseurl"].(string)
	return result, t.Write(func(tx *store.Tx) error {
		return j.reachedAll(tx, "base_url IN ?", store.In([]string{base, strings.TrimRight(base, "/")}))
	})
}

// StartSoud has single users' synchronizations carried out when they are due. The setup wizard goes on
// when no task of their queue is left, so that they wait for its end.
// kolibri/core/auth/tasks.py: enqueue_soud_sync_processing
func (j *Jobs) StartSoud(tx *store.Tx) error {
	device, err := settings.Get(tx)
	if err != nil || !device.IsProvisioned {
		return err
	}
	in, some, err := soud.Next(tx)
	if err != nil || !some {
		return err
	}
	_, err = j.runner.Enqueue(tx, soudSync, tasks.Spec{}, tasks.Schedule{At: tx.Now().Add(in)})
	if errors.Is(err, tasks.ErrRunning) {
		return nil
	}
	return err
}

// Reached makes single users' synchronizations with a device due that was found in the network.
// kolibri/plugins/learn/kolibri_plugin.py: RequestSoUDSyncHook
func (j *Jobs) Reached(tx *store.Tx, l *network.Location) error {
	some, err := soud.Reached(tx, j.syncer.Host.Rand, l)
	if err != nil || !some {
		return err
	}
	return j.StartSoud(tx)
}
