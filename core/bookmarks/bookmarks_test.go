package bookmarks_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

const bookmarks = "/api/bookmarks/bookmarks/"

func library(t *testing.T) *servertest.School {
	s := servertest.NewSchool(t)
	s.Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Water", Kind: "topic", Children: []servertest.Node{{Title: "Rivers", Kind: "video"}, {Title: "Lakes", Kind: "audio", Hidden: true}}},
		{Title: "Fire", Kind: "document"}}})
	return s
}

func TestWhoMayMark(t *testing.T) {
	s := library(t)
	id := servertest.ID
	made := s.As(t, "learner").Post(bookmarks, map[string]any{"contentnode_id": id("Rivers"), "user": id("learner")})
	require.Equal(t, http.StatusCreated, made.Status, made.Text)
	one := bookmarks + made.Field("id").(string) + "/"
	for _, tc := range []struct {
		who                         string
		make, list, read, move, del int
	}{
		{"anonymous", 403, 0, 404, 403, 403},
		{"learner2", 403, 0, 404, 403, 403},
		{"coach", 403, 0, 404, 403, 403},
		{"admin", 403, 0, 404, 403, 403},
		{"superuser", 201, 2, 200, 200, 204},
	} {
		t.Run(tc.who, func(t *testing.T) {
			c := s.As(t, tc.who)
			require.Equal(t, tc.make, c.Post(bookmarks, map[string]any{"contentnode_id": id("Fire"), "user": id("learner")}).Status)
			require.Len(t, c.Get(bookmarks).JSON, tc.list)
			require.Equal(t, tc.read, c.Get(one).Status)
			require.Equal(t, tc.move, c.Patch(one, map[string]any{"contentnode_id": id("Water")}).Status)
			require.Equal(t, tc.del, c.Delete(one).Status)
		})
	}
}

func TestBookmarks(t *testing.T) {
	s := library(t)
	id := servertest.ID
	c := s.As(t, "learner")
	mark := func(node string) *servertest.Answer {
		return c.Post(bookmarks, map[string]any{"contentnode_id": id(node), "user": id("learner")})
	}
	first := mark("Rivers")
	require.Equal(t, id("content Rivers"), first.Field("content_id"))
	require.Equal(t, id("Science"), first.Field("channel_id"))
	require.Equal(t, http.StatusCreated, mark("Lakes").Status)
	require.Equal(t, http.StatusCreated, mark("Fire").Status)

	again := mark("Rivers")
	require.Equal(t, http.StatusBadRequest, again.Status)
	require.Equal(t, "UNIQUE", again.Field("0", "id"))
	for name, body := range map[string]any{
		"no node":           map[string]any{"user": id("learner")},
		"an unknown node":   map[string]any{"contentnode_id": id("nobody"), "user": id("learner")},
		"no id":             map[string]any{"contentnode_id": "x", "user": id("learner")},
		"an unknown person": map[string]any{"contentnode_id": id("Fire"), "user": id("nobody")},
		"a list":            []any{},
		"nothing":           "null",
		"no JSON":           "{",
	} {
		require.Equal(t, http.StatusBadRequest, c.Post(bookmarks, body).Status, name)
	}

	require.Len(t, c.Get(bookmarks+"?contentnode_id="+id("Fire")).JSON, 1)
	require.Len(t, c.Get(bookmarks+"?descendant_of="+id("Water")).JSON, 2)
	require.Equal(t, http.StatusBadRequest, c.Get(bookmarks+"?descendant_of="+id("nobody")).Status)
	require.Equal(t, http.StatusBadRequest, c.Get(bookmarks+"?contentnode_id=x").Status)

	const nodes = "/api/content/contentnode_bookmarks/"
	all := c.Get(nodes)
	require.Equal(t, "Fire", all.Field("0", "title"), "the latest first")
	require.Equal(t, id("Fire"), all.Field("0", "bookmark", "contentnode_id"))
	require.Len(t, all.JSON, 3)
	require.Len(t, c.Get(nodes+"?available=true").JSON, 2)
	require.Len(t, c.Get(nodes+"?kind=video").JSON, 1)
	page := c.Get(nodes + "?limit=2")
	require.Equal(t, map[string]any{"limit": 2.0, "offset": 2.0}, page.Field("more"))
	require.Equal(t, 3.0, page.Field("count"))
	rest := c.Get(nodes + "?limit=2&offset=2")
	require.Nil(t, rest.Field("more"))
	require.Len(t, rest.Field("results"), 1)

	moved := c.Patch(bookmarks+first.Field("id").(string)+"/", map[string]any{"contentnode_id": id("Water")})
	require.Equal(t, id("content Water"), moved.Field("content_id"))
	require.Equal(t, http.StatusBadRequest, c.Patch(bookmarks+first.Field("id").(string)+"/", map[string]any{"contentnode_id": id("Fire")}).Status)
	require.Equal(t, http.StatusNoContent, c.Delete(bookmarks+first.Field("id").(string)+"/").Status)
	require.Equal(t, http.StatusNotFound, c.Get(bookmarks+first.Field("id").(string)+"/").Status)
}
