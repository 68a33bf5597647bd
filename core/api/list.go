package api

import (
	"net/http"
	"strconv"
)

// Element cleans one element of a list. wrong is nil, or says what is wrong with the element as the
// answer shows it: a list of messages, or messages by field.
type Element func(r *Request, v any) (value, wrong any)

// Each makes an element of what cleans a field.
func Each(clean func(r *Request, v any) (value any, id, message string)) Element {
	return func(r *Request, v any) (any, any) {
		value, id, message := clean(r, v)
		if id != "" {
			return nil, []string{message}
		}
		return value, nil
	}
}

// Objects makes an element with fields of its own, cleaned to Values. As in the original, a PATCH
// lets them leave out fields too.
func Objects(fields ...Field) Element {
	return func(r *Request, v any) (any, any) {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, map[string][]string{"non_field_errors": {"Invalid data. Expected a dictionary, but got " + pythonType(v) + "."}}
		}
		var bad Invalidities
		values := r.CleanInto(&bad, "", object, fields, r.HTTP.Method == http.MethodPatch)
		if wrong := bad.byField(); len(wrong) > 0 {
			return nil, wrong
		}
		return values, nil
	}
}

// cleanRows cleans a list of objects. What is wrong with the list itself, or with an element that is
// null, shows only when no element has a wrong field: the original finds ids for those alone.
func (r *Request) cleanRows(bad *Invalidities, prefix string, f Field, raw any, partial bool, values Values) {
	name := prefix + f.Name
	list, ok := raw.([]any)
	if !ok {
		bad.nest(name, map[string][]string{"non_field_errors": {`Expected a list of items but got type "` + pythonType(raw) + `".`}})
		return
	}
	out, faults, nulls := make([]any, 0, len(list)), make([]any, len(list)), false
	for i, v := range list {
		faults[i] = struct{}{}
		switch object, ok := v.(map[string]any); {
		case ok:
			out = append(out, r.CleanInto(bad, name+".", object, f.Rows, partial))
		case v == nil:
			faults[i], nulls = []string{"This field may not be null."}, true
		default:
			bad.Add(Invalid, name+".non_field_errors", "Invalid data. Expected a dictionary, but got "+pythonType(v)+".")
		}
	}
	if nulls {
		bad.nest(name, faults)
	}
	values[f.Name] = out
}

// cleanList cleans a list of elements; what is wrong with them is kept by their places.
func (r *Request) cleanList(bad *Invalidities, prefix string, f Field, raw any, values Values) {
	list, ok := raw.([]any)
	if !ok {
		bad.Add("NOT_A_LIST", prefix+f.Name, `Expected a list of items but got type "`+pythonType(raw)+`".`)
		return
	}
	out, wrong := make([]any, 0, len(list)), map[string]any{}
	for i, v := range list {
		if v == nil {
			wrong[strconv.Itoa(i)] = []string{"This field may not be null."}
			continue
		}
		value, w := f.List(r, v)
		if w != nil {
			wrong[strconv.Itoa(i)] = w
			continue
		}
		out = append(out, value)
	}
	if len(wrong) > 0 {
		bad.nest(prefix+f.Name, wrong)
		return
	}
	if f.MaxItems > 0 && len(out) > f.MaxItems {
		bad.Add(MaxLength, prefix+f.Name, "Ensure this field has no more than "+strconv.Itoa(f.MaxItems)+" elements.")
		return
	}
	values[f.Name] = out
}

// nest notes what is wrong within a field.
func (v *Invalidities) nest(field string, wrong any) {
	if v.nested == nil {
		v.nested = map[string]any{}
	}
	v.nested[field] = wrong
}

// byField are all errors by field, as an error within another field shows them.
func (v *Invalidities) byField() map[string]any {
	all := map[string]any{}
	for name, wrong := range v.nested {
		all[name] = wrong
	}
	for _, i := range v.items {
		name, _ := i.Metadata["field"].(string)
		messages, _ := all[name].([]any)
		all[name] = append(messages, i.Metadata["message"])
	}
	return all
}
