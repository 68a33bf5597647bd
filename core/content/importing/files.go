package importing

import (
	"strings"

	"kolibri/store"
)

// renderable are the presets that the viewers which are on by default can show
// (kolibri/core/content/utils/content_types_tools.py; the plugins' kolibri_plugin.py).
var renderable = []string{"audio", "bloompub", "document", "epub", "exercise", "h5p", "high_res_video", "html5_zip", "imscp_zip",
	"low_res_video", "qti", "slideshow_manifest"}

// file is a stored file that a selection needs.
type file struct {
	checksum, extension string
	size                int64
}

// choice says which resources' files are looked for.
type choice struct {
	Selection
	renderableOnly bool
	allThumbnails  bool
	available      bool // those that are here, for an export, instead of those that lack
}

// choose lists the files that the resources of a choice lack (or have), with the thumbnails of the
// topics around them, and counts the resources.
// kolibri/core/content/utils/import_export_content.py: get_import_export_data
func choose(tx *store.Tx, channel string, c choice) (resources int64, files []file, err error) {
	where, err := c.prepare(tx, channel)
	if err != nil {
		return 0, nil, err
	}
	conditions := []string{"n.channel_id = ?", "n.kind <> 'topic'", strings.Replace(where, "id IN", "n.id IN", 1)}
	args := []any{channel}
	if c.available {
		conditions = append(conditions, "n.available = TRUE")
	} else {
		conditions = append(conditions, `(n.available = FALSE OR EXISTS (SELECT 1 FROM content_file f
			JOIN content_localfile l ON l.id = f.local_file_id WHERE f.contentnode_id = n.id AND l.available = FALSE))`)
	}
	if c.renderableOnly {
		conditions = append(conditions, "EXISTS (SELECT 1 FROM content_file f WHERE f.contentnode_id = n.id AND f.preset IN ?)")
		args = append(args, store.In(renderable))
	}
	nodes := "SELECT n.id, n.lft, n.rght FROM content_contentnode n WHERE " + strings.Join(conditions, " AND ")
	if _, err := tx.Exec("CREATE TEMPORARY TABLE IF NOT EXISTS chosen_nodes (id char(32) PRIMARY KEY, lft integer, rght integer)"); err != nil {
		return 0, nil, err
	}
	if _, err := tx.Exec("DELETE FROM chosen_nodes"); err != nil {
		return 0, nil, err
	}
	if resources, err = tx.Exec("INSERT INTO chosen_nodes "+nodes, args...); err != nil {
		return 0, nil, err
	}
	sources := []string{"SELECT f.local_file_id FROM content_file f JOIN chosen_nodes c ON c.id = f.contentnode_id"}
	args = []any{c.available}
	if c.allThumbnails {
		sources[0] += " WHERE f.thumbnail = FALSE"
		sources = append(sources, "SELECT f.local_file_id FROM content_file f JOIN content_contentnode n ON n.id = f.contentnode_id WHERE f.thumbnail = TRUE AND n.channel_id = ?")
		args = append(args, channel)
	} else if resources > 0 {
		sources = append(sources, `SELECT f.local_file_id FROM content_file f JOIN content_contentnode t ON t.id = f.contentnode_id
			WHERE t.channel_id = ? AND t.kind = 'topic' AND t.lft <= (SELECT max(rght) FROM chosen_nodes) AND t.rght >= (SELECT min(lft) FROM chosen_nodes)`)
		args = append(args, channel)
	}
	files, err = store.Select(tx, func(row store.Scanner) (f file, err error) {
		var size *int64
		err = row.Scan(&f.checksum, &f.extension, &size)
		if size != nil {
			f.size = *size
		}
		return f, err
	}, "SELECT l.id, l.extension, l.file_size FROM content_localfile l WHERE l.available = ? AND l.id IN ("+strings.Join(sources, " UNION ")+") ORDER BY l.id", args...)
	return resources, files, err
}

// countResources counts a channel's available resources.
func countResources(tx *store.Tx, channel string) (int64, error) {
	return tx.Int("SELECT count(*) FROM content_contentnode WHERE channel_id = ? AND available = TRUE AND kind <> 'topic'", channel)
}

func total(files []file) (bytes int64) {
	for _, f := range files {
		bytes += f.size
	}
	return bytes
}
