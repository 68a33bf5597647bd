// Package soud synchronizes devices that hold single users ("subset of users devices") with servers
// that hold whole facilities: the server lets one at a time, and both remember when the next attempt
// is due (kolibri/core/device/soud.py, kolibri/core/device/models.py: SyncQueue).
package soud

import (
	"errors"
	"io"
	"time"

	"kolibri/morango"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// The statuses of a place in the queue.
const (
	Pending     = "PENDING"
	Queued      = "QUEUED"
	Ready       = "READY"
	Syncing     = "SYNCING"
	Stale       = "STALE"
	Ineligible  = "INELIGIBLE"
	Unavailable = "UNAVAILABLE"
)

// kolibri/core/public/constants/user_sync_options.py; kolibri/utils/options.py: SYNC_INTERVAL
const (
	interval   = 60 * time.Second
	handshake  = 5 * time.Second
	staleAfter = 180 * time.Second
	concurrent = 1
	window     = 3 * time.Second
)

// Place is a user's device in a server's queue; on the user's device, a server that it synchronizes
// with. Times are seconds since 1970, as the original keeps them.
type Place struct {
	ID, User, Instance string
	Entered            time.Time
	Updated, KeepAlive float64
	LastSync           *float64
	Status             string
	Session            string // the sync session to go on with, or ""
	Attempts           int64  // that failed since the last that did not
}

const columns = "id, user_id, instance_id, datetime, updated, keep_alive, last_sync, status, sync_session_id, attempts"

func scan(row store.Scanner) (*Place, error) {
	p := &Place{}
	var session *string
	err := row.Scan(&p.ID, &p.User, &p.Instance, &p.Entered, &p.Updated, &p.KeepAlive, &p.LastSync, &p.Status, &session, &p.Attempts)
	if session != nil {
		p.Session = *session
	}
	return p, err
}

// Find reads the place of a user and an instance, or returns store.ErrNotFound.
func Find(tx *store.Tx, user, instance string) (*Place, error) {
	return store.Get(tx, scan, "SELECT "+columns+" FROM device_syncqueue WHERE user_id = ? AND instance_id = ?", user, instance)
}

// Ensure is Find that makes the place where there is none; made tells so.
func Ensure(tx *store.Tx, random io.Reader, user, instance, status string) (p *Place, made bool, err error) {
	p, err = Find(tx, user, instance)
	if !errors.Is(err, store.ErrNotFound) {
		return p, false, err
	}
	id, err := morango.NewID(random)
	if err != nil {
		return nil, false, err
	}
	p = &Place{ID: id, User: user, Instance: instance, Entered: tx.Now(), Updated: seconds(tx.Now()), KeepAlive: handshake.Seconds(), Status: status}
	return p, true, p.Save(tx)
}

// Save writes the place, and what coaches see of the user's synchronizations.
func (p *Place) Save(tx *store.Tx) error {
	_, err := tx.Exec("INSERT INTO device_syncqueue ("+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
		datetime = excluded.datetime, updated = excluded.updated, keep_alive = excluded.keep_alive, last_sync = excluded.last_sync,
		status = excluded.status, sync_session_id = excluded.sync_session_id, attempts = excluded.attempts`,
		p.ID, p.User, p.Instance, p.Entered, p.Updated, p.KeepAlive, p.LastSync, p.Status, store.Null(p.Session), p.Attempts)
	if err != nil {
		return err
	}
	return updateStatus(tx, p.User)
}

// Delete takes the place out of the queue.
func (p *Place) Delete(tx *store.Tx) error {
	if _, err := tx.Exec("DELETE FROM device_syncqueue WHERE id = ?", p.ID); err != nil {
		return err
	}
	return updateStatus(tx, p.User)
}

// next sets when the next attempt is due; reset forgets the failed ones.
func (p *Place) next(now time.Time, in time.Duration) {
	p.Updated, p.KeepAlive = seconds(now), in.Seconds()
}

func (p *Place) reset(now time.Time, in time.Duration) {
	p.Attempts = 0
	p.next(now, in)
}

// backOff counts a failed attempt; each makes the wait for the next longer.
func (p *Place) backOff(now time.Time) {
	p.Attempts++
	p.next(now, time.Duration(28+int64(1)<<min(p.Attempts, 20))*time.Second)
}

// due is when the next attempt is.
func (p *Place) due() float64 { return p.Updated + p.KeepAlive }

// active tells whether the place is on its way, so that nothing has to begin anew.
func (p *Place) active(now time.Time) bool {
	return p.Status != Stale && p.Status != Unavailable && p.Attempts == 0 && p.due() >= seconds(now)-interval.Seconds()/2
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// updateStatus says for coaches how a user's synchronizations stand: by the busiest of his places.
// kolibri/core/device/models.py: UserSyncStatus.update_status
func updateStatus(tx *store.Tx, user string) error {
	type state struct {
		status  string
		session *string
	}
	all, err := store.Select(tx, func(row store.Scanner) (s state, err error) { return s, row.Scan(&s.status, &s.session) },
		"SELECT status, sync_session_id FROM device_syncqueue WHERE user_id = ? ORDER BY updated", user)
	if err != nil {
		return err
	}
	status, session := Unavailable, (*string)(nil)
	for _, wanted := range []string{Pending, Queued, Ready, Syncing} {
		for _, s := range all {
			if s.status == wanted {
				status, session = wanted, s.session
			}
		}
	}
	// a user who is not here yet gets his status when the synchronization ends
	_, err = tx.Exec(`INSERT INTO device_usersyncstatus (user_id, status, sync_session_id, updated)
		SELECT u.id, ?, s.id, ? FROM kolibriauth_facilityuser u LEFT JOIN morango_syncsession s ON s.id = ? WHERE u.id = ?
		ON CONFLICT (user_id) DO UPDATE SET status = excluded.status, updated = excluded.updated,
		sync_session_id = coalesce(excluded.sync_session_id, device_usersyncstatus.sync_session_id)`, status, tx.Now(), session, user)
	return err
}

// Hook keeps the queue up to date while a single user is synchronized, on both devices.
// kolibri/core/device/kolibri_plugin.py: SyncQueueStatusHook
var Hook = transfer.Hook{App: "device",
	Before: func(tx *store.Tx, e *transfer.Event) error {
		return note(tx, e, func(p *Place) { p.Status, p.Session = Syncing, e.SyncSessionID })
	},
	Behind: func(tx *store.Tx, e *transfer.Event) error {
		return note(tx, e, func(p *Place) {
			now := seconds(tx.Now())
			p.Status, p.LastSync = Pending, &now
		})
	},
}

func note(tx *store.Tx, e *transfer.Event, change func(*Place)) error {
	if e.UserID == "" {
		return nil
	}
	instance := e.ServerInstanceID
	if e.Server {
		instance = e.ClientInstanceID
	}
	known, err := tx.Exists(`SELECT 1 FROM kolibriauth_facilityuser WHERE id = ? UNION ALL SELECT 1 FROM device_syncqueue WHERE user_id = ?`, e.UserID, e.UserID)
	if err != nil || instance == "" {
		return err
	}
	if !known && e.Server {
		_, err := tx.Exec("DELETE FROM device_syncqueue WHERE user_id = ?", e.UserID)
		return err
	}
	p, _, err := Ensure(tx, e.Random, e.UserID, instance, Pending)
	if err != nil {
		return err
	}
	change(p)
	p.Updated = seconds(tx.Now())
	return p.Save(tx)
}
