package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// fileList is where the names of all static files and messages stand. Pages load many of them only
// when they are needed; the service worker fetches them all in the background, so that whatever
// a person opens for the first time without a network is there (web/sw/store.js).
const fileList = "data/files.json"

// more are files of this step.
func writeFileList(steps map[string]stepState, more []string, out *output) error {
	files := slices.Clone(more)
	for _, step := range []string{"static", "data"} {
		for name := range maps.Keys(steps[step].Files) {
			if !isSibling(name) && !strings.HasSuffix(name, "LICENSE.txt") {
				files = append(files, name)
			}
		}
	}
	// What a page cannot do without first, the fonts of all scripts last.
	slices.SortFunc(files, func(a, b string) int {
		if n := urgency(a) - urgency(b); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	text, err := json.Marshal(files)
	if err != nil {
		return err
	}
	return out.write(fileList, text)
}

func isSibling(name string) bool {
	return strings.HasSuffix(name, ".gz") || strings.HasSuffix(name, ".br")
}

func urgency(name string) int {
	switch {
	case strings.HasPrefix(name, "static/assets/fonts/"):
		return 2
	case strings.HasPrefix(name, "data/"):
		return 1
	}
	return 0
}
