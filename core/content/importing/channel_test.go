package importing_test

import (
	"context"
	"crypto/md5"
	"database/sql"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/sqlite"
)

const channelID = "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"

// id is a readable id of 32 hex digits.
func id(name string) string {
	sum := md5.Sum([]byte(name))
	return hex.EncodeToString(sum[:])
}

// channel is a small channel: a topic with a video, a picture beside it that nobody has, and a second
// topic with a document for coaches.
type channel struct {
	version  int64
	schema   string
	database string            // path of the channel database
	files    map[string]string // content by checksum and extension
}

func writeChannel(t *testing.T, version int64, schema string) channel {
	t.Helper()
	c := channel{version: version, schema: schema, files: map[string]string{}, database: filepath.Join(t.TempDir(), "channel.sqlite3")}
	require.NoError(t, sqlite.CreateEmpty(context.Background(), c.database))
	pool, err := sql.Open("sqlite3", "file:"+c.database)
	require.NoError(t, err)
	defer pool.Close()
	exec := func(query string, args ...any) {
		_, err := pool.Exec(query, args...)
		require.NoError(t, err)
	}
	exec(`INSERT INTO content_language (id, lang_code, lang_name, lang_direction) VALUES ('en', 'en', 'English', 'ltr')`)
	node := func(name, parent, kind string, lft, rght, level int, coach bool) {
		exec(`INSERT INTO content_contentnode (id, title, content_id, channel_id, kind, lft, rght, level, tree_id, parent_id, coach_content, lang_id,
			license_owner, author, available, options, categories, grade_levels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 77, ?, ?, 'en', '', '', 0, ?, ?, 'ZrgBU73s')`,
			id(name), name, id("content of "+name), channelID, kind, lft, rght, level, store.Null(parent), coach, `{"modality": "QUIZ"}`, "d&WXdXWF.5QAjgfv7.BUMJJBnS")
	}
	node("root", "", "topic", 1, 10, 0, false)
	node(`A "quoted" \ topic`, id("root"), "topic", 2, 5, 1, false)
	node("video", id(`A "quoted" \ topic`), "video", 3, 4, 2, false)
	node("second", id("root"), "topic", 6, 9, 1, false)
	node("document", id("second"), "document", 7, 8, 2, true)
	file := func(owner, preset, extension, text string, supplementary bool) {
		sum := md5.Sum([]byte(text))
		checksum := hex.EncodeToString(sum[:])
		c.files[checksum+"."+extension] = text
		exec("INSERT INTO content_localfile (id, extension, available, file_size) VALUES (?, ?, 0, ?)", checksum, extension, len(text))
		exec(`INSERT INTO content_file (id, supplementary, thumbnail, contentnode_id, local_file_id, preset) VALUES (?, ?, ?, ?, ?, ?)`,
			id("file "+text), supplementary, supplementary, id(owner), checksum, preset)
	}
	file("video", "high_res_video", "mp4", strings.Repeat("moving pictures ", 4000), false)
	file("video", "video_thumbnail", "png", "a picture", true)
	file("document", "document", "pdf", "a document", false)
	exec(`INSERT INTO content_channelmetadata (id, name, description, author, version, thumbnail, min_schema_version, root_id)
		VALUES (?, 'Small', '', '', ?, '', ?, ?)`, channelID, version, schema, id("root"))
	return c
}

// second is the channel's next edition.
func second(t *testing.T) channel {
	t.Helper()
	c := writeChannel(t, 2, "5")
	pool, err := sql.Open("sqlite3", "file:"+c.database)
	require.NoError(t, err)
	defer pool.Close()
	put := func(text, extension string) string {
		sum := md5.Sum([]byte(text))
		checksum := hex.EncodeToString(sum[:])
		c.files[checksum+"."+extension] = text
		_, err := pool.Exec("INSERT INTO content_localfile (id, extension, available, file_size) VALUES (?, ?, 0, ?)", checksum, extension, len(text))
		require.NoError(t, err)
		return checksum
	}
	for _, change := range []struct {
		query string
		args  []any
	}{
		{"UPDATE content_file SET local_file_id = ? WHERE contentnode_id = ? AND supplementary = 0", []any{put("other moving pictures", "mp4"), id("video")}},
		{"DELETE FROM content_file WHERE contentnode_id = ?", []any{id("document")}},
		{"UPDATE content_contentnode SET id = ?, title = 'sound', kind = 'audio', content_id = ? WHERE id = ?", []any{id("sound"), id("content of sound"), id("document")}},
		{"INSERT INTO content_file (id, supplementary, thumbnail, contentnode_id, local_file_id, preset) VALUES (?, 0, 0, ?, ?, 'audio')", []any{id("file sound"), id("sound"), put("a sound", "mp3")}},
	} {
		_, err := pool.Exec(change.query, change.args...)
		require.NoError(t, err)
	}
	return c
}

// mirror serves a channel as Studio does. Requests can be answered differently by hook.
type mirror struct {
	*httptest.Server
	mu      sync.Mutex
	version int64
	hook    func(w http.ResponseWriter, r *http.Request) bool
	seen    []string
}

func (m *mirror) intercept(hook func(w http.ResponseWriter, r *http.Request) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hook = hook
}

func serve(t *testing.T, c channel) *mirror {
	t.Helper()
	m := &mirror{version: c.version}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		hook := m.hook
		m.seen = append(m.seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("Range"))
		m.mu.Unlock()
		if hook != nil && hook(w, r) {
			return
		}
		switch {
		case strings.HasPrefix(r.URL.Path, "/api/public/info"):
			_, _ = w.Write([]byte(`{"application": "studio", "device_name": "Mirror"}`))
		case strings.HasPrefix(r.URL.Path, "/api/public/v1/channels/lookup/"+channelID):
			_, _ = w.Write([]byte(`[{"id": "` + channelID + `", "name": "Small", "public": true, "version": ` + strconv.FormatInt(m.version, 10) + `}]`))
		case r.URL.Path == "/content/databases/"+channelID+".sqlite3":
			http.ServeFile(w, r, c.database)
		case strings.HasPrefix(r.URL.Path, "/content/storage/"):
			text, ok := c.files[filepath.Base(r.URL.Path)]
			if !ok {
				http.NotFound(w, r)
				return
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(m.Close)
	return m
}

// stored lists the files of a content folder, without those of transfers.
func stored(t *testing.T, dir string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, d.Name())
		}
		return err
	}))
	return names
}
