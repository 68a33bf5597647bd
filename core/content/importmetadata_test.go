package content_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

func TestANodeIsGivenAway(t *testing.T) {
	s := servertest.NewSchool(t)
	s.Channel(t, servertest.Node{Title: "Root", Kind: "topic", Lang: "en", Children: []servertest.Node{
		{Title: "Algebra", Kind: "topic", Children: []servertest.Node{
			{Title: "Lines", Kind: "video", Lang: "ar", Tags: []string{"maths"}},
			{Title: "Drill", Kind: "exercise", Questions: 2},
		}},
		{Title: "Poems", Kind: "topic"},
	}})
	c := s.Client(t)
	rows := c.Get("/api/public/v2/importmetadata/" + servertest.ID("Lines") + "/")
	require.Equal(t, 200, rows.Status, rows.Text)
	require.Equal(t, "5", rows.Field("schema_version"))
	require.Len(t, rows.Field("content_contentnode"), 3, "the ancestors and the node")
	require.Equal(t, "Root", rows.Field("content_contentnode", "0", "title"))
	require.Equal(t, true, rows.Field("content_contentnode", "2", "available"))
	require.Len(t, rows.Field("content_file"), 2)
	require.Len(t, rows.Field("content_localfile"), 2)
	require.Len(t, rows.Field("content_contenttag"), 1)
	require.Len(t, rows.Field("content_language"), 2)
	require.Equal(t, servertest.ID("Root"), rows.Field("content_channelmetadata", "0", "root_id"))
	require.Len(t, c.Get("/api/public/v2/importmetadata/"+servertest.ID("Algebra")+"/?descendants=true").Field("content_contentnode"), 4)
	page := c.Get("/api/public/v2/importmetadata/" + servertest.ID("Algebra") + "/?descendants=true&max_results=3")
	require.Len(t, page.Field("results", "content_contentnode"), 3)
	require.NotEmpty(t, page.Field("more", "cursor"))
	for path, status := range map[string]int{
		"nonsense/": 400, "0123456789abcdef0123456789abcdef/": 404,
		servertest.ID("Lines") + "/?schema_version=5": 200, servertest.ID("Lines") + "/?schema_version=4": 400,
		servertest.ID("Lines") + "/?schema_version=6": 400, servertest.ID("Lines") + "/?schema_version=x": 400,
	} {
		require.Equal(t, status, c.Get("/api/public/v2/importmetadata/"+path).Status, path)
	}
}
