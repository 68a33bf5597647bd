package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// mirror adds the channels that the build brings along (data/channels.json) to those of whoever hosts
// it. They have lists of their own, so that a mirror can be laid over the build, file by file.
type mirror struct {
	outgoing
	root string // of the app
}

// channelList is where Studio and its mirrors list channels.
const channelList = "api/public/v1/channels"

// Do implements api.Outgoing.
func (m mirror) Do(r *http.Request) (*http.Response, error) {
	address := r.URL.Scheme + "://" + r.URL.Host + strings.TrimSuffix(r.URL.Path, "/")
	if r.Method != http.MethodGet || address != m.root+channelList {
		return m.outgoing.Do(r)
	}
	host, err := m.channels(r, r.URL.String())
	if err != nil {
		return nil, err
	}
	ours, err := m.channels(r, m.root+"data/channels.json")
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, c := range host {
		known[c.id()] = true
	}
	for _, c := range ours {
		if !known[c.id()] {
			host = append(host, c)
		}
	}
	body, err := json.Marshal(host)
	if err != nil {
		return nil, err
	}
	return &http.Response{Request: r, StatusCode: http.StatusOK, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body))}, nil
}

// listed is a channel in a list.
type listed map[string]json.RawMessage

func (c listed) id() string { return string(c["id"]) }

// channels reads a list. A host that has none answers with anything: a list of files, or a page that
// says there is nothing.
func (m mirror) channels(r *http.Request, address string) ([]listed, error) {
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := m.outgoing.Do(ask)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	list := []listed{}
	if json.Unmarshal(raw, &list) != nil {
		return []listed{}, nil
	}
	return list, nil
}
