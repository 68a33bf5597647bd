package text

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func words(s string) (all []string) {
	Words(Clean(s), func(w string, _, _ int) bool { all = append(all, w); return true })
	return all
}

func TestWords(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"latin", "The Quick-brown FOX's 2nd", "the|quick|brown|fox|s|2nd"},
		{"accents", "Café Ångström naïve Cafe\u0301", "cafe|angstrom|naive|cafe"},
		{"letters of their own", "Straße Łódź Øre Æon ﬁn", "strasse|lodz|ore|aeon|fin"},
		{"Turkish", "İstanbul ISPARTA ısparta", "istanbul|isparta|isparta"},
		{"Vietnamese", "Nguyễn Đức", "nguyen|duc"},
		{"Greek", "ΟΔΥΣΣΕΎΣ", "οδυσσευσ"},
		{"Cyrillic", "Ёжик Война", "ежик|воина"},
		{"Arabic", "الْعَرَبِيَّة أحمد إيمان مـحـمـد", "العربيه|احمد|ايمان|محمد"},
		{"Arabic digits", "٢٠٢٤ ۲۰۲۴ २०२४", "2024|2024|2024"},
		{"Hebrew", "שָׁלוֹם", "שלום"},
		{"Devanagari keeps its vowels", "हिन्दी गणित", "हिन्दी|गणित"},
		{"Chinese", "数学abc入门", "数|学|abc|入|门"},
		{"Japanese", "カタカナ と ｶﾀｶﾅ", "か|た|か|な|と|か|た|か|な"},
		{"Korean", "수학은", "수|학|은"},
		{"Thai keeps vowels with their letter", "ภาษา", "ภ|า|ษ|า"},
		{"full width", "ＡＢＣ１２", "abc12"},
		{"turned direction", "a\u202Ebc\u2066d", "abcd"},
		{"no words", "!?… \U0001F600", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, strings.Join(words(tc.text), "|"))
		})
	}
}

func FuzzWords(f *testing.F) {
	f.Add("Straße 数学 हिन्दी")
	f.Fuzz(func(t *testing.T, s string) {
		s = Clean(s)
		require.True(t, utf8.ValidString(s))
		last := 0
		Words(s, func(w string, start, end int) bool {
			require.LessOrEqual(t, last, start)
			require.Less(t, start, end)
			last = end
			require.NotContains(t, w, " ")
			require.NotContains(t, w, `"`)
			require.True(t, utf8.ValidString(w))
			return true
		})
	})
}
