// Command bundle makes build/ from the pinned Kolibri wheel and this repository: the front end's
// static files, the data and messages of its pages, the server as wasm, and the shell around them.
//
//	go run ./cmd/bundle [-fast]         in the root of the repository
//	go run ./cmd/bundle -apps-origin A  apps have an origin of their own: :8001, zip. or a whole address
//	go run ./cmd/bundle -check-size     hold the wasm to its budget instead
//
// The work is cut into steps. Each has a key, the hash of all that it depends on, and is done
// again only when the key or one of its files changed; so a second run does nothing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// Folders, relative to the root of the repository.
const (
	buildDir = "build"
	cacheDir = ".cache"
)

func main() {
	fast := flag.Bool("fast", false, "for quick rounds of work: leave out the slow compression of the wasm, and go on with the last one when it does not compile")
	check := flag.Bool("check-size", false, "check size and imports of the wasm that was built, build nothing")
	apps := flag.String("apps-origin", "", "where the same folder is served for apps alone: :8001 (another port), zip. (a name before the host's) or an address")
	flag.Parse()
	err := checkAppsOrigin(*apps)
	switch {
	case err != nil:
	case *check:
		err = checkSize()
	default:
		err = run(*fast, *apps)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

// step is a part of the build. Its key may depend on the facts of the steps before it.
type step struct {
	name string
	key  func(b *builder) *digest
	run  func(b *builder, out *output) (facts map[string]string, err error)
}

// steps in their order.
var steps = []step{
	{"static", keyOfWheel, buildStatic},
	{"data", func(b *builder) *digest { return keyOfWheel(b).tree("server/pages") }, buildData},
	{"icons", func(b *builder) *digest { return b.digest() }, buildIcons},
	{"wasm", keyOfWasm, buildWasm},
	{"home", func(b *builder) *digest { return newDigest().tree("cmd/bundle/home", "store", "go.mod") }, buildHome},
	{"channel", func(b *builder) *digest { return newDigest().tree("cmd/bundle/demo", "go.mod") }, buildChannel},
	{"web", keyOfWeb, buildWeb},
}

// builder is one run.
type builder struct {
	fast bool
	// appsOrigin is where apps have an origin of their own.
	appsOrigin string
	pin        pin
	self       string // hash of this program
	last       state
	now        state
	wheel      *wheel // opened by the first step that needs it
}

// digest starts a key: what this program does is part of every one.
func (b *builder) digest() *digest { return newDigest(b.self, runtime.Version()) }

func keyOfWheel(b *builder) *digest { return newDigest(b.self, b.pin.sha256) }

// openWheel gives the wheel, fetched at first use.
func (b *builder) openWheel() (*wheel, error) {
	var err error
	if b.wheel == nil {
		b.wheel, err = openWheel(filepath.Join(cacheDir, "wheel"))
	}
	return b.wheel, err
}

// checkAppsOrigin refuses what web/apps/origins.js would not understand.
func checkAppsOrigin(setting string) error {
	if u, err := url.Parse(setting); err == nil && u.Host != "" && strings.HasPrefix(u.Scheme, "http") {
		return nil
	}
	if regexp.MustCompile(`^(:[0-9]{1,5}|([a-z0-9-]+\.)+)?$`).MatchString(setting) {
		return nil
	}
	return fmt.Errorf("-apps-origin %q is neither a port (:8001), nor a name before the host's (zip.), nor an address", setting)
}

func run(fast bool, appsOrigin string) error {
	started := time.Now()
	if _, err := os.Stat("go.mod"); err != nil {
		return fmt.Errorf("run it in the root of the repository: %w", err)
	}
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(cacheDir, "build.lock"))
	if err != nil {
		return err
	}
	defer unlock()

	stateFile := filepath.Join(cacheDir, "build.json")
	b := &builder{fast: fast, appsOrigin: appsOrigin, last: readState(stateFile), now: state{Steps: map[string]stepState{}}}
	if b.pin, err = wheelPin(); err != nil {
		return err
	}
	if b.self, err = newDigest().tree("cmd/bundle", "go.mod").sum(); err != nil {
		return err
	}
	defer func() {
		if b.wheel != nil {
			b.wheel.Close()
		}
	}()
	cache := &compressor{filepath.Join(cacheDir, "compressed")}
	done := 0
	for _, s := range steps {
		did, err := b.step(s, cache)
		if err != nil {
			b.now.giveUp(b.last)
			return errors.Join(fmt.Errorf("%s: %w", s.name, err), b.now.write(stateFile))
		}
		if did {
			done++
		}
	}
	if done == 0 {
		fmt.Println("build/ is up to date")
		return nil
	}
	b.now.release(b.last)
	if err := sweep(buildDir, func(path string) bool { return path == ".gitignore" || b.now.has(path) }); err != nil {
		return err
	}
	if err := b.now.write(stateFile); err != nil {
		return err
	}
	if err := cache.prune(time.Now()); err != nil {
		return err
	}
	printSizes(os.Stdout, b.now)
	fmt.Printf("built in %.1f s\n", time.Since(started).Seconds())
	return nil
}

// step does a step unless nothing it depends on has changed, and says whether it did.
func (b *builder) step(s step, cache *compressor) (bool, error) {
	key, err := s.key(b).sum()
	if err != nil {
		return false, err
	}
	last, ok := b.last.Steps[s.name]
	good := ok && last.Key == key && (b.fast || last.Facts[unpacked] == "")
	if good && intact(buildDir, last.Files) {
		b.now.Steps[s.name] = last
		return false, nil
	}
	fmt.Println("making", s.name)
	out := newOutput(buildDir, cache)
	facts, err := s.run(b, out)
	if err != nil && b.fast && ok && intact(buildDir, last.Files) {
		// Work on the rest can go on while, say, the server does not compile.
		fmt.Fprintf(os.Stderr, "bundle: %s: %v\nbundle: going on with the last %[1]s that could be made\n", s.name, err)
		b.now.Steps[s.name] = last
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b.now.Steps[s.name] = stepState{Key: key, Files: out.files, Facts: facts}
	return true, nil
}
