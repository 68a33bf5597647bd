//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOptions(t *testing.T) {
	home := "/home/kolibri"
	for _, tc := range []struct {
		name, variable, value string
		read                  func(*settings) any
		want                  any
		wrong                 string
	}{
		{"port", "HTTP_PORT", "80", func(s *settings) any { return s.HTTPPort }, 80, ""},
		{"port by its older name", "LISTEN_PORT", "81", func(s *settings) any { return s.HTTPPort }, 81, ""},
		{"port too high", "HTTP_PORT", "70000", nil, nil, "not a port number"},
		{"negative port", "ZIP_CONTENT_PORT", "-1", nil, nil, "not a port number"},
		{"boolean", "DISABLE_PING", "True", func(s *settings) any { return s.DisablePing }, true, ""},
		{"boolean in words", "REMOTE_CONTENT", "ON", func(s *settings) any { return s.RemoteContent }, true, ""},
		{"no boolean", "DISABLE_PING", "maybe", nil, nil, "not True or False"},
		{"bytes", "MINIMUM_DISK_SPACE", "1.5 gb", func(s *settings) any { return s.MinimumDiskSpace }, int64(1_500_000_000), ""},
		{"plain bytes", "MINIMUM_DISK_SPACE", "1000", func(s *settings) any { return s.MinimumDiskSpace }, int64(1000), ""},
		{"no bytes", "MINIMUM_DISK_SPACE", "much", nil, nil, "not a size"},
		{"prefix", "URL_PATH_PREFIX", "sub/path", func(s *settings) any { return s.URLPathPrefix }, "/sub/path/", ""},
		{"no prefix", "URL_PATH_PREFIX", "/", func(s *settings) any { return s.URLPathPrefix }, "/", ""},
		{"a relative path is in the home", "CONTENT_DIR", "media", func(s *settings) any { return s.ContentDir }, home + "/media", ""},
		{"an absolute path", "CONTENT_DIR", "/srv/media", func(s *settings) any { return s.ContentDir }, "/srv/media", ""},
		{"several paths", "CONTENT_FALLBACK_DIRS", "/a; b", func(s *settings) any { return s.FallbackDirs }, []string{"/a", home + "/b"}, ""},
		{"engine", "DATABASE_ENGINE", "postgres", func(s *settings) any { return s.Database.Engine }, "postgres", ""},
		{"patience", "CHERRYPY_QUEUE_TIMEOUT", "0.1", func(s *settings) any { return s.QueueTimeout }, 100 * time.Millisecond, ""},
		{"no number", "CHERRYPY_QUEUE_TIMEOUT", "NaN", nil, nil, "not a number of seconds"},
		{"nobody at work", "CHERRYPY_THREAD_POOL", "0", nil, nil, "at least one"},
		{"unknown engine", "DATABASE_ENGINE", "oracle", nil, nil, "not one of sqlite, postgres"},
		{"not supported here", "CACHE_BACKEND", "redis", nil, nil, `"redis" is not supported by this server; use "memory"`},
		{"address", "LISTEN_ADDRESS", "::1", func(s *settings) any { return s.ListenAddress }, "::1", ""},
		{"no address", "LISTEN_ADDRESS", "localhost", nil, nil, "not an IP address"},
		{"source", "CENTRAL_CONTENT_BASE_URL", "http://127.0.0.1:9/", func(s *settings) any { return s.CentralContentBaseURL }, "http://127.0.0.1:9", ""},
		{"source without scheme", "CENTRAL_CONTENT_BASE_URL", "studio.example.org", nil, nil, "not an http or https address"},
		{"languages", "LANGUAGES", "en,fr-fr", func(s *settings) any { return s.Languages }, []string{"en", "fr-fr"}, ""},
		{"all languages", "LANGUAGES", "kolibri-supported", func(s *settings) any { return s.Languages }, []string(nil), ""},
		{"no language", "LANGUAGES", "English!", nil, nil, "not a language code"},
		{"origin", "ZIP_CONTENT_ORIGIN", "https://zip.example.org/x", func(s *settings) any { return s.ZipContentOrigin }, "https://zip.example.org", ""},
		{"sources of content security", "CSP_HOST_SOURCES", "https://a.org, https://b.org", func(s *settings) any { return s.CSPHostSources }, []string{"https://a.org", "https://b.org"}, ""},
		{"a source that would end the header", "CSP_HOST_SOURCES", "https://a.org; script-src *", nil, nil, "not a source"},
		{"timeout", "CHERRYPY_SOCKET_TIMEOUT", "3", func(s *settings) any { return s.SocketTimeout }, 3 * time.Second, ""},
		{"workers", "REGULAR_PRIORITY_WORKERS", "1", func(s *settings) any { return s.RegularPriorityWorkers }, 1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := loadSettings(home, []string{"KOLIBRI_" + tc.variable + "=" + tc.value})
			if tc.wrong != "" {
				require.ErrorContains(t, err, "KOLIBRI_"+tc.variable+": ")
				require.ErrorContains(t, err, tc.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, tc.read(s))
			require.Empty(t, s.warnings)
		})
	}
}

func TestOptionsFile(t *testing.T) {
	home := t.TempDir()
	put(t, home, optionsFile, `# a comment
[Deployment]
HTTP_PORT = 9000   # not 8080
RUN_MODE = "demo = yes"
URL_PATH_PREFX = sub
LISTEN_ADDRESS = 0.0.0.0

[Urls]
HTTP_PORT = 1
[Databse]
DATABASE_NAME = x
DATABASE_FOO = y
`)
	s, err := loadSettings(home, []string{"KOLIBRI_LISTEN_ADDRESS=127.0.0.1", "KOLIBRI_ZEROCONF_ENABLE=False", "KOLIBRI_ANYTHING=1", "PATH=/bin"})
	require.NoError(t, err)
	require.Equal(t, 9000, s.HTTPPort)
	require.Equal(t, "demo = yes", s.RunMode)
	require.Equal(t, "127.0.0.1", s.ListenAddress, "variables win")
	require.Equal(t, []string{
		"options.ini line 11: DATABASE_NAME stands in [Databse] but belongs to [Database]; it has no effect",
		"options.ini line 12: there is no section [Databse]; did you mean Database?; it has no effect",
		"options.ini line 5: there is no option URL_PATH_PREFX in [Deployment]; did you mean URL_PATH_PREFIX?; it has no effect",
		"options.ini line 9: HTTP_PORT stands in [Urls] but belongs to [Deployment]; it has no effect",
		"there is no option KOLIBRI_ZEROCONF_ENABLE; did you mean KOLIBRI_ZEROCONF_ENABLED? It has no effect",
	}, s.warnings)

	put(t, home, optionsFile, "[Deployment]\nHTTP_PORT = x\nZIP_CONTENT_PORT = y\n")
	_, err = loadSettings(home, []string{"KOLIBRI_DISABLE_PING=z"})
	require.ErrorContains(t, err, "KOLIBRI_DISABLE_PING")
	require.ErrorContains(t, err, "options.ini line 2, [Deployment] HTTP_PORT")
	require.ErrorContains(t, err, "options.ini line 3, [Deployment] ZIP_CONTENT_PORT", "all mistakes at once")

	_, err = loadSettings(t.TempDir(), []string{"KOLIBRI_DATABASE_SSLMODE=verify-full", "KOLIBRI_DATABASE_ENGIN=postgres"})
	require.ErrorContains(t, err, "there is no option KOLIBRI_DATABASE_SSLMODE; did you mean KOLIBRI_DATABASE_SSL_MODE?")
	require.ErrorContains(t, err, "did you mean KOLIBRI_DATABASE_ENGINE?", "another database than the one meant would be a disaster")

	for _, text := range []string{"[Deployment\n", "[Deployment]\nHTTP_PORT\n"} {
		put(t, home, optionsFile, text)
		_, err = loadSettings(home, nil)
		require.ErrorContains(t, err, "line ")
	}
}

// A real Kolibri's generated file is all comments; none of its names may be unknown to us.
func TestEveryOptionIsKnownOnce(t *testing.T) {
	seen := map[string]bool{}
	for i := range options {
		for _, v := range options[i].variables() {
			require.False(t, seen[v], v)
			seen[v] = true
		}
	}
	require.Len(t, options, 57+5, "the original's and this program's own")
}

func TestPasswordFile(t *testing.T) {
	home := t.TempDir()
	_, err := loadSettings(home, []string{"KOLIBRI_DATABASE_PASSWORD_FILE=password"})
	require.ErrorContains(t, err, "DATABASE_PASSWORD_FILE")
	put(t, home, "password", "it's secret\n")
	s, err := loadSettings(home, []string{"KOLIBRI_DATABASE_PASSWORD_FILE=password"})
	require.NoError(t, err)
	require.Equal(t, "it's secret", s.Database.Password)
	s, err = loadSettings(home, []string{"KOLIBRI_DATABASE_PASSWORD_FILE=password", "KOLIBRI_DATABASE_PASSWORD=given"})
	require.NoError(t, err)
	require.Equal(t, "given", s.Database.Password)
}

func TestHomeDir(t *testing.T) {
	user := t.TempDir()
	t.Setenv("HOME", user)
	for value, want := range map[string]string{"": filepath.Join(user, ".kolibri"), "~/k": filepath.Join(user, "k"), "/srv/k": "/srv/k"} {
		t.Setenv("KOLIBRI_HOME", value)
		dir, err := homeDir()
		require.NoError(t, err)
		require.Equal(t, want, dir)
	}
	t.Setenv("KOLIBRI_HOME", "relative")
	dir, err := homeDir()
	require.NoError(t, err)
	cwd, err := os.Getwd()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(cwd, "relative"), dir)
}
