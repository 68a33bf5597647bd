package api

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kolibri/store"
)

// Field describes one field of a body, as Django REST framework's serializer fields do. Clean turns
// the JSON value into the value to store; it returns an id and message when it cannot.
type Field struct {
	Name     string
	Optional bool // a create may leave it out
	Null     bool // null is allowed
	Default  any  // what a create gets when it is left out (nil: absent from the result)
	Clean    func(r *Request, v any) (value any, id, message string)
	// Many cleans each element of a list.
	Many bool
	// List cleans the elements of a list; unlike with Many, the answer tells which of them are wrong,
	// and how. MaxItems limits how many there may be (0: no limit).
	List     Element
	MaxItems int
	// Rows are the fields of each element of a list of objects, which becomes a []any of Values. Errors
	// name the fields ("records.user"), as those of Django REST framework's nested serializers do; a
	// PATCH lets the elements leave out fields too.
	Rows []Field
}

// Values are cleaned fields by name.
type Values map[string]any

// String returns a text value, or "" when it is absent or null.
func (v Values) String(name string) string { s, _ := v[name].(string); return s }

// Bool returns a boolean value.
func (v Values) Bool(name string) bool { b, _ := v[name].(bool); return b }

// Int returns a whole number.
func (v Values) Int(name string) int64 { n, _ := v[name].(int64); return n }

// Has tells whether the field was given (or had a default).
func (v Values) Has(name string) bool { _, ok := v[name]; return ok }

// Clean validates an object against fields. In a partial update (PATCH) absent fields are passed
// over. All errors are collected into one 400.
func (r *Request) Clean(object map[string]any, fields []Field, partial bool) (Values, error) {
	var bad Invalidities
	values := r.CleanInto(&bad, "", object, fields, partial)
	return values, bad.Err()
}

// CleanInto is Clean for nested objects: prefix ("facility.") stands before the fields' names in errors.
func (r *Request) CleanInto(bad *Invalidities, prefix string, object map[string]any, fields []Field, partial bool) Values {
	values := Values{}
	for _, f := range fields {
		raw, given := object[f.Name]
		if !given {
			if partial {
				continue
			}
			if !f.Optional {
				bad.Add(Required, prefix+f.Name, "This field is required.")
			} else if f.Default != nil {
				values[f.Name] = f.Default
			}
			continue
		}
		if raw == nil {
			if !f.Null {
				bad.Add(NullID, prefix+f.Name, "This field may not be null.")
			} else {
				values[f.Name] = nil
			}
			continue
		}
		if f.Rows != nil {
			r.cleanRows(bad, prefix, f, raw, partial, values)
			continue
		}
		if f.List != nil {
			r.cleanList(bad, prefix, f, raw, values)
			continue
		}
		if f.Many {
			r.cleanMany(bad, prefix, f, raw, values)
			continue
		}
		value, id, message := f.Clean(r, raw)
		if id != "" {
			bad.Add(id, prefix+f.Name, message)
			continue
		}
		values[f.Name] = value
	}
	return values
}

func (r *Request) cleanMany(bad *Invalidities, prefix string, f Field, raw any, values Values) {
	list, ok := raw.([]any)
	if !ok {
		bad.Add("NOT_A_LIST", prefix+f.Name, `Expected a list of items but got type "`+pythonType(raw)+`".`)
		return
	}
	out := make([]any, 0, len(list))
	for _, e := range list {
		value, id, message := f.Clean(r, e)
		if id != "" {
			bad.Add(id, prefix+f.Name, message)
			return
		}
		out = append(out, value)
	}
	values[f.Name] = out
}

// CleanString accepts text (numbers become text), trims it, and refuses blanks unless allowed and
// anything longer than maxLength characters (0: no limit).
func CleanString(maxLength int, blank bool) func(*Request, any) (any, string, string) {
	return func(_ *Request, v any) (any, string, string) {
		var s string
		switch t := v.(type) {
		case string:
			s = t
		case json.Number:
			s = t.String()
		default:
			return nil, Invalid, "Not a valid string."
		}
		s = strings.TrimSpace(s)
		if strings.ContainsRune(s, 0) {
			return nil, "NULL_CHARACTERS_NOT_ALLOWED", "Null characters are not allowed."
		}
		if s == "" && !blank {
			return nil, Blank, "This field may not be blank."
		}
		if maxLength > 0 && utf8.RuneCountInString(s) > maxLength {
			return nil, MaxLength, "Ensure this field has no more than " + strconv.Itoa(maxLength) + " characters."
		}
		return s, "", ""
	}
}

// CleanBool accepts what Django REST framework's BooleanField does.
func CleanBool(_ *Request, v any) (any, string, string) {
	switch t := v.(type) {
	case bool:
		return t, "", ""
	case string:
		switch t {
		case "t", "T", "y", "Y", "yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1":
			return true, "", ""
		case "f", "F", "n", "N", "no", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0":
			return false, "", ""
		}
	case json.Number:
		switch t.String() {
		case "1":
			return true, "", ""
		case "0":
			return false, "", ""
		}
	}
	return nil, Invalid, "Must be a valid boolean."
}

// CleanInt accepts whole numbers and text that holds one.
func CleanInt(_ *Request, v any) (any, string, string) {
	var text string
	switch t := v.(type) {
	case json.Number:
		text = t.String()
	case string:
		text = strings.TrimSpace(t)
	}
	if n, err := strconv.ParseInt(strings.TrimSuffix(text, ".0"), 10, 64); err == nil {
		return n, "", ""
	}
	return nil, Invalid, "A valid integer is required."
}

// CleanFloat accepts numbers, text that holds one, and, as Python does, true and false: perseus tells
// that an answer is right by a boolean.
func CleanFloat(_ *Request, v any) (any, string, string) {
	var text string
	switch t := v.(type) {
	case bool:
		text = map[bool]string{true: "1", false: "0"}[t]
	case json.Number:
		text = t.String()
	case string:
		text = strings.TrimSpace(t)
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return n, "", ""
	}
	return nil, Invalid, "A valid number is required."
}

// CleanUUID accepts a UUID in any common form, whole numbers among them, and returns 32 hex digits
// (kolibri/core/serializers.py: HexOnlyUUIDField).
func CleanUUID(_ *Request, v any) (any, string, string) {
	var text string
	switch t := v.(type) {
	case string:
		text = t
	case bool:
		text = fmt.Sprintf("%032x", map[bool]int{true: 1}[t])
	case json.Number:
		if n, err := strconv.ParseUint(t.String(), 10, 64); err == nil {
			text = fmt.Sprintf("%032x", n)
		}
	}
	if id, ok := ParseUUID(text); ok {
		return id, "", ""
	}
	return nil, Invalid, "Must be a valid UUID."
}

// CleanChoice accepts one of the given texts.
func CleanChoice(choices ...string) func(*Request, any) (any, string, string) {
	return func(_ *Request, v any) (any, string, string) {
		var s string
		switch t := v.(type) {
		case string:
			s = t
		case json.Number:
			s = t.String()
		case bool:
			s = map[bool]string{true: "True", false: "False"}[t]
		default:
			text, _ := JSON(v)
			s = string(text)
		}
		for _, c := range choices {
			if s == c {
				return c, "", ""
			}
		}
		return nil, InvalidChoice, `"` + s + `" is not a valid choice.`
	}
}

// CleanJSON accepts anything and returns it as JSON text.
func CleanJSON(_ *Request, v any) (any, string, string) {
	text, err := JSON(v)
	if err != nil {
		return nil, Invalid, "Value must be valid JSON."
	}
	return string(text), "", ""
}

// CleanTime accepts an ISO 8601 moment and returns time.Time in UTC.
func CleanTime(_ *Request, v any) (any, string, string) {
	s, _ := v.(string)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.999999Z07:00", "2006-01-02 15:04:05.999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, s); err == nil && !t.IsZero() { // the zero time is no value here
			return t.UTC(), "", ""
		}
	}
	return nil, Invalid, "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
}

// CleanKey accepts the id of a row that the query (one ? placeholder) finds. What is no UUID is of
// the wrong type, as for all models that morango gives their ids.
func CleanKey(query string) func(*Request, any) (any, string, string) {
	return func(r *Request, v any) (any, string, string) {
		s, _ := v.(string)
		if v == "" {
			return nil, NullID, "This field may not be null."
		}
		id, valid := ParseUUID(s)
		if !valid {
			return nil, "INCORRECT_TYPE", "Incorrect type. Expected pk value, received " + pythonType(v) + "."
		}
		found, err := r.Tx.Exists(query, id)
		if err != nil || !found {
			return nil, DoesNotExist, `Invalid pk "` + s + `" - object does not exist.`
		}
		return id, "", ""
	}
}

// ParseUUID reads a UUID with or without hyphens, braces or urn prefix, and returns 32 hex digits.
func ParseUUID(s string) (string, bool) {
	s = strings.TrimPrefix(strings.ToLower(s), "urn:")
	s = strings.TrimPrefix(s, "uuid:")
	s = strings.ReplaceAll(strings.Trim(s, "{}"), "-", "")
	if len(s) != 32 {
		return "", false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", false
		}
	}
	return s, true
}

// Time is a moment in JSON as Django REST framework writes it: UTC with Z, microseconds if any.
// The zero time is null.
type Time time.Time

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	v := time.Time(t)
	if v.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + FormatTime(v) + `"`), nil
}

// Scan reads a datetime column; NULL is the zero time.
func (t *Time) Scan(src any) error {
	var n store.NullTime
	err := n.Scan(src)
	*t = Time(n.Time)
	return err
}

// FormatTime writes a moment as Python's isoformat with Z does.
func FormatTime(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000000Z")
}

// Float is a number that JSON shows with a fraction even when it is whole, as Python writes floats.
type Float float64

// MarshalJSON implements json.Marshaler.
func (f Float) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(float64(f))
	if err == nil && !strings.ContainsAny(string(b), ".eE") {
		b = append(b, ".0"...)
	}
	return b, err
}

// Truth is what Python takes a value of a JSON body for, where the original asks no more of it than that.
func Truth(value any) bool {
	switch v := value.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	case json.Number:
		f, err := v.Float64()
		return err != nil || f != 0
	}
	return value != nil
}
