package server

import (
	neturl "net/url"
	"slices"
	"sort"
	"strings"

	"kolibri/core/api"
)

// route is a line of the URL table, compiled, with its handlers by method.
type route struct {
	url
	parts     []part
	slash     bool // the path ends with a slash
	open      bool // anything may follow
	localized bool // the path begins with a language
	handlers  map[string]*api.Route
	allow     string
}

// part is one segment of a path: literal text, or a parameter.
type part struct{ literal, param, kind string }

// router finds the route of a path. Routes are kept by their first two segments; among those,
// literal segments win over parameters, as the order of the original's patterns has it.
type router struct{ byHead map[string][]*route }

func newRouter(urls []url, handlers map[string]map[string]*api.Route) *router {
	rt := &router{byHead: map[string][]*route{}}
	for _, u := range urls {
		r := &route{url: u, handlers: handlers[u.Name], open: strings.HasSuffix(u.Path, "*"),
			localized: strings.HasPrefix(u.Path, "/{lang}/")}
		path := strings.TrimSuffix(u.Path, "*")
		r.slash = strings.HasSuffix(path, "/")
		for _, segment := range strings.Split(strings.Trim(path, "/"), "/") {
			r.parts = append(r.parts, compilePart(segment))
		}
		r.allow = allowed(u, r.handlers)
		key := r.head()
		rt.byHead[key] = append(rt.byHead[key], r)
	}
	for _, routes := range rt.byHead {
		sort.SliceStable(routes, func(i, j int) bool { return routes[i].literals() > routes[j].literals() })
	}
	return rt
}

func compilePart(segment string) part {
	if !strings.HasPrefix(segment, "{") {
		return part{literal: segment}
	}
	name, kind, _ := strings.Cut(strings.Trim(segment, "{}"), ":")
	return part{param: name, kind: kind}
}

func (r *route) head() string {
	key := ""
	for i := 0; i < len(r.parts) && i < 2; i++ {
		if r.parts[i].literal == "" {
			return key + "/*"
		}
		key += "/" + r.parts[i].literal
	}
	return key
}

func (r *route) literals() int {
	n := 0
	for _, p := range r.parts {
		if p.literal != "" {
			n++
		}
	}
	return n
}

// find returns the route of an escaped path and its parameters, or nil.
func (rt *router) find(path string) (*route, map[string]string) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	slash := segments[len(segments)-1] == ""
	if slash {
		segments = segments[:len(segments)-1]
	}
	if len(segments) == 0 {
		return nil, nil
	}
	heads := []string{"/" + segments[0], "/" + segments[0] + "/*", "/*"}
	if len(segments) > 1 {
		heads = append([]string{"/" + segments[0] + "/" + segments[1]}, heads...)
	}
	for _, head := range heads {
		for _, r := range rt.byHead[head] {
			if params, ok := r.match(segments, slash); ok {
				return r, params
			}
		}
	}
	return nil, nil
}

func (r *route) match(segments []string, slash bool) (map[string]string, bool) {
	format := ""
	if r.Format && len(segments) == len(r.parts) {
		last := segments[len(segments)-1]
		if stem, suffix, ok := strings.Cut(last, "."); ok && suffix != "" {
			segments = append(append([]string{}, segments[:len(segments)-1]...), stem)
			format, slash = suffix, r.slash
		}
	}
	if len(segments) != len(r.parts) && !(r.open && len(segments) > len(r.parts)) {
		return nil, false
	}
	if !r.open && slash != r.slash || r.open && r.slash && !slash && len(segments) == len(r.parts) {
		return nil, false
	}
	var params map[string]string
	for i, p := range r.parts {
		if p.literal != "" {
			// an open pattern's last part is a prefix of whatever follows it
			if p.literal != segments[i] && !(r.open && !r.slash && i == len(r.parts)-1 && strings.HasPrefix(segments[i], p.literal)) {
				return nil, false
			}
			continue
		}
		value, err := neturl.PathUnescape(segments[i])
		if err != nil || !fits(p.kind, value) {
			return nil, false
		}
		if params == nil {
			params = map[string]string{}
		}
		params[p.param] = api.Storable(value)
	}
	if format != "" {
		if params == nil {
			params = map[string]string{}
		}
		params["format"] = format
	}
	return params, true
}

// fits tells whether a value is one that the parameter's pattern lets through.
func fits(kind, value string) bool {
	switch kind {
	case "any", "segment":
		return value != "" || kind == "any"
	case "hex":
		if len(value) != 32 {
			return false
		}
		return strings.Trim(value, "0123456789abcdefABCDEF") == ""
	}
	return value != "" && !strings.ContainsAny(value, "/.")
}

// methodOrder is the order in which Django names the methods of a view.
var methodOrder = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// allowed is the Allow header of a view.
// unlisted are methods that some of the original's views do not name although they have GET: views
// that are functions, and one with a list of its own (kolibri/core/content/api.py: RemoteChannelViewSet).
var unlisted = map[string][]string{"WrappedAPIView": {"HEAD"}, "RemoteChannelViewSet": {"HEAD", "OPTIONS"}}

func allowed(u url, handlers map[string]*api.Route) string {
	var names []string
	for _, m := range methodOrder {
		if slices.Contains(unlisted[u.View], m) {
			continue
		}
		_, named := u.Actions[m]
		handled := handlers[m] != nil && !handlers[m].Unlisted
		switch {
		case named, handled, m == "OPTIONS":
			names = append(names, m)
		case m == "HEAD":
			if _, get := u.Actions["GET"]; get {
				names = append(names, m)
			}
		}
	}
	return strings.Join(names, ", ")
}
