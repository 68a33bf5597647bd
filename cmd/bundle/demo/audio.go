package main

import (
	"encoding/binary"
	"math"
)

// A tune in MPEG-1 layer III: each tone is one line of the spectrum that MP3 stores, so the file is
// written without an encoder. ISO/IEC 11172-3, clause 2.4.1.

const (
	sampleRate   = 32000
	frameSamples = 1152
	frameBytes   = 144 * 32000 / sampleRate // at 32 kbit/s
	sideBytes    = 17                       // of one channel
)

// note is a tone in Hertz, 0 for silence, that lasts so many eighths of a second.
type note struct {
	hertz   float64
	eighths int
}

// The pendulum's tune, slower and slower: "tick" and "tock", then a little scale.
var tune = []note{
	{880, 2}, {0, 2}, {660, 2}, {0, 2}, {880, 2}, {0, 2}, {660, 2}, {0, 2}, {880, 2}, {0, 2}, {660, 2}, {0, 4},
	{523, 3}, {587, 3}, {659, 3}, {698, 3}, {784, 3}, {880, 3}, {988, 3}, {1047, 6}, {0, 2},
	{1047, 3}, {988, 3}, {880, 3}, {784, 3}, {698, 3}, {659, 3}, {587, 3}, {523, 8}, {0, 4},
	{880, 2}, {0, 4}, {660, 2}, {0, 6}, {880, 2}, {0, 8}, {523, 8}, {0, 4},
}

func tuneSeconds() int {
	eighths := 0
	for _, n := range tune {
		eighths += n.eighths
	}
	return eighths / 8
}

// music is an MP3 file.
func music() []byte {
	var out []byte
	granule := 0
	side, main := &bitWriter{}, &bitWriter{}
	flush := func() {
		frame := make([]byte, frameBytes)
		binary.BigEndian.PutUint32(frame, 0xfffb18c4) // layer III, no checksum, 32 kbit/s, 32 kHz, one channel
		copy(frame[4:], side.buf)
		copy(frame[4+sideBytes:], main.buf)
		out = append(out, frame...)
	}
	perEighth := float64(sampleRate) / 8 / (frameSamples / 2)
	end, done := 0.0, 0
	for _, n := range tune {
		end += float64(n.eighths) * perEighth
		length := int(end) - done
		for i := range length {
			if granule%2 == 0 {
				side, main = &bitWriter{}, &bitWriter{}
				side.bits(0, 18) // main data begins in this frame; private bits; nothing is shared
			}
			tone(side, main, n.hertz, i, length, granule)
			if granule%2 == 1 {
				flush()
			}
			granule++
		}
		done += length
	}
	return out
}

// tone writes one granule: 576 lines of the spectrum, of which one is not zero.
func tone(side, main *bitWriter, hertz float64, at, length, granule int) {
	line, gain := -1, 0
	if hertz > 0 {
		line = int(math.Round(hertz/(sampleRate/2)*576 - .5))
		gain = 204 - 12*at/length // it fades
		if at == 0 {
			gain -= 8 // and does not begin with a crack
		}
	}
	pairs, from := 0, len(main.buf)*8-main.free
	if line >= 0 {
		pairs = line/2 + 1
		main.bits(1<<(pairs-1)-1, min(pairs-1, 31)) // a "1" for each pair of zeros
		if line%2 == 0 {
			main.bits(0b01, 2)
		} else {
			main.bits(0b001, 3)
		}
		// The sign turns as a tone in the middle of the line does from granule to granule.
		sign := uint32(granule / 2 % 2)
		if line%18%2 == 0 {
			sign = uint32((granule + 1) / 2 % 2)
		}
		main.bits(sign, 1)
	}
	side.bits(uint32(len(main.buf)*8-main.free-from), 12)
	side.bits(uint32(pairs), 9)
	side.bits(uint32(gain), 8)
	side.bits(0, 5)             // all scale factors are 0, an ordinary window
	side.bits(0b00001, 5)       // Huffman table 1 in each of the
	side.bits(0b0000100001, 10) // three regions
	side.bits(0b1111111, 7)     // the first region is as long as can be
	side.bits(0, 3)
}
