//go:build unix

package search

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"kolibri/provider/extract"
	"kolibri/store"
)

func TestMain(m *testing.M) {
	if extract.IsChild() {
		os.Exit(extract.Child())
	}
	os.Exit(m.Run())
}

func open(t testing.TB) *Index {
	x, err := Open(context.Background(), filepath.Join(t.TempDir(), "search.sqlite3"))
	require.NoError(t, err)
	t.Cleanup(func() { x.Close() })
	return x
}

func all(documents ...Document) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for _, d := range documents {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func sync(t testing.TB, x *Index, provider string, documents ...Document) Changes {
	c, err := x.Sync(context.Background(), provider, all(documents...))
	require.NoError(t, err)
	return c
}

func ids(t testing.TB, x *Index, q Query) []string {
	a, err := x.Search(context.Background(), q)
	require.NoError(t, err)
	list := []string{}
	for _, h := range a.Hits {
		list = append(list, h.ID)
	}
	return list
}

func TestEveryScriptIsFound(t *testing.T) {
	x := open(t)
	sync(t, x, "school", []Document{
		{ID: "fr", Title: "L’école élémentaire"}, {ID: "de", Title: "Die Straße"}, {ID: "zh", Title: "高等数学入门"},
		{ID: "zh2", Title: "学数"}, {ID: "ja", Title: "カタカナの練習"}, {ID: "ko", Title: "수학은 재미있다"}, {ID: "th", Title: "ภาษาไทยวันนี้"},
		{ID: "hi", Title: "हिन्दी में गणित"}, {ID: "ar", Title: "الرِّياضيات لأحمد"}, {ID: "he", Title: "שָׁלוֹם עולם"},
		{ID: "ru", Title: "Ёлка и математика"}, {ID: "el", Title: "Μαθηματικά"}, {ID: "sw", Title: "Hisabati ya darasa"}, {ID: "ffi", Title: "ﬁne eﬀects"},
		{ID: "mixed", Title: "Python入門 3"},
	}...)
	for q, want := range map[string]string{
		"ecole": "fr", "ÉLÉMENTAIRE": "fr", "strasse": "de", "数学": "zh", "学数": "zh2", "入门": "zh", "かたかな": "ja", "ｶﾀｶﾅ": "ja", "練習": "ja",
		"수학": "ko", "재미": "ko", "ไทย": "th", "วันนี้": "th", "गणित": "hi", "हिन्दी": "hi", "رياضيات": "", "الرياضيات": "ar", "لاحمد": "ar",
		"שלום": "he", "елка": "ru", "математика": "ru", "μαθηματικα": "el", "ΜΑΘΗΜΑΤΙΚΆ": "el", "hisab": "sw", "fine": "ffi", "effects": "ffi",
		"python": "mixed", "入門": "mixed", "Python入門": "mixed", "गणि": "hi", "学": "zh,zh2",
	} {
		t.Run(q, func(t *testing.T) {
			got := ids(t, x, Query{Text: q})
			slices.Sort(got)
			require.Equal(t, want, strings.Join(got, ","))
		})
	}
}

func TestQuestions(t *testing.T) {
	x := open(t)
	sync(t, x, "a", Document{ID: "1", Title: "red fox", Description: "a quick animal", Kind: "video", Language: "en"},
		Document{ID: "2", Title: "quick red car", Kind: "document", Language: "en-GB"},
		Document{ID: "3", Title: "blue", Description: "not red", Tags: []string{"fox hunt"}, Language: "fr"})
	sync(t, x, "b", Document{ID: "4", Title: "red fox elsewhere"})
	for _, tc := range []struct {
		q    Query
		want string
	}{
		{Query{Text: "red fox"}, "1 3 4"},
		{Query{Text: `"red fox"`}, "1 4"},
		{Query{Text: `"fox red"`}, ""},
		{Query{Text: "red -fox"}, "2"},
		{Query{Text: `red -"quick red"`}, "1 3 4"},
		{Query{Text: "quick ani"}, "1"},
		{Query{Text: "qui fox"}, "1 3 4"}, // nothing has both, so what has one
		{Query{Text: "red", Provider: "a"}, "1 2 3"},
		{Query{Text: "red", Provider: "a", Kind: "video"}, "1"},
		{Query{Text: "red", Language: "en"}, "1 2"},
		{Query{Text: "red", Provider: "nobody"}, ""},
		// syntax of FTS5 is words like any others, or nothing
		{Query{Text: `red" OR "1`}, "1 2 3 4"},
		{Query{Text: "title:blue"}, "3"},
		{Query{Text: "NEAR(red fox, 2)"}, "1 2 3 4"},
		{Query{Text: "red*"}, "1 2 3 4"},
		{Query{Text: `{scope}: red ^ + ) (`}, "1 2 3 4"},
		{Query{Text: "red'; DROP TABLE search_document; --"}, "1 2 3 4"},
		{Query{Text: scopeOf("a")}, ""}, // what limits a search cannot be searched for
	} {
		t.Run(tc.q.Text+" "+tc.q.Provider+tc.q.Kind+tc.q.Language, func(t *testing.T) {
			got := ids(t, x, tc.q)
			slices.Sort(got)
			require.Equal(t, tc.want, strings.Join(got, " "))
		})
	}
	for _, q := range []string{"", "  ", `"`, `""`, "***", "-red", `-"red fox"`, "!?", "\x00", strings.Repeat(`"`, 500)} {
		_, err := x.Search(t.Context(), Query{Text: q})
		require.ErrorIs(t, err, ErrQuery, q)
	}
	a, err := x.Search(t.Context(), Query{Text: strings.Repeat("red ", 10_000)})
	require.NoError(t, err)
	require.Equal(t, 4, a.Count)
}

func TestTitlesCountMost(t *testing.T) {
	x := open(t)
	docs := []Document{{ID: "text", Title: "Other"}, {ID: "description", Title: "Other", Description: "about volcano"}, {ID: "title", Title: "Volcano"}, {ID: "tag", Title: "x", Tags: []string{"volcano"}}}
	docs[0].File = "/f"
	for i := range 30 { // a word that half the documents hold tells nothing
		docs = append(docs, Document{ID: fmt.Sprint(i), Title: "Other"})
	}
	sync(t, x, "a", docs...)
	docs[0].Provider = "a"
	require.NoError(t, x.SetText(t.Context(), docs[0], "about one volcano", ""))
	got := ids(t, x, Query{Text: "volcano"})
	require.Len(t, got, 4)
	require.Equal(t, "title", got[0])
	require.Equal(t, "text", got[3])
}

func TestSyncIsIncremental(t *testing.T) {
	x := open(t)
	one, two := Document{ID: "1", Title: "one"}, Document{ID: "2", Title: "two"}
	require.Equal(t, Changes{Added: 2}, sync(t, x, "a", one, two))
	sync(t, x, "b", Document{ID: "1", Title: "one of b"})
	require.Equal(t, Changes{Same: 2}, sync(t, x, "a", one, two))
	two.Title = "zwei"
	require.Equal(t, Changes{Changed: 1, Removed: 1}, sync(t, x, "a", two))
	require.Empty(t, ids(t, x, Query{Text: "two"}))
	require.Equal(t, []string{"2"}, ids(t, x, Query{Text: "zwei"}))
	require.Equal(t, []string{"1"}, ids(t, x, Query{Text: "one"}), "b's")
	// a provider that breaks off in the middle of its list loses nothing
	broken := errors.New("broken")
	_, err := x.Sync(t.Context(), "a", func(yield func(Document, error) bool) {
		_ = yield(one, nil) && yield(Document{}, broken)
	})
	require.ErrorIs(t, err, broken)
	require.Len(t, ids(t, x, Query{Text: "zwei"}), 1)
	require.NoError(t, x.Delete(t.Context(), "a", "2"))
	require.ErrorIs(t, x.Delete(t.Context(), "a", "2"), store.ErrNotFound)
	require.Empty(t, ids(t, x, Query{Text: "zwei"}))
	require.NoError(t, x.Forget(t.Context(), "b"))
	require.Empty(t, ids(t, x, Query{Text: "one", Provider: "b"}))
}

func TestPages(t *testing.T) {
	x := open(t)
	var docs []Document
	for i := range 55 {
		docs = append(docs, Document{ID: fmt.Sprint(i), Title: "same"})
	}
	sync(t, x, "a", docs...)
	seen := map[string]bool{}
	for page := 1; page <= 3; page++ {
		a, err := x.Search(t.Context(), Query{Text: "same", Page: page})
		require.NoError(t, err)
		require.Equal(t, 55, a.Count)
		require.Equal(t, page < 3, a.More)
		for _, h := range a.Hits {
			seen[h.ID] = true
		}
	}
	require.Len(t, seen, 55)
	for _, page := range []int{-1, 0, 4, 1 << 40} {
		a, err := x.Search(t.Context(), Query{Text: "same", Page: page})
		require.NoError(t, err)
		require.NotNil(t, a.Hits)
	}
}

func TestSnippets(t *testing.T) {
	long := strings.Repeat("lorem ipsum dolor ", 300)
	for _, tc := range []struct{ name, body, q, want string }{
		{"markup is escaped", `<script>alert("x")</script> & fox`, "fox", isolate + `&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; <mark>fox</mark>` + endIsolate},
		{"a word in quotes", "a <b>fox</b>", "b", isolate + "a &lt;<mark>b</mark>&gt;fox&lt;/<mark>b</mark>&gt;" + endIsolate},
		{"accents", "Le Café crème", "cafe creme", isolate + "Le <mark>Café</mark> <mark>crème</mark>" + endIsolate},
		{"Chinese", "我学习高等数学很久", "数学", isolate + "我学习高等<mark>数学</mark>很久" + endIsolate},
		{"right to left", "قال أحمد مرحبا", "احمد", isolate + "قال <mark>أحمد</mark> مرحبا" + endIsolate},
		{"a turned direction", "abc \u202Efox\u2069 x", "fox", isolate + "abc <mark>fox</mark> x" + endIsolate},
		{"the beginning of a word", "foxes run", "fox", isolate + "<mark>foxes</mark> run" + endIsolate},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := open(t)
			d := Document{Provider: "a", ID: "1", Title: "t", File: "/f"}
			sync(t, x, "a", d)
			require.NoError(t, x.SetText(t.Context(), d, tc.body, ""))
			a, err := x.Search(t.Context(), Query{Text: tc.q})
			require.NoError(t, err)
			require.Len(t, a.Hits, 1)
			require.Equal(t, tc.want, a.Hits[0].Snippet)
		})
	}
	got := snippet(long+"the red fox "+long, "", parse("red fox"))
	require.Contains(t, got, "the <mark>red</mark> <mark>fox</mark> lorem")
	require.True(t, strings.HasPrefix(got, "… ") && strings.HasSuffix(got, " …"), got)
	require.Less(t, len(got), 3*extent)
}

func TestTextsOfFiles(t *testing.T) {
	x := open(t)
	folder := t.TempDir()
	write := func(name, content string) string {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
		return name
	}
	docs := []Document{{ID: "1", Title: "page", File: write("1", "<html><p>penguins</p>")}, {ID: "2", Title: "broken", File: write("2", "MZ")}, {ID: "3", Title: "none"}}
	sync(t, x, "a", docs...)
	opened := 0
	from := func(_ context.Context, d Document) (*os.File, error) {
		opened++
		return os.Open(filepath.Join(folder, d.File))
	}
	e := extract.New(os.Args[0])
	n, err := x.Read(t.Context(), "a", e, from)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, []string{"1"}, ids(t, x, Query{Text: "penguins"}))
	n, err = x.Read(t.Context(), "a", e, from)
	require.NoError(t, err)
	require.Zero(t, n, "what cannot be read is not tried again")
	require.Equal(t, 2, opened)
	// a changed title keeps the text, a changed file is read again
	docs[0].Title = "leaf"
	sync(t, x, "a", docs...)
	require.Equal(t, []string{"1"}, ids(t, x, Query{Text: "leaf penguins"}))
	docs[0].Checksum = "new"
	write("1", "<html>walruses")
	sync(t, x, "a", docs...)
	_, err = x.Read(t.Context(), "a", e, from)
	require.NoError(t, err)
	require.Empty(t, ids(t, x, Query{Text: "penguins"}))
	require.Equal(t, []string{"1"}, ids(t, x, Query{Text: "walruses leaf"}))
	// the text of a file that is another by now is not kept
	require.ErrorIs(t, x.SetText(t.Context(), Document{Provider: "a", ID: "1", File: "old"}, "x", ""), store.ErrNotFound)
}

func TestADamagedIndexIsNamedSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "search.sqlite3")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600))
	_, err := Open(t.Context(), path)
	require.ErrorIs(t, err, store.ErrCorrupt)
}

func FuzzSearch(f *testing.F) {
	x := open(f)
	sync(f, x, "a", Document{ID: "1", Title: "red fox 数学 <b>"})
	for _, q := range []string{`"red`, `-"a" b`, "数学*", `") OR (title : "x`, "a\x00b"} {
		f.Add(q, "red fox 数学 <script>")
	}
	f.Fuzz(func(t *testing.T, q, body string) {
		if _, err := x.Search(t.Context(), Query{Text: q}); err != nil {
			require.ErrorIs(t, err, ErrQuery)
		}
		s := snippet(body, "", parse(q))
		require.True(t, utf8.ValidString(s) || !utf8.ValidString(body))
		tags := html.NewTokenizer(strings.NewReader(s))
		for kind := tags.Next(); kind != html.ErrorToken; kind = tags.Next() {
			if kind != html.TextToken {
				name, _ := tags.TagName()
				require.Equal(t, "mark", string(name), s)
			}
		}
	})
}

// Library fills an index with documents of about 6 KB of text, whose words are as unequally frequent
// as those of a language.
func library(b testing.TB, x *Index, documents int) *rand.Zipf {
	r := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(r, 1.1, 5, 50_000)
	words := func(n int) string {
		var s strings.Builder
		for range n {
			fmt.Fprintf(&s, "w%d ", zipf.Uint64())
		}
		return s.String()
	}
	_, err := x.Sync(context.Background(), "a", func(yield func(Document, error) bool) {
		for i := range documents {
			if !yield(Document{ID: fmt.Sprint(i), Title: words(5), Description: words(20), File: "/f"}, nil) {
				return
			}
		}
	})
	require.NoError(b, err)
	for i := range documents {
		require.NoError(b, x.SetText(context.Background(), Document{Provider: "a", ID: fmt.Sprint(i), File: "/f"}, words(1000), ""))
	}
	return zipf
}

// BenchmarkSearch asks for one to three words of a library of 10,000 documents, words that every
// document has among them, and reports the 95th percentile.
func BenchmarkSearch(b *testing.B) {
	x := open(b)
	zipf := library(b, x, 10_000)
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		var q strings.Builder
		for range 1 + i%3 {
			fmt.Fprintf(&q, "w%d ", zipf.Uint64())
		}
		text := q.String()
		if i%2 == 1 { // somebody who is still typing
			text = strings.TrimSpace(text)
		}
		begin := time.Now()
		_, err := x.Search(context.Background(), Query{Text: text, Provider: "a"})
		took = append(took, time.Since(begin))
		require.NoError(b, err)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
}
