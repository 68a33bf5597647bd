//go:build unix

package extract

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain makes the test program its own child.
func TestMain(m *testing.M) {
	switch {
	case IsChild() && len(os.Args) > 1 && os.Args[1] == "hang":
		time.Sleep(time.Minute)
	case IsChild() && len(os.Args) > 1 && os.Args[1] == "eat":
		limitsOnly()
	case IsChild():
		os.Exit(Child())
	}
	os.Exit(m.Run())
}

// limitsOnly takes more memory than a child may have.
func limitsOnly() {
	empty, _ := os.Open(os.DevNull)
	os.Stdin = empty
	Child()
	var all [][]byte
	for range 64 {
		piece := make([]byte, 32<<20)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		all = append(all, piece)
	}
	fmt.Println(len(all))
	os.Exit(0)
}

func file(t testing.TB, content []byte) *os.File {
	name := filepath.Join(t.TempDir(), "document")
	require.NoError(t, os.WriteFile(name, content, 0o600))
	f, err := os.Open(name)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func extractor(args ...string) *Extractor {
	return New(append([]string{os.Args[0]}, args...)...)
}

// pdfOf is a PDF with one page for each text.
func pdfOf(pages ...string) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	b.WriteString("%PDF-1.4\n")
	kids := ""
	for i := range pages {
		kids += fmt.Sprintf("%d 0 R ", 4+2*i)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object(fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids, len(pages)))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	for i, page := range pages {
		object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>", 5+2*i))
		stream := fmt.Sprintf("BT /F1 12 Tf 72 700 Td (%s) Tj ET", page)
		object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(stream), stream))
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}

func zipOf(t testing.TB, files ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		require.NoError(t, err)
		_, err = io.WriteString(w, files[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

const container = `<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
	<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`

func book(items ...string) string {
	manifest, spine := "", ""
	for i, item := range items {
		manifest += fmt.Sprintf(`<item id="i%d" href="%s"/>`, i, item)
		spine += fmt.Sprintf(`<itemref idref="i%d"/>`, i)
	}
	return `<package xmlns="http://www.idpf.org/2007/opf"><manifest>` + manifest + `</manifest><spine>` + spine + `</spine></package>`
}

func TestTexts(t *testing.T) {
	for _, tc := range []struct {
		name     string
		document []byte
		want     []string
	}{
		{"pdf", pdfOf("Photosynthesis feeds plants", "Second page"), []string{"Photosynthesis feeds plants", "Second page"}},
		{"epub in the order of its spine", zipOf(t, "META-INF/container.xml", container, "OEBPS/book.opf", book("b.xhtml", "a.xhtml"),
			"OEBPS/a.xhtml", "<html><body><p>after</p></body></html>", "OEBPS/b.xhtml", "<html><body><p>数学<b>入門</b></p><p>before</p></body></html>"),
			[]string{"数学入門", "before", "after"}},
		{"an app of HTML", zipOf(t, "index.html", "<h1>Welcome</h1>", "z.htm", "<p>end", "a.js", "alert"), []string{"Welcome", "end"}},
		{"names that climb out", zipOf(t, "META-INF/container.xml", container, "OEBPS/book.opf", book("../../../etc/passwd", "ok.html"), "OEBPS/ok.html", "fine"), []string{"fine"}},
		{"html", []byte("\n<!DOCTYPE html><title>T&eacute;l&eacute;</title><script>hidden()</script><style>p{hidden}</style>one<br>two<img alt='a picture'>"),
			[]string{"Télé", "one", "two", "a picture"}},
		{"a script that never ends", []byte("<html>seen<script>hidden"), []string{"seen"}},
		{"deep", []byte("<html>" + strings.Repeat("<div>", 200_000) + "deep"), []string{"deep"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := extractor().Text(t.Context(), file(t, tc.document))
			require.NoError(t, err)
			require.Equal(t, tc.want, strings.FieldsFunc(got, func(r rune) bool { return r == '\n' }))
			require.NotContains(t, got, "root:")
		})
	}
}

func TestRefused(t *testing.T) {
	good := pdfOf("text")
	encrypted := bytes.Replace(good, []byte("/Root 1 0 R"), []byte("/Root 1 0 R /ID [<00><00>] /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <"+
		strings.Repeat("41", 32)+"> /U <"+strings.Repeat("42", 32)+"> >>"), 1)
	loop := bytes.Replace(good, []byte("/Kids [4 0 R ]"), []byte("/Kids [2 0 R ]"), 1)
	for _, tc := range []struct {
		name     string
		document []byte
		why      string
	}{
		{"empty", nil, "empty"},
		{"no document", []byte("MZ\x90"), "type"},
		{"a truncated PDF", good[:len(good)/2], "damaged"},
		{"an encrypted PDF", encrypted, "encrypted"},
		{"a PDF that refers to itself", loop, ""},
		{"a damaged archive", []byte("PK\x03\x04garbage"), "damaged"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := extractor()
			if tc.why == "" { // it keeps its reader busy for ever
				e.Timeout = 2 * time.Second
			}
			got, err := e.Text(t.Context(), file(t, tc.document))
			if tc.why == "" { // whatever the reader makes of it, it ends
				require.Empty(t, strings.TrimSpace(got))
				return
			}
			require.ErrorIs(t, err, ErrRefused)
			require.ErrorContains(t, err, tc.why)
		})
	}
}

func TestZipBombs(t *testing.T) {
	page := "<html>" + strings.Repeat("a ", 4<<20)
	files := []string{}
	for i := range 5 {
		files = append(files, fmt.Sprintf("%02d.html", i), page)
	}
	got, err := extractor().Text(t.Context(), file(t, zipOf(t, files...)))
	require.NoError(t, err)
	require.LessOrEqual(t, len(got), MaxText)
	quiet := []string{}
	for i := range 5 { // nothing to see, so the limit of text does not help
		quiet = append(quiet, fmt.Sprintf("%02d.html", i), "<html><!--"+page+"-->")
	}
	_, err = extractor().Text(t.Context(), file(t, zipOf(t, quiet...)))
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "too much")
	many := []string{}
	for i := range maxEntries + 1 {
		many = append(many, fmt.Sprint(i), "")
	}
	_, err = extractor().Text(t.Context(), file(t, zipOf(t, many...)))
	require.ErrorContains(t, err, "too many files")
}

func TestAReaderThatHangsIsEnded(t *testing.T) {
	e := extractor("hang")
	e.Timeout = 300 * time.Millisecond
	begin := time.Now()
	_, err := e.Text(t.Context(), file(t, pdfOf("x")))
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "too long")
	require.Less(t, time.Since(begin), 20*time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = extractor("hang").Text(ctx, file(t, pdfOf("x")))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestAReaderThatEatsMemoryIsEnded(t *testing.T) {
	_, err := extractor("eat").Text(t.Context(), file(t, pdfOf("x")))
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "memory")
}

func TestAChildThatCannotStartIsNoRefusal(t *testing.T) {
	_, err := New("/nowhere/kolibri").Text(t.Context(), file(t, pdfOf("x")))
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrRefused)
}

func FuzzRead(f *testing.F) {
	f.Add(zipOf(f, "META-INF/container.xml", container, "OEBPS/book.opf", book("a.html"), "OEBPS/a.html", "x"))
	f.Add([]byte("<html><p>x"))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_ = z.Close()
	f.Add(packed.Bytes())
	f.Fuzz(func(t *testing.T, document []byte) {
		if bytes.Contains(document[:min(len(document), 1024)], []byte("%PDF-")) {
			return // the child's limits are what holds there
		}
		_ = read(&limitedWriter{w: io.Discard, left: MaxText}, file(t, document))
	})
}
