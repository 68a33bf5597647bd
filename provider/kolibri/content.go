package kolibri

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"

	"kolibri/provider/platform"
)

// channel is an element of kolibri/core/content/api.py: ChannelMetadataViewSet.
type channel struct {
	ID          string
	Name        string
	Description string
	LangCode    string `json:"lang_code"`
	LastUpdated string `json:"last_updated"`
	Thumbnail   string
}

const classesToken = "classes"

// courses are the channels, and after them the facility's classes. Who may manage content gets channels
// with their pictures in them, others with their addresses.
func (k *Kolibri) courses(ctx context.Context, token string, yield func(any) error) (string, error) {
	switch token {
	case "":
	case classesToken:
		return "", k.classes(ctx, func(c classroom) error { return yield(platform.Course{ID: c.ID, Kind: "class", Name: c.Name}) })
	default:
		return "", platform.ErrInvalid
	}
	each := func(c channel) error {
		icon := c.Thumbnail
		if u, err := k.client.Resolve(icon); err == nil && icon != "" {
			icon = u.String()
		}
		return yield(platform.Course{ID: c.ID, Kind: "channel", Name: c.Name, Description: c.Description, Language: c.LangCode,
			IconURL: icon, UpdatedAt: moment(c.LastUpdated)})
	}
	_, err := list(ctx, k, "/device/api/device_channel/", nil, each)
	if errors.Is(err, platform.ErrForbidden) {
		_, err = list(ctx, k, "/api/content/channel/", nil, each)
	}
	return classesToken, err
}

// node is an element of kolibri/core/content/api.py: ContentNodeViewset.
type node struct {
	ID          string
	ChannelID   string `json:"channel_id"`
	ContentID   string `json:"content_id"`
	Parent      string
	Title       string
	Kind        string
	Description string
	Author      string
	Lang        *struct {
		ID string `json:"id"`
	}
	Files []struct {
		Checksum   string
		Extension  string
		Preset     string
		Thumbnail  bool
		Available  bool
		FileSize   int64  `json:"file_size"`
		StorageURL string `json:"storage_url"`
	}
}

func (k *Kolibri) content(ctx context.Context, q platform.Query, token string, yield func(any) error) (string, error) {
	query := url.Values{"max_results": {pageSize(q)}}
	for ours, theirs := range map[string]string{"course_id": "channels", "parent_id": "parent"} {
		if id := q.Filter[ours]; id != "" {
			if !isID(id) {
				return "", nil // no id of this server's, so nothing has it
			}
			query.Set(theirs, id)
		}
	}
	if token != "" {
		var err error
		if query, err = url.ParseQuery(token); err != nil {
			return "", platform.ErrInvalid
		}
	}
	p, err := list(ctx, k, "/api/content/contentnode/", query, func(n node) error { return yield(k.item(n)) })
	if err != nil || p.more == nil {
		return "", err
	}
	return p.more.Encode(), nil
}

func (k *Kolibri) item(n node) platform.Item {
	item := platform.Item{ID: n.ID, CourseID: n.ChannelID, ParentID: n.Parent, ContentID: n.ContentID, Title: n.Title, Kind: n.Kind,
		Description: n.Description, Author: n.Author, Files: []platform.File{}}
	if n.Lang != nil {
		item.Language = n.Lang.ID
	}
	for _, f := range n.Files {
		if !f.Available || f.StorageURL == "" {
			continue
		}
		u, err := k.client.Resolve(f.StorageURL)
		if err != nil {
			continue
		}
		item.Files = append(item.Files, platform.File{URL: u.String(), Extension: f.Extension, Preset: f.Preset, Size: f.FileSize,
			Checksum: f.Checksum, Thumbnail: f.Thumbnail})
	}
	// the server has them in no order, and an answer that is the same must look the same
	slices.SortFunc(item.Files, func(a, b platform.File) int {
		return cmp.Or(cmp.Compare(a.Preset, b.Preset), cmp.Compare(a.URL, b.URL))
	})
	return item
}
