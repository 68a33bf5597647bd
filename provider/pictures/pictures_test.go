//go:build !js

package pictures

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store/sqlite"
)

const base = "https://example.org/pictures/"

func open(t testing.TB) *Pictures {
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "p.sqlite3"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	p, err := Open(context.Background(), db, base)
	require.NoError(t, err)
	return p
}

func drawn(width, height int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	return img
}

func pngOf(t testing.TB, img image.Image) []byte {
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

func jpegOf(t testing.TB, img image.Image) []byte {
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

func animated(t testing.TB) []byte {
	var b bytes.Buffer
	frame := func(i uint8) *image.Paletted {
		p := image.NewPaletted(image.Rect(0, 0, 20, 10), palette.Plan9)
		for at := range p.Pix {
			p.Pix[at] = i
		}
		return p
	}
	require.NoError(t, gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame(10), frame(20)}, Delay: []int{1, 1}}))
	return b.Bytes()
}

// bomb is a PNG whose header claims dimensions that its few bytes do not have.
func bomb(width, height uint32) []byte {
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	head = append(binary.BigEndian.AppendUint32(head, height), 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

func dataURL(kind string, raw []byte) string {
	return "data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(raw)
}

// webpPixel is a WebP of one pixel.
const webpPixel = "data:image/webp;base64,UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func get(t testing.TB, p *Pictures, url string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	if len(header) > 0 {
		r.Header.Set(header[0], header[1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func TestPicturesAreHosted(t *testing.T) {
	p := open(t)
	ctx := context.Background()
	for _, tc := range []struct {
		name, url     string
		width, height int
	}{
		{"png", dataURL("png", pngOf(t, drawn(30, 20))), 30, 20},
		{"jpeg", dataURL("jpeg", jpegOf(t, drawn(30, 20))), 30, 20},
		{"a type that lies", dataURL("png", jpegOf(t, drawn(31, 20))), 31, 20},
		{"SVG by name, PNG by its bytes", dataURL("svg+xml", pngOf(t, drawn(32, 20))), 32, 20},
		{"webp", webpPixel, 1, 1},
		{"animated: the first frame", dataURL("gif", animated(t)), 20, 10},
		{"large", dataURL("png", pngOf(t, drawn(2000, 500))), 512, 128},
		{"tall", dataURL("png", pngOf(t, drawn(3, 4000))), 1, 512},
		{"breaks of lines", strings.Replace(dataURL("png", pngOf(t, drawn(33, 20))), "A", "A\r\n", 3), 33, 20},
		{"a parameter and capitals", strings.Replace(dataURL("png", pngOf(t, drawn(34, 20))), "data:image/png;", "DATA:image/PNG;charset=utf-8;", 1), 34, 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			url, err := p.Host(ctx, tc.url)
			require.NoError(t, err)
			require.Regexp(t, "^"+base+"[0-9a-f]{64}\\.png$", url)
			again, err := p.Host(ctx, tc.url)
			require.NoError(t, err)
			require.Equal(t, url, again)
			w := get(t, p, url)
			require.Equal(t, http.StatusOK, w.Code)
			require.Equal(t, "image/png", w.Header().Get("Content-Type"))
			require.Contains(t, w.Header().Get("Cache-Control"), "immutable")
			config, err := png.DecodeConfig(w.Body)
			require.NoError(t, err)
			require.Equal(t, [2]int{tc.width, tc.height}, [2]int{config.Width, config.Height})
			require.Equal(t, http.StatusNotModified, get(t, p, url, "If-None-Match", w.Header().Get("ETag")).Code)
		})
	}
}

func TestWhatHidesInAPictureIsNotServed(t *testing.T) {
	p := open(t)
	raw := append(pngOf(t, drawn(8, 8)), "<script>alert(1)</script>"...)
	url, err := p.Host(context.Background(), dataURL("png", raw))
	require.NoError(t, err)
	require.NotContains(t, get(t, p, url).Body.String(), "script")
}

func TestPicturesAreRefused(t *testing.T) {
	p := open(t)
	good := pngOf(t, drawn(40, 40))
	for _, tc := range []struct{ name, url, why string }{
		{"bomb", dataURL("png", bomb(60000, 60000)), "60000 x 60000 pixels"},
		{"wide bomb", dataURL("png", bomb(1<<31-1, 1)), "pixels"},
		{"many pixels", dataURL("png", bomb(8000, 8000)), "8000 x 8000 pixels"},
		{"no pixels", dataURL("png", bomb(0, 10)), "damaged"},
		{"claims without data", dataURL("png", bomb(3000, 3000)), "damaged"},
		{"truncated", dataURL("png", good[:len(good)/2]), "damaged"},
		{"empty", "data:image/png;base64,", "empty"},
		{"SVG", dataURL("svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)), "scripts"},
		{"SVG as PNG", dataURL("png", []byte(" <?xml version='1.0'?><svg/>")), "scripts"},
		{"SVG as text", "data:image/svg+xml,%3Csvg/%3E", "base64"},
		{"HTML", dataURL("png", []byte("<!doctype html>")), "scripts"},
		{"no picture", dataURL("png", []byte("MZ\x90\x00")), "type"},
		{"too large", dataURL("png", make([]byte, MaxBytes+10)), "large"},
		{"no base64", "data:image/png;base64,%%%%", "base64"},
		{"no comma", "data:image/png;base64", "no data URL"},
		{"an address", "https://example.org/a.png", "no data URL"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 2 { // the second answer is the remembered one
				_, err := p.Host(context.Background(), tc.url)
				require.ErrorIs(t, err, ErrRefused)
				require.ErrorContains(t, err, tc.why)
			}
		})
	}
}

// A caller that went away says nothing about the picture.
func TestAnEndedContextIsNoRefusal(t *testing.T) {
	p := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	url := dataURL("png", pngOf(t, drawn(300, 300)))
	_, err := p.Host(ctx, url)
	require.ErrorIs(t, err, context.Canceled)
	_, err = render(ctx, pngOf(t, drawn(300, 300)), Side)
	require.ErrorIs(t, err, context.Canceled)
	_, err = p.Host(context.Background(), url)
	require.NoError(t, err)
}

func TestServing(t *testing.T) {
	p := open(t)
	url, err := p.Add(context.Background(), pngOf(t, drawn(400, 200)))
	require.NoError(t, err)
	small := get(t, p, url+"?w=64")
	require.Equal(t, http.StatusOK, small.Code)
	config, err := png.DecodeConfig(small.Body)
	require.NoError(t, err)
	require.Equal(t, 64, config.Width)
	require.Equal(t, 32, config.Height)
	require.NotEqual(t, get(t, p, url).Header().Get("ETag"), small.Header().Get("ETag"))
	for _, tc := range []struct {
		url  string
		code int
	}{
		{url + "?w=65", 400}, {url + "?w=-1", 400}, {url + "?w=99999999999999999999", 400}, {url + "?w=a", 400},
		{base + strings.Repeat("0", 64) + ".png", 404}, {base + "../../etc/passwd", 404}, {base, 404},
		{base + strings.Repeat("0", 63) + "'.png", 404}, {base + strings.Repeat("0", 64) + ".png?w=64", 404},
	} {
		require.Equal(t, tc.code, get(t, p, tc.url).Code, tc.url)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodPost, url, nil))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

func TestRewrite(t *testing.T) {
	p := open(t)
	picture := dataURL("png", pngOf(t, drawn(5, 5)))
	url, err := p.Host(context.Background(), picture)
	require.NoError(t, err)
	quoted := `"` + url + `"`
	escaped := strings.ReplaceAll(strings.Replace(picture, "d", `\u0064`, 1), "/", `\/`)
	for _, tc := range []struct{ name, in, want string }{
		{"nothing", ``, ``},
		{"no strings", ` [1, {}] `, ` [1, {}] `},
		{"a value", `{"icon_url": "` + picture + `"}`, `{"icon_url": ` + quoted + `}`},
		{"in a list", `["` + picture + `","` + picture + `"]`, `[` + quoted + `,` + quoted + `]`},
		{"escaped", `["` + escaped + `"]`, `[` + quoted + `]`},
		{"a name", `{"` + picture + `" : 1}`, `{"` + picture + `" : 1}`},
		{"other strings", `{"a\\":"data:image","b":"\"data:image/png;base64,","c":"\\\\","d":"` + strings.Repeat("d\\\"", 70000) + `"}`,
			`{"a\\":"data:image","b":"\"data:image/png;base64,","c":"\\\\","d":"` + strings.Repeat("d\\\"", 70000) + `"}`},
		{"refused", `["data:image/png;base64,AAAA", "data:image/svg+xml,<svg>"]`, `[null, null]`},
		{"too large", `["data:image/png;base64,` + strings.Repeat("A", maxText+1) + `", 1]`, `[null, 1]`},
		{"no JSON", `["data:image/png\x"]`, `["data:image/png\x"]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(tc.in), oneByOne{strings.NewReader(tc.in)}} {
				var out bytes.Buffer
				require.NoError(t, p.Rewrite(context.Background(), &out, in))
				require.Equal(t, tc.want, out.String())
			}
		})
	}
	for _, cut := range []string{`["abc`, `["data:image/png;base64,AA`, `{"a":"\`, `["data:image/\u00`} {
		require.ErrorIs(t, p.Rewrite(context.Background(), io.Discard, strings.NewReader(cut)), io.ErrUnexpectedEOF, cut)
	}
	broken := errors.New("broken")
	require.ErrorIs(t, p.Rewrite(context.Background(), io.Discard, io.MultiReader(strings.NewReader(`[1`), failing{broken})), broken)
}

type oneByOne struct{ r io.Reader }

func (o oneByOne) Read(p []byte) (int, error) { return o.r.Read(p[:1]) }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// endless is a list that is made while it is read.
type endless struct {
	item string
	left int
	rest string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		if e.left == 0 {
			return 0, io.EOF
		}
		e.left--
		e.rest = e.item
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func TestAListOfAnyLengthTakesLittleMemory(t *testing.T) {
	p := open(t)
	item := `{"id":1,"icon_url":"` + dataURL("png", pngOf(t, drawn(200, 200))) + `"},`
	peak := func(items int) uint64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		require.NoError(t, p.Rewrite(context.Background(), io.Discard, &endless{item: item, left: items}))
		runtime.GC()
		runtime.ReadMemStats(&after)
		return max(after.HeapAlloc, before.HeapAlloc) - before.HeapAlloc
	}
	peak(10)
	require.Less(t, peak(500), uint64(4<<20))
}

func TestManyAskForOnePicture(t *testing.T) {
	p := open(t)
	url := dataURL("png", pngOf(t, drawn(300, 300)))
	var all sync.WaitGroup
	urls := make([]string, 50)
	for i := range urls {
		all.Go(func() { urls[i], _ = p.Host(context.Background(), url) })
	}
	all.Wait()
	for _, u := range urls {
		require.Equal(t, urls[0], u)
		require.NotEmpty(t, u)
	}
}

func TestPicturesOutliveARestartAndArePruned(t *testing.T) {
	ctx := context.Background()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "p.sqlite3"), func() time.Time { return now })
	require.NoError(t, err)
	defer db.Close()
	old, fresh := dataURL("png", pngOf(t, drawn(9, 9))), dataURL("png", pngOf(t, drawn(10, 10)))
	p, err := Open(ctx, db, base)
	require.NoError(t, err)
	oldURL, err := p.Host(ctx, old)
	require.NoError(t, err)
	freshURL, err := p.Host(ctx, fresh)
	require.NoError(t, err)
	now = now.Add(10 * day)
	p, err = Open(ctx, db, base)
	require.NoError(t, err)
	again, err := p.Host(ctx, fresh)
	require.NoError(t, err)
	require.Equal(t, freshURL, again)
	removed, err := p.Prune(ctx, now.Add(-5*day))
	require.NoError(t, err)
	require.EqualValues(t, 1, removed)
	require.Equal(t, http.StatusNotFound, get(t, p, oldURL).Code)
	require.Equal(t, http.StatusOK, get(t, p, freshURL).Code)
}

func FuzzRender(f *testing.F) {
	f.Add(pngOf(f, drawn(4, 4)))
	f.Add(jpegOf(f, drawn(4, 4)))
	f.Add(animated(f))
	f.Add(bomb(10, 10))
	f.Fuzz(func(t *testing.T, raw []byte) {
		made, err := render(context.Background(), raw, 16)
		if err != nil {
			require.ErrorIs(t, err, ErrRefused)
			return
		}
		config, err := png.DecodeConfig(bytes.NewReader(made.png))
		require.NoError(t, err)
		require.LessOrEqual(t, max(config.Width, config.Height), 16)
	})
}

func FuzzRewrite(f *testing.F) {
	p := open(f)
	f.Add(`{"a":"data:image/png;base64,AAAA","b":"\\"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		err := p.Rewrite(context.Background(), &out, strings.NewReader(text))
		if json.Valid([]byte(text)) {
			require.NoError(t, err)
			require.True(t, json.Valid(out.Bytes()), fmt.Sprintf("%q became %q", text, out.String()))
		}
	})
}
