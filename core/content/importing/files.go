package importing

import (
	"iter"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	"kolibri/core/content/storage"
	"kolibri/store"
)

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
	missing        bool // those whose files are not in the folder, whatever the library says of them
	// limit, unless nil, leaves only resources that the origin has.
	limit map[string]nodeStats
}

// choose lists the files that the resources of a choice lack (or have), with the thumbnails of the
// topics around them, and counts the resources.
// kolibri/core/content/utils/import_export_content.py: get_import_export_data
func choose(tx *store.Tx, channel string, presets []string, c choice) (resources int64, files []file, err error) {
	where, err := c.prepare(tx, channel)
	if err != nil {
		return 0, nil, err
	}
	conditions := []string{"n.channel_id = ?", "n.kind <> 'topic'", strings.Replace(where, "id IN", "n.id IN", 1)}
	args := []any{channel}
	switch {
	case c.missing:
	case c.available:
		conditions = append(conditions, "n.available = TRUE")
	default:
		conditions = append(conditions, `(n.available = FALSE OR EXISTS (SELECT 1 FROM content_file f
			JOIN content_localfile l ON l.id = f.local_file_id WHERE f.contentnode_id = n.id AND l.available = FALSE))`)
	}
	if c.renderableOnly {
		conditions = append(conditions, "EXISTS (SELECT 1 FROM content_file f WHERE f.contentnode_id = n.id AND f.preset IN ?)")
		args = append(args, store.In(presets))
	}
	if c.limit != nil {
		if err := note(tx, "importable_nodes", maps.Keys(c.limit)); err != nil {
			return 0, nil, err
		}
		conditions = append(conditions, "n.id IN (SELECT id FROM importable_nodes)")
	}
	nodes := "SELECT n.id, n.lft, n.rght FROM content_contentnode n WHERE " + strings.Join(conditions, " AND ")
	if _, err := tx.Exec("CREATE TEMPORARY TABLE IF NOT EXISTS chosen_nodes (id " + idType(tx) + " PRIMARY KEY, lft integer, rght integer)"); err != nil {
		return 0, nil, err
	}
	if _, err := tx.Exec("DELETE FROM chosen_nodes"); err != nil {
		return 0, nil, err
	}
	if resources, err = tx.Exec("INSERT INTO chosen_nodes "+nodes, args...); err != nil {
		return 0, nil, err
	}
	sources := []string{"SELECT f.local_file_id FROM content_file f JOIN chosen_nodes c ON c.id = f.contentnode_id"}
	args = []any{store.In([]bool{c.available, c.available || c.missing})}
	if c.allThumbnails {
		sources[0] += " WHERE f.thumbnail = FALSE"
		sources = append(sources, "SELECT f.local_file_id FROM content_file f JOIN content_contentnode n ON n.id = f.contentnode_id WHERE f.thumbnail = TRUE AND n.channel_id = ?")
		args = append(args, channel)
	} else if resources > 0 {
		segment, err := c.segment(tx, channel)
		if err != nil {
			return 0, nil, err
		}
		for _, statement := range []string{"CREATE TEMPORARY TABLE IF NOT EXISTS chosen_segments (first integer, last integer)", "DELETE FROM chosen_segments"} {
			if _, err := tx.Exec(statement); err != nil {
				return 0, nil, err
			}
		}
		if _, err := tx.Exec("INSERT INTO chosen_segments SELECT min(lft), max(rght) FROM chosen_nodes GROUP BY (rght - 1) / ?", segment); err != nil {
			return 0, nil, err
		}
		sources = append(sources, `SELECT f.local_file_id FROM content_contentnode t JOIN content_file f ON f.contentnode_id = t.id
			WHERE t.channel_id = ? AND t.kind = 'topic' AND EXISTS (SELECT 1 FROM chosen_segments s WHERE t.lft <= s.last AND t.rght >= s.first)`)
		args = append(args, channel)
	}
	files, err = store.Select(tx, func(row store.Scanner) (f file, err error) {
		var size *int64
		err = row.Scan(&f.checksum, &f.extension, &size)
		if size != nil {
			f.size = *size
		}
		return f, err
	}, "SELECT l.id, l.extension, l.file_size FROM content_localfile l WHERE l.available IN ? AND l.id IN ("+strings.Join(sources, " UNION ")+") ORDER BY l.id", args...)
	return resources, files, err
}

// lacking leaves the files that are not in the folder. Those of a channel that is used without being
// copied are available and not there.
func (i *Importer) lacking(files []file) (missing []file, err error) {
	there := map[string]map[string]bool{}
	for _, f := range files {
		name, err := storage.FileName(f.checksum, f.extension)
		if err != nil {
			continue // the job says so when it comes to it
		}
		dir, base := path.Split(name)
		if there[dir] == nil {
			if there[dir], err = i.store.Names(path.Clean(dir)); err != nil {
				return nil, err
			}
		}
		if !there[dir][base] {
			missing = append(missing, f)
		}
	}
	return missing, nil
}

// segment is how long the stretches of the tree are in which the topics around resources are looked
// for: the original works through a channel in such stretches
// (kolibri/core/content/utils/import_export_content.py: _calculate_batch_params).
func (c choice) segment(tx *store.Tx, channel string) (int64, error) {
	if c.Nodes == nil {
		return math.MaxInt32, nil
	}
	const usual, perConstraint = 10000, 250
	last, err := tx.Int("SELECT max(rght) FROM content_contentnode WHERE channel_id = ?", channel)
	constraints := int64(max(1, len(*c.Nodes)+len(c.Except)))
	return min(usual, max(1, (perConstraint*last+constraints-1)/constraints)), err
}

// note puts ids into a temporary table, whose former content goes.
func note(tx *store.Tx, table string, ids iter.Seq[string]) error {
	for _, statement := range []string{"CREATE TEMPORARY TABLE IF NOT EXISTS " + table + " (id " + idType(tx) + " PRIMARY KEY)", "DELETE FROM " + table} {
		if _, err := tx.Exec(statement); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(slices.Collect(ids), 500) {
		args := make([]any, len(chunk))
		for i, id := range chunk {
			args[i] = id
		}
		if _, err := tx.Exec("INSERT INTO "+table+" (id) VALUES "+strings.Repeat(",(?)", len(chunk))[1:]+" ON CONFLICT DO NOTHING", args...); err != nil {
			return err
		}
	}
	return nil
}

// idType is the type of ids in tables of our own.
func idType(tx *store.Tx) string {
	if tx.Dialect() == store.Postgres {
		return "uuid"
	}
	return "char(32)"
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
