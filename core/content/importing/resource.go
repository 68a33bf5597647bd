package importing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
	"kolibri/store"
)

// validateResource reads a wish for one resource of another device.
// kolibri/core/content/tasks.py: RemoteResourceImportValidator
func (i *Importer) validateResource(r *api.Request, _ *auth.Person, data map[string]any) (tasks.Spec, error) {
	v, err := r.Clean(data, []api.Field{
		{Name: "node_id", Clean: api.CleanUUID},
		{Name: "node_name", Clean: api.CleanString(0, false)},
		{Name: "peer", Optional: true, Clean: cleanPeer},
	}, false)
	if err != nil {
		return tasks.Spec{}, err
	}
	var peer any
	base := i.host.Options.CentralContentBaseURL
	if id := v.String("peer"); id != "" {
		peer = id
		if err := r.Tx.QueryRow("SELECT base_url FROM discovery_networklocation WHERE id = ?", id).Scan(&base); err != nil {
			return tasks.Spec{}, err
		}
	}
	return tasks.Spec{Args: []any{v.String("node_id")}, Kwargs: map[string]any{"peer_id": peer, "baseurl": strings.TrimRight(base, "/")},
		ExtraMetadata: map[string]any{"resource_name": v.String("node_name"), "node_id": v.String("node_id"), "peer_id": peer}}, nil
}

// runResource brings one resource with what stands above it.
// kolibri/core/content/tasks.py: remoteresourceimport
func (i *Importer) runResource(ctx context.Context, t *tasks.Task) (any, error) {
	node, _ := t.Job.Args[0].(string)
	base, _ := t.Job.Kwargs["baseurl"].(string)
	channel, err := i.takeNode(ctx, base, node)
	if err != nil {
		return nil, err
	}
	return nil, i.oneResource(ctx, t, channel, node, base, true)
}

// oneResource fetches the files of a node whose metadata is here.
func (i *Importer) oneResource(ctx context.Context, w Worker, channel, node, base string, byAdmin bool) error {
	from, err := openRemote(ctx, i.host, i.store, base, channel, "")
	if err != nil {
		return err
	}
	j := &job{Importer: i, task: w, channel: channel, from: from, files: true, byLearner: !byAdmin, failOnError: !byAdmin, stayAway: i.host.Options.RemoteContent,
		choice: choice{Selection: Selection{Nodes: &[]string{node}}, renderableOnly: true}}
	return j.run(ctx)
}

// takeNode asks another device for a node's rows and takes them in; it returns the node's channel.
func (i *Importer) takeNode(ctx context.Context, base, node string) (channel string, err error) {
	answer, err := network.NewClient(i.host, base).Get(ctx, "api/public/v2/importmetadata/"+node+"/")
	if answer != nil && answer.Status == http.StatusNotFound {
		return "", tasks.Fail("NetworkLocationResponseFailure", "the other device does not have this resource")
	}
	if err != nil {
		return "", tasks.Fail("NetworkLocationConnectionFailure", err.Error())
	}
	rows, channel, err := readRows(answer.Body)
	if err != nil {
		return "", tasks.Fail("InvalidSchemaVersionError", err.Error())
	}
	err = i.host.DB.Write(ctx, func(tx *store.Tx) error {
		e, err := OpenRows(tx, rows, channel)
		if err != nil {
			return err
		}
		if _, err = Import(tx, e, Options{Partial: true}); err != nil {
			return err
		}
		if err := annotateTree(tx, channel); err != nil {
			return err
		}
		return content.Touch(tx)
	})
	return channel, shape(err)
}

// readRows reads the rows that another device answered with, and whose channel they are.
func readRows(text []byte) (Rows, string, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var tables map[string]any
	if err := dec.Decode(&tables); err != nil {
		return nil, "", errors.Join(ErrNotAChannel, err)
	}
	rows := Rows{}
	for name, v := range tables {
		list, _ := v.([]any)
		for _, element := range list {
			row, ok := element.(map[string]any)
			if !ok {
				return nil, "", ErrNotAChannel
			}
			rows[name] = append(rows[name], row)
		}
	}
	if len(rows["content_channelmetadata"]) != 1 {
		return nil, "", ErrNotAChannel
	}
	id32, _ := rows["content_channelmetadata"][0]["id"].(string)
	channel, ok := api.ParseUUID(id32)
	if !ok {
		return nil, "", ErrNotAChannel
	}
	for _, n := range rows["content_contentnode"] { // nobody may change other channels by such rows
		of, _ := n["channel_id"].(string)
		if id, ok := api.ParseUUID(of); !ok || id != channel {
			return nil, "", ErrNotAChannel
		}
	}
	return rows, channel, nil
}
