// Package syncing synchronizes facilities and single users with other devices, as Kolibri's commands
// and tasks do (kolibri/core/auth/management/utils.py, commands/sync.py, commands/resumesync.py).
package syncing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"kolibri/core/api"
	"kolibri/core/device"
	"kolibri/core/discovery/network"
	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/morango/peer"
	"kolibri/morango/session"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// Agent is how this device names itself to others.
const Agent = "Kolibri/" + api.Version + " Go"

// Syncer synchronizes on behalf of one device.
type Syncer struct {
	Host       *api.Host
	Controller *session.Controller
}

// The states that the front end shows. kolibri/core/auth/constants/morango_sync.py: State
const (
	StatePending         = "PENDING"
	StateSessionCreation = "SESSION_CREATION"
	StateRemoteQueuing   = "REMOTE_QUEUING"
	StatePulling         = "PULLING"
	StateLocalDequeuing  = "LOCAL_DEQUEUING"
	StateLocalQueuing    = "LOCAL_QUEUING"
	StatePushing         = "PUSHING"
	StateRemoteDequeuing = "REMOTE_DEQUEUING"
	StateCompleted       = "COMPLETED"
	StateCancelled       = "CANCELLED"
	StateFailed          = "FAILED"
)

// Options are those of the original's commands.
type Options struct {
	BaseURL string
	// Facility is the id of the facility or of its dataset; empty takes the only one there is.
	Facility           string
	Username, Password string
	// User is the id of the one person whose data is synchronized; empty: everybody's.
	User                                   string
	ChunkSize                              int64
	NoPush, NoPull, NoProvision, KeepAlive bool
	// Session is the sync session to go on with.
	Session string
	// Ask asks for what is missing, at a command line: which of several facilities (its index), and
	// name and password. Nil refuses.
	Ask Asker
	// Opened, when given, hears of the sync session as soon as there is one.
	Opened func(session string) error
	// Progress, when given, hears of every step.
	Progress func(Step) error
}

// Asker asks a person.
type Asker interface {
	Facility(names []string) (int, error)
	Login() (username, password string, err error)
}

// Step is how far a synchronization is.
type Step struct {
	State string
	peer.Progress
}

// Error is a reason that the person who synchronizes can do something about.
type Error struct{ Message string }

// Error implements error.
func (e *Error) Error() string { return e.Message }

func failf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Facility is one of another device's.
type Facility struct {
	ID      string `json:"id"`
	Dataset string `json:"dataset"`
	Name    string `json:"name"`
}

// Facilities are those of another device.
func (s *Syncer) Facilities(ctx context.Context, base string) ([]Facility, error) {
	answer, err := network.NewClient(s.Host, base).Get(ctx, "api/public/v1/facility/")
	if err != nil {
		return nil, err
	}
	var all []Facility
	if err := json.Unmarshal(answer.Body, &all); err != nil {
		return nil, fmt.Errorf("the other device's facilities cannot be read: %w", err)
	}
	for i := range all {
		id, ok := api.ParseUUID(all[i].ID)
		dataset, fine := api.ParseUUID(all[i].Dataset)
		if !ok || !fine {
			return nil, errors.New("the other device's facilities cannot be read")
		}
		all[i].ID, all[i].Dataset = id, dataset
	}
	return all, nil
}

// choose finds the facility to synchronize (get_facility_dataset_id).
func (s *Syncer) choose(ctx context.Context, base, wanted string, ask Asker) (Facility, error) {
	all, err := s.Facilities(ctx, base)
	if err != nil {
		return Facility{}, err
	}
	if len(all) == 0 {
		return Facility{}, failf("There are no facilities available at: %s", base)
	}
	if wanted != "" {
		for _, f := range all {
			if wanted == f.ID || wanted == f.Dataset {
				return f, nil
			}
		}
		return Facility{}, failf("Facility with ID %s does not exist on server", wanted)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	if ask == nil {
		return Facility{}, failf("There are multiple facilities on the server. Please pass in a facility ID by passing in --facility {ID} after the command.")
	}
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.Name
	}
	i, err := ask.Facility(names)
	if err != nil || i < 0 || i >= len(all) {
		return Facility{}, errors.Join(err, failf("%d is not in the range of (1, %d)", i+1, len(all)))
	}
	return all[i], nil
}

// connect finds the device of an address, which must not be this one (get_network_connection).
func (s *Syncer) connect(ctx context.Context, address string) (*peer.Connection, error) {
	base := address
	if !s.isPortal(address) {
		found, err := network.Discover(ctx, s.Host, address)
		var e *network.Error
		if errors.As(err, &e) && e.Code == api.InvalidNetworkLocationFormat {
			return nil, failf("Base URL/IP: %s is not valid. Please retry command and enter a valid URL/IP.", address)
		}
		if err != nil {
			return nil, fmt.Errorf("%w (%w)", failf("Unable to connect to: %s", address), err)
		}
		base = found.Base
	}
	c, err := peer.Connect(ctx, s.Host.HTTP, base, Agent)
	if err != nil {
		return nil, err
	}
	var own morango.Instance
	err = s.Host.DB.Read(ctx, func(tx *store.Tx) (err error) { own, err = morango.CurrentInstance(tx); return err })
	if err != nil {
		return nil, err
	}
	if own.ID == c.InstanceID {
		return nil, failf("Device can not sync with itself. Please recheck base URL and try again.")
	}
	return c, nil
}

func (s *Syncer) isPortal(address string) bool {
	return strings.TrimRight(address, "/") == strings.TrimRight(s.Host.Options.DataPortalBaseURL, "/")
}

// pair are the two certificates of a synchronization.
type pair struct{ client, server *morango.Certificate }

// certificates finds what each side may use, and asks the other device for a certificate where this
// one has none (get_client_and_server_certs).
func (s *Syncer) certificates(ctx context.Context, c *peer.Connection, f Facility, o *Options) (pair, error) {
	var owned []*morango.Certificate
	err := s.Host.DB.Read(ctx, func(tx *store.Tx) (err error) {
		owned, err = certificates.Owned(tx, f.Dataset, morango.FullFacility)
		return err
	})
	if err != nil {
		return pair{}, err
	}
	mine, theirs := morango.FullFacility, morango.FullFacility
	switch {
	case o.User != "" && len(owned) > 0:
		theirs = morango.SingleUser
	case o.User != "":
		mine = morango.SingleUser
		err := s.Host.DB.Read(ctx, func(tx *store.Tx) error {
			all, err := certificates.Owned(tx, f.Dataset, morango.SingleUser)
			owned = ofUser(all, o.User)
			return err
		})
		if err != nil {
			return pair{}, err
		}
	}
	offered, err := c.Certificates(ctx, f.Dataset, theirs)
	if err != nil {
		return pair{}, err
	}
	if theirs == morango.SingleUser {
		offered = ofUser(offered, o.User)
	}
	if len(offered) == 0 {
		return pair{}, failf("Server does not have needed certificate with scope '%s'", theirs)
	}
	server, err := c.Know(ctx, s.Host.DB, f.Dataset, offered[0])
	if err != nil || len(owned) > 0 {
		if err == nil {
			return pair{owned[0], server}, nil
		}
		return pair{}, err
	}
	if o.Username == "" || o.Password == "" {
		if o.Ask == nil {
			return pair{}, failf("Server username and/or password not specified")
		}
		if o.Username, o.Password, err = o.Ask.Login(); err != nil {
			return pair{}, err
		}
	}
	params := `{"dataset_id": "` + f.Dataset + `"`
	if o.User != "" {
		params += `, "user_id": "` + o.User + `"`
	}
	key, err := morango.NewKey(s.Host.Rand)
	if err != nil {
		return pair{}, err
	}
	client, err := c.Request(ctx, s.Host.DB, key, server, mine, params+"}", peer.Login{Username: o.Username, Password: o.Password, Facility: f.ID})
	return pair{client, server}, err
}

// ofUser are those of single users' certificates that are for one person.
func ofUser(all []*morango.Certificate, user string) (found []*morango.Certificate) {
	for _, c := range all {
		if params, err := certificates.Params(c); err == nil && params["user_id"] == user {
			found = append(found, c)
		}
	}
	return found
}

// Credentials makes sure that this device has a certificate for a facility, or for one user of it,
// which takes the name and password of somebody there who may give it. It returns the facility.
// kolibri/core/auth/utils/sync.py: validate_and_create_sync_credentials
func (s *Syncer) Credentials(ctx context.Context, base string, o Options) (Facility, error) {
	c, err := peer.Connect(ctx, s.Host.HTTP, base, Agent)
	if err != nil {
		return Facility{}, err
	}
	f, err := s.choose(ctx, c.Base, o.Facility, nil)
	if err != nil {
		return Facility{}, err
	}
	_, err = s.certificates(ctx, c, f, &o)
	return f, err
}

// Sync synchronizes as the command `manage sync` does, or goes on with a session as `manage
// resumesync` does. It returns the id of the sync session as soon as there is one, with an error too:
// what was interrupted can be resumed.
func (s *Syncer) Sync(ctx context.Context, o Options) (sessionID string, err error) {
	c, err := s.connect(ctx, o.BaseURL)
	if err != nil {
		return "", err
	}
	client, err := s.open(ctx, c, &o)
	if err != nil {
		return o.Session, err
	}
	id := client.Sync.ID
	if o.Opened != nil {
		if err := o.Opened(id); err != nil {
			return id, err
		}
	}
	client.Options = peer.Options{ChunkSize: o.ChunkSize, Progress: func(p peer.Progress) error { return o.report(p) }}
	own, err := s.own(ctx, client.Sync)
	if err != nil {
		return id, err
	}
	pull, push, err := filters(own, o.User)
	if err != nil {
		return id, err
	}
	if !o.NoPull {
		if err := client.Pull(ctx, pull); err != nil {
			return id, err
		}
	}
	if !o.NoPush {
		if err := client.Push(ctx, push); err != nil {
			return id, err
		}
	}
	if !o.NoProvision {
		params, err := certificates.Params(own)
		if err != nil {
			return id, err
		}
		err = s.Host.DB.Write(ctx, func(tx *store.Tx) error {
			user := o.User
			if user != "" {
				here, err := tx.Exists("SELECT 1 FROM kolibriauth_facilityuser WHERE id = ?", user)
				if err != nil {
					return err
				}
				if !here {
					user = ""
				}
			}
			return device.ProvisionSynced(tx, s.Host, params["dataset_id"], o.Username, user)
		})
		if err != nil {
			return id, err
		}
	}
	if o.KeepAlive {
		return id, nil
	}
	return id, client.Close(ctx)
}

// open begins a sync session, or resumes one.
func (s *Syncer) open(ctx context.Context, c *peer.Connection, o *Options) (*peer.Client, error) {
	if o.Session != "" {
		return c.Resume(ctx, s.Controller, o.Session)
	}
	if err := o.report(peer.Progress{}); err != nil {
		return nil, err
	}
	if s.isPortal(o.BaseURL) {
		p, err := s.portalCertificates(ctx, c, o.Facility)
		if err != nil {
			return nil, err
		}
		return c.Open(ctx, s.Controller, api.Version, p.client, p.server)
	}
	if o.User != "" && o.Facility == "" {
		return nil, failf("Facility ID must be specified in order to do single-user syncing")
	}
	if o.User != "" {
		if id, ok := api.ParseUUID(o.User); !ok || id != o.User {
			return nil, failf("User ID must be a 32-character UUID (no dashes)")
		}
	}
	ask := o.Ask
	if o.User != "" {
		ask = nil
	}
	f, err := s.choose(ctx, c.Base, o.Facility, ask)
	if err != nil {
		return nil, err
	}
	p, err := s.certificates(ctx, c, f, o)
	if err != nil {
		return nil, err
	}
	return c.Open(ctx, s.Controller, api.Version, p.client, p.server)
}

// own is this device's certificate in a sync session that it began.
func (s *Syncer) own(ctx context.Context, y *session.Sync) (c *morango.Certificate, err error) {
	err = s.Host.DB.Read(ctx, func(tx *store.Tx) (err error) {
		c, err = morango.LoadCertificate(tx, y.ClientCertificateID)
		return err
	})
	return c, err
}

// filters are what to pull and to push (get_sync_filter_scope). Where the other device is the single
// user's, what he may read is pushed to it, and what he may write pulled from it.
func filters(own *morango.Certificate, user string) (pull, push transfer.Filter, err error) {
	if user == "" || own.Scope == morango.SingleUser {
		scope, err := certificates.Scope(own)
		return scope.Read, scope.Write, err
	}
	params, err := certificates.Params(own)
	if err != nil {
		return nil, nil, err
	}
	params["user_id"] = user
	scope, ok := transfer.ScopeOf(morango.SingleUser, params)
	if !ok {
		return nil, nil, failf("User ID must be a 32-character UUID (no dashes)")
	}
	return scope.Write, scope.Read, nil
}

func (o *Options) report(p peer.Progress) error {
	if o.Progress == nil {
		return nil
	}
	return o.Progress(Step{stateOf(p), p})
}

// stateOf is the state that the front end shows at a stage.
func stateOf(p peer.Progress) string {
	switch p.Stage {
	case "":
		return StateSessionCreation
	case transfer.Initializing, transfer.Serializing, transfer.Queuing:
		if p.Push {
			return StateLocalQueuing
		}
		return StateRemoteQueuing
	case transfer.Transferring:
		if p.Push {
			return StatePushing
		}
		return StatePulling
	}
	if p.Push {
		return StateRemoteDequeuing
	}
	return StateLocalDequeuing
}

// Resumable finds the sync session of a single user's device with another device that can be gone on
// with, or "". kolibri/core/auth/utils/sync.py: find_soud_sync_session_for_resume
func (s *Syncer) Resumable(tx *store.Tx, user, base string) (string, error) {
	open, err := session.SelectSyncs(tx, `active = ? AND is_server = ? AND client_certificate_id IN
		(SELECT id FROM morango_certificate WHERE scope_definition_id = ?)`, true, false, morango.SingleUser)
	if err != nil {
		return "", err
	}
	for _, y := range open {
		if !strings.HasPrefix(y.ConnectionPath, strings.TrimRight(base, "/")) {
			continue
		}
		c, err := morango.LoadCertificate(tx, y.ClientCertificateID)
		if err != nil {
			return "", err
		}
		if len(ofUser([]*morango.Certificate{c}, user)) > 0 {
			return y.ID, nil
		}
	}
	return "", nil
}
