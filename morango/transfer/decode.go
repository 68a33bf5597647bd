package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kolibri/core/api/nesting"
	"kolibri/store"
)

// failure is why a record could not be brought into the apps. class is the Python exception that the
// original would note, so that homes which both programs use agree.
type failure struct{ class, text string }

// Error implements error.
func (f *failure) Error() string { return f.text }

// IntegrityError is what a store row's deserialization_exception says when the database refused the
// record, as for a value that must be unique.
const IntegrityError = "django.db.utils.IntegrityError"

const (
	classInvalid   = "django.core.exceptions.ValidationError"
	classIntegrity = IntegrityError
	classValue     = "builtins.ValueError"
	classParent    = "morango.errors.MorangoMissingParent"
)

func invalid(format string, args ...any) error {
	return &failure{classInvalid, fmt.Sprintf(format, args...)}
}

// decode reads a record's fields in the order of the model's columns. Fields that the record does not
// name get the model's defaults, as when an older Kolibri made it.
func (m *model) decode(tx *store.Tx, r *storeRow) ([]any, error) {
	all, err := pairs(r.serialized)
	if err != nil {
		return nil, &failure{classValue, "the record is no JSON object"}
	}
	raws := make([]string, len(m.fields)) // JSON; "" for a field that the record does not name
	for _, p := range all {
		if i, ok := m.byName[p.name]; ok {
			raws[i] = p.value
		}
	}
	m.forgive(raws)
	values := make([]any, len(m.fields))
	for i := range m.fields {
		f := &m.fields[i]
		if f.isOfIdentity {
			continue
		}
		raw := raws[i]
		if raw == "" {
			if raw = f.fallback; !f.hasFallback {
				raw = "null"
			}
			if f.fallback == "now" {
				values[i] = f.moment(tx.Now())
				continue
			}
			if f.kind == kindJSON && f.hasFallback {
				values[i] = f.fallback
				continue
			}
			if f.blank && !f.hasFallback && !f.null {
				raw = `""`
			}
		}
		value, err := f.decode(raw)
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	values[m.byName["id"]] = r.id
	values[m.byName["_morango_source_id"]] = r.source
	values[m.byName["_morango_partition"]] = r.partition
	if raw := raws[m.byName["id"]]; raw != "" && plainID(unquoted(raw)) != r.id {
		return nil, invalid("the record calls itself %.40s", raw)
	}
	return values, m.checkPlace(r, values)
}

// forgive mends what other devices are known to send (kolibri/core/auth/models.py: deserialize).
func (m *model) forgive(raws []string) {
	mend := func(field, value string) {
		if raw := &raws[m.byName[field]]; *raw == "" || *raw == "null" || *raw == `""` {
			*raw = value
		}
	}
	switch m.Name {
	case "facilityuser":
		mend("password", `"NOT_SPECIFIED"`)
	case "adhoclearnersgroup":
		mend("name", `"Ad hoc"`)
	}
	if m.collection != "" {
		raws[m.byName["kind"]] = `"` + m.collection + `"`
	}
}

// checkPlace refuses a record whose content belongs elsewhere than its partition says: the scope of a
// session covers partitions, and must not be a way into another facility or another user's records.
func (m *model) checkPlace(r *storeRow, values []any) error {
	dataset, rest, _ := strings.Cut(r.partition, ":")
	if m.dataset >= 0 && values[m.dataset] != dataset {
		return invalid("the record is of another facility than its partition")
	}
	part, user, _ := strings.Cut(rest, ":")
	if m.user >= 0 && (part == "user-ro" || part == "user-rw") && values[m.user] != user {
		return invalid("the record is of another user than its partition")
	}
	return nil
}

// decode reads a value as it travels and gives what the column takes.
func (f *field) decode(raw string) (any, error) {
	text, isText := unquoted(raw), raw[0] == '"'
	if raw == "null" && f.kind != kindJSON {
		if !f.null {
			return nil, invalid("%s: This field cannot be null.", f.name)
		}
		return nil, nil
	}
	switch f.kind {
	case kindText:
		return f.decodeText(raw, text, isText)
	case kindID, kindUUID:
		if text == "" && f.null && isText {
			return nil, nil
		}
		id := plainID(text)
		if id == "" {
			return nil, &failure{classValue, fmt.Sprintf("%s: %.60s is no id", f.name, raw)}
		}
		return id, nil
	case kindBool:
		switch text {
		case "true", "True", "t", "1":
			return true, nil
		case "false", "False", "f", "0":
			return false, nil
		}
		return nil, invalid("%s: %.60s is neither true nor false", f.name, raw)
	case kindInt, kindFloat:
		return f.decodeNumber(raw, text)
	case kindZoned:
		return f.decodeZoned(raw, text, isText)
	case kindTime:
		var t store.NullTime
		if !isText || t.Scan(text) != nil {
			return nil, invalid("%s: %.60s is no time", f.name, raw)
		}
		return t.Time, nil
	}
	return f.decodeJSON(raw, text, isText)
}

func (f *field) decodeText(raw string, text string, isText bool) (any, error) {
	switch {
	case !isText && (raw[0] == '{' || raw[0] == '['):
		return nil, invalid("%s: %.60s is no text", f.name, raw)
	case text == "" && !f.blank && !f.null:
		return nil, invalid("%s: This field cannot be blank.", f.name)
	case f.size > 0 && utf8.RuneCountInString(text) > f.size:
		return nil, invalid("%s: Ensure this value has at most %d characters (it has %d).", f.name, f.size, utf8.RuneCountInString(text))
	case text != "" && len(f.choices) > 0 && !slices.Contains(f.choices, text):
		return nil, invalid("%s: Value %.60q is not a valid choice.", f.name, text)
	}
	return text, nil
}

func (f *field) decodeNumber(raw string, text string) (any, error) {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || number < f.least || number > f.most {
		return nil, invalid("%s: %.60s is no possible number", f.name, raw)
	}
	if f.kind == kindFloat {
		return number, nil
	}
	whole, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		if number != float64(int32(number)) {
			return nil, invalid("%s: %.60s is no integer", f.name, raw)
		}
		whole = int64(number)
	}
	return whole, nil
}

// usualZoned tells whether a text is as DateTimeTzField writes it; anything else is brought into this
// form. Package regexp would be a hundredth of the tab's whole module.
func usualZoned(text string) bool {
	const clock = "0000-00-00 00:00:00.000000"
	if len(text) < len(clock)+3 || !shaped(text[:len(clock)], clock) {
		return false
	}
	zone, opened := strings.CutPrefix(text[len(clock):], "(")
	zone, closed := strings.CutSuffix(zone, ")")
	return opened && closed && zone != "" && strings.Trim(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/-") == ""
}

func withOffset(text string) bool {
	const offset = "+00:00"
	if len(text) < len(offset) {
		return false
	}
	end := text[len(text)-len(offset):]
	return shaped(end, offset) || shaped(end, "-00:00")
}

// shaped tells whether a text has a digit where the pattern has a 0, and the pattern's bytes elsewhere.
func shaped(text, pattern string) bool {
	if len(text) != len(pattern) {
		return false
	}
	for i := range pattern {
		if digit := text[i] >= '0' && text[i] <= '9'; pattern[i] == '0' && !digit || pattern[i] != '0' && text[i] != pattern[i] {
			return false
		}
	}
	return true
}

func (f *field) decodeZoned(raw string, text string, isText bool) (any, error) {
	t, err := store.ParseZoned(text)
	if !isText || err != nil {
		return nil, invalid("%s: %.60s is no time", f.name, raw)
	}
	if usualZoned(text) {
		return text, nil
	}
	if i := strings.IndexByte(text, '('); i >= 0 && !withOffset(text[:i]) && strings.HasSuffix(text, ")") {
		return t.Format(store.DateTime) + text[i:], nil
	}
	return store.FormatZoned(t), nil
}

// decodeJSON: the value travels as a text that holds JSON; older devices sent the value itself.
func (f *field) decodeJSON(raw string, text string, isText bool) (any, error) {
	if !isText {
		text = raw
	}
	if err := nesting.Check(text); err != nil {
		return nil, invalid("%s: %s", f.name, err)
	}
	if isText && !json.Valid([]byte(text)) { // the original keeps such a text as a value
		return string(appendText(nil, text)), nil
	}
	if strings.TrimSpace(text) == "null" && f.null {
		return nil, nil
	}
	return text, nil
}

// moment is a time as the column keeps it.
func (f *field) moment(t time.Time) any {
	if f.kind == kindZoned {
		return store.FormatZoned(t)
	}
	return t
}

// unquoted is the content of a JSON text, or the value itself when it is of another type.
func unquoted(raw string) string {
	if len(raw) > 1 && raw[0] == '"' {
		return unquote(raw)
	}
	return raw
}

// plainID is an id in 32 hex digits, or "" for what is none.
func plainID(text string) string {
	if len(text) == 36 {
		text = strings.ReplaceAll(text, "-", "")
	}
	if text = strings.ToLower(text); !isID(text) {
		return ""
	}
	return text
}

// classOf names the Python exception that the original would note for an error.
func classOf(err error) string {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f.class
	case errors.Is(err, store.ErrUnique), errors.Is(err, store.ErrForeignKey), errors.Is(err, store.ErrConstraint):
		return classIntegrity
	}
	return classValue
}
