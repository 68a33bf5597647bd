package content

import (
	"encoding/base64"
	"net/http"
	"strings"

	"kolibri/core/api"
	"kolibri/store"
)

// Channel is a channel as the APIs show it (kolibri/core/content/api.py: BaseChannelMetadataMixin).
type Channel struct {
	ID                  string   `json:"id"`
	Author              string   `json:"author"`
	Description         string   `json:"description"`
	Tagline             *string  `json:"tagline"`
	LastUpdated         api.Time `json:"last_updated"`
	LastPublished       api.Time `json:"last_published"`
	LangCode            *string  `json:"lang_code"`
	LangName            *string  `json:"lang_name"`
	Name                string   `json:"name"`
	Root                string   `json:"root"`
	Thumbnail           string   `json:"thumbnail"`
	Version             int64    `json:"version"`
	Available           bool     `json:"available"`
	NumCoachContents    *int64   `json:"num_coach_contents"`
	Public              *bool    `json:"public"`
	TotalResourceCount  *int64   `json:"total_resource_count"`
	PublishedSize       *int64   `json:"published_size"`
	IncludedCategories  []string `json:"included_categories"`
	IncludedGradeLevels []string `json:"included_grade_levels"`
	IncludedLanguages   []string `json:"included_languages"`
}

const channelColumns = `c.id, c.author, c.description, c.tagline, c.last_updated, l.lang_code, l.lang_name, c.name, c.root_id, c.thumbnail,
	c.version, n.available, n.num_coach_contents, c.public, c.total_resource_count, c.published_size, c.included_categories, c.included_grade_levels`

func scanChannel(row store.Scanner) (*Channel, error) {
	c := &Channel{IncludedLanguages: []string{}}
	var updated store.Zoned
	var categories, levels *string
	err := row.Scan(&c.ID, &c.Author, &c.Description, &c.Tagline, &updated, &c.LangCode, &c.LangName, &c.Name, &c.Root, &c.Thumbnail,
		&c.Version, &c.Available, &c.NumCoachContents, &c.Public, &c.TotalResourceCount, &c.PublishedSize, &categories, &levels)
	c.LastUpdated = api.Time(updated.Time())
	c.LastPublished = c.LastUpdated
	c.IncludedCategories, c.IncludedGradeLevels = []string{}, []string{}
	if categories != nil {
		c.IncludedCategories = split(*categories)
	}
	if levels != nil {
		c.IncludedGradeLevels = split(*levels)
	}
	return c, err
}

// ChannelQuery selects the channels that a request's filters let through.
// kolibri/core/content/api.py: ChannelMetadataFilter
func ChannelQuery(r *api.Request) *api.Query {
	q := &api.Query{
		From:  "content_channelmetadata c JOIN content_contentnode n ON n.id = c.root_id LEFT JOIN content_language l ON l.id = n.lang_id",
		Order: `c."order", c.id`,
	}
	if available, given := r.BoolParam("available"); given {
		// roots are found by the channels, of which there are few, and not by what is available
		q.Where("CASE WHEN n.available = TRUE THEN 1 ELSE 0 END = ?", map[bool]int{true: 1}[available])
	}
	if _, given := r.BoolParam("contains_exercise"); given {
		q.Where("EXISTS (SELECT 1 FROM content_contentnode z WHERE z.kind = 'exercise' AND z.available = TRUE AND z.channel_id = c.id)")
	}
	if quiz, _ := r.BoolParam("contains_quiz"); quiz {
		q.Where("EXISTS (SELECT 1 FROM content_contentnode z WHERE z.modality = ? AND z.available = TRUE AND z.channel_id = c.id)", Quiz)
	}
	return q
}

// Channels reads the channels of a query, with their pictures as they are kept.
func Channels(tx *store.Tx, q *api.Query) ([]*Channel, error) {
	text, args := q.SQL(channelColumns)
	channels, err := store.Select(tx, scanChannel, text, args...)
	if err != nil || len(channels) == 0 {
		return channels, err
	}
	byID, ids := map[string]*Channel{}, []string{}
	for _, c := range channels {
		byID[c.ID], ids = c, append(ids, c.ID)
	}
	return channels, store.ForEach(tx, func(row store.Scanner) error {
		var channel, lang string
		if err := row.Scan(&channel, &lang); err != nil {
			return err
		}
		byID[channel].IncludedLanguages = append(byID[channel].IncludedLanguages, lang)
		return nil
	}, "SELECT channelmetadata_id, language_id FROM content_channelmetadata_included_languages WHERE channelmetadata_id IN ? ORDER BY id", store.In(ids))
}

// channels answers with all channels; pictures come by an address of their own.
// kolibri/core/content/api.py: ChannelMetadataViewSet
func (c *Content) channels(r *api.Request) (any, error) {
	channels, err := Channels(r.Tx, ChannelQuery(r))
	for _, ch := range channels {
		c.pictureByAddress(ch)
	}
	return channels, err
}

func (c *Content) channel(r *api.Request) (any, error) {
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, r.NotFound()
	}
	channels, err := Channels(r.Tx, ChannelQuery(r).Where("c.id = ?", id))
	if err != nil {
		return nil, err
	}
	if len(channels) == 0 {
		return nil, r.NotFound()
	}
	c.pictureByAddress(channels[0])
	return channels[0], nil
}

func (c *Content) pictureByAddress(ch *Channel) {
	if ch.Thumbnail != "" {
		ch.Thumbnail = c.host.Options.URLPathPrefix + "api/content/channel-thumbnail/" + ch.ID + "/"
	}
}

// filterOptions answers how many nodes of a channel each author, kind and tag has.
func filterOptions(r *api.Request) (any, error) {
	id, _ := api.ParseUUID(r.Query().Get("id"))
	answer := map[string]map[string]int64{}
	for name, query := range map[string]string{
		"available_authors": "SELECT author, COUNT(author) FROM content_contentnode WHERE channel_id = ? AND author <> '' GROUP BY author",
		"available_kinds":   "SELECT kind, COUNT(kind) FROM content_contentnode WHERE channel_id = ? GROUP BY kind",
		"available_tags": `SELECT t.tag_name, COUNT(t.tag_name) FROM content_contenttag t JOIN content_contentnode_tags x ON x.contenttag_id = t.id
			JOIN content_contentnode n ON n.id = x.contentnode_id WHERE n.channel_id = ? GROUP BY t.tag_name`,
	} {
		counts := map[string]int64{}
		err := store.ForEach(r.Tx, func(row store.Scanner) error {
			var value string
			var count int64
			err := row.Scan(&value, &count)
			counts[value] = count
			return err
		}, query, id)
		if err != nil {
			return nil, err
		}
		answer[name] = counts
	}
	return answer, nil
}

// thumbnail answers with a channel's picture, which is kept as a data: address.
// kolibri/core/content/api.py: ChannelThumbnailView
func thumbnail(r *api.Request) (any, error) {
	id, _ := api.ParseUUID(r.Param("channel_id"))
	found, err := r.Tx.Strings("SELECT thumbnail FROM content_channelmetadata WHERE id = ?", id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, api.NoPage()
	}
	head, data, ok := strings.Cut(found[0], ",")
	kind, isData := strings.CutPrefix(strings.Split(head, ";")[0], "data:")
	if !ok || !isData || !strings.HasPrefix(kind, "image/") { // nothing that a browser would run
		return nil, api.NoPage()
	}
	picture, err := base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(data))
	if err != nil {
		return nil, api.NoPage()
	}
	return (&api.Response{Status: http.StatusOK, Raw: picture}).WithHeader("Content-Type", kind), nil
}
