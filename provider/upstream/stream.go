package upstream

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"kolibri/provider/platform"
)

// maxItem is how many bytes one item of a list may have: courses have pictures in them.
const maxItem = 16 << 20

// items counts what is read of one item, because a decoder holds all of it.
type items struct {
	r    io.Reader
	left int
}

// Read implements io.Reader.
func (i *items) Read(p []byte) (int, error) {
	if i.left <= 0 {
		return 0, fmt.Errorf("%w: an item of its list is too long", platform.ErrMalformed)
	}
	n, err := i.r.Read(p[:min(len(p), i.left)])
	i.left -= n
	return n, err
}

func (i *items) next() { i.left = maxItem }

// Stream reads a list item by item and closes the answer: a JSON array, or an object that has one by the
// name of "results". It returns the object's other members. Memory does not grow with the list.
func Stream[T any](a *http.Response, item func(T) error) (rest map[string]json.RawMessage, err error) {
	defer a.Body.Close()
	if err := isJSON(a); err != nil {
		return nil, err
	}
	body := &items{a.Body, maxItem}
	d := json.NewDecoder(body)
	start, err := d.Token()
	if err != nil {
		return nil, broken(err)
	}
	switch start {
	case json.Delim('['):
		return nil, elements(d, body, item)
	case json.Delim('{'):
	default:
		return nil, fmt.Errorf("%w: it is no list", platform.ErrMalformed)
	}
	rest = map[string]json.RawMessage{}
	listed := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, broken(err)
		}
		if name == "results" {
			if start, err := d.Token(); err != nil {
				return nil, broken(err)
			} else if start != json.Delim('[') {
				return nil, fmt.Errorf("%w: its results are no list", platform.ErrMalformed)
			}
			if err := elements(d, body, item); err != nil {
				return nil, err
			}
			listed = true
			continue
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, broken(err)
		}
		if key, ok := name.(string); ok {
			rest[key] = value
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, broken(err)
	}
	if !listed {
		return nil, fmt.Errorf("%w: it has no results", platform.ErrMalformed)
	}
	return rest, nil
}

// elements reads an array whose bracket has been read.
func elements[T any](d *json.Decoder, body *items, item func(T) error) error {
	for d.More() {
		body.next()
		var v T
		if err := d.Decode(&v); err != nil {
			if wrong, ok := err.(*json.UnmarshalTypeError); ok {
				return fmt.Errorf("%w: %w", platform.ErrMalformed, wrong)
			}
			return broken(err)
		}
		if err := item(v); err != nil {
			return err
		}
	}
	body.next()
	_, err := d.Token()
	if err != nil {
		return broken(err)
	}
	return nil
}
