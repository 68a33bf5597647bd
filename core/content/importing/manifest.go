package importing

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"kolibri/store"
)

// manifestName is where an exported folder says what it holds.
const manifestName = "content/manifest.json"

// Manifest names resources of channels, by the topmost topics that hold nothing else.
// kolibri/core/content/utils/content_manifest.py: ContentManifest
type Manifest struct {
	Channels []ManifestChannel `json:"channels"`
	// Hash is the MD5 of the channels' JSON.
	Hash string `json:"channel_list_hash"`
}

// ManifestChannel is one edition of a channel in a manifest.
type ManifestChannel struct {
	ID      string   `json:"id"`
	Include []string `json:"include_node_ids"`
	Version int64    `json:"version"`
}

// ReadManifest reads the manifest of a folder; fs.ErrNotExist when it has none.
func ReadManifest(folder fs.FS) (*Manifest, error) {
	m := &Manifest{Channels: []ManifestChannel{}}
	text, err := fs.ReadFile(folder, manifestName)
	if err != nil {
		return m, err
	}
	return ParseManifest(text)
}

// ParseManifest reads a manifest's text.
func ParseManifest(text []byte) (*Manifest, error) {
	m := &Manifest{Channels: []ManifestChannel{}}
	if err := json.Unmarshal(text, m); err != nil {
		return m, fmt.Errorf("the manifest is damaged: %w", err)
	}
	return m, nil
}

// Nodes are the nodes that a manifest names of a channel, of whatever edition.
func (m *Manifest) Nodes(channel string) []string {
	nodes := []string{}
	for _, c := range m.Channels {
		if c.ID == channel {
			nodes = append(nodes, c.Include...)
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// add puts nodes of an edition into the manifest.
func (m *Manifest) add(channel string, version int64, include []string) {
	at := slices.IndexFunc(m.Channels, func(c ManifestChannel) bool { return c.ID == channel && c.Version == version })
	if at < 0 {
		m.Channels = append(m.Channels, ManifestChannel{ID: channel, Version: version})
		at = len(m.Channels) - 1
	}
	all := append(slices.Clone(m.Channels[at].Include), include...)
	slices.Sort(all)
	m.Channels[at].Include = slices.Compact(all)
}

// text writes the manifest with its hash, which is made over the channels as Python's json.dumps
// writes them with sorted keys.
func (m *Manifest) text() ([]byte, error) {
	compact, err := json.Marshal(m.Channels) // the fields stand in the order of their names
	if err != nil {
		return nil, err
	}
	sum := md5.Sum([]byte(spaced(compact)))
	m.Hash = hex.EncodeToString(sum[:])
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "    ")
	err = enc.Encode(m)
	return out.Bytes(), err
}

// spaced puts a blank behind the commas and colons of JSON that holds only ids and numbers.
func spaced(compact []byte) string {
	return strings.NewReplacer(",", ", ", ":", ": ").Replace(string(compact))
}

// summarize names the resources in chosen_nodes by as few nodes as possible: a topic stands for all
// that is below it.
// kolibri/core/content/utils/content_manifest.py: get_content_nodes_selectors
func summarize(tx *store.Tx, channel string) ([]string, error) {
	type node struct {
		id, parent       string
		topic, available bool
		leaves, chosen   int
	}
	chosen, err := tx.Strings("SELECT id FROM chosen_nodes")
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, id := range chosen {
		wanted[id] = true
	}
	byID := map[string]*node{}
	all, err := store.Select(tx, func(row store.Scanner) (*node, error) {
		n := &node{}
		var parent *string
		err := row.Scan(&n.id, &parent, &n.topic, &n.available)
		if parent != nil {
			n.parent = *parent
		}
		byID[n.id] = n
		return n, err
	}, "SELECT id, parent_id, kind = 'topic', available FROM content_contentnode WHERE channel_id = ? ORDER BY level DESC, lft", channel)
	if err != nil {
		return nil, err
	}
	for _, n := range all {
		if !n.topic {
			if n.leaves = 1; wanted[n.id] {
				n.chosen = 1
			}
		}
		if p := byID[n.parent]; p != nil {
			p.leaves += n.leaves
			p.chosen += n.chosen
		}
	}
	include, open := []string{}, map[string]bool{"": true} // open: the topics that are looked into
	for _, n := range slices.Backward(all) {
		if !open[n.parent] || n.parent != "" && !n.available {
			continue
		}
		switch {
		case n.leaves == n.chosen:
			include = append(include, n.id)
		case n.topic && n.chosen > 0:
			open[n.id] = true
		}
	}
	slices.Sort(include)
	return include, nil
}
