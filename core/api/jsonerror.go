package api

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// jsonFault says what is wrong with a text that is not JSON, and where, in the words of the
// original's parser (Python's json); empty if this reader sees no fault.
func jsonFault(data []byte) string {
	s := &jsonScan{text: data}
	s.space()
	if s.value(0) {
		s.space()
		if s.pos < len(s.text) {
			s.fail("Extra data", s.pos)
		}
	}
	if s.fault == "" {
		return ""
	}
	before := string(s.text[:s.at])
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf("%s: line %d column %d (char %d)", s.fault, line+1, column+1, utf8.RuneCountInString(before))
}

// jsonScan reads over JSON until the first fault.
type jsonScan struct {
	text  []byte
	pos   int
	fault string
	at    int
}

// maxDepth is how deep arrays and objects may lie in each other (encoding/json has the same limit).
const maxDepth = 10000

func (s *jsonScan) fail(fault string, at int) bool {
	s.fault, s.at = fault, min(at, len(s.text))
	return false
}

func (s *jsonScan) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *jsonScan) space() {
	for s.pos < len(s.text) && strings.IndexByte(" \t\n\r", s.text[s.pos]) >= 0 {
		s.pos++
	}
}

func (s *jsonScan) value(depth int) bool {
	if depth > maxDepth {
		return s.fail("Too deep", s.pos)
	}
	switch c := s.peek(); {
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.array(depth)
	case c == '"':
		return s.str()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	for _, word := range []string{"null", "true", "false"} {
		if strings.HasPrefix(string(s.text[s.pos:min(s.pos+5, len(s.text))]), word) {
			s.pos += len(word)
			return true
		}
	}
	return s.fail("Expecting value", s.pos)
}

func (s *jsonScan) object(depth int) bool {
	s.pos++
	s.space()
	if s.peek() == '}' {
		s.pos++
		return true
	}
	for {
		if s.peek() != '"' {
			return s.fail("Expecting property name enclosed in double quotes", s.pos)
		}
		if !s.str() {
			return false
		}
		s.space()
		if s.peek() != ':' {
			return s.fail("Expecting ':' delimiter", s.pos)
		}
		s.pos++
		s.space()
		if !s.value(depth + 1) {
			return false
		}
		if done, ok := s.next('}'); done || !ok {
			return ok
		}
	}
}

func (s *jsonScan) array(depth int) bool {
	s.pos++
	s.space()
	if s.peek() == ']' {
		s.pos++
		return true
	}
	for {
		if !s.value(depth + 1) {
			return false
		}
		if done, ok := s.next(']'); done || !ok {
			return ok
		}
	}
}

// next reads what follows an element: the end, or a comma and the space behind it.
func (s *jsonScan) next(end byte) (done, ok bool) {
	s.space()
	switch s.peek() {
	case end:
		s.pos++
		return true, true
	case ',':
		s.pos++
		s.space()
		return false, true
	}
	return false, s.fail("Expecting ',' delimiter", s.pos)
}

func (s *jsonScan) str() bool {
	begin := s.pos
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return true
		case c < ' ':
			return s.fail("Invalid control character at", s.pos)
		case c == '\\':
			s.pos++
			switch e := s.peek(); {
			case s.pos >= len(s.text):
				return s.fail("Unterminated string starting at", begin)
			case e == 'u':
				if !isHex4(s.text[s.pos+1:]) {
					return s.fail(`Invalid \uXXXX escape`, s.pos+1)
				}
				s.pos += 4
			case strings.IndexByte(`"\/bfnrt`, e) < 0:
				return s.fail(`Invalid \escape`, s.pos-1)
			}
		}
	}
	return s.fail("Unterminated string starting at", begin)
}

func isHex4(b []byte) bool {
	return len(b) > 4 && strings.Trim(string(b[:4]), "0123456789abcdefABCDEF") == ""
}

func (s *jsonScan) digits() bool {
	from := s.pos
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.pos++
	}
	return s.pos > from
}

// number reads as much as makes a number; a leading zero is one by itself.
func (s *jsonScan) number() bool {
	from := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return s.fail("Expecting value", from)
	}
	whole := s.pos
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			s.pos = whole
			return true
		}
		whole = s.pos
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			s.pos = whole
		}
	}
	return true
}
