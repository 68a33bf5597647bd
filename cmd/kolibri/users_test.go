//go:build unix

package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/auth"
	"kolibri/store"
	"kolibri/store/sqlite"
)

// People come in from a file, go out into another, and leave with their facility.
func TestUsersFromTheCommandLine(t *testing.T) {
	if _, err := findFrontEnd("", slog.New(slog.DiscardHandler)); err != nil {
		t.Skip("there is no built front end: make build")
	}
	dir := t.TempDir()
	t.Setenv("KOLIBRI_HOME", filepath.Join(dir, "home"))
	answering := func(input string, code int, args ...string) (out, err string) {
		var o, e bytes.Buffer
		require.Equal(t, code, run(append([]string{"manage"}, args...), strings.NewReader(input), &o, &e), "%v: %s", args, e.String())
		return o.String(), e.String()
	}
	do := func(code int, args ...string) (out, err string) { return answering("no\n", code, args...) }
	do(0, "provisiondevice", "--facility", "School", "--superusername", "boss", "--superuserpassword", "pass-word1", "--preset", "formal", "--language_id", "en", "--noinput")
	file, users := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.csv")
	require.NoError(t, os.WriteFile(file, []byte("UUID,USERNAME,PASSWORD,FULL_NAME,USER_TYPE,IDENTIFIER,BIRTH_YEAR,GENDER,ENROLLED_IN,ASSIGNED_TO\n"+
		",ann,pass-word1,Ann,LEARNER,,,,1a,\n,bad name,p,B,LEARNER,,,,,\n"), 0o600))
	out, errors := do(0, "bulkimportusers", "--dryrun", file)
	require.Contains(t, out, "Users: 1 created")
	require.Contains(t, errors, "row 2, column USERNAME")
	do(0, "bulkimportusers", file)
	do(0, "bulkexportusers", "-O", users)
	text, err := os.ReadFile(users)
	require.NoError(t, err)
	require.Contains(t, string(text), ",ann,*,Ann,LEARNER,,,,1a,")
	inDatabase := func(fn func(tx *store.Tx) error) {
		db, err := sqlite.Open(t.Context(), filepath.Join(dir, "home", "db.sqlite3"), time.Now)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		require.NoError(t, db.Write(t.Context(), fn))
	}
	passwordOf := func(username string) (hash string) {
		inDatabase(func(tx *store.Tx) error {
			return tx.QueryRow("SELECT password FROM kolibriauth_facilityuser WHERE username = ?", username).Scan(&hash)
		})
		return hash
	}
	inDatabase(func(tx *store.Tx) error { // of everybody
		_, err := tx.Exec(`INSERT INTO kolibriauth_session (session_key, session_data, expire_date, user_id)
			SELECT username, '{}', '2100-01-01', id FROM kolibriauth_facilityuser`)
		return err
	})
	before := passwordOf("boss")
	for _, c := range []struct{ name, username, input, says string }{
		{"nobody of this name", "bos", "new-word2\nnew-word2\n", `nobody with the username "bos"`},
		{"not alike", "boss", "a\nb\na\nb\na\nb\n", "after 3 attempts"},
		{"empty", "boss", "\n\n\n\n\n\n", "must not be empty"},
		{"no input", "boss", "", "no password was given"},
		{"once only", "boss", "new-word2\n", "once only"},
	} {
		_, errors := answering(c.input, 1, "changepassword", c.username)
		require.Contains(t, errors, c.says, c.name)
	}
	do(2, "changepassword")
	require.Equal(t, before, passwordOf("boss"))
	out, _ = answering("other\nnew-word2\nnew-word2\nnew-word2", 0, "changepassword", "Boss")
	require.Contains(t, out, "Password changed successfully")
	right, err := auth.CheckPassword(t.Context(), auth.GoHasher{}, "new-word2", passwordOf("boss"))
	require.NoError(t, err)
	require.True(t, right)
	require.NotContains(t, out, "new-word2")
	inDatabase(func(tx *store.Tx) error {
		var sessions string
		err := tx.QueryRow("SELECT group_concat(session_key) FROM kolibriauth_session").Scan(&sessions)
		require.Equal(t, "ann", sessions, "who knew the old password is signed out")
		return err
	})
	logs := filepath.Join(dir, "logs.csv")
	do(0, "exportlogs", "--log-type", "summary", "--start_date", "2020-01-01", "--end_date", "2030-01-01", "-O", logs)
	_, errors = do(1, "exportlogs", "-O", logs)
	require.Contains(t, errors, "already exists")
	do(2, "exportlogs", "-l", "nonsense")
	do(2, "exportlogs", "--start_date", "yesterday")
	do(1, "bulkimportusers", filepath.Join(dir, "none.csv"))
	do(1, "bulkexportusers", "--facility", "nonsense")
	_, errors = do(1, "deletefacility")
	require.Contains(t, errors, "nothing was deleted")
	do(0, "deletefacility", "--noninteractive")
	_, errors = do(1, "deletefacility", "--noninteractive")
	require.Contains(t, errors, "no default facility")
}
