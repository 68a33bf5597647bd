package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strconv"
	"strings"

	"kolibri/server/pages"
)

// icon is a picture that browsers and home screens show for the app.
type icon struct {
	path string
	size int
	// scale is the part of the width that the mark takes.
	scale float64
	// plate is the shape behind the mark: how round its corners are, from 0, a full square that
	// the launcher cuts as it likes, to 1, a disc.
	round float64
}

var icons = []icon{
	{"icons/icon-192.png", 192, 0.74, 0.42},
	{"icons/icon-512.png", 512, 0.74, 0.42},
	{"icons/maskable-192.png", 192, 0.56, 0}, // the mark stays in the middle that no mask cuts
	{"icons/maskable-512.png", 512, 0.56, 0},
	{"icons/apple-touch-icon.png", 180, 0.7, 0},
}

var plateColor = color.NRGBA{0x0b, 0x3d, 0x4f, 0xff}

// iconFiles are the icons that the shell itself shows, below the root of the app.
func iconFiles() []string { return []string{"favicon.ico", "icons/icon-192.png"} }

func buildIcons(_ *builder, out *output) (map[string]string, error) {
	var errs []error
	for _, i := range icons {
		data, err := encodePNG(i)
		errs = append(errs, err, out.write(i.path, data))
	}
	ico, err := favicons()
	return nil, errors.Join(append(errs, err, out.writeAsset("favicon.ico", ico, nil))...)
}

func encodePNG(i icon) ([]byte, error) {
	picture, err := draw(i)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(&b, picture); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// favicons is an .ico file: a directory of PNG pictures.
func favicons() ([]byte, error) {
	sizes := []int{16, 32, 48}
	head := binary.LittleEndian.AppendUint16(nil, 0)
	head = binary.LittleEndian.AppendUint16(head, 1) // icon
	head = binary.LittleEndian.AppendUint16(head, uint16(len(sizes)))
	var body []byte
	for _, size := range sizes {
		data, err := encodePNG(icon{size: size, scale: 0.82, round: 0.42})
		if err != nil {
			return nil, err
		}
		head = append(head, byte(size), byte(size), 0, 0)
		head = binary.LittleEndian.AppendUint16(head, 1)  // colour planes
		head = binary.LittleEndian.AppendUint16(head, 32) // bits per pixel
		head = binary.LittleEndian.AppendUint32(head, uint32(len(data)))
		head = binary.LittleEndian.AppendUint32(head, uint32(6+16*len(sizes)+len(body)))
		body = append(body, data...)
	}
	return append(head, body...), nil
}

// samples is how many points a pixel is measured at, along each side, so that edges are smooth.
const samples = 4

// draw paints the plate and the mark on it.
func draw(i icon) (image.Image, error) {
	colors := []color.NRGBA{{}, plateColor}
	n := i.size * samples
	grid := make([]uint8, n*n) // an index into colors for every point
	middle := func(at int) float64 { return (float64(at) + 0.5) / float64(n) }
	for y := range n {
		for x := range n {
			if onPlate(point{middle(x), middle(y)}, i.round) {
				grid[y*n+x] = 1
			}
		}
	}
	for _, shape := range pages.Mark {
		polygon, err := flatten(shape.Path)
		if err != nil {
			return nil, err
		}
		c := color.NRGBA{A: 0xff}
		if _, err := fmt.Sscanf(shape.Fill, "#%02x%02x%02x", &c.R, &c.G, &c.B); err != nil {
			return nil, fmt.Errorf("colour %q: %w", shape.Fill, err)
		}
		colors = append(colors, c)
		for k, p := range polygon { // from the mark's 100 by 100 to its part of the picture
			polygon[k] = point{0.5 + (p.x-50)/100*i.scale, 0.5 + (p.y-50)/100*i.scale}
		}
		for y := range n {
			edges := crossings(polygon, middle(y))
			for k := 0; k+1 < len(edges); k += 2 {
				from, to := int(math.Ceil(edges[k]*float64(n)-0.5)), int(math.Ceil(edges[k+1]*float64(n)-0.5))
				for x := max(from, 0); x < min(to, n); x++ {
					grid[y*n+x] = uint8(len(colors) - 1)
				}
			}
		}
	}
	picture := image.NewNRGBA(image.Rect(0, 0, i.size, i.size))
	for y := range i.size {
		for x := range i.size {
			picture.SetNRGBA(x, y, mean(grid[y*samples*n+x*samples:], n, colors))
		}
	}
	return picture, nil
}

// mean is the colour of a pixel whose points start a grid with rows of the given length.
func mean(grid []uint8, row int, colors []color.NRGBA) color.NRGBA {
	var r, g, b, covered int
	for s := range samples * samples {
		if c := colors[grid[s/samples*row+s%samples]]; c.A > 0 {
			r, g, b, covered = r+int(c.R), g+int(c.G), b+int(c.B), covered+1
		}
	}
	if covered == 0 {
		return color.NRGBA{}
	}
	return color.NRGBA{
		uint8(r / covered), uint8(g / covered), uint8(b / covered),
		uint8(255 * covered / (samples * samples)),
	}
}

type point struct{ x, y float64 }

// onPlate tells whether a point lies on a square of width 1 with rounded corners.
func onPlate(p point, round float64) bool {
	radius := round / 2
	dx := max(radius-p.x, p.x-(1-radius), 0)
	dy := max(radius-p.y, p.y-(1-radius), 0)
	return dx*dx+dy*dy <= radius*radius || radius == 0
}

// crossings are the places where a horizontal line crosses a polygon's edges, from left to right:
// the polygon covers what lies between the first and the second, the third and the fourth, ...
func crossings(polygon []point, y float64) []float64 {
	var xs []float64
	for i, j := 0, len(polygon)-1; i < len(polygon); j, i = i, i+1 {
		a, b := polygon[i], polygon[j]
		if (a.y > y) != (b.y > y) {
			xs = append(xs, (b.x-a.x)*(y-a.y)/(b.y-a.y)+a.x)
		}
	}
	slices.Sort(xs)
	return xs
}

// flatten turns a path into a polygon, with curves cut into short lines.
func flatten(path string) ([]point, error) {
	path = strings.NewReplacer("M", " M ", "L", " L ", "Q", " Q ", "Z", " Z ", ",", " ").Replace(path)
	words := strings.Fields(path)
	var polygon []point
	bad := fmt.Errorf("path %q is not of absolute M, L, Q and Z commands", path)
	take := func(n int) ([]point, error) {
		points := make([]point, n)
		for i := range points {
			if len(words) < 2 {
				return nil, bad
			}
			x, errX := strconv.ParseFloat(words[0], 64)
			y, errY := strconv.ParseFloat(words[1], 64)
			if errX != nil || errY != nil {
				return nil, bad
			}
			points[i], words = point{x, y}, words[2:]
		}
		return points, nil
	}
	for len(words) > 0 {
		command := words[0]
		words = words[1:]
		switch command {
		case "M", "L":
			p, err := take(1)
			if err != nil {
				return nil, err
			}
			polygon = append(polygon, p[0])
		case "Q":
			p, err := take(2)
			if err != nil || len(polygon) == 0 {
				return nil, bad
			}
			from := polygon[len(polygon)-1]
			const pieces = 16
			for n := 1; n <= pieces; n++ {
				t := float64(n) / pieces
				u := 1 - t
				polygon = append(polygon, point{
					u*u*from.x + 2*u*t*p[0].x + t*t*p[1].x,
					u*u*from.y + 2*u*t*p[0].y + t*t*p[1].y,
				})
			}
		case "Z": // inside closes every polygon
		default:
			return nil, bad
		}
	}
	return polygon, nil
}
