package auth

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The hashes were made by the real Kolibri 0.19.5.
func TestPasswordsOfARealKolibriAreRead(t *testing.T) {
	for _, tc := range []struct {
		name, password, encoded string
		matches, stale          bool
	}{
		{"today's", "pass-word1", "pbkdf2_sha256$260000$k0ZmHkAxG3LqVtJ0w9fPzB$AzYK7kK8gjFt6J1mPKG9OwbAdsPMdLu+JwfWCyGY+1c=", true, false},
		{"any script's", "пароль-密码", "pbkdf2_sha256$260000$k0ZmHkAxG3LqVtJ0w9fPzB$KA5WokT3ufpjWAazJTYhFRMuaaMpC8ExkD9pA6L53FU=", true, false},
		{"an old one with fewer rounds", "pass-word1", "pbkdf2_sha256$12000$oldsalt12345$1WxUfvgCu7XS37+qPqTSnbQI45CkHeb7dVGjk9TgLzA=", true, true},
		{"an old one with SHA-1", "pass-word1", "pbkdf2_sha1$10000$oldsalt12345$hJtNorQ2f7SCah9RpXkzfDxIaMU=", true, true},
		{"a wrong password", "pass-word2", "pbkdf2_sha256$12000$oldsalt12345$1WxUfvgCu7XS37+qPqTSnbQI45CkHeb7dVGjk9TgLzA=", false, true},
		{"no password", "", "pbkdf2_sha256$12000$oldsalt12345$1WxUfvgCu7XS37+qPqTSnbQI45CkHeb7dVGjk9TgLzA=", false, true},
		{"none specified", NotSpecified, NotSpecified, false, false},
		{"an unusable one", "", "!aBcDeF", false, false},
		{"an empty one", "", "", false, false},
		{"another algorithm", "pass-word1", "argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdA$AAAA", false, false},
		{"more rounds than anybody would wait for", "pass-word1", "pbkdf2_sha256$999999999$salt$AzYK7kK8gjFt6J1mPKG9OwbAdsPMdLu+JwfWCyGY+1c=", false, false},
		{"a cut hash", "pass-word1", "pbkdf2_sha256$260000$salt$AzYK", false, false},
		{"garbage", "pass-word1", "$$$", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ok, err := CheckPassword(context.Background(), GoHasher{}, tc.password, tc.encoded)
			require.NoError(t, err)
			require.Equal(t, tc.matches, ok)
			require.Equal(t, tc.stale, StaleHash(tc.encoded))
		})
	}
}

func TestANewHashIsTodaysAndItsOwn(t *testing.T) {
	ctx := context.Background()
	a, err := HashPassword(ctx, GoHasher{}, rand.Reader, "pass-word1")
	require.NoError(t, err)
	b, err := HashPassword(ctx, GoHasher{}, rand.Reader, "pass-word1")
	require.NoError(t, err)
	require.NotEqual(t, a, b)
	require.Regexp(t, `^pbkdf2_sha256\$260000\$[0-9A-Za-z]{22}\$[0-9A-Za-z+/]{43}=$`, a)
	require.LessOrEqual(t, len(a), 128)
	require.False(t, StaleHash(a))
	ok, err := CheckPassword(ctx, GoHasher{}, "pass-word1", a)
	require.NoError(t, err)
	require.True(t, ok)
}

func TestUsernames(t *testing.T) {
	for name, fault := range map[string]string{
		"lea": "", "Lea_2": "", "élève": "", "учень": "", "طالب": "", "学生": "", "विद्यार्थी": "", "😀": "",
		"has space": usernameCharacters, "no\u00a0break": usernameCharacters, "tab\t": usernameCharacters, "a@b.org": usernameCharacters,
		"quo'te": usernameCharacters, "a/b": usernameCharacters, "-": usernameCharacters, "\x1f": usernameCharacters,
		strings.Repeat("я", 30): "", strings.Repeat("я", 31): usernameTooLong,
	} {
		_, message := checkUsername(name)
		require.Equal(t, fault, message, name)
	}
}
