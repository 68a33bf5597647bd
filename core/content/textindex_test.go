package content_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

func TestASearchFindsWhatTheDatabaseWould(t *testing.T) {
	s := servertest.NewSchool(t)
	root := servertest.Node{Title: "Root", Kind: "topic"}
	for i, title := range []string{"Straight LINES", "lines and Curves", "100% of_it", `back\slash`, "Äpfel", "ÄPFEL", "nul\x01byte", "aab", "Lines"} {
		root.Children = append(root.Children, servertest.Node{Title: title, Kind: "video", Description: fmt.Sprintf("About %s number %d", title, i)})
	}
	s.Channel(t, root)
	c := s.Client(t)
	for _, words := range []string{"lines", "LINES curves", "%", "_", `\`, "äpfel", "ÄPFEL", "Äpfel", "aab", "ab", "about 3", "number", "x", "lines number", "\x01", "nothing at all"} {
		title, description, args := "1=1", "1=1", []any{}
		for range 2 {
			for _, w := range strings.Fields(words) {
				args = append(args, "%"+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(w)+"%")
			}
		}
		for range strings.Fields(words) {
			title, description = title+` AND title LIKE ? ESCAPE '\'`, description+` AND description LIKE ? ESCAPE '\'`
		}
		want := []string{}
		rows, err := s.DB.Pool().Query("SELECT title FROM content_contentnode WHERE kind = 'video' AND (("+title+") OR ("+description+")) ORDER BY lft", args...)
		require.NoError(t, err)
		for rows.Next() {
			var found string
			require.NoError(t, rows.Scan(&found))
			want = append(want, found)
		}
		require.NoError(t, rows.Close())
		got := []string{}
		for _, n := range c.Get("/api/content/contentnode/?max_results=50&kind=video&keywords=" + url.QueryEscape(words)).Field("results").([]any) {
			got = append(got, n.(map[string]any)["title"].(string))
		}
		require.Equal(t, want, got, "%q", words)
	}
	// a change of the library is seen
	s.Exec(t, "UPDATE content_contentnode SET title = 'Polygons' WHERE title = 'aab'")
	s.Exec(t, "UPDATE device_contentcachekey SET key = key + 1")
	require.Len(t, c.Get("/api/content/contentnode/?max_results=50&keywords=polygons").Field("results"), 1)
}

// many are two channels of nodes at the same places, of which a search for "common" finds most.
func many(t *testing.T) *servertest.School {
	s := servertest.NewSchool(t)
	for _, channel := range []string{"First", "Second"} {
		root := servertest.Node{Title: channel, Kind: "topic"}
		for i := range 120 {
			label := i % 4
			n := servertest.Node{Lang: []string{"en", "ar"}[i/60], Bits: map[string]int64{"learning_activities": 1 << label, "grade_levels": int64(i % 3)}, Title: fmt.Sprintf("%s %d", channel, i), Kind: []string{"video", "audio", "document"}[i%3], Hidden: i%7 == 0}
			if i%5 > 0 {
				n.Title += " common"
			}
			if i%2 == 0 {
				n.Description = "A rare word in common use"
			}
			if i%4 == 0 {
				n.Content = fmt.Sprint("shared ", i) // in both channels
			}
			root.Children = append(root.Children, n)
		}
		s.Channel(t, root)
	}
	return s
}

func TestPagesOfASearch(t *testing.T) {
	s := many(t)
	c := s.Client(t)
	for _, query := range []string{"keywords=common", "keywords=rare+word", "keywords=common&kind=audio", "keywords=common&tree_id=2", "keywords=first+11"} {
		want := titles(t, c.Get(nodes+"?"+query+"&lft__gt=0").JSON)
		slices.Sort(want)
		require.NotEmpty(t, want)
		for _, size := range []int{1, 7, 100} {
			var got []string
			at := nodes + "?" + query + fmt.Sprintf("&max_results=%d", size)
			for next := at; next != ""; {
				a := c.Get(next)
				got = append(got, titles(t, a.Field("results"))...)
				if next = ""; a.Field("more") != nil {
					next = at + "&cursor=" + url.QueryEscape(a.Field("more", "cursor").(string))
				}
			}
			slices.Sort(got)
			require.Equal(t, want, got, "%s by %d", query, size)
		}
	}
}

// Where the index answers alone it says what the database would; a filter that lets all through asks that.
func TestASearchWithoutFiltersSaysTheSame(t *testing.T) {
	s := many(t)
	c := s.Client(t)
	for _, query := range []string{"search=common", "search=rare+word", "search=second+common&max_results=200", "search=nothing", "search=", "search=first&max_results=0", "search=common&no_available_filtering=1&max_results=300"} {
		alone := c.Get("/api/content/contentnode_search/?" + query)
		require.Equal(t, 200, alone.Status, alone.Text)
		require.Equal(t, c.Get("/api/content/contentnode_search/?"+query+"&lft__gt=0").Text, alone.Text, query)
	}
}

// The labels of what was found are the same from the index and from the database.
func TestLabelsOfASearch(t *testing.T) {
	s := many(t)
	c := s.Client(t)
	for _, query := range []string{
		"keywords=common", "keywords=rare+word", "keywords=nothing+at+all", "learning_activities=mkA1R3NU", "learning_activities=mkA1R3NU&grade_levels=H64ZOHfi",
		"learning_activities=unknown", "keywords=second&grade_levels=wnarlxKo", "learning_activities=UXADWcXZ,VwRCom7G",
	} {
		alone := c.Get(nodes + "?max_results=20&" + query)
		require.Equal(t, 200, alone.Status, alone.Text)
		filtered := c.Get(nodes + "?max_results=20&lft__gt=0&" + query)
		require.Equal(t, filtered.Field("labels"), alone.Field("labels"), query)
		require.Equal(t, titles(t, filtered.Field("results")), titles(t, alone.Field("results")), query)
	}
	require.Len(t, c.Get(nodes+"?max_results=200&learning_activities=UXADWcXZ").Field("results"), 50)
	require.Empty(t, c.Get(nodes+"?max_results=200&learning_activities=UXADWcXZ,VwRCom7G").Field("results"))
}
