package importing

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"kolibri/core/api"
	"kolibri/core/content/storage"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
)

// Source is where a channel comes from.
type Source interface {
	// Database brings the channel's database to a name of the store.
	Database(ctx context.Context, name string, progress func(int64)) error
	// DatabaseSize is how large that is, in bytes, or 0 where the source does not say.
	DatabaseSize(ctx context.Context) (int64, error)
	// File brings one file of content.
	File(ctx context.Context, name, checksum string, progress func(int64)) error
	// Listing is what the source says of the channel, or nil.
	Listing() *Listing
}

// Listing is an entry of a source's list of channels.
type Listing struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Public  *bool   `json:"public"`
	Version *int64  `json:"version"`
	Library *string `json:"library"`
}

// edition is the listed version; a draft has none.
func (l *Listing) edition() int64 {
	if l.Version == nil {
		return 0
	}
	return *l.Version
}

// remote is Studio, a mirror of it, or another Kolibri.
type remote struct {
	store   *storage.Store
	base    string // with a slash at the end
	channel string
	token   string
	listing *Listing
}

// openRemote asks a source about the channel. A source that does not know it may still have its files.
// kolibri/core/content/utils/resource_import.py: lookup_channel_listing_status
func openRemote(ctx context.Context, h *api.Host, store *storage.Store, base, channel, token string) (*remote, error) {
	r := &remote{store: store, base: strings.TrimRight(base, "/") + "/", channel: channel, token: token}
	identifier := channel
	if token != "" {
		identifier = token
	}
	answer, err := network.NewClient(h, base).Get(ctx, "api/public/v1/channels/lookup/"+url.PathEscape(identifier)+"?channel_versions=true")
	if answer != nil && answer.Status == http.StatusNotFound {
		return r, nil
	}
	if err != nil {
		return nil, tasks.Fail("LocationError", fmt.Sprintf("Failed to look up channel %s on %s: %v", identifier, base, err))
	}
	var all []Listing
	if err := json.Unmarshal(answer.Body, &all); err != nil {
		return nil, tasks.Fail("LocationError", fmt.Sprintf("%s did not answer with a list of channels: %v", base, err))
	}
	for i := range all {
		if id, _ := api.ParseUUID(all[i].ID); id == channel {
			r.listing = &all[i]
			return r, nil
		}
	}
	if token != "" && len(all) > 0 {
		return nil, tasks.Fail("LocationError", fmt.Sprintf("Token '%s' does not resolve to channel %s", token, channel))
	}
	return r, nil
}

func (r *remote) Listing() *Listing { return r.listing }

// database is the address of the channel's database; a token may mean an edition of its own, and no
// number means the draft.
func (r *remote) database() string {
	edition := ""
	if r.token != "" && r.listing != nil {
		edition = "-next"
		if r.listing.Version != nil && *r.listing.Version != 0 {
			edition = fmt.Sprintf("-%d", *r.listing.Version)
		}
	}
	return r.base + "content/databases/" + r.channel + edition + ".sqlite3"
}

func (r *remote) DatabaseSize(ctx context.Context) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, r.database(), nil)
	if err != nil {
		return 0, err
	}
	response, err := r.store.HTTP.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, &storage.StatusError{URL: r.database(), Status: response.StatusCode}
	}
	return max(response.ContentLength, 0), nil
}

func (r *remote) Database(ctx context.Context, name string, progress func(int64)) error {
	return r.store.Fetch(ctx, r.database(), name, "", progress)
}

func (r *remote) File(ctx context.Context, name, checksum string, progress func(int64)) error {
	return r.store.Fetch(ctx, r.base+"content/"+name, name, checksum, progress)
}
