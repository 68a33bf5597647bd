package main

import (
	"encoding/binary"
	"errors"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fileNames are the texts that become parts of file names. They are kept ready for that: what turns
// accents into plain letters would be a tenth of a megabyte in the tab.
// kolibri/plugins/facility/views.py: download_csv_file
var fileNames = []string{
	"Default name for the exported CSV file with content session logs. Please keep the underscores between words in the translation\x04content_session_logs_from_",
	"Default name for the exported CSV file with content summary logs. Please keep the underscores between words in the translation\x04content_summary_logs_from_",
	"Default name for the exported CSV file with content summary logs. Please keep the underscores between words in the translation\x04to_",
	"Default name for the exported CSV file of facility user data. Please keep the underscore between words in the translation\x04users",
}

var noSlug, blanks = regexp.MustCompile(`[^\w\s-]`), regexp.MustCompile(`[-\s]+`)

// slug is django.utils.text.slugify.
func slug(text string) string {
	text = strings.Map(func(c rune) rune {
		if c > unicode.MaxASCII {
			return -1
		}
		return c
	}, norm.NFKD.String(text))
	text = noSlug.ReplaceAllString(strings.ToLower(text), "")
	return strings.Trim(blanks.ReplaceAllString(text, "-"), "-_")
}

// catalog are the translations of a compiled gettext file by their English text.
type catalog map[string]string

// readMO reads a little-endian GNU .mo file: two tables of (length, offset), of the originals and
// of the translations.
func readMO(b []byte) (catalog, error) {
	bad := errors.New("not a gettext catalog")
	if len(b) < 20 || binary.LittleEndian.Uint32(b) != 0x950412de {
		return nil, bad
	}
	word := func(at uint32) uint32 {
		if uint64(at)+4 > uint64(len(b)) {
			return ^uint32(0)
		}
		return binary.LittleEndian.Uint32(b[at:])
	}
	text := func(table, i uint32) (string, bool) {
		length, from := uint64(word(table+8*i)), uint64(word(table+8*i+4))
		if from+length > uint64(len(b)) {
			return "", false
		}
		return string(b[from : from+length]), true
	}
	c := catalog{}
	for i := range word(8) {
		original, ok := text(word(12), i)
		translated, ok2 := text(word(16), i)
		if !ok || !ok2 {
			return nil, bad
		}
		original, _, _ = strings.Cut(original, "\x00") // plural forms follow
		c[original] = translated
	}
	return c, nil
}

// get is the translation of a text, or the text itself. The text may have a context before it.
func (c catalog) get(text string) string {
	if t := c[text]; t != "" {
		return t
	}
	if _, plain, ok := strings.Cut(text, "\x04"); ok {
		return plain
	}
	return text
}
