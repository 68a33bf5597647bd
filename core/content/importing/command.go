package importing

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"

	"kolibri/core/api"
	"kolibri/core/content/storage"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
	"kolibri/store"
)

// Command is an import that somebody asks for on the command line.
// kolibri/core/content/management/commands/importchannel.py, importcontent.py
type Command struct {
	Channel string // an id, or a token where Folder is nil
	// BaseURL is the source; empty is the configured one. Folder, when set, is a KOLIBRI_DATA folder instead.
	BaseURL, Peer string
	Folder        fs.FS
	// The parts: the channel's database, its files.
	Database, Files bool
	// Later keeps the database for the statistics of an update and imports nothing.
	Later                                               bool
	Update, FailOnError, AllThumbnails, UnrenderableToo bool
	Selection
}

// Run does a command's work.
func (i *Importer) Run(ctx context.Context, w Worker, c Command) error {
	j := &job{Importer: i, task: w, channel: c.Channel, origin: origin{peer: c.Peer}, database: c.Database, files: c.Files, update: c.Update, failOnError: c.FailOnError, stayAway: i.host.Options.RemoteContent,
		choice: choice{Selection: c.Selection, renderableOnly: !c.UnrenderableToo, allThumbnails: c.AllThumbnails}}
	id, isID := api.ParseUUID(c.Channel)
	base := c.BaseURL
	if base == "" {
		base = i.host.Options.CentralContentBaseURL
	}
	var listing *Listing
	switch {
	case isID:
		j.channel = id
	case c.Folder != nil:
		return fmt.Errorf("invalid channel ID '%s'. Disk import requires a UUID, not a token", c.Channel)
	default:
		found, err := resolve(ctx, i.host, base, c.Channel)
		if err != nil {
			return err
		}
		listing, j.channel, j.versionRequested = found, found.ID, true
	}
	if c.Folder != nil {
		j.from = &drive{i.store, c.Folder, j.channel}
	} else {
		secret := ""
		if listing != nil {
			secret = c.Channel
		}
		from, err := openRemote(ctx, i.host, i.store, base, j.channel, secret)
		if err != nil {
			return err
		}
		j.from = from
	}
	if c.Later {
		return explain(j.from.Database(ctx, storage.UpgradeName(j.channel), func(int64) {}))
	}
	if err := j.run(ctx); err != nil || listing == nil {
		return err
	}
	return w.Write(func(tx *store.Tx) error { return keepListing(tx, j.channel, listing) })
}

// resolve finds the channel that a token stands for.
func resolve(ctx context.Context, h *api.Host, base, token string) (*Listing, error) {
	answer, err := network.NewClient(h, base).Get(ctx, "api/public/v1/channels/lookup/"+url.PathEscape(token)+"?channel_versions=true")
	if answer != nil && answer.Status == http.StatusNotFound {
		return nil, fmt.Errorf("token '%s' not found on content server", token)
	}
	if err != nil {
		return nil, fmt.Errorf("could not connect to content server at '%s': %w", base, err)
	}
	var all []Listing
	if err := json.Unmarshal(answer.Body, &all); err != nil {
		return nil, fmt.Errorf("'%s' is no content server: %w", base, err)
	}
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("token '%s' not found on content server", token)
	case len(all) > 1:
		return nil, tasks.Fail("LocationError", "Token '"+token+"' matches multiple channels. Use a channel ID instead.")
	}
	id, ok := api.ParseUUID(all[0].ID)
	if !ok {
		return nil, fmt.Errorf("invalid response: token '%s' resolved to a channel without an ID", token)
	}
	all[0].ID = id
	return &all[0], nil
}

// keepListing notes of a channel that came by a token what its source lists.
func keepListing(tx *store.Tx, channel string, l *Listing) error {
	_, err := tx.Exec("UPDATE content_channelmetadata SET library = coalesce(?, library), version = ? WHERE id = ?", l.Library, l.edition(), channel)
	return err
}
