package jobs

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/auth/syncing"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
	"kolibri/morango/peer"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// The task types of synchronizations.
const (
	portalSync   = "kolibri.core.auth.tasks.dataportalsync"
	facilitySync = "kolibri.core.auth.tasks.peerfacilitysync"
	facilityIn   = "kolibri.core.auth.tasks.peerfacilityimport"
	userIn       = "kolibri.core.auth.tasks.peeruserimport"
	cleanUpSync  = "kolibri.core.auth.tasks.cleanupsync"
	soudCleanUp  = "kolibri.core.auth.tasks.soud_sync_cleanup"
	soudSync     = "kolibri.core.auth.tasks.soud_sync_processing"
)

// chunk is how many records the first chunk of a task's synchronization has.
const chunk = 200

// handleSyncs gives the synchronizations their work.
func (j *Jobs) handleSyncs() {
	j.runner.Handle(portalSync, tasks.Work{Validate: j.validateSync(facilityKey("facility")), Run: j.runSync})
	j.runner.Handle(facilitySync, tasks.Work{Validate: j.validatePeer(facilityKey("facility"), credentialFields(true)), Ask: j.askCredentials, Run: j.runSync})
	j.runner.Handle(facilityIn, tasks.Work{Validate: j.validatePeer(remoteKey, credentialFields(false)), Ask: j.askImport, Run: j.runSync})
	j.runner.Handle(userIn, tasks.Work{Validate: j.validatePeer(remoteKey, append(credentialFields(false), userFields...)), Ask: j.askUser, Run: j.runUser,
		RetryOn: func(err error) bool { var e *syncing.Error; return !errors.As(err, &e) }})
	j.runner.Handle(mergeUser, tasks.Work{Validate: j.validateMerge(), Ask: j.askMerge, Run: j.runMerge})
	j.runner.Handle(cleanUpSync, tasks.Work{Validate: validateCleanUp, Run: runCleanUpSync})
	j.runner.Handle(soudCleanUp, tasks.Work{Run: runSoudCleanUp})
	j.runner.Handle(soudSync, tasks.Work{Run: j.runSoud})
}

// remoteKey is the field of a body that names a facility of another device.
var remoteKey = api.Field{Name: "facility", Clean: api.CleanUUID}

func credentialFields(optional bool) []api.Field {
	return []api.Field{
		{Name: "username", Optional: optional, Clean: api.CleanString(0, optional)},
		{Name: "password", Optional: true, Clean: api.CleanString(0, optional)},
	}
}

var userFields = []api.Field{
	{Name: "user_id", Optional: true, Clean: api.CleanUUID},
	{Name: "using_admin", Optional: true, Clean: api.CleanBool},
	{Name: "force_non_learner_import", Optional: true, Clean: api.CleanBool},
}

// syncFields are those of every synchronization.
var syncFields = []api.Field{
	{Name: "facility_name", Optional: true, Clean: api.CleanString(0, true)},
	{Name: "command", Optional: true, Default: "sync", Clean: api.CleanChoice("sync", "resumesync")},
	{Name: "sync_session_id", Optional: true, Null: true, Clean: api.CleanUUID},
}

var errNoSession = api.FieldError(api.Invalid, "non_field_errors", "sync_session_id must be specified for resumesync")

// validateSync reads a synchronization. kolibri/core/auth/tasks.py: SyncJobValidator
func (j *Jobs) validateSync(facility api.Field, more ...api.Field) func(*api.Request, *auth.Person, map[string]any) (tasks.Spec, error) {
	fields := append(append([]api.Field{facility}, syncFields...), more...)
	return func(r *api.Request, _ *auth.Person, data map[string]any) (tasks.Spec, error) {
		v, err := r.Clean(data, fields, false)
		if err != nil {
			return tasks.Spec{}, err
		}
		if v.String("command") == "resumesync" && v.String("sync_session_id") == "" {
			return tasks.Spec{}, errNoSession
		}
		id, name := v.String("facility"), v.String("facility_name")
		if c, err := auth.LoadCollection(r.Tx, id); err == nil {
			name = c.Name
		} else if !errors.Is(err, store.ErrNotFound) {
			return tasks.Spec{}, err
		}
		kwargs := map[string]any{"chunk_size": chunk, "noninteractive": true}
		if v.String("command") == "resumesync" {
			kwargs["id"] = v.String("sync_session_id")
		} else {
			kwargs["facility"] = id
		}
		for _, f := range more {
			if v.Has(f.Name) {
				kwargs[f.Name] = v[f.Name] // until Ask has used it
			}
		}
		return tasks.Spec{Args: []any{v.String("command")}, Kwargs: kwargs, FacilityID: id, ExtraMetadata: map[string]any{
			"facility_id": id, "facility_name": name, "sync_state": syncing.StatePending, "bytes_sent": 0, "bytes_received": 0}}, nil
	}
}

// validatePeer reads a synchronization with another device of the network.
// kolibri/core/auth/tasks.py: PeerSyncJobValidator
func (j *Jobs) validatePeer(facility api.Field, more []api.Field) func(*api.Request, *auth.Person, map[string]any) (tasks.Spec, error) {
	inner := j.validateSync(facility, append([]api.Field{
		{Name: "baseurl", Optional: true, Clean: cleanURL},
		{Name: "device_id", Optional: true, Clean: api.CleanKey("SELECT 1 FROM discovery_networklocation WHERE id = ?")},
	}, more...)...)
	return func(r *api.Request, who *auth.Person, data map[string]any) (tasks.Spec, error) {
		spec, err := inner(r, who, data)
		if err != nil {
			return spec, err
		}
		base, _ := spec.Kwargs["baseurl"].(string)
		device, _ := spec.Kwargs["device_id"].(string)
		delete(spec.Kwargs, "device_id")
		condition, value := "base_url", base
		switch {
		case device != "":
			condition, value = "id", device
		case base == "":
			return spec, api.FieldError(api.Invalid, "non_field_errors", "Either baseurl or device_id must be specified")
		}
		l, err := store.Get(r.Tx, network.ScanLocation, "SELECT "+network.Columns+" FROM discovery_networklocation WHERE "+condition+" = ? ORDER BY id LIMIT 1", value)
		name := ""
		switch {
		case errors.Is(err, store.ErrNotFound):
			device = ""
		case err != nil:
			return spec, err
		case device != "" && l.BaseURL == "":
			return spec, api.FieldError(api.Invalid, "non_field_errors", "Device has no base url")
		default:
			base, device, name = l.BaseURL, l.ID, l.Nickname
			if name == "" {
				name = l.DeviceName
			}
		}
		spec.Kwargs["baseurl"] = base
		spec.ExtraMetadata["device_name"], spec.ExtraMetadata["device_id"] = name, device
		return spec, nil
	}
}

// errGone: kolibri/core/discovery/utils/network/errors.py: ResourceGoneError
func errGone(cause error) error {
	return &api.Error{Status: http.StatusGone, Detail: "Unable to connect", Cause: cause}
}

// reach finds the device that a job is about, which must be a known one: accounts of all kinds may move to
// another device, and none shall send this server anywhere.
func (j *Jobs) reach(r *api.Request, spec *tasks.Spec) (*network.Client, error) {
	base, _ := spec.Kwargs["baseurl"].(string)
	var l *network.Location
	err := j.syncer.Host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) { l, err = network.Known(tx, base); return err })
	if err != nil {
		if errors.Is(err, store.ErrNotFound) {
			err = errGone(err)
		}
		return nil, err
	}
	c, err := network.Discover(r.Ctx, j.syncer.Host, l.BaseURL)
	if err != nil {
		return nil, errGone(err)
	}
	spec.Kwargs["baseurl"], spec.ExtraMetadata["baseurl"] = c.Base, c.Base
	return c, nil
}

// take removes an argument that must not be kept with the job.
func take(spec *tasks.Spec, name string) string {
	text, _ := spec.Kwargs[name].(string)
	delete(spec.Kwargs, name)
	return text
}

// askCredentials makes sure that this device may synchronize, before there is a job: so the password
// is kept nowhere. kolibri/core/auth/tasks.py: PeerFacilitySyncJobValidator
func (j *Jobs) askCredentials(r *api.Request, spec *tasks.Spec) error {
	if _, err := j.reach(r, spec); err != nil {
		return err
	}
	return j.prove(r, spec, take(spec, "username"), take(spec, "password"), "")
}

func (j *Jobs) prove(r *api.Request, spec *tasks.Spec, username, password, user string) error {
	base, _ := spec.Kwargs["baseurl"].(string)
	_, err := j.syncer.Credentials(r.Ctx, base, syncing.Options{Facility: spec.FacilityID, Username: username, Password: password, User: user})
	var known *syncing.Error
	var unreachable *peer.NetworkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unreachable):
		return errGone(err)
	case !errors.As(err, &known) && peer.StatusOf(err) == 0:
		return err
	}
	id := api.AuthenticationFailed
	if username == "" && password == "" {
		id = api.PermissionDeniedID
	}
	e := api.Fail(http.StatusForbidden, id, map[string]any{"view": r.ViewName})
	e.Cause = err
	return e
}

// askImport is askCredentials for a facility that is only fetched.
// kolibri/core/auth/tasks.py: PeerFacilityImportJobValidator
func (j *Jobs) askImport(r *api.Request, spec *tasks.Spec) error {
	if _, given := spec.Kwargs["password"]; !given {
		spec.Kwargs["password"] = auth.NotSpecified
	}
	if err := j.askCredentials(r, spec); err != nil {
		return err
	}
	spec.Kwargs["no_push"], spec.Kwargs["no_provision"] = true, true
	return nil
}

// runSync synchronizes. A job that is run again, after the server was restarted, goes on with the
// session that it had.
func (j *Jobs) runSync(ctx context.Context, t *tasks.Task) (any, error) {
	o := optionsOf(t.Job)
	if id, ok := t.Job.ExtraMetadata["sync_session_id"].(string); ok && o.Session == "" {
		o.Session = id
	}
	_, err := j.synchronize(ctx, t, o)
	if errors.Is(err, peer.ErrGone) && o.Facility != "" && o.Session != "" {
		o.Session = ""
		_, err = j.synchronize(ctx, t, o)
	}
	return nil, failure(ctx, t, err)
}

func optionsOf(job *tasks.Job) syncing.Options {
	kw := job.Kwargs
	o := syncing.Options{ChunkSize: chunk}
	o.BaseURL, _ = kw["baseurl"].(string)
	o.Facility, _ = kw["facility"].(string)
	o.User, _ = kw["user"].(string)
	o.Session, _ = kw["id"].(string)
	o.NoPush, _ = kw["no_push"].(bool)
	o.NoPull, _ = kw["no_pull"].(bool)
	o.NoProvision, _ = kw["no_provision"].(bool)
	o.KeepAlive, _ = kw["keep_alive"].(bool)
	return o
}

// synchronize runs a synchronization and shows with the job how far it is.
func (j *Jobs) synchronize(ctx context.Context, t *tasks.Task, o syncing.Options) (string, error) {
	if o.BaseURL == "" {
		o.BaseURL = j.syncer.Host.Options.DataPortalBaseURL
	}
	var state string
	var told time.Time
	o.Opened = func(id string) error { return t.Metadata(map[string]any{"sync_session_id": id}) }
	o.Progress = func(step syncing.Step) error {
		if err := t.Check(); err != nil {
			return err
		}
		if step.State == state && time.Since(told) < time.Second {
			return nil
		}
		state, told = step.State, time.Now()
		done, total := step.Transferred, step.Total
		if total == 0 {
			done, total = 0, 1
		}
		about := map[string]any{"sync_state": step.State, "bytes_sent": step.Sent, "bytes_received": step.Received}
		if err := t.Metadata(about); err != nil {
			return err
		}
		return t.Progress(float64(done), float64(total), nil)
	}
	id, err := j.syncer.Sync(ctx, o)
	if err == nil {
		err = t.Metadata(map[string]any{"sync_state": syncing.StateCompleted})
	}
	if err == nil {
		err = t.Progress(1, 1, nil)
	}
	return id, err
}

// failure gives an error the class that the front end knows, and shows the reason with the job.
func failure(ctx context.Context, t *tasks.Task, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	name := "MorangoError"
	var known *syncing.Error
	var unreachable *peer.NetworkError
	switch {
	case errors.As(err, &unreachable):
		name = "NetworkLocationConnectionFailure"
	case errors.As(err, &known):
		name = "CommandError"
	}
	shown := t.Metadata(map[string]any{"sync_state": syncing.StateFailed, "sync_error": err.Error()})
	return errors.Join(&tasks.Failure{Exception: name, Cause: err}, shown)
}

// validateCleanUp: kolibri/core/auth/tasks.py: CleanUpSyncsValidator.
func validateCleanUp(r *api.Request, _ *auth.Person, data map[string]any) (tasks.Spec, error) {
	v, err := r.Clean(data, []api.Field{
		{Name: "pull", Optional: true, Clean: api.CleanBool}, {Name: "push", Optional: true, Clean: api.CleanBool},
		{Name: "sync_filter", Clean: api.CleanString(0, false)},
		{Name: "client_instance_id", Optional: true, Clean: api.CleanUUID}, {Name: "server_instance_id", Optional: true, Clean: api.CleanUUID},
	}, false)
	if err != nil {
		return tasks.Spec{}, err
	}
	problem := func(text string) (tasks.Spec, error) {
		return tasks.Spec{}, api.FieldError(api.Invalid, "non_field_errors", text)
	}
	switch {
	case !v.Has("pull") && !v.Has("push"):
		return problem("Either pull or push must be specified")
	case v.Has("pull") && v.Has("push") && v.Bool("pull") == v.Bool("push"):
		return problem("Only one of pull or push needs to be specified")
	case !v.Has("client_instance_id") && !v.Has("server_instance_id"):
		return problem("Either client_instance_id or server_instance_id must be specified")
	case v.Has("client_instance_id") && v.Has("server_instance_id"):
		return problem("Only one of client_instance_id or server_instance_id can be specified")
	}
	return tasks.Spec{Kwargs: v}, nil
}

// oldSync is after how long without activity a session is closed by another one of the same devices.
const oldSync = time.Hour

// runCleanUpSync closes old sessions. kolibri/core/auth/tasks.py: cleanupsync
func runCleanUpSync(_ context.Context, t *tasks.Task) (any, error) {
	kw := t.Job.Kwargs
	e := transfer.Expiry{}
	e.ClientInstance, _ = kw["client_instance_id"].(string)
	e.ServerInstance, _ = kw["server_instance_id"].(string)
	e.Filter, _ = kw["sync_filter"].(string)
	e.Push, _ = kw["push"].(bool)
	e.Pull, _ = kw["pull"].(bool)
	return nil, t.Write(func(tx *store.Tx) error {
		e.Before = tx.Now().Add(-oldSync)
		_, _, err := transfer.CleanUp(tx, e)
		return err
	})
}

// CleanUpHook starts the job that closes old sessions, after each receipt.
// kolibri/core/auth/kolibri_plugin.py: CleanUpTaskOperation
func (j *Jobs) CleanUpHook() transfer.Hook {
	return transfer.Hook{App: "auth", Operations: []transfer.Operation{{Name: "CleanUpTaskOperation", Stage: transfer.Cleanup,
		Run: func(tx *store.Tx, e *transfer.Event) error {
			if !e.Receives() {
				return nil
			}
			kwargs := map[string]any{"pull": !e.Push, "push": e.Push, "sync_filter": e.Filter.String()}
			if e.Server {
				kwargs["client_instance_id"] = e.ClientInstanceID
			} else {
				kwargs["server_instance_id"] = e.ServerInstanceID
			}
			_, err := j.runner.Enqueue(tx, cleanUpSync, tasks.Spec{Kwargs: kwargs}, tasks.Schedule{})
			return err
		}}}}
}

// cleanURL accepts an address of the web.
func cleanURL(_ *api.Request, v any) (any, string, string) {
	text, _ := v.(string)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, api.Invalid, "Enter a valid URL."
	}
	return text, "", ""
}
