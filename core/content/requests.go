package content

import (
	"encoding/json"
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

// What learners ask to be downloaded, and to be removed again, is kept as requests; whatever
// fetches content works through those that are pending.
// kolibri/core/content/models.py: ContentRequest
const (
	download = "DOWNLOAD"
	removal  = "REMOVAL"
	byUser   = "USER_INITIATED"
	pending  = "PENDING"
	failed   = "FAILED"
	regular  = 20 // priority
)

// request is a learner's wish for a resource.
type request struct {
	ID        string          `json:"id"`
	Requested api.Time        `json:"requested_at"`
	Reason    string          `json:"reason"`
	Node      string          `json:"contentnode_id"`
	Metadata  json.RawMessage `json:"metadata"`
	Status    string          `json:"status"`
	Facility  string          `json:"facility"`
	Source    string          `json:"source_id"`
}

func (c *Content) requestRoutes() []api.Route {
	const list, detail = "kolibri:core:contentrequest-list", "kolibri:core:contentrequest-detail"
	return []api.Route{
		{Name: list, Method: http.MethodGet, Handle: listRequests},
		{Name: list, Method: http.MethodPost, Handle: c.wish},
		{Name: list, Method: http.MethodDelete, Handle: func(r *api.Request) (any, error) {
			if _, err := auth.RequireSignedIn(r); err != nil {
				return nil, err
			}
			return nil, api.Detail(http.StatusBadRequest, "Request ID is required")
		}},
		{Name: detail, Method: http.MethodGet, Handle: oneRequest},
		{Name: detail, Method: http.MethodDelete, Handle: c.unwish},
	}
}

// requests is the query for a person's wishes; those that he took back are left out.
// kolibri/core/content/api.py: ContentRequestViewset
func requests(r *api.Request) (*api.Query, *auth.Person, error) {
	p, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, nil, err
	}
	q := &api.Query{From: "content_contentrequest q", Order: "q.requested_at, q.id"}
	q.Where("q.type = ? AND q.source_id = ? AND q.reason = ?", download, p.ID, byUser)
	return q, p, nil
}

func standing(q *api.Query) *api.Query {
	return q.Where(`NOT EXISTS (SELECT 1 FROM content_contentrequest x WHERE x.type = ? AND x.source_model = q.source_model AND x.source_id = q.source_id
		AND x.contentnode_id = q.contentnode_id AND x.requested_at >= q.requested_at AND x.reason = q.reason AND x.status <> ?)`, removal, failed)
}

const requestColumns = "q.id, q.requested_at, q.reason, q.contentnode_id, q.metadata, q.status, q.facility_id, q.source_id"

func scanRequest(row store.Scanner) (*request, error) {
	v := &request{}
	var requested store.Zoned
	var metadata *string
	err := row.Scan(&v.ID, &requested, &v.Reason, &v.Node, &metadata, &v.Status, &v.Facility, &v.Source)
	v.Requested, v.Metadata = api.Time(requested.Time()), rawJSON("")
	if metadata != nil {
		v.Metadata = rawJSON(*metadata)
	}
	return v, err
}

func listRequests(r *api.Request) (any, error) {
	q, _, err := requests(r)
	if err != nil {
		return nil, err
	}
	f := filtering{r: r, q: standing(q)}
	f.id("contentnode_id", "q.contentnode_id")
	f.ids("contentnode_id__in", "q.contentnode_id")
	if err := f.bad.Err(); err != nil {
		return nil, err
	}
	return api.List(r, q, requestColumns, r.PageSize(0, 0), scanRequest)
}

func oneRequest(r *api.Request) (any, error) {
	q, _, err := requests(r)
	if err != nil {
		return nil, err
	}
	id, _ := api.ParseUUID(r.Param("pk"))
	return readRequest(r, standing(q).Where("q.id = ?", id))
}

func readRequest(r *api.Request, q *api.Query) (*request, error) {
	text, args := q.SQL(requestColumns)
	v, err := store.Get(r.Tx, scanRequest, text+" LIMIT 1", args...)
	if errors.Is(err, store.ErrNotFound) {
		err = r.NotFound()
	}
	return v, err
}

var requestFields = []api.Field{
	{Name: "contentnode_id", Clean: api.CleanUUID},
	{Name: "metadata", Clean: func(_ *api.Request, v any) (any, string, string) {
		if m, ok := v.(map[string]any); ok {
			return m, "", ""
		}
		return nil, api.Invalid, "Invalid data. Expected a dictionary."
	}},
	{Name: "source_instance_id", Optional: true, Null: true, Clean: api.CleanUUID},
}

var metadataFields = []api.Field{
	{Name: "title", Clean: api.CleanString(0, false)},
	{Name: "file_size", Clean: api.CleanInt},
	{Name: "learning_activities", Many: true, Clean: api.CleanChoice(labelFields[0].labels...)},
}

// wish notes that somebody wants a resource on the device; a wish taken back before stands again.
// kolibri/core/content/serializers.py: ContentDownloadRequestSerializer
func (c *Content) wish(r *api.Request) (any, error) {
	q, p, err := requests(r)
	if err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	var bad api.Invalidities
	v := r.CleanInto(&bad, "", body, requestFields, false)
	var metadata api.Values
	if given, ok := v["metadata"].(map[string]any); ok {
		metadata = r.CleanInto(&bad, "metadata.", given, metadataFields, false)
	}
	if err := bad.Err(); err != nil {
		return nil, err
	}
	node := v.String("contentnode_id")
	if _, err := r.Tx.Exec("DELETE FROM content_contentrequest WHERE type = ? AND source_model = ? AND source_id = ? AND contentnode_id = ? AND reason = ?",
		removal, morango.FacilityUser.Name, p.ID, node, byUser); err != nil {
		return nil, err
	}
	q.Where("q.contentnode_id = ?", node)
	known, err := readRequest(r, q)
	var missing *api.Error
	switch {
	case err == nil:
		return api.Created(known), nil
	case !errors.As(err, &missing):
		return nil, err
	}
	text, err := api.JSON(metadata)
	if err != nil {
		return nil, err
	}
	if err := c.insertRequest(r, p, download, node, string(text), v["source_instance_id"]); err != nil {
		return nil, err
	}
	made, err := readRequest(r, q)
	if err == nil && c.OnWish != nil {
		err = c.OnWish(r.Tx, true)
	}
	return api.Created(made), err
}

func (c *Content) insertRequest(r *api.Request, p *auth.Person, kind, node string, metadata, instance any) error {
	id, err := morango.NewID(c.host.Rand)
	if err != nil {
		return err
	}
	_, err = r.Tx.Exec(`INSERT INTO content_contentrequest (id, source_model, source_id, requested_at, type, reason, status, contentnode_id,
		metadata, facility_id, source_instance_id, priority, channel_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)`,
		id, morango.FacilityUser.Name, p.ID, store.Zoned(r.Now()), kind, byUser, pending, node, metadata, p.FacilityID, instance, regular)
	return err
}

// unwish asks for a resource to be removed that somebody wanted. It answers the same when nobody did.
func (c *Content) unwish(r *api.Request) (any, error) {
	q, p, err := requests(r)
	if err != nil {
		return nil, err
	}
	id, _ := api.ParseUUID(r.Param("pk"))
	v, err := readRequest(r, q.Where("q.id = ?", id))
	var missing *api.Error
	if errors.As(err, &missing) {
		return api.NoContent().WithHeader("Content-Type", "application/json"), nil
	}
	if err != nil {
		return nil, err
	}
	asked, err := r.Tx.Exec("UPDATE content_contentrequest SET status = CASE WHEN status = ? THEN ? ELSE status END WHERE type = ? AND contentnode_id = ? AND reason = ? AND source_id = ?",
		failed, pending, removal, v.Node, v.Reason, p.ID)
	if err == nil && asked == 0 {
		err = c.insertRequest(r, p, removal, v.Node, nil, nil)
	}
	if err == nil && c.OnWish != nil {
		err = c.OnWish(r.Tx, false)
	}
	return nil, err
}
