package content

import (
	"fmt"
	"strings"
	"sync"

	"kolibri/core/api"
	"kolibri/store"
)

// labelCache keeps the labels of recent queries, since finding them reads every row of a query.
type labelCache struct {
	mu   sync.Mutex
	key  string // of the library they were found in
	kept map[string]map[string]any
}

// keptLabels bounds the cache; when it is full it starts anew.
const keptLabels = 200

// labels answers which labels the nodes of a query carry, by field, their languages, and, for older
// devices, their channels.
// kolibri/core/content/utils/search.py: get_available_metadata_labels
func (c *Content) labels(tx *store.Tx, q *api.Query, none, channels bool) (map[string]any, error) {
	if none {
		return noLabels(), nil
	}
	key, err := CacheKey(tx)
	if err != nil {
		return nil, err
	}
	whole := q.Clone()
	whole.Order = ""
	text, args := whole.SQL("")
	wanted := fmt.Sprint(channels, text, args)
	if found := c.seen.get(key, wanted); found != nil {
		return found, nil
	}
	found, err := findLabels(tx, whole, channels)
	if err == nil {
		c.seen.put(key, wanted, found)
	}
	return found, err
}

func noLabels() map[string]any {
	out := map[string]any{"languages": []any{}, "channels": []any{}}
	for _, f := range labelFields {
		out[f.name] = []string{}
	}
	return out
}

func (l *labelCache) get(key, wanted string) map[string]any {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.key != key {
		return nil
	}
	return l.kept[wanted]
}

func (l *labelCache) put(key, wanted string, found map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.key != key || len(l.kept) >= keptLabels {
		l.key, l.kept = key, map[string]map[string]any{}
	}
	l.kept[wanted] = found
}

// findLabels joins the bits of all rows. Few combinations of labels exist, so the database groups them.
func findLabels(tx *store.Tx, q *api.Query, channels bool) (map[string]any, error) {
	columns := make([]string, len(labelFields))
	for i, f := range labelFields {
		columns[i] = "COALESCE(n." + f.column() + ", 0)"
	}
	text, args := q.SQL("DISTINCT " + strings.Join(columns, ", ") + ", COALESCE(n.lang_id, ''), n.channel_id")
	bits := make([]int64, len(labelFields))
	langs, inChannels := map[string]bool{}, map[string]bool{}
	err := store.ForEach(tx, func(row store.Scanner) error {
		found := make([]int64, len(labelFields))
		var lang, channel string
		targets := make([]any, 0, len(found)+2)
		for i := range found {
			targets = append(targets, &found[i])
		}
		if err := row.Scan(append(targets, &lang, &channel)...); err != nil {
			return err
		}
		for i, b := range found {
			bits[i] |= b
		}
		langs[lang], inChannels[channel] = true, true
		return nil
	}, text, args...)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for i, f := range labelFields {
		out[f.name] = f.named(bits[i])
	}
	out["languages"], err = names(tx, "SELECT id, lang_name FROM content_language WHERE id IN ? ORDER BY id", "lang_name", langs)
	if err != nil || !channels {
		return out, err
	}
	out["channels"], err = names(tx, `SELECT id, name FROM content_channelmetadata WHERE id IN ? ORDER BY "order", id`, "name", inChannels)
	return out, err
}

// names answers with {id, <label>} for each of some ids.
func names(tx *store.Tx, query, label string, ids map[string]bool) ([]map[string]any, error) {
	list := make([]string, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	return store.Select(tx, func(row store.Scanner) (map[string]any, error) {
		var id string
		var name *string
		err := row.Scan(&id, &name)
		return map[string]any{"id": id, label: name}, err
	}, query, store.In(list))
}
