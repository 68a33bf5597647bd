package content

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"kolibri/core/api"
	"kolibri/store"
)

// remoteParam names another device whose library a request is about.
const remoteParam = "baseurl"

// aboutRemote tells such a request. It is answered without a transaction, since the other device
// takes its time.
func aboutRemote(r *http.Request) bool {
	return strings.Contains(r.URL.RawQuery, remoteParam) && r.URL.Query().Has(remoteParam)
}

// browsing lets an API answer for other devices' libraries too: with what they answer to the same
// question, addresses changed so that their files are fetched from there.
// kolibri/core/content/api.py: RemoteMixin
func (c *Content) browsing(local api.Handler) api.Handler {
	return func(r *api.Request) (any, error) {
		if !aboutRemote(r.HTTP) {
			return local(r)
		}
		return c.elsewhere(r)
	}
}

func (c *Content) elsewhere(r *api.Request) (any, error) {
	if _, isUUID := api.ParseUUID(r.Param("pk")); r.URLName == "kolibri:core:contentnode_tree-detail" && !isUUID {
		return nil, badTree()
	}
	query := r.HTTP.URL.Query()
	base := query.Get(remoteParam)
	query.Del(remoteParam)
	there, err := c.known(r, base)
	if err != nil {
		return nil, r.NotFound()
	}
	path := strings.TrimPrefix(r.HTTP.URL.EscapedPath(), c.host.Options.URLPathPrefix)
	path = "api/public/v2/" + strings.TrimPrefix(strings.TrimPrefix(path, "/"), "api/content/")
	if encoded := query.Encode(); encoded != "" {
		path += "?" + encoded
	}
	answer, err := there.Get(r.Ctx, path)
	if answer != nil && answer.Status == http.StatusNotFound {
		return nil, r.NotFound()
	}
	if err != nil {
		return nil, &api.Error{Status: http.StatusGone, Detail: "Unable to connect", Cause: err}
	}
	dec := json.NewDecoder(bytes.NewReader(answer.Body))
	dec.UseNumber()
	var body any
	if err := dec.Decode(&body); err != nil {
		return nil, &api.Error{Status: http.StatusGone, Detail: "Unable to connect", Cause: err}
	}
	if !strings.HasPrefix(r.URLName, "kolibri:core:channel") {
		f := foreign{base: base, ours: map[string]bool{}}
		f.collect(body)
		if err := c.host.DB.Read(r.Ctx, f.findOurs); err != nil {
			return nil, err
		}
		f.adapt(body)
	}
	return body, nil
}

// foreign adapts nodes of another device.
type foreign struct {
	base string
	ids  []string
	ours map[string]bool // nodes that were imported here by somebody who manages this device
}

// collect notes the ids of all nodes in an answer.
func (f *foreign) collect(v any) {
	f.walk(v, func(node map[string]any) {
		if id, ok := node["id"].(string); ok {
			f.ids = append(f.ids, id)
		}
	}, nil)
}

func (f *foreign) findOurs(tx *store.Tx) error {
	for _, some := range chunks(f.ids) {
		found, err := tx.Strings("SELECT id FROM content_contentnode WHERE available = TRUE AND admin_imported = TRUE AND id IN ?", store.In(some))
		if err != nil {
			return err
		}
		for _, id := range found {
			f.ours[id] = true
		}
	}
	return nil
}

// adapt makes the nodes of an answer what our own APIs would say of them, and lets what follows be
// asked for at the same device.
// kolibri/core/content/api.py: InternalContentNodeMixin.update_data
func (f *foreign) adapt(v any) {
	suffix := "?" + remoteParam + "=" + f.base
	f.walk(v, func(node map[string]any) {
		if picture, ok := node["thumbnail"].(string); ok && picture != "" {
			node["thumbnail"] = picture + suffix
		}
		files, _ := node["files"].([]any)
		for _, v := range files {
			file, _ := v.(map[string]any)
			if address, ok := file["storage_url"].(string); ok && address != "" {
				file["storage_url"] = address + suffix
			}
		}
		id, _ := node["id"].(string)
		node["admin_imported"] = f.ours[id]
		// what devices of older versions do not say
		setDefault(node, "learner_needs", []any{})
		setDefault(node, "on_device_resources", nil)
		options, _ := node["options"].(map[string]any)
		setDefault(node, "modality", options["modality"])
	}, func(more map[string]any) {
		if params, ok := more["params"].(map[string]any); ok {
			more = params
		}
		more[remoteParam] = f.base
	})
}

func setDefault(node map[string]any, name string, value any) {
	if _, given := node[name]; !given {
		node[name] = value
	}
}

// walk goes through an answer: lists, pages, and nodes with their children.
func (f *foreign) walk(v any, node, more func(map[string]any)) {
	switch t := v.(type) {
	case []any:
		for _, element := range t {
			f.walk(element, node, more)
		}
	case map[string]any:
		rest, paged := t["more"]
		results, hasResults := t["results"]
		if paged && hasResults {
			if m, ok := rest.(map[string]any); ok && more != nil {
				more(m)
			}
			f.walk(results, node, more)
			return
		}
		node(t)
		f.walk(t["children"], node, more)
	}
}
