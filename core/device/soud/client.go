package soud

import (
	"errors"
	"io"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/discovery/network"
	"kolibri/store"
)

// Users are those whose data this device synchronizes one by one: everybody of a facility that it does
// not hold whole. Deleted ones are among them, so that the deletion travels.
func Users(tx *store.Tx) ([]string, error) {
	datasets, err := tx.Strings("SELECT id FROM kolibriauth_facilitydataset ORDER BY id")
	if err != nil {
		return nil, err
	}
	var all []string
	for _, dataset := range datasets {
		full, err := auth.FullFacility(tx, dataset)
		if err != nil {
			return nil, err
		}
		if full {
			continue
		}
		ids, err := tx.Strings("SELECT id FROM kolibriauth_facilityuser WHERE dataset_id = ? ORDER BY id", dataset)
		if err != nil {
			return nil, err
		}
		all = append(all, ids...)
	}
	return all, nil
}

// Reached makes the users' synchronizations with a device due that has just been found, unless they are
// on their way. It tells whether there are any. kolibri/core/device/soud.py: request_sync_hook
func Reached(tx *store.Tx, random io.Reader, l *network.Location) (bool, error) {
	if l.Status != network.StatusOkay || l.Subset || l.InstanceID == "" || l.Application != "kolibri" {
		return false, nil
	}
	users, err := Users(tx)
	if err != nil {
		return false, err
	}
	for _, user := range users {
		p, made, err := Ensure(tx, random, user, l.InstanceID, Pending)
		if err != nil {
			return false, err
		}
		if !made && p.active(tx.Now()) {
			continue
		}
		p.Status = Pending
		p.reset(tx.Now(), 0)
		if err := p.Save(tx); err != nil {
			return false, err
		}
	}
	return len(users) > 0, nil
}

// Location is the address of a place's server, or store.ErrNotFound while it cannot be reached.
func (p *Place) Location(tx *store.Tx) (*network.Location, error) {
	return store.Get(tx, network.ScanLocation, "SELECT "+network.Columns+` FROM discovery_networklocation
		WHERE instance_id = ? AND connection_status = ? AND application = 'kolibri' ORDER BY id LIMIT 1`, p.Instance, network.StatusOkay)
}

// eligible are the places that synchronizations can still come of.
const eligible = "status NOT IN ('" + Ineligible + "', '" + Syncing + "') AND attempts <= 5"

// Due are the places whose time has come.
func Due(tx *store.Tx) ([]*Place, error) {
	return store.Select(tx, scan, "SELECT "+columns+" FROM device_syncqueue WHERE "+eligible+" AND updated + keep_alive <= ? ORDER BY updated + keep_alive",
		seconds(tx.Now().Add(window)))
}

// Next is in how long the next place is due; ok is false when there is none.
func Next(tx *store.Tx) (in time.Duration, ok bool, err error) {
	var due *float64
	if err := tx.QueryRow("SELECT min(updated + keep_alive) FROM device_syncqueue WHERE " + eligible).Scan(&due); err != nil || due == nil {
		return 0, false, err
	}
	return max(0, time.Duration((*due-seconds(tx.Now()))*float64(time.Second))), true, nil
}

// Interrupted makes what an earlier run was in the middle of due again.
func Interrupted(tx *store.Tx) error {
	_, err := tx.Exec("UPDATE device_syncqueue SET status = ?, updated = ?, keep_alive = 0 WHERE status = ?", Pending, seconds(tx.Now()), Syncing)
	return err
}

// Answered notes what the server said to a request for a place in its queue.
func (p *Place) Answered(tx *store.Tx, status string, keepAlive float64, session string) error {
	switch status {
	case Ready:
		p.Status = Ready
		p.reset(tx.Now(), 0)
		if session != "" {
			p.Session = session
		}
	case Queued:
		p.Status = Queued
		p.reset(tx.Now(), time.Duration(keepAlive*float64(time.Second)))
	case Ineligible:
		p.Status = Ineligible
	default:
		p.Status = Pending
		p.backOff(tx.Now())
	}
	return p.Save(tx)
}

// Begun notes that the synchronization runs.
func (p *Place) Begun(tx *store.Tx) error {
	p.Status = Syncing
	return p.Save(tx)
}

// Ended notes how the synchronization ended; gone says that its session cannot be gone on with, so that
// a new one is begun at once.
func (p *Place) Ended(tx *store.Tx, failed, gone bool) error {
	now, err := Find(tx, p.User, p.Instance)
	if errors.Is(err, store.ErrNotFound) {
		return nil // the user was deleted on the server
	}
	if err != nil {
		return err
	}
	switch {
	case gone:
		now.Status, now.Session = Ready, ""
		now.next(tx.Now(), 0)
	case failed:
		now.Status, now.Session = Pending, ""
		now.backOff(tx.Now())
	default:
		now.Status = Pending
		now.reset(tx.Now(), interval)
	}
	return now.Save(tx)
}

// Request is what a device says to get a place.
type Request struct {
	User     string `json:"user"`
	Instance string `json:"instance"`
}

// Answer is what the server says.
type Answer struct {
	Status    string    `json:"status"`
	KeepAlive api.Float `json:"keep_alive"`
}
