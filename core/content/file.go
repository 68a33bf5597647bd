package content

import (
	"database/sql"

	"kolibri/core/api"
	"kolibri/store"
)

var fileQuery = api.Query{From: `content_file f JOIN content_localfile l ON l.id = f.local_file_id
	LEFT JOIN content_language g ON g.id = f.lang_id`, Order: "f.priority, f.id"}

const fileColumns = `f.id, f.priority, f.preset, f.supplementary, f.thumbnail, l.id, l.available, l.file_size, l.extension,
	g.id, g.lang_code, g.lang_subcode, g.lang_name, g.lang_direction`

// fileList answers with the files of all nodes.
// kolibri/core/content/api.py: FileViewset
func (c *Content) fileList(r *api.Request) (any, error) {
	q := fileQuery
	return api.List(r, &q, fileColumns, r.PageSize(0, 0), c.scanFile)
}

func (c *Content) fileDetail(r *api.Request) (any, error) {
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, r.NotFound()
	}
	q := fileQuery.Clone()
	text, args := q.Where("f.id = ?", id).SQL(fileColumns)
	files, err := store.Select(r.Tx, c.scanFile, text, args...)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, r.NotFound()
	}
	return files[0], nil
}

func (c *Content) scanFile(row store.Scanner) (*File, error) {
	f := &File{}
	l := Language{}
	var lang, code, direction sql.NullString
	err := row.Scan(&f.ID, &f.Priority, &f.Preset, &f.Supplementary, &f.Thumbnail, &f.Checksum, &f.Available, &f.FileSize, &f.Extension,
		&lang, &code, &l.Subcode, &l.Name, &direction)
	if lang.Valid {
		l.ID, l.Code, l.Direction = lang.String, code.String, direction.String
		f.Lang = &l
	}
	if f.Available {
		url := c.StorageURL(f.Checksum, f.Extension)
		f.StorageURL = &url
	}
	return f, err
}

// permalink redirects to the page of a node that is named by its id, or by its content's and channel's.
// kolibri/core/content/views.py: ContentPermalinkRedirect
func (c *Content) permalink(r *api.Request) (any, error) {
	node, _ := api.ParseUUID(r.Query().Get("node_id"))
	content, _ := api.ParseUUID(r.Query().Get("content_id"))
	channel, _ := api.ParseUUID(r.Query().Get("channel_id"))
	type target struct {
		id, kind string
		root     bool
	}
	found, err := store.Select(r.Tx, func(row store.Scanner) (t target, err error) {
		return t, row.Scan(&t.id, &t.kind, &t.root)
	}, `SELECT id, kind, parent_id IS NULL FROM content_contentnode WHERE id = ? OR content_id = ?
		ORDER BY CASE WHEN id = ? THEN 0 WHEN channel_id = ? THEN 1 ELSE 2 END, tree_id, lft LIMIT 1`, node, content, node, channel)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, api.NoPage()
	}
	place := "c/"
	switch {
	case found[0].root:
		place = ""
	case found[0].kind == Topic:
		place = "t/"
	}
	return api.Redirect(c.host.Options.URLPathPrefix + r.Lang + "/learn/#/topics/" + place + found[0].id), nil
}
