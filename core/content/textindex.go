package content

import (
	"database/sql/driver"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"kolibri/store"
)

// maxText bounds what a text index keeps in memory, in bytes, to which maxNodes adds some 100 each; a larger
// library is searched by the database.
const (
	maxText  = 24 << 20
	maxNodes = 200_000
)

// maxFound bounds the searches whose results an index remembers: a page that is shown asks for the same
// several times, and the next page too.
const maxFound = 32

// textIndex answers which nodes hold a word, without reading 20,000 rows for each key that is pressed:
// it keeps the titles and descriptions of a state of the library, in small letters, as SQLite's LIKE
// compares them (A to Z only), and what a search asks of the nodes.
type textIndex struct {
	mu      sync.Mutex
	key     string // of the library's state
	library *libraryTexts
}

// libraryTexts are the texts of a state of the library. A node is named by its place in nodes, which
// are in the order of byLeft.
type libraryTexts struct {
	nodes                []textNode
	titles, descriptions texts
	channels, kinds      []string
	langs                []string

	mu    sync.Mutex
	found map[string][]int32
}

// textNode is a node. content, channel, kind and lang are numbers of the same of others.
type textNode struct {
	row, left, tree     int64
	labels              labelMasks
	content             int32
	channel, kind, lang int16
	available           bool
}

// texts are many texts, one behind the other.
type texts struct {
	all  string
	ends []int32 // of each text, the separator included
}

// separator stands between texts; a word that holds it matches nothing in the index.
const separator = "\x00"

// of is the index of a transaction's library, or nil where the database must search itself.
func (x *textIndex) of(tx *store.Tx) (*libraryTexts, error) {
	if tx.Dialect() != store.SQLite {
		return nil, nil
	}
	key, err := CacheKey(tx)
	if err != nil {
		return nil, err
	}
	// VACUUM numbers the rows anew, and the schema's version with them
	schema, err := tx.Int("PRAGMA schema_version")
	if err != nil {
		return nil, err
	}
	key += " " + strconv.FormatInt(schema, 10)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.key == key {
		return x.library, nil
	}
	x.key, x.library = "", nil
	var size, nodes int64
	if err := tx.QueryRow("SELECT coalesce(sum(length(title) + coalesce(length(description), 0)), 0), count(*) FROM content_contentnode").Scan(&size, &nodes); err != nil {
		return nil, err
	}
	if size <= maxText && nodes <= maxNodes {
		if x.library, err = readTexts(tx); err != nil {
			return nil, err
		}
	}
	x.key = key
	return x.library, nil
}

func readTexts(tx *store.Tx) (*libraryTexts, error) {
	l := &libraryTexts{found: map[string][]int32{}}
	var titles, descriptions strings.Builder
	contents := map[string]int32{}
	labels := ""
	for _, f := range labelFields {
		labels += ", coalesce(" + f.column() + ", 0)"
	}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var n textNode
		var title, content, channel, kind, lang string
		var description *string
		targets := []any{&n.row, &n.left, &n.tree, &n.available, &content, &channel, &kind, &lang, &title, &description}
		for i := range n.labels {
			targets = append(targets, &n.labels[i])
		}
		if err := row.Scan(targets...); err != nil {
			return err
		}
		number, known := contents[content]
		if !known {
			number = int32(len(contents))
			contents[content] = number
		}
		n.content, n.channel, n.kind = number, numbered(&l.channels, channel), numbered(&l.kinds, kind)
		n.lang = numbered(&l.langs, lang)
		l.nodes = append(l.nodes, n)
		titles.WriteString(lowerASCII(title))
		titles.WriteString(separator)
		if description != nil {
			descriptions.WriteString(lowerASCII(*description))
		}
		descriptions.WriteString(separator)
		l.titles.ends = append(l.titles.ends, int32(titles.Len()))
		l.descriptions.ends = append(l.descriptions.ends, int32(descriptions.Len()))
		return nil
	}, "SELECT rowid, lft, tree_id, available, content_id, channel_id, kind, coalesce(lang_id, ''), title, description"+labels+" FROM content_contentnode ORDER BY lft, id")
	l.titles.all, l.descriptions.all = titles.String(), descriptions.String()
	return l, err
}

// numbered is the place of a text in a short list, which it is added to.
func numbered(list *[]string, text string) int16 {
	at := slices.Index(*list, text)
	if at < 0 {
		at = len(*list)
		*list = append(*list, text)
	}
	return int16(at)
}

// match returns the places of the nodes one of whose texts holds all words, in their order. ok is false
// where the database must find them itself.
func (l *libraryTexts) match(column string, words []string) (places []int32, ok bool) {
	if l == nil {
		return nil, false
	}
	name := column + separator + strings.Join(words, separator)
	l.mu.Lock()
	defer l.mu.Unlock()
	if places, ok = l.found[name]; ok {
		return places, true
	}
	in := &l.titles
	if column == "n.description" {
		in = &l.descriptions
	}
	if len(words) == 0 {
		places = in.holding("")
	}
	for i, w := range words {
		if strings.Contains(w, separator) {
			return nil, false
		}
		w = lowerASCII(w)
		if i == 0 {
			// the longest word is likely the rarest; any order gives the same result
			places = in.holding(w)
		} else {
			places = slices.DeleteFunc(places, func(n int32) bool { return !strings.Contains(in.text(n), w) })
		}
	}
	if len(l.found) >= maxFound {
		clear(l.found)
	}
	l.found[name] = places
	return places, true
}

// search returns the places of the nodes whose title, or whose description, holds all words.
func (l *libraryTexts) search(words []string) (places []int32, ok bool) {
	titles, ok := l.match("n.title", words)
	if !ok {
		return nil, false
	}
	if len(words) == 0 {
		return titles, true
	}
	descriptions, ok := l.match("n.description", words)
	return merged(titles, descriptions), ok
}

// labelled are those places whose nodes have all the labels named.
func (l *libraryTexts) labelled(places []int32, masks labelMasks) (some []int32) {
	if masks == (labelMasks{}) {
		return places
	}
	for _, n := range places {
		has := true
		for i, bits := range masks {
			has = has && l.nodes[n].labels[i]&bits == bits
		}
		if has {
			some = append(some, n)
		}
	}
	return some
}

// matches are nodes that an index found, as the one argument of amongMatches: a statement of thousands
// takes SQLite longer to read than to run.
type matches struct {
	in     *libraryTexts
	name   string // different for different places of the same library
	places []int32
}

// Value implements driver.Valuer.
func (m matches) Value() (driver.Value, error) {
	b := make([]byte, 0, 7*len(m.places)+2)
	b = append(b, '[')
	for i, n := range m.places {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, m.in.nodes[n].row, 10)
	}
	return string(append(b, ']')), nil
}

// String tells them from others, for what is kept by it.
func (m matches) String() string { return m.name }

// behind are those that stand behind a place in byLeft.
func (m matches) behind(left int64) matches {
	m.places = m.places[sort.Search(len(m.places), func(i int) bool { return m.in.nodes[m.places[i]].left > left }):]
	return m
}

// text is the n-th text.
func (t *texts) text(n int32) string {
	start := int32(0)
	if n > 0 {
		start = t.ends[n-1]
	}
	return t.all[start:t.ends[n]]
}

// holding lists the texts that hold a word.
func (t *texts) holding(word string) (found []int32) {
	if word == "" {
		for n := range t.ends {
			found = append(found, int32(n))
		}
		return found
	}
	for at := 0; at < len(t.all); {
		i := strings.Index(t.all[at:], word)
		if i < 0 {
			break
		}
		n, _ := slices.BinarySearch(t.ends, int32(at+i+1))
		found = append(found, int32(n))
		at = int(t.ends[n])
	}
	return found
}

// merged are the places of two lists in their order, each once.
func merged(a, b []int32) []int32 {
	all := make([]int32, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			all, a = append(all, a[0]), a[1:]
		case a[0] > b[0]:
			all, b = append(all, b[0]), b[1:]
		default:
			all, a, b = append(all, a[0]), a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// lowerASCII makes the letters A to Z small and leaves all others.
func lowerASCII(text string) string {
	if strings.IndexFunc(text, func(c rune) bool { return c >= 'A' && c <= 'Z' }) < 0 {
		return text
	}
	b := []byte(text)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
