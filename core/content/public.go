package content

import (
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/device/settings"
)

// publicRoutes are the APIs by which other devices browse this one's library. They need no account.
// kolibri/core/public/api.py, kolibri/core/content/public_api.py
func (c *Content) publicRoutes() []api.Route {
	all := []api.Route{{Name: "kolibri:core:importmetadata-detail", Method: http.MethodGet, Handle: importMetadata}}
	for name, handle := range map[string]api.Handler{
		"publicchannel-list":            publicChannels,
		"publicchannel-detail":          publicChannel,
		"publicchannel-filter-options":  filterOptions,
		"publiccontentnode-list":        c.publicList,
		"publiccontentnode-detail":      c.publicNode,
		"publiccontentnode_tree-detail": c.tree,
	} {
		route := api.Route{Name: "kolibri:core:" + name, Method: http.MethodGet, Handle: public(c.cached(handle))}
		all = append(append(all, route), c.otherMethods(route)...)
	}
	return all
}

// public lets everybody keep an answer for five minutes.
// kolibri/core/public/api.py: public_metadata_cache
func public(handle api.Handler) api.Handler {
	return func(r *api.Request) (any, error) {
		answer, err := handle(r)
		var shaped *api.Error
		if errors.As(err, &shaped) {
			if shaped.Header == nil {
				shaped.Header = http.Header{}
			}
			shaped.Header.Set("Cache-Control", "max-age=0, no-cache, no-store, must-revalidate, stale-while-revalidate=100, public")
		}
		if err != nil {
			return nil, err
		}
		const age = 300
		return answer.(*api.Response).WithHeader("Cache-Control", "max-age=300, stale-while-revalidate=100, public").
			WithHeader("Expires", r.Now().Add(age*1e9).Format(http.TimeFormat)), nil
	}
}

// publicQuery is what of the channels other devices may see: those that are listed, unless the
// device's settings allow all.
func publicQuery(r *api.Request) (*api.Query, error) {
	s, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	q := ChannelQuery(r)
	if !s.AllowPeerUnlistedChannelImport {
		q.Where("c.public = TRUE")
	}
	return q, nil
}

func publicChannels(r *api.Request) (any, error) {
	q, err := publicQuery(r)
	if err != nil {
		return nil, err
	}
	return Channels(r.Tx, q)
}

func publicChannel(r *api.Request) (any, error) {
	id, _ := api.ParseUUID(r.Param("pk"))
	q, err := publicQuery(r)
	if err != nil {
		return nil, err
	}
	found, err := Channels(r.Tx, q.Where("c.id = ?", id))
	if err == nil && len(found) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func (c *Content) publicList(r *api.Request) (any, error) {
	return c.listWith(r, true)
}

func (c *Content) publicNode(r *api.Request) (any, error) {
	n, err := c.one(r, r.Param("pk"))
	if err != nil {
		return nil, err
	}
	return withoutOurs([]*Node{n})[0], nil
}

// withoutOurs takes out what is nobody else's business: who had a resource imported.
func withoutOurs(nodes []*Node) []*Node {
	for _, n := range nodes {
		n.AdminImported = nil
	}
	return nodes
}

// listWith is list for this device's own pages or, public, for other devices, whose older versions
// want to know in which channels the results lie.
func (c *Content) listWith(r *api.Request, public bool) (any, error) {
	q, none, err := c.filtered(r)
	if err != nil {
		return nil, err
	}
	size := pageSize(r)
	if size == 0 {
		nodes, err := c.nodes(r.Tx, q, "")
		if public {
			withoutOurs(nodes)
		}
		return nodes, err
	}
	page, err := c.page(r, q, size)
	if err != nil {
		return nil, err
	}
	if public {
		withoutOurs(page.Results)
	}
	labels, err := c.labels(r.Tx, q, none, public)
	if err != nil {
		return nil, err
	}
	return struct {
		Page
		Labels map[string]any `json:"labels"`
	}{page, labels}, nil
}
