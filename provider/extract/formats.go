//go:build unix

package extract

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sort"
	"strings"

	"github.com/ledongthuc/pdf"
	"golang.org/x/net/html"
)

// Limits of archives, whose files may unpack to anything.
const (
	maxEntries  = 10_000
	maxEntry    = 8 << 20  // bytes of one file, unpacked
	maxUnpacked = 32 << 20 // of all files that are read
)

func readPDF(w io.Writer, f *os.File, size int64) error {
	r, err := pdf.NewReader(f, size)
	switch {
	case errors.Is(err, pdf.ErrInvalidPassword):
		return errors.New("it is encrypted")
	case err != nil:
		return errors.New("it is damaged")
	}
	fonts := map[string]*pdf.Font{}
	for i := 1; i <= r.NumPage(); i++ {
		content, err := pageText(r, i, fonts)
		if err != nil {
			continue // a damaged page does not hide the others
		}
		if _, err := fmt.Fprintln(w, content); err != nil {
			return err
		}
	}
	return nil
}

func pageText(r *pdf.Reader, number int, fonts map[string]*pdf.Font) (content string, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("damaged")
		}
	}()
	page := r.Page(number)
	if page.V.IsNull() {
		return "", nil
	}
	for _, name := range page.Fonts() {
		// fonts of the same name on different pages may differ
		f := page.Font(name)
		fonts[name] = &f
	}
	return page.GetPlainText(fonts)
}

// readZip reads an EPUB in the order of its spine, or the pages of an HTML5 app in the order of names.
// Nothing is unpacked to a file, so names that climb out of the archive lead nowhere.
func readZip(w io.Writer, f *os.File, size int64) error {
	archive, err := zip.NewReader(f, size)
	if err != nil {
		return errors.New("it is damaged")
	}
	if len(archive.File) > maxEntries {
		return errors.New("it has too many files")
	}
	z := &unpacker{files: map[string]*zip.File{}, left: maxUnpacked}
	for _, entry := range archive.File {
		z.files[path.Clean(entry.Name)] = entry
	}
	for _, name := range z.pages() {
		page, err := z.open(name)
		if err != nil {
			continue // named, but not there
		}
		err = readHTML(w, page)
		page.Close()
		if err != nil {
			return err
		}
		if z.left <= 0 {
			return errors.New("it unpacks to too much")
		}
	}
	return nil
}

type unpacker struct {
	files map[string]*zip.File
	left  int64
}

func (z *unpacker) open(name string) (io.ReadCloser, error) {
	entry := z.files[path.Clean(name)]
	if entry == nil {
		return nil, os.ErrNotExist
	}
	r, err := entry.Open()
	if err != nil {
		return nil, err
	}
	return &unpacked{r: r, z: z, left: maxEntry}, nil
}

// unpacked counts what comes out of an entry, whatever its header claims.
type unpacked struct {
	r    io.ReadCloser
	z    *unpacker
	left int64
}

// Read implements io.Reader.
func (u *unpacked) Read(p []byte) (int, error) {
	if most := min(u.left, u.z.left); most <= 0 {
		return 0, io.EOF
	} else if int64(len(p)) > most {
		p = p[:most]
	}
	n, err := u.r.Read(p)
	u.left -= int64(n)
	u.z.left -= int64(n)
	return n, err
}

// Close implements io.Closer.
func (u *unpacked) Close() error { return u.r.Close() }

func (z *unpacker) pages() []string {
	if names := z.spine(); len(names) > 0 {
		return names
	}
	var names []string
	for name := range z.files {
		switch strings.ToLower(path.Ext(name)) {
		case ".html", ".htm", ".xhtml":
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// spine lists the chapters of an EPUB in the order of reading.
func (z *unpacker) spine() []string {
	var container struct {
		Roots []struct {
			Path string `xml:"full-path,attr"`
		} `xml:"rootfiles>rootfile"`
	}
	if z.xml("META-INF/container.xml", &container) != nil || len(container.Roots) == 0 {
		return nil
	}
	root := container.Roots[0].Path
	var book struct {
		Items []struct {
			ID   string `xml:"id,attr"`
			Href string `xml:"href,attr"`
		} `xml:"manifest>item"`
		Order []struct {
			ID string `xml:"idref,attr"`
		} `xml:"spine>itemref"`
	}
	if z.xml(root, &book) != nil {
		return nil
	}
	places := map[string]string{}
	for _, item := range book.Items {
		places[item.ID] = path.Join(path.Dir(root), item.Href)
	}
	var names []string
	taken := map[string]bool{}
	for _, item := range book.Order {
		if name := places[item.ID]; name != "" && !taken[name] {
			taken[name] = true
			names = append(names, name)
		}
	}
	return names
}

func (z *unpacker) xml(name string, into any) error {
	r, err := z.open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	d := xml.NewDecoder(r)
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return d.Decode(into)
}

// silent are elements whose text nobody sees.
var silent = map[string]bool{"script": true, "style": true, "template": true, "noscript": true, "svg": true, "math": true}

// inline are elements that do not break a line.
var inline = map[string]bool{"a": true, "abbr": true, "b": true, "bdi": true, "bdo": true, "cite": true, "code": true, "em": true, "font": true,
	"i": true, "kbd": true, "mark": true, "q": true, "rt": true, "ruby": true, "s": true, "small": true, "span": true, "strong": true,
	"sub": true, "sup": true, "u": true, "wbr": true}

// readHTML writes what a reader of the page sees, and what pictures are said to show. It goes from tag
// to tag without a tree, so how deeply elements lie within one another does not matter.
func readHTML(w io.Writer, r io.Reader) error {
	tags := html.NewTokenizer(r)
	tags.SetMaxBuf(maxEntry)
	quiet := ""
	depth := 0
	for {
		kind := tags.Next()
		if kind == html.ErrorToken {
			_, err := io.WriteString(w, "\n")
			return err
		}
		token := tags.Token()
		var out string
		switch {
		case quiet != "":
			switch {
			case kind == html.StartTagToken && token.Data == quiet:
				depth++
			case kind == html.EndTagToken && token.Data == quiet:
				if depth--; depth == 0 {
					quiet = ""
				}
			}
		case kind == html.TextToken:
			out = token.Data
		case kind == html.StartTagToken && silent[token.Data]:
			quiet, depth = token.Data, 1
		case kind == html.StartTagToken || kind == html.EndTagToken || kind == html.SelfClosingTagToken:
			if !inline[token.Data] {
				out = "\n"
			}
			for _, a := range token.Attr {
				if a.Key == "alt" && token.Data == "img" {
					out += a.Val + "\n"
				}
			}
		}
		if out != "" {
			if _, err := io.WriteString(w, out); err != nil {
				return err
			}
		}
	}
}
