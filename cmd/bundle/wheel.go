package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

//go:embed wheel.txt
var requirement string

// pin is the one wheel that wheel.txt names.
type pin struct{ version, sha256 string }

func wheelPin() (pin, error) {
	for line := range strings.Lines(requirement) {
		name, hash, ok := strings.Cut(strings.TrimSpace(line), " --hash=sha256:")
		version, exact := strings.CutPrefix(name, "kolibri==")
		if ok && exact {
			return pin{version, hash}, nil
		}
	}
	return pin{}, errors.New("wheel.txt does not pin a version and a hash of kolibri")
}

// wheel is an opened Kolibri wheel. Paths inside it start with "kolibri/".
type wheel struct {
	pin
	*zip.ReadCloser
}

// openWheel opens the pinned wheel, which it fetches with pip when the cache folder lacks it, and
// checks its hash.
func openWheel(cache string) (*wheel, error) {
	p, err := wheelPin()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(cache, "kolibri-"+p.version+"-py2.py3-none-any.whl")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := fetchWheel(cache, p); err != nil {
			return nil, err
		}
	}
	if err := checkHash(file, p.sha256); err != nil {
		return nil, err
	}
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, fmt.Errorf("open the kolibri wheel: %w", err)
	}
	return &wheel{p, z}, nil
}

func fetchWheel(cache string, p pin) error {
	fmt.Printf("fetching kolibri %s (104 MB, once)\n", p.version)
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	pins := filepath.Join(cache, "wheel.txt")
	if err := os.WriteFile(pins, []byte(requirement), 0o644); err != nil {
		return err
	}
	cmd := exec.Command("python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", pins, "--dest", cache)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("python3 is needed to fetch the kolibri wheel: install python3 and python3-pip")
	}
	if err != nil {
		return fmt.Errorf("pip could not fetch kolibri %s, and it is not in %s yet\n"+
			"check the network (or put the wheel there by hand) and run make again\n%s", p.version, cache, out)
	}
	return nil
}

func checkHash(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%s has the hash %s, not the pinned %s: delete it and run make again", file, got, want)
	}
	return nil
}

// read gives a file of the wheel. A missing file is an error that says so.
func (w *wheel) read(name string) ([]byte, error) {
	raw, err := fs.ReadFile(w, name)
	if err != nil {
		return nil, fmt.Errorf("kolibri wheel: %w", err)
	}
	return raw, nil
}

func (w *wheel) readJSON(name string, into any) error {
	raw, err := w.read(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("kolibri wheel: %s: %w", name, err)
	}
	return nil
}

// asset is a static file of the wheel: its path below the static root, its bytes, and the wheel's
// own gzip of them where there is one.
type asset struct {
	path    string
	raw, gz []byte
}

// assets walks through all static files. The wheel stores most of them as an empty NAME beside
// NAME.gz. Source maps and notes of sizes are left out, and so are the static files of the
// libraries that Kolibri bundles for its Python side.
func (w *wheel) assets(each func(asset) error) error {
	seen := map[string]string{}
	for _, f := range w.File {
		name := f.Name
		_, rel, ok := strings.Cut(name, "/static/")
		base := strings.TrimSuffix(rel, ".gz")
		if !ok || strings.HasSuffix(name, "/") || strings.HasPrefix(name, "kolibri/dist/") ||
			path.Ext(rel) == ".file_size" || path.Ext(base) == ".map" {
			continue
		}
		raw, err := readZip(f)
		if err != nil {
			return err
		}
		a := asset{path: base, raw: raw}
		if base != rel {
			a.gz = raw
			if a.raw, err = gunzip(raw); err != nil {
				return fmt.Errorf("kolibri wheel: %s: %w", name, err)
			}
		} else if len(raw) == 0 {
			continue // its .gz holds the bytes
		}
		if other, ok := seen[a.path]; ok {
			return fmt.Errorf("kolibri wheel: %s and %s are both static/%s", other, name, a.path)
		}
		seen[a.path] = name
		if err := each(a); err != nil {
			return err
		}
	}
	return nil
}

func readZip(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func gunzip(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
