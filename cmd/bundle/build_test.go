package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// play runs steps in a folder of their own as run does, and gives the state after.
func play(t *testing.T, last state, all ...step) (state, []string) {
	t.Helper()
	b := &builder{last: last, now: state{Steps: map[string]stepState{}}}
	var done []string
	for _, s := range all {
		did, err := b.step(s, &compressor{"cache"})
		if err != nil {
			b.now.giveUp(last)
			return b.now, append(done, s.name+": "+err.Error())
		}
		if did {
			done = append(done, s.name)
		}
	}
	b.now.release(last)
	require.NoError(t, sweep(buildDir, func(p string) bool { return p == ".gitignore" || b.now.has(p) }))
	return b.now, done
}

// writes is a step that writes files, given as pairs of path and content.
func writes(name string, pairs ...string) step {
	return step{
		name: name,
		key:  func(*builder) *digest { return newDigest(pairs...) },
		run: func(_ *builder, out *output) (map[string]string, error) {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i+1] == "fail" {
					return nil, os.ErrInvalid
				}
				if err := out.write(pairs[i], []byte(pairs[i+1])); err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
	}
}

func files(t *testing.T) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(buildDir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(buildDir, name)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	}))
	slices.Sort(all)
	return all
}

func TestNothingIsDoneTwice(t *testing.T) {
	t.Chdir(t.TempDir())
	a, b := writes("a", "static/1", "one", "static/2", "two"), writes("b", "index.html", "shell")
	first, done := play(t, state{}, a, b)
	require.Equal(t, []string{"a", "b"}, done)
	second, done := play(t, first, a, b)
	require.Empty(t, done)
	require.Equal(t, first, second)

	require.NoError(t, os.Remove("build/static/2"))
	third, done := play(t, second, a, b)
	require.Equal(t, []string{"a"}, done, "a file that is gone comes back")
	require.Equal(t, first.Steps["a"].Files["static/1"], third.Steps["a"].Files["static/1"], "what was right keeps its time")

	require.NoError(t, os.WriteFile("build/index.html", []byte("changed by hand"), 0o644))
	_, done = play(t, third, a, b)
	require.Equal(t, []string{"b"}, done)
	text, err := os.ReadFile("build/index.html")
	require.NoError(t, err)
	require.Equal(t, "shell", string(text))
}

func TestOldFilesGo(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("build/content/storage", 0o755))
	for _, name := range []string{".gitignore", "left-over.js", "content/storage/mirror"} {
		require.NoError(t, os.WriteFile("build/"+name, nil, 0o644))
	}
	s, _ := play(t, state{}, writes("a", "static/old/1", "one"))
	require.Equal(t, []string{".gitignore", "content/storage/mirror", "static/old/1"}, files(t))
	_, _ = play(t, s, writes("a", "static/new/1", "one"))
	require.Equal(t, []string{".gitignore", "content/storage/mirror", "static/new/1"}, files(t))
	_, err := os.Stat("build/static/old")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestOneReleaseBackIsKept(t *testing.T) {
	t.Chdir(t.TempDir())
	s, _ := play(t, state{}, writes("a", "app/x-1.js", "1"), writes("b", "app/same.js", "1"))
	s, _ = play(t, s, writes("a", "app/x-2.js", "2"), writes("b", "app/same.js", "1"))
	require.Equal(t, []string{"app/same.js", "app/x-1.js", "app/x-2.js"}, files(t))

	s, _ = play(t, s, writes("a", "app/x-2.js", "2"), writes("b", "app/same.js", "1"), writes("c", "page", "1"))
	require.Contains(t, files(t), "app/x-1.js", "a build without new scripts is no release")

	s, done := play(t, s, writes("a", "app/x-3.js", "3"), writes("b", "app/y.js", "fail"))
	require.Equal(t, []string{"a", "b: invalid argument"}, done)
	require.Equal(t, []string{"app/same.js", "app/x-1.js", "app/x-2.js", "app/x-3.js", "page"}, files(t))

	_, _ = play(t, s, writes("a", "app/x-3.js", "3"), writes("b", "app/same.js", "1"), writes("c", "page", "1"))
	require.Equal(t, []string{"app/same.js", "app/x-2.js", "app/x-3.js", "page"}, files(t),
		"a failed build in between is no release either")
}

func TestKeysSeeContentAndPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	key := func() string {
		k, err := newDigest().tree("src", "not there").sum()
		require.NoError(t, err)
		return k
	}
	write("src/a.go", "a")
	first := key()
	write("src/a_test.go", "tests change nothing")
	write("src/testdata/golden", "nor do their data")
	require.Equal(t, first, key())
	write("src/a.go", "b")
	second := key()
	require.NotEqual(t, first, second)
	write("src/b.sql", "")
	require.NotEqual(t, second, key())
}

func TestSiblings(t *testing.T) {
	t.Chdir(t.TempDir())
	out := newOutput(buildDir, &compressor{"cache"})
	long := make([]byte, 5000)
	require.NoError(t, out.writeAsset("long.js", long, nil))
	require.NoError(t, out.writeAsset("long.woff", long, nil))
	require.NoError(t, out.writeAsset("short.js", []byte("short"), nil))
	require.NoError(t, out.writeAsset("given.js", long, []byte("the wheel's own gzip")))
	require.Equal(t, []string{"given.js", "given.js.br", "given.js.gz", "long.js", "long.js.br", "long.js.gz", "long.woff", "short.js"}, files(t))
	text, err := os.ReadFile("build/given.js.gz")
	require.NoError(t, err)
	require.Equal(t, "the wheel's own gzip", string(text))
}
