package main

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing/fstest"
)

// findBuild finds the built front end: where KOLIBRI_BUILD_DIR says, beside the program, or in the
// current folder. Without one the API answers, and pages are empty.
func findBuild(log *slog.Logger) (fs.FS, string) {
	candidates := []string{os.Getenv("KOLIBRI_BUILD_DIR")}
	if exe, err := os.Executable(); err == nil {
		candidates = append(candidates, filepath.Join(filepath.Dir(exe), "build"), filepath.Join(filepath.Dir(exe), "..", "build"))
	}
	candidates = append(candidates, "build")
	for _, dir := range candidates {
		if dir == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "data", "pages.json")); err == nil {
			return os.DirFS(dir), dir
		}
	}
	log.Warn("no built front end was found: the API works, pages do not. Run make, or say with KOLIBRI_BUILD_DIR where it is")
	return fstest.MapFS{"data/pages.json": {Data: []byte(`{"kolibri":"0.19.5","languages":[{"id":"en","name":"English","english_name":"English"}]}`)}}, ""
}
