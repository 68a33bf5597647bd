package pages

import (
	"html"
	"strings"
)

// loading is what a page shows until Kolibri's core has started: the mark with beating wings, in
// plain SVG and CSS because the content security policy forbids inline scripts. It fades in late,
// so that a quick page does not flicker, and stands still for whoever asked for less motion.
func loading() string {
	var b strings.Builder
	b.WriteString(`<style>
.loading{position:fixed;inset:0;display:flex;align-items:center;justify-content:center}
.loading svg{width:min(40vmin,200px);height:auto;opacity:0;animation:loading-in .6s 1s forwards}
.loading .wing{transform-origin:54px 58px;animation:loading-wing .7s ease-in-out infinite alternate}
.loading .wing+.wing{animation-delay:-.35s}
@keyframes loading-in{to{opacity:1}}
@keyframes loading-wing{from{transform:rotate(12deg) scale(.94)}to{transform:rotate(-16deg)}}
@media (prefers-reduced-motion:reduce){.loading .wing{animation:none}}
</style>
<div class="loading">
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" role="img" aria-label="Kolibri loader">
<title>Kolibri loader</title>
`)
	for _, shape := range Mark {
		class := ""
		if shape.Wing {
			class = ` class="wing"`
		}
		b.WriteString("<path" + class + ` fill="` + shape.Fill + `" d="` + shape.Path + "\"/>\n")
	}
	b.WriteString("</svg>\n</div>\n")
	return b.String()
}

// unsupported is the page for browsers that are too old: no script, no font, its texts alone.
// kolibri/core/views.py: UnsupportedBrowserView
func (p *Pages) unsupported(lang Language, head string) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html dir=\"" + lang.Direction() + "\" lang=\"" + lang.ID + "\">\n<head>\n" + head)
	b.WriteString(`<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="google" content="notranslate">
`)
	b.WriteString(p.title(lang))
	b.WriteString(`<style>
body{margin:0;font-family:sans-serif;color:#222;background:#fff}
header{padding:20px 32px;font-size:24px;font-weight:bold;color:#fff;background:#212121}
main{padding:16px 32px;line-height:1.5}
</style>
</head>
<body>
<header>Kolibri</header>
<main>
`)
	for i, text := range lang.Unsupported {
		tag := "p"
		if i == 0 {
			tag = "h1"
		}
		b.WriteString("<" + tag + ">" + html.EscapeString(text) + "</" + tag + ">\n")
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.String()
}
