package pages_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/pages"
)

func TestNegotiate(t *testing.T) {
	p := load(t)
	for name, c := range map[string]struct {
		want     pages.Preference
		lang     string
		fromPath bool
	}{
		"nothing said":                 {pages.Preference{}, "en", false},
		"path":                         {pages.Preference{Path: "/ar/learn/", Session: "de", Device: "fr-fr", Accept: "it"}, "ar", true},
		"path of a family":             {pages.Preference{Path: "/es/learn/"}, "es-419", true},
		"path of a region":             {pages.Preference{Path: "/en-us/learn/"}, "en", true},
		"path without end":             {pages.Preference{Path: "/sw-tz"}, "sw-tz", true},
		"path without language":        {pages.Preference{Path: "/learn/", Session: "de"}, "de", false},
		"path in capitals":             {pages.Preference{Path: "/DE/learn/"}, "en", false},
		"session":                      {pages.Preference{Path: "/", Session: "de", Device: "fr-fr", Accept: "it"}, "de", false},
		"session with unknown":         {pages.Preference{Path: "/", Session: "xx", Device: "fr-fr", Accept: "it"}, "fr-fr", false},
		"device":                       {pages.Preference{Path: "/learn/", Device: "en", Accept: "ar"}, "en", false},
		"device by family":             {pages.Preference{Path: "/", Device: "pt"}, "pt-br", false},
		"accept":                       {pages.Preference{Path: "/", Accept: "xx, it;q=0.5, ar;q=0.8"}, "ar", false},
		"accept: equal weights":        {pages.Preference{Path: "/", Accept: "it, ar"}, "it", false},
		"accept: region":               {pages.Preference{Path: "/", Accept: "fr-CA"}, "fr-fr", false},
		"accept: Chinese":              {pages.Preference{Path: "/", Accept: "zh-CN,zh;q=0.9"}, "zh-hans", false},
		"accept: any":                  {pages.Preference{Path: "/", Accept: "*, ar;q=0.5"}, "en", false},
		"accept: any last":             {pages.Preference{Path: "/", Accept: "de;q=0.3, *;q=0.1"}, "de", false},
		"accept: end comma":            {pages.Preference{Path: "/", Accept: "de,"}, "de", false},
		"accept: bad weight":           {pages.Preference{Path: "/", Accept: "de;q=2"}, "en", false},
		"accept: too fine":             {pages.Preference{Path: "/", Accept: "de;q=0.1234"}, "en", false},
		"accept: no code":              {pages.Preference{Path: "/", Accept: "de, ;q=1"}, "en", false},
		"accept: markup":               {pages.Preference{Path: "/", Accept: "<script>"}, "en", false},
		"accept: too long, cut":        {pages.Preference{Path: "/", Accept: "de," + strings.Repeat("xx,", 300)}, "de", false},
		"accept: too long, one":        {pages.Preference{Path: "/", Accept: strings.Repeat("d", 600)}, "en", false},
		"machine":                      {pages.Preference{Path: "/", Default: "fr-fr"}, "fr-fr", false},
		"machine with unknown setting": {pages.Preference{Path: "/", Default: "tlh"}, "en", false},
	} {
		t.Run(name, func(t *testing.T) {
			lang, fromPath := p.Negotiate(c.want)
			require.Equal(t, c.lang, lang)
			require.Equal(t, c.fromPath, fromPath)
		})
	}
}

func TestOfferedLanguages(t *testing.T) {
	some := site
	some.Languages = []string{"fr-fr", "ar"}
	p, err := pages.Load(os.DirFS(buildDir), some)
	require.NoError(t, err)
	require.Len(t, p.Languages(), 2)
	_, ok := p.Language("en")
	require.False(t, ok)
	lang, _ := p.Negotiate(pages.Preference{Accept: "de", Default: "en"})
	require.Equal(t, p.Languages()[0].ID, lang, "no English: the first")
	lang, fromPath := p.Negotiate(pages.Preference{Path: "/en/learn/", Session: "fr-fr"})
	require.Equal(t, "fr-fr", lang)
	require.False(t, fromPath)

	some.Languages = []string{"en", "klingon"}
	_, err = pages.Load(os.DirFS(buildDir), some)
	require.ErrorContains(t, err, `"klingon"`)
}
