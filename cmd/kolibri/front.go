//go:build unix

package main

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing/fstest"

	"kolibri/core/api"
)

// buildVariable says where the built front end is.
const buildVariable = "KOLIBRI_BUILD_DIR"

// frontEnd is the built front end, the folder that make fills.
type frontEnd struct {
	files fs.FS    // data/pages.json and data/messages
	root  *os.Root // static; nil when there is no build
}

// findFrontEnd looks where the option or KOLIBRI_BUILD_DIR says, beside the program, one folder up, and in
// the current folder. Without a build the API answers, and pages are bare.
func findFrontEnd(dir string, log *slog.Logger) (*frontEnd, error) {
	if dir == "" {
		dir = os.Getenv(buildVariable)
	}
	candidates := []string{dir}
	if dir == "" {
		candidates = []string{"build"}
		if exe, err := os.Executable(); err == nil {
			candidates = []string{filepath.Join(filepath.Dir(exe), "build"), filepath.Join(filepath.Dir(exe), "..", "build"), "build"}
		}
	}
	for _, candidate := range candidates {
		if !exists(filepath.Join(candidate, "data", "pages.json")) {
			continue
		}
		root, err := os.OpenRoot(filepath.Join(candidate, "static"))
		if err != nil {
			return nil, fmt.Errorf("the built front end is incomplete, run make: %w", err)
		}
		return &frontEnd{files: os.DirFS(candidate), root: root}, nil
	}
	if dir != "" {
		return nil, fmt.Errorf("there is no built front end in %s: run make, which fills build/", dir)
	}
	log.Warn("no built front end was found: the API answers, pages are empty; run make, or name the folder by " + buildVariable)
	return &frontEnd{files: fstest.MapFS{"data/pages.json": {Data: []byte(`{"kolibri":"` + api.Version +
		`","languages":[{"id":"en","name":"English","englishName":"English","title":"Kolibri"}]}`)}}}, nil
}

// pagePath is the address of one of Kolibri's pages, below the prefix.
var pagePath = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]+)*/(auth|coach|device|facility|learn|profile|setup|unsupported)(/|$)`)

func isPage(path string) bool { return !strings.HasPrefix(path, "api/") && pagePath.MatchString(path) }

// missing answers for the pages of a server that has no front end.
func missing(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `<!doctype html><html lang="en"><head><title>Kolibri</title></head><body><h1>The pages are not built yet</h1>
<p>Run <code>make</code>, which fills the folder <code>build</code>, and start Kolibri beside it; or name the folder by `+buildVariable+`.</p></body></html>
`)
}

func (f *frontEnd) close() {
	if f.root != nil {
		f.root.Close()
	}
}
