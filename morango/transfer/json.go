package transfer

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Records are read by hand: encoding/json goes through every text three times and through maps, which
// is most of what receiving and deserializing would cost. It accepts what encoding/json accepts, as a
// fuzz test checks.

// pair is a member of a JSON object; value is JSON.
type pair struct{ name, value string }

// maxDepth is how deep values may nest, as in encoding/json.
const maxDepth = 10_000

// pairs reads the members of a JSON object in their order. Values are parts of the text.
func pairs(text string) ([]pair, error) {
	at := space(text, 0)
	all, at, ok := object(text, at, make([]pair, 0, 24))
	if !ok || space(text, at) != len(text) {
		return nil, errNoObject
	}
	return all, nil
}

// object appends the members of the object that begins at a place, and returns the place behind it.
func object(text string, at int, all []pair) (_ []pair, end int, ok bool) {
	end, ok = elements(text, at, '{', '}', func(at int) (int, bool) {
		next, ok := quoted(text, at)
		if !ok {
			return 0, false
		}
		begin, ok := colon(text, next)
		if !ok {
			return 0, false
		}
		end, ok := skip(text, begin)
		if !ok {
			return 0, false
		}
		all = append(all, pair{unquote(text[at:next]), text[begin:end]})
		return end, true
	})
	return all, end, ok
}

// elements goes through what stands between brackets, each element by a function that returns the
// place behind it.
func elements(text string, at int, open, shut byte, element func(at int) (int, bool)) (end int, ok bool) {
	if at >= len(text) || text[at] != open {
		return 0, false
	}
	at = space(text, at+1)
	if at < len(text) && text[at] == shut {
		return at + 1, true
	}
	for {
		if at, ok = element(at); !ok {
			return 0, false
		}
		if at = space(text, at); at >= len(text) {
			return 0, false
		}
		switch text[at] {
		case shut:
			return at + 1, true
		case ',':
			at = space(text, at+1)
		default:
			return 0, false
		}
	}
}

// skip returns the place behind the value that begins at a place. It keeps what is open in a list of its own:
// a browser's stack would overflow long before maxDepth, and take the tab's server with it.
func skip(text string, at int) (end int, ok bool) {
	var some [32]byte
	open := some[:0] // the closing brackets that are due, the outermost first
	for {
		if at >= len(text) {
			return 0, false
		}
		switch c := text[at]; c {
		case '{', '[':
			if len(open) == maxDepth-1 { // the object around all is one more
				return 0, false
			}
			open = append(open, c+2) // ASCII has } and ] two behind { and [
			at = space(text, at+1)
			if at < len(text) && text[at] == c+2 {
				break
			}
			if at, ok = member(text, at, c+2); !ok {
				return 0, false
			}
			continue
		default:
			if at, ok = plain(text, at); !ok {
				return 0, false
			}
		}
		for len(open) > 0 {
			last := open[len(open)-1]
			if at = space(text, at); at >= len(text) {
				return 0, false
			}
			if text[at] == last {
				open = open[:len(open)-1]
				at++
				continue
			}
			if text[at] != ',' {
				return 0, false
			}
			if at, ok = member(text, space(text, at+1), last); !ok {
				return 0, false
			}
			break
		}
		if len(open) == 0 {
			return at, true
		}
	}
}

// member returns the place of the value of what begins at a place: an object's member has its name before it.
func member(text string, at int, shut byte) (value int, ok bool) {
	if shut == ']' {
		return at, true
	}
	if at, ok = quoted(text, at); !ok {
		return 0, false
	}
	return colon(text, at)
}

// colon returns the place of the value that follows a name.
func colon(text string, at int) (value int, ok bool) {
	if at = space(text, at); at >= len(text) || text[at] != ':' {
		return 0, false
	}
	return space(text, at+1), true
}

// plain returns the place behind a value without parts.
func plain(text string, at int) (end int, ok bool) {
	switch text[at] {
	case '"':
		return quoted(text, at)
	case 't', 'f', 'n':
		for _, word := range [...]string{"true", "false", "null"} {
			if strings.HasPrefix(text[at:], word) {
				return at + len(word), true
			}
		}
		return 0, false
	}
	return number(text, at)
}

func number(text string, at int) (end int, ok bool) {
	digits := func() bool {
		from := at
		for at < len(text) && text[at] >= '0' && text[at] <= '9' {
			at++
		}
		return at > from
	}
	if at < len(text) && text[at] == '-' {
		at++
	}
	if at < len(text) && text[at] == '0' {
		at++
	} else if !digits() {
		return 0, false
	}
	if at < len(text) && text[at] == '.' {
		at++
		if !digits() {
			return 0, false
		}
	}
	if at < len(text) && (text[at] == 'e' || text[at] == 'E') {
		at++
		if at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		if !digits() {
			return 0, false
		}
	}
	return at, true
}

func space(text string, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	return at
}

// quoted returns the place behind the text in quotes that begins at a place.
func quoted(text string, at int) (end int, ok bool) {
	if at >= len(text) || text[at] != '"' {
		return 0, false
	}
	for at++; at < len(text); at++ {
		switch c := text[at]; {
		case plainASCII[c]:
		case c == '"':
			return at + 1, true
		case c < ' ':
			return 0, false
		case c == '\\':
			at++
			if at >= len(text) {
				return 0, false
			}
			if text[at] == 'u' {
				if _, ok := unit(text, at+1); !ok {
					return 0, false
				}
				at += 4
			} else if strings.IndexByte(`"\/bfnrt`, text[at]) < 0 {
				return 0, false
			}
		}
	}
	return 0, false
}

// unit reads four hex digits.
func unit(text string, at int) (rune, bool) {
	if at+4 > len(text) || text[at] == '+' || text[at] == '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(text[at:at+4], 16, 16)
	return rune(n), err == nil
}

// unquote is what a text in quotes says, which quoted has approved of.
func unquote(text string) string {
	text = text[1 : len(text)-1]
	next := strings.IndexByte(text, '\\')
	if next < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for at := 0; at < len(text); {
		if next = strings.IndexByte(text[at:], '\\'); next < 0 {
			next = len(text) - at
		}
		b.WriteString(valid(text[at : at+next]))
		if at += next + 1; at > len(text) {
			break
		}
		switch c := text[at]; c {
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			r, _ := unit(text, at+1)
			at += 4
			if utf16.IsSurrogate(r) {
				second := rune(-1)
				if strings.HasPrefix(text[at+1:], `\u`) {
					second, _ = unit(text, at+3)
				}
				if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
					at += 6
				}
			}
			b.WriteRune(r)
		default:
			b.WriteByte(c)
		}
		at++
	}
	return b.String()
}

// valid is a text with what is no UTF-8 replaced, each byte of it.
func valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}
