package content

import (
	"fmt"
	"strings"

	"kolibri/core/api"
	"kolibri/store"
)

// words splits a search text as the original does: at blanks and common punctuation.
func words(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(`?.,!";: `, c) })
}

// critical are the words that carry meaning in some language; stop words are left out.
func (c *Content) critical(all []string) []string {
	var out []string
	for _, w := range all {
		if !c.stopwords()[w] {
			out = append(out, w)
		}
	}
	return out
}

// withLabels lets nodes through that have all the labels named of each field, whose bits are masks, and whose
// title, or whose description, holds all words of a text that matter.
// kolibri/core/content/api.py: ContentNodeFilter.filter_keywords, filter_by_labels
func (c *Content) withLabels(r *api.Request, q *api.Query, masks labelMasks, text string) error {
	all := words(text)
	if some := c.critical(all); len(some) > 0 {
		all = some
	}
	if len(all) == 0 && masks == (labelMasks{}) {
		return nil
	}
	library, err := c.texts.of(r.Tx)
	if err != nil {
		return err
	}
	if places, known := library.search(all); known {
		name := fmt.Sprint(masks, all)
		q.Where(amongMatches, matches{library, name, library.labelled(places, masks)})
		return nil
	}
	for i, bits := range masks {
		if bits != 0 {
			q.Where("n."+labelFields[i].column()+" & ? = ?", bits, bits)
		}
	}
	if len(all) > 0 {
		title, titleArgs := containsAll(r.Tx, "n.title", all)
		description, descriptionArgs := containsAll(r.Tx, "n.description", all)
		q.Where("("+title+") OR ("+description+")", append(titleArgs, descriptionArgs...)...)
	}
	return nil
}

// amongMatches is the condition that a node is one of those that the text index found.
const amongMatches = "n.rowid IN (SELECT value FROM json_each(?))"

// containsAll is the condition that a column holds all words, in capitals or not. SQLite's LIKE
// passes over the case of the letters A to Z alone, as it does in the original.
func containsAll(tx *store.Tx, column string, all []string) (string, []any) {
	like := " LIKE "
	if tx.Dialect() == store.Postgres {
		like = " ILIKE "
	}
	parts, args := make([]string, len(all)), make([]any, len(all))
	for i, w := range all {
		parts[i], args[i] = column+like+`? ESCAPE '\'`, "%"+likeEscape(w)+"%"
	}
	return strings.Join(parts, " AND "), args
}

// likeEscape takes the special meaning from a text that LIKE compares with.
func likeEscape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text)
}
