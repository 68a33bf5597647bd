package session

import (
	"errors"
	"fmt"

	"kolibri/morango/transfer"
	"kolibri/store"
)

// ErrTotals tells that another device sent another number of records than it announced.
var ErrTotals = errors.New("morango: the number of records is not the one that was announced")

// serialize brings the apps' changes into the store, where this device has records to send, and notes
// what it has. morango/sync/operations.py: SerializeOperation
func (c *Controller) serialize(tx *store.Tx, e *transfer.Event, t *Transfer, in Input) (bool, error) {
	if !e.Receives() {
		if result, err := transfer.Serialize(tx, t.Filter, c.options(in)); err != nil || result.More {
			return false, err
		}
	}
	counters, err := transfer.MaxCounters(tx, t.Filter, !e.Receives(), e.V2)
	if err != nil {
		return false, err
	}
	if !e.Server {
		t.ClientFSIC = counters
		return true, nil
	}
	t.ServerFSIC, t.ClientFSIC = counters, in.ClientFSIC
	if t.ClientFSIC == "" {
		t.ClientFSIC = "{}"
	}
	return true, nil
}

func (c *Controller) options(in Input) transfer.Options {
	return transfer.Options{Limit: c.Batch, Progress: in.Progress}
}

// queue fills the buffers, where this device has records to send.
func queue(tx *store.Tx, e *transfer.Event, t *Transfer, _ Input) (bool, error) {
	if e.Receives() {
		return true, nil
	}
	total, err := transfer.Queue(tx, &e.Session)
	t.Total = &total
	return true, err
}

// receive is the server's part while records travel: it puts those of a push into the buffers, and
// compares how many a pull has brought the client.
func receive(tx *store.Tx, e *transfer.Event, t *Transfer, in Input) (bool, error) {
	if t.Total == nil {
		return false, fmt.Errorf("%w: records_total is missing", ErrTotals)
	}
	switch {
	case !e.Receives():
		have := t.Transferred
		if in.Transferred != nil {
			have = *in.Transferred
		}
		return have == *t.Total, nil
	case len(in.Records) > 0 && *t.Total > 0:
		added, err := transfer.Receive(tx, &e.Session, in.Records)
		if err != nil {
			return false, err
		}
		if t.Transferred += added; t.Transferred > *t.Total {
			return false, fmt.Errorf("%w: more than %d", ErrTotals, *t.Total)
		}
	}
	return t.Transferred == *t.Total, nil
}

// dequeue notes that what was received is complete.
func dequeue(tx *store.Tx, e *transfer.Event, t *Transfer, _ Input) (bool, error) {
	if !e.Receives() || t.Transferred == 0 {
		return true, nil
	}
	return true, transfer.Dequeue(tx, &e.Session)
}

// deserialize brings what was received into the apps' tables, also by an earlier transfer that ended
// before it did so, since none will bring it again. What changed there meanwhile goes into the store
// first, so that a conflict is seen as one.
func (c *Controller) deserialize(tx *store.Tx, e *transfer.Event, t *Transfer, in Input) (bool, error) {
	if !e.Receives() {
		return true, nil
	}
	if t.Transferred == 0 {
		if left, err := transfer.Waiting(tx, t.Filter); err != nil || !left {
			return true, err
		}
	}
	if result, err := transfer.Serialize(tx, t.Filter, c.options(in)); err != nil || result.More {
		return false, err
	}
	result, err := transfer.Deserialize(tx, t.Filter, c.options(in))
	return !result.More, err
}

// cleanUp closes the transfer and forgets what was sent.
func cleanUp(tx *store.Tx, e *transfer.Event, t *Transfer, _ Input) (bool, error) {
	t.Active = false
	if e.Receives() {
		return true, nil
	}
	return true, transfer.DeleteBuffers(tx, t.ID)
}
