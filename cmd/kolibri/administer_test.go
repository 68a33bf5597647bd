//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStorageIsKeptInOptions(t *testing.T) {
	for _, tc := range []struct{ name, before, after string }{
		{"no file", "", "[Paths]\nCONTENT_DIR = \"/srv/new # media\"\nCONTENT_FALLBACK_DIRS = \"/a;/b\"\n"},
		{"other sections", "# mine\n[Deployment]\nHTTP_PORT = 8081 # why\n\n[Cache]\nX = 1\n",
			"# mine\n[Deployment]\nHTTP_PORT = 8081 # why\n\n[Cache]\nX = 1\n[Paths]\nCONTENT_DIR = \"/srv/new # media\"\nCONTENT_FALLBACK_DIRS = \"/a;/b\"\n"},
		{"the section", "[Paths]\n# CONTENT_DIR = commented\nAUTOMATIC_PROVISION_FILE = x\n\n[Deployment]\nCONTENT_DIR = not mine\n",
			"[Paths]\n# CONTENT_DIR = commented\nAUTOMATIC_PROVISION_FILE = x\nCONTENT_DIR = \"/srv/new # media\"\nCONTENT_FALLBACK_DIRS = \"/a;/b\"\n\n[Deployment]\nCONTENT_DIR = not mine\n"},
		{"the options", "[Paths]\nCONTENT_DIR=/old\nCONTENT_FALLBACK_DIRS = \"\"\n", "[Paths]\nCONTENT_DIR = \"/srv/new # media\"\nCONTENT_FALLBACK_DIRS = \"/a;/b\"\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			home := t.TempDir()
			path := filepath.Join(home, optionsFile)
			if tc.before != "" {
				require.NoError(t, os.WriteFile(path, []byte(tc.before), 0o600))
			}
			place := "/srv/new # media"
			require.NoError(t, machine{home: home}.SetStorage(&place, []string{"/a", "/b"}))
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, tc.after, string(text))
			s, err := loadSettings(home, nil)
			require.NoError(t, err)
			require.Equal(t, place, s.ContentDir)
			require.Equal(t, []string{"/a", "/b"}, s.FallbackDirs)
		})
	}
	bad := "a\nb"
	require.Error(t, machine{home: t.TempDir()}.SetStorage(&bad, nil))
}

func TestRestartLeavesTheCommand(t *testing.T) {
	home := t.TempDir()
	require.NoError(t, machine{home: home}.Restart())
	text, err := os.ReadFile(filepath.Join(home, controlFile))
	require.NoError(t, err)
	require.Equal(t, commandRestart, string(text))
}
