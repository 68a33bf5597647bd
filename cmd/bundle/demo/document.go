package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
)

// entry is a file of an archive.
type entry struct {
	name    string
	content []byte
}

// archive packs files; the first is stored as it is, which EPUB wants of its type.
func archive(files ...entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, f := range files {
		method := zip.Deflate
		if i == 0 {
			method = zip.Store
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: method})
		if err == nil {
			_, err = w.Write(f.content)
		}
		if err != nil {
			panic(err) // a buffer takes everything
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// handout is a PDF: a page of text for each page of lines, the first of which is its heading, and a
// drawing of the pendulum on the first.
func handout(pages [][]string) []byte {
	var b bytes.Buffer
	var at []int
	object := func(text string) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), text)
	}
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	kids := make([]string, len(pages))
	for i := range pages {
		kids[i] = fmt.Sprintf("%d 0 R", 4+2*i)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object(fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(pages), strings.Join(kids, " ")))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	escape := strings.NewReplacer("(", `\(`, ")", `\)`, `\`, `\\`)
	for i, lines := range pages {
		var s strings.Builder
		fmt.Fprintf(&s, "BT /F1 24 Tf 60 720 Td (%s) Tj /F1 13 Tf 0 -40 Td 20 TL\n", escape.Replace(lines[0]))
		for _, line := range lines[1:] {
			fmt.Fprintf(&s, "(%s) ' ", escape.Replace(line))
		}
		s.WriteString("ET\n")
		if i == 0 {
			s.WriteString("2 w 306 380 m 380 220 l S 0.8 0.2 0.3 rg 366 190 28 28 re f 0.4 0.3 0.2 rg 226 380 160 10 re f\n")
		}
		object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>", 5+2*i))
		object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", s.Len(), s.String()))
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, table)
	return b.Bytes()
}

// drawing is a PNG of the pendulum at an angle, on a background of a hue from 0 to 1.
func drawing(width, height int, angle, hue float64) []byte {
	m := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{
		tint(hue, .35), color.RGBA{94, 60, 32, 255}, color.RGBA{50, 50, 60, 255}, color.RGBA{196, 40, 70, 255}, color.White})
	w, h := float64(width), float64(height)
	length, weight, topX, topY := h*.68, h*.08, w/2, h*.08
	bobX, bobY := topX+length*math.Sin(angle), topY+length*math.Cos(angle)
	for y := range height {
		for x := range width {
			fx, fy := float64(x)+.5, float64(y)+.5
			along := ((fx-topX)*(bobX-topX) + (fy-topY)*(bobY-topY)) / (length * length)
			switch {
			case math.Hypot(fx-bobX, fy-bobY) <= weight:
				m.SetColorIndex(x, y, 3)
			case math.Hypot(fx-bobX, fy-bobY) <= weight*1.15:
				m.SetColorIndex(x, y, 4)
			case fy < topY:
				m.SetColorIndex(x, y, 1)
			case along > 0 && along < 1 && math.Abs((fx-topX)*(bobY-topY)-(fy-topY)*(bobX-topX))/length < h*.008:
				m.SetColorIndex(x, y, 2)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// tint is a light colour.
func tint(hue, strength float64) color.RGBA {
	part := func(shift float64) uint8 {
		return uint8(255 * (1 - strength*(.5+.5*math.Cos(2*math.Pi*(hue+shift)))))
	}
	return color.RGBA{part(0), part(1. / 3), part(2. / 3), 255}
}
