package servertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Node is a topic or resource of a library for tests. Ids follow from titles: see ID. The content's
// id is that of "content " and the title, unless Content names another title.
type Node struct {
	Title, Kind, Description, Author, Lang, Modality, Content string
	// Labels by field: "categories", "grade_levels", "learning_activities", "accessibility_labels", "learner_needs".
	Labels                   map[string]string
	Bits                     map[string]int64
	Tags                     []string
	Questions                int
	Hidden, Coach, NoPicture bool
	Children                 []Node
}

// Channel puts a channel into the library of a school: the first node is its root. Every resource
// has a file of 1,000 bytes and a picture.
func (s *School) Channel(t testing.TB, root Node) {
	t.Helper()
	var trees int64
	require.NoError(t, s.DB.Pool().QueryRow("SELECT COUNT(*) FROM content_channelmetadata").Scan(&trees))
	s.Exec(t, "INSERT INTO content_language VALUES ('en', 'en', '', 'English', 'ltr') ON CONFLICT (id) DO NOTHING")
	s.Exec(t, "INSERT INTO content_language VALUES ('ar', 'ar', '', 'العربية', 'rtl') ON CONFLICT (id) DO NOTHING")
	at := &planter{t: t, s: s, tree: trees + 1, channel: ID(root.Title)}
	at.plant(root, nil, "[]", 0)
	s.Exec(t, `INSERT INTO content_channelmetadata (id, name, description, author, version, thumbnail, min_schema_version, root_id, "order", public, last_updated, total_resource_count, published_size)
		VALUES (?, ?, ?, '', 1, 'data:image/png;base64,iVBORw0KGgo=', '5', ?, ?, FALSE, '2026-01-02 03:04:05.000000(UTC)', 3, 4000)`,
		at.channel, root.Title, root.Description, at.channel, trees+1)
}

type planter struct {
	t             testing.TB
	s             *School
	tree, counter int64
	channel       string
}

// plant inserts a node with its descendants, numbering them as a tree of nested sets does.
func (p *planter) plant(n Node, parent any, ancestors string, level int) {
	p.counter++
	id, left := ID(n.Title), p.counter
	content := n.Content
	if content == "" {
		content = n.Title
	}
	below := strings.TrimSuffix(ancestors, "]")
	if below != "[" {
		below += ","
	}
	below += fmt.Sprintf(`{"id": %q, "title": %q}]`, id, n.Title)
	p.s.Exec(p.t, `INSERT INTO content_contentnode (id, title, content_id, channel_id, description, sort_order, license_owner, author, kind, available,
		lft, rght, tree_id, level, lang_id, coach_content, num_coach_contents, on_device_resources, options, ancestors, admin_imported, modality, parent_id,
		categories, grade_levels, learning_activities, accessibility_labels, learner_needs, categories_bitmask_0, grade_levels_bitmask_0,
		learning_activities_bitmask_0, accessibility_labels_bitmask_0, learner_needs_bitmask_0)
		VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, 0, ?, ?, ?, ?, 0, 1, '{}', ?, TRUE, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, n.Title, ID("content "+content), p.channel, n.Description, float64(left), n.Author, n.Kind, !n.Hidden, left, p.tree, level, empty(n.Lang), n.Coach,
		ancestors, empty(n.Modality), parent, empty(n.Labels["categories"]), empty(n.Labels["grade_levels"]), empty(n.Labels["learning_activities"]),
		empty(n.Labels["accessibility_labels"]), empty(n.Labels["learner_needs"]), n.Bits["categories"], n.Bits["grade_levels"],
		n.Bits["learning_activities"], n.Bits["accessibility_labels"], n.Bits["learner_needs"])
	for _, tag := range n.Tags {
		p.s.Exec(p.t, "INSERT INTO content_contenttag VALUES (?, ?) ON CONFLICT (id) DO NOTHING", ID("tag "+tag), tag)
		p.s.Exec(p.t, "INSERT INTO content_contentnode_tags (contentnode_id, contenttag_id) VALUES (?, ?)", id, ID("tag "+tag))
	}
	if n.Questions > 0 {
		p.s.Exec(p.t, "INSERT INTO content_assessmentmetadata VALUES (?, '[\"q1\"]', ?, '{\"type\": \"do_all\"}', TRUE, TRUE, ?)", ID("am "+n.Title), n.Questions, id)
	}
	if n.Kind != "topic" {
		p.file(n, id, "high_res_video", "mp4", false)
		if !n.NoPicture {
			p.file(n, id, "video_thumbnail", "png", true)
		}
	}
	for _, child := range n.Children {
		p.plant(child, id, below, level+1)
	}
	p.counter++
	p.s.Exec(p.t, "UPDATE content_contentnode SET rght = ? WHERE id = ?", p.counter, id)
}

func (p *planter) file(n Node, node, preset, extension string, picture bool) {
	sum := ID(extension + n.Title)
	p.s.Exec(p.t, "INSERT INTO content_localfile (id, available, file_size, extension) VALUES (?, ?, 1000, ?)", sum, !n.Hidden, extension)
	p.s.Exec(p.t, "INSERT INTO content_file (id, supplementary, thumbnail, priority, contentnode_id, local_file_id, preset) VALUES (?, ?, ?, 1, ?, ?, ?)",
		ID("file "+extension+n.Title), picture, picture, node, sum, preset)
}

func empty(text string) any {
	if text == "" {
		return nil
	}
	return text
}
