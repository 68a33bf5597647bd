package public

import (
	"net/http"
	"strings"

	"kolibri/core/api"
	"kolibri/core/device/settings"
	"kolibri/store"
)

// channel is a channel as Studio lists it, which is how other Kolibris of any version know it.
// kolibri/core/content/serializers.py: PublicChannelSerializer
type channel struct {
	ID                 string   `json:"id"`
	Name               string   `json:"name"`
	Language           *string  `json:"language"`
	IncludedLanguages  []string `json:"included_languages"`
	Description        string   `json:"description"`
	Tagline            *string  `json:"tagline"`
	TotalResourceCount *int64   `json:"total_resource_count"`
	Version            int64    `json:"version"`
	PublishedSize      *int64   `json:"published_size"`
	LastPublished      *string  `json:"last_published"`
	IconEncoding       string   `json:"icon_encoding"`
	MatchingTokens     []string `json:"matching_tokens"` // tokens are Studio's alone
	Public             *bool    `json:"public"`
}

// channels lists the channels that others may import from here.
// kolibri/core/public/api.py: get_public_channel_list
func channels(r *api.Request) (any, error) { return listed(r, nil) }

// lookup answers with one of them, by its id.
// kolibri/core/public/api.py: get_public_channel_lookup
func lookup(r *api.Request) (any, error) {
	identifier, _ := api.ParseUUID(strings.TrimSpace(r.Param("identifier")))
	return listed(r, &identifier)
}

// unknown is the answer for what is not here, in this API's own shape.
func unknown() error {
	return &api.Error{Status: http.StatusNotFound, Body: map[string]any{"id": api.NotFoundID, "metadata": map[string]string{"view": ""}}}
}

// listed selects by the request's keyword and language, and by id when there is one.
func listed(r *api.Request, id *string) (any, error) {
	if r.Param("version") != "v1" {
		return nil, unknown()
	}
	s, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	q := &api.Query{From: "content_channelmetadata c JOIN content_contentnode n ON n.id = c.root_id LEFT JOIN content_language l ON l.id = n.lang_id",
		Order: `c."order", c.id`}
	q.Where("CASE WHEN n.available = TRUE THEN 1 ELSE 0 END = 1") // see content.ChannelQuery
	if id != nil {
		q.Where("c.id = ?", *id)
	}
	if keyword := strings.TrimSpace(r.Query().Get("keyword")); keyword != "" {
		pattern := containing(keyword)
		q.Where(`lower(c.name) LIKE ? ESCAPE '\' OR lower(c.description) LIKE ? ESCAPE '\'`, pattern, pattern)
	}
	if language := strings.TrimSpace(r.Query().Get("language")); language != "" {
		pattern := containing(language)
		q.Where(`lower(n.lang_id) LIKE ? ESCAPE '\' OR n.tree_id IN (SELECT z.tree_id FROM content_contentnode z WHERE lower(z.lang_id) LIKE ? ESCAPE '\'
			OR z.id IN (SELECT f.contentnode_id FROM content_file f WHERE lower(f.lang_id) LIKE ? ESCAPE '\'))`, pattern, pattern, pattern)
	}
	if !s.AllowPeerUnlistedChannelImport {
		q.Where("c.public IS NULL OR c.public = TRUE")
	}
	text, args := q.SQL("c.id, c.name, l.lang_code, c.description, c.tagline, c.total_resource_count, c.version, c.published_size, c.last_updated, c.thumbnail, c.public")
	found, err := store.Select(r.Tx, func(row store.Scanner) (*channel, error) {
		c := &channel{IncludedLanguages: []string{}, MatchingTokens: []string{}}
		return c, row.Scan(&c.ID, &c.Name, &c.Language, &c.Description, &c.Tagline, &c.TotalResourceCount, &c.Version, &c.PublishedSize,
			&c.LastPublished, &c.IconEncoding, &c.Public)
	}, text, args...)
	if err != nil {
		return nil, err
	}
	if id != nil && len(found) == 0 {
		return nil, unknown()
	}
	return found, addLanguages(r.Tx, found)
}

// containing is the pattern of texts that hold another, in whatever case.
func containing(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(text)) + "%"
}

func addLanguages(tx *store.Tx, channels []*channel) error {
	byID, ids := map[string]*channel{}, make([]string, len(channels))
	for i, c := range channels {
		byID[c.ID], ids[i] = c, c.ID
	}
	return store.ForEach(tx, func(row store.Scanner) error {
		var id, language string
		if err := row.Scan(&id, &language); err != nil {
			return err
		}
		byID[id].IncludedLanguages = append(byID[id].IncludedLanguages, language)
		return nil
	}, "SELECT channelmetadata_id, language_id FROM content_channelmetadata_included_languages WHERE channelmetadata_id IN ? ORDER BY id", store.In(ids))
}
