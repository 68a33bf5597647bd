package relay

import (
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// Picture is the QR code of a text, row by row, 1 for dark. Nil for a text that is too long.
func Picture(text string) []string {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil
	}
	size := code.Bounds().Dx()
	rows := make([]string, size)
	for y := range rows {
		var row strings.Builder
		for x := range size {
			if code.At(x, y) == color.Black {
				row.WriteByte('1')
			} else {
				row.WriteByte('0')
			}
		}
		rows[y] = row.String()
	}
	return rows
}
