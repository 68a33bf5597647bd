package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
)

//go:embed lab
var lab embed.FS

// app is the HTML5 app: the folder lab.
func app() []byte {
	var files []entry
	for _, name := range []string{"index.html", "lab.css", "lab.js"} {
		content, err := fs.ReadFile(lab, "lab/"+name)
		if err != nil {
			panic(err) // it is embedded
		}
		files = append(files, entry{name, content})
	}
	return archive(files...)
}

const subtitles = `WEBVTT

00:00:00.500 --> 00:00:04.000
This is a pendulum: a weight on a string.

00:00:04.500 --> 00:00:08.500
One swing, there and back, takes four seconds.

00:00:09.000 --> 00:00:13.500
A longer string makes slower swings.

00:00:14.000 --> 00:00:19.500
A heavier weight changes nothing. Galileo saw that first.
`

var pages = [][]string{
	{"The pendulum", "A pendulum is a weight that hangs on a string.", "Push it, and it swings to and fro.",
		"The time of one swing is called its period.", "It depends on the length of the string alone."},
	{"Try it yourself", "Take a piece of string, a spoon, and a clock.", "Tie the spoon to the string and let it swing.",
		"1. Count ten swings and note the time.", "2. Take half of the string. Count again.",
		"3. Take two spoons. What changes?"},
	{"What you have found", "Half of the string: faster, but not twice as fast.",
		"Four times the string gives twice the period.", "Two spoons: no change at all."},
}

// book is an EPUB.
func book() []byte {
	chapter := func(title string, paragraphs ...string) []byte {
		body := ""
		for _, p := range paragraphs {
			body += "<p>" + p + "</p>"
		}
		return fmt.Appendf(nil, `<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>%s</title></head><body><h1>%[1]s</h1>%s</body></html>`, title, body)
	}
	return archive(
		entry{"mimetype", []byte("application/epub+zip")},
		entry{"META-INF/container.xml", []byte(`<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`)},
		entry{"book.opf", []byte(`<?xml version="1.0" encoding="utf-8"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">kolibri-pendulum</dc:identifier><dc:title>The lamp of Pisa</dc:title><dc:language>en</dc:language><meta property="dcterms:modified">2026-01-01T00:00:00Z</meta></metadata><manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/><item id="one" href="one.xhtml" media-type="application/xhtml+xml"/><item id="two" href="two.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="one"/><itemref idref="two"/></spine></package>`)},
		entry{"nav.xhtml", []byte(`<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>Contents</title></head><body><nav epub:type="toc"><ol><li><a href="one.xhtml">The lamp</a></li><li><a href="two.xhtml">The clock</a></li></ol></nav></body></html>`)},
		entry{"one.xhtml", chapter("The lamp", "They say that Galileo, a student of nineteen, watched a lamp in the cathedral of Pisa.",
			"The wind had set it swinging. The swings grew smaller, but each seemed to take as long as the one before.",
			"He had no watch. So he counted the beats of his pulse.")},
		entry{"two.xhtml", chapter("The clock", "Seventy years later Christiaan Huygens built a clock around a pendulum.",
			"Clocks before it went wrong by a quarter of an hour a day; his by less than a minute.")},
	)
}

// question is a task with one right answer.
type question struct {
	id     string
	text   string
	number float64  // the answer, where there are no choices
	answer []string // else the choices, the right one first
	hint   string
}

var practice = []question{
	{text: "A pendulum swings 10 times in 20 seconds. How many seconds does one swing take?", number: 2, hint: "Share 20 seconds among 10 swings."},
	{text: "One swing takes 3 seconds. How many seconds do 8 swings take?", number: 24, hint: "Add 3 seconds for each swing."},
	{text: "One swing takes 2 seconds. How many swings are there in a minute?", number: 30, hint: "A minute has 60 seconds."},
	{text: "What makes a pendulum slower?", answer: []string{"A longer string", "A heavier weight", "A shorter string"}, hint: "Think of a long swing and a short one."},
	{text: "Four times the string gives twice the time. One swing on 1 metre takes 2 seconds. How many seconds does one on 4 metres take?", number: 4, hint: "Twice the time."},
}

var quiz = []question{
	{text: "What does the time of a swing depend on?", answer: []string{"The length of the string", "The weight", "The colour"}},
	{text: "Who counted the swings of a lamp by his pulse?", answer: []string{"Galileo", "Huygens", "Newton"}},
	{text: "A pendulum swings 5 times in 15 seconds. How many seconds does one swing take?", number: 3},
}

var clocks = []question{
	{text: "A clock with a pendulum goes too slowly. What helps?", answer: []string{"A shorter pendulum", "A longer pendulum", "A heavier pendulum"}},
	{text: "Where does a pendulum swing more slowly than at the sea?", answer: []string{"On a high mountain", "In a deep valley", "In the dark"}},
}

// items is a QTI package: a file for each question, named by its id.
func items(questions []question) []byte {
	const v3 = "http://www.imsglobal.org/xsd/"
	resources := ""
	var files []entry
	for _, q := range questions {
		choices := ""
		for i, text := range q.answer {
			choices += fmt.Sprintf(`<qti-simple-choice identifier="%c">%s</qti-simple-choice>`, 'A'+i, text)
		}
		files = append(files, entry{"items/" + q.id + ".xml", fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?><qti-assessment-item xmlns="`+v3+
			`imsqtiasi_v3p0" identifier="%s" title="Clocks" adaptive="false" time-dependent="false"><qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="identifier"><qti-correct-response><qti-value>A</qti-value></qti-correct-response></qti-response-declaration><qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/><qti-item-body><qti-choice-interaction response-identifier="RESPONSE" shuffle="false" max-choices="1"><qti-prompt>%s</qti-prompt>%s</qti-choice-interaction></qti-item-body><qti-response-processing template="http://www.imsglobal.org/question/qti_v3p0/rptemplates/match_correct"/></qti-assessment-item>`,
			q.id, q.text, choices)})
		resources += fmt.Sprintf(`<resource identifier="%s" type="imsqti_item_xmlv3p0" href="items/%[1]s.xml"><file href="items/%[1]s.xml"/></resource>`, q.id)
	}
	return archive(append(files, entry{"imsmanifest.xml", []byte(`<?xml version="1.0" encoding="UTF-8"?><manifest xmlns="` + v3 +
		`qti/qtiv3p0/imscp_v1p1" identifier="clocks"><metadata><schema>QTI Package</schema><schemaversion>3.0.0</schemaversion></metadata><organizations/><resources>` + resources + `</resources></manifest>`)})...)
}

// exercise is a Perseus archive: a file for each question, named by its id.
func exercise(questions []question) []byte {
	files := make([]entry, len(questions))
	for i, q := range questions {
		widget, name := any(nil), "numeric-input 1"
		if q.answer != nil {
			name = "radio 1"
			choices := make([]map[string]any, len(q.answer))
			for k := range q.answer {
				// the right one is not always at the top
				at := (k + i) % len(q.answer)
				choices[at] = map[string]any{"content": q.answer[k], "correct": k == 0}
			}
			widget = map[string]any{"type": "radio", "alignment": "default", "static": false, "graded": true,
				"version": map[string]int{"major": 1, "minor": 0},
				"options": map[string]any{"choices": choices, "randomize": false, "multipleSelect": false, "displayCount": nil,
					"hasNoneOfTheAbove": false, "onePerLine": true, "deselectEnabled": false}}
		} else {
			widget = map[string]any{"type": "numeric-input", "alignment": "default", "static": false, "graded": true,
				"version": map[string]int{"major": 0, "minor": 0},
				"options": map[string]any{"coefficient": false, "static": false, "labelText": "", "size": "normal",
					"answers": []map[string]any{{"value": q.number, "status": "correct", "message": "", "simplify": "required", "strict": false, "maxError": nil}}}}
		}
		hints := []map[string]any{}
		if q.hint != "" {
			hints = append(hints, map[string]any{"content": q.hint, "images": map[string]any{}, "widgets": map[string]any{}})
		}
		files[i] = entry{q.id + ".json", mustJSON(map[string]any{
			"question":        map[string]any{"content": q.text + "\n\n[[☃ " + name + "]]", "images": map[string]any{}, "widgets": map[string]any{name: widget}},
			"answerArea":      map[string]bool{"calculator": false, "chi2Table": false, "periodicTable": false, "tTable": false, "zTable": false},
			"itemDataVersion": map[string]int{"major": 0, "minor": 1}, "hints": hints})}
	}
	return archive(files...)
}

// interaction is an H5P package with a library of its own: a question that turns over.
func interaction() []byte {
	const library = "H5P.PendulumCard-1.0/"
	dependency := map[string]any{"machineName": "H5P.PendulumCard", "majorVersion": 1, "minorVersion": 0}
	return archive(
		entry{"h5p.json", mustJSON(map[string]any{"title": "Tick or tock?", "language": "en", "mainLibrary": "H5P.PendulumCard",
			"embedTypes": []string{"div"}, "license": "CC BY", "preloadedDependencies": []any{dependency}})},
		entry{"content/content.json", mustJSON(map[string]any{"front": "How long is a pendulum whose swing takes two seconds?", "back": "About one metre."})},
		entry{library + "library.json", mustJSON(map[string]any{"title": "Pendulum card", "machineName": "H5P.PendulumCard", "majorVersion": 1, "minorVersion": 0,
			"patchVersion": 0, "runnable": 1, "preloadedJs": []any{map[string]string{"path": "card.js"}}, "preloadedCss": []any{map[string]string{"path": "card.css"}}})},
		entry{library + "card.js", []byte(`var H5P = H5P || {};
H5P.PendulumCard = (function ($, EventDispatcher) {
	function Card(content) {
		EventDispatcher.call(this);
		var self = this;
		self.attach = function ($container) {
			$container.addClass("pendulum-card").append($("<p>").text(content.front));
			var $button = $("<button>").text("Turn the card").appendTo($container);
			$button.on("click", function () {
				$button.replaceWith($("<p>").text(content.back));
				if (self.triggerXAPIScored) self.triggerXAPIScored(1, 1, "completed");
			});
		};
	}
	Card.prototype = Object.create(EventDispatcher.prototype);
	return Card;
})(H5P.jQuery, H5P.EventDispatcher);
`)},
		entry{library + "card.css", []byte(".pendulum-card { padding: 2em; background: #fbf0f4; font-size: 1.3em; }\n")},
	)
}

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // of this file's own values
	}
	return raw
}
