package content

import (
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"kolibri/core/api"
	"kolibri/store"
)

// Content answers for the library.
type Content struct {
	host  *api.Host
	build fs.FS
	seen  labelCache
	asked asked
	texts textIndex

	kept kept

	// OnWish, when set, hears that a learner asks for a resource, or takes that back.
	OnWish func(tx *store.Tx, wanted bool) error

	stopOnce      sync.Once
	languagesOnce sync.Once
	languages     map[string]string
	stop          map[string]bool
}

// New makes the app of a host. build is the root of the built front end, which holds the list of
// stop words; without it every word of a search counts.
func New(host *api.Host, build fs.FS) *Content { return &Content{host: host, build: build} }

// Routes are the app's APIs.
func (c *Content) Routes() []api.Route {
	var all []api.Route
	get := func(name string, handle api.Handler) {
		all = append(all, api.Route{Name: "kolibri:core:" + name, Method: http.MethodGet, Handle: handle})
	}
	tagged := func(name string, handle api.Handler) {
		route := api.Route{Name: "kolibri:core:" + name, Method: http.MethodGet, Handle: c.cached(handle), VolatileErrors: true}
		all = append(append(all, route), c.otherMethods(route)...)
	}
	anywhere := func(name string, handle api.Handler) {
		route := api.Route{Name: "kolibri:core:" + name, Method: http.MethodGet, Handle: c.browsing(c.cached(handle)), VolatileErrors: true, NoTxFor: aboutRemote}
		all = append(append(all, route), c.otherMethods(route)...)
	}
	anywhere("channel-list", c.channels)
	anywhere("channel-detail", c.channel)
	tagged("channel-filter-options", filterOptions)
	all = append(all, api.Route{Name: "kolibri:core:sharefile", Method: http.MethodPost, Handle: shareFile})
	get("channel-thumbnail", thumbnail)
	anywhere("contentnode-list", c.list)
	anywhere("contentnode-detail", c.retrieve)
	tagged("contentnode-random", c.random)
	tagged("contentnode-descendants-assessments", c.countAssessments)
	tagged("contentnode-recommendations-for", c.recommendations)
	anywhere("contentnode_tree-detail", c.tree)
	tagged("contentnode_search-list", c.searchList)
	for name, handle := range map[string]api.Handler{
		"detail": c.retrieve, "random": c.random, "descendants-assessments": c.countAssessments, "recommendations-for": c.recommendations,
	} {
		tagged("contentnode_search-"+name, withSearch(handle))
	}
	get("usercontentnode-list", c.userNodes)
	get("contentnodeprogress-list", c.progressList)
	get("contentnodeprogress-tree", c.progressTree)
	get("contentnode_bookmarks-list", c.bookmarked)
	get("file-list", c.fileList)
	get("file-detail", c.fileDetail)
	get("contentpermalink", c.permalink)
	all = append(all, c.publicRoutes()...)
	all = append(all, c.remoteChannelRoutes()...)
	return append(all, c.requestRoutes()...)
}

// StopwordsFile is where the built front end has its list of stop words, one a line.
const StopwordsFile = "data/stopwords.txt"

func (c *Content) stopwords() map[string]bool {
	c.stopOnce.Do(func() {
		text, err := fs.ReadFile(c.build, StopwordsFile)
		if err != nil {
			c.host.Log.Warn("search counts every word: the list of stop words is missing", "error", err)
			return
		}
		lines := strings.Split(string(text), "\n")
		c.stop = make(map[string]bool, len(lines))
		for _, w := range lines {
			c.stop[w] = true
		}
	})
	return c.stop
}
