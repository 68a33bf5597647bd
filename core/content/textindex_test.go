package content_test

import (
	"fmt"
	"net/url"
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
