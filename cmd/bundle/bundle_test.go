package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server/pages"
)

// The real build, which make test makes first.
const realBuild = "../../build"

func TestWheelIsPinned(t *testing.T) {
	p, err := wheelPin()
	require.NoError(t, err)
	require.Regexp(t, `^\d+\.\d+\.\d+$`, p.version)
	require.Regexp(t, `^[0-9a-f]{64}$`, p.sha256)
}

func TestWheelOfAnotherHashIsRefused(t *testing.T) {
	p, err := wheelPin()
	require.NoError(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "kolibri-"+p.version+"-py2.py3-none-any.whl")
	require.NoError(t, os.WriteFile(file, []byte("another wheel"), 0o644))
	_, err = openWheel(dir)
	require.ErrorContains(t, err, "not the pinned")
}

func TestAssets(t *testing.T) {
	w := testWheel(t, map[string]string{
		"kolibri/core/static/a/one.js":            "",
		"kolibri/core/static/a/one.js.gz":         gz("one"),
		"kolibri/core/static/a/one.js.file_size":  "3",
		"kolibri/core/static/a/one.js.map":        "",
		"kolibri/core/static/a/one.js.map.gz":     gz("map"),
		"kolibri/plugins/b/static/b/two.png":      "two",
		"kolibri/plugins/b/static/b/LICENSE.txt":  "free",
		"kolibri/dist/django/static/admin/three":  "three",
		"kolibri/plugins/b/templates/four.html":   "four",
		"kolibri/plugins/b/static/b/nothing.html": "",
	})
	got := map[string]string{}
	require.NoError(t, w.assets(func(a asset) error {
		got[a.path] = string(a.raw)
		require.Equal(t, strings.HasSuffix(a.path, ".js"), a.gz != nil)
		return nil
	}))
	require.Equal(t, map[string]string{"a/one.js": "one", "b/two.png": "two", "b/LICENSE.txt": "free"}, got)
}

func TestAssetsMustNotHideEachOther(t *testing.T) {
	w := testWheel(t, map[string]string{"kolibri/core/static/a.js": "1", "kolibri/plugins/b/static/a.js": "2"})
	require.ErrorContains(t, w.assets(func(asset) error { return nil }), "static/a.js")
}

func TestAssetThatIsNoGzip(t *testing.T) {
	w := testWheel(t, map[string]string{"kolibri/core/static/a.js.gz": "no gzip"})
	require.ErrorContains(t, w.assets(func(asset) error { return nil }), "a.js.gz")
}

func testWheel(t *testing.T, files map[string]string) *wheel {
	t.Helper()
	name := filepath.Join(t.TempDir(), "w.whl")
	f, err := os.Create(name)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	for path, text := range files {
		part, err := z.Create(path)
		require.NoError(t, err)
		_, err = part.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, errors.Join(z.Close(), f.Close()))
	r, err := zip.OpenReader(name)
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	return &wheel{pin{version: "1.2.3"}, r}
}

func gz(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// shim/ finds Axios by these marks. When this fails for a new wheel, shim/ comes first.
func TestShapeThatTheShimNeeds(t *testing.T) {
	var d pages.Data
	raw, err := os.ReadFile(filepath.Join(realBuild, pages.DataFile))
	require.NoError(t, err, "run make first")
	require.NoError(t, json.Unmarshal(raw, &d))
	var core []byte
	for _, f := range d.Bundles[d.Core].Files {
		part, err := os.ReadFile(filepath.Join(realBuild, "static", f))
		require.NoError(t, err)
		core = append(core, part...)
	}
	require.NoError(t, missingShape(core))
	for _, s := range shape {
		t.Run(s.what, func(t *testing.T) {
			gone := bytes.ReplaceAll(core, []byte(s.text), []byte("something else"))
			require.ErrorContains(t, missingShape(gone), s.what)
			require.ErrorContains(t, missingShape(append(bytes.Clone(core), s.text...)), "2 times")
		})
	}
}

func TestPlainJSON(t *testing.T) {
	for in, want := range map[string]string{
		"{}":                                `{}`,
		"{\n \"b\": \"1\",\n \"a\": \"2\"}": `{"b":"1","a":"2"}`, // in their own order
		`{"a":"\u00e9 <b> & \u2019"}`:       `{"a":"é <b> & ’"}`,
		`{"a":"\"\n\\"}`:                    `{"a":"\"\n\\"}`,
	} {
		got, err := plainJSON([]byte(in))
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	for _, bad := range []string{"", "[]", `{"a":1}`, `{"a":{}}`, `{"a":`, `{"a":"b"`} {
		_, err := plainJSON([]byte(bad))
		require.Error(t, err, bad)
	}
}

func TestReadMO(t *testing.T) {
	c, err := readMO(mo("Kolibri", "Colibri", "one\x00many", "un\x00plusieurs", "empty", ""))
	require.NoError(t, err)
	require.Equal(t, "Colibri", c.get("Kolibri"))
	require.Equal(t, "un\x00plusieurs", c.get("one"))
	require.Equal(t, "empty", c.get("empty"))
	require.Equal(t, "not there", c.get("not there"))
	good := mo("Kolibri", "Colibri")
	for _, bad := range [][]byte{nil, []byte("short"), bytes.Repeat([]byte{1}, 40), good[:30], good[:len(good)-3]} {
		_, err := readMO(bad)
		require.Error(t, err)
	}
}

// mo compiles pairs of texts as msgfmt would.
func mo(pairs ...string) []byte {
	n := uint32(len(pairs) / 2)
	head := []uint32{0x950412de, 0, n, 28, 28 + 8*n, 0, 28 + 16*n}
	var tables [2][]uint32
	var texts []byte
	for i, text := range pairs {
		tables[i%2] = append(tables[i%2], uint32(len(text)), 28+16*n+uint32(len(texts)))
		texts = append(texts, text+"\x00"...)
	}
	out, _ := binary.Append(nil, binary.LittleEndian, append(append(head, tables[0]...), tables[1]...))
	return append(out, texts[:len(texts)-1]...)
}

func TestLocaleFolder(t *testing.T) {
	for lang, want := range map[string]string{
		"ar": "ar", "es-419": "es_419", "es-es": "es_ES", "zh-hans": "zh_Hans", "pt-br": "pt_BR",
	} {
		require.Equal(t, "kolibri/locale/"+want+"/LC_MESSAGES", localeFolder(lang))
	}
}

func TestUnwelcomeImports(t *testing.T) {
	imports := map[string][]string{
		"kolibri/wasm": {"fmt", "kolibri/a", "kolibri/b"},
		"kolibri/a":    {"kolibri/c", "github.com/stretchr/testify/require"},
		"kolibri/b":    {"flag"},
		"kolibri/c":    {"flagging", "testing/fstest"},
		"flag":         {"text/template"},
	}
	require.ElementsMatch(t, [][]string{
		{"kolibri/wasm", "kolibri/a", "github.com/stretchr/testify/require"},
		{"kolibri/wasm", "kolibri/b", "flag"},
		{"kolibri/wasm", "kolibri/a", "kolibri/c", "testing/fstest"},
	}, unwelcomeImports(imports, "kolibri/wasm"))
}

func TestFlatten(t *testing.T) {
	p, err := flatten("M0 0 L10,0L10 10Z")
	require.NoError(t, err)
	require.Equal(t, []point{{0, 0}, {10, 0}, {10, 10}}, p)
	p, err = flatten("M0 0 Q10 0 10 10")
	require.NoError(t, err)
	require.Equal(t, point{10, 10}, p[len(p)-1])
	require.Len(t, p, 17)
	for _, bad := range []string{"C1 2 3 4 5 6", "M1", "Q1 2 3 4", "M0 0 L x y", "m 1 1"} {
		_, err := flatten(bad)
		require.Error(t, err, bad)
	}
}

func TestIcons(t *testing.T) {
	for _, i := range icons {
		data, err := encodePNG(i)
		require.NoError(t, err)
		picture, err := png.Decode(bytes.NewReader(data))
		require.NoError(t, err)
		require.Equal(t, i.size, picture.Bounds().Dx())
		require.Equal(t, i.size, picture.Bounds().Dy())
		_, _, _, corner := picture.At(0, 0).RGBA()
		require.Equal(t, i.round == 0, corner == 0xffff, "a corner is seen through unless a mask cuts it")
	}
	ico, err := favicons()
	require.NoError(t, err)
	first := binary.LittleEndian.Uint32(ico[6+12:])
	_, err = png.Decode(bytes.NewReader(ico[first:]))
	require.NoError(t, err)
}

func TestPruneForgetsWhatNobodyAsksFor(t *testing.T) {
	c := &compressor{filepath.Join(t.TempDir(), "new")}
	require.NoError(t, c.prune(time.Now()), "before the first build")
	text := []byte(strings.Repeat("kolibri ", 1000))
	first, err := c.brotli(text, textLevel)
	require.NoError(t, err)
	_, err = c.gzip(text)
	require.NoError(t, err)
	files := func() int {
		entries, err := os.ReadDir(c.dir)
		require.NoError(t, err)
		return len(entries)
	}
	require.Equal(t, 2, files())
	require.NoError(t, c.prune(time.Now().Add(unusedAfter/2)))
	require.Equal(t, 2, files())
	require.NoError(t, c.prune(time.Now().Add(2*unusedAfter)))
	require.Zero(t, files())
	again, err := c.brotli(text, textLevel)
	require.NoError(t, err)
	require.Equal(t, first, again)
}
