package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// notGo are top-level folders that no Go package of the server lies in.
var notGo = map[string]bool{
	"build": true, "cmd": true, "deploy": true, "docs": true, "e2e": true, "node_modules": true,
	"shim": true, "web": true, "worker": true, "bin": true,
}

func keyOfWasm(b *builder) *digest {
	d := b.digest().tree("go.mod", "go.sum")
	entries, err := os.ReadDir(".")
	d.err = errors.Join(d.err, err)
	for _, e := range entries {
		if e.IsDir() && !notGo[e.Name()] && !strings.HasPrefix(e.Name(), ".") {
			d.tree(e.Name())
		}
	}
	return d
}

// buildWasm compiles the server. Its name carries the hash of its content, because browsers keep
// compiled code for as long as address and content stay.
func buildWasm(b *builder, out *output) (map[string]string, error) {
	if missing("wasm/main.go", "wasm/main_js.go") {
		fmt.Println("  there is no wasm/ yet")
		return nil, nil
	}
	target := filepath.Join(cacheDir, "server.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", target, "./wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build ./wasm: %w\n%s", err, text)
	}
	data, err := os.ReadFile(target)
	if err != nil {
		return nil, err
	}
	name := "app/server-" + contentHash(data) + ".wasm"
	if b.fast {
		err = out.write(name, data)
	} else {
		fmt.Println("  compressing it, which takes minutes (FAST=1 does without)")
		err = out.writePacked(name, data, nil, wasmLevel)
	}
	facts := map[string]string{"path": name, "bytes": strconv.Itoa(len(data))}
	if b.fast {
		facts[unpacked] = "yes"
	}
	return facts, err
}

// unpacked is the fact that a step left out slow compression: a build that is not fast does it over.
const unpacked = "unpacked"

// buildHome makes the database that a new device starts from. That it is made by its own program
// keeps SQLite out of this one.
func buildHome(b *builder, out *output) (map[string]string, error) {
	if missing("cmd/bundle/home/main.go") {
		fmt.Println("  there is no cmd/bundle/home yet")
		return nil, nil
	}
	dir, err := os.MkdirTemp("", "kolibri-home-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "db.sqlite3")
	if text, err := exec.Command("go", "run", "./cmd/bundle/home", file).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go run ./cmd/bundle/home: %w\n%s", err, text)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	name := "app/home-" + contentHash(data) + ".sqlite3"
	return map[string]string{"path": name, "bytes": strconv.Itoa(len(data))},
		out.writePacked(name, data, nil, textLevel)
}

// missing tells whether none of the files exists.
func missing(names ...string) bool {
	for _, n := range names {
		if _, err := os.Stat(n); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}
