package pages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Site is what all pages of one running server have in common.
type Site struct {
	// Prefix is the path below which Kolibri lives, with a slash at both ends. Empty means "/".
	Prefix string
	// ZipPrefix is the same on the origin of zip content. Empty means "/".
	ZipPrefix string
	// ZipOrigin and ZipPort say where zip content is served: the origin (then the port is empty),
	// or the port, as decimal digits, on the host of the page.
	ZipOrigin, ZipPort string
	// Languages are the ids of the languages to offer. Empty means all.
	Languages []string
	// Without are plugins ("kolibri.plugins.coach") whose bundles no page has.
	Without []string
	// URLs are all named routes; dashes in the names become underscores.
	URLs map[string][]Route
}

// Route is one pattern of a named route, without the site's prefix and the language.
type Route struct {
	Template string   // "api/auth/facility/%(pk)s/"
	Args     []string // "pk"
	// Localized routes get the language of the page in front: "learn/" becomes "en/learn/".
	Localized bool
}

// View is one request for a page.
type View struct {
	Page string // "learn", "learn/my-downloads", ...: one of the names that Names gives
	Lang string // the id of an offered language
	// PluginData by bundle id: what depends on the database. It is laid over the constant data of
	// the bundle key by key. Values may be anything that encoding/json writes.
	PluginData map[string]map[string]any
	// Head is trusted markup that goes first into the head of the page.
	Head string
}

// Unsupported is the page that tells about a browser that is too old. It has no data.
const Unsupported = "unsupported"

// Pages renders pages. It may be used by many goroutines at once.
type Pages struct {
	fsys  fs.FS
	site  Site
	data  *Data
	langs map[string]Language

	mu     sync.Mutex
	shells []*shell // most recently used last
	texts  map[string]map[string]string
}

// keptShells bounds the languages kept in memory: each takes about half a megabyte, and a device
// is used in one or two.
const keptShells = 3

// Load reads the pages' data from the build folder. Messages are read when a language is first
// asked for.
func Load(fsys fs.FS, site Site) (*Pages, error) {
	data, err := readData(fsys)
	if err != nil {
		return nil, err
	}
	if site.Prefix == "" {
		site.Prefix = "/"
	}
	if site.ZipPrefix == "" {
		site.ZipPrefix = "/"
	}
	if data.Languages, err = offered(data.Languages, site.Languages); err != nil {
		return nil, err
	}
	data.leaveOut(site.Without)
	p := &Pages{fsys: fsys, site: site, data: data, langs: map[string]Language{}}
	for _, l := range data.Languages {
		p.langs[l.ID] = l
	}
	return p, nil
}

// leaveOut takes the bundles of plugins out of all pages, and with them the kinds of files that only
// they show, and the pages that are theirs.
func (d *Data) leaveOut(plugins []string) {
	theirs := func(bundle string) bool {
		return slices.ContainsFunc(plugins, func(id string) bool { return strings.HasPrefix(bundle, id+".") })
	}
	d.Viewers = slices.DeleteFunc(d.Viewers, theirs)
	d.Navigation = slices.DeleteFunc(d.Navigation, theirs)
	maps.DeleteFunc(d.Pages, func(_, bundle string) bool { return theirs(bundle) })
}

// offered picks the wanted languages out of all.
func offered(all []Language, wanted []string) ([]Language, error) {
	if len(wanted) == 0 {
		return all, nil
	}
	for _, id := range wanted {
		if !slices.ContainsFunc(all, func(l Language) bool { return l.ID == id }) {
			return nil, fmt.Errorf("there is no language %q", id)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(l Language) bool { return !slices.Contains(wanted, l.ID) }), nil
}

// Languages are the offered languages, by id.
func (p *Pages) Languages() []Language { return p.data.Languages }

// Language gives an offered language by its id.
func (p *Pages) Language(id string) (Language, bool) {
	l, ok := p.langs[id]
	return l, ok
}

// Version is the version of the Kolibri whose front end is served.
func (p *Pages) Version() string { return p.data.Kolibri }

// Names are the names of the pages that can be rendered.
func (p *Pages) Names() []string {
	return append(slices.Sorted(maps.Keys(p.data.Pages)), Unsupported)
}

// Bundle is the id of the bundle that makes a page what it is, empty for a page without data.
func (p *Pages) Bundle(page string) string { return p.data.Pages[page] }

// Presets are the kinds of files that the viewers show.
func (p *Pages) Presets() []string {
	var all []string
	for _, id := range p.data.Viewers {
		all = append(all, p.data.Bundles[id].Presets...)
	}
	return all
}

// StaticURL is the address of a static file given by its path below the static root.
func (p *Pages) StaticURL(file string) string { return p.site.Prefix + "static/" + file }

// Render writes a page. It fails before the first byte when the page or the language is unknown,
// when plugin data cannot be written as JSON, or when the messages cannot be read.
func (p *Pages) Render(w io.Writer, v View) error {
	lang, ok := p.langs[v.Lang]
	if !ok {
		return fmt.Errorf("pages: language %q is not offered", v.Lang)
	}
	if v.Page == Unsupported {
		_, err := io.WriteString(w, p.unsupported(lang, v.Head))
		return err
	}
	id, ok := p.data.Pages[v.Page]
	if !ok {
		return fmt.Errorf("pages: there is no page %q", v.Page)
	}
	sh, err := p.shell(lang)
	if err != nil {
		return err
	}
	parts := append(slices.Clip(sh.parts), p.bundle(id, lang, sh.messages)...)
	out := make([][]byte, 0, len(parts)+2)
	out = append(out, []byte("<!DOCTYPE html>\n<html dir=\""+lang.Direction()+"\" lang=\""+lang.ID+"\">\n<head>\n"+v.Head))
	for _, part := range parts {
		if part.data == "" {
			out = append(out, part.text)
			continue
		}
		text, err := p.pluginData(part.data, v.PluginData[part.data])
		if err != nil {
			return err
		}
		out = append(out, text)
	}
	out = append(out, []byte("\n</body>\n</html>\n"))
	for _, text := range out {
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// shell is what all pages of a language share, from the head to the last navigation bundle.
type shell struct {
	lang     string
	messages messages
	parts    []part
}

// part is a constant piece of a page, or the place of a bundle's plugin data.
type part struct {
	text []byte
	data string // bundle id
}

func (p *Pages) shell(lang Language) (*shell, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.shells, func(s *shell) bool { return s.lang == lang.ID }); i >= 0 {
		s := p.shells[i]
		p.shells = append(slices.Delete(p.shells, i, i+1), s)
		return s, nil
	}
	m, err := readMessages(p.fsys, lang.ID)
	if err != nil {
		return nil, err
	}
	s := &shell{lang: lang.ID, messages: m}
	s.parts = append(s.parts, part{text: []byte(p.head(lang))})
	for _, id := range p.data.Viewers {
		s.parts = append(s.parts, p.viewer(id, m)...)
	}
	core, err := p.coreData(lang, m[p.data.Core])
	if err != nil {
		return nil, err
	}
	s.parts = append(s.parts, part{text: core}, part{text: p.files(p.data.Core, lang)})
	for _, id := range p.data.Navigation {
		s.parts = append(s.parts, p.bundle(id, lang, m)...)
	}
	if len(p.shells) == keptShells {
		p.shells = slices.Delete(p.shells, 0, 1)
	}
	p.shells = append(p.shells, s)
	return s, nil
}

// head is everything between the opening of the head and the first data template.
func (p *Pages) head(lang Language) string {
	var b strings.Builder
	b.WriteString(`<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="google" content="notranslate">
`)
	b.WriteString(p.title(lang))
	for _, file := range []string{p.data.FontCommon, lang.FontSubset} {
		href := html.EscapeString(p.StaticURL(file))
		b.WriteString(`<link type="text/css" href="` + href + `" rel="preload" as="style">` + "\n")
		b.WriteString(`<link type="text/css" href="` + href + `" rel="stylesheet">` + "\n")
	}
	b.WriteString("</head>\n<body>\n<rootvue>\n" + loading() + "</rootvue>\n")
	return b.String()
}

func (p *Pages) title(lang Language) string {
	return `<link rel="shortcut icon" href="` + html.EscapeString(p.StaticURL(p.data.Favicon)) + "\">\n" +
		"<title>" + html.EscapeString(lang.Title) + "</title>\n"
}

// viewer is a content viewer: messages, plugin data and the files to load on demand, of both text
// directions because content may run against the interface.
// kolibri/core/content/hooks.py: ContentRendererHook
func (p *Pages) viewer(id string, m messages) []part {
	b := p.data.Bundles[id]
	urls := make([]string, len(b.Files))
	for i, f := range b.Files {
		urls[i] = p.StaticURL(f)
	}
	text, err := encode(struct {
		URLs    []string `json:"urls"`
		Presets []string `json:"presets"`
	}{urls, b.Presets})
	if err != nil {
		panic(err) // strings alone cannot fail to encode
	}
	return []part{{text: messagesTemplate(id, m)}, {data: id}, {text: template("viewer", id, text)}}
}

// bundle is a bundle that loads with the page: plugin data, messages, css and scripts.
// kolibri/core/webpack/hooks.py: WebpackBundleHook
func (p *Pages) bundle(id string, lang Language, m messages) []part {
	return []part{{data: id}, {text: messagesTemplate(id, m)}, {text: p.files(id, lang)}}
}

// files are the tags of a bundle's css, in the language's direction, and scripts.
func (p *Pages) files(id string, lang Language) []byte {
	var css, js strings.Builder
	for _, f := range p.data.Bundles[id].Files {
		url := html.EscapeString(p.StaticURL(f))
		switch {
		case strings.HasSuffix(f, ".js"):
			js.WriteString(`<script type="text/javascript" src="` + url + `"></script>` + "\n")
		case strings.HasSuffix(f, ".rtl.css") == lang.RTL:
			css.WriteString(`<link type="text/css" href="` + url + `" rel="stylesheet">` + "\n")
		}
	}
	return []byte(css.String() + js.String())
}

func messagesTemplate(id string, m messages) []byte {
	if len(m[id]) == 0 {
		return nil
	}
	return template("i18n", id, m[id])
}

func template(kind, id string, text []byte) []byte {
	return fmt.Appendf(nil, "<template data-%s=\"%s\">%s</template>\n", kind, id, text)
}

// pluginData is the data template of a bundle, or nothing when there are no data.
func (p *Pages) pluginData(id string, given map[string]any) ([]byte, error) {
	constant := p.data.Bundles[id].Data
	if len(constant)+len(given) == 0 {
		return nil, nil
	}
	all := make(map[string]any, len(constant)+len(given))
	for k, v := range constant {
		all[k] = v
	}
	maps.Copy(all, given)
	text, err := json.Marshal(all) // escapes < and >, so that no value can end the template
	if err != nil {
		return nil, fmt.Errorf("pages: plugin data of %s: %w", id, err)
	}
	return template("plugin", id, text), nil
}

// encode writes JSON as Kolibri does: compact, nothing escaped for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
