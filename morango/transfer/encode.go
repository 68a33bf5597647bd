package transfer

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"kolibri/store"
)

// appendRow writes a row as morango serializes it: the fields in model order, in the form of
// Python's json.dumps (morango/models/core.py: serialize).
func (m *model) appendRow(b []byte, values []any) ([]byte, error) {
	b = append(b, '{')
	for i := range m.fields {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendText(b, m.fields[i].name)
		b = append(b, ": "...)
		var err error
		if b, err = m.fields[i].append(b, values[i]); err != nil {
			return nil, fmt.Errorf("morango: %s.%s: %w", m.Name, m.fields[i].name, err)
		}
	}
	return append(b, '}'), nil
}

// append writes a column's value as it travels.
func (f *field) append(b []byte, value any) ([]byte, error) {
	if raw, ok := value.([]byte); ok {
		value = string(raw)
	}
	if value == nil {
		if f.kind == kindJSON {
			return append(b, `"null"`...), nil
		}
		return append(b, "null"...), nil
	}
	switch v := value.(type) {
	case string:
		switch f.kind {
		case kindUUID:
			if len(v) == 32 {
				v = v[:8] + "-" + v[8:12] + "-" + v[12:16] + "-" + v[16:20] + "-" + v[20:]
			}
			return appendText(b, v), nil
		case kindTime:
			var t store.NullTime
			if err := t.Scan(v); err != nil {
				return nil, err
			}
			return appendTime(b, t.Time), nil
		case kindBool, kindInt, kindFloat:
			return nil, fmt.Errorf("%q is not of the column's type", v)
		}
		return appendText(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		switch f.kind {
		case kindBool:
			return strconv.AppendBool(b, v != 0), nil
		case kindFloat:
			return appendFloat(b, float64(v))
		case kindInt:
			return strconv.AppendInt(b, v, 10), nil
		}
		return appendText(b, strconv.FormatInt(v, 10)), nil // SQLite lets numbers stand in text columns
	case float64:
		return appendFloat(b, v)
	case time.Time:
		if f.kind == kindZoned {
			return appendText(b, store.FormatZoned(v)), nil
		}
		return appendTime(b, v), nil
	}
	return nil, fmt.Errorf("a %T cannot travel", value)
}

// appendTime writes a moment as Django's JSON encoder does, which cuts microseconds off.
func appendTime(b []byte, t time.Time) []byte {
	layout := "2006-01-02T15:04:05.000Z"
	if t.Nanosecond()/1000 == 0 {
		layout = "2006-01-02T15:04:05Z"
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, layout)
	return append(b, '"')
}

// appendFloat writes a number as Python's repr does.
func appendFloat(b []byte, v float64) ([]byte, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("%v cannot travel", v)
	}
	format := byte('f')
	if size := math.Abs(v); size != 0 && (size < 1e-4 || size >= 1e16) {
		format = 'e'
	}
	start := len(b)
	b = strconv.AppendFloat(b, v, format, -1, 64)
	if format == 'f' && bytes.IndexByte(b[start:], '.') < 0 {
		b = append(b, ".0"...)
	}
	return b, nil
}

const hexDigits = "0123456789abcdef"

// plainASCII are the characters that stand for themselves in JSON of ASCII.
var plainASCII = func() (is [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

// appendText writes a text as JSON in ASCII.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plainASCII[c] {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		if c < utf8.RuneSelf {
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, `\n`...)
			case '\r':
				b = append(b, `\r`...)
			case '\t':
				b = append(b, `\t`...)
			case '\b':
				b = append(b, `\b`...)
			case '\f':
				b = append(b, `\f`...)
			default:
				b = appendEscape(b, uint16(c))
			}
			i++
		} else {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r >= 0x10000 {
				r -= 0x10000
				b = appendEscape(b, 0xd800+uint16(r>>10))
				b = appendEscape(b, 0xdc00+uint16(r&0x3ff))
			} else {
				b = appendEscape(b, uint16(r))
			}
			i += size
		}
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendEscape(b []byte, unit uint16) []byte {
	return append(b, '\\', 'u', hexDigits[unit>>12], hexDigits[unit>>8&15], hexDigits[unit>>4&15], hexDigits[unit&15])
}

// merged puts the fields of a new serialization into an earlier one, so that what this program does
// not know stays in the record. What was no object is replaced.
func merged(earlier string, fresh []byte) ([]byte, error) {
	old, err := pairs(earlier)
	if err != nil || len(old) == 0 {
		return fresh, nil
	}
	now, err := pairs(string(fresh))
	if err != nil {
		return nil, err
	}
	place := make(map[string]int, len(old))
	for i, p := range old {
		place[p.name] = i
	}
	for _, p := range now {
		if i, ok := place[p.name]; ok {
			old[i].value = p.value
		} else {
			old = append(old, p)
		}
	}
	return joined(old), nil
}

// joined writes an object of members.
func joined(all []pair) []byte {
	b := []byte{'{'}
	for i, p := range all {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendText(b, p.name)
		b = append(b, ": "...)
		b = append(b, p.value...)
	}
	return append(b, '}')
}

var errNoObject = fmt.Errorf("morango: a record is no JSON object")
