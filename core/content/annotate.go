package content

import (
	"strings"

	"kolibri/store"
)

// Annotate fills what a channel's nodes are found by, in one pass over them: the bitmasks of their
// labels, and the modality in their options. Each different text of labels is looked at once, however
// many nodes have it. The text of options is searched as the publisher writes it, with one space.
// after, unless 0, leaves out the nodes up to a place of a SQLite table.
// kolibri/core/content/utils/search.py: annotate_label_bitmasks, annotate_modality
func Annotate(tx *store.Tx, channel string, after int64) error {
	where, which := "channel_id = ?", []any{channel}
	if after > 0 {
		where, which = where+" AND rowid > ?", append(which, after)
	}
	for _, statement := range []string{
		"CREATE TEMPORARY TABLE IF NOT EXISTS label_masks (field integer, labels text, bits bigint NOT NULL, PRIMARY KEY (field, labels))", "DELETE FROM label_masks",
	} {
		if _, err := tx.Exec(statement); err != nil {
			return err
		}
	}
	var columns []string
	var args []any
	for i, f := range labelFields {
		texts, err := tx.Strings("SELECT DISTINCT "+f.name+" FROM content_contentnode WHERE "+where+" AND "+f.name+" <> ''", which...)
		if err != nil {
			return err
		}
		for _, text := range texts {
			if _, err := tx.Exec("INSERT INTO label_masks (field, labels, bits) VALUES (?, ?, ?)", i, text, f.contained(text)); err != nil {
				return err
			}
		}
		value := "0"
		if len(texts) > 0 {
			value = "coalesce((SELECT bits FROM label_masks WHERE field = ? AND labels = content_contentnode." + f.name + "), 0)"
			args = append(args, i)
		}
		columns = append(columns, f.column()+" = "+value)
	}
	modality := "modality = CASE WHEN options LIKE '%\"modality\":%' THEN CASE"
	for _, m := range []string{Course, "CUSTOM_NAVIGATION", Lesson, Quiz, Survey, Unit} {
		modality += " WHEN options LIKE ? THEN ?"
		args = append(args, `%"modality": "`+m+`"%`, m)
	}
	_, err := tx.Exec("UPDATE content_contentnode SET "+strings.Join(columns, ", ")+", "+modality+" ELSE NULL END ELSE modality END WHERE "+where, append(args, which...)...)
	return err
}

// contained joins the bits of all labels that occur in a text, one within another included: a node
// about algebra is one about mathematics.
func (f labelField) contained(text string) (bits int64) {
	for i, label := range f.labels {
		if strings.Contains(text, label) {
			bits |= 1 << i
		}
	}
	return bits
}
