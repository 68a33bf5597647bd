package morango

import (
	"slices"
	"strconv"
)

// Proquint names an instance so that it can be said aloud: the first eight hex digits of its id in
// pronounceable syllables, "d9dc60a2..." as "tolis-kafof". morango/proquint.py: from_int
func Proquint(id string) string {
	const consonants, vowels = "bdfghjklmnprstvz", "aiou"
	n, err := strconv.ParseUint(id[:min(8, len(id))], 16, 64)
	if err != nil {
		return ""
	}
	var out []byte
	for first := true; first || n > 0; first = false {
		if !first {
			out = append(out, '-')
		}
		for i := range 5 {
			if i%2 == 0 {
				out = append(out, consonants[n&15])
				n >>= 4
			} else {
				out = append(out, vowels[n&3])
				n >>= 2
			}
		}
	}
	slices.Reverse(out)
	return string(out)
}
