package provider_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"kolibri/provider/platform"
)

// contract is the description of the API, which every answer in these tests is held against.
var contract = sync.OnceValues(func() (map[string]any, error) {
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	v, _ := doc.(map[string]any)
	return v, err
})

// compiled are schemas by their place in the description, each made once however many answers come at a time.
var compiled = struct {
	sync.Mutex
	schemas map[string]*jsonschema.Schema
}{schemas: map[string]*jsonschema.Schema{}}

func schemaAt(place string) (*jsonschema.Schema, error) {
	compiled.Lock()
	defer compiled.Unlock()
	if s := compiled.schemas[place]; s != nil {
		return s, nil
	}
	doc, err := contract()
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("openapi.json", doc); err != nil {
		return nil, err
	}
	s, err := c.Compile("openapi.json#" + place)
	if err == nil {
		compiled.schemas[place] = s
	}
	return s, err
}

func at(v any, names ...string) map[string]any {
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	m, _ := v.(map[string]any)
	return m
}

func pointer(names ...string) string {
	for i, name := range names {
		names[i] = strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
	}
	return "/" + strings.Join(names, "/")
}

// described checks that an answer is one that the description has.
func described(method, path string, res *http.Response, body []byte) error {
	if method == http.MethodHead { // as GET, without the body
		if len(body) > 0 {
			return fmt.Errorf("HEAD %s has a body", path)
		}
		return nil
	}
	doc, err := contract()
	if err != nil {
		return err
	}
	paths := at(doc, "paths")
	if paths[path] == nil {
		for template := range paths {
			if before, _, ok := strings.Cut(template, "{"); ok && strings.HasPrefix(path, before) && len(path) > len(before) {
				path = template
			}
		}
	}
	operation := at(paths, path, strings.ToLower(method))
	if operation == nil {
		if res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusMethodNotAllowed || res.StatusCode == http.StatusUnauthorized {
			return nil
		}
		return fmt.Errorf("%s %s answers %d and is not described", method, path, res.StatusCode)
	}
	status := strconv.Itoa(res.StatusCode)
	if at(operation, "responses", status) == nil {
		status = "default"
	}
	if at(operation, "responses", status) == nil || status == "default" && res.StatusCode < 400 {
		return fmt.Errorf("%s %s: the status %d is not described", method, path, res.StatusCode)
	}
	content := at(operation, "responses", status, "content")
	if content == nil {
		if len(body) > 0 {
			return fmt.Errorf("%s %s: a body for the status %s is not described", method, path, status)
		}
		return nil
	}
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	if content[kind] == nil {
		return fmt.Errorf("%s %s: the type %q is not described", method, path, kind)
	}
	if at(content, kind)["schema"] == nil {
		return nil
	}
	s, err := schemaAt(pointer("paths", path, strings.ToLower(method), "responses", status, "content", kind, "schema"))
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = s.Validate(v)
	}
	if err != nil {
		return fmt.Errorf("%s %s %s: %w", method, path, status, err)
	}
	return nil
}

func TestTheDescriptionKnowsEveryObjectAndFilter(t *testing.T) {
	s := newService(t)
	require.Equal(t, http.StatusOK, s.get("/openapi.json", "Authorization", "").status)
	doc, err := contract()
	require.NoError(t, err)
	for _, o := range platform.Objects {
		operation := at(doc, "paths", "/api/"+string(o), "get")
		var names []string
		list, _ := operation["parameters"].([]any)
		for _, p := range list {
			name, _ := at(p)["name"].(string)
			names = append(names, name)
		}
		require.Equal(t, append([]string{"id", "user", "limit", "cursor"}, platform.Filters[o]...), names, o)
		require.NotNil(t, at(doc, "paths", "/api/"+string(o), "post"))
		require.NotNil(t, at(doc, "paths", "/api/"+string(o)+"/{item}", "delete"))
	}
}

func TestTheDescriptionHoldsAnswersToIt(t *testing.T) {
	res := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}}
	require.NoError(t, described("GET", "/api/enrolments", res, []byte(`{"items":[{"id":"1","user_id":"2","course_id":"3","role":"coach"}],"next":null}`)))
	for _, wrong := range []string{`{"items":[{"id":"1"}],"next":null}`, `{"items":[]}`, `[]`, `{"items":[],"next":null,"more":1}`,
		`{"items":[{"id":"1","user_id":"2","course_id":"3","role":"boss"}],"next":null}`} {
		require.Error(t, described("GET", "/api/enrolments", res, []byte(wrong)), wrong)
	}
}

// TestEveryCodeIsDocumented looks for the codes of errors in what the service is told by.
func TestEveryCodeIsDocumented(t *testing.T) {
	told, err := os.ReadFile("../docs/provider.md")
	require.NoError(t, err)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`(?:Code: |http\.Status\w+, )"([a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			seen[found[1]] = true
			require.Contains(t, string(told), "`"+found[1]+"`", file)
		}
	}
	require.Greater(t, len(seen), 20)
}
