package jobs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const plainHead = "UUID,USERNAME,PASSWORD,FULL_NAME,USER_TYPE,IDENTIFIER,BIRTH_YEAR,GENDER,ENROLLED_IN,ASSIGNED_TO\n"

func untranslated(_, text string) string { return text }

func nobody(string) bool { return false }

// What counts as a year is what Python's int takes, as the real Kolibri 0.19.5 answered.
func TestYears(t *testing.T) {
	for year, fits := range map[string]bool{"": true, "DEFERRED": true, "1900": true, "1899": false, " 2010 ": true, "2010.0": false, "-1": false,
		"٢٠١٠": true, "1_990": true, "+2001": true, "_1990": false, "1990_": false, "1__990": false, "+_1990": false, "99999": true,
		"100000": false, "1e4": false, "𝟚𝟘𝟙𝟘": true, "๒๕๕๐": true, "Ⅻ": false, "²000": false, "0x7d0": false, "002010": true} {
		require.Equal(t, fits, isYear(&year), "%q", year)
	}
}

// A line's fault is told once for each rule, and a file's lines are either kept or told about.
func FuzzReadUsers(f *testing.F) {
	for _, s := range []string{
		"", ",a,p,F,LEARNER,,,,,\n", "\ufeff", ",a\r,b\r\n,c\n", "\"", ",\"a\"b", "\xff\xfe", ",=1+1,@x,+1,LEARNER,,,,\"A,a\",\n",
		",a,p,F,LEARNER,,,,,\n,A,p,F,ADMIN,,,,,\n", strings.Repeat(",", 40), "\x00", ",a,p,F,LEARNER,,1_9,,\"" + strings.Repeat("x", 60) + "\",\n",
	} {
		f.Add(plainHead, s)
		f.Add("", s)
		f.Add(strings.ReplaceAll(plainHead, ",", " (),"), s)
	}
	f.Fuzz(func(t *testing.T, head, text string) {
		file, err := readUsers([]byte(head+text), untranslated, nobody)
		if err != nil {
			var wrong *FileError
			require.ErrorAs(t, err, &wrong)
			require.NotEmpty(t, wrong.Messages)
			return
		}
		faulty, names := map[any]bool{}, map[string]bool{}
		for _, e := range file.errors {
			faulty[e.Row] = true
			require.NotEmpty(t, e.Message)
		}
		for _, l := range file.lines {
			require.False(t, faulty[l.number], "line %d is both good and bad", l.number)
			lower := strings.ToLower(l.username)
			require.False(t, names[lower], "two lines for %q", lower)
			names[lower] = true
			require.NotEmpty(t, l.password)
		}
		require.LessOrEqual(t, len(file.lines)+len(faulty), file.count)
	})
}

func TestAHundredThousandLinesAreRead(t *testing.T) {
	var b strings.Builder
	b.WriteString(plainHead)
	for i := range 100_000 {
		fmt.Fprintf(&b, ",user%d,pw,User %d,LEARNER,,,,Class %d,\n", i, i, i%100)
	}
	begun := time.Now()
	file, err := readUsers([]byte(b.String()), untranslated, nobody)
	require.NoError(t, err)
	require.Len(t, file.lines, 100_000)
	require.Empty(t, file.errors)
	require.Less(t, time.Since(begun), time.Minute, "work grows with the lines, not with their square")
}
