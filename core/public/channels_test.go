package public_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

func library(t *testing.T) *servertest.School {
	s := servertest.NewSchool(t)
	s.Channel(t, servertest.Node{Title: "Numbers", Kind: "topic", Lang: "en", Description: "All about 100% of them",
		Children: []servertest.Node{{Title: "One", Kind: "video", Lang: "ar"}}})
	s.Channel(t, servertest.Node{Title: "Hidden", Kind: "topic", Hidden: true})
	s.Exec(t, "UPDATE content_channelmetadata SET public = TRUE WHERE name = 'Numbers'")
	return s
}

func TestOthersSeeTheChannels(t *testing.T) {
	s := library(t)
	c := s.Client(t)
	for path, want := range map[string]int{
		"": 1, "?keyword=NUMB": 1, "?keyword=100%25": 1, "?keyword=zzz": 0, "?keyword=%25": 1, "?keyword=_": 0,
		"?language=en": 1, "?language=ar": 1, "?language=fr": 0,
	} {
		a := c.Get("/api/public/v1/channels" + path)
		require.Equal(t, 200, a.Status, path)
		require.Len(t, a.JSON, want, path)
	}
	require.Equal(t, "Numbers", c.Get("/api/public/v1/channels/lookup/"+servertest.ID("Numbers")).Field("0", "name"))
	for _, path := range []string{"v1/channels/lookup/" + servertest.ID("Hidden"), "v1/channels/lookup/nonsense", "v7/channels"} {
		a := c.Get("/api/public/" + path)
		require.Equal(t, 404, a.Status, path)
		require.Equal(t, "NOT_FOUND", a.Field("id"), path)
	}
	require.Len(t, c.Get("/api/public/v2/channel/").JSON, 1)
	s.Exec(t, "UPDATE content_channelmetadata SET public = FALSE")
	require.Empty(t, c.Get("/api/public/v1/channels").JSON, "what is not listed is not shown")
	require.Empty(t, c.Get("/api/public/v2/channel/?x=1").JSON)
	node := c.Get("/api/public/v2/contentnode/" + servertest.ID("One") + "/")
	require.Equal(t, 200, node.Status)
	require.NotContains(t, node.Text, "admin_imported")
	require.Contains(t, c.Get("/api/public/v2/contentnode/?max_results=1").Text, `"channels":[{`)
}

func TestOthersAskForFiles(t *testing.T) {
	s := library(t)
	here, missing := servertest.ID("mp4One"), "0123456789abcdef0123456789abcdef"
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err := zip.Write([]byte(`["` + missing + `", "nonsense", "` + here + `", 5]`))
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	for _, tc := range []struct {
		kind, body string
		status     int
		says       string
	}{
		{"application/json", `["` + here + `"]`, 200, "1"},
		{"application/json", `["` + missing + `"]`, 200, "0"},
		{"application/json", `[]`, 200, "0"},
		{"application/gzip", packed.String(), 200, "2"}, // what is no checksum does not count
		{"application/gzip", "not packed", 400, "json"},
		{"application/gzip", packed.String()[:20], 400, "json"},
		{"application/json", `{"a": 1}`, 400, "json"},
		{"application/json", `[`, 400, "json"},
		{"text/plain", `[]`, 400, "either json or gzip"},
	} {
		r, err := http.Post(s.HTTP.URL+"/api/public/v1/file_checksums/"+servertest.ID("Numbers"), tc.kind, strings.NewReader(tc.body))
		require.NoError(t, err)
		var text bytes.Buffer
		_, err = text.ReadFrom(r.Body)
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		require.Equal(t, tc.status, r.StatusCode, tc.body)
		require.Contains(t, text.String(), tc.says, tc.body)
	}
}
