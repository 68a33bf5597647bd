package peer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"kolibri/morango/session"
	"kolibri/morango/transfer"
)

// remote is the other device's side of a transfer.
type remote struct {
	ID         string         `json:"id"`
	Filter     string         `json:"filter"`
	Total      *int64         `json:"records_total"`
	ServerFSIC string         `json:"server_fsic"`
	Stage      transfer.Stage `json:"transfer_stage"`
	Status     session.Status `json:"transfer_stage_status"`
}

// Pull brings the records of a filter here that the other device has and this one lacks. A transfer
// that was interrupted goes on from where it was.
func (k *Client) Pull(ctx context.Context, filter transfer.Filter) error {
	return k.run(ctx, false, filter)
}

// Push brings them there.
func (k *Client) Push(ctx context.Context, filter transfer.Filter) error {
	return k.run(ctx, true, filter)
}

// ErrTooOld tells that another device speaks only the oldest form of the protocol.
var ErrTooOld = errors.New("the other device's Kolibri is too old to synchronize with: update it")

// one is a transfer under way.
type one struct {
	*Client
	t  *session.Transfer
	in session.Input
	// said is how far the other device was when it was heard last.
	said remote
}

// run takes a transfer through its stages: this device's part of a stage, then the other's.
func (k *Client) run(ctx context.Context, push bool, filter transfer.Filter) error {
	if !k.Connection.Has(session.Async) {
		return ErrTooOld
	}
	id, err := k.random()
	if err != nil {
		return err
	}
	o := &one{Client: k, in: session.Input{V2: k.Connection.Has(session.FSICV2)}}
	if o.t, err = k.controller.Initialize(ctx, k.Sync, &session.Transfer{ID: id, Push: push, Filter: filter}, o.in.V2); err != nil {
		return err
	}
	if o.t.Status == session.Errored {
		return fmt.Errorf("%w (its last transfer failed)", ErrGone)
	}
	defer k.controller.Lock(o.t.ID)()
	for _, stage := range transfer.Stages {
		if session.Before(stage, o.t.Stage) || stage == o.t.Stage && o.t.Status == session.Completed {
			continue
		}
		if err := o.report(stage); err != nil {
			return err
		}
		if stage != transfer.Initializing && stage != transfer.Transferring {
			if err := k.controller.Run(ctx, k.Sync, o.t, stage, session.Pending, o.in); err != nil {
				return err
			}
		}
		if err := o.theirs(ctx, stage); err != nil {
			return err
		}
		o.t.Stage, o.t.Status = stage, session.Completed
		if err := o.save(ctx); err != nil {
			return err
		}
	}
	return o.report(transfer.Cleanup)
}

func (o *one) report(stage transfer.Stage) error {
	if o.Options.Progress == nil {
		return nil
	}
	p := Progress{o.t.Push, stage, o.t.Transferred, 0, o.t.BytesSent, o.t.BytesReceived}
	if o.t.Total != nil {
		p.Total = *o.t.Total
	}
	return o.Options.Progress(p)
}

func (o *one) save(ctx context.Context) error {
	o.t.BytesSent, o.t.BytesReceived = o.Connection.Sent(), o.Connection.Received()
	return o.controller.DB.Write(ctx, o.t.Save)
}

// theirs is the other device's part of a stage.
func (o *one) theirs(ctx context.Context, stage transfer.Stage) error {
	switch stage {
	case transfer.Initializing:
		return o.create(ctx)
	case transfer.Serializing:
		if err := o.proceed(ctx, stage, map[string]any{"client_fsic": o.t.ClientFSIC}); err != nil {
			return err
		}
		o.t.ServerFSIC = o.said.ServerFSIC
		return nil
	case transfer.Queuing:
		if o.t.Push {
			return o.proceed(ctx, stage, map[string]any{"records_total": o.t.Total})
		}
		if err := o.proceed(ctx, stage, map[string]any{}); err != nil {
			return err
		}
		if o.said.Total == nil || *o.said.Total < 0 {
			return fmt.Errorf("%w: the other device did not tell how many records it sends", session.ErrTotals)
		}
		o.t.Total = o.said.Total
		return nil
	case transfer.Transferring:
		if o.t.Push {
			return o.send(ctx)
		}
		return o.fetch(ctx)
	case transfer.Cleanup:
		err := o.Connection.call(ctx, request{method: http.MethodDelete, path: o.path()})
		if StatusOf(err) == http.StatusNotFound {
			return nil
		}
		return err
	}
	return o.proceed(ctx, stage, map[string]any{})
}

func (o *one) path() string { return routes + "transfersessions/" + o.t.ID + "/" }

// create makes the transfer on the other device, which may be there already.
func (o *one) create(ctx context.Context) error {
	err := o.Connection.call(ctx, request{method: http.MethodPost, path: routes + "transfersessions/", into: &o.said, limit: stageTime, body: map[string]any{
		"id": o.t.ID, "filter": o.t.Filter.String(), "push": o.t.Push, "sync_session_id": o.Sync.ID, "client_fsic": o.t.ClientFSIC,
	}})
	if err != nil {
		return o.refused(ctx, transfer.Initializing, err)
	}
	if o.said.ID != o.t.ID {
		return fmt.Errorf("%w (the other device is in the middle of another transfer)", ErrGone)
	}
	return o.widen(transfer.ParseFilter(o.said.Filter))
}

// widen takes over what the server added to the filter: classes' partitions of the same facility, for
// a single user's device. kolibri/core/auth/sync_operations.py: KolibriNetworkInitializeOperation
func (o *one) widen(theirs transfer.Filter) error {
	if theirs.Equal(o.t.Filter) {
		return nil
	}
	if !o.t.Filter.Within(theirs) {
		return errors.New("the other device changed what is to be synchronized")
	}
	dataset, _, _ := strings.Cut(o.t.Filter[0], ":")
	for _, partition := range theirs {
		if !o.t.Filter.Contains(partition) && !strings.HasPrefix(partition, dataset+":classroom:") {
			return errors.New("the other device wants to synchronize more than it may")
		}
	}
	o.t.Filter = theirs
	return nil
}

// refused turns an answer that will stay the same into the end of the transfer on this device too.
func (o *one) refused(ctx context.Context, stage transfer.Stage, err error) error {
	switch status := StatusOf(err); {
	case status == http.StatusNotFound:
		return fmt.Errorf("%w (%w)", ErrGone, err)
	case status >= 400 && status < 500 && !passing(err):
		return errors.Join(err, o.controller.Fail(context.WithoutCancel(ctx), o.t, stage))
	}
	return err
}

// How long to wait for a stage that another request of the other device carries out.
const (
	firstPoll = 50 * time.Millisecond
	lastPoll  = 2 * time.Second
	stalled   = 10 * time.Minute
)

// proceed takes the other device to a stage, and waits until it is done there.
func (o *one) proceed(ctx context.Context, stage transfer.Stage, body map[string]any) error {
	body["transfer_stage"] = stage
	begun := time.Now()
	for pause := firstPoll; ; pause = min(2*pause, lastPoll) {
		err := o.Connection.call(ctx, request{method: http.MethodPatch, path: o.path(), body: body, into: &o.said, limit: stageTime})
		if err != nil {
			return o.refused(ctx, stage, err)
		}
		switch {
		case o.said.Status == session.Errored:
			err := fmt.Errorf("the other device failed at %s", o.said.Stage)
			return errors.Join(err, o.controller.Fail(context.WithoutCancel(ctx), o.t, stage))
		case session.Before(stage, o.said.Stage), o.said.Stage == stage && o.said.Status == session.Completed:
			return nil
		case o.said.Stage == transfer.Transferring && session.Before(transfer.Transferring, stage):
			// it waits for records that this device has not, or has not been told of
			err := fmt.Errorf("%w: the other device goes on waiting for records after all have travelled", session.ErrTotals)
			return errors.Join(err, o.controller.Fail(context.WithoutCancel(ctx), o.t, stage))
		case time.Since(begun) > stalled:
			return fmt.Errorf("the other device does not get on with %s", stage)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}
