package content

import (
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/discovery/network"
	"kolibri/store"
)

// communityLibrary marks channels whose approved version Studio shows by its newer API alone
// (kolibri/core/content/constants/library.py).
const communityLibrary = "COMMUNITY"

// remoteChannelsKept is how long what a source says of its channels is good for; the original keeps
// it by address, so whoever asks for what was just asked for gets the same.
const remoteChannelsKept = 5 * time.Minute

func (c *Content) remoteChannelRoutes() []api.Route {
	const name = "kolibri:core:remotechannel-"
	return []api.Route{
		{Name: name + "list", Method: http.MethodGet, NoTx: true, Handle: c.keptFor(c.remoteChannels)},
		{Name: name + "detail", Method: http.MethodGet, NoTx: true, Handle: c.keptFor(c.remoteChannel)},
		{Name: name + "kolibri-studio-status", Method: http.MethodGet, NoTx: true, Handle: c.studioStatus},
	}
}

// RemoteChannel is a channel of a source in the words of this device's own API.
// kolibri/core/content/api.py: RemoteChannelViewSet._studio_response_to_kolibri_response
type RemoteChannel struct {
	ID                string             `json:"id"`
	Description       *string            `json:"description"`
	Tagline           *string            `json:"tagline"`
	Name              string             `json:"name"`
	LangCode          *string            `json:"lang_code"`
	LangName          *string            `json:"lang_name"`
	Thumbnail         *string            `json:"thumbnail"`
	Public            *bool              `json:"public"`
	TotalResources    *int64             `json:"total_resources"`
	TotalFileSize     *int64             `json:"total_file_size"`
	Version           int64              `json:"version"`
	IncludedLanguages map[string]*string `json:"included_languages"`
	LastUpdated       any                `json:"last_updated"`
	VersionNotes      any                `json:"version_notes"`
}

// sourceChannel is the same as Studio and other Kolibris send it.
type sourceChannel struct {
	ID                 string   `json:"id"`
	Name               string   `json:"name"`
	Description        *string  `json:"description"`
	Tagline            *string  `json:"tagline"`
	Language           *string  `json:"language"`
	IncludedLanguages  []string `json:"included_languages"`
	IconEncoding       *string  `json:"icon_encoding"`
	Public             *bool    `json:"public"`
	TotalResourceCount *int64   `json:"total_resource_count"`
	PublishedSize      *int64   `json:"published_size"`
	Version            *int64   `json:"version"`
	LastPublished      any      `json:"last_published"`
	VersionNotes       any      `json:"version_notes"`
}

// LanguagesFile is where the built front end has the languages' own names, by code.
const LanguagesFile = "data/languages.json"

func (c *Content) languageName(code string) *string {
	c.languagesOnce.Do(func() {
		text, err := fs.ReadFile(c.build, LanguagesFile)
		if err == nil {
			err = json.Unmarshal(text, &c.languages)
		}
		if err != nil {
			c.host.Log.Warn("channels of other devices show no names of languages", "error", err)
		}
	})
	if name, known := c.languages[code]; known {
		return &name
	}
	return nil
}

func (c *Content) translate(s sourceChannel) *RemoteChannel {
	yes, none := true, int64(0)
	made := &RemoteChannel{ID: s.ID, Description: s.Description, Tagline: s.Tagline, Name: s.Name, LangCode: s.Language, Thumbnail: s.IconEncoding,
		Public: s.Public, TotalResources: s.TotalResourceCount, TotalFileSize: s.PublishedSize, IncludedLanguages: map[string]*string{},
		LastUpdated: s.LastPublished, VersionNotes: s.VersionNotes}
	if made.Public == nil {
		made.Public = &yes
	}
	if made.TotalResources == nil {
		made.TotalResources = &none
	}
	if s.Version != nil {
		made.Version = *s.Version
	}
	if s.Language != nil {
		made.LangName = c.languageName(*s.Language)
	}
	for _, code := range s.IncludedLanguages {
		made.IncludedLanguages[code] = c.languageName(code)
	}
	return made
}

// offline is the answer when a source cannot be reached.
func offline(cause error) error {
	return &api.Error{Status: http.StatusServiceUnavailable, Body: map[string]string{"status": "offline"}, Cause: cause,
		Hint: "the content source does not answer; in a browser it must allow cross-origin requests, or stand behind this site's own address"}
}

// source is the device that a request names, if it is a known one that answers, or the configured source.
func (c *Content) source(r *api.Request) *network.Client {
	if base := r.Query().Get(remoteParam); base != "" {
		if client, err := c.known(r, base); err == nil {
			return client
		}
	}
	return network.NewClient(c.host, c.host.Options.CentralContentBaseURL)
}

// known connects to a device that this one knows. Others are not asked: a visitor could send this
// server anywhere.
// kolibri/core/discovery/utils/network/client.py: build_for_address
func (c *Content) known(r *api.Request, base string) (*network.Client, error) {
	central := c.host.Options.CentralContentBaseURL
	if strings.TrimRight(base, "/") != strings.TrimRight(central, "/") {
		err := c.host.DB.Read(r.Ctx, func(tx *store.Tx) error {
			known, err := network.Known(tx, base)
			if err == nil {
				central = known.BaseURL
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	client := network.NewClient(c.host, central)
	return client, client.Connect(r.Ctx)
}

// ask asks a source for channels: those that a filter lets through, or those that an identifier, a
// token or an id, stands for. nil: the source does not know the identifier.
func (c *Content) ask(r *api.Request, identifier string) ([]*RemoteChannel, error) {
	query := url.Values{"channel_versions": {"true"}}
	for _, name := range []string{"keyword", "language"} {
		if v := r.Query().Get(name); v != "" {
			query.Set(name, v)
		}
	}
	path := "api/public/v1/channels"
	if identifier != "" {
		path += "/lookup/" + url.PathEscape(identifier)
	}
	answer, err := c.source(r).Get(r.Ctx, path+"?"+query.Encode())
	if answer != nil && answer.Status == http.StatusNotFound {
		return nil, r.NotFound()
	}
	if err != nil {
		return nil, offline(err)
	}
	var all []sourceChannel
	if err := json.Unmarshal(answer.Body, &all); err != nil {
		return nil, offline(err)
	}
	channels := make([]*RemoteChannel, len(all))
	for i, s := range all {
		channels[i] = c.translate(s)
	}
	return channels, nil
}

// remoteChannels answers with the channels of a source.
// kolibri/core/content/api.py: RemoteChannelViewSet
func (c *Content) remoteChannels(r *api.Request) (any, error) {
	return c.ask(r, r.Query().Get("token"))
}

// remoteChannel answers with one channel of a source, by its id or a token.
func (c *Content) remoteChannel(r *api.Request) (any, error) {
	pk, token := r.Param("pk"), r.Query().Get("token")
	if token == "" && r.Query().Get(remoteParam) == "" {
		if found, err := c.community(r, pk); found != nil || err != nil {
			return found, err
		}
	}
	if token == "" {
		token = pk
	}
	found, err := c.ask(r, token)
	if err == nil && len(found) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// community asks for a channel that came from the community library; nil when it did not.
func (c *Content) community(r *api.Request, pk string) (any, error) {
	id, ok := api.ParseUUID(pk)
	if !ok {
		return nil, nil
	}
	var is bool
	err := c.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) {
		is, err = tx.Exists("SELECT 1 FROM content_channelmetadata WHERE id = ? AND library = ?", id, communityLibrary)
		return err
	})
	if err != nil || !is {
		return nil, err
	}
	answer, err := network.NewClient(c.host, c.host.Options.CentralContentBaseURL).Get(r.Ctx, "api/public/v2/channel/"+id+"?public=false")
	if answer != nil && answer.Status == http.StatusNotFound {
		return nil, r.NotFound()
	}
	if err != nil {
		return nil, offline(err)
	}
	var found sourceChannel
	if err := json.Unmarshal(answer.Body, &found); err != nil {
		return nil, offline(err)
	}
	return c.translate(found), nil
}

// studioStatus tells whether the configured source answers, and what it says of itself.
func (c *Content) studioStatus(r *api.Request) (any, error) {
	if err := c.mayManage(r); err != nil {
		return nil, err
	}
	answer := map[string]any{}
	found, err := network.NewClient(c.host, c.host.Options.CentralContentBaseURL).Get(r.Ctx, "api/public/info")
	if err == nil {
		err = json.Unmarshal(found.Body, &answer)
	}
	if err != nil {
		answer = map[string]any{"available": false, "status": "offline"}
	} else {
		answer["available"], answer["status"] = true, "online"
	}
	return api.Status(http.StatusOK, answer).WithHeader("Cache-Control", "max-age=0, no-cache, no-store, must-revalidate, private"), nil
}

// mayManage asks in a transaction that has ended before another device is asked.
func (c *Content) mayManage(r *api.Request) error {
	return c.host.DB.Read(r.Ctx, func(tx *store.Tx) error {
		r.Tx = tx
		defer func() { r.Tx = nil }()
		_, err := auth.RequireContentManager(r)
		return err
	})
}

// kept are answers about sources' channels, by address.
type kept struct {
	mu      sync.Mutex
	answers map[string]keptAnswer
}

type keptAnswer struct {
	body  any
	until time.Time
}

// keptFor gives an answer again for some minutes, to everybody as the original does: what a source
// lists publicly is no secret. Only who manages content can cause a question.
func (c *Content) keptFor(handle api.Handler) api.Handler {
	return func(r *api.Request) (any, error) {
		now, address := c.host.DB.Now(), address(r)
		c.kept.mu.Lock()
		maps.DeleteFunc(c.kept.answers, func(_ string, a keptAnswer) bool { return now.After(a.until) })
		found, ok := c.kept.answers[address]
		c.kept.mu.Unlock()
		if !ok {
			if err := c.mayManage(r); err != nil {
				return nil, err
			}
			body, err := handle(r)
			if err != nil {
				return nil, err
			}
			found = keptAnswer{body, now.Add(remoteChannelsKept)}
			c.kept.mu.Lock()
			if c.kept.answers == nil {
				c.kept.answers = map[string]keptAnswer{}
			}
			c.kept.answers[address] = found
			c.kept.mu.Unlock()
		}
		age := strconv.Itoa(int(remoteChannelsKept.Seconds()))
		return api.Status(http.StatusOK, found.body).WithHeader("Cache-Control", "max-age="+age), nil
	}
}
