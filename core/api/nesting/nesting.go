// Package nesting judges how deep JSON nests before something reads it by recursion.
package nesting

import "errors"

// most is how deep JSON may nest. The original fails at some 900 (its language's recursion); a browser's stack
// holds some 2,000 of encoding/json's, and one more would end the tab's server.
const most = 500

// ErrTooDeep says that JSON nests deeper than 500 values.
var ErrTooDeep = errors.New("values nest too deeply")

// Check returns ErrTooDeep for JSON that nests too deeply. Text that is no JSON may be taken for either.
func Check[T string | []byte](data T) error {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > most {
				return ErrTooDeep
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return nil
}
