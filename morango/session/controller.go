package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// The capabilities that two devices may have in common. morango/constants/capabilities.py
const (
	Async      = "ASYNC_OPERATIONS"
	GzipBuffer = "GZIP_BUFFER_POST"
	FSICV2     = "FSIC_V2_FORMAT"
)

// Capabilities are this device's own.
var Capabilities = []string{Async, FSICV2, GzipBuffer}

// Controller takes transfers through their stages on this device. It holds no transaction between
// them: each step is one of its own, which the step's stage and status are written in.
type Controller struct {
	DB     *store.DB
	Random io.Reader
	Log    *slog.Logger
	Hooks  transfer.Hooks
	// Widen returns what the server adds to the filter that a single user's device asked for, and nil
	// for nothing.
	Widen func(tx *store.Tx, e *transfer.Event) (transfer.Filter, error)
	// Batch is how many records are handled in one transaction, so that others get at the database in
	// between; 0 is all.
	Batch int

	mu   sync.Mutex
	busy map[string]*held
}

type held struct {
	mu    sync.Mutex
	users int
}

// Lock keeps others in this process from the stages of one session until the returned function is called.
func (c *Controller) Lock(id string) (unlock func()) {
	c.mu.Lock()
	if c.busy == nil {
		c.busy = map[string]*held{}
	}
	h := c.busy[id]
	if h == nil {
		h = &held{}
		c.busy[id] = h
	}
	h.users++
	c.mu.Unlock()
	h.mu.Lock()
	return func() {
		h.mu.Unlock()
		c.mu.Lock()
		if h.users--; h.users == 0 {
			delete(c.busy, id)
		}
		c.mu.Unlock()
	}
}

// Input is what the other device says with its request, or this device has found out itself.
type Input struct {
	// V2 is true when both devices have the capability FSIC_V2_FORMAT.
	V2 bool
	// ClientFSIC are the client's counters, for the server's stage of serializing.
	ClientFSIC string
	// Transferred is how many records the client has, when it says so.
	Transferred *int64
	// Records are those that the client pushes.
	Records []transfer.Buffer
	// Progress, when given, hears of the records that a long step has handled.
	Progress func(done int)
}

// event describes a transfer to the apps.
func (c *Controller) event(tx *store.Tx, s *Sync, t *Transfer, v2 bool) (*transfer.Event, error) {
	e := &transfer.Event{Session: transfer.Session{ID: t.ID, Filter: t.Filter, Push: t.Push, Server: s.IsServer, V2: v2,
		ClientFSIC: t.ClientFSIC, ServerFSIC: t.ServerFSIC}, SyncSessionID: s.ID, ClientInstanceID: s.ClientInstanceID,
		ServerInstanceID: s.ServerInstanceID, Random: c.Random}
	client, err := morango.LoadCertificate(tx, s.ClientCertificateID)
	if err != nil {
		return nil, fmt.Errorf("morango: client certificate: %w", err)
	}
	server, err := morango.LoadCertificate(tx, s.ServerCertificateID)
	if err != nil {
		return nil, fmt.Errorf("morango: server certificate: %w", err)
	}
	local, remote, instance := client, server, s.ServerInstance
	if s.IsServer {
		local, remote, instance = server, client, s.ClientInstance
	}
	e.LocalSingleUser, e.RemoteSingleUser = local.Scope == morango.SingleUser, remote.Scope == morango.SingleUser
	params, err := certificates.Params(local)
	if err != nil {
		return nil, err
	}
	e.DatasetID = params["dataset_id"]
	if e.RemoteSingleUser {
		if params, err = certificates.Params(remote); err != nil {
			return nil, err
		}
	}
	if e.RemoteSingleUser || e.LocalSingleUser {
		e.UserID = params["user_id"]
	}
	var described struct{ Kolibri string }
	if json.Unmarshal([]byte(instance), &described) == nil {
		e.RemoteVersion = described.Kolibri
	}
	return e, nil
}

// step carries out one stage of a transfer as far as one transaction goes. done says whether it is
// at its end.
type step func(tx *store.Tx, e *transfer.Event, t *Transfer, in Input) (done bool, err error)

func (c *Controller) steps(stage transfer.Stage) step {
	switch stage {
	case transfer.Serializing:
		return c.serialize
	case transfer.Queuing:
		return queue
	case transfer.Transferring:
		return receive
	case transfer.Dequeuing:
		return dequeue
	case transfer.Deserializing:
		return c.deserialize
	case transfer.Cleanup:
		return cleanUp
	}
	return func(*store.Tx, *transfer.Event, *Transfer, Input) (bool, error) { return true, nil }
}

// Initialize finds the unfinished transfer of a sync session in one direction, or makes it. A widened
// filter is that of the transfer returned. Errors of the hooks that run before a transfer are logged.
func (c *Controller) Initialize(ctx context.Context, s *Sync, t *Transfer, v2 bool) (*Transfer, error) {
	defer c.Lock(s.ID)()
	err := c.DB.Write(ctx, func(tx *store.Tx) error {
		found, err := activeTransfer(tx, s.ID, t.Push)
		if err == nil {
			t = found
			return nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		t.SyncID, t.Active, t.Start, t.LastActivity = s.ID, true, tx.Now(), tx.Now()
		t.Stage, t.Status = transfer.Initializing, Pending
		if t.ClientFSIC == "" {
			t.ClientFSIC = "{}"
		}
		if t.ServerFSIC == "" {
			t.ServerFSIC = "{}"
		}
		e, err := c.event(tx, s, t, v2)
		if err != nil {
			return err
		}
		if s.IsServer && e.RemoteSingleUser && !e.LocalSingleUser && c.Widen != nil {
			more, err := c.Widen(tx, e)
			if err != nil {
				return err
			}
			t.Filter = t.Filter.Add(more)
			e.Filter = t.Filter
		}
		c.warn("before a transfer", c.Hooks.Begin(tx, e))
		if err := t.insert(tx); err != nil {
			return err
		}
		for _, after := range []bool{false, true} {
			if err := c.Hooks.Run(tx, transfer.Initializing, after, e); err != nil {
				return err
			}
		}
		if s.IsServer {
			t.Status = Completed
		}
		return t.Save(tx)
	})
	return t, err
}

func (c *Controller) warn(when string, err error) {
	if err != nil {
		c.Log.Error("morango: an app's hook failed "+when, "error", err)
	}
}

// Proceed takes a transfer on this device, which is the server, to a stage, through those before it.
// It returns the transfer as it is then. A stage that fails is errored, and the error returned; one
// that lacks something yet is pending. Of a transfer that is past the stage nothing changes.
func (c *Controller) Proceed(ctx context.Context, id string, target transfer.Stage, in Input) (*Transfer, error) {
	defer c.Lock(id)()
	s, t, err := c.load(ctx, id)
	if err != nil {
		return nil, err
	}
	if t.Status == Errored || order(t.Stage) > order(target) {
		return t, nil
	}
	for _, stage := range transfer.Stages {
		place := order(stage)
		if place > order(target) || place < order(t.Stage) || stage == t.Stage && t.Status == Completed {
			continue
		}
		if err := c.Run(ctx, s, t, stage, Completed, in); err != nil {
			return t, err
		}
		if t.Status != Completed {
			break
		}
	}
	return t, nil
}

func (c *Controller) load(ctx context.Context, id string) (s *Sync, t *Transfer, err error) {
	err = c.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if t, err = LoadTransfer(tx, id); err != nil {
			return err
		}
		s, err = LoadSync(tx, t.SyncID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrClosed
	}
	return s, t, err
}

// Run carries out this device's part in one stage, in as many transactions as it takes, and writes
// the status end when it is done. What the machine cannot do now (a full disk, a lock, an end of the
// program) leaves the stage pending, so that it can be tried again; any other failure makes it errored.
func (c *Controller) Run(ctx context.Context, s *Sync, t *Transfer, stage transfer.Stage, end Status, in Input) error {
	work := c.steps(stage)
	for done := false; !done; {
		tried := *t
		err := c.DB.Write(ctx, func(tx *store.Tx) error {
			e, err := c.event(tx, s, &tried, in.V2)
			if err != nil {
				return err
			}
			if err := c.Hooks.Run(tx, stage, false, e); err != nil {
				return err
			}
			tried.Stage, tried.Status = stage, Pending
			if done, err = work(tx, e, &tried, in); err != nil {
				return err
			}
			if done {
				tried.Status = end
				if err := c.Hooks.Run(tx, stage, true, e); err != nil {
					return err
				}
				if stage == transfer.Cleanup {
					c.warn("after a transfer", c.Hooks.End(tx, e))
				}
			}
			return tried.Save(tx)
		})
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, store.ErrBusy) || errors.Is(err, store.ErrFull) {
				return err
			}
			c.Log.Error("morango: a stage failed", "stage", stage, "transfer", t.ID, "error", err)
			return &StageError{stage, errors.Join(err, c.Fail(context.WithoutCancel(ctx), t, stage))}
		}
		*t = tried
		if stage == transfer.Transferring {
			return nil // which goes on when more records come
		}
		if !done {
			time.Sleep(time.Millisecond) // in a browser's worker nothing else runs meanwhile
		}
	}
	return nil
}

// Fail makes a stage of a transfer errored.
func (c *Controller) Fail(ctx context.Context, t *Transfer, stage transfer.Stage) error {
	t.Stage, t.Status = stage, Errored
	return c.DB.Write(ctx, t.Save)
}
