// Package csv reads and writes the files that people exchange with Kolibri, as the original does with
// Python's csv module: UTF-8 with or without a byte order mark, any kind of line ends, strict quotes,
// and formulas made harmless (kolibri/core/utils/csv.py).
package csv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxField is the most that a field may have (Python's csv.field_size_limit).
const maxField = 131072

// What is wrong with a file, in the words of Python's csv module.
var (
	ErrQuote = errors.New(`',' expected after '"'`)
	ErrEnd   = errors.New("unexpected end of data")
	ErrField = fmt.Errorf("field larger than field limit (%d)", maxField)
)

// bom is what the original begins its files with, so that spreadsheets know the encoding.
const bom = "\ufeff"

// chunk is how much of a file Python's text layer decodes at once.
const chunk = 8192

// Decode returns the text of a file without its byte order mark. What is no UTF-8 is refused in the
// words of Python's codec, naming the bytes and their place in what it had read at once.
func Decode(data []byte) (string, error) {
	text := string(bytes.TrimPrefix(data, []byte(bom)))
	if utf8.ValidString(text) {
		return text, nil
	}
	bad := 0
	for {
		r, size := utf8.DecodeRuneInString(text[bad:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		bad += size
	}
	return "", undecodable(data, len(data)-len(text)+bad)
}

// undecodable says what is wrong with the first bytes of a file that are no UTF-8, which begin at bad.
func undecodable(data []byte, bad int) error {
	// as many bytes are to blame as could begin a character
	size := 1
	for bad+size < len(data) && !utf8.FullRune(data[bad:bad+size+1]) {
		size++
	}
	reason, noticed := "invalid continuation byte", bad+size
	switch {
	case utf8.FullRune(data[bad : bad+1]):
		reason, noticed = "invalid start byte", bad
	case bad+size == len(data):
		reason = "unexpected end of data"
	}
	// The codec counts from where it went on: the chunk in which it noticed, and before that the
	// beginning of a character that the last chunk had not all of. At the end that is all there is.
	start := noticed - noticed%chunk
	switch {
	case reason == "unexpected end of data":
		start = bad
	case start == 0 && bytes.HasPrefix(data, []byte(bom)):
		start = len(bom)
	}
	if start > bad {
		start = bad
	}
	for start < bad && !utf8.RuneStart(data[start]) {
		start--
	}
	if size == 1 {
		return fmt.Errorf("'utf-8' codec can't decode byte 0x%02x in position %d: %s", data[bad], bad-start, reason)
	}
	return fmt.Errorf("'utf-8' codec can't decode bytes in position %d-%d: %s", bad-start, bad-start+size-1, reason)
}

// Lines counts the lines of a text as Python's readlines does, those within quotes included.
func Lines(text string) int {
	n := strings.Count(text, "\n") + strings.Count(text, "\r") - strings.Count(text, "\r\n")
	if text != "" && !strings.HasSuffix(text, "\n") && !strings.HasSuffix(text, "\r") {
		n++
	}
	return n
}

// Reader reads the records of a text.
type Reader struct{ rest string }

// NewReader reads a decoded text.
func NewReader(text string) *Reader { return &Reader{text} }

// Read returns the next record, an empty one for an empty line, or io.EOF.
func (r *Reader) Read() ([]string, error) {
	if r.rest == "" {
		return nil, io.EOF
	}
	record := []string{}
	if r.endOfLine() {
		return record, nil
	}
	for {
		field, err := r.field()
		if err != nil {
			return nil, err
		}
		if len(field) > maxField && utf8.RuneCountInString(field) > maxField {
			return nil, ErrField
		}
		record = append(record, field)
		if r.rest == "" || r.endOfLine() {
			return record, nil
		}
		r.rest = r.rest[1:] // the comma
	}
}

// endOfLine passes over the end of a line, if that is what comes next.
func (r *Reader) endOfLine() bool {
	switch {
	case strings.HasPrefix(r.rest, "\r\n"):
		r.rest = r.rest[2:]
	case strings.HasPrefix(r.rest, "\n"), strings.HasPrefix(r.rest, "\r"):
		r.rest = r.rest[1:]
	default:
		return false
	}
	return true
}

// field reads up to a comma, the end of the line or the end of the text.
func (r *Reader) field() (string, error) {
	if !strings.HasPrefix(r.rest, `"`) {
		end := strings.IndexAny(r.rest, ",\r\n")
		if end < 0 {
			end = len(r.rest)
		}
		field := r.rest[:end]
		r.rest = r.rest[end:]
		return field, nil
	}
	r.rest = r.rest[1:]
	var before strings.Builder // what came before doubled quotes
	for {
		end := strings.IndexByte(r.rest, '"')
		if end < 0 {
			return "", ErrEnd
		}
		piece, after := r.rest[:end], r.rest[end+1:]
		r.rest = after
		if strings.HasPrefix(after, `"`) {
			before.WriteString(piece + `"`)
			r.rest = after[1:]
			continue
		}
		if after != "" && strings.IndexByte(",\r\n", after[0]) < 0 {
			return "", ErrQuote
		}
		if before.Len() == 0 {
			return piece, nil
		}
		return before.String() + piece, nil
	}
}

// Writer writes records.
type Writer struct {
	w     io.Writer
	begun bool
	line  []byte
}

// NewWriter writes a file to w, which should be buffered.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write writes a record as it is; fields that people filled go through Sanitize first.
func (w *Writer) Write(record ...string) error {
	w.line = w.line[:0]
	if !w.begun {
		w.begun, w.line = true, append(w.line, bom...)
	}
	for i, field := range record {
		if i > 0 {
			w.line = append(w.line, ',')
		}
		if !strings.ContainsAny(field, ",\"\r\n") && (field != "" || len(record) > 1) {
			w.line = append(w.line, field...)
			continue
		}
		w.line = append(w.line, '"')
		w.line = append(w.line, strings.ReplaceAll(field, `"`, `""`)...)
		w.line = append(w.line, '"')
	}
	w.line = append(w.line, '\r', '\n')
	_, err := w.w.Write(w.line)
	return err
}

// Sanitize makes a field harmless that a spreadsheet would take for a formula: it gets an apostrophe
// in front. Numbers stay what they are.
func Sanitize(field string) string {
	if field == "" || strings.IndexByte("@+-=|%", field[0]) < 0 || isNumber(field) {
		return field
	}
	return "'" + strings.ReplaceAll(field, "|", `\|`)
}

func isNumber(field string) bool {
	digits := strings.TrimPrefix(field, "-")
	return digits != "" && strings.Trim(digits, "0123456789,.") == ""
}
