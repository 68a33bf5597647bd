package relay

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

// scripts are what a runtime consists of; the app's own build has the same link in it.
//
//go:embed js/*.js js/*.html
var scripts embed.FS

// runtimePolicy lets the runtime's page load what is the relay's own; framePolicy gives each app a frame
// with an origin of its own that can reach nothing: neither this relay nor any other host.
const (
	runtimePolicy = "default-src 'self'; frame-src 'self'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	framePolicy   = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:; connect-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)

// runtimeRoutes serve the page that runs apps.
func (r *Relay) runtimeRoutes() {
	files, err := fs.Sub(scripts, "js")
	if err != nil {
		panic(err) // the folder is embedded
	}
	server := http.StripPrefix(Own+"runtime/", http.FileServerFS(files))
	r.own.HandleFunc("GET "+Own+"runtime", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Security-Policy", runtimePolicy)
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeFileFS(w, req, files, "runtime.html")
	})
	r.own.HandleFunc("GET "+Own+"runtime/{file}", func(w http.ResponseWriter, req *http.Request) {
		name := req.PathValue("file")
		if strings.HasSuffix(name, ".test.js") {
			http.NotFound(w, req)
			return
		}
		w.Header().Set("Content-Security-Policy", runtimePolicy)
		if name == "frame.html" {
			w.Header().Set("Content-Security-Policy", framePolicy)
		}
		if strings.HasSuffix(name, ".js") {
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		server.ServeHTTP(w, req)
	})
}
