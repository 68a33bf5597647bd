package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// wasmBudget is how many bytes of brotli the server may cost whoever opens the page first.
const wasmBudget = 5_000_000

// unwelcome are packages that must not get into the wasm: reflection that keeps every method
// alive, tools for tests and builds, drivers that a browser has no use for. A name covers the
// packages below it.
var unwelcome = []string{
	"text/template", "html/template", "net/http/httptest", "testing", "flag", "os/exec", "expvar",
	"net/http/pprof", "encoding/gob", "go/ast",
	"github.com/stretchr/testify", "github.com/jackc/pgx", "github.com/lib/pq",
	"github.com/andybalholm/brotli", "github.com/klauspost/compress", "github.com/evanw/esbuild",
	"github.com/hashicorp/mdns", "github.com/go-chi/chi", "github.com/gorilla",
	"github.com/jmoiron/sqlx", "github.com/uptrace/bun", "gorm.io", "entgo.io", "xorm.io",
	"github.com/pressly/goose", "github.com/golang-migrate/migrate", "github.com/rubenv/sql-migrate",
	"kolibri/cmd",
}

// nativeClient is a text of net/http's Transport. Whoever names http.Client or DefaultTransport links
// it with HTTP/2, TLS and certificates, 4.6 MB that a tab cannot use: it asks by the browser's fetch.
var nativeClient = []byte("net/http: TLS handshake timeout")

// checkSize holds the wasm of the last build to its budget and its imports to the list.
func checkSize() error {
	return errors.Join(checkBudget(), checkImports())
}

func checkBudget() error {
	facts := readState(filepath.Join(cacheDir, "build.json")).Steps["wasm"].Facts
	if facts["path"] == "" {
		return errors.New("there is no wasm yet: run make first")
	}
	data, err := os.ReadFile(filepath.Join(buildDir, filepath.FromSlash(facts["path"])))
	if err != nil {
		return err
	}
	cache := &compressor{filepath.Join(cacheDir, "compressed")}
	br, err := cache.brotli(data, wasmLevel)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.2f MB, by brotli %.2f MB of at most %.2f MB\n",
		facts["path"], float64(len(data))/1e6, float64(len(br))/1e6, wasmBudget/1e6)
	var errs []error
	if len(br) > wasmBudget {
		errs = append(errs, fmt.Errorf("the wasm is %d bytes over its budget", len(br)-wasmBudget))
	}
	if bytes.Contains(data, nativeClient) {
		errs = append(errs, errors.New("must not be in the wasm: net/http's own client (http.Client, http.DefaultTransport)"))
	}
	return errors.Join(errs...)
}

// checkImports fails with the way that leads to each unwelcome package.
func checkImports() error {
	cmd := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go list: %w\n%s", err, problems.Bytes())
	}
	imports, root := map[string][]string{}, ""
	for line := range strings.Lines(out.String()) {
		words := strings.Fields(line)
		imports[words[0]] = words[1:]
		root = words[0] // dependencies come before what needs them
	}
	var errs []error
	for _, path := range unwelcomeImports(imports, root) {
		errs = append(errs, fmt.Errorf("must not be in the wasm: %s", strings.Join(path, " -> ")))
	}
	if len(errs) == 0 {
		fmt.Printf("%d packages in the wasm, none of them unwelcome\n", len(imports))
	}
	return errors.Join(errs...)
}

// unwelcomeImports gives, for each unwelcome package that root reaches, a shortest way to it.
func unwelcomeImports(imports map[string][]string, root string) [][]string {
	from, queue := map[string]string{root: ""}, []string{root}
	var ways [][]string
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range imports[at] {
			if _, seen := from[next]; seen {
				continue
			}
			from[next] = at
			if isUnwelcome(next) {
				var way []string
				for p := next; p != ""; p = from[p] {
					way = append(way, p)
				}
				slices.Reverse(way)
				ways = append(ways, way)
				continue // what it brings along is its own
			}
			queue = append(queue, next)
		}
	}
	return ways
}

func isUnwelcome(pkg string) bool {
	return slices.ContainsFunc(unwelcome, func(u string) bool {
		return pkg == u || strings.HasPrefix(pkg, u+"/")
	})
}
