// Command demo makes the channel that every build brings along, so that a first visitor has something
// to open: a few resources of several kinds about the pendulum. Text, pictures, film and sound are
// this project's own, made by this program, and free: CC BY 4.0.
//
//	go run ./cmd/bundle/demo [-nodes N] DIR
//
// With -nodes it makes a large channel of as many nodes instead, for benchmarks and tests; its files
// are small and cannot be opened.
//
// DIR gets the layout of Kolibri Studio's public files: content/databases, content/storage and
// api/public. data/channels.json is the list of the channels that lie there (wasm/mirror_js.go).
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	nodes := flags.Int("nodes", 0, "make a large channel of as many nodes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("name the folder to write to")
	}
	c := pendulum()
	if *nodes > 0 {
		c = library(*nodes)
	}
	m := &mirror{dir: flags.Arg(0)}
	for _, f := range c.files {
		m.write(f.path(), f.content)
	}
	if err := c.database(m.at("content/databases/" + c.id + ".sqlite3")); err != nil {
		return err
	}
	about := mustJSON([]any{c.about()})
	m.write("data/channels.json", about)
	m.write("api/public/v1/channels/lookup/"+c.id, about)
	m.write("api/public/info/index.html", mustJSON(map[string]any{"application": "studio", "kolibri_version": nil,
		"instance_id": id("mirror"), "device_name": "Channels beside this app", "operating_system": nil,
		"subset_of_users_device": false, "min_learn_content_version": nil}))
	return m.err
}

// mirror writes files until one fails.
type mirror struct {
	dir string
	err error
}

func (m *mirror) at(path string) string {
	name := filepath.Join(m.dir, filepath.FromSlash(path))
	if m.err == nil {
		m.err = os.MkdirAll(filepath.Dir(name), 0o755)
	}
	return name
}

func (m *mirror) write(path string, content []byte) {
	if name := m.at(path); m.err == nil {
		m.err = os.WriteFile(name, content, 0o644)
	}
}
