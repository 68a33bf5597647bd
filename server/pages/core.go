package pages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// coreData is the data template of the core bundle: settings, theme, languages with the core
// messages, and the URL map. kolibri/core/kolibri_plugin.py: FrontEndCoreAppAssetHook
func (p *Pages) coreData(lang Language, coreMessages []byte) ([]byte, error) {
	if len(coreMessages) == 0 {
		coreMessages = []byte("null")
	}
	type language struct {
		ID          string `json:"id"`
		Name        string `json:"lang_name"`
		EnglishName string `json:"english_name"`
		Direction   string `json:"lang_direction"`
	}
	languages := make(map[string]language, len(p.data.Languages))
	for _, l := range p.data.Languages {
		languages[l.ID] = language{l.ID, l.Name, l.EnglishName, l.Direction()}
	}
	theme := bytes.ReplaceAll(p.data.Theme, []byte(StaticMark), []byte(p.StaticURL("")))
	rest, err := encode(map[string]any{
		"fullCSSFileModern":   p.StaticURL(lang.FontModern),
		"fullCSSFileBasic":    p.StaticURL(lang.FontBasic),
		"appCapabilities":     map[string]bool{"check_is_metered": false, "share_file": false},
		"oidcProviderEnabled": false,
		"kolibriTheme":        json.RawMessage(theme),
		"urls":                p.urls(lang),
		"unsupportedUrl":      p.site.Prefix + lang.ID + "/" + Unsupported + "/",
	})
	if err != nil {
		return nil, fmt.Errorf("pages: core data: %w", err)
	}
	globals, err := encode(map[string]any{
		"languageCode": lang.ID,
		"languageDir":  lang.Direction(),
		"languages":    languages,
	})
	if err != nil {
		return nil, fmt.Errorf("pages: language data: %w", err)
	}
	// The messages go in as they are: parsing and writing them again would double the cost.
	var b bytes.Buffer
	b.Write(rest[:len(rest)-1])
	b.WriteString(`,"languageGlobals":`)
	b.Write(globals[:len(globals)-1])
	b.WriteString(`,"coreLanguageMessages":`)
	b.Write(coreMessages)
	b.WriteString("}}")
	return template("plugin", p.data.Core, b.Bytes()), nil
}

// urls is what the front end makes addresses from: the named routes in the form of Django JS
// Reverse, [[template, [arguments]], ...] by name, and the roots of files.
func (p *Pages) urls(lang Language) map[string]any {
	named := make(map[string][][2]any, len(p.site.URLs))
	for name, routes := range p.site.URLs {
		patterns := make([][2]any, len(routes))
		for i, r := range routes {
			path := r.Template
			if r.Localized {
				path = lang.ID + "/" + path
			}
			args := r.Args
			if args == nil {
				args = []string{}
			}
			patterns[i] = [2]any{path, args}
		}
		named[strings.ReplaceAll(name, "-", "_")] = patterns
	}
	content := p.site.ZipPrefix + "content/"
	return map[string]any{
		"urls":               named,
		"prefix":             p.site.Prefix,
		"__staticUrl":        p.StaticURL(""),
		"__mediaUrl":         p.site.Prefix + "media/",
		"__contentUrl":       p.site.Prefix + "content/storage/",
		"__zipContentUrl":    content + "zipcontent/",
		"__sandboxUrl":       content + "static/sandbox/" + p.data.Sandbox,
		"__zipContentOrigin": p.site.ZipOrigin,
		"__zipContentPort":   p.site.ZipPort,
	}
}
