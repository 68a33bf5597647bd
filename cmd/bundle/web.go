package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"kolibri/server/pages"
)

// script is one bundle of JavaScript or style.
type script struct {
	source string
	// target is the path in build/; "%" stands for the build's id.
	target string
}

var scripts = []script{
	{"web/shell.js", "app/shell-%.js"},
	{"web/shell.css", "app/shell-%.css"},
	{"web/sw.js", "sw.js"},
	{"worker/worker.js", "app/worker-%.js"},
	{"shim/shim.js", "app/shim-%.js"},
	{"web/share/worker.js", "app/share-%.js"},
	{"web/apps/outer.js", "app/apps-%.js"},
	{"web/apps/inner.js", "app/inner-%.js"},
	{"web/apps/guest.js", "app/guest-%.js"},
	{"web/apps/keeper.js", "content/sw.js"},
}

// buildInfo is what the scripts know of the build, as the constant __BUILD__. All paths are
// relative to the root of the app, which the scripts find from their own address.
type buildInfo struct {
	ID        string `json:"id"`
	Wasm      string `json:"wasm"`
	WasmBytes int    `json:"wasmBytes"`
	Worker    string `json:"worker"`
	Shim      string `json:"shim"`
	Share     string `json:"share"`
	Shell     string `json:"shell"`
	CSS       string `json:"css"`
	Apps      string `json:"apps"`
	Inner     string `json:"inner"`
	Guest     string `json:"guest"`
	// AppsOrigin is where apps have an origin of their own (web/apps/origins.js), empty if nowhere.
	AppsOrigin string `json:"appsOrigin"`
	// Messages are the shell's own words by the primary subtags of languages (web/say.js).
	Messages  map[string]string `json:"messages"`
	Home      string            `json:"home"`
	HomeBytes int               `json:"homeBytes"`
	// Precache is what the service worker keeps from the start: the shell and what it needs to
	// start offline, except the wasm, which is left to the browser's HTTP and code caches.
	Precache []string `json:"precache"`
	// Languages are the ids of the offered languages, and Pages the names of the pages.
	Languages []string `json:"languages"`
	Pages     []string `json:"pages"`
	// Bundles are the files that a page will ask for, to be fetched while the module compiles:
	// those of every page, and those of one page on top.
	Bundles bundleLists `json:"bundles"`
	Fonts   fontLists   `json:"fonts"`
}

type bundleLists struct {
	All  directions            `json:"all"`
	Page map[string]directions `json:"page"`
}

// directions are the files for left-to-right and right-to-left languages.
type directions struct {
	LTR []string `json:"ltr"`
	RTL []string `json:"rtl"`
}

type fontLists struct {
	Common string            `json:"common"`
	Lang   map[string]string `json:"lang"`
}

// addresses are all pages that a person may open directly: each needs a file on a plain host.
func addresses(d *pages.Data) []string {
	all := []string{"", "unsupported/", "redirectuser/", "logout/", "guestaccess/", "user/"}
	for page := range d.Pages {
		all = append(all, page+"/")
	}
	slices.Sort(all)
	return all
}

func keyOfWeb(b *builder) *digest {
	return newDigest(b.self, runtime.Version(), b.appsOrigin).tree("web", "worker", "shim", "relay/js").facts(b.now.Steps, "data", "icons", "wasm", "home")
}

// buildWeb bundles the scripts and writes the shell for every address.
func buildWeb(b *builder, out *output) (map[string]string, error) {
	raw, err := os.ReadFile(filepath.Join(buildDir, pages.DataFile))
	if err != nil {
		return nil, err
	}
	var d pages.Data
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, err
	}
	key, err := keyOfWeb(b).sum()
	if err != nil {
		return nil, err
	}
	info := b.info(key[:16], &d)
	if info.Messages, err = writeMessages(info.ID, out); err != nil {
		return nil, err
	}
	background := slices.Sorted(maps.Values(info.Messages))
	if err := errors.Join(writeScripts(info, out), writeFileList(b.now.Steps, background, out)); err != nil {
		return nil, err
	}
	if !missing("web/manifest.webmanifest") {
		manifest, err := os.ReadFile("web/manifest.webmanifest")
		if err != nil {
			return nil, err
		}
		if err := out.writeAsset("manifest.webmanifest", manifest, nil); err != nil {
			return nil, err
		}
	}
	return map[string]string{"id": info.ID}, writeShells(info, &d, out)
}

// writeMessages copies web/messages, without the white space; the answer has the copies by language.
func writeMessages(id string, out *output) (map[string]string, error) {
	sources, err := filepath.Glob("web/messages/*.json")
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		var small bytes.Buffer
		if err := json.Compact(&small, text); err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		lang := strings.TrimSuffix(filepath.Base(source), ".json")
		names[lang] = "app/messages-" + lang + "-" + id + ".json"
		if err := out.writeAsset(names[lang], small.Bytes(), nil); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func (b *builder) info(id string, d *pages.Data) buildInfo {
	wasm, home := b.now.Steps["wasm"].Facts, b.now.Steps["home"].Facts
	info := buildInfo{
		ID:     id,
		Wasm:   wasm["path"],
		Worker: name("worker/worker.js", id), Shim: name("shim/shim.js", id),
		Share: name("web/share/worker.js", id),
		Shell: name("web/shell.js", id), CSS: name("web/shell.css", id),
		Apps: name("web/apps/outer.js", id), Inner: name("web/apps/inner.js", id),
		Guest: name("web/apps/guest.js", id), AppsOrigin: b.appsOrigin, Home: home["path"],
	}
	info.WasmBytes, _ = strconv.Atoi(wasm["bytes"])
	info.HomeBytes, _ = strconv.Atoi(home["bytes"])
	info.Precache = []string{"./", "manifest.webmanifest", "favicon.ico", pages.DataFile}
	for _, p := range []string{info.Shell, info.CSS, info.Worker, info.Shim, info.Share, info.Apps, info.Inner, info.Home} {
		if p != "" {
			info.Precache = append(info.Precache, p)
		}
	}
	info.Precache = append(info.Precache, iconFiles()...)
	info.Bundles.Page = map[string]directions{}
	info.Bundles.All.add(d.Bundles[d.Core])
	for _, bundle := range d.Navigation {
		info.Bundles.All.add(d.Bundles[bundle])
	}
	for page, bundle := range d.Pages {
		var one directions
		one.add(d.Bundles[bundle])
		info.Bundles.Page[page] = one
		info.Pages = append(info.Pages, page)
	}
	slices.Sort(info.Pages)
	info.Fonts = fontLists{Common: "static/" + d.FontCommon, Lang: map[string]string{}}
	for _, l := range d.Languages {
		info.Languages = append(info.Languages, l.ID)
		info.Fonts.Lang[l.ID] = "static/" + l.FontSubset
	}
	return info
}

// name is the path of a script's bundle, empty when there is no such script.
func name(source, id string) string {
	i := slices.IndexFunc(scripts, func(s script) bool { return s.source == source })
	if i < 0 || missing(source) {
		return ""
	}
	return strings.ReplaceAll(scripts[i].target, "%", id)
}

func (d *directions) add(b pages.Bundle) {
	for _, f := range b.Files {
		f = "static/" + f
		switch {
		case strings.HasSuffix(f, ".rtl.css"):
			d.RTL = append(d.RTL, f)
		case strings.HasSuffix(f, ".css"):
			d.LTR = append(d.LTR, f)
		default:
			d.LTR = append(d.LTR, f)
			d.RTL = append(d.RTL, f)
		}
	}
}

// writeScripts bundles each script on its own: classic scripts, so that workers, service worker
// and pages load them alike.
func writeScripts(info buildInfo, out *output) error {
	constant, err := json.Marshal(info)
	if err != nil {
		return err
	}
	goRuntime, err := wasmExec()
	if err != nil {
		return err
	}
	for _, s := range scripts {
		if missing(s.source) {
			fmt.Printf("  there is no %s yet\n", s.source)
			continue
		}
		options := api.BuildOptions{
			EntryPoints:       []string{s.source},
			Bundle:            true,
			Format:            api.FormatIIFE,
			Engines:           []api.Engine{{Name: api.EngineChrome, Version: "109"}, {Name: api.EngineFirefox, Version: "115"}, {Name: api.EngineSafari, Version: "16.4"}},
			MinifyWhitespace:  true,
			MinifyIdentifiers: true,
			MinifySyntax:      true,
			LegalComments:     api.LegalCommentsNone,
			Charset:           api.CharsetUTF8,
			Loader:            map[string]api.Loader{".svg": api.LoaderDataURL},
			Define:            map[string]string{"__BUILD__": string(constant)},
			Alias:             map[string]string{"wasm_exec": goRuntime},
			LogLevel:          api.LogLevelSilent,
		}
		if path.Ext(s.source) == ".css" {
			options.Format = api.FormatDefault
		}
		result := api.Build(options)
		if len(result.Errors) > 0 {
			text := api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})
			return errors.New(strings.Join(text, "\n"))
		}
		for _, warning := range api.FormatMessages(result.Warnings, api.FormatMessagesOptions{Kind: api.WarningMessage}) {
			fmt.Print(warning)
		}
		target := strings.ReplaceAll(s.target, "%", info.ID)
		if err := out.writeAsset(target, result.OutputFiles[0].Contents, nil); err != nil {
			return err
		}
	}
	return nil
}

// wasmExec is Go's own JavaScript that a Go module needs around it. The worker imports it as
// "wasm_exec", so that it always is the one of the compiler.
func wasmExec() (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	file := filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s has no lib/wasm/wasm_exec.js", runtime.Version())
	}
	return file, nil
}

// writeShells writes the shell at the root and for every address in every language, so that a
// plain host answers a deep link at a first visit.
func writeShells(info buildInfo, d *pages.Data, out *output) error {
	if missing("web/index.html") {
		fmt.Println("  there is no web/index.html yet")
		return nil
	}
	raw, err := os.ReadFile("web/index.html")
	if err != nil {
		return err
	}
	shell := func(at, lang, direction string) []byte {
		root := strings.Repeat("../", strings.Count(at, "/"))
		return []byte(strings.NewReplacer(
			"%SHELL_JS%", root+info.Shell, "%SHELL_CSS%", root+info.CSS, "%ROOT%", root,
			"%LANG%", lang, "%DIR%", direction).Replace(string(raw)))
	}
	if err := out.writeAsset("index.html", shell("", "en", "ltr"), nil); err != nil {
		return err
	}
	guest, err := os.ReadFile("web/apps/guest.html")
	if err != nil {
		return err
	}
	if err := out.writeAsset("content/apps.html", []byte(strings.ReplaceAll(string(guest), "%GUEST%", info.Guest)), nil); err != nil {
		return err
	}
	for _, l := range d.Languages {
		for _, address := range addresses(d) {
			at := l.ID + "/" + address
			if err := out.write(at+"index.html", shell(at, l.ID, l.Direction())); err != nil {
				return err
			}
		}
	}
	return nil
}
