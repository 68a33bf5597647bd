package server

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"kolibri/core/api"
	"kolibri/plugins/coach"
	"kolibri/plugins/learn"
	"kolibri/server/pages"
)

// navigation adds the data of the plugins whose entries in every page's menu depend on the database.
var navigation = []func(*api.Request, map[string]map[string]any) error{coach.Navigation, learn.Navigation}

// pageHost is the plugins' way to their pages.
type pageHost struct{ pages *pages.Pages }

func newPageHost(cfg Config, urls []url) (*pageHost, error) {
	site := pages.Site{Prefix: cfg.Options.URLPathPrefix, ZipOrigin: cfg.Options.ZipContentOrigin, ZipPrefix: cfg.Options.ZipContentPathPrefix,
		Languages: cfg.Options.Languages, Without: cfg.Options.DisabledPlugins, URLs: map[string][]pages.Route{}}
	// The tab has no second port: zip content runs in frames without origin.
	if site.ZipOrigin == "" && cfg.Options.ZipContentPort != 0 {
		site.ZipPort = strconv.Itoa(cfg.Options.ZipContentPort)
	}
	for _, u := range urls {
		path, args := u.template()
		localized := strings.HasPrefix(u.Path, "/{lang}/")
		if localized {
			path, args = strings.TrimPrefix(path, "%(lang)s/"), args[1:]
		}
		if u.Format {
			suffixed := path
			if !strings.HasSuffix(u.Name, "api-root") {
				suffixed = strings.TrimSuffix(path, "/")
			}
			site.URLs[u.Name] = append(site.URLs[u.Name], pages.Route{
				Template: suffixed + ".%(format)s", Args: append(append([]string{}, args...), "format"), Localized: localized})
		}
		site.URLs[u.Name] = append(site.URLs[u.Name], pages.Route{Template: path, Args: args, Localized: localized})
	}
	p, err := pages.Load(cfg.Build, site)
	if err != nil {
		return nil, fmt.Errorf("no pages can be made from the built front end, which make builds: %w", err)
	}
	return &pageHost{p}, nil
}

// HasLanguage implements api.Pages.
func (h *pageHost) HasLanguage(code string) bool {
	_, ok := h.pages.Language(code)
	return ok
}

// Text implements api.Pages.
func (h *pageHost) Text(lang, context, text string) string { return h.pages.Text(lang, context, text) }

// Presets implements api.Pages.
func (h *pageHost) Presets() []string { return h.pages.Presets() }

// Page implements api.Pages.
func (h *pageHost) Page(r *api.Request, name string, sameForAll bool, data map[string]map[string]any) (*api.Response, error) {
	all := maps.Clone(data)
	if all == nil {
		all = map[string]map[string]any{}
	}
	for _, menu := range navigation {
		if err := menu(r, all); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if err := h.pages.Render(&b, pages.View{Page: name, Lang: r.Lang, PluginData: all}); err != nil {
		return nil, err
	}
	answer := (&api.Response{Status: 200, Raw: b.Bytes()}).WithHeader("Content-Type", "text/html; charset=utf-8")
	if !sameForAll {
		return answer.WithHeader("Cache-Control", "max-age=0").WithHeader("Vary", "Cookie"), nil
	}
	sum := md5.Sum(append([]byte(api.Version), b.Bytes()...))
	answer.ETag = hex.EncodeToString(sum[:])
	return answer.WithHeader("Cache-Control", "max-age=15").WithHeader("Vary", "accept-encoding, accept"), nil
}
