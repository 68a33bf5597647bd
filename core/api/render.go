package api

import (
	"bytes"
	"encoding/json"
)

// JSON renders a value as the original does: UTF-8, no escaping of HTML characters, no newline.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Raw is JSON text kept in a column, put into an answer as it is. Empty text is null.
func Raw(text string) json.RawMessage {
	if text == "" {
		return json.RawMessage("null")
	}
	return json.RawMessage(text)
}
