package main

import (
	"bytes"
	"encoding/binary"
	"math"
)

// The film of a pendulum: what it shows is computed, and what it is packed in is written here too, so
// that no encoder is needed to build the project. Every macroblock that changes is stored as it
// is (I_PCM), all others are skipped. ITU-T H.264, clauses 7.3 and 9.1; baseline profile.

const (
	filmWidth, filmHeight = 256, 144
	filmFPS               = 10
	filmSeconds           = 20
	filmKeyEvery          = 5 * filmFPS // pictures that a player can jump to
)

// pixel is a colour in the YCbCr of television: luma 16..235, chroma 16..240.
type pixel struct{ y, cb, cr byte }

var (
	sky    = pixel{210, 134, 118}
	wood   = pixel{110, 100, 148}
	thread = pixel{60, 128, 128}
	bob    = pixel{100, 84, 190}
)

// scene is one picture: the pendulum at a time in seconds.
func scene(t float64) func(x, y int) pixel {
	const length, weight, topX, topY = 96.0, 11.0, filmWidth / 2, 12.0
	angle := 0.6 * math.Cos(2*math.Pi*t/4) // one swing takes four seconds
	bobX, bobY := topX+length*math.Sin(angle), topY+length*math.Cos(angle)
	return func(x, y int) pixel {
		fx, fy := float64(x)+.5, float64(y)+.5
		if math.Hypot(fx-bobX, fy-bobY) <= weight {
			return bob
		}
		if fy < topY {
			return wood
		}
		// distance from the string, a line from the top to the bob
		along := ((fx-topX)*(bobX-topX) + (fy-topY)*(bobY-topY)) / (length * length)
		if along > 0 && along < 1 && math.Abs((fx-topX)*(bobY-topY)-(fy-topY)*(bobX-topX))/length < 1.2 {
			return thread
		}
		return sky
	}
}

// macroblock is 16 by 16 pixels: luma, then both chroma at half the resolution.
type macroblock [384]byte

func picture(t float64) []macroblock {
	colour := scene(t)
	blocks := make([]macroblock, (filmWidth/16)*(filmHeight/16))
	for i := range blocks {
		left, top := i%(filmWidth/16)*16, i/(filmWidth/16)*16
		for p := range 256 {
			c := colour(left+p%16, top+p/16)
			blocks[i][p] = c.y
			if quarter := p/32*8 + p%16/2; p%2 == 0 && p/16%2 == 0 {
				blocks[i][256+quarter], blocks[i][320+quarter] = c.cb, c.cr
			}
		}
	}
	return blocks
}

// bitWriter writes bits, the highest first.
type bitWriter struct {
	buf  []byte
	free int // bits of the last byte that are not written yet
}

func (w *bitWriter) bits(v uint32, n int) {
	for n--; n >= 0; n-- {
		if w.free == 0 {
			w.buf, w.free = append(w.buf, 0), 8
		}
		w.free--
		w.buf[len(w.buf)-1] |= byte(v>>n&1) << w.free
	}
}

// ue writes an unsigned number as Exp-Golomb code, se a signed one.
func (w *bitWriter) ue(v int) {
	n := 0
	for (v+1)>>(n+1) > 0 {
		n++
	}
	w.bits(0, n)
	w.bits(uint32(v+1), n+1)
}

func (w *bitWriter) align() { w.free = 0 }

// unit ends the bits and makes a NAL unit: no three bytes in it look like a start code.
func (w *bitWriter) unit(header byte) []byte {
	w.bits(1, 1)
	w.align()
	out, zeros := []byte{header}, 0
	for _, b := range w.buf {
		if zeros == 2 && b <= 3 {
			out, zeros = append(out, 3), 0
		}
		if out = append(out, b); b == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}

func sequenceParameters() []byte {
	w := &bitWriter{}
	w.bits(66, 8) // baseline
	w.bits(0xc0, 8)
	w.bits(30, 8)                         // level 3
	for _, v := range []int{0, 4, 2, 1} { // id, 8 bits of frame number, order is that of decoding, one reference
		w.ue(v)
	}
	w.bits(0, 1)
	w.ue(filmWidth/16 - 1)
	w.ue(filmHeight/16 - 1)
	w.bits(0b1100, 4) // whole frames, 8x8 inference, no cropping, no usability information
	return w.unit(0x67)
}

func pictureParameters() []byte {
	w := &bitWriter{}
	w.ue(0)
	w.ue(0)
	w.bits(0, 2)
	for range 3 {
		w.ue(0)
	}
	w.bits(0, 3)
	for range 3 {
		w.ue(0)
	}
	w.bits(0b100, 3) // the deblocking filter is controlled by slices
	return w.unit(0x68)
}

// slice is a whole picture: all of it when before is nil, else what changed.
func slice(now, before []macroblock, number, key int) []byte {
	w := &bitWriter{}
	w.ue(0)
	if before == nil {
		w.ue(7)
	} else {
		w.ue(5)
	}
	w.ue(0)
	w.bits(uint32(number), 8)
	if before == nil {
		w.ue(key % 2)
		w.bits(0, 2)
	} else {
		w.bits(0, 3)
	}
	w.ue(0) // quality change
	w.ue(1) // no deblocking
	skipped := 0
	for i, block := range now {
		kind := 25 // I_PCM
		if before != nil {
			if block == before[i] {
				skipped++
				continue
			}
			w.ue(skipped)
			skipped, kind = 0, 30
		}
		w.ue(kind)
		w.align()
		w.buf = append(w.buf, block[:]...)
	}
	if before != nil && skipped > 0 {
		w.ue(skipped)
	}
	if before == nil {
		return w.unit(0x65)
	}
	return w.unit(0x41)
}

// film is an MP4 file.
func film() []byte {
	var samples [][]byte
	var keys []uint32
	var before []macroblock
	for i := range filmFPS * filmSeconds {
		now := picture(float64(i) / filmFPS)
		if i%filmKeyEvery == 0 {
			before = nil
			keys = append(keys, uint32(i+1))
		}
		unit := slice(now, before, i%filmKeyEvery, i/filmKeyEvery)
		samples = append(samples, append(binary.BigEndian.AppendUint32(nil, uint32(len(unit))), unit...))
		before = now
	}
	return mp4(samples, keys)
}

// box is a part of an MP4 file (ISO/IEC 14496-12): a size, a name, and numbers, bytes or boxes.
func box(name string, parts ...any) []byte {
	var b bytes.Buffer
	b.WriteString("\x00\x00\x00\x00" + name)
	for _, p := range parts {
		if text, ok := p.(string); ok {
			p = []byte(text)
		}
		if err := binary.Write(&b, binary.BigEndian, p); err != nil {
			panic(err) // a number without size: a mistake of this file
		}
	}
	out := b.Bytes()
	binary.BigEndian.PutUint32(out, uint32(len(out)))
	return out
}

func mp4(samples [][]byte, keys []uint32) []byte {
	const timescale = 1000
	duration := uint32(len(samples) * timescale / filmFPS)
	matrix := []uint32{0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000}
	sps, pps := sequenceParameters(), pictureParameters()
	config := box("avcC", []byte{1, 66, 0xc0, 30, 0xff, 0xe1}, uint16(len(sps)), sps, byte(1), uint16(len(pps)), pps)
	entry := box("avc1", make([]byte, 6), uint16(1), make([]byte, 16), uint16(filmWidth), uint16(filmHeight),
		uint32(72<<16), uint32(72<<16), uint32(0), uint16(1), make([]byte, 32), uint16(24), uint16(0xffff), config)
	sizes := make([]uint32, len(samples))
	for i, s := range samples {
		sizes[i] = uint32(len(s))
	}
	moov := func(at uint32) []byte {
		table := box("stbl",
			box("stsd", uint32(0), uint32(1), entry),
			box("stts", uint32(0), uint32(1), uint32(len(samples)), uint32(timescale/filmFPS)),
			box("stss", uint32(0), uint32(len(keys)), keys),
			box("stsc", uint32(0), uint32(1), uint32(1), uint32(len(samples)), uint32(1)),
			box("stsz", uint32(0), uint32(0), uint32(len(samples)), sizes),
			box("stco", uint32(0), uint32(1), at))
		media := box("mdia",
			box("mdhd", uint32(0), uint32(0), uint32(0), uint32(timescale), duration, uint16(0x55c4), uint16(0)),
			box("hdlr", uint32(0), uint32(0), "vide", make([]byte, 12), "Pendulum\x00"),
			box("minf", box("vmhd", uint32(1), make([]byte, 8)),
				box("dinf", box("dref", uint32(0), uint32(1), box("url ", uint32(1)))), table))
		header := box("tkhd", uint32(3), uint32(0), uint32(0), uint32(1), uint32(0), duration, make([]byte, 8),
			uint16(0), uint16(0), uint16(0), uint16(0), matrix, uint32(filmWidth<<16), uint32(filmHeight<<16))
		return box("moov",
			box("mvhd", uint32(0), uint32(0), uint32(0), uint32(timescale), duration, uint32(0x10000), uint16(0x100),
				make([]byte, 10), matrix, make([]byte, 24), uint32(2)),
			box("trak", header, media))
	}
	ftyp := box("ftyp", "isom", uint32(512), "isomavc1mp41")
	head := append(ftyp, moov(uint32(len(ftyp)+len(moov(0))+8))...)
	return append(head, box("mdat", bytes.Join(samples, nil))...)
}
