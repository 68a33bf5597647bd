// Package text makes words of any script comparable: what people type and what documents or lists of
// names hold differs in case, accents, width, vowel points and forms of letters. It never guesses
// across scripts: a name in Arabic letters and one in Latin letters have nothing in common here.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Clean is a text in its compatible normal form (NFKC), so that ligatures, full-width letters and
// Arabic presentation forms are what they stand for, without control characters and without the
// characters that turn the direction of what follows. Broken UTF-8 becomes U+FFFD.
func Clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !norm.NFKC.IsNormalString(s) {
		s = norm.NFKC.String(s)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r == '\u00AD', r == '\uFEFF', unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
}

// unspaced are the scripts whose words are not set apart by spaces, or carry particles without one.
// Each letter of them is a word for Words, so that a search finds it anywhere in a row of them.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Bopomofo, unicode.Yi}

// Unspaced tells whether a word begins with a letter of a script that is written without spaces.
func Unspaced(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return r >= 0x0E00 && unicode.In(r, unspaced...)
}

func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.M) || isJoiner(r)
}

// isJoiner: characters without width that stand inside of words.
func isJoiner(r rune) bool { return r == '\u200C' || r == '\u200D' }

// Words calls yield for every word of a text, folded, with its place in the text in bytes, until yield
// returns false. Give it what Clean returned.
func Words(s string, yield func(word string, start, end int) bool) {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !inWord(r) || isJoiner(r) {
			i += n
			continue
		}
		end := i + n
		single := r >= 0x0E00 && unicode.In(r, unspaced...)
		for end < len(s) {
			r, n := utf8.DecodeRuneInString(s[end:])
			if !inWord(r) || single && !unicode.Is(unicode.M, r) || !single && r >= 0x0E00 && unicode.In(r, unspaced...) && !unicode.Is(unicode.M, r) {
				break
			}
			end += n
		}
		if word := Fold(s[i:end]); word != "" && !yield(word, i, end) {
			return
		}
		i = end
	}
}

// Fold returns a text as it is compared: small letters without accents, vowel points and variants.
func Fold(s string) string {
	ascii, lower := true, true
	for i := range len(s) {
		ascii = ascii && s[i] < utf8.RuneSelf
		lower = lower && (s[i] < 'A' || s[i] > 'Z')
	}
	switch {
	case ascii && lower:
		return s
	case ascii:
		return strings.ToLower(s)
	}
	var b strings.Builder
	for _, r := range cases.Fold().String(norm.NFKD.String(s)) {
		switch {
		case r >= 0x0300 && r <= 0x036F, // accents
			r >= 0x0591 && r <= 0x05C7,                                                       // Hebrew points
			r >= 0x0610 && r <= 0x061A, r >= 0x064B && r <= 0x065F, r == 0x0670, r == 0x0640, // Arabic points, the stretched line
			isJoiner(r), unicode.Is(unicode.Bidi_Control, r), r == '\u00AD', r == '\uFEFF':
			continue
		case r >= 0x30A1 && r <= 0x30F6: // Katakana as Hiragana
			r -= 0x60
		case r > utf8.RuneSelf && unicode.Is(unicode.Nd, r):
			r = digit(r)
		}
		if to, ok := same[r]; ok {
			b.WriteString(to)
			continue
		}
		b.WriteRune(r)
	}
	return norm.NFC.String(b.String())
}

// same are letters that no normal form takes apart, but people do.
var same = map[rune]string{'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'æ': "ae", 'œ': "oe", 'ı': "i", 'ħ': "h", 'ŧ': "t",
	'ٱ': "ا", 'ى': "ي", 'ی': "ي", 'ې': "ي", 'ک': "ك", 'ة': "ه", 'ہ': "ه", 'ھ': "ه", 'ۀ': "ه"}

// digit is a decimal digit of any script as one of ASCII: they stand in rows of ten.
func digit(r rune) rune {
	zero := r
	for n := 0; n < 9 && unicode.Is(unicode.Nd, zero-1); n++ {
		zero--
	}
	if r-zero > 9 || !unicode.Is(unicode.Nd, zero) {
		return r
	}
	// rows may follow one another without a gap: their zeros end in 0 or 6 in Unicode
	if last := zero & 0xF; last != 0 && last != 6 {
		return r
	}
	return '0' + (r - zero)
}
