package peer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/morango/session"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// Client synchronizes with another device within one sync session.
type Client struct {
	Sync       *session.Sync
	Connection *Connection
	Options    Options

	controller *session.Controller
	random     func() (string, error)
}

// Options are how a client works.
type Options struct {
	// ChunkSize is how many records the first chunk has; later ones grow and shrink with how long they
	// take. 0 takes a default.
	ChunkSize int64
	// Progress, when given, hears of every step.
	Progress func(Progress) error
}

// Progress is how far a transfer is. Total is 0 before it is known.
type Progress struct {
	Push               bool
	Stage              transfer.Stage
	Transferred, Total int64
	Sent, Received     int64
}

// Open begins a sync session: each side signs what shows that it holds its certificate's key.
// kolibri is the version that this device says it is.
func (c *Connection) Open(ctx context.Context, k *session.Controller, kolibri string, client, server *morango.Certificate) (*Client, error) {
	var nonce struct{ ID string }
	if err := c.call(ctx, request{method: http.MethodPost, path: routes + "nonces/", into: &nonce}); err != nil {
		return nil, err
	}
	s := &session.Sync{Active: true, Profile: client.Profile, ClientCertificateID: client.ID, ServerCertificateID: server.ID,
		ConnectionPath: c.Base, ProcessID: int64(os.Getpid())}
	var chain []*morango.Certificate
	err := k.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if chain, err = morango.Chain(tx, client.ID); err != nil {
			return err
		}
		instance, err := session.DescribeInstance(tx, kolibri)
		s.ClientInstanceID, s.ClientInstance = instance.ID, instance.Text
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.ID, err = morango.NewID(k.Random); err != nil {
		return nil, err
	}
	message := nonce.ID + ":" + s.ID
	signature, err := client.Sign(message)
	if err != nil {
		return nil, err
	}
	travelling, err := json.Marshal(certificates.TravellingAll(chain))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Signature string `json:"signature"`
		Instance  string `json:"server_instance"`
	}
	err = c.call(ctx, request{method: http.MethodPost, path: routes + "syncsessions/", into: &answer, body: map[string]string{
		"id": s.ID, "server_certificate_id": server.ID, "client_certificate_id": client.ID, "profile": client.Profile,
		"certificate_chain": string(travelling), "connection_path": c.Base, "instance": s.ClientInstance, "nonce": nonce.ID,
		"client_ip": "", "server_ip": "", "signature": signature,
	}})
	if err != nil {
		return nil, err
	}
	if err := server.Verify(message, answer.Signature); err != nil {
		return nil, fmt.Errorf("the other device could not show that it holds its certificate's key: %w", err)
	}
	var described struct{ ID string }
	if answer.Instance == "" {
		answer.Instance = "{}"
	}
	if err := json.Unmarshal([]byte(answer.Instance), &described); err != nil {
		return nil, fmt.Errorf("the other device's description: %w", err)
	}
	s.ServerInstance, s.ServerInstanceID = answer.Instance, described.ID
	err = k.DB.Write(ctx, func(tx *store.Tx) error {
		s.Start, s.LastActivity = tx.Now(), tx.Now()
		return s.Insert(tx)
	})
	return newClient(c, k, s), err
}

func newClient(c *Connection, k *session.Controller, s *session.Sync) *Client {
	return &Client{Sync: s, Connection: c, controller: k, random: func() (string, error) { return morango.NewID(k.Random) }}
}

// ErrGone tells that a sync session cannot go on: one of the devices has none.
var ErrGone = errors.New("the sync session cannot be resumed: begin a new one")

// Resume goes on with a sync session that was interrupted.
func (c *Connection) Resume(ctx context.Context, k *session.Controller, id string) (*Client, error) {
	var s *session.Sync
	err := k.DB.Read(ctx, func(tx *store.Tx) (err error) { s, err = session.LoadSync(tx, id); return err })
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (!s.Active || s.IsServer):
		return nil, fmt.Errorf("%w (session for ID '%s' not found)", ErrGone, id)
	case err != nil:
		return nil, err
	case alive(s.ProcessID):
		return nil, fmt.Errorf("session process '%d' is still running", s.ProcessID)
	}
	err = c.call(ctx, request{method: http.MethodGet, path: routes + "syncsessions/" + id + "/"})
	if StatusOf(err) == http.StatusNotFound {
		return nil, fmt.Errorf("%w (the other device has closed it)", ErrGone)
	}
	if err != nil {
		return nil, err
	}
	err = k.DB.Write(ctx, func(tx *store.Tx) error { return session.SetProcess(tx, id, int64(os.Getpid())) })
	return newClient(c, k, s), err
}

// Close ends the sync session on both devices.
func (k *Client) Close(ctx context.Context) error {
	err := k.Connection.call(ctx, request{method: http.MethodDelete, path: routes + "syncsessions/" + k.Sync.ID + "/"})
	if err != nil && StatusOf(err) != http.StatusNotFound {
		return err
	}
	return k.controller.DB.Write(ctx, func(tx *store.Tx) error { return session.CloseSync(tx, k.Sync.ID) })
}
