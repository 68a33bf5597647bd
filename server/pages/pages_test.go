package pages_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"kolibri/server/pages"
)

// buildDir has the data of the real wheel: make builds it, and make test builds it first.
const buildDir = "../../build"

// goldens hold the structure of the real Kolibri 0.19.5's pages. They are recorded with
//
//	go test ./server/pages -record http://127.0.0.1:PORT -record-setup http://127.0.0.1:PORT
//
// from a provisioned device, and from a fresh one for the page of the set-up.
const goldens = "testdata/structure.json"

var (
	record      = flag.String("record", "", "address of a provisioned real Kolibri to record from")
	recordSetup = flag.String("record-setup", "", "address of a real Kolibri that is not provisioned")
)

var recorded = []string{"en", "ar", "fr-fr", "zh-hans"}

var site = pages.Site{
	URLs: map[string][]pages.Route{
		"kolibri:kolibri.plugins.learn:learn": {{Template: "learn/", Localized: true}},
		"kolibri:core:portal-register":        {{Template: "api/auth/portal/register/"}},
		"kolibri:core:role_detail": {
			{Template: "api/auth/role/%(pk)s.%(format)s", Args: []string{"pk", "format"}},
			{Template: "api/auth/role/%(pk)s/", Args: []string{"pk"}},
		},
	},
	ZipPort: "8081",
}

// pluginData are the keys that depend on the database or the options, as the server gives them.
var pluginData = map[string]map[string]any{
	"kolibri.plugins.learn.app": {
		"allowDownloadOnMeteredConnection": false, "allowGuestAccess": true, "allowLearnerDownloads": false,
		"allowLearnerUnassignedResourceAccess": true, "allowRemoteAccess": true, "enableCustomChannelNav": false,
		"studioDevice": map[string]any{"base_url": "https://studio.example.org"}, "courses_exist": false,
	},
	"kolibri.plugins.learn.my_downloads_app":      {"setLimitForAutodownload": false, "limitForAutodownload": 0},
	"kolibri.plugins.learn.my_downloads_side_nav": {"allowLearnerDownloads": false},
	"kolibri.plugins.coach.app":                   {"practice_quizzes_exist": false, "courses_exist": false},
	"kolibri.plugins.coach.side_nav":              {"courses_exist": false},
	"kolibri.plugins.user_auth.app":               {"allowGuestAccess": true, "allowRemoteAccess": true, "deviceUnusableReason": nil},
	"kolibri.plugins.device.app": {
		"isRemoteContent": false, "canRestart": true, "deprecationWarnings": map[string]any{"ie11": false},
	},
}

func load(t testing.TB) *pages.Pages {
	t.Helper()
	p, err := pages.Load(os.DirFS(buildDir), site)
	require.NoError(t, err, "run make first")
	return p
}

func render(t testing.TB, p *pages.Pages, page, lang string) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, p.Render(&b, pages.View{Page: page, Lang: lang, PluginData: pluginData}))
	return b.String()
}

// structure is what of a page its front end can tell.
type structure struct {
	Title     string            `json:"title"`
	Lang      string            `json:"lang"`
	Dir       string            `json:"dir"`
	Scripts   []string          `json:"scripts"`
	Links     []string          `json:"links"`
	Templates map[string]string `json:"templates"` // keys of plugin data, hashes of the rest
}

var (
	htmlTag     = regexp.MustCompile(`<html dir="(\w+)" lang="([\w-]+)">`)
	titleTag    = regexp.MustCompile(`(?s)<title>\s*(.*?)\s*</title>`)
	scriptTag   = regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`)
	srcAttr     = regexp.MustCompile(`src="([^"]+)"`)
	linkTag     = regexp.MustCompile(`<link[^>]*>`)
	relAttr     = regexp.MustCompile(`rel="([^"]+)"`)
	hrefAttr    = regexp.MustCompile(`href="([^"]+)"`)
	templateTag = regexp.MustCompile(`<template data-(\w+)="([^"]+)">`)
)

// template is one data template: what it holds and whose.
type template struct{ kind, id, text string }

// templates takes the data templates out of a page.
func templates(page string) (all []template, rest string) {
	var b strings.Builder
	for {
		at := templateTag.FindStringSubmatchIndex(page)
		if at == nil {
			return all, b.String() + page
		}
		b.WriteString(page[:at[0]])
		text, after, _ := strings.Cut(page[at[1]:], "</template>")
		all = append(all, template{page[at[2]:at[3]], page[at[4]:at[5]], text})
		page = after
	}
}

func read(t *testing.T, page string) structure {
	t.Helper()
	var s structure
	m := htmlTag.FindStringSubmatch(page)
	require.NotNil(t, m, "no html tag")
	s.Dir, s.Lang = m[1], m[2]
	all, rest := templates(page)
	s.Templates = map[string]string{}
	for _, one := range all {
		key := one.kind + " " + one.id
		require.NotContains(t, s.Templates, key, "twice")
		s.Templates[key] = digest(t, key, one.text)
	}
	for _, m := range titleTag.FindAllStringSubmatch(rest, -1) {
		s.Title += m[1]
	}
	for _, m := range scriptTag.FindAllStringSubmatch(rest, -1) {
		src := srcAttr.FindStringSubmatch(m[1])
		require.NotNil(t, src, "an inline script, which the content security policy forbids")
		s.Scripts = append(s.Scripts, src[1])
	}
	for _, tag := range linkTag.FindAllString(rest, -1) {
		s.Links = append(s.Links, relAttr.FindStringSubmatch(tag)[1]+" "+hrefAttr.FindStringSubmatch(tag)[1])
	}
	slices.Sort(s.Scripts)
	slices.Sort(s.Links)
	return s
}

// digest is the hash of a template's JSON; of plugin data, which depend on the device, the keys;
// of core data, the hash without what the test has of its own.
func digest(t *testing.T, key, text string) string {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &v), key)
	if strings.HasPrefix(key, "plugin ") {
		urls, core := v["urls"].(map[string]any)
		if !core {
			return strings.Join(slices.Sorted(maps.Keys(v)), " ")
		}
		require.NotEmpty(t, urls["urls"])
		delete(urls, "urls")
		delete(urls, "__zipContentPort")
	}
	canonical, err := json.Marshal(v)
	require.NoError(t, err)
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:8])
}

func TestStructureIsThatOfTheRealServer(t *testing.T) {
	if *record != "" {
		recordGoldens(t)
	}
	raw, err := os.ReadFile(goldens)
	require.NoError(t, err)
	var want map[string]map[string]structure
	require.NoError(t, json.Unmarshal(raw, &want))
	p := load(t)
	for _, lang := range recorded {
		require.ElementsMatch(t, p.Names(), slices.Collect(maps.Keys(want[lang])))
		for page, w := range want[lang] {
			t.Run(lang+"/"+page, func(t *testing.T) {
				require.Equal(t, w, read(t, render(t, p, page, lang)))
			})
		}
	}
}

func recordGoldens(t *testing.T) {
	got := map[string]map[string]structure{}
	for _, lang := range recorded {
		got[lang] = map[string]structure{}
		for _, page := range load(t).Names() {
			host, slash := *record, "/"
			switch page {
			case "setup":
				host = *recordSetup
			case "learn/my-downloads":
				slash = ""
			}
			r, err := http.Get(host + "/" + lang + "/" + page + slash)
			require.NoError(t, err)
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			r.Body.Close()
			require.Equal(t, http.StatusOK, r.StatusCode)
			got[lang][page] = read(t, string(body))
		}
	}
	raw, err := json.MarshalIndent(got, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(goldens, append(raw, '\n'), 0o644))
}

func TestEveryPageInEveryLanguage(t *testing.T) {
	p := load(t)
	require.Len(t, p.Languages(), 33)
	rtl := []string{}
	for _, lang := range p.Languages() {
		if lang.RTL {
			rtl = append(rtl, lang.ID)
		}
		for _, page := range p.Names() {
			s := read(t, render(t, p, page, lang.ID))
			require.Equal(t, lang.ID, s.Lang)
			require.Equal(t, lang.Direction(), s.Dir)
			require.NotEmpty(t, s.Title)
			for _, file := range append(slices.Clone(s.Scripts), s.Links...) {
				_, file, _ = strings.Cut(file, "/static/")
				_, err := os.Stat(filepath.Join(buildDir, "static", file))
				require.NoError(t, err, "%s/%s", lang.ID, page)
			}
			if page == pages.Unsupported {
				continue
			}
			require.Contains(t, s.Templates, "i18n "+p.Bundle(page), "%s/%s has no messages", lang.ID, page)
		}
	}
	require.Equal(t, []string{"ar", "fa", "ur-pk"}, rtl)
}

func TestSiteIsInThePages(t *testing.T) {
	s := site
	s.Prefix, s.ZipPrefix, s.ZipOrigin, s.ZipPort = "/some/path/", "/zip/", "https://zip.example.org", ""
	p, err := pages.Load(os.DirFS(buildDir), s)
	require.NoError(t, err)
	page := render(t, p, "learn", "ar")
	require.Empty(t, regexp.MustCompile(`(src|href)="/(static|en)/[^"]*"`).FindString(page))
	core := coreData(t, page)
	require.Equal(t, "/some/path/ar/unsupported/", core["unsupportedUrl"])
	urls := core["urls"].(map[string]any)
	names := urls["urls"].(map[string]any)
	delete(urls, "urls")
	sandbox := urls["__sandboxUrl"].(string)
	require.Regexp(t, `^/zip/content/static/sandbox/sandbox-\w+\.html$`, sandbox)
	delete(urls, "__sandboxUrl")
	require.Equal(t, map[string]any{
		"prefix": "/some/path/", "__staticUrl": "/some/path/static/", "__mediaUrl": "/some/path/media/",
		"__contentUrl": "/some/path/content/storage/", "__zipContentUrl": "/zip/content/zipcontent/",
		"__zipContentOrigin": "https://zip.example.org", "__zipContentPort": "",
	}, urls)
	require.Equal(t, map[string]any{
		"kolibri:kolibri.plugins.learn:learn": []any{[]any{"ar/learn/", []any{}}},
		"kolibri:core:portal_register":        []any{[]any{"api/auth/portal/register/", []any{}}},
		"kolibri:core:role_detail": []any{
			[]any{"api/auth/role/%(pk)s.%(format)s", []any{"pk", "format"}},
			[]any{"api/auth/role/%(pk)s/", []any{"pk"}},
		},
	}, names)
}

func coreData(t *testing.T, page string) map[string]any {
	t.Helper()
	all, _ := templates(page)
	for _, one := range all {
		if one.kind == "plugin" && one.id == "kolibri.core.default_frontend" {
			var v map[string]any
			require.NoError(t, json.Unmarshal([]byte(one.text), &v))
			return v
		}
	}
	require.Fail(t, "no core data")
	return nil
}

func TestPluginDataCannotLeaveTheirTemplate(t *testing.T) {
	p := load(t)
	var b bytes.Buffer
	require.NoError(t, p.Render(&b, pages.View{Page: "profile", Lang: "en", PluginData: map[string]map[string]any{
		"kolibri.plugins.user_profile.app": {"name": "</template><script src=x></script>"},
	}}))
	require.False(t, strings.Contains(b.String(), "<script src=x"), "markup in a value became markup of the page")
	require.True(t, strings.Contains(b.String(), `\u003c/template\u003e`))
}

func TestHeadComesFirst(t *testing.T) {
	p := load(t)
	for _, page := range p.Names() {
		var b bytes.Buffer
		require.NoError(t, p.Render(&b, pages.View{Page: page, Lang: "en", Head: `<script src="boot.js"></script>`}))
		require.True(t, strings.Contains(b.String(), "<head>\n<script src=\"boot.js\"></script>"), page)
	}
}

func TestRenderRefuses(t *testing.T) {
	p := load(t)
	for name, v := range map[string]pages.View{
		"unknown page":     {Page: "nosuch", Lang: "en"},
		"unknown language": {Page: "learn", Lang: "xx"},
		"no language":      {Page: "learn"},
		"data that are not JSON": {Page: "learn", Lang: "en", PluginData: map[string]map[string]any{
			"kolibri.plugins.learn.app": {"x": func() {}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.Error(t, p.Render(&b, v))
			require.Zero(t, b.Len(), "part of a page was written")
		})
	}
}

func TestDamagedData(t *testing.T) {
	good, err := os.ReadFile(filepath.Join(buildDir, pages.DataFile))
	require.NoError(t, err)
	for name, data := range map[string]fstest.MapFS{
		"nothing there":   {},
		"not JSON":        {pages.DataFile: {Data: []byte("<html>")}},
		"an unknown part": {pages.DataFile: {Data: []byte(`{"pages":{"learn":"nosuch"}}`)}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pages.Load(data, site)
			require.ErrorContains(t, err, pages.DataFile)
		})
	}
	for name, text := range map[string]string{"no messages": "", "damaged messages": "<html>\n", "empty messages": "{\n}\n"} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{pages.DataFile: {Data: good}}
			if text != "" {
				files[pages.MessagesDir+"/en.json"] = &fstest.MapFile{Data: []byte(text)}
			}
			p, err := pages.Load(files, site)
			require.NoError(t, err)
			require.ErrorContains(t, p.Render(io.Discard, pages.View{Page: "learn", Lang: "en"}), "en.json")
			// what was missing once may be there at the next try
			files[pages.MessagesDir+"/en.json"] = &fstest.MapFile{Data: pages.WriteMessages(
				[]string{"kolibri.core.default_frontend"}, map[string][]byte{"kolibri.core.default_frontend": []byte(`{"a":"b"}`)})}
			require.NoError(t, p.Render(io.Discard, pages.View{Page: "learn", Lang: "en"}))
		})
	}
}

func TestManyLanguagesAtOnce(t *testing.T) {
	p := load(t)
	want := map[string]string{}
	for _, l := range p.Languages()[:6] {
		want[l.ID] = render(t, p, "coach", l.ID)
	}
	errs := make(chan error, 60)
	for range 10 {
		for lang, page := range want {
			go func() {
				var b bytes.Buffer
				err := p.Render(&b, pages.View{Page: "coach", Lang: lang, PluginData: pluginData})
				if err == nil && b.String() != page {
					err = fmt.Errorf("another page in %s", lang)
				}
				errs <- err
			}()
		}
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
}

func BenchmarkRender(b *testing.B) {
	p := load(b)
	for b.Loop() {
		_ = p.Render(io.Discard, pages.View{Page: "learn", Lang: "en", PluginData: pluginData})
	}
}
