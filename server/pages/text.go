package pages

import (
	"encoding/json"
)

// ServerTexts is the name, in a language's file, of the texts that the server itself says: a JSON
// object from gettext's key (context and text with a byte 4 between, or the text) to the translation.
const ServerTexts = "kolibri.server"

// Text translates one of the server's texts. What is unknown stays as it is: what is said in English
// is better than nothing.
func (p *Pages) Text(lang, context, text string) string {
	key := text
	if context != "" {
		key = context + "\x04" + text
	}
	if t := p.serverTexts(lang)[key]; t != "" {
		return t
	}
	return text
}

// serverTexts reads a language's texts once.
func (p *Pages) serverTexts(lang string) map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if texts, ok := p.texts[lang]; ok {
		return texts
	}
	texts := map[string]string{}
	if _, ok := p.langs[lang]; ok {
		if m, err := readMessages(p.fsys, lang); err == nil && len(m[ServerTexts]) > 0 {
			_ = json.Unmarshal(m[ServerTexts], &texts) // written by cmd/bundle
		}
	}
	if p.texts == nil {
		p.texts = map[string]map[string]string{}
	}
	p.texts[lang] = texts
	return texts
}
