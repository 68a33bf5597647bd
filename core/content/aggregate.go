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
	set, ok := indexedLabels(whole)
	if !ok {
		if set, err = findLabels(tx, whole); err != nil {
			return nil, err
		}
	}
	found, err := set.named(tx, channels)
	if err == nil {
		c.seen.put(key, wanted, found)
	}
	return found, err
}

// labelSet are the labels, languages and channels of some nodes.
type labelSet struct {
	bits            labelMasks
	langs, channels map[string]bool
}

// indexedLabels takes the labels from the text index, where a query has no filters but what that found.
func indexedLabels(q *api.Query) (set labelSet, ok bool) {
	var found matches
	text, args := q.SQL("")
	for _, a := range args {
		if m, is := a.(matches); is {
			found, ok = m, true
		}
	}
	if !ok {
		return set, false
	}
	plain := available().Where(amongMatches, found)
	plain.Order = ""
	if alone, _ := plain.SQL(""); alone != text {
		return set, false
	}
	set.langs, set.channels = map[string]bool{}, map[string]bool{}
	langs, channels := make([]bool, len(found.in.langs)), make([]bool, len(found.in.channels))
	for _, place := range found.places {
		n := &found.in.nodes[place]
		if !n.available {
			continue
		}
		for i, b := range n.labels {
			set.bits[i] |= b
		}
		langs[n.lang], channels[n.channel] = true, true
	}
	for _, lang := range chosen(found.in.langs, langs) {
		set.langs[lang] = true
	}
	for _, channel := range chosen(found.in.channels, channels) {
		set.channels[channel] = true
	}
	return set, true
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
func findLabels(tx *store.Tx, q *api.Query) (labelSet, error) {
	columns := make([]string, len(labelFields))
	for i, f := range labelFields {
		columns[i] = "COALESCE(n." + f.column() + ", 0)"
	}
	text, args := q.SQL("DISTINCT " + strings.Join(columns, ", ") + ", COALESCE(n.lang_id, ''), n.channel_id")
	set := labelSet{langs: map[string]bool{}, channels: map[string]bool{}}
	return set, store.ForEach(tx, func(row store.Scanner) error {
		var found labelMasks
		var lang, channel string
		targets := make([]any, 0, len(found)+2)
		for i := range found {
			targets = append(targets, &found[i])
		}
		if err := row.Scan(append(targets, &lang, &channel)...); err != nil {
			return err
		}
		for i, b := range found {
			set.bits[i] |= b
		}
		set.langs[lang], set.channels[channel] = true, true
		return nil
	}, text, args...)
}

// named is the set as an answer shows it.
func (s *labelSet) named(tx *store.Tx, channels bool) (out map[string]any, err error) {
	out = map[string]any{}
	for i, f := range labelFields {
		out[f.name] = f.named(s.bits[i])
	}
	out["languages"], err = names(tx, "SELECT id, lang_name FROM content_language WHERE id IN ? ORDER BY id", "lang_name", s.langs)
	if err != nil || !channels {
		return out, err
	}
	out["channels"], err = names(tx, `SELECT id, name FROM content_channelmetadata WHERE id IN ? ORDER BY "order", id`, "name", s.channels)
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
