package content

import (
	"database/sql"
	"encoding/json"
	"strings"

	"kolibri/core/api"
	"kolibri/store"
)

// Node is a topic or resource as the APIs show it
// (kolibri/core/content/api.py: BaseContentNodeMixin, InternalContentNodeMixin).
type Node struct {
	ID                  string          `json:"id"`
	Author              string          `json:"author"`
	Available           bool            `json:"available"`
	ChannelID           string          `json:"channel_id"`
	CoachContent        bool            `json:"coach_content"`
	ContentID           string          `json:"content_id"`
	Description         *string         `json:"description"`
	Kind                string          `json:"kind"`
	LicenseDescription  *string         `json:"license_description"`
	LicenseName         *string         `json:"license_name"`
	LicenseOwner        string          `json:"license_owner"`
	NumCoachContents    *int64          `json:"num_coach_contents"`
	OnDeviceResources   *int64          `json:"on_device_resources"`
	Options             json.RawMessage `json:"options"`
	Parent              *string         `json:"parent"`
	SortOrder           *api.Float      `json:"sort_order"`
	Title               string          `json:"title"`
	Left                int64           `json:"lft"`
	Right               int64           `json:"rght"`
	TreeID              int64           `json:"tree_id"`
	LearningActivities  []string        `json:"learning_activities"`
	GradeLevels         []string        `json:"grade_levels"`
	ResourceTypes       []string        `json:"resource_types"`
	AccessibilityLabels []string        `json:"accessibility_labels"`
	LearnerNeeds        []string        `json:"learner_needs"`
	Categories          []string        `json:"categories"`
	Duration            *int64          `json:"duration"`
	Ancestors           json.RawMessage `json:"ancestors"`
	Modality            *string         `json:"modality"`
	// AdminImported is nil, and not shown, in the APIs for other devices.
	AdminImported      *bool       `json:"admin_imported,omitempty"`
	AssessmentMetadata *Assessment `json:"assessmentmetadata"`
	Tags               []string    `json:"tags"`
	Files              []*File     `json:"files"`
	Thumbnail          *string     `json:"thumbnail"`
	Lang               *Language   `json:"lang"`
	IsLeaf             bool        `json:"is_leaf"`

	// Children and Bookmark are given by the APIs about trees and bookmarks only.
	Children *Children `json:"children,omitempty"`
	Bookmark any       `json:"bookmark,omitempty"`

	langID string
}

// Topic is the kind of nodes that hold others.
const Topic = "topic"

const nodeColumns = `n.id, n.author, n.available, n.channel_id, n.coach_content, n.content_id, n.description, n.kind,
	n.license_description, n.license_name, n.license_owner, n.num_coach_contents, n.on_device_resources, n.options, n.parent_id,
	n.sort_order, n.title, n.lft, n.rght, n.tree_id, n.learning_activities, n.grade_levels, n.resource_types,
	n.accessibility_labels, n.learner_needs, n.categories, n.duration, n.ancestors, n.modality, n.admin_imported, n.lang_id`

func scanNode(row store.Scanner) (*Node, error) {
	n := &Node{}
	var options, ancestors, lang, activities, levels, types, accessibility, needs, categories sql.NullString
	var order sql.NullFloat64
	var imported sql.NullBool
	err := row.Scan(&n.ID, &n.Author, &n.Available, &n.ChannelID, &n.CoachContent, &n.ContentID, &n.Description, &n.Kind,
		&n.LicenseDescription, &n.LicenseName, &n.LicenseOwner, &n.NumCoachContents, &n.OnDeviceResources, &options, &n.Parent,
		&order, &n.Title, &n.Left, &n.Right, &n.TreeID, &activities, &levels, &types, &accessibility, &needs, &categories,
		&n.Duration, &ancestors, &n.Modality, &imported, &lang)
	if err != nil {
		return nil, err
	}
	n.Options, n.Ancestors, n.langID = rawJSON(options.String), rawJSON(ancestors.String), lang.String
	if order.Valid {
		f := api.Float(order.Float64)
		n.SortOrder = &f
	}
	n.AdminImported = &imported.Bool
	n.LearningActivities, n.GradeLevels, n.ResourceTypes = split(activities.String), split(levels.String), split(types.String)
	n.AccessibilityLabels, n.LearnerNeeds, n.Categories = split(accessibility.String), split(needs.String), split(categories.String)
	n.IsLeaf = n.Kind != Topic
	n.Tags, n.Files = []string{}, []*File{}
	return n, nil
}

// split cuts a column of comma-joined labels.
func split(text string) []string {
	if text == "" {
		return []string{}
	}
	return strings.Split(text, ",")
}

// rawJSON is a JSON column's text for an answer. Titles in it may hold bare control characters,
// which JSON forbids and the original lets pass; what is no JSON even so becomes null.
func rawJSON(text string) json.RawMessage {
	if text == "" || json.Valid([]byte(text)) {
		return api.Raw(text)
	}
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' {
			const hex = "0123456789abcdef"
			b.WriteString(`\u00` + string([]byte{hex[c>>4], hex[c&15]}))
			continue
		}
		b.WriteByte(c)
	}
	if repaired := b.String(); json.Valid([]byte(repaired)) {
		return api.Raw(repaired)
	}
	return api.Raw("")
}

// nodes reads the nodes of a query with all that belongs to them. The query's table is named n.
func (c *Content) nodes(tx *store.Tx, q *api.Query, limit string) ([]*Node, error) {
	text, args := q.SQL(nodeColumns)
	nodes, err := store.Select(tx, scanNode, text+limit, args...)
	if err != nil {
		return nil, err
	}
	return nodes, c.complete(tx, nodes)
}

// NodesByID reads available nodes by their ids, in tree order.
func (c *Content) NodesByID(tx *store.Tx, ids []string) ([]*Node, error) {
	all := []*Node{}
	for _, some := range chunks(ids) {
		q := available()
		q.Where("n.id IN ?", store.In(some))
		nodes, err := c.nodes(tx, q, "")
		if err != nil {
			return nil, err
		}
		all = append(all, nodes...)
	}
	return all, nil
}

// maxList bounds the lists in queries: SQLite allows some 32,000 parameters, and short lists are
// planned better.
const maxList = 900

func chunks(ids []string) [][]string {
	var out [][]string
	for len(ids) > maxList {
		out, ids = append(out, ids[:maxList]), ids[maxList:]
	}
	if len(ids) > 0 {
		out = append(out, ids)
	}
	return out
}

// inTreeOrder is the order of nodes where nothing else is asked for.
const inTreeOrder = "n.tree_id, n.lft"

// everything selects all nodes.
func everything() *api.Query {
	return &api.Query{From: "content_contentnode n", Order: inTreeOrder}
}

// available selects the nodes that can be opened.
func available() *api.Query { return everything().Where("n.available = TRUE") }
