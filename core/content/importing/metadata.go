// Package importing brings channels onto the device and takes them off again: their metadata, their
// files, and what is computed from both (kolibri/core/content/utils: channel_import.py,
// resource_import.py, annotation.py, content_delete.py).
package importing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kolibri/core/content"
	"kolibri/store"
)

// Meta is what a channel database says of its channel.
type Meta struct {
	ID, Name string
	Version  int64
	// Schema is the version of the database's own schema (min_schema_version, or what its tables
	// tell).
	Schema string
}

// Errors that a person can do something about.
var (
	// ErrNotAChannel: the file is no channel database, or of another channel.
	ErrNotAChannel = errors.New("this file is not the database of the channel that was asked for, or it is damaged")
	// ErrNewerSchema: the channel was published for a newer Kolibri.
	ErrNewerSchema = errors.New("this channel needs a newer version of Kolibri")
)

// schemaVersions are the schemas that can be imported, newest first
// (kolibri/core/content/constants/schema_versions.py).
var schemaVersions = []string{"5", "4", "3", "2", "1", "unversioned", "v0.4.0-beta3", "v0.2.0-beta1"}

// newestSchema is the schema whose columns are copied.
const newestSchema = 5

// Options say how a channel database is to be taken in.
type Options struct {
	// VersionRequested lets an older version replace a newer one: a token asked for it.
	VersionRequested bool
	// Partial adds the nodes to what is there of the channel.
	Partial bool
}

// tableSpec is a table that is copied from a channel database. Columns that the file lacks get their default.
type tableSpec struct {
	name    string
	keep    bool // rows that are there already stay as they are
	merged  bool // shared with other channels: never deleted with one
	owner   string
	columns []column
}

type column struct{ name, missing string }

func cols(names string) (all []column) {
	for _, n := range strings.Fields(names) {
		name, missing, given := strings.Cut(n, "=")
		if !given {
			missing = "NULL"
		}
		all = append(all, column{name, missing})
	}
	return all
}

// tables are in the order in which they refer to each other. The columns are those of schema 5;
// what follows "=" is the SQL for a file that has no such column.
var tables = []tableSpec{
	{name: "content_language", merged: true, columns: cols("id lang_code lang_subcode lang_name lang_direction='ltr'")},
	{name: "content_contenttag", merged: true, columns: cols("id tag_name")},
	{name: "content_localfile", merged: true, keep: true, columns: cols("id extension available=FALSE file_size")},
	{name: "content_contentnode", columns: cols(`id license_name license_description title coach_content=FALSE content_id channel_id
		description sort_order license_owner='' author='' kind available=FALSE options grade_levels resource_types learning_activities
		accessibility_labels categories learner_needs duration lft rght tree_id level lang_id parent_id`)},
	{name: "content_file", owner: "contentnode_id", columns: cols("id preset supplementary thumbnail priority contentnode_id lang_id local_file_id")},
	{name: "content_assessmentmetadata", owner: "contentnode_id", columns: cols("id assessment_item_ids number_of_assessments mastery_model randomize is_manipulable contentnode_id")},
	{name: "content_contentnode_has_prerequisite", owner: "from_contentnode_id to_contentnode_id", columns: cols("from_contentnode_id to_contentnode_id")},
	{name: "content_contentnode_related", owner: "from_contentnode_id to_contentnode_id", columns: cols("from_contentnode_id to_contentnode_id")},
	{name: "content_contentnode_tags", owner: "contentnode_id", columns: cols("contentnode_id contenttag_id")},
	{name: "content_channelmetadata", owner: "root_id", columns: cols("id name description='' tagline author='' version=0 thumbnail='' last_updated min_schema_version root_id")},
}

// ReadMeta reads the channel of a database that the transaction knows by a schema name: "source" when
// it is attached, "main" when it is the transaction's own.
func ReadMeta(tx *store.Tx, schema, channel string) (Meta, error) {
	has, err := columnsOf(tx, schema)
	if err != nil {
		return Meta{}, err
	}
	return readMeta(tx, schema+".", has, channel)
}

func readMeta(tx *store.Tx, prefix string, has columns, channel string) (Meta, error) {
	given := has["content_channelmetadata"]
	if given == nil || has["content_contentnode"] == nil {
		return Meta{}, ErrNotAChannel
	}
	m := Meta{Schema: "unversioned"}
	version := "'unversioned'"
	if given["min_schema_version"] {
		version = "min_schema_version"
	}
	err := tx.QueryRow("SELECT replace(id, '-', ''), name, coalesce(CAST(version AS integer), 0), "+version+" FROM "+prefix+"content_channelmetadata ORDER BY id LIMIT 1").
		Scan(&m.ID, &m.Name, &m.Version, &m.Schema)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.ID != channel {
		return m, ErrNotAChannel
	}
	if err != nil {
		return m, err
	}
	if !slices.Contains(schemaVersions, m.Schema) {
		if n, err := strconv.Atoi(m.Schema); err == nil && n > newestSchema {
			return m, fmt.Errorf("%w: it has schema %s, this one reads up to %d", ErrNewerSchema, m.Schema, newestSchema)
		}
		return m, fmt.Errorf("%w: unknown schema %q", ErrNotAChannel, m.Schema)
	}
	return m, nil
}

// columns are the names of columns, by table.
type columns map[string]map[string]bool

// columnsOf are the columns of every table of a database.
func columnsOf(tx *store.Tx, schema string) (columns, error) {
	all := columns{}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var t, c string
		if err := row.Scan(&t, &c); err != nil {
			return err
		}
		if all[t] == nil {
			all[t] = map[string]bool{}
		}
		all[t][c] = true
		return nil
	}, "SELECT m.name, c.name FROM "+schema+".sqlite_master m, pragma_table_info(m.name, '"+schema+"') c WHERE m.type = 'table'")
	return all, err
}

// Import takes the metadata of an edition into the library and tells whether it did: the same or a
// newer version that is there already stays, unless it is a part of the channel only. The nodes are
// not available before their files are (Annotate).
func Import(tx *store.Tx, from *Edition, o Options) (ran bool, err error) {
	in := &intake{options: o}
	err = in.step(tx, from)
	return in.begun && err == nil, err
}

// unusable says of an error that the channel's database caused it, unless it is the device's own.
func unusable(doing string, err error) error {
	for _, own := range []error{store.ErrFull, store.ErrBusy, store.ErrReadOnly, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, own) {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	return fmt.Errorf("%w: %s: %w", ErrNotAChannel, doing, err)
}

// present is a channel that the library has.
type present struct {
	root    string
	version int64
	order   *int64
	partial bool
}

func installed(tx *store.Tx, channel string) (*present, error) {
	var p present
	var partial *bool
	err := tx.QueryRow(`SELECT root_id, version, "order", partial FROM content_channelmetadata WHERE id = ?`, channel).
		Scan(&p.root, &p.version, &p.order, &partial)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	p.partial = partial != nil && *partial
	return &p, err
}

// freeTree is the lowest number that no tree has.
func freeTree(tx *store.Tx) (int64, error) {
	return tx.Int(`SELECT coalesce(min(free), 1) FROM (SELECT 1 AS free UNION SELECT DISTINCT tree_id + 1 FROM content_contentnode) f
		WHERE free NOT IN (SELECT DISTINCT tree_id FROM content_contentnode)`)
}

// deleteTree removes a channel's nodes and everything that belongs to them alone.
func deleteTree(tx *store.Tx, channel, root string) error {
	if _, err := tx.Exec("DELETE FROM content_channelmetadata_included_languages WHERE channelmetadata_id = ?", channel); err != nil {
		return err
	}
	for _, t := range slices.Backward(tables) {
		if t.owner == "" {
			continue
		}
		var owners []string
		args := []any{}
		for _, column := range strings.Fields(t.owner) {
			owners = append(owners, column+" IN (SELECT id FROM content_contentnode WHERE channel_id = ?)")
			args = append(args, channel)
		}
		if _, err := tx.Exec("DELETE FROM "+t.name+" WHERE "+strings.Join(owners, " OR "), args...); err != nil {
			return err
		}
	}
	if _, err := tx.Exec("DELETE FROM content_channelmetadata WHERE id = ?", channel); err != nil {
		return err
	}
	_, err := tx.Exec("DELETE FROM content_contentnode WHERE channel_id = ? OR id = ?", channel, root)
	return err
}

// finish fills what a channel database does not hold of its channel.
func finish(tx *store.Tx, meta Meta, was *present, partial bool) error {
	var order any
	if was != nil {
		order = was.order
	}
	if _, err := tx.Exec(`UPDATE content_channelmetadata SET last_updated = ?, partial = ?, "order" = ? WHERE id = ?`,
		store.Zoned(tx.Now()), partial, order, meta.ID); err != nil {
		return err
	}
	// a channel without its root gets an empty one
	if _, err := tx.Exec(`INSERT INTO content_contentnode (id, title, content_id, channel_id, kind, available, lft, rght, tree_id, level,
			license_owner, author, coach_content, num_coach_contents, on_device_resources, ancestors)
		SELECT c.root_id, c.name, c.root_id, c.id, '', FALSE, 1, 2, (SELECT coalesce(max(tree_id), 0) + 1 FROM content_contentnode), 0, '', '', FALSE, 0, 0, '[]'
		FROM content_channelmetadata c WHERE c.id = ? AND NOT EXISTS (SELECT 1 FROM content_contentnode n WHERE n.id = c.root_id)`, meta.ID); err != nil {
		return err
	}
	return nil
}

// renewCourses tells the sessions of courses which edition they are of by now. The nodes know already
// which of them are courses.
func renewCourses(tx *store.Tx, meta Meta) error {
	_, err := tx.Exec(`UPDATE courses_coursesession SET channel_version = ?, _morango_dirty_bit = TRUE
		WHERE course IN (SELECT id FROM content_contentnode WHERE channel_id = ? AND modality = 'COURSE')`, meta.Version, meta.ID)
	return err
}

// annotateNodes fills what a channel database does not hold of its nodes.
func annotateNodes(tx *store.Tx, meta Meta) error {
	if meta.old() {
		if err := activitiesByKind(tx, meta.ID, 0); err != nil {
			return err
		}
	}
	if err := content.Annotate(tx, meta.ID, 0); err != nil {
		return err
	}
	return annotateAncestors(tx, meta.ID)
}

// old tells whether the schema is older than the newest.
func (m Meta) old() bool {
	n, err := strconv.Atoi(m.Schema)
	return err != nil || n < newestSchema
}

// activitiesByKind gives the nodes of old channels the learning activity that their kind implies; after,
// unless 0, leaves out those up to a place of a SQLite table.
// (kolibri/core/content/constants/kind_to_learningactivity.py).
func activitiesByKind(tx *store.Tx, channel string, after int64) error {
	where, args := "channel_id = ?", []any{channel}
	if after > 0 {
		where, args = where+" AND rowid > ?", append(args, after)
	}
	_, err := tx.Exec(`UPDATE content_contentnode SET learning_activities = CASE kind
		WHEN 'exercise' THEN 'VwRCom7G' WHEN 'video' THEN 'UD5UGM0z' WHEN 'audio' THEN 'mkA1R3NU' WHEN 'document' THEN 'wA01urpi'
		WHEN 'html5' THEN '#j8L0eq3' WHEN 'h5p' THEN '#j8L0eq3' ELSE learning_activities END WHERE `+where, args...)
	return err
}
