package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"kolibri/core/api/nesting"
)

// MaxBody is the largest body that is read into memory; uploads of files may be larger.
const MaxBody = 32 << 20

type body struct {
	value any
	form  url.Values
	files map[string][]*multipart.FileHeader
	err   error
	text  []byte // what it was read from, unless that has files
}

// Data returns the parsed body: map[string]any, []any or another JSON value. Form fields come as a
// map of strings. An empty body is an empty map. Numbers come as json.Number.
func (r *Request) Data() (any, error) {
	r.parse()
	return r.body.value, r.body.err
}

// Object returns the body as an object; anything else is a 400 as Django REST framework's
// serializers answer it.
func (r *Request) Object() (map[string]any, error) {
	v, err := r.Data()
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, FieldError(NullID, "non_field_errors", "No data provided")
	}
	return AsObject(v)
}

// AsObject is Object for one element of a body that is a list.
func AsObject(v any) (map[string]any, error) {
	if m, ok := v.(map[string]any); ok {
		return m, nil
	}
	return nil, FieldError(Invalid, "non_field_errors", "Invalid data. Expected a dictionary, but got "+pythonType(v)+".")
}

// FormValue returns a field of a form or multipart body.
func (r *Request) FormValue(name string) string {
	r.parse()
	return r.body.form.Get(name)
}

// File returns an uploaded file.
func (r *Request) File(name string) (*multipart.FileHeader, bool) {
	r.parse()
	if f := r.body.files[name]; len(f) > 0 {
		return f[0], true
	}
	return nil, false
}

// Again makes the request ready to be handled once more from the beginning. It cannot be when its body
// has files.
func (r *Request) Again() bool {
	if b := r.body; b != nil {
		if b.files != nil || b.err != nil {
			return false
		}
		r.HTTP.Body = io.NopCloser(bytes.NewReader(b.text))
	}
	r.body, r.query, r.values = nil, nil, nil
	return true
}

func (r *Request) parse() {
	if r.body != nil {
		return
	}
	r.body = &body{value: map[string]any{}, form: url.Values{}}
	if r.HTTP.Body == nil {
		return
	}
	kind, params, _ := mime.ParseMediaType(r.HTTP.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		reader := multipart.NewReader(r.HTTP.Body, params["boundary"])
		form, err := reader.ReadForm(MaxBody)
		if err != nil {
			r.body.err = parseError("Multipart form parse error - " + err.Error())
			return
		}
		r.body.form, r.body.files = textOf(form.Value), form.File
		r.body.value = formObject(r.body.form)
	case "application/x-www-form-urlencoded":
		data, err := readAll(r.HTTP.Body)
		if err != nil {
			r.body.err = err
			return
		}
		r.body.text = data
		form, _ := url.ParseQuery(string(data))
		r.body.form = textOf(form)
		r.body.value = formObject(r.body.form)
	default:
		data, err := readAll(r.HTTP.Body)
		if err != nil {
			r.body.err = err
			return
		}
		r.body.text = data
		if len(data) == 0 {
			return
		}
		if kind != "" && kind != "application/json" {
			r.body.err = Detail(http.StatusUnsupportedMediaType, `Unsupported media type "`+r.HTTP.Header.Get("Content-Type")+`" in request.`)
			return
		}
		r.body.value, r.body.err = decodeJSON(data)
	}
}

func readAll(src io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(src, MaxBody+1))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, Detail(http.StatusRequestEntityTooLarge, "The request is too large.")
		}
		return nil, err
	}
	if len(data) > MaxBody {
		return nil, Detail(http.StatusRequestEntityTooLarge, "The request is too large.")
	}
	return data, nil
}

func decodeJSON(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, parseError("JSON parse error - the body is not UTF-8")
	}
	if err := nesting.Check(data); err != nil {
		return nil, parseError("JSON parse error - " + err.Error())
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	if err == nil {
		if _, err = dec.Token(); err == io.EOF {
			return v, nil
		}
	}
	fault := jsonFault(data)
	if fault == "" {
		fault = err.Error()
	}
	return nil, parseError("JSON parse error - " + fault)
}

// parseError: Django REST framework's ParseError keeps its plain shape.
func parseError(text string) *Error { return Detail(http.StatusBadRequest, text) }

// Storable is a text that came from outside as every database can keep it: what is no UTF-8, and the NUL
// that PostgreSQL has no place for, become U+FFFD, which no stored id or name has.
func Storable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// textOf cleans the values of a form or a query.
func textOf(form map[string][]string) url.Values {
	for _, values := range form {
		for i, v := range values {
			values[i] = Storable(v)
		}
	}
	return form
}

func formObject(form map[string][]string) map[string]any {
	m := make(map[string]any, len(form))
	for k, v := range form {
		if len(v) > 0 {
			m[k] = v[len(v)-1]
		}
	}
	return m
}

// pythonType names a JSON value's type as the original's messages do.
func pythonType(v any) string {
	switch n := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case string:
		return "str"
	case []any:
		return "list"
	case json.Number:
		if strings.ContainsAny(n.String(), ".eE") {
			return "float"
		}
		return "int"
	}
	return "dict"
}
