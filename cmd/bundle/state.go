package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// state is what the last build left: it lets the next one do only what changed.
type state struct {
	Steps map[string]stepState `json:"steps"`
	// Release are the app files of the last build that went through, and Kept those of the one
	// before it, which pages that are still open may ask for.
	Release map[string]stamp `json:"release"`
	Kept    map[string]stamp `json:"kept"`
}

type stepState struct {
	Key   string           `json:"key"` // hash of all that the step depends on
	Files map[string]stamp `json:"files"`
	// Facts are what later steps need to know of this one.
	Facts map[string]string `json:"facts"`
}

func readState(name string) state {
	var s state
	if raw, err := os.ReadFile(name); err == nil {
		_ = json.Unmarshal(raw, &s) // a damaged file means: build everything
	}
	if s.Steps == nil {
		s.Steps = map[string]stepState{}
	}
	return s
}

func (s state) write(name string) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return replaceFile(name, raw)
}

// app are all files in app/: those whose names carry a hash.
func (s state) app() map[string]stamp {
	files := map[string]stamp{}
	for _, st := range s.Steps {
		for path, stamp := range st.Files {
			if strings.HasPrefix(path, "app/") {
				files[path] = stamp
			}
		}
	}
	return files
}

// release ends a build that went through. A build that changes no app file keeps what was kept.
func (s *state) release(last state) {
	s.Release, s.Kept = s.app(), last.Kept
	if slices.Equal(slices.Sorted(maps.Keys(s.Release)), slices.Sorted(maps.Keys(last.Release))) {
		return
	}
	s.Kept = map[string]stamp{}
	for path, stamp := range last.Release {
		if _, ok := s.Release[path]; !ok {
			s.Kept[path] = stamp
		}
	}
}

// giveUp ends a build that failed: the steps that were done count, of the others the last ones.
func (s *state) giveUp(last state) {
	s.Release, s.Kept = last.Release, last.Kept
	for name, st := range last.Steps {
		if _, ok := s.Steps[name]; !ok {
			s.Steps[name] = st
		}
	}
}

func (s state) has(path string) bool {
	if _, ok := s.Kept[path]; ok {
		return true
	}
	for _, st := range s.Steps {
		if _, ok := st.Files[path]; ok {
			return true
		}
	}
	return false
}

// digest makes keys.
type digest struct {
	h   hash.Hash
	err error
}

func newDigest(parts ...string) *digest {
	d := &digest{h: sha256.New()}
	for _, p := range parts {
		fmt.Fprintf(d.h, "%d:%s\n", len(p), p)
	}
	return d
}

// tree adds the files of folders, or single files, by path and content. Tests and their data
// change nothing in the build; what does not exist yet counts as empty.
func (d *digest) tree(roots ...string) *digest {
	for _, root := range roots {
		err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			base := e.Name()
			if e.IsDir() {
				if base == "testdata" || base == "node_modules" {
					return fs.SkipDir
				}
				return nil
			}
			if strings.HasSuffix(base, "_test.go") || strings.HasSuffix(base, ".test.js") {
				return nil
			}
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			one := sha256.New()
			if _, err := io.Copy(one, f); err != nil {
				return err
			}
			fmt.Fprintf(d.h, "%s %x\n", filepath.ToSlash(name), one.Sum(nil))
			return nil
		})
		d.err = errors.Join(d.err, err)
	}
	return d
}

// facts adds what other steps found out.
func (d *digest) facts(steps map[string]stepState, names ...string) *digest {
	for _, name := range names {
		f := steps[name].Facts
		for _, k := range slices.Sorted(maps.Keys(f)) {
			if k != unpacked { // compression changes no content
				fmt.Fprintf(d.h, "%s %s %s\n", name, k, f[k])
			}
		}
	}
	return d
}

func (d *digest) sum() (string, error) {
	return hex.EncodeToString(d.h.Sum(nil)), d.err
}

// contentHash is the short hash that goes into file names.
func contentHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// lock keeps two builds of one checkout apart: the second waits.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		fmt.Println("waiting for another build of this checkout")
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return func() { f.Close() }, nil
}
