package device

import (
	"errors"
	"net/http"
	"slices"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/store"
)

// channel is a channel as those see it who manage content. The numbers are given to whoever asks
// for them by name in include_fields.
// kolibri/plugins/device/api.py: DeviceChannelMetadataSerializer
type channel struct {
	ID               string   `json:"id"`
	Author           string   `json:"author"`
	Description      string   `json:"description"`
	Tagline          *string  `json:"tagline"`
	LastUpdated      api.Time `json:"last_updated"`
	LangCode         *string  `json:"lang_code"`
	LangName         *string  `json:"lang_name"`
	Name             string   `json:"name"`
	Root             string   `json:"root"`
	Thumbnail        string   `json:"thumbnail"`
	Version          int64    `json:"version"`
	Available        bool     `json:"available"`
	NumCoachContents *int64   `json:"num_coach_contents"`
	Public           *bool    `json:"public"`

	TotalResources    any `json:"total_resources,omitempty"`
	TotalFileSize     any `json:"total_file_size,omitempty"`
	OnDeviceResources any `json:"on_device_resources,omitempty"`
	OnDeviceFileSize  any `json:"on_device_file_size,omitempty"`
}

func (d *Device) channels(r *api.Request) (any, error) {
	if _, err := auth.RequireContentManager(r); err != nil {
		return nil, err
	}
	q := content.ChannelQuery(r)
	if partial, given := r.BoolParam("partial"); given {
		q.Where("c.partial = ?", partial)
	}
	return d.readChannels(r, q)
}

func (d *Device) channel(r *api.Request) (any, error) {
	if _, err := auth.RequireContentManager(r); err != nil {
		return nil, err
	}
	id, _ := api.ParseUUID(r.Param("pk"))
	found, err := d.readChannels(r, content.ChannelQuery(r).Where("c.id = ?", id))
	if err == nil && len(found) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func (d *Device) readChannels(r *api.Request, q *api.Query) ([]*channel, error) {
	found, err := content.Channels(r.Tx, q)
	if err != nil {
		return nil, err
	}
	wanted := r.ListParam("include_fields")
	all := make([]*channel, len(found))
	for i, c := range found {
		all[i] = &channel{ID: c.ID, Author: c.Author, Description: c.Description, Tagline: c.Tagline, LastUpdated: c.LastUpdated,
			LangCode: c.LangCode, LangName: c.LangName, Name: c.Name, Root: c.Root, Thumbnail: c.Thumbnail, Version: c.Version,
			Available: c.Available, NumCoachContents: c.NumCoachContents, Public: c.Public}
		if slices.Contains(wanted, "on_device_resources") {
			all[i].OnDeviceResources = c.TotalResourceCount
		}
		if slices.Contains(wanted, "on_device_file_size") {
			all[i].OnDeviceFileSize = c.PublishedSize
		}
		if err := d.count(r.Tx, all[i], wanted); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// count adds how much of a channel the viewers can show, be it on the device or not.
func (d *Device) count(tx *store.Tx, c *channel, wanted []string) (err error) {
	presets := store.In(d.host.Pages.Presets())
	const shown = "n.id IN (SELECT f.contentnode_id FROM content_file f WHERE f.preset IN ?)"
	if slices.Contains(wanted, "total_resources") {
		if c.TotalResources, err = tx.Int("SELECT COUNT(*) FROM content_contentnode n WHERE n.channel_id = ? AND "+shown, c.ID, presets); err != nil {
			return err
		}
	}
	if slices.Contains(wanted, "total_file_size") {
		// files that shown and other nodes share count as the others'
		const size = `SELECT SUM(l.file_size) FROM content_localfile l WHERE l.id IN (SELECT f.local_file_id
			FROM content_file f JOIN content_contentnode n ON n.id = f.contentnode_id WHERE n.channel_id = ?`
		whole, err := tx.Int(size+")", c.ID)
		if err != nil {
			return err
		}
		other, err := tx.Int(size+" AND NOT "+shown+")", c.ID, presets)
		if err != nil {
			return err
		}
		c.TotalFileSize = whole - other
	}
	return nil
}

// order puts the channels that can be opened into an order: the body lists the ids of all of them.
// kolibri/plugins/device/api.py: DeviceChannelOrderView
func (d *Device) order(r *api.Request) (any, error) {
	if _, err := auth.RequireContentManager(r); err != nil {
		return nil, err
	}
	body, err := r.Data()
	if err != nil {
		return nil, err
	}
	list, ok := body.([]any)
	ids := make([]string, len(list))
	for i, v := range list {
		text, isText := v.(string)
		id, isID := api.ParseUUID(text)
		ok, ids[i] = ok && isText && isID, id
	}
	if !ok {
		return nil, api.Detail(http.StatusBadRequest, "Array of ids not sent in body of request")
	}
	open, err := r.Tx.Strings("SELECT c.id FROM content_channelmetadata c JOIN content_contentnode n ON n.id = c.root_id WHERE n.available = TRUE")
	if err != nil {
		return nil, err
	}
	given := slices.Clone(ids)
	slices.Sort(given)
	slices.Sort(open)
	if !slices.Equal(given, open) {
		return nil, api.Detail(http.StatusBadRequest, "List of ids does not match the available channels on the server")
	}
	for i, id := range ids {
		_, failed := r.Tx.Exec(`UPDATE content_channelmetadata SET "order" = ? WHERE id = ?`, i+1, id)
		err = errors.Join(err, failed)
	}
	return map[string]any{}, errors.Join(err, content.Touch(r.Tx))
}
