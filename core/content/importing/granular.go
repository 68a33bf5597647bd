package importing

import (
	"context"
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/core/discovery"
	"kolibri/store"
)

// Routes are the APIs by which pages choose what to import and to export.
func (i *Importer) Routes() []api.Route {
	return []api.Route{
		{Name: "kolibri:core:contentnode_granular-detail", Method: http.MethodGet, NoTx: true, Handle: i.granular},
		{Name: "kolibri:kolibri.plugins.device:importexportsizeview", Method: http.MethodPost, NoTx: true, Handle: i.sizes},
	}
}

// choosable is a node as those see it who choose what to import or to export. What depends on the
// origin is null for an export.
// kolibri/core/content/serializers.py: ContentNodeGranularSerializer
type choosable struct {
	ID                string  `json:"id"`
	Available         bool    `json:"available"`
	CoachContent      bool    `json:"coach_content"`
	Importable        *bool   `json:"importable"`
	IsLeaf            bool    `json:"is_leaf"`
	Kind              string  `json:"kind"`
	Modality          *string `json:"modality"`
	NumCoachContents  *int64  `json:"num_coach_contents"`
	OnDeviceResources *int64  `json:"on_device_resources"`
	Title             string  `json:"title"`
	TotalResources    *int64  `json:"total_resources"`
	NewResource       *bool   `json:"new_resource"`
	NumNewResources   *int64  `json:"num_new_resources"`
	UpdatedResource   *bool   `json:"updated_resource"`

	channel string
}

// relative is a node among a node's ancestors.
type relative struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// granular answers with a node and its children.
// kolibri/core/content/api.py: ContentNodeGranularViewset
func (i *Importer) granular(r *api.Request) (any, error) {
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, r.NotFound()
	}
	var nodes []*choosable
	ancestors, etag := []relative{}, ""
	err := i.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) {
		if etag, err = content.CacheKey(tx); err != nil {
			return err
		}
		nodes, ancestors, err = readChoosable(tx, id, i.host.Pages.Presets())
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 {
		return nil, r.NotFound()
	}
	query := r.Query()
	from := origin{query.Get("importing_from_drive_id"), query.Get("importing_from_peer_id")}
	export := query.Get("for_export") != ""
	if moreThanOne(from.drive != "", from.peer != "", export) {
		return nil, invalid("Must specify at most one of importing_from_drive_id, importing_from_peer_id, and for_export")
	}
	if export {
		for _, n := range nodes {
			n.TotalResources = n.OnDeviceResources
		}
	} else {
		stats, err := i.statsOf(r.Ctx, nodes[0].channel, from)
		if errors.Is(err, errLocation) {
			return nil, noOrigin(from)
		}
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			n.add(stats)
		}
	}
	answer := struct {
		*choosable
		Children  []*choosable `json:"children"`
		Ancestors []relative   `json:"ancestors"`
	}{nodes[0], nodes[1:], ancestors}
	return &api.Response{Status: http.StatusOK, Body: answer, ETag: etag}, nil
}

// add fills what depends on the origin.
func (n *choosable) add(stats map[string]nodeStats) {
	s, known := stats[n.ID]
	n.Importable, n.CoachContent = &known, s.coach
	n.NumCoachContents, n.TotalResources = &s.coachContents, &s.resources
	n.NewResource, n.NumNewResources, n.UpdatedResource = &s.isNew, &s.newResources, &s.updated
}

// readChoosable reads a node, then its children, as far as the viewers can show them, and its ancestors.
func readChoosable(tx *store.Tx, id string, presets []string) ([]*choosable, []relative, error) {
	var tree, left, right int64
	nodes, err := store.Select(tx, func(row store.Scanner) (*choosable, error) {
		n := &choosable{}
		var nodeTree, nodeLeft, nodeRight int64
		err := row.Scan(&n.ID, &n.Available, &n.CoachContent, &n.Kind, &n.Modality, &n.NumCoachContents, &n.OnDeviceResources, &n.Title,
			&n.channel, &nodeTree, &nodeLeft, &nodeRight)
		if n.IsLeaf = n.Kind != content.Topic; n.ID == id {
			tree, left, right = nodeTree, nodeLeft, nodeRight
		}
		return n, err
	}, `SELECT n.id, n.available, n.coach_content, n.kind, n.modality, n.num_coach_contents, n.on_device_resources, n.title, n.channel_id, n.tree_id, n.lft, n.rght
		FROM content_contentnode n WHERE (n.id = ? OR n.parent_id = ?) AND (n.kind = 'topic' OR EXISTS (
			SELECT 1 FROM content_file f WHERE f.contentnode_id = n.id AND f.preset IN ?))
		ORDER BY CASE WHEN n.id = ? THEN 0 ELSE 1 END, n.lft`, id, id, store.In(presets), id)
	if err != nil || len(nodes) == 0 || nodes[0].ID != id {
		return nil, nil, err
	}
	ancestors, err := store.Select(tx, func(row store.Scanner) (a relative, err error) {
		return a, row.Scan(&a.ID, &a.Title)
	}, "SELECT id, title FROM content_contentnode WHERE tree_id = ? AND lft < ? AND rght > ? ORDER BY lft", tree, left, right)
	return nodes, ancestors, err
}

// sizes answers how many resources an import or export of a selection would bring, and how many bytes.
// With "copy" they are the bytes that a copy of what is there already would still bring.
// kolibri/plugins/device/api.py: CalculateImportExportSizeView
func (i *Importer) sizes(r *api.Request) (any, error) {
	err := i.host.DB.Read(r.Ctx, func(tx *store.Tx) error {
		r.Tx = tx
		defer func() { r.Tx = nil }()
		_, err := auth.RequireContentManager(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	given, asked := body["channel_id"]
	if !asked {
		return nil, invalid("channel_id is required for calculating file size and resource counts")
	}
	text, _ := given.(string)
	channel, ok := api.ParseUUID(text)
	if !ok {
		return nil, invalid("channel_id is not a valid id")
	}
	from := origin{}
	from.drive, _ = body["drive_id"].(string)
	from.peer, _ = body["peer_id"].(string)
	export := api.Truth(body["export"])
	if moreThanOne(from.drive != "", from.peer != "", export) {
		return nil, invalid("Must specify at most one of drive_id, peer_id, and export")
	}
	selection := selectionOf(body)
	if selection.hasBadIDs() {
		return nil, invalid("node_ids and exclude_node_ids must be lists of ids")
	}
	c := choice{Selection: selection, renderableOnly: true, available: export, missing: api.Truth(body["copy"]) && !export}
	if c.limit, err = i.limit(r.Ctx, channel, from); errors.Is(err, errLocation) {
		return nil, noOrigin(from)
	}
	if err != nil {
		return nil, err
	}
	var resources int64
	var files []file
	err = i.host.DB.Write(r.Ctx, func(tx *store.Tx) (err error) { // temporary tables are written
		resources, files, err = choose(tx, channel, i.host.Pages.Presets(), c)
		return err
	})
	if err == nil && c.missing {
		files, err = i.lacking(files)
	}
	return map[string]int64{"resource_count": resources, "file_size": total(files)}, err
}

func moreThanOne(flags ...bool) bool {
	n := 0
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n > 1
}

// invalid is a 400 in the shape of an error that belongs to no field.
func invalid(message string) error {
	return &api.Error{Status: http.StatusBadRequest, Body: []string{message}}
}

func noOrigin(from origin) error {
	if from.drive != "" {
		return invalid("The external drive with given drive id " + from.drive + " does not exist.")
	}
	return invalid("The network location with the id " + from.peer + " does not exist")
}

// limit is what an origin has of a channel, or nil where that is everything.
// kolibri/core/content/utils/import_export_content.py: filter_by_file_availability
func (i *Importer) limit(ctx context.Context, channel string, from origin) (map[string]nodeStats, error) {
	if from.drive == "" && (from.peer == "" || i.isCentral(from.peer)) {
		return nil, nil
	}
	return i.statsOf(ctx, channel, from)
}

// isCentral tells whether a device is the configured source, which has every file.
func (i *Importer) isCentral(peer string) bool {
	return peer == discovery.ServiceID(i.host.Options.CentralContentBaseURL)
}
