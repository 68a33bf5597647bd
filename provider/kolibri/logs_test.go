package kolibri

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/provider/platform"
)

const logFile = "\ufeffFacility name,Username,User type,Channel id,Channel name,Folder level 1,Content id,Content title,Time of first interaction," +
	"Time of last interaction,Time of completion,Time Spent (sec),Progress (0-1),Content kind\r\n" +
	"School,lea,Learner,c1,Maths,\"Sets, and more\",n1,\"Über \"\"Mengen\"\"\",2026-01-02 03:04:05.678901+00:00,2026-01-02 04:00:00+00:00,,12.5,0.5000,video\r\n" +
	"School,guest,,c1,Maths,,n1,x,,,,1.0,0.1,video\r\n"

func TestFilesOfLogs(t *testing.T) {
	var rows []row
	require.NoError(t, readLogs(strings.NewReader(logFile), map[string]string{"lea": "u1"}, func(r row) error {
		rows = append(rows, r)
		return nil
	}))
	require.Len(t, rows, 1, "nobody is called guest")
	require.Equal(t, `Über "Mengen"`, rows[0].title)
	require.Equal(t, "u1", rows[0].user)
	require.Equal(t, "2026-01-02T03:04:05.678901Z", rows[0].first.Format("2006-01-02T15:04:05.000000Z07:00"))
	require.Nil(t, rows[0].completed)
	require.InDelta(t, 12.5, rows[0].seconds, 0)
	require.InDelta(t, 0.5, rows[0].progress, 0)
	for _, text := range []string{"", "Username\nlea\n", strings.Replace(logFile, "12.5", "long", 1), logFile + "\"", logFile + "a,b\n"} {
		require.ErrorIs(t, readLogs(strings.NewReader(text), map[string]string{"lea": "u1"}, func(row) error { return nil }), platform.ErrMalformed)
	}
}

func FuzzFilesOfLogs(f *testing.F) {
	f.Add(logFile)
	f.Add("\"")
	f.Fuzz(func(t *testing.T, text string) {
		err := readLogs(strings.NewReader(text), map[string]string{"lea": "u1"}, func(row) error { return nil })
		if err != nil {
			require.ErrorIs(t, err, platform.ErrMalformed)
		}
	})
}
