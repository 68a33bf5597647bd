package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"kolibri/server/pages"
)

// The bundles of the plugins that Kolibri 0.19.5 has on by default.
const coreBundle = "kolibri.core.default_frontend"

// viewers are the content viewers with the format presets that each shows.
// kolibri/plugins/*_viewer/kolibri_plugin.py, le_utils/constants/format_presets.py
var viewers = []struct {
	plugin  string
	presets []string
}{
	{"epub_viewer", []string{"epub"}},
	{"perseus_viewer", []string{"exercise"}},
	{"qti_viewer", []string{"qti"}},
	{"pdf_viewer", []string{"document"}},
	{"bloompub_viewer", []string{"bloompub"}},
	{"html5_viewer", []string{"html5_zip", "h5p", "imscp_zip"}},
	{"slideshow_viewer", []string{"slideshow_manifest"}},
	{"media_player", []string{"audio", "high_res_video", "low_res_video"}},
}

// navigation are the bundles that put entries into the side navigation.
var navigation = []string{
	"user_auth.login_side_nav", "learn.side_nav", "learn.my_downloads_side_nav", "facility.side_nav",
	"coach.side_nav", "device.side_nav", "user_profile.user_profile_side_nav",
}

// pageBundles are the bundles that make a page what it is, by the page's path.
var pageBundles = map[string]string{
	"setup": "setup_wizard.app", "auth": "user_auth.app", "learn": "learn.app",
	"learn/my-downloads": "learn.my_downloads_app", "coach": "coach.app", "facility": "facility.app",
	"device": "device.app", "profile": "user_profile.app",
}

// constantData are plugin data that never change here, because no plugin that would change them
// is on. What depends on the database or the options the server adds.
var constantData = map[string]map[string]any{
	"setup_wizard.app": {"canGetOSUser": false},
	"user_auth.app":    {"oidcProviderEnabled": false},
	"learn.app":        {"canCheckMeteredConnection": false, "canShareFile": false},
	"device.app":       {"canCheckMeteredConnection": false},
}

// theme is the look of kolibri/plugins/default_theme/kolibri_plugin.py: DefaultThemeHook, with
// the empty groups that ThemeHook adds.
var theme = map[string]any{
	"signIn": map[string]any{
		"background":          pages.StaticMark + "assets/default_theme/background.jpg",
		"backgroundImgCredit": "Lewa Wildlife Conservancy",
		"topLogo":             map[string]any{"style": "margin-bottom: 5px; width: 50px; height: 50px;"},
		"titleStyle":          map[string]any{"fontWeight": "600", "fontSize": "20px"},
	},
	"logos": []map[string]any{
		{"src": pages.StaticMark + favicon, "content_type": "image/vnd.microsoft.icon", "size": "32x32"},
		{"src": pages.StaticMark + "assets/default_theme/kolibri-logo.svg", "content_type": "image/svg+xml", "maskable": false, "size": "any"},
		{"src": pages.StaticMark + "assets/default_theme/kolibri-logo-192.png", "content_type": "image/png", "size": "192x192"},
		{"src": pages.StaticMark + "assets/default_theme/kolibri-logo-512.png", "content_type": "image/png", "size": "512x512"},
	},
	"tokenMapping": map[string]any{}, "sideNav": map[string]any{}, "appBar": map[string]any{},
}

const favicon = "assets/favicons/logo.ico"

// pseudo is the language that translators see keys in; it is not offered.
const pseudo = "ach-ug"

var rightToLeft = []string{"ar", "fa", "ur-pk"}

// pagesData collects what server/pages needs from the wheel.
func pagesData(w *wheel) (*pages.Data, error) {
	d := &pages.Data{
		Kolibri: w.version, Bundles: map[string]pages.Bundle{}, Core: coreBundle,
		Pages: map[string]string{}, Favicon: favicon,
	}
	var errs []error
	add := func(id, folder string, presets []string) string {
		b := pages.Bundle{Presets: presets}
		var err error
		if b.Files, err = bundleFiles(w, id, folder); err != nil {
			errs = append(errs, err)
		}
		for k, v := range constantData[strings.TrimPrefix(id, "kolibri.plugins.")] {
			if b.Data == nil {
				b.Data = map[string]json.RawMessage{}
			}
			b.Data[k] = mustJSON(v)
		}
		d.Bundles[id] = b
		return id
	}
	plugin := func(name string, presets []string) string {
		folder, _, _ := strings.Cut(name, ".")
		return add("kolibri.plugins."+name, "kolibri/plugins/"+folder, presets)
	}
	add(coreBundle, "kolibri/core", nil)
	for _, v := range viewers {
		d.Viewers = append(d.Viewers, plugin(v.plugin+".main", v.presets))
	}
	for _, name := range navigation {
		d.Navigation = append(d.Navigation, plugin(name, nil))
	}
	for _, page := range slices.Sorted(maps.Keys(pageBundles)) {
		d.Pages[page] = plugin(pageBundles[page], nil)
	}
	sandbox, err := w.read("kolibri/core/content/build/sandbox_filename")
	errs = append(errs, err)
	d.Sandbox = strings.TrimSpace(string(sandbox))
	d.Theme = mustJSON(theme)
	errs = append(errs, languages(w, d))
	return d, errors.Join(errs...)
}

// bundleFiles lists the files that a bundle starts with, below the static root.
func bundleFiles(w *wheel, id, folder string) ([]string, error) {
	var stats struct {
		Status string                             `json:"status"`
		Chunks map[string][]struct{ Name string } `json:"chunks"`
	}
	if err := w.readJSON(folder+"/build/"+id+"_stats.json", &stats); err != nil {
		return nil, err
	}
	var files []string
	for _, f := range stats.Chunks[id] {
		if path.Ext(f.Name) != ".map" {
			files = append(files, id+"/"+f.Name)
		}
	}
	if stats.Status != "done" || len(files) == 0 {
		return nil, fmt.Errorf("kolibri wheel: bundle %s lists no files", id)
	}
	return files, nil
}

// languages fills in the offered languages with their fonts and the few texts of the server side.
func languages(w *wheel, d *pages.Data) error {
	var infos []struct {
		ID      string `json:"intl_code"`
		Name    string `json:"language_name"`
		English string `json:"english_name"`
	}
	var fonts map[string]string
	if err := errors.Join(
		w.readJSON("kolibri/locale/language_info.json", &infos),
		w.readJSON("kolibri/core/constants/font_css_hashes.json", &fonts)); err != nil {
		return err
	}
	texts, err := unsupportedTexts(w)
	if err != nil {
		return err
	}
	font := func(name string) string {
		if fonts[name] == "" {
			err = errors.Join(err, fmt.Errorf("kolibri wheel: there is no font style sheet %s", name))
		}
		return "assets/fonts/" + fonts[name]
	}
	d.FontCommon = font("noto-common.css")
	for _, info := range infos {
		if info.ID == pseudo {
			continue
		}
		mo, e := w.read(localeFolder(info.ID) + "/django.mo")
		if e != nil {
			return e
		}
		translated, e := readMO(mo)
		if e != nil {
			return fmt.Errorf("kolibri wheel: messages of %s: %w", info.ID, e)
		}
		l := pages.Language{
			ID: info.ID, Name: info.Name, EnglishName: info.English, RTL: slices.Contains(rightToLeft, info.ID),
			Title:      translated.get("Kolibri"),
			FontSubset: font("noto-subset." + info.ID + ".css"),
			FontModern: font("noto-full." + info.ID + ".modern.css"),
			FontBasic:  font("noto-full." + info.ID + ".basic.css"),
		}
		for _, t := range texts {
			l.Unsupported = append(l.Unsupported, translated.get(t))
		}
		d.Languages = append(d.Languages, l)
	}
	slices.SortFunc(d.Languages, func(a, b pages.Language) int { return strings.Compare(a.ID, b.ID) })
	return err
}

var translatable = regexp.MustCompile(`\{% trans "([^"]+)" %\}`)

// unsupportedTexts are the English texts of the page for old browsers, in order.
func unsupportedTexts(w *wheel) ([]string, error) {
	page, err := w.read("kolibri/core/templates/kolibri/unsupported_browser.html")
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, m := range translatable.FindAllSubmatch(page, -1) {
		texts = append(texts, string(m[1]))
	}
	if len(texts) == 0 {
		return nil, errors.New("kolibri wheel: the page for unsupported browsers has no texts")
	}
	return texts, nil
}

// localeFolder is where the wheel keeps the messages of a language: "es-419" in es_419, "zh-hans"
// in zh_Hans, "pt-br" in pt_BR. django/utils/translation: to_locale
func localeFolder(lang string) string {
	base, region, _ := strings.Cut(lang, "-")
	switch {
	case len(region) > 2:
		region = "_" + strings.ToUpper(region[:1]) + region[1:]
	case region != "":
		region = "_" + strings.ToUpper(region)
	}
	return "kolibri/locale/" + base + region + "/LC_MESSAGES"
}

// stopwords are the words that mean nothing to a search, of all languages, one a line.
func stopwords(w *wheel) ([]byte, error) {
	const name = "kolibri/core/content/constants/stopwords-all.json"
	raw, err := w.read(name)
	if err != nil {
		return nil, err
	}
	var byLanguage map[string][]string
	if err := json.Unmarshal(raw, &byLanguage); err != nil {
		return nil, fmt.Errorf("kolibri wheel: %s: %w", name, err)
	}
	all := slices.Sorted(func(yield func(string) bool) {
		for _, words := range byLanguage {
			for _, word := range words {
				if !yield(word) {
					return
				}
			}
		}
	})
	return []byte(strings.Join(slices.Compact(all), "\n")), nil
}

// languageNames are what the languages of content call themselves, by code.
func languageNames(w *wheel) ([]byte, error) {
	const name = "kolibri/dist/le_utils/resources/languagelookup.json"
	raw, err := w.read(name)
	if err != nil {
		return nil, err
	}
	var all map[string]struct {
		Native string `json:"native_name"`
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("kolibri wheel: %s: %w", name, err)
	}
	names := make(map[string]string, len(all))
	for code, l := range all {
		names[code] = l.Native
	}
	return json.Marshal(names)
}

// languageMessages is the file of one language: the messages of all bundles that pages use.
func languageMessages(w *wheel, d *pages.Data, lang string) ([]byte, error) {
	texts := map[string][]byte{}
	for id := range d.Bundles {
		raw, err := w.read(localeFolder(lang) + "/" + id + "-messages.json")
		if err != nil {
			continue // not every bundle speaks
		}
		if texts[id], err = plainJSON(raw); err != nil {
			return nil, fmt.Errorf("kolibri wheel: messages of %s in %s: %w", id, lang, err)
		}
	}
	if len(texts[d.Core]) == 0 {
		return nil, fmt.Errorf("kolibri wheel: no core messages in %s", lang)
	}
	mo, err := w.read(localeFolder(lang) + "/django.mo")
	if err != nil {
		return nil, err
	}
	translated, err := readMO(mo)
	if err != nil {
		return nil, fmt.Errorf("kolibri wheel: messages of %s: %w", lang, err)
	}
	delete(translated, "") // the catalog's own description
	for _, key := range fileNames {
		translated[key] = slug(translated.get(key))
	}
	texts[pages.ServerTexts] = mustJSON(translated)
	return pages.WriteMessages(slices.Sorted(maps.Keys(texts)), texts), nil
}

// plainJSON writes a JSON object of texts in its own order the way Kolibri puts it into a page:
// compact, characters as they are instead of escapes.
func plainJSON(raw []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	b.WriteByte('{')
	for n := 0; d.More(); n++ {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		if s, ok := t.(string); !ok {
			return nil, fmt.Errorf("%v is not a text", t)
		} else if err := e.Encode(s); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1) // the encoder ends each value with a line end
		b.WriteByte(":,"[n%2])
	}
	if _, err := d.Token(); err != nil {
		return nil, err // the end is missing
	}
	if b.Len() > 1 {
		b.Truncate(b.Len() - 1)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func mustJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // of this file's own constants
	}
	return raw
}
