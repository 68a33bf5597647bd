// Package pages renders Kolibri's HTML page shells as the real Kolibri 0.19.5 does: the same
// scripts, links and data templates, from data that cmd/bundle took out of the Kolibri wheel.
//
// A page is plain string building, so that it stays cheap and small inside the wasm. What is the
// same for every request (messages, file lists, URL map) is put together once for a language;
// only the few plugin data that depend on the database are filled in at every call.
package pages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
)

// DataFile and MessagesDir are the places, below the build folder, that cmd/bundle writes and
// Load reads.
const (
	DataFile    = "data/pages.json"
	MessagesDir = "data/messages"
)

// Data is the content of pages.json. Paths of files are relative to the static root, for example
// "kolibri.plugins.learn.app/kolibri.plugins.learn.app-0.19.5.js".
type Data struct {
	Kolibri string `json:"kolibri"` // version of the wheel
	// Bundles by their id, for example "kolibri.plugins.learn.app".
	Bundles map[string]Bundle `json:"bundles"`
	// Viewers, Navigation and Core are ids of bundles that every page has, in page order.
	Viewers    []string `json:"viewers"`
	Core       string   `json:"core"`
	Navigation []string `json:"navigation"`
	// Pages gives the bundle of a page by the page's path, for example "learn/my-downloads".
	Pages      map[string]string `json:"pages"`
	Languages  []Language        `json:"languages"` // by id
	FontCommon string            `json:"fontCommon"`
	Favicon    string            `json:"favicon"`
	// Theme is JSON; StaticMark in it stands for the static root's URL.
	Theme   json.RawMessage `json:"theme"`
	Sandbox string          `json:"sandbox"` // file name of the sandbox page
}

// StaticMark is replaced by the static root's URL where constant data hold addresses of files.
const StaticMark = "{static}"

// Bundle is one of the front end's webpack bundles.
type Bundle struct {
	Files   []string `json:"files"`             // css, js and right-to-left css, in the order of the wheel
	Presets []string `json:"presets,omitempty"` // of a viewer: the format presets it shows
	// Data are the constant plugin data. A page has a data template for the bundle when there are
	// constant data or the caller gives some.
	Data map[string]json.RawMessage `json:"data,omitempty"`
}

// Language is one of the languages that Kolibri offers.
type Language struct {
	ID          string   `json:"id"` // for example "es-419"
	Name        string   `json:"name"`
	EnglishName string   `json:"englishName"`
	RTL         bool     `json:"rtl,omitempty"`
	Title       string   `json:"title"`       // of every page
	Unsupported []string `json:"unsupported"` // heading and paragraphs of the page for old browsers
	FontSubset  string   `json:"fontSubset"`
	FontModern  string   `json:"fontModern"`
	FontBasic   string   `json:"fontBasic"`
}

// Direction is "rtl" or "ltr".
func (l Language) Direction() string {
	if l.RTL {
		return "rtl"
	}
	return "ltr"
}

func readData(fsys fs.FS) (*Data, error) {
	raw, err := fs.ReadFile(fsys, DataFile)
	if err != nil {
		return nil, fmt.Errorf("pages: read %s: %w", DataFile, err)
	}
	d := new(Data)
	if err := json.Unmarshal(raw, d); err != nil {
		return nil, fmt.Errorf("pages: %s is damaged: %w", DataFile, err)
	}
	for page, id := range d.Pages {
		if _, ok := d.Bundles[id]; !ok {
			return nil, fmt.Errorf("pages: %s: page %q needs the unknown bundle %q", DataFile, page, id)
		}
	}
	return d, nil
}

// messages are the front end's messages of one language: compact JSON objects by bundle id.
type messages map[string][]byte

// readMessages reads a language's file. It is one JSON object with one bundle to a line, which
// lets the reader cut it at line ends instead of parsing half a megabyte of JSON in the tab.
func readMessages(fsys fs.FS, lang string) (messages, error) {
	name := MessagesDir + "/" + lang + ".json"
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("pages: read %s: %w", name, err)
	}
	m := messages{}
	for line := range bytes.Lines(raw) {
		line = bytes.TrimRight(line, ",\n")
		if len(line) < 2 {
			continue // the braces around all
		}
		id, text, ok := bytes.Cut(line[1:], []byte(`":`))
		if line[0] != '"' || !ok {
			return nil, fmt.Errorf("pages: %s is damaged", name)
		}
		m[string(id)] = text
	}
	if len(m) == 0 {
		return nil, fmt.Errorf("pages: %s is damaged", name)
	}
	return m, nil
}

// WriteMessages is the counterpart of reading a language's file, for cmd/bundle: the ids in the
// given order, each with its compact JSON object.
func WriteMessages(ids []string, texts map[string][]byte) []byte {
	var b bytes.Buffer
	b.WriteString("{\n")
	for i, id := range ids {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString(`"` + id + `":`)
		b.Write(texts[id])
	}
	b.WriteString("\n}\n")
	return b.Bytes()
}
