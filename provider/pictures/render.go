//go:build !js

package pictures

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// renderTime bounds how long one picture may take. A JPEG of a few megabytes can hold so many scans
// that it takes minutes.
const renderTime = 10 * time.Second

// rendition is a picture as it is served.
type rendition struct {
	png           []byte
	width, height int
}

// format is a kind of picture that is read. Animated ones give their first frame.
type format struct {
	magic  string // ? stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var formats = []format{
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{"GIF8?a", gif.DecodeConfig, gif.Decode},
	{"RIFF????WEBP", webp.DecodeConfig, webp.Decode},
}

// formatOf finds a format by the first bytes; what a data URL or a server calls it is not asked.
func formatOf(raw []byte) (format, bool) {
	for _, f := range formats {
		if len(raw) < len(f.magic) {
			continue
		}
		same := true
		for i := range len(f.magic) {
			same = same && (f.magic[i] == '?' || f.magic[i] == raw[i])
		}
		if same {
			return f, true
		}
	}
	return format{}, false
}

// render decodes a picture and makes a PNG of it, whose longer side has at most side pixels.
func render(ctx context.Context, raw []byte, side int) (made rendition, err error) {
	if len(raw) == 0 {
		return made, refused("it is empty")
	}
	if len(raw) > MaxBytes {
		return made, refused("it is too large")
	}
	f, ok := formatOf(raw)
	if !ok {
		if looksLikeMarkup(raw) {
			return made, refused("SVG may hold scripts")
		}
		return made, refused("its type is not known")
	}
	config, err := f.config(bytes.NewReader(raw))
	switch {
	case err != nil:
		return made, refused("it is damaged")
	case config.Width < 1 || config.Height < 1 || config.Width > MaxSide || config.Height > MaxSide || config.Width*config.Height > MaxPixels:
		return made, refused(fmt.Sprintf("it has %d x %d pixels", config.Width, config.Height))
	}
	img, err := decode(ctx, f, raw)
	if err != nil {
		return made, err
	}
	img = shrink(img, side)
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return made, refused("it cannot be kept")
	}
	return rendition{png: out.Bytes(), width: img.Bounds().Dx(), height: img.Bounds().Dy()}, nil
}

// decode gives up after renderTime, or at the context's end, which says nothing about the picture. A
// decoder's panic is a damaged picture, not the end of the service.
func decode(ctx context.Context, f format, raw []byte) (img image.Image, err error) {
	limited, cancel := context.WithTimeout(ctx, renderTime)
	defer cancel()
	defer func() {
		if recover() != nil {
			err = refused("it is damaged")
		}
	}()
	img, err = f.decode(&impatient{ctx: limited, r: bytes.NewReader(raw)})
	switch {
	case err == nil && !img.Bounds().Empty():
		return img, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return nil, refused("it takes too long")
	}
	return nil, refused("it is damaged")
}

// impatient hands out little at a time and nothing once the context has ended.
type impatient struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (i *impatient) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p[:min(len(p), 256)])
}

// shrink returns a picture of at most side x side pixels with the same proportions.
func shrink(img image.Image, side int) image.Image {
	b := img.Bounds()
	width, height := b.Dx(), b.Dy()
	if width <= side && height <= side {
		return img
	}
	if width >= height {
		width, height = side, max(1, height*side/width)
	} else {
		width, height = max(1, width*side/height), side
	}
	small := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(small, small.Bounds(), img, b, draw.Src, nil)
	return small
}

func looksLikeMarkup(raw []byte) bool {
	raw = bytes.TrimLeft(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(raw) > 0 && raw[0] == '<'
}
