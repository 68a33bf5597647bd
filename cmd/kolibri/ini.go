//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
)

// entry is one line "NAME = value" of options.ini.
type entry struct {
	section, name, value string
	line                 int
}

// readINI reads the subset of ConfigObj's format that Kolibri's options.ini uses: sections, one
// option a line, comments, values with or without quotes. A file that does not exist is empty.
func readINI(path string) ([]entry, error) {
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var entries []entry
	section := ""
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF"))))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			name, rest, closed := strings.Cut(line[1:], "]")
			if rest = strings.TrimSpace(rest); !closed || rest != "" && rest[0] != '#' {
				return nil, fmt.Errorf("%s line %d: %q is not a section; write [Section]", path, n, line)
			}
			section = strings.TrimSpace(name)
		default:
			name, value, found := strings.Cut(line, "=")
			if !found {
				return nil, fmt.Errorf("%s line %d: %q is not an option; write NAME = value", path, n, line)
			}
			entries = append(entries, entry{section, strings.TrimSpace(name), unquote(value), n})
		}
	}
	return entries, lines.Err()
}

// unquote takes quotes and a trailing comment off a value.
func unquote(value string) string {
	value = strings.TrimSpace(value)
	if value == "" {
		return ""
	}
	if quote := value[0]; quote == '"' || quote == '\'' {
		if end := strings.IndexByte(value[1:], quote); end >= 0 {
			return value[1 : 1+end]
		}
	}
	if at := strings.Index(value, " #"); at >= 0 {
		value = value[:at]
	}
	return strings.TrimSpace(strings.TrimPrefix(value, "#"))
}
