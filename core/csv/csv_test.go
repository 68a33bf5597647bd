package csv_test

import (
	stdcsv "encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/csv"
)

func read(text string) (all [][]string, err error) {
	r := csv.NewReader(text)
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, record)
	}
}

// The expectations are what Python 3.11's csv.reader(strict=True) makes of the same texts.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       [][]string
		err        error
	}{
		{"nothing", "", nil, nil},
		{"line ends of all kinds", "a,b\nc,d\r\ne,f\rg,h", [][]string{{"a", "b"}, {"c", "d"}, {"e", "f"}, {"g", "h"}}, nil},
		{"empty lines", "\n\r\na\n\n", [][]string{{}, {}, {"a"}, {}}, nil},
		{"empty fields", ",\n,,", [][]string{{"", ""}, {"", "", ""}}, nil},
		{"quotes", `"a ""b"" c","d,e"` + "\n" + "\"two\r\nlines\"", [][]string{{`a "b" c`, "d,e"}, {"two\r\nlines"}}, nil},
		{"quotes in the middle of a field", `a"b",c`, [][]string{{`a"b"`, "c"}}, nil},
		{"an empty quoted field", `"",""`, [][]string{{"", ""}}, nil},
		{"text after quotes", `"a"b`, nil, csv.ErrQuote},
		{"blanks before quotes", `"a" ,b`, nil, csv.ErrQuote},
		{"no closing quote", "a\n\"b\nc", [][]string{{"a"}}, csv.ErrEnd},
		{"NUL", "a\x00b", [][]string{{"a\x00b"}}, nil},
		{"a field beyond the limit", strings.Repeat("x", 131073), nil, csv.ErrField},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := read(c.text)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, all)
		})
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ name, data, want, err string }{
		{"plain", "äö", "äö", ""},
		{"byte order mark", "\ufeffa", "a", ""},
		{"UTF-16", "\xff\xfea\x00", "", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"},
		{"Latin-1", "caf\xe9,x", "", "'utf-8' codec can't decode byte 0xe9 in position 3: invalid continuation byte"},
		{"Latin-1 at the end", "caf\xe9", "", "'utf-8' codec can't decode byte 0xe9 in position 0: unexpected end of data"},
		{"after the mark", "\ufeff\x80", "", "'utf-8' codec can't decode byte 0x80 in position 0: invalid start byte"},
		{"after two marks", "\ufeff\ufeff\xff", "", "'utf-8' codec can't decode byte 0xff in position 3: invalid start byte"},
		{"two of three bytes", "\xe5\xad(", "", "'utf-8' codec can't decode bytes in position 0-1: invalid continuation byte"},
		{"three of four bytes", "ab\xf0\x9f\x98(", "", "'utf-8' codec can't decode bytes in position 2-4: invalid continuation byte"},
		{"three of four bytes at the end", "ab\xf0\x9f\x98", "", "'utf-8' codec can't decode bytes in position 0-2: unexpected end of data"},
		{"a surrogate", "\xed\xa0\x80", "", "'utf-8' codec can't decode byte 0xed in position 0: invalid continuation byte"},
		{"half a surrogate", "\xed\xa0", "", "'utf-8' codec can't decode byte 0xed in position 0: invalid continuation byte"},
		{"too long a form", "\xc0\x80", "", "'utf-8' codec can't decode byte 0xc0 in position 0: invalid start byte"},
		{"too long a form of three bytes", "\xe0\x80\x80", "", "'utf-8' codec can't decode byte 0xe0 in position 0: invalid continuation byte"},
		{"beyond Unicode", "\xf4\x90\x80\x80", "", "'utf-8' codec can't decode byte 0xf4 in position 0: invalid continuation byte"},
		{"Python's second chunk", strings.Repeat("a", 8192) + "b\xff", "", "'utf-8' codec can't decode byte 0xff in position 1: invalid start byte"},
		{"at the end of the first", "\ufeff" + strings.Repeat("a", 8188) + "\x80", "", "'utf-8' codec can't decode byte 0x80 in position 8188: invalid start byte"},
		{"at the beginning of the second", "\ufeff" + strings.Repeat("a", 8189) + "\x80", "", "'utf-8' codec can't decode byte 0x80 in position 0: invalid start byte"},
		{"from chunk to chunk", strings.Repeat("a", 8190) + "\xe5\xad(", "", "'utf-8' codec can't decode bytes in position 0-1: invalid continuation byte"},
		{"after a character in both chunks", strings.Repeat("a", 8190) + "\xf0\x9f\x98\x80b\xff", "", "'utf-8' codec can't decode byte 0xff in position 5: invalid start byte"},
		{"an encoded replacement character", "\ufffd", "\ufffd", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := csv.Decode([]byte(c.data))
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, text)
		})
	}
}

func TestLines(t *testing.T) {
	for text, n := range map[string]int{"": 0, "a": 1, "a\n": 1, "a\r\nb\rc\n": 3, "\n\n": 2, "a\n\rb": 3} {
		require.Equal(t, n, csv.Lines(text), "%q", text)
	}
}

func TestSanitize(t *testing.T) {
	for field, want := range map[string]string{"": "", "x": "x", "=1+1": "'=1+1", "-5": "-5", "-5,3.1": "-5,3.1", "-a": "'-a", "+5": "'+5",
		"@x|y": `'@x\|y`, "a|b": "a|b", "%": "'%", "-": "'-"} {
		require.Equal(t, want, csv.Sanitize(field), "%q", field)
	}
}

func TestWrite(t *testing.T) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	require.NoError(t, w.Write("a", "b,c", `d"e`, "f\ng", ""))
	require.NoError(t, w.Write(""))
	require.Equal(t, "\ufeffa,\"b,c\",\"d\"\"e\",\"f\ng\",\r\n\"\"\r\n", b.String())
}

// Whatever is written comes back when it is read, by us and by others.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a", "b\"c")
	f.Add("=x\r\n", ",")
	f.Fuzz(func(t *testing.T, one, two string) {
		var b strings.Builder
		require.NoError(t, csv.NewWriter(&b).Write(one, two))
		text, err := csv.Decode([]byte(b.String()))
		if err != nil {
			return
		}
		all, err := read(text)
		require.NoError(t, err)
		require.Equal(t, [][]string{{one, two}}, all)
		if !strings.Contains(text, "\r\n\"") && !strings.Contains(one+two, "\r") {
			others, err := stdcsv.NewReader(strings.NewReader(text)).ReadAll()
			require.NoError(t, err)
			require.Equal(t, all, others)
		}
	})
}

// Nothing in a file makes the reader loop or panic.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"a,\"b\r\n\"\rc", "\"", "\"\"\"", "\r\r\n\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, _ := read(text)
		require.LessOrEqual(t, len(all), len(text)+1)
	})
}
