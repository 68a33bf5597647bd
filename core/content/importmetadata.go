package content

import (
	"database/sql"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"kolibri/core/api"
	"kolibri/store"
)

// Schemas of channel databases (kolibri/core/content/constants/schema_versions.py). Rows of resources
// are given away in the newest only.
const (
	NewestSchema         = 5
	oldestExportedSchema = 5
)

// exported are the tables and columns of the content schema that a node is given away in, in the
// order in which the original names them (kolibri/core/content/contentschema).
var exported = []struct{ table, columns, where string }{
	{"content_contentnode", `id license_name license_description title coach_content content_id channel_id description sort_order license_owner
		author kind available options grade_levels resource_types learning_activities accessibility_labels categories learner_needs duration
		lft rght tree_id level lang_id parent_id`, "t.id IN (%s)"},
	{"content_file", "id preset supplementary thumbnail priority contentnode_id lang_id local_file_id", "t.contentnode_id IN (%s)"},
	{"content_contentnode_tags", "id contentnode_id contenttag_id", "t.contentnode_id IN (%s)"},
	{"content_assessmentmetadata", "id assessment_item_ids number_of_assessments mastery_model randomize is_manipulable contentnode_id", "t.contentnode_id IN (%s)"},
	{"content_localfile", "id extension available file_size", "t.id IN (SELECT f.local_file_id FROM content_file f WHERE f.contentnode_id IN (%s))"},
	{"content_contenttag", "id tag_name", "t.id IN (SELECT x.contenttag_id FROM content_contentnode_tags x WHERE x.contentnode_id IN (%s))"},
	{"content_language", "id lang_code lang_subcode lang_name lang_direction", `(t.id IN (SELECT f.lang_id FROM content_file f WHERE f.contentnode_id IN (%s))
		OR t.id IN (SELECT l.lang_id FROM content_contentnode l WHERE l.id IN (%s)))`},
	{"content_contentnode_has_prerequisite", "id from_contentnode_id to_contentnode_id", "t.from_contentnode_id IN (%s) AND t.to_contentnode_id IN (%s)"},
	{"content_contentnode_related", "id from_contentnode_id to_contentnode_id", "t.from_contentnode_id IN (%s) AND t.to_contentnode_id IN (%s)"},
	{"content_channelmetadata", "id name description tagline author version thumbnail last_updated min_schema_version root_id",
		"t.id IN (SELECT m.channel_id FROM content_contentnode m WHERE m.id IN (%s))"},
}

// booleans are the columns among them that SQLite keeps as numbers.
var booleans = map[string]bool{"content_contentnode.coach_content": true, "content_contentnode.available": true, "content_localfile.available": true,
	"content_file.supplementary": true, "content_file.thumbnail": true, "content_assessmentmetadata.randomize": true, "content_assessmentmetadata.is_manipulable": true}

// importMetadata answers with all rows that another device needs to take over a node: its ancestors
// and itself, with descendants=true also all below it, paged when max_results is given.
// kolibri/core/content/public_api.py: ImportMetadataViewset
func importMetadata(r *api.Request) (any, error) {
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, &api.Error{Status: http.StatusBadRequest, Body: map[string]string{"error": "Invalid UUID format."}}
	}
	schema := strconv.Itoa(NewestSchema)
	if given := r.Query()["schema_version"]; len(given) > 0 {
		schema = given[len(given)-1]
		if err := checkSchema(schema); err != nil {
			return nil, err
		}
	}
	var tree, left, right int64
	err := r.Tx.QueryRow("SELECT tree_id, lft, rght FROM content_contentnode WHERE id = ?", id).Scan(&tree, &left, &right)
	if errors.Is(err, store.ErrNotFound) {
		return nil, r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	q := &api.Query{From: "content_contentnode n", Order: "n.lft"}
	if q.Where("n.tree_id = ?", tree); r.Query().Get("descendants") != "" {
		q.Where("n.lft <= ? AND n.rght >= ? OR n.lft > ? AND n.rght < ?", left, right, left, right)
	} else {
		q.Where("n.lft <= ? AND n.rght >= ?", left, right)
	}
	size := pageSize(r)
	if size == 0 {
		q.Order = ""
		nodes, args := q.SQL("n.id")
		if r.Query().Get("descendants") != "" {
			return exportRows(r.Tx, schema, nodes, args)
		}
		ids, err := r.Tx.Strings(nodes, args...) // a few ancestors are found once
		if err != nil {
			return nil, err
		}
		return exportRows(r.Tx, schema, someNodes, []any{store.In(ids)})
	}
	ids, next, err := page(r, q, byLeft, size)
	if err != nil {
		return nil, err
	}
	rows, err := exportRows(r.Tx, schema, someNodes, []any{store.In(ids)})
	return map[string]any{"more": more(r, next), "results": rows}, err
}

const someNodes = "SELECT n.id FROM content_contentnode n WHERE n.id IN ?"

// checkSchema refuses versions of the content schema that rows cannot be given in.
func checkSchema(text string) error {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	message := "Schema version is not parseable by this version of Kolibri"
	switch {
	case err != nil:
	case n > NewestSchema:
		message = "Schema version is too high, exports only suported for version 5"
	case n < oldestExportedSchema:
		message = "Schema version is too low, exports only suported for version 5"
	default:
		return nil
	}
	return &api.Error{Status: http.StatusBadRequest, Body: []string{message}}
}

// exportRows answers with the rows by table that belong to the nodes of a query for ids.
func exportRows(tx *store.Tx, schema, nodes string, args []any) (map[string]any, error) {
	answer := map[string]any{"schema_version": schema}
	for _, e := range exported {
		columns := strings.Fields(e.columns)
		text := "SELECT t." + strings.Join(columns, ", t.") + " FROM " + e.table + " t WHERE " + strings.ReplaceAll(e.where, "%s", nodes)
		if e.table == "content_contentnode" {
			text += " ORDER BY t.lft"
		}
		var all []any
		for range strings.Count(e.where, "%s") {
			all = append(all, args...)
		}
		rows, err := store.Select(tx, func(row store.Scanner) (map[string]any, error) { return scanRow(row, e.table, columns) }, text, all...)
		if err != nil {
			return nil, err
		}
		answer[e.table] = rows
	}
	return answer, nil
}

// scanRow reads a row as it is kept.
func scanRow(row store.Scanner, table string, columns []string) (map[string]any, error) {
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i, name := range columns {
		targets[i] = &values[i]
		if booleans[table+"."+name] {
			targets[i] = &sql.NullBool{}
		}
	}
	if err := row.Scan(targets...); err != nil {
		return nil, err
	}
	made := make(map[string]any, len(columns))
	for i, name := range columns {
		switch v := values[i].(type) {
		case []byte:
			made[name] = string(v)
		case float64:
			made[name] = api.Float(v)
		default:
			made[name] = v
		}
		if b, ok := targets[i].(*sql.NullBool); ok && b.Valid {
			made[name] = b.Bool
		}
	}
	return made, nil
}
