//go:build unix

package search

import (
	"html"
	"strings"
	"unicode/utf8"

	"kolibri/provider/text"
)

// span is where something that was looked for stands in a text, in bytes.
type span struct{ start, end, term int }

// find returns where terms stand, the first most of them.
func find(s string, terms []term, most int) (spans []span) {
	type word struct {
		text       string
		start, end int
	}
	// no term is longer than this many words
	longest := 1
	for _, t := range terms {
		if t.not {
			continue
		}
		longest = max(longest, len(t.words))
	}
	recent := make([]word, 0, longest)
	text.Words(s, func(w string, start, end int) bool {
		if len(recent) == longest {
			copy(recent, recent[1:])
			recent = recent[:longest-1]
		}
		recent = append(recent, word{w, start, end})
		for i, t := range terms {
			if t.not || len(recent) < len(t.words) {
				continue
			}
			row := recent[len(recent)-len(t.words):]
			same := true
			for j, want := range t.words {
				got := row[j].text
				same = same && (got == want || j == len(t.words)-1 && t.prefix && strings.HasPrefix(got, want))
			}
			if same {
				spans = append(spans, span{row[0].start, end, i})
				break
			}
		}
		return len(spans) < most
	})
	return spans
}

// Directions of text: what stands between the two does not turn what is around it.
const isolate, endIsolate = "\u2068", "\u2069"

// highlight escapes a text and puts <mark> around what was looked for.
func highlight(s string, terms []term) string { return marked(s, find(s, terms, 100)) }

func marked(s string, spans []span) string {
	var b strings.Builder
	b.WriteString(isolate)
	at := 0
	for _, p := range spans {
		if p.start < at { // terms may overlap
			continue
		}
		b.WriteString(html.EscapeString(s[at:p.start]))
		b.WriteString("<mark>")
		b.WriteString(html.EscapeString(s[p.start:p.end]))
		b.WriteString("</mark>")
		at = p.end
	}
	b.WriteString(html.EscapeString(s[at:]))
	b.WriteString(endIsolate)
	return b.String()
}

// Sizes of a snippet in bytes: what is shown before the first hit, and in all.
const lead, extent = 80, 320

// snippet is the part of a document's text, or of its description, with the most terms close together.
func snippet(body, about string, terms []term) string {
	for _, s := range []string{body, about} {
		spans := find(s, terms, 200)
		if len(spans) == 0 {
			continue
		}
		best, most := 0, 0
		for i := range spans {
			seen := map[int]bool{}
			for j := i; j < len(spans) && spans[j].end-spans[i].start < extent-lead; j++ {
				seen[spans[j].term] = true
			}
			if len(seen) > most {
				best, most = i, len(seen)
			}
		}
		return around(s, spans, spans[best].start)
	}
	if about == "" {
		about = body
	}
	return around(about, nil, 0)
}

// around cuts a piece out of a text at the edges of words and marks it.
func around(s string, spans []span, at int) string {
	from, to := max(0, at-lead), min(len(s), max(0, at-lead)+extent)
	for _, p := range spans { // never through a mark
		if p.start < to && p.end > to {
			to = p.end
		}
	}
	for from > 0 && from < at && !edge(s, from) {
		from++
	}
	for to < len(s) && !edge(s, to) && to-from < 2*extent {
		to++
	}
	for to < len(s) && !utf8.RuneStart(s[to]) {
		to++
	}
	for from > 0 && !utf8.RuneStart(s[from]) {
		from--
	}
	var inside []span
	for _, p := range spans {
		if p.start >= from && p.end <= to {
			inside = append(inside, span{p.start - from, p.end - from, p.term})
		}
	}
	piece := s[from:to]
	// lines do not matter here, and both are one byte
	piece = strings.NewReplacer("\n", " ", "\t", " ").Replace(piece)
	out := marked(piece, inside)
	if from > 0 {
		out = "… " + out
	}
	if to < len(s) {
		out += " …"
	}
	return out
}

// edge tells whether a text may be cut here: at a space, or beside a letter of a script without them.
func edge(s string, at int) bool {
	return utf8.RuneStart(s[at]) && (s[at] == ' ' || s[at] == '\n' || s[at-1] == ' ' || s[at-1] == '\n' || text.Unspaced(s[at:]))
}
