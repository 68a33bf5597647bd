package importing

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
	"kolibri/store"
)

// Register gives the tasks of channels their work.
// kolibri/core/content/tasks.py
func (i *Importer) Register(r *tasks.Runner) {
	const app = "kolibri.core.content.tasks."
	for name, part := range map[string]struct{ database, files bool }{
		"channelimport": {true, false}, "contentimport": {false, true}, "import": {true, true},
	} {
		r.Handle(app+"remote"+name, tasks.Work{Validate: i.validateRemote(part.files), Ask: i.askSource, Run: i.runRemote(part.database, part.files)})
		r.Handle(app+"disk"+name, tasks.Work{Validate: i.validateDisk(part.files), Run: i.runDisk(part.database, part.files)})
	}
	r.Handle(app+"deletechannel", tasks.Work{Validate: validateDelete, Run: i.runDelete})
	r.Handle(app+"remoteresourceimport", tasks.Work{Validate: i.validateResource, Ask: i.askSource, Run: i.runResource})
	r.Handle(FetchWished, tasks.Work{Run: i.runWishes})
	r.Handle(RemoveUnasked, tasks.Work{Run: i.runRemovals})
	r.Handle(app+"backfill_content_request_priority", tasks.Work{Run: backfill})
	r.Handle(app+"diskexport", tasks.Work{Validate: i.validateExport, Run: i.runExport})
	r.Handle(app+"remotechanneldiffstats", tasks.Work{Validate: i.validateRemote(false), Ask: i.askEdition, Run: i.runRemoteDiff})
	r.Handle(app+"localchanneldiffstats", tasks.Work{Validate: i.validateDisk(false), Ask: i.readEdition, Run: i.runDiskDiff})
}

var channelFields = []api.Field{
	{Name: "channel_id", Clean: api.CleanUUID},
	{Name: "channel_name", Clean: api.CleanString(0, false)},
}

var selectionFields = []api.Field{
	{Name: "node_ids", Optional: true, Many: true, Clean: api.CleanUUID},
	{Name: "exclude_node_ids", Optional: true, Many: true, Clean: api.CleanUUID},
}

var importFields = []api.Field{
	{Name: "update", Optional: true, Default: false, Clean: api.CleanBool},
	{Name: "renderable_only", Optional: true, Default: true, Clean: api.CleanBool},
	{Name: "fail_on_error", Optional: true, Default: false, Clean: api.CleanBool},
	{Name: "new_version", Optional: true, Clean: api.CleanInt},
	{Name: "all_thumbnails", Optional: true, Default: false, Clean: api.CleanBool},
}

func join(lists ...[]api.Field) (all []api.Field) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// channelSpec is the part of a job that all tasks of channels have.
func channelSpec(v api.Values) tasks.Spec {
	return tasks.Spec{Args: []any{v.String("channel_id")}, Kwargs: map[string]any{},
		ExtraMetadata: map[string]any{"channel_name": v.String("channel_name"), "channel_id": v.String("channel_id")}}
}

func addSelection(s *tasks.Spec, v api.Values) {
	s.Kwargs["node_ids"], s.Kwargs["exclude_node_ids"] = v["node_ids"], v["exclude_node_ids"]
}

func addImport(s *tasks.Spec, v api.Values) {
	addSelection(s, v)
	for _, name := range []string{"update", "renderable_only", "fail_on_error", "all_thumbnails"} {
		s.Kwargs[name] = v.Bool(name)
	}
	if n := v.Int("new_version"); n != 0 {
		s.ExtraMetadata["new_version"] = n
	}
}

func (i *Importer) validateRemote(files bool) func(*api.Request, *auth.Person, map[string]any) (tasks.Spec, error) {
	fields := join(channelFields, []api.Field{
		{Name: "peer", Optional: true, Clean: cleanPeer},
		{Name: "token", Optional: true, Null: true, Clean: cleanToken},
	})
	if files {
		fields = join(fields, selectionFields, importFields, []api.Field{{Name: "copy", Optional: true, Clean: api.CleanBool}})
	}
	return func(r *api.Request, _ *auth.Person, data map[string]any) (tasks.Spec, error) {
		v, err := r.Clean(data, fields, false)
		if err != nil {
			return tasks.Spec{}, err
		}
		spec := channelSpec(v)
		if files {
			addImport(&spec, v)
		}
		var peer any
		base := i.host.Options.CentralContentBaseURL
		if id := v.String("peer"); id != "" {
			peer = id
			if err := r.Tx.QueryRow("SELECT base_url FROM discovery_networklocation WHERE id = ?", id).Scan(&base); err != nil {
				return tasks.Spec{}, err
			}
		}
		if copied, given := v["copy"].(bool); given {
			if !copied && !(i.host.Device.InTab() && (peer == nil || i.isCentral(v.String("peer")))) {
				return tasks.Spec{}, api.FieldError(api.Invalid, "copy", "Only channels that lie beside the app can be used without copying them.")
			}
			spec.Kwargs["copy"] = copied
		}
		spec.ExtraMetadata["peer_id"], spec.Kwargs["peer_id"], spec.Kwargs["baseurl"] = peer, peer, strings.TrimRight(base, "/")
		if t := v.String("token"); t != "" {
			spec.Kwargs["token"] = t
		}
		return spec, nil
	}
}

// askSource makes sure that the source answers.
func (i *Importer) askSource(r *api.Request, spec *tasks.Spec) error {
	_, err := i.connect(r, spec)
	return err
}

// lately is how long a source that answered is not asked again
// (kolibri/core/discovery/utils/network/client.py: NETWORK_LOCATION_KEEP_ALIVE_TIMEOUT).
const lately = 5 * time.Second

// connect makes sure that the source of a job answers; one that just did is believed.
func (i *Importer) connect(r *api.Request, spec *tasks.Spec) (*network.Client, error) {
	base, _ := spec.Kwargs["baseurl"].(string)
	client, now := network.NewClient(i.host, base), i.host.DB.Now()
	i.cache.mu.Lock()
	answered := i.cache.answered[base]
	i.cache.mu.Unlock()
	if now.Sub(answered) < lately {
		return client, nil
	}
	if err := client.Connect(r.Ctx); err != nil {
		return nil, &api.Error{Status: http.StatusGone, Detail: "Unable to connect", Cause: err,
			Hint: "the content source " + base + " does not answer; in a browser it must allow cross-origin requests, or stand behind this site's own address"}
	}
	spec.Kwargs["baseurl"] = client.Base
	i.cache.mu.Lock()
	defer i.cache.mu.Unlock()
	if i.cache.answered == nil {
		i.cache.answered = map[string]time.Time{}
	}
	i.cache.answered[base] = now
	return client, nil
}

func cleanPeer(r *api.Request, v any) (any, string, string) {
	id, ok := v.(string)
	if !ok {
		return nil, "INCORRECT_TYPE", "Incorrect type. Expected pk value, received dict."
	}
	known, err := r.Tx.Exists("SELECT 1 FROM discovery_networklocation WHERE id = ?", id)
	if err != nil || !known {
		return nil, api.DoesNotExist, `Invalid pk "` + id + `" - object does not exist.`
	}
	return id, "", ""
}

func cleanToken(r *api.Request, v any) (any, string, string) {
	text, id, message := api.CleanString(0, true)(r, v)
	if id != "" {
		return nil, id, message
	}
	s := strings.ToLower(text.(string))
	plain := s
	if before, after, found := strings.Cut(s, "-"); found && len(before) == 5 {
		plain = before + after
	}
	if s != "" && (len(plain) != 10 || strings.Trim(plain, "abcdefghijklmnopqrstuvwxyz0123456789") != "") {
		return nil, api.Invalid, "Token must be 10 alphanumeric characters, optionally with a hyphen in the middle."
	}
	return s, "", ""
}

func (i *Importer) validateDisk(files bool) func(*api.Request, *auth.Person, map[string]any) (tasks.Spec, error) {
	fields := join(channelFields, []api.Field{{Name: "drive_id", Clean: i.cleanDrive}})
	if files {
		fields = join(fields, selectionFields, importFields)
	}
	return func(r *api.Request, _ *auth.Person, data map[string]any) (tasks.Spec, error) {
		v, err := r.Clean(data, fields, false)
		if err != nil {
			return tasks.Spec{}, err
		}
		spec := channelSpec(v)
		if files {
			addImport(&spec, v)
		}
		spec.ExtraMetadata["drive_id"] = v.String("drive_id")
		spec.Args = append(spec.Args, v.String("drive_id"))
		return spec, nil
	}
}

func (i *Importer) cleanDrive(r *api.Request, v any) (any, string, string) {
	id, ok := v.(string)
	if ok {
		_, err := i.drives.OpenDrive(r.Ctx, id)
		ok = err == nil
	}
	if !ok {
		return nil, api.Invalid, "That drive_id was not found in the list of drives."
	}
	return id, "", ""
}

func validateDelete(r *api.Request, _ *auth.Person, data map[string]any) (tasks.Spec, error) {
	v, err := r.Clean(data, join(channelFields, selectionFields, []api.Field{{Name: "force_delete", Optional: true, Default: false, Clean: api.CleanBool}}), false)
	if err != nil {
		return tasks.Spec{}, err
	}
	spec := channelSpec(v)
	addSelection(&spec, v)
	spec.Kwargs["force_delete"] = v.Bool("force_delete")
	return spec, nil
}

func (i *Importer) runRemote(database, files bool) func(context.Context, *tasks.Task) (any, error) {
	return func(ctx context.Context, t *tasks.Task) (any, error) {
		j := i.job(t, database, files)
		base, _ := t.Job.Kwargs["baseurl"].(string)
		secret, _ := t.Job.Kwargs["token"].(string)
		from, err := openRemote(ctx, i.host, i.store, base, j.channel, secret)
		if err != nil {
			return nil, err
		}
		j.from, j.versionRequested = from, secret != ""
		if err := j.run(ctx); err != nil {
			return nil, err
		}
		if secret == "" || from.listing == nil {
			return nil, nil
		}
		return nil, t.Write(func(tx *store.Tx) error { return keepListing(tx, j.channel, from.listing) })
	}
}

func (i *Importer) runDisk(database, files bool) func(context.Context, *tasks.Task) (any, error) {
	return func(ctx context.Context, t *tasks.Task) (any, error) {
		j := i.job(t, database, files)
		id, _ := t.Job.Args[1].(string)
		folder, err := i.openDrive(ctx, id)
		if err != nil {
			return nil, err
		}
		j.origin.drive = id
		j.from = &drive{i.store, folder, j.channel}
		return nil, j.run(ctx)
	}
}

// openDrive opens a drive for a job.
func (i *Importer) openDrive(ctx context.Context, id string) (fs.FS, error) {
	folder, err := i.drives.OpenDrive(ctx, id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, tasks.Fail("LocationError", "The external drive with given drive id "+id+" does not exist.")
	}
	return folder, err
}

// job reads a task's arguments.
func (i *Importer) job(t *tasks.Task, database, files bool) *job {
	channel, _ := t.Job.Args[0].(string)
	flag := func(name string) bool { b, _ := t.Job.Kwargs[name].(bool); return b }
	peer, _ := t.Job.Kwargs["peer_id"].(string)
	copied, given := t.Job.Kwargs["copy"].(bool)
	return &job{Importer: i, task: t, channel: channel, origin: origin{peer: peer}, database: database, files: files,
		update: flag("update"), failOnError: flag("fail_on_error"), stayAway: i.host.Options.RemoteContent || given && !copied,
		choice: choice{Selection: selectionOf(t.Job.Kwargs), renderableOnly: flag("renderable_only"), allThumbnails: flag("all_thumbnails"), missing: copied}}
}

func selectionOf(kwargs map[string]any) (s Selection) {
	if nodes, ok := kwargs["node_ids"].([]any); ok {
		ids := texts(nodes)
		s.Nodes = &ids
	}
	if except, ok := kwargs["exclude_node_ids"].([]any); ok {
		s.Except = texts(except)
	}
	return s
}

func texts(list []any) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
