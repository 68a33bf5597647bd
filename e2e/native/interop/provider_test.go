//go:build unix

package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
	"kolibri/store/sqlite"
)

const providerToken = "token of the product"

// service is a running `kolibri provider`.
type service struct {
	t    *testing.T
	base string
}

func (s *site) provider() *service {
	s.t.Helper()
	c := s.command(context.Background(), s.ours, "provider", "--listen", "127.0.0.1:0", "--allow-host", "127.0.0.1", "--fresh", "1ms",
		"--database", filepath.Join(s.t.TempDir(), "provider.sqlite3"))
	c.Env = append(c.Env, "KOLIBRI_PROVIDER_TOKEN="+providerToken, "KOLIBRI_PROVIDER_KEY="+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)))
	out, err := c.StdoutPipe()
	require.NoError(s.t, err)
	log := &bytes.Buffer{}
	c.Stderr = log
	require.NoError(s.t, c.Start())
	s.t.Cleanup(func() {
		require.NoError(s.t, c.Process.Signal(syscall.SIGTERM))
		late := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
		defer late.Stop()
		require.NoError(s.t, c.Wait(), "it ends when it is told to")
		require.NotContains(s.t, log.String(), password)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(s.t, err, log.String())
	return &service{s.t, strings.TrimSuffix(line[strings.Index(line, "http"):len(line)-1], "/")}
}

func (p *service) send(method, path string, body any, status int) map[string]any {
	p.t.Helper()
	text, err := json.Marshal(body)
	require.NoError(p.t, err)
	r, err := http.NewRequest(method, p.base+path, bytes.NewReader(text))
	require.NoError(p.t, err)
	r.Header.Set("Authorization", providerToken)
	client := http.Client{Timeout: patience}
	res, err := client.Do(r)
	require.NoError(p.t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	require.Equal(p.t, status, res.StatusCode, "%s %s: %s", method, path, answer)
	v := map[string]any{}
	if len(answer) > 0 {
		require.NoError(p.t, json.Unmarshal(answer, &v), string(answer))
	}
	return v
}

// list returns the items of a list in an order of our own.
func (p *service) list(path string) []string {
	p.t.Helper()
	all := []string{}
	for _, item := range p.send("GET", path, nil, 200)["items"].([]any) {
		text, err := json.Marshal(item)
		require.NoError(p.t, err)
		all = append(all, string(text))
	}
	sort.Strings(all)
	return all
}

// TestProviderOfBoth runs the provider service over this project's server and over the original, on one
// home: it must tell the same of both.
func TestProviderOfBoth(t *testing.T) {
	takesMinutes(t)
	p := findPrograms(t)
	s := newSite(t, p)
	s.provision(p.ours, "Größe 学校")
	db, err := sqlite.Open(t.Context(), filepath.Join(s.home, "db.sqlite3"), nil)
	require.NoError(t, err)
	plant := &servertest.School{Server: &servertest.Server{DB: db}}
	plant.Channel(t, servertest.Node{Title: "Maths", Description: "All of it", Kind: "topic", Lang: "en", Children: []servertest.Node{
		{Title: "Algebra", Kind: "topic", Children: []servertest.Node{{Title: "Sets", Kind: "video"}, {Title: "Groups", Kind: "video"}}}, {Title: "Numbers", Kind: "video"}}})
	page := s.plantFiles(plant)
	require.NoError(t, db.Close())
	api := s.provider()
	objects := []string{"users", "courses", "content", "enrolments", "milestones", "activity"}

	s.start(p.ours)
	details := map[string]any{"id": 1, "type": "kolibri", "base_url": strings.TrimSuffix(s.url("/"), "/"), "username": "admin", "password": password}
	api.send("POST", "/api/providers", details, 201)
	require.Len(t, api.list("/api/users?id=1"), 1)
	zoe := api.send("POST", "/api/users?id=1", map[string]any{"username": "zoë", "name": "Zoë Œuvre", "password": password, "identifier": "Z-1"}, 201)
	class := api.send("POST", "/api/courses?id=1", map[string]any{"name": "Class 1"}, 201)
	api.send("POST", "/api/enrolments?id=1", map[string]any{"user_id": zoe["id"], "course_id": class["id"]}, 201)
	s.study("zoë", "Sets", 0.5)
	ours := map[string][]string{}
	for _, o := range objects {
		ours[o] = api.list("/api/" + o + "?id=1")
	}
	for o, n := range map[string]int{"users": 2, "courses": 2, "content": 5, "enrolments": 1, "milestones": 1, "activity": 1} {
		require.Len(t, ours[o], n, "%s: %v", o, ours[o])
	}
	require.Contains(t, ours["milestones"][0], `"progress":0.5`)
	require.Contains(t, ours["milestones"][0], `"user_id":"`+zoe["id"].(string)+`"`)
	require.Len(t, api.list("/api/content?id=1&course_id="+servertest.ID("Maths")+"&kind=video"), 3)
	s.stop(syscall.SIGTERM)

	s.start(p.original)
	for _, o := range objects { // the sessions are in the home, and in no file that the other reads: the service signs in anew
		require.Equal(t, ours[o], api.list("/api/"+o+"?id=1"), o)
	}
	api.heavyWork(details, page)
	raj := api.send("POST", "/api/users?id=1", map[string]any{"username": "raj", "name": "राज", "password": password}, 201)
	api.send("POST", "/api/users?id=1", map[string]any{"username": "raj", "name": "Twice", "password": password}, 400)
	place := api.send("POST", "/api/enrolments?id=1", map[string]any{"user_id": raj["id"], "course_id": class["id"], "role": "coach"}, 201)
	s.study("zoë", "Groups", 1)
	require.Len(t, api.list("/api/milestones?id=1"), 2)
	require.Len(t, api.list("/api/activity?id=1&user_id="+zoe["id"].(string)), 2)
	require.Len(t, api.list("/api/enrolments?id=1&role=coach"), 1)
	api.send("DELETE", "/api/enrolments/"+place["id"].(string)+"?id=1", nil, 204)
	api.send("DELETE", "/api/users/"+raj["id"].(string)+"?id=1", nil, 204)
	require.Len(t, api.list("/api/users?id=1"), 2)
	s.send("DELETE", "/api/auth/session/current/", nil, 200)
	details["password"] = "wrong"
	api.send("POST", "/api/providers", details, 201)
	require.Equal(t, "credentials_refused", api.send("GET", "/api/users?id=1", nil, 502)["error"].(map[string]any)["code"])
	s.stop(syscall.SIGTERM)
}

// study opens a resource as somebody does and comes as far with it as is said.
func (s *site) study(username, title string, progress float64) {
	s.t.Helper()
	s.signIn(username)
	begun := s.send("POST", "/api/logger/trackprogress/", map[string]any{"node_id": servertest.ID(title), "content_id": servertest.ID("content " + title),
		"channel_id": servertest.ID("Maths"), "kind": "video"}, 200).(map[string]any)
	s.send("PUT", "/api/logger/trackprogress/"+begun["session_id"].(string)+"/", map[string]any{"progress_delta": progress, "time_spent_delta": 12.5}, 200)
}

// lesson is the text of a document.
const lesson = "<!doctype html><title>x</title><p>Magma rises <b>slowly</b>.</p>"

// plantFiles gives a video a page to read and the channel a picture, where a server of either kind looks for them. It
// returns the page's checksum.
func (s *site) plantFiles(school *servertest.School) string {
	sum := md5.Sum([]byte(lesson))
	name := hex.EncodeToString(sum[:])
	folder := filepath.Join(s.home, "content", "storage", name[:1], name[1:2])
	require.NoError(s.t, os.MkdirAll(folder, 0o755))
	require.NoError(s.t, os.WriteFile(filepath.Join(folder, name+".html"), []byte(lesson), 0o644))
	school.Exec(s.t, "INSERT INTO content_localfile (id, available, file_size, extension) VALUES (?, TRUE, ?, 'html')", name, len(lesson))
	school.Exec(s.t, "UPDATE content_file SET local_file_id = ? WHERE contentnode_id = ? AND NOT thumbnail", name, servertest.ID("Numbers"))
	var picture bytes.Buffer
	require.NoError(s.t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 12, 8))))
	school.Exec(s.t, "UPDATE content_channelmetadata SET thumbnail = ?", "data:image/png;base64,"+base64.StdEncoding.EncodeToString(picture.Bytes()))
	return name
}

// fetch gets what is no JSON.
func (p *service) fetch(path string, status int, header ...string) string {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.base+path, nil)
	require.NoError(p.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Timeout: patience}
	res, err := client.Do(r)
	require.NoError(p.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	require.Equal(p.t, status, res.StatusCode, "%s: %s", path, text)
	return string(text)
}

// heavyWork has the service host pictures, serve files, search, and compare people of the server that runs.
func (p *service) heavyWork(details map[string]any, checksum string) {
	p.t.Helper()
	icon := ""
	for _, course := range p.send("GET", "/api/courses?id=1&kind=channel", nil, 200)["items"].([]any) {
		icon = course.(map[string]any)["icon_url"].(string)
	}
	require.Regexp(p.t, `^/pictures/[0-9a-f]{64}\.png$`, icon)
	config, err := png.DecodeConfig(strings.NewReader(p.fetch(icon, 200)))
	require.NoError(p.t, err)
	require.Equal(p.t, [2]int{12, 8}, [2]int{config.Width, config.Height})

	address := ""
	for _, item := range p.send("GET", "/api/content?id=1", nil, 200)["items"].([]any) {
		for _, file := range item.(map[string]any)["files"].([]any) {
			if f := file.(map[string]any); f["checksum"] == checksum {
				address = "/api/media?id=1&md5=" + checksum + "&url=" + url.QueryEscape(f["url"].(string))
			}
		}
	}
	require.NotEmpty(p.t, address)
	p.fetch(address, 401)
	require.Equal(p.t, lesson, p.fetch(address, 200, "Authorization", providerToken))
	require.Equal(p.t, "Magma", p.fetch(address, 206, "Authorization", providerToken, "Range", fmt.Sprintf("bytes=%d-%d", strings.Index(lesson, "Magma"), strings.Index(lesson, "Magma")+4)))

	p.send("POST", "/api/search?id=1", nil, 202)
	found := func(word string) bool {
		return p.send("GET", "/api/search?id=1&q="+word, nil, 200)["count"].(float64) == 1
	}
	require.True(p.t, found("algebra"))
	require.Eventually(p.t, func() bool { return found("magma") }, patience, 100*time.Millisecond, "the texts of documents follow")

	again := map[string]any{"id": 2}
	for _, name := range []string{"type", "base_url", "username", "password"} {
		again[name] = details[name]
	}
	p.send("POST", "/api/providers", again, 201)
	p.send("POST", "/api/people/match", map[string]any{"providers": []any{1, 2}}, 200)
	suggestions := p.send("GET", "/api/people/suggestions", nil, 200)["items"].([]any)
	require.Len(p.t, suggestions, 2, "everybody is at both")
	for _, g := range suggestions {
		pair := g.(map[string]any)
		require.Equal(p.t, pair["a"].(map[string]any)["id"], pair["b"].(map[string]any)["id"])
	}
}
