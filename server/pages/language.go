package pages

import (
	"slices"
	"strconv"
	"strings"
)

// Preference is all that decides the language of a page, best first.
// kolibri/core/device/translation.py: get_language_from_request_and_is_from_path
type Preference struct {
	Path    string // of the request, below the site's prefix: "/en/learn/"
	Session string // language kept in the session
	Device  string // setting of a provisioned device
	Accept  string // the Accept-Language header
	Default string // of the machine; "en", or else the first, when not offered
}

// Negotiate chooses the language of a page, and says whether its path named it.
func (p *Pages) Negotiate(want Preference) (lang string, fromPath bool) {
	if lang, ok := p.LanguageOfPath(want.Path); ok {
		return lang, true
	}
	if _, ok := p.langs[want.Session]; ok {
		return want.Session, false
	}
	if lang, ok := p.variant(want.Device); ok {
		return lang, false
	}
	if lang, ok := p.AcceptedLanguage(want.Accept); ok {
		return lang, false
	}
	if lang, ok := p.variant(want.Default); ok {
		return lang, false
	}
	if _, ok := p.langs["en"]; !ok && len(p.data.Languages) > 0 {
		return p.data.Languages[0].ID, false
	}
	return "en", false
}

// LanguageOfPath reads the language at the start of a path: "/es/learn/" is in the first offered
// Spanish, "/learn/" in none.
func (p *Pages) LanguageOfPath(path string) (string, bool) {
	if !strings.HasPrefix(path, "/") {
		return "", false
	}
	code, _, _ := strings.Cut(path[1:], "/")
	return p.variant(code)
}

// AcceptedLanguage is the offered language that an Accept-Language header prefers. A header that
// is not well formed asks for nothing.
func (p *Pages) AcceptedLanguage(header string) (string, bool) {
	for _, code := range parseAccept(header) {
		if code == "*" {
			break
		}
		if lang, ok := p.variant(code); ok {
			return lang, true
		}
	}
	return "", false
}

// chinese are the codes whose closest language their first part does not tell.
var chinese = map[string]string{"zh-cn": "zh-hans", "zh-my": "zh-hans", "zh-sg": "zh-hans"}

// variant is the offered language that is closest to a code: itself, its general form ("pt-ao":
// "pt"), or the first offered one of the same family ("pt-br").
// django/utils/translation/trans_real.py: get_supported_language_variant
func (p *Pages) variant(code string) (string, bool) {
	general, _, _ := strings.Cut(code, "-")
	if general == "" {
		return "", false
	}
	for _, try := range []string{code, chinese[code], general} {
		if _, ok := p.langs[try]; ok {
			return try, true
		}
	}
	for _, l := range p.data.Languages {
		if strings.HasPrefix(l.ID, general+"-") {
			return l.ID, true
		}
	}
	return "", false
}

// longestAccept bounds the work that a header can ask for; what is over is cut at a comma.
const longestAccept = 500

// parseAccept gives the codes of an Accept-Language header, best first, nothing if any of it is
// malformed. django/utils/translation/trans_real.py: parse_accept_lang_header
func parseAccept(header string) []string {
	if len(header) > longestAccept {
		cut := strings.LastIndexByte(header[:longestAccept], ',')
		if cut <= 0 {
			return nil
		}
		header = header[:cut]
	}
	type choice struct {
		code   string
		weight float64
	}
	var all []choice
	for item := range strings.SplitSeq(strings.TrimSuffix(strings.ToLower(header), ","), ",") {
		code, param, weighted := strings.Cut(item, ";")
		c := choice{strings.TrimSpace(code), 1}
		if !wellFormed(c.code) {
			return nil
		}
		if weighted {
			q, ok := strings.CutPrefix(strings.TrimSpace(param), "q=")
			weight, err := strconv.ParseFloat(q, 64)
			if !ok || err != nil || len(q) > 5 || weight < 0 || weight > 1 {
				return nil
			}
			c.weight = weight
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b choice) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return 0
	})
	codes := make([]string, len(all))
	for i, c := range all {
		codes[i] = c.code
	}
	return codes
}

// wellFormed tells whether a code is "*" or parts of one to eight letters and digits, the first
// one of letters alone.
func wellFormed(code string) bool {
	if code == "*" {
		return true
	}
	for i, part := range strings.Split(code, "-") {
		if len(part) < 1 || len(part) > 8 {
			return false
		}
		for _, c := range []byte(part) {
			letter := c >= 'a' && c <= 'z'
			digit := c >= '0' && c <= '9' && i > 0
			if !letter && !digit {
				return false
			}
		}
	}
	return true
}
