package content

import (
	"strings"

	"kolibri/store"
)

// AnnotateLabels fills the bitmasks by which a channel's nodes are found by label. Each different
// text is looked at once, however many nodes have it.
// kolibri/core/content/utils/search.py: annotate_label_bitmasks
func AnnotateLabels(tx *store.Tx, channel string) error {
	if _, err := tx.Exec("CREATE TEMPORARY TABLE IF NOT EXISTS label_masks (labels text PRIMARY KEY, bits bigint NOT NULL)"); err != nil {
		return err
	}
	for _, f := range labelFields {
		texts, err := tx.Strings("SELECT DISTINCT "+f.name+" FROM content_contentnode WHERE channel_id = ? AND "+f.name+" <> ''", channel)
		if err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM label_masks"); err != nil {
			return err
		}
		for _, text := range texts {
			if _, err := tx.Exec("INSERT INTO label_masks (labels, bits) VALUES (?, ?)", text, f.contained(text)); err != nil {
				return err
			}
		}
		if _, err := tx.Exec("UPDATE content_contentnode SET "+f.column()+" = coalesce((SELECT bits FROM label_masks WHERE labels = content_contentnode."+f.name+"), 0) WHERE channel_id = ?", channel); err != nil {
			return err
		}
	}
	_, err := tx.Exec("DROP TABLE label_masks")
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

// AnnotateModality fills the modality of a channel's nodes from their options. The text is searched
// as the publisher writes it, with one space (kolibri/core/content/utils/search.py: annotate_modality).
func AnnotateModality(tx *store.Tx, channel string) error {
	cases, args := "", []any{}
	for _, m := range []string{Course, "CUSTOM_NAVIGATION", Lesson, Quiz, Survey, Unit} {
		cases += " WHEN options LIKE ? THEN ?"
		args = append(args, `%"modality": "`+m+`"%`, m)
	}
	_, err := tx.Exec("UPDATE content_contentnode SET modality = CASE"+cases+` ELSE NULL END WHERE channel_id = ? AND options LIKE '%"modality":%'`,
		append(args, channel)...)
	return err
}
