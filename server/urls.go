package server

import (
	_ "embed"
	"strings"
)

//go:embed urls.tsv
var urlTable string

// url is one line of the URL table: what Kolibri's URL configuration says of a name.
type url struct {
	Name    string
	Path    string // "/api/auth/role/{pk}/"; {name:kind} constrains a part; a final * leaves the rest open
	Actions map[string]string
	View    string
	Format  bool // the original accepts a format suffix (".json") too
	Page    bool // not an API: a page, a redirect or a file
}

func parseURLs(table string) []url {
	var all []url
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(line, "\t")
		if len(cells) < 5 || strings.HasPrefix(line, "#") {
			continue
		}
		u := url{Name: cells[0], Path: cells[1], Actions: map[string]string{}, View: cells[3],
			Format: strings.HasSuffix(cells[4], "+format"), Page: !strings.HasPrefix(cells[4], "api")}
		for _, m := range strings.Split(cells[2], ",") {
			method, action, _ := strings.Cut(m, "=")
			u.Actions[method] = action
		}
		all = append(all, u)
	}
	return all
}

// template is the form the front end's URL map uses: "api/auth/role/%(pk)s/" and the names.
func (u url) template() (string, []string) {
	path, names := strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "*"), []string{}
	var b strings.Builder
	for {
		open := strings.IndexByte(path, '{')
		if open < 0 {
			break
		}
		end := open + strings.IndexByte(path[open:], '}')
		name, _, _ := strings.Cut(path[open+1:end], ":")
		names = append(names, name)
		b.WriteString(path[:open] + "%(" + name + ")s")
		path = path[end+1:]
	}
	return b.String() + path, names
}

// Unbuilt lists the named routes and methods that have no handler yet, for `kolibri routes`.
func (s *Server) Unbuilt() []string {
	var missing []string
	for _, u := range s.urls {
		for method := range u.Actions {
			if method != "ANY" && s.handlers[u.Name][method] == nil {
				missing = append(missing, u.Name+" "+method+" "+u.Path)
			}
		}
		if _, any := u.Actions["ANY"]; any && len(s.handlers[u.Name]) == 0 {
			missing = append(missing, u.Name+" ANY "+u.Path)
		}
	}
	return missing
}

// viewName is what errors call the view: the class's name in words and "List" or "Instance"
// (rest_framework/views.py: get_view_name).
func (u url) viewName(method string) string {
	action := u.Actions[method]
	switch action {
	case "", "list", "create", "retrieve", "update", "partial_update", "destroy", "bulk_destroy":
	default:
		words := strings.ReplaceAll(action, "_", " ")
		return strings.ToUpper(words[:1]) + words[1:]
	}
	name := words(strings.TrimSuffix(strings.TrimSuffix(u.View, "View"), "ViewSet"))
	if strings.HasSuffix(u.Name, "-list") {
		return name + " List"
	}
	if strings.HasSuffix(u.Name, "-detail") {
		return name + " Instance"
	}
	return name
}

// words splits a class name at its capitals as Django REST framework does: a capital begins a word
// when a small letter stands beside it. Within a word there are no capitals ("Is Pin Valid").
func words(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		upper := name[i] >= 'A' && name[i] <= 'Z'
		if i > 0 && upper {
			before := name[i-1] >= 'a' && name[i-1] <= 'z'
			after := i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z'
			if before || after {
				b.WriteByte(' ')
			} else {
				b.WriteByte(name[i] - 'A' + 'a')
				continue
			}
		}
		b.WriteByte(name[i])
	}
	return b.String()
}
