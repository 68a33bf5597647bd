//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Restart implements the device app's Restarter: this server ends by way of the control file, as
// `kolibri restart` does, and starts anew in the same process.
func (m machine) Restart() error { return control(m.home, commandRestart) }

// FallbackDirs implements the device app's StorageKeeper.
func (m machine) FallbackDirs() []string { return m.fallback }

// SetStorage implements the device app's StorageKeeper: options.ini holds from the next start on.
func (m machine) SetStorage(primary *string, secondary []string) error {
	values := map[string]string{}
	if primary != nil {
		values["CONTENT_DIR"] = *primary
	}
	if secondary != nil {
		values["CONTENT_FALLBACK_DIRS"] = strings.Join(secondary, ";")
	}
	return setINI(filepath.Join(m.home, optionsFile), "Paths", values)
}

// setINI sets options of one section and leaves everything else in the file as it is.
func setINI(path, section string, values map[string]string) error {
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	if len(text) == 0 {
		lines = nil
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value, err := quoteINI(values[name])
		if err != nil {
			return err
		}
		lines = setLine(lines, section, name, value)
	}
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	_, err = part.WriteString(strings.Join(lines, "\n") + "\n")
	if err == nil {
		err = part.Chmod(filePermissions)
	}
	if err == nil {
		err = part.Sync()
	}
	if closing := part.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

// quoteINI writes a value so that readINI and ConfigObj read it back; neither knows escapes.
func quoteINI(value string) (string, error) {
	switch {
	case strings.ContainsAny(value, "\r\n"):
		return "", fmt.Errorf("an option cannot hold a line break")
	case !strings.Contains(value, `"`):
		return `"` + value + `"`, nil
	case !strings.Contains(value, "'"):
		return "'" + value + "'", nil
	}
	return "", fmt.Errorf("an option cannot hold both kinds of quotes")
}

// setLine replaces an option's line, or adds one at the end of its section, or adds both.
func setLine(lines []string, section, name, value string) []string {
	line, current, end := name+" = "+value, "", -1
	for i, l := range lines {
		l = strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(l, "["):
			head, _, _ := strings.Cut(l[1:], "]")
			current = strings.TrimSpace(head)
		case current == section && !strings.HasPrefix(l, "#"):
			if key, _, found := strings.Cut(l, "="); found && strings.TrimSpace(key) == name {
				lines[i] = line
				return lines
			}
		}
		if current == section && (l != "" || end < 0) {
			end = i + 1
		}
	}
	if end < 0 {
		return append(lines, "["+section+"]", line)
	}
	return slices.Insert(lines, end, line)
}
