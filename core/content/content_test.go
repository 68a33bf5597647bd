package content_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

// school has two channels, whose nodes stand at the same places of different trees.
func school(t *testing.T) *servertest.School {
	s := servertest.NewSchool(t)
	leaf := func(title string, change func(*servertest.Node)) servertest.Node {
		n := servertest.Node{Title: title, Kind: "video", Description: "About " + title, Lang: "en"}
		if change != nil {
			change(&n)
		}
		return n
	}
	var many []servertest.Node
	for i := range 15 {
		many = append(many, leaf(fmt.Sprintf("Part %02d", i), nil))
	}
	s.Channel(t, servertest.Node{Title: "Science", Kind: "topic", Children: []servertest.Node{
		{Title: "Water", Kind: "topic", Children: []servertest.Node{
			leaf("The water cycle", func(n *servertest.Node) {
				n.Author, n.Tags = "Ada", []string{"rain", "sea"}
				n.Labels, n.Bits = map[string]string{"categories": "d&WXdXWF.qs0Xlaxq.0t5msbL5"}, map[string]int64{"categories": 1}
			}),
			leaf("Rivers 100%", func(n *servertest.Node) {
				n.Kind, n.Questions, n.Author = "exercise", 7, "Bob"
				n.Tags = []string{"sea"}
			}),
			leaf("Lakes", func(n *servertest.Node) { n.Hidden = true }),
			leaf("Marking scheme", func(n *servertest.Node) { n.Coach = true }),
		}},
		{Title: "Many", Kind: "topic", Children: many},
		{Title: "Course", Kind: "topic", Modality: "COURSE", Children: []servertest.Node{
			{Title: "Unit 1", Kind: "topic", Modality: "UNIT", Children: []servertest.Node{
				{Title: "Lesson 1", Kind: "topic", Modality: "LESSON", Children: []servertest.Node{leaf("Course video", nil)}}}}}},
	}})
	s.Channel(t, servertest.Node{Title: "علوم", Kind: "topic", Lang: "ar", Children: []servertest.Node{
		leaf("الماء", func(n *servertest.Node) { n.Lang = "ar" }),
		leaf("The water cycle again", func(n *servertest.Node) { n.Content = "The water cycle"; n.Lang = "ar" }),
		leaf("Practice quiz", func(n *servertest.Node) { n.Kind, n.Modality, n.Questions = "exercise", "QUIZ", 3 }),
	}})
	return s
}

const nodes = "/api/content/contentnode/"

func titles(t *testing.T, list any) []string {
	t.Helper()
	all := []string{}
	items, ok := list.([]any)
	require.True(t, ok, "not a list: %v", list)
	for _, item := range items {
		all = append(all, item.(map[string]any)["title"].(string))
	}
	return all
}

func TestNodeFilters(t *testing.T) {
	s := school(t)
	id := servertest.ID
	c := s.As(t, "learner")
	for _, tc := range []struct {
		query string
		want  []string
	}{
		{"parent=" + id("Water"), []string{"The water cycle", "Rivers 100%", "Marking scheme"}},
		{"parent=" + id("Water") + "&no_available_filtering=1", []string{"The water cycle", "Rivers 100%", "Lakes", "Marking scheme"}},
		{"parent=" + id("Water") + "&include_coach_content=false", []string{"The water cycle", "Rivers 100%"}},
		{"parent__isnull=true", []string{"Science", "علوم"}},
		{"ids=" + id("Lakes") + "," + id("الماء") + "," + id("Water"), []string{"Water", "الماء"}},
		{"ids=" + id("nobody"), []string{}},
		{"kind=exercise", []string{"Rivers 100%", "Practice quiz"}},
		{"kind_in=exercise,document", []string{"Rivers 100%", "Practice quiz"}},
		{"kind=content&parent=" + id("Science"), []string{}},
		{"modality=COURSE", []string{"Course"}},
		{"parent=" + id("Science") + "&exclude_modalities=COURSE,UNIT", []string{"Water", "Many"}},
		{"contains_quiz=true", []string{"علوم", "Practice quiz"}},
		{"channels=" + id("علوم") + "&kind=video", []string{"الماء", "The water cycle again"}},
		{"languages=ar", []string{"علوم", "الماء", "The water cycle again"}},
		{"authors=Ada,Bob", []string{"The water cycle", "Rivers 100%"}},
		{"tags=sea", []string{"The water cycle", "Rivers 100%"}},
		{"tags=rain,sea&authors=Ada", []string{"The water cycle"}},
		{"categories=" + url.QueryEscape("d&WXdXWF.qs0Xlaxq.0t5msbL5"), []string{"The water cycle"}},
		{"categories=unknown&parent=" + id("Course"), []string{"Unit 1"}},
		{"descendant_of=" + id("Course"), []string{"Unit 1", "Lesson 1", "Course video"}},
		{"descendant_of=" + id("nobody"), []string{}},
		{"content_id=" + id("content The water cycle"), []string{"The water cycle", "The water cycle again"}},
		{"exclude_content_ids=" + id("content The water cycle") + "&channel_id=" + id("علوم"), []string{"علوم", "الماء", "Practice quiz"}},
		{"exclude_course_ancestry=true&lft__gt=41&tree_id=1", []string{"Course"}},
		{"keywords=WATER cycle!", []string{"The water cycle", "The water cycle again"}},
		{"keywords=100%25", []string{"Rivers 100%"}},
		{"keywords=0_", []string{}},
		{"keywords=الماء", []string{"الماء"}},
		{"keywords=about lakes", []string{}},
		{"keywords=%3F%21", nil}, // punctuation alone asks for nothing
	} {
		t.Run(tc.query, func(t *testing.T) {
			a := c.Get(nodes + "?" + escapeSpaces(tc.query))
			require.Equal(t, http.StatusOK, a.Status, a.Text)
			if tc.want != nil {
				require.Equal(t, tc.want, titles(t, a.JSON))
			}
		})
	}
}

func escapeSpaces(query string) string {
	u := url.URL{RawQuery: query}
	values, _ := url.ParseQuery(u.RawQuery)
	return values.Encode()
}

func TestMalformedFiltersAreNamed(t *testing.T) {
	c := school(t).Client(t)
	for query, want := range map[string][2]string{
		"parent=x":              {"INVALID", "parent"},
		"ids=x":                 {"INVALID", "ids"},
		"kind=book":             {"INVALID_CHOICE", "kind"},
		"modality=BOOK":         {"INVALID_CHOICE", "modality"},
		"exclude_modalities=X":  {"INVALID_CHOICE", "exclude_modalities"},
		"lft__gt=x":             {"INVALID", "lft__gt"},
		"descendant_of=x":       {"INVALID", "descendant_of"},
		"has_prerequisite=x":    {"INVALID_PK_VALUE", "has_prerequisite"},
		"content_id=' OR 1=1--": {"INVALID", "content_id"},
		"resource_types=x":      {"INVALID", "resource_types"},
	} {
		t.Run(query, func(t *testing.T) {
			a := c.Get(nodes + "?" + escapeSpaces(query))
			require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
			require.Equal(t, want[0], a.Field("0", "id"))
			require.Equal(t, want[1], a.Field("0", "metadata", "field"))
			require.Contains(t, a.Header.Get("Cache-Control"), "no-store")
		})
	}
	two := c.Get(nodes + "?parent=x&kind=book")
	require.Len(t, two.JSON, 2)
}

// Pages follow each other without a gap or a repetition, although nodes of both trees stand at the
// same places.
func TestPaging(t *testing.T) {
	c := school(t).Client(t)
	whole := titles(t, c.Get(nodes).JSON)
	require.Len(t, whole, 29)
	for size := 1; size <= 30; size++ {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			var got []string
			query := fmt.Sprintf("?max_results=%d", size)
			for range 40 {
				a := c.Get(nodes + query)
				require.Equal(t, http.StatusOK, a.Status, a.Text)
				page := titles(t, a.Field("results"))
				require.LessOrEqual(t, len(page), size)
				got = append(got, page...)
				if a.Field("more") == nil {
					break
				}
				require.Equal(t, fmt.Sprint(size), a.Field("more", "max_results"))
				query = "?max_results=" + fmt.Sprint(size) + "&cursor=" + url.QueryEscape(a.Field("more", "cursor").(string))
			}
			require.ElementsMatch(t, whole, got)
		})
	}
	for _, cursor := range []string{"!", "eA==", base64.StdEncoding.EncodeToString([]byte("p=x")), base64.StdEncoding.EncodeToString([]byte("o=-1")),
		base64.StdEncoding.EncodeToString([]byte("r=1&p=3"))} {
		require.NotEqual(t, http.StatusInternalServerError, c.Get(nodes+"?max_results=2&cursor="+url.QueryEscape(cursor)).Status, cursor)
	}
}

func TestLabelsOfAPage(t *testing.T) {
	c := school(t).Client(t)
	a := c.Get(nodes + "?max_results=1&parent=" + servertest.ID("Water"))
	require.Equal(t, []any{"d&WXdXWF.qs0Xlaxq.0t5msbL5"}, a.Field("labels", "categories"))
	require.Equal(t, []any{}, a.Field("labels", "grade_levels"))
	require.Equal(t, []any{map[string]any{"id": "en", "lang_name": "English"}}, a.Field("labels", "languages"))
	none := c.Get(nodes + "?max_results=1&descendant_of=" + servertest.ID("nobody"))
	require.Equal(t, []any{}, none.Field("labels", "channels"))
}

func TestNode(t *testing.T) {
	s := school(t)
	c := s.Client(t)
	a := c.Get(nodes + servertest.ID("Rivers 100%") + "/")
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	require.Equal(t, 7.0, a.Field("assessmentmetadata", "number_of_assessments"))
	require.Equal(t, []any{"sea"}, a.Field("tags"))
	require.Equal(t, "English", a.Field("lang", "lang_name"))
	require.Equal(t, "Water", a.Field("ancestors", "1", "title"))
	sum := servertest.ID("pngRivers 100%")
	require.Equal(t, "/content/storage/"+sum[:1]+"/"+sum[1:2]+"/"+sum+".png", a.Field("thumbnail"))
	require.Equal(t, true, a.Field("is_leaf"))
	for path, status := range map[string]int{"x/": 404, servertest.ID("nobody") + "/": 404, servertest.ID("Lakes") + "/": 404,
		servertest.ID("Lakes") + "/?no_available_filtering=true": 200, servertest.ID("Water") + "/?kind=video": 404} {
		require.Equal(t, status, c.Get(nodes+path).Status, path)
	}
	s.Exec(t, "UPDATE content_contentnode SET ancestors = ?, options = ? WHERE id = ?", "[{\"id\": \"1\", \"title\": \"a\tb\"}]", "not JSON", servertest.ID("Water"))
	strange := c.Get(nodes + servertest.ID("Water") + "/")
	require.Equal(t, "a\tb", strange.Field("ancestors", "0", "title"))
	require.Nil(t, strange.Field("options"))
}

func TestTree(t *testing.T) {
	s := school(t)
	c := s.Client(t)
	const tree = "/api/content/contentnode_tree/"
	a := c.Get(tree + servertest.ID("Science") + "/")
	require.Equal(t, []string{"Water", "Many", "Course"}, titles(t, a.Field("children", "results")))
	require.Equal(t, []string{"The water cycle", "Rivers 100%", "Marking scheme"}, titles(t, a.Field("children", "results", "0", "children", "results")))
	many := a.Field("children", "results", "1", "children").(map[string]any)
	require.Len(t, many["results"], 12)
	rest := many["more"].(map[string]any)
	require.Equal(t, servertest.ID("Many"), rest["id"])
	params := rest["params"].(map[string]any)
	require.Equal(t, 1.0, params["depth"])
	next := c.Get(fmt.Sprintf("%s%s/?depth=1&next__gt=%v", tree, rest["id"], params["next__gt"]))
	require.Equal(t, []string{"Part 12", "Part 13", "Part 14"}, titles(t, next.Field("children", "results")))
	require.Nil(t, next.Field("children", "more"))
	// a topic with one child alone is gone through
	course := c.Get(tree + servertest.ID("Course") + "/")
	require.Equal(t, []string{"Course video"}, titles(t, course.Field("children", "results", "0", "children", "results", "0", "children", "results")))
	for path, status := range map[string]int{"x/": 400, servertest.ID("nobody") + "/": 404, servertest.ID("Lakes") + "/": 404,
		servertest.ID("Water") + "/?depth=3": 400, servertest.ID("Water") + "/?next__gt=0": 400, servertest.ID("Water") + "/?depth=x": 400} {
		require.Equal(t, status, c.Get(tree+path).Status, path)
	}
}

func TestSearch(t *testing.T) {
	c := school(t).Client(t)
	const search = "/api/content/contentnode_search/"
	a := c.Get(search + "?search=water+cycle")
	require.Equal(t, []string{"Water", "The water cycle"}, titles(t, a.Field("results")), "in tree order, each content once")
	require.Equal(t, []any{"topic", "video"}, a.Field("content_kinds"))
	require.Len(t, a.Field("channel_ids"), 2)
	require.Equal(t, http.StatusPreconditionFailed, c.Get(search).Status)
	require.Equal(t, http.StatusPreconditionFailed, c.Get(search+"random/").Status)
	require.Equal(t, http.StatusBadRequest, c.Get(search+"?search=a&max_results=x").Status)
	require.Empty(t, c.Get(search+"?search=zzzz").Field("results"))
	require.Len(t, c.Get(search+"?search=part&max_results=4").Field("results"), 4)
}

func TestOtherListsOfNodes(t *testing.T) {
	c := school(t).Client(t)
	beside := c.Get(nodes + servertest.ID("The water cycle") + "/recommendations_for/")
	require.Equal(t, []string{"Rivers 100%", "Marking scheme"}, titles(t, beside.JSON))
	require.Equal(t, http.StatusNotFound, c.Get(nodes+"x/recommendations_for/").Status)
	require.Len(t, c.Get(nodes+"random/?max_results=3").JSON, 3)
	require.Equal(t, http.StatusBadRequest, c.Get(nodes+"random/?max_results=x").Status)
	counts := c.Get(nodes + "descendants_assessments/?ids=" + servertest.ID("Water") + "," + servertest.ID("Many"))
	require.Equal(t, []any{map[string]any{"id": servertest.ID("Water"), "num_assessments": 7.0}, map[string]any{"id": servertest.ID("Many"), "num_assessments": nil}}, counts.JSON)
	require.Equal(t, []any{}, c.Get(nodes+"descendants_assessments/").JSON)
}

func TestChannels(t *testing.T) {
	s := school(t)
	c := s.Client(t)
	const channels = "/api/content/channel/"
	all := c.Get(channels)
	require.Equal(t, "Science", all.Field("0", "name"))
	require.Equal(t, "2026-01-02T03:04:05Z", all.Field("0", "last_published"))
	require.Equal(t, "العربية", all.Field("1", "lang_name"))
	for query, count := range map[string]int{"available=true": 2, "available=false": 0, "contains_quiz=true": 1, "contains_exercise=true": 2} {
		require.Len(t, c.Get(channels+"?"+query).JSON, count, query)
	}
	require.Equal(t, http.StatusNotFound, c.Get(channels+"x/").Status)
	options := c.Get(channels + "filter_options/?id=" + servertest.ID("Science"))
	require.Equal(t, map[string]any{"Ada": 1.0, "Bob": 1.0}, options.Field("available_authors"))
	require.Equal(t, map[string]any{"rain": 1.0, "sea": 2.0}, options.Field("available_tags"))
	picture := c.Get(all.Field("0", "thumbnail").(string))
	require.Equal(t, "image/png", picture.Header.Get("Content-Type"))
	s.Exec(t, "UPDATE content_channelmetadata SET thumbnail = 'data:text/html;base64,PHNjcmlwdD4='")
	require.Equal(t, http.StatusNotFound, c.Get(all.Field("0", "thumbnail").(string)).Status, "nothing that runs")
}

func TestTheLibrarysTag(t *testing.T) {
	s := school(t)
	c := s.Client(t)
	tag := c.Get(nodes).Header.Get("ETag")
	ask := func() *servertest.Answer {
		req, err := http.NewRequest(http.MethodGet, s.HTTP.URL+nodes, nil)
		require.NoError(t, err)
		req.Header.Set("If-None-Match", tag)
		return c.Send(req)
	}
	require.Equal(t, http.StatusNotModified, ask().Status)
	s.Exec(t, "UPDATE device_contentcachekey SET key = key + 1")
	require.Equal(t, http.StatusOK, ask().Status)
}

func TestPermalinks(t *testing.T) {
	c := school(t).Client(t)
	for query, target := range map[string]string{
		"node_id=" + servertest.ID("Science"):                                                             "/en/learn/#/topics/" + servertest.ID("Science"),
		"node_id=" + servertest.ID("Water"):                                                               "/en/learn/#/topics/t/" + servertest.ID("Water"),
		"content_id=" + servertest.ID("content The water cycle"):                                          "/en/learn/#/topics/c/" + servertest.ID("The water cycle"),
		"content_id=" + servertest.ID("content The water cycle") + "&channel_id=" + servertest.ID("علوم"): "/en/learn/#/topics/c/" + servertest.ID("The water cycle again"),
		"node_id=x": "", "": "",
	} {
		a := c.Get("/viewcontent?" + query)
		require.Equal(t, target, a.Header.Get("Location"), query)
		require.Equal(t, map[bool]int{true: 404, false: 302}[target == ""], a.Status, query)
	}
}
