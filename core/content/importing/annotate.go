package importing

import (
	"cmp"
	"slices"
	"strings"

	"kolibri/core/api"
	"kolibri/core/content"
	"kolibri/store"
)

// Selection names a part of a channel: the resources below Nodes (nil: all of it, empty: nothing)
// that are not below Except.
type Selection struct {
	Nodes  *[]string
	Except []string
}

// hasBadIDs tells whether something in it is no id, which PostgreSQL would refuse.
func (s Selection) hasBadIDs() bool {
	bad := func(id string) bool { _, ok := api.ParseUUID(id); return !ok }
	return s.Nodes != nil && slices.ContainsFunc(*s.Nodes, bad) || slices.ContainsFunc(s.Except, bad)
}

// prepare puts the ids of the resources that a selection names into the temporary table
// selected_nodes, and returns the condition on content_contentnode rows that they meet.
func (s Selection) prepare(tx *store.Tx, channel string) (string, error) {
	if err := note(tx, "selected_nodes", slices.Values([]string(nil))); err != nil {
		return "", err
	}
	if s.all() {
		return "1 = 1", nil
	}
	if s.Nodes == nil {
		if _, err := tx.Exec("INSERT INTO selected_nodes SELECT id FROM content_contentnode WHERE channel_id = ? AND kind <> 'topic'", channel); err != nil {
			return "", err
		}
	} else if err := below(tx, channel, *s.Nodes, "INSERT INTO selected_nodes SELECT DISTINCT n.id"); err != nil {
		return "", err
	}
	if len(s.Except) > 0 {
		if err := below(tx, channel, s.Except, "DELETE FROM selected_nodes WHERE id IN (SELECT n.id"); err != nil {
			return "", err
		}
	}
	return "id IN (SELECT id FROM selected_nodes)", nil
}

// below runs a statement over the resources that are one of the nodes or lie below one.
func below(tx *store.Tx, channel string, nodes []string, statement string) error {
	if err := note(tx, "named_nodes", slices.Values(nodes)); err != nil {
		return err
	}
	closing := ""
	if strings.HasPrefix(statement, "DELETE") {
		closing = ")"
	}
	_, err := tx.Exec(statement+` FROM named_nodes x JOIN content_contentnode t ON t.id = x.id
		JOIN content_contentnode n ON n.tree_id = t.tree_id AND n.lft >= t.lft AND n.rght <= t.rght
		WHERE n.channel_id = ? AND n.kind <> 'topic'`+closing, channel)
	return err
}

// Annotate makes the resources of a selection available whose files are there, those without files
// not, and brings everything that depends on it up to date: topics, counts, the channel's fields,
// the library's cache key. imported marks them as wanted by an administrator.
// kolibri/core/content/utils/annotation.py: update_content_metadata
func Annotate(tx *store.Tx, channel string, s Selection, imported bool) error {
	where, err := s.prepare(tx, channel)
	if err != nil {
		return err
	}
	if err := annotateResources(tx, imported, where+" AND channel_id = ?", channel); err != nil {
		return err
	}
	return annotateTree(tx, channel)
}

// annotateResources does Annotate's part for resources.
func annotateResources(tx *store.Tx, imported bool, where string, args ...any) error {
	mark := ""
	if imported {
		mark = ", admin_imported = TRUE"
	}
	// one pass: what is written once more by annotateTree is what is not selected
	const here = `EXISTS (SELECT 1 FROM content_file f JOIN content_localfile l ON l.id = f.local_file_id AND l.available = TRUE
			WHERE f.supplementary = FALSE AND f.contentnode_id = content_contentnode.id)`
	_, err := tx.Exec("UPDATE content_contentnode SET available = "+here+", on_device_resources = CASE WHEN "+here+` THEN 1 ELSE 0 END,
		num_coach_contents = CASE WHEN coach_content = TRUE THEN 1 ELSE 0 END`+mark+" WHERE kind <> 'topic' AND "+where, args...)
	return err
}

// Hide makes the resources of a selection unavailable, whatever files are there.
// kolibri/core/content/utils/annotation.py: set_content_invisible
func Hide(tx *store.Tx, channel string, s Selection) error {
	where, err := s.prepare(tx, channel)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE content_contentnode SET available = FALSE, admin_imported = FALSE WHERE channel_id = ? AND kind <> 'topic' AND "+where, channel); err != nil {
		return err
	}
	return annotateTree(tx, channel)
}

// annotateTree computes what topics and the channel say from what the resources say, level by level
// from the deepest (kolibri/core/content/utils/annotation.py: recurse_annotation_up_tree).
func annotateTree(tx *store.Tx, channel string) error {
	if _, err := tx.Exec(`UPDATE content_contentnode SET num_coach_contents = CASE WHEN coach_content = TRUE THEN 1 ELSE 0 END,
		on_device_resources = CASE WHEN available = TRUE THEN 1 ELSE 0 END WHERE channel_id = ? AND kind <> 'topic'
		AND (num_coach_contents IS NULL OR on_device_resources IS NULL OR on_device_resources <> CASE WHEN available = TRUE THEN 1 ELSE 0 END)`, channel); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE content_contentnode SET available = FALSE, on_device_resources = 0 WHERE channel_id = ? AND kind = 'topic' AND (available = TRUE OR on_device_resources IS NULL)", channel); err != nil {
		return err
	}
	depth, err := tx.Int("SELECT max(level) FROM content_contentnode WHERE channel_id = ?", channel)
	if err != nil {
		return err
	}
	all := "min(k.coach_content)"
	if tx.Dialect() == store.Postgres {
		all = "bool_and(k.coach_content)"
	}
	const kids = " FROM content_contentnode k WHERE k.parent_id = content_contentnode.id AND k.available = TRUE"
	for level := depth - 1; level >= 0; level-- {
		if _, err := tx.Exec(`UPDATE content_contentnode SET available = TRUE,
				coach_content = (SELECT `+all+kids+`),
				num_coach_contents = (SELECT sum(k.num_coach_contents)`+kids+`),
				on_device_resources = (SELECT sum(k.on_device_resources)`+kids+`)
			WHERE channel_id = ? AND level = ? AND kind = 'topic' AND EXISTS (SELECT 1`+kids+")", channel, level); err != nil {
			return err
		}
	}
	if err := annotateChannel(tx, channel); err != nil {
		return err
	}
	return content.Touch(tx)
}

// annotateChannel fills the channel's own fields (annotation.py: set_channel_metadata_fields).
func annotateChannel(tx *store.Tx, channel string) error {
	categories, err := byCount(tx, channel, "categories")
	if err != nil {
		return err
	}
	grades, err := byCount(tx, channel, "grade_levels")
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE content_channelmetadata SET
		published_size = (SELECT coalesce(sum(file_size), 0) FROM (SELECT DISTINCT l.id, l.file_size FROM content_contentnode n
			JOIN content_file f ON f.contentnode_id = n.id JOIN content_localfile l ON l.id = f.local_file_id WHERE n.channel_id = ? AND l.available = TRUE) sizes),
		total_resource_count = (SELECT count(*) FROM content_contentnode WHERE channel_id = ? AND available = TRUE AND kind <> 'topic'),
		included_categories = ?, included_grade_levels = ?,
		"order" = CASE WHEN coalesce("order", 0) > 0 THEN "order" ELSE (SELECT coalesce(max("order"), 0) + 1 FROM content_channelmetadata) END
		WHERE id = ?`, channel, channel, store.Null(strings.Join(categories, ",")), store.Null(strings.Join(grades, ",")), channel); err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM content_channelmetadata_included_languages WHERE channelmetadata_id = ?", channel); err != nil {
		return err
	}
	// the through table numbers its rows, and the list is shown in that order
	languages, err := tx.Strings(`SELECT lang_id FROM content_contentnode WHERE channel_id = ? AND available = TRUE AND lang_id IS NOT NULL
		GROUP BY lang_id ORDER BY count(*) DESC, lang_id`, channel)
	if err != nil {
		return err
	}
	for i, lang := range languages {
		if _, err := tx.Exec("INSERT INTO content_channelmetadata_included_languages (sort_value, channelmetadata_id, language_id) VALUES (?, ?, ?)", i+1, channel, lang); err != nil {
			return err
		}
	}
	return nil
}

// byCount lists the labels of a field that available nodes have, the most frequent first; equal ones
// in the order in which they first occur in the tree.
func byCount(tx *store.Tx, channel, field string) ([]string, error) {
	counts, first := map[string]int64{}, []string{}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var text string
		if err := row.Scan(&text); err != nil {
			return err
		}
		for _, label := range strings.Split(text, ",") {
			if counts[label] == 0 {
				first = append(first, label)
			}
			counts[label]++
		}
		return nil
	}, "SELECT "+field+" FROM content_contentnode WHERE channel_id = ? AND available = TRUE AND "+field+" <> '' ORDER BY lft", channel)
	slices.SortStableFunc(first, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	return first, err
}

// annotateAncestors writes every node's ancestors as JSON, from the root down. Titles are quoted by
// the database: the original's own quoting leaves backslashes as they are, which makes the JSON
// unreadable.
func annotateAncestors(tx *store.Tx, channel string) error {
	depth, err := beginAncestors(tx, channel)
	if err != nil {
		return err
	}
	for level := int64(1); level <= depth; level++ {
		if err := ancestorsOf(tx, "channel_id = ? AND level = ?", channel, level); err != nil {
			return err
		}
	}
	return nil
}

// beginAncestors says that roots have none, and returns the deepest level.
func beginAncestors(tx *store.Tx, channel string) (depth int64, err error) {
	if _, err := tx.Exec("UPDATE content_contentnode SET ancestors = '[]' WHERE channel_id = ? AND level = 0", channel); err != nil {
		return 0, err
	}
	return tx.Int("SELECT max(level) FROM content_contentnode WHERE channel_id = ?", channel)
}

// ancestorsOf writes the ancestors of nodes whose parents know theirs.
func ancestorsOf(tx *store.Tx, where string, args ...any) error {
	quoted := "json_quote(p.title)"
	if tx.Dialect() == store.Postgres {
		quoted = "CAST(to_json(CAST(p.title AS text)) AS text)"
	}
	_, err := tx.Exec(`UPDATE content_contentnode SET ancestors = (
			SELECT substr(p.ancestors, 1, length(p.ancestors) - 1) || CASE WHEN p.ancestors = '[]' THEN '' ELSE ',' END ||
				'{"id": "' || p.id || '","title": ' || `+quoted+` || '}]'
			FROM content_contentnode p WHERE p.id = content_contentnode.parent_id)
		WHERE `+where, args...)
	return err
}

// all tells whether the selection is the whole channel.
func (s Selection) all() bool { return s.Nodes == nil && len(s.Except) == 0 }

// markFiles says of files whether they are on the device.
func markFiles(tx *store.Tx, available bool, checksums []string) error {
	for chunk := range slices.Chunk(checksums, 500) {
		if _, err := tx.Exec("UPDATE content_localfile SET available = ? WHERE id IN ?", available, store.In(chunk)); err != nil {
			return err
		}
	}
	return nil
}
