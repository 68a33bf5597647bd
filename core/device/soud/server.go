package soud

import (
	"cmp"
	"io"
	"slices"
	"time"

	"kolibri/store"
)

// Enter puts a user's device into this server's queue, or finds its place again, and lets it go when
// it is its turn. kolibri/core/public/api.py: SyncQueueAPIView
func Enter(tx *store.Tx, random io.Reader, user, instance string) (*Place, error) {
	p, made, err := Ensure(tx, random, user, instance, Queued)
	if err != nil {
		return nil, err
	}
	if !made {
		p.Status, p.Entered = Queued, tx.Now()
		p.next(tx.Now(), handshake)
	}
	if p.LastSync == nil {
		last := seconds(tx.Now().Add(-interval))
		var at store.NullTime
		err := tx.QueryRow(`SELECT max(t.last_activity_timestamp) FROM morango_transfersession t JOIN morango_syncsession s ON s.id = t.sync_session_id
			WHERE s.is_server = ? AND s.client_instance_id = ? AND t.active = ? AND t.transfer_stage = 'cleanup' AND t.transfer_stage_status = 'completed'`,
			true, instance, false).Scan(&at)
		if err != nil {
			return nil, err
		}
		if !at.Time.IsZero() {
			last = seconds(at.Time)
		}
		p.LastSync = &last
	}
	if err := p.Save(tx); err != nil {
		return nil, err
	}
	return p, p.admit(tx)
}

// admit makes the place ready when nobody else is and it is the first, or says when to ask again.
func (p *Place) admit(tx *store.Tx) error {
	now := tx.Now()
	if err := forgetStale(tx, now); err != nil {
		return err
	}
	all, err := store.Select(tx, scan, "SELECT "+columns+" FROM device_syncqueue WHERE status IN ?", store.In([]string{Queued, Ready, Syncing}))
	if err != nil {
		return err
	}
	score := func(q *Place) float64 {
		var last float64
		if q.LastSync != nil {
			last = *q.LastSync
		}
		// the longer ago the last synchronization, and the longer overdue, the earlier
		return seconds(now) - last - (q.due() - seconds(now))
	}
	slices.SortStableFunc(all, func(a, b *Place) int {
		return cmp.Or(cmp.Compare(score(b), score(a)), a.Entered.Compare(b.Entered))
	})
	busy, first, position := 0, "", 0
	for i, q := range all {
		switch {
		case q.Status != Queued:
			busy++
		case first == "":
			first = q.ID
		}
		if q.ID == p.ID {
			position = i
		}
	}
	if busy < concurrent && first == p.ID {
		p.Status = Ready
		p.next(now, handshake)
		return p.Save(tx)
	}
	p.next(now, max(handshake, min(handshake*time.Duration(position), interval-handshake)))
	return p.Save(tx)
}

// forgetStale drops those that missed their time: first from their turn, then altogether.
func forgetStale(tx *store.Tx, now time.Time) error {
	users, err := tx.Strings("SELECT DISTINCT user_id FROM device_syncqueue WHERE updated + keep_alive < ?", seconds(now)-interval.Seconds()/2)
	if err != nil || len(users) == 0 {
		return err
	}
	if _, err := tx.Exec("UPDATE device_syncqueue SET status = ? WHERE updated + keep_alive < ?", Stale, seconds(now)-interval.Seconds()/2); err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM device_syncqueue WHERE updated + keep_alive < ?", seconds(now)-staleAfter.Seconds()); err != nil {
		return err
	}
	for _, user := range users {
		if err := updateStatus(tx, user); err != nil {
			return err
		}
	}
	return nil
}
