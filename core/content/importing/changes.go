package importing

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"

	"kolibri/core/api"
	"kolibri/core/content/storage"
	"kolibri/core/tasks"
	"kolibri/store"
)

// askEdition asks the source which edition it has, for the page that shows what an update changes.
// kolibri/core/content/tasks.py: RemoteChannelDiffStatsValidator
func (i *Importer) askEdition(r *api.Request, spec *tasks.Spec) error {
	client, err := i.connect(r, spec)
	if err != nil {
		return err
	}
	identifier, _ := spec.Args[0].(string)
	secret, _ := spec.Kwargs["token"].(string)
	if secret != "" {
		identifier = secret
	}
	answer, err := client.Get(r.Ctx, "api/public/v1/channels/lookup/"+url.PathEscape(identifier)+"?channel_versions=true")
	if answer != nil && answer.Status == http.StatusNotFound {
		return r.NotFound()
	}
	var found []Listing
	if err == nil {
		err = json.Unmarshal(answer.Body, &found)
	}
	if err != nil {
		return &api.Error{Status: http.StatusGone, Detail: "Unable to connect", Cause: err}
	}
	if len(found) == 0 {
		return r.NotFound()
	}
	spec.ExtraMetadata["new_channel_version"] = found[0].edition()
	if secret != "" {
		spec.Kwargs["new_channel_version"] = found[0].edition()
	}
	return nil
}

// readEdition reads which edition a drive has.
// kolibri/core/content/tasks.py: LocalChannelDiffStatsValidator
func (i *Importer) readEdition(r *api.Request, spec *tasks.Spec) error {
	channel, _ := spec.Args[0].(string)
	id, _ := spec.Args[1].(string)
	folder, err := i.drives.OpenDrive(r.Ctx, id)
	if err != nil {
		return err
	}
	var meta Meta
	err = readDatabase(r.Ctx, folder, "content/"+storage.DatabaseName(channel), func(tx *store.Tx) error {
		meta, err = ReadMeta(tx, "main", channel)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotAChannel) {
		return api.FieldError(api.Invalid, "channel_id", "The drive does not have this channel.")
	}
	spec.ExtraMetadata["new_channel_version"] = meta.Version
	return err
}

func (i *Importer) runRemoteDiff(ctx context.Context, t *tasks.Task) (any, error) {
	channel, _ := t.Job.Args[0].(string)
	base, _ := t.Job.Kwargs["baseurl"].(string)
	secret, _ := t.Job.Kwargs["token"].(string)
	from, err := openRemote(ctx, i.host, i.store, base, channel, secret)
	if err != nil {
		return nil, err
	}
	return nil, i.diff(ctx, t, from, channel)
}

func (i *Importer) runDiskDiff(ctx context.Context, t *tasks.Task) (any, error) {
	channel, _ := t.Job.Args[0].(string)
	id, _ := t.Job.Args[1].(string)
	folder, err := i.openDrive(ctx, id)
	if err != nil {
		return nil, err
	}
	return nil, i.diff(ctx, t, &drive{i.store, folder, channel}, channel)
}

// diff fetches the newer edition, keeps it for the import that may follow, and says what it changes.
// kolibri/core/content/utils/upgrade.py: diff_stats
func (i *Importer) diff(ctx context.Context, t *tasks.Task, from Source, channel string) error {
	i.together.Lock()
	defer i.together.Unlock()
	name := storage.UpgradeName(channel)
	if err := from.Database(ctx, name, func(int64) { _ = t.Check() }); err != nil {
		return explain(err)
	}
	var changes *diff
	err := Open(ctx, i.host.DB, i.store, name, channel, func(tx *store.Tx, e *Edition) (err error) {
		p, err := installed(tx, channel)
		if err != nil {
			return err
		}
		if p != nil && !p.partial && p.version == e.Meta.Version {
			// the original compares an edition that is here already with nothing; no page asks for that
			changes = &diff{}
			changes.deleted, err = tx.Int("SELECT count(DISTINCT content_id) FROM content_contentnode WHERE channel_id = ? AND available = TRUE AND kind <> 'topic'", channel)
		} else {
			changes, err = compare(tx, e, i.host.Pages.Presets())
		}
		if err != nil {
			return err
		}
		return t.MetadataIn(tx, map[string]any{"new_resources_count": len(changes.newContents), "deleted_resources_count": changes.deleted,
			"updated_resources_count": len(changes.updatedContents)})
	})
	if err != nil {
		return errors.Join(shape(err), i.store.Remove(name))
	}
	i.cache.forget(channel)
	i.cache.setUpdate(channel, changes)
	return nil
}

// Changes are what the newer edition of a channel that was last looked at would bring: how many
// resources are new, and their bytes. ok is false where nobody looked.
func (i *Importer) Changes(channel string) (resources int, bytes int64, ok bool) {
	d := i.cache.update(channel)
	if d == nil {
		return 0, 0, false
	}
	return len(d.newNodes), d.newBytes, true
}
