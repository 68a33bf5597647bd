package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBind(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5000, time.FixedZone("x", 3600))
	for _, tc := range []struct {
		name    string
		dialect Dialect
		query   string
		args    []any
		want    string
		wantArg []any
	}{
		{"SQLite keeps question marks", SQLite, "a = ? AND b = '?'", []any{1}, "a = ? AND b = '?'", []any{1}},
		{"PostgreSQL numbers them", Postgres, `a = ? AND b = '?' AND "c?" = ?`, []any{1, 2}, `a = $1 AND b = '?' AND "c?" = $2`, []any{1, 2}},
		{"lists are spread", SQLite, "a IN ? AND b = ?", []any{In([]string{"x", "y"}), 3}, "a IN (?,?) AND b = ?", []any{"x", "y", 3}},
		{"lists are spread and numbered", Postgres, "a IN ? AND b = ?", []any{In([]int{7}), 3}, "a IN ($1) AND b = $2", []any{7, 3}},
		{"an empty list matches nothing", SQLite, "a IN ?", []any{In([]string{})}, "a IN (SELECT NULL WHERE 1=0)", []any{}},
		{"nor in PostgreSQL, whatever the type", Postgres, "a IN ? OR b NOT IN ?", []any{In([]string{}), In([]int{})}, "a IN (NULL) IS TRUE OR b NOT IN (NULL) IS NULL", []any{}},
		{"times become Django's text", SQLite, "a = ?", []any{at}, "a = ?", []any{"2026-03-01 11:00:00.000005"}},
		{"times stay times", Postgres, "a = ?", []any{at}, "a = $1", []any{at.UTC()}},
		{"no time is NULL", SQLite, "a = ?", []any{time.Time{}}, "a = ?", []any{nil}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append([]any(nil), tc.args...)
			query, bound := New(nil, tc.dialect, nil).bind(tc.query, args)
			require.Equal(t, tc.want, query)
			require.Equal(t, tc.wantArg, bound)
			require.Equal(t, tc.args, args, "the caller's arguments were changed")
		})
	}
}

func TestZonedTimes(t *testing.T) {
	at := time.Date(2026, 3, 1, 11, 0, 0, 5000, time.UTC)
	require.Equal(t, "2026-03-01 11:00:00.000005(UTC)", FormatZoned(at))
	for _, text := range []string{"2026-03-01 11:00:00.000005(UTC)", "2026-03-01 11:00:00.000005(Africa/Nairobi)", "2026-03-01T11:00:00.000005", "2026-03-01 12:00:00.000005+01:00"} {
		got, err := ParseZoned(text)
		require.NoError(t, err)
		require.True(t, got.Equal(at), "%s: %v", text, got)
	}
	_, err := ParseZoned("yesterday")
	require.Error(t, err)
}

func FuzzBind(f *testing.F) {
	f.Add("a = ? AND '")
	f.Fuzz(func(t *testing.T, query string) {
		New(nil, Postgres, nil).bind(query, []any{In([]int{1, 2}), time.Unix(0, 0)})
	})
}

func FuzzParseZoned(f *testing.F) {
	f.Add("2026-03-01 11:00:00.000005(UTC)")
	f.Fuzz(func(t *testing.T, text string) {
		if at, err := ParseZoned(text); err == nil && at.Year() > 0 && at.Year() < 10000 {
			again, err := ParseZoned(FormatZoned(at))
			require.NoError(t, err)
			require.True(t, again.Equal(at.Truncate(time.Microsecond)))
		}
	})
}
