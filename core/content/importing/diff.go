package importing

import (
	"maps"
	"slices"
	"strings"

	"kolibri/store"
)

// diff is what a newer edition of a channel would change here.
type diff struct {
	newNodes, newContents         []string // resources that are not here at all
	updatedNodes, updatedContents []string // resources that are here and lack files of the new edition
	newBytes, updatedBytes        int64
	deleted                       int64 // available contents that it does not have
}

// mark tells of nodes which are new, or have new ones below them, and which will be updated. Nothing
// is known without a diff.
func (d *diff) mark(tx *store.Tx, channel string, nodes map[string]nodeStats) error {
	if d == nil {
		return nil
	}
	for _, id := range d.updatedNodes {
		if s, ok := nodes[id]; ok {
			s.updated = true
			nodes[id] = s
		}
	}
	if len(d.newNodes) == 0 {
		return nil
	}
	fresh, root := map[string]int64{}, ""
	for _, id := range d.newNodes {
		fresh[id] = 1
	}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var id string
		var parent *string
		if err := row.Scan(&id, &parent); err != nil {
			return err
		}
		if parent == nil {
			root = id
		} else if fresh[id] > 0 {
			fresh[*parent] += fresh[id]
		}
		return nil
	}, "SELECT id, parent_id FROM content_contentnode WHERE channel_id = ? ORDER BY level DESC", channel)
	if err != nil {
		return err
	}
	fresh[root] = int64(len(d.newNodes))
	for id, n := range fresh {
		if s, ok := nodes[id]; ok {
			s.isNew, s.newResources = true, n
			nodes[id] = s
		}
	}
	return nil
}

// choose lists the files that an update brings: those of resources that changed, those that available
// resources lack, and those of what is new in courses that are here. A nil diff knows of no changes.
// kolibri/core/content/utils/upgrade.py: get_import_data_for_update
func (d *diff) choose(tx *store.Tx, channel string, presets []string, c choice) (resources int64, files []file, err error) {
	var updated []string
	if d != nil {
		updated = d.updatedNodes
	}
	if c.limit != nil {
		updated = slices.DeleteFunc(slices.Clone(updated), func(id string) bool { _, there := c.limit[id]; return !there })
	}
	if err := note(tx, "updated_nodes", slices.Values(updated)); err != nil {
		return 0, nil, err
	}
	nodes, args := "SELECT n.id FROM content_contentnode n JOIN updated_nodes u ON u.id = n.id WHERE n.channel_id = ?", []any{channel}
	if c.renderableOnly {
		nodes += " AND (n.kind = 'topic' OR EXISTS (SELECT 1 FROM content_file f WHERE f.contentnode_id = n.id AND f.preset IN ?))"
		args = append(args, store.In(presets))
	}
	resources, err = tx.Int("SELECT count(DISTINCT content_id) FROM content_contentnode WHERE id IN ("+nodes+")", args...)
	if err != nil {
		return 0, nil, err
	}
	files, err = store.Select(tx, func(row store.Scanner) (f file, err error) {
		return f, row.Scan(&f.checksum, &f.extension, &f.size)
	}, `SELECT l.id, l.extension, coalesce(l.file_size, 0) FROM content_localfile l WHERE l.available = FALSE AND l.id IN (
			SELECT f.local_file_id FROM content_file f WHERE f.contentnode_id IN (`+nodes+`)
			UNION SELECT f.local_file_id FROM content_file f JOIN content_contentnode n ON n.id = f.contentnode_id WHERE n.channel_id = ? AND n.available = TRUE
			UNION SELECT f.local_file_id FROM content_file f JOIN content_contentnode n ON n.id = f.contentnode_id
				JOIN content_contentnode c ON c.tree_id = n.tree_id AND n.lft > c.lft AND n.rght < c.rght
				WHERE c.channel_id = ? AND c.available = TRUE AND c.modality = 'COURSE' AND n.available = FALSE AND f.supplementary = FALSE)
		ORDER BY l.id`, append(args, channel, channel)...)
	return resources, files, err
}

// compare tells what would change if an edition replaced what is here.
// kolibri/core/content/utils/upgrade.py: diff_stats
func compare(tx *store.Tx, e *Edition, presets []string) (*diff, error) {
	channel := e.Meta.ID
	if err := e.index(tx); err != nil {
		return nil, unusable("compare", err)
	}
	d := &diff{}
	// resources of the edition that lack a file which the viewers need
	lacking := `SELECT DISTINCT f.node FROM next_files f WHERE f.shown = 1 AND f.preset IN ? AND NOT EXISTS (
		SELECT 1 FROM content_localfile l WHERE l.id = f.checksum AND l.available = TRUE)`
	type resource struct{ id, content string }
	scan := func(row store.Scanner) (r resource, err error) { return r, row.Scan(&r.id, &r.content) }
	here, err := store.Select(tx, scan, "SELECT n.id, n.content_id FROM content_contentnode n WHERE n.channel_id = ? AND n.available = TRUE AND n.id IN ("+lacking+")",
		channel, store.In(presets))
	if err != nil {
		return nil, err
	}
	// new lessons of courses that are here come by themselves
	inCourses, err := store.Select(tx, scan, `SELECT u.id, u.content FROM next_nodes u WHERE u.id IN (`+lacking+`)
		AND NOT EXISTS (SELECT 1 FROM content_contentnode n WHERE n.id = u.id AND n.channel_id = ? AND n.available = TRUE)
		AND EXISTS (SELECT 1 FROM next_nodes c JOIN content_contentnode n ON n.id = c.id WHERE c.course = 1 AND u.lft > c.lft AND u.rght < c.rght
			AND n.channel_id = ? AND n.available = TRUE AND n.modality = 'COURSE')`, store.In(presets), channel, channel)
	if err != nil {
		return nil, err
	}
	updated, contents := map[string]bool{}, map[string]bool{}
	for _, r := range slices.Concat(here, inCourses) {
		updated[r.id], contents[r.content] = true, true
	}
	d.updatedNodes, d.updatedContents = slices.Sorted(maps.Keys(updated)), slices.Sorted(maps.Keys(contents))
	if err := note(tx, "updated_nodes", slices.Values(d.updatedNodes)); err != nil {
		return nil, err
	}
	const fresh = `SELECT u.id FROM next_nodes u WHERE u.kind <> 'topic' AND u.id NOT IN (SELECT id FROM updated_nodes)
		AND NOT EXISTS (SELECT 1 FROM content_contentnode n WHERE n.id = u.id AND n.channel_id = ? AND n.kind <> 'topic')`
	if d.newNodes, err = tx.Strings(fresh, channel); err != nil {
		return nil, err
	}
	all, err := tx.Strings(`SELECT DISTINCT u.content FROM next_nodes u WHERE u.kind <> 'topic'
		AND NOT EXISTS (SELECT 1 FROM content_contentnode n WHERE n.content_id = u.content AND n.channel_id = ? AND n.kind <> 'topic')`, channel)
	if err != nil {
		return nil, err
	}
	d.newContents = slices.DeleteFunc(all, func(c string) bool { return contents[c] })
	const bytes = `SELECT coalesce(sum(z.size), 0) FROM next_sizes z WHERE NOT EXISTS (SELECT 1 FROM content_localfile l WHERE l.id = z.checksum AND l.available = TRUE)
		AND z.checksum IN (SELECT f.checksum FROM next_files f WHERE f.node IN (`
	if d.newBytes, err = tx.Int(bytes+fresh+") AND f.node IN (SELECT g.node FROM next_files g WHERE g.shown = 1 AND g.preset IN ?))", channel, store.In(presets)); err != nil {
		return nil, err
	}
	if d.updatedBytes, err = tx.Int(bytes + "SELECT id FROM updated_nodes))"); err != nil {
		return nil, err
	}
	d.deleted, err = tx.Int(`SELECT count(DISTINCT content_id) - count(DISTINCT CASE WHEN id IN (SELECT u.id FROM next_nodes u WHERE u.kind <> 'topic') THEN content_id END)
		FROM content_contentnode WHERE channel_id = ? AND available = TRUE AND kind <> 'topic'`, channel)
	return d, err
}

// index puts what a comparison needs of an edition, whatever its schema, into temporary tables.
func (e *Edition) index(tx *store.Tx) error {
	for _, t := range []struct{ name, from, columns string }{
		{"next_nodes", "content_contentnode", "id=id content=content_id kind=kind lft=lft rght=rght"},
		{"next_files", "content_file", "node=contentnode_id checksum=local_file_id preset=preset"},
		{"next_sizes", "content_localfile", "checksum=id size=file_size"},
	} {
		spec := specOf(t.from)
		var values []string
		for _, c := range strings.Fields(t.columns) {
			name, of, _ := strings.Cut(c, "=")
			values = append(values, e.value(spec, column{name: of, missing: "NULL"})+" AS "+name)
		}
		switch t.name {
		case "next_nodes":
			course := "0"
			if e.has[t.from]["options"] {
				course = `CASE WHEN s.options LIKE '%"modality": "COURSE"%' THEN 1 ELSE 0 END`
			}
			values = append(values, course+" AS course")
		case "next_files":
			values = append(values, "CASE WHEN "+e.cast(t.from, "supplementary", "s.supplementary")+" = FALSE THEN 1 ELSE 0 END AS shown")
		}
		for _, statement := range []string{"DROP TABLE IF EXISTS " + t.name,
			"CREATE TEMPORARY TABLE " + t.name + " AS SELECT " + strings.Join(values, ", ") + " FROM " + e.from(t.from) + " AS s",
			"CREATE INDEX " + t.name + "_key ON " + t.name + " (" + strings.SplitN(t.columns, "=", 2)[0] + ")"} {
			if _, err := tx.Exec(statement); err != nil {
				return err
			}
		}
	}
	return nil
}

func specOf(name string) tableSpec {
	for _, t := range tables {
		if t.name == name {
			return t
		}
	}
	panic("importing: no table " + name)
}
