//go:build !js

package pictures

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
)

// maxText bounds a data URL in JSON: base64 with its escapes.
const maxText = MaxBytes*4/3 + 64<<10

// Rewrite copies JSON and puts the address of a hosted picture, or null if it is refused, in place of
// every string that is a data URL of a picture. It holds one picture at a time, whatever the length
// of the list. Names of members stay as they are. Whether the rest is sound JSON is not asked; an end
// in the middle of a string is io.ErrUnexpectedEOF.
func (p *Pictures) Rewrite(ctx context.Context, w io.Writer, r io.Reader) error {
	s := &rewriter{pictures: p, in: bufio.NewReaderSize(r, 64<<10), out: bufio.NewWriterSize(w, 64<<10)}
	for {
		if err := s.outside(); err == io.EOF {
			return s.out.Flush()
		} else if err != nil {
			return err
		}
		if err := s.text(ctx); errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
	}
}

type rewriter struct {
	pictures *Pictures
	in       *bufio.Reader
	out      *bufio.Writer
	raw      bytes.Buffer // the string at hand, without its quotes
}

// outside copies up to the quote that opens a string, which it takes but does not write.
func (s *rewriter) outside() error {
	for {
		piece, err := s.in.ReadSlice('"')
		if err == nil {
			_, err = s.out.Write(piece[:len(piece)-1])
			return err
		}
		if _, failed := s.out.Write(piece); failed != nil {
			return failed
		}
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}

// text copies or replaces one string.
func (s *rewriter) text(ctx context.Context) error {
	s.raw.Reset()
	// every letter of the beginning may be written in six, as \u0064
	ended, err := s.collect(6 * len(dataPrefix))
	if err != nil {
		return err
	}
	if start, ok := unquote(s.raw.Bytes()); !ok || !IsData(start) {
		s.out.WriteByte('"')
		s.out.Write(s.raw.Bytes())
		if ended {
			return s.out.WriteByte('"')
		}
		return s.rest(s.out)
	}
	if !ended {
		if ended, err = s.collect(maxText); err != nil {
			return err
		}
	}
	if !ended {
		if err := s.rest(io.Discard); err != nil {
			return err
		}
		_, err := s.out.WriteString("null")
		return err
	}
	if s.isName() {
		s.out.WriteByte('"')
		s.out.Write(s.raw.Bytes())
		return s.out.WriteByte('"')
	}
	url := ""
	if text, ok := unquote(s.raw.Bytes()); ok {
		if url, err = s.pictures.Host(ctx, text); err != nil && !errors.Is(err, ErrRefused) {
			return err
		}
	}
	if url == "" {
		_, err := s.out.WriteString("null")
		return err
	}
	quoted, err := json.Marshal(url)
	if err != nil {
		return err
	}
	_, err = s.out.Write(quoted)
	return err
}

// collect takes what is left of a string until raw has limit bytes, or a few more for an escape that
// has begun. It tells whether the string ended, and takes the quote then.
func (s *rewriter) collect(limit int) (ended bool, err error) {
	for s.raw.Len() < limit {
		c, err := s.in.ReadByte()
		if err != nil {
			return false, err
		}
		if c == '"' {
			return true, nil
		}
		s.raw.WriteByte(c)
		if c != '\\' {
			continue
		}
		if c, err = s.in.ReadByte(); err != nil {
			return false, err
		}
		s.raw.WriteByte(c)
		for i := 0; c == 'u' && i < 4; i++ {
			digit, err := s.in.ReadByte()
			if err != nil {
				return false, err
			}
			s.raw.WriteByte(digit)
		}
	}
	return false, nil
}

// rest copies what is left of a string, with the quote.
func (s *rewriter) rest(w io.Writer) error {
	escaped := false
	for {
		piece, err := s.in.ReadSlice('"')
		if err != nil && err != bufio.ErrBufferFull {
			return err
		}
		// a quote after an odd number of backslashes does not end the string
		for i := range piece {
			if i == len(piece)-1 && piece[i] == '"' && !escaped {
				_, err := w.Write(piece)
				return err
			}
			escaped = piece[i] == '\\' && !escaped
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
}

// isName tells whether the string that was just read is the name of a member.
func (s *rewriter) isName() bool {
	for n := 1; n <= 1024; n++ {
		next, err := s.in.Peek(n)
		if err != nil {
			return false
		}
		switch next[n-1] {
		case ' ', '\t', '\r', '\n':
		case ':':
			return true
		default:
			return false
		}
	}
	return false
}

// unquote resolves the escapes of a JSON string.
func unquote(raw []byte) (string, bool) {
	if !bytes.ContainsRune(raw, '\\') {
		return string(raw), true
	}
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var text string
	err := json.Unmarshal(quoted, &text)
	return text, err == nil
}
