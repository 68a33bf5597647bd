package main

import (
	"cmp"
	"crypto/md5"
	"database/sql"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	_ "github.com/ncruces/go-sqlite3/driver" // databases are SQLite files
)

//go:embed schema.sql
var schema string

// id makes the id of a thing of this channel.
func id(of string) string {
	sum := md5.Sum([]byte("kolibri in your web browser/pendulum/" + of))
	sum[6], sum[8] = sum[6]&0x0f|0x30, sum[8]&0x3f|0x80 // as a UUID of version 3
	return hex.EncodeToString(sum[:])
}

const (
	version     = 1
	published   = "2026-01-01 00:00:00.000000(UTC)"
	name        = "The pendulum"
	description = "A small channel to try Kolibri with: watch, listen, read, explore and practise."
	author      = "The makers of this build"
	license     = "CC BY"
	english     = "en"
)

var channelID = id("channel")

// file is a stored file and what it is to its node.
type file struct {
	content           []byte
	extension, preset string
	order             int
	extra, picture    bool // supplementary, thumbnail
	lang              any
}

func (f file) checksum() string {
	sum := md5.Sum(f.content)
	return hex.EncodeToString(sum[:])
}

func (f file) path() string {
	sum := f.checksum()
	return "content/storage/" + sum[:1] + "/" + sum[1:2] + "/" + sum + "." + f.extension
}

// node is a topic with children or a resource with files.
type node struct {
	key, kind, title, description string
	activity                      string // le_utils.constants.labels.learning_activities
	seconds                       any
	options                       string
	files                         []file
	questions                     []question
	mastery                       string
	grade, subject                string // labels; the pendulum's when empty
	children                      []*node
}

// channel is the tree with all its files.
type channel struct {
	id    string
	root  *node
	files []file
	nodes int // resources
}

func thumbnail(preset string, angle, hue float64) file {
	return file{content: drawing(400, 225, angle, hue), extension: "png", preset: preset, order: 4, extra: true, picture: true}
}

// numbered gives the questions of an exercise their ids.
func numbered(key string, questions []question) []question {
	for i := range questions {
		questions[i].id = id(key + strconv.Itoa(i))
	}
	return questions
}

func pendulum() *channel {
	asked, examined, timed := numbered("practice", practice), numbered("quiz", quiz), numbered("clocks", clocks)
	c := &channel{id: channelID, root: &node{key: "", kind: "topic", title: name, description: description, options: "{}", children: []*node{
		{key: "see", kind: "topic", title: "Watch and listen", description: "A film with subtitles, and a tune.", options: "{}",
			files: []file{thumbnail("topic_thumbnail", .5, .1)}, children: []*node{
				{key: "film", kind: "video", title: "A pendulum swings", activity: "UD5UGM0z", seconds: filmSeconds,
					description: "Twenty seconds of a pendulum, with English subtitles.",
					options:     fmt.Sprintf(`{"completion_criteria": {"model": "time", "threshold": %d}}`, filmSeconds),
					files: []file{{content: film(), extension: "mp4", preset: "high_res_video", order: 1},
						{content: []byte(subtitles), extension: "vtt", preset: "video_subtitle", order: 4, extra: true, lang: english},
						thumbnail("video_thumbnail", -.4, .2)}},
				{key: "tune", kind: "audio", title: "Slower and slower", activity: "mkA1R3NU", seconds: tuneSeconds(),
					description: "Tick, tock, and a scale: the longer the pause, the longer the pendulum.",
					options:     fmt.Sprintf(`{"completion_criteria": {"model": "time", "threshold": %d}}`, tuneSeconds()),
					files:       []file{{content: music(), extension: "mp3", preset: "audio", order: 1}, thumbnail("audio_thumbnail", .2, .3)}},
			}},
		{key: "read", kind: "topic", title: "Read", description: "A handout to print, and a short book.", options: "{}",
			files: []file{thumbnail("topic_thumbnail", -.3, .4)}, children: []*node{
				{key: "handout", kind: "document", title: "An experiment with a spoon", activity: "wA01urpi",
					description: "Three pages that tell how to find out what makes a pendulum slow.",
					options:     `{"completion_criteria": {"model": "pages", "threshold": "100%"}}`,
					files:       []file{{content: handout(pages), extension: "pdf", preset: "document", order: 2}, thumbnail("document_thumbnail", .1, .5)}},
				{key: "book", kind: "document", title: "The lamp of Pisa", activity: "wA01urpi",
					description: "How a swinging lamp led to better clocks.", options: "{}",
					files: []file{{content: book(), extension: "epub", preset: "epub", order: 1}, thumbnail("document_thumbnail", -.1, .6)}},
			}},
		{key: "try", kind: "topic", title: "Explore", description: "A laboratory, and a card to turn.", options: "{}",
			files: []file{thumbnail("topic_thumbnail", .3, .7)}, children: []*node{
				{key: "lab", kind: "html5", title: "Pendulum lab", activity: "#j8L0eq3",
					description: "Change length and weight, and see what happens.", options: `{"completion_criteria": {"model": "reference"}}`,
					files: []file{{content: app(), extension: "zip", preset: "html5_zip", order: 1}, thumbnail("html5_thumbnail", .4, .8)}},
				{key: "card", kind: "h5p", title: "Tick or tock?", activity: "#j8L0eq3",
					description: "A question on a card. Think before you turn it.", options: "{}",
					files: []file{{content: interaction(), extension: "h5p", preset: "h5p", order: 1}, thumbnail("h5p_thumbnail", -.2, .9)}},
			}},
		{key: "do", kind: "topic", title: "Practise", description: "Questions with hints, and a quiz.", options: "{}",
			files: []file{thumbnail("topic_thumbnail", -.5, 0)}, children: []*node{
				{key: "practice", kind: "exercise", title: "Count the swings", activity: "VwRCom7G",
					description: "Five questions about time and length.",
					options:     `{"completion_criteria": {"model": "mastery", "threshold": {"mastery_model": "m_of_n", "m": 3, "n": 4}}}`,
					mastery:     `{"type": "m_of_n", "m": 3, "n": 4}`, questions: asked,
					files: []file{{content: exercise(asked), extension: "perseus", preset: "exercise", order: 1}, thumbnail("exercise_thumbnail", .25, .15)}},
				{key: "quiz", kind: "exercise", title: "What do you know about pendulums?", activity: "VwRCom7G",
					description: "Three questions. You see your result at the end.",
					options:     `{"modality": "QUIZ", "completion_criteria": {"model": "mastery", "threshold": {"mastery_model": "do_all"}}}`,
					mastery:     `{"type": "quiz", "m": null, "n": null}`, questions: examined,
					files: []file{{content: exercise(examined), extension: "perseus", preset: "exercise", order: 1}, thumbnail("exercise_thumbnail", -.25, .35)}},
				{key: "clocks", kind: "exercise", title: "Clocks", activity: "VwRCom7G",
					description: "Two questions in the format QTI.",
					options:     `{"completion_criteria": {"model": "mastery", "threshold": {"mastery_model": "m_of_n", "m": 1, "n": 2}}}`,
					mastery:     `{"type": "m_of_n", "m": 1, "n": 2}`, questions: timed,
					files: []file{{content: items(timed), extension: "zip", preset: "qti", order: 1}, thumbnail("qti_thumbnail", .15, .45)}},
			}},
	}}}
	c.collect(c.root)
	return c
}

func (c *channel) collect(n *node) {
	c.files = append(c.files, n.files...)
	if n.kind != "topic" {
		c.nodes++
	}
	for _, child := range n.children {
		c.collect(child)
	}
}

func icon() string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(drawing(96, 96, .45, .85))
}

// about is what the list of channels says.
func (c *channel) about() map[string]any {
	size := 0
	for _, f := range c.files {
		size += len(f.content)
	}
	return map[string]any{"id": c.id, "name": c.root.title, "language": english, "included_languages": []string{english},
		"description": c.root.description, "total_resource_count": c.nodes, "version": version, "published_size": size,
		"last_published": "2026-01-01T00:00:00Z", "icon_encoding": icon(), "public": true, "library": nil,
		"matching_tokens": []string{}}
}

// database writes the channel's database, as Studio publishes it.
func (c *channel) database(path string) (err error) {
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	w := &writer{db: db, channel: c.id}
	w.exec("PRAGMA foreign_keys = OFF") // children come before their parents
	w.exec("BEGIN")
	w.exec(schema)
	w.exec(`INSERT INTO content_language VALUES (?, ?, '', 'English', 'ltr')`, english, english)
	w.exec(`INSERT INTO content_channelmetadata (id, name, description, tagline, author, version, thumbnail, last_updated, min_schema_version, root_id)
		VALUES (?, ?, ?, 'Small, free, and complete', ?, ?, ?, ?, '5', ?)`, c.id, c.root.title, c.root.description, author, version, icon(), published, c.id)
	next := 1
	w.node(c.root, nil, 0, &next)
	w.exec("COMMIT")
	return w.err
}

// writer writes rows until one fails.
type writer struct {
	db      *sql.DB
	channel string
	err     error
}

func (w *writer) exec(query string, args ...any) {
	if w.err == nil {
		_, w.err = w.db.Exec(query, args...)
	}
}

// node writes a node and all below it; next numbers the borders of the nested set.
func (w *writer) node(n *node, parent any, level int, next *int) {
	own := w.channel
	if n.key != "" {
		own = id("node/" + n.key)
	}
	left := *next
	*next++
	for _, child := range n.children {
		w.node(child, own, level+1, next)
	}
	right := *next
	*next++
	var activity, free, grade, subject any
	if n.kind != "topic" {
		activity, free, grade, subject = n.activity, license, cmp.Or(n.grade, "eLt0Mbu4"), cmp.Or(n.subject, "d&WXdXWF.i1IdaNwr.r#wbt#jF")
	}
	w.exec(`INSERT INTO content_contentnode (id, parent_id, license_name, license_description, title, coach_content, content_id, channel_id,
		description, sort_order, license_owner, author, kind, available, lang_id, options, grade_levels, learning_activities, categories, duration,
		lft, rght, tree_id, level) VALUES (?, ?, ?, '', ?, 0, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)`,
		own, parent, free, n.title, id("content/"+n.key), w.channel, n.description, float64(left), author, author, n.kind, english,
		n.options, grade, activity, subject, n.seconds, left, right, level)
	for i, f := range n.files {
		w.exec(`INSERT OR IGNORE INTO content_localfile VALUES (?, ?, 1, ?)`, f.checksum(), f.extension, len(f.content))
		w.exec(`INSERT INTO content_file (id, local_file_id, contentnode_id, preset, lang_id, supplementary, thumbnail, priority)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, id("file/"+n.key+strconv.Itoa(i)), f.checksum(), own, f.preset, f.lang, f.extra, f.picture, f.order)
	}
	if n.questions != nil {
		ids := make([]string, len(n.questions))
		for i, q := range n.questions {
			ids[i] = q.id
		}
		w.exec(`INSERT INTO content_assessmentmetadata VALUES (?, ?, ?, ?, ?, 0, 1)`, id("assessment/"+n.key), own,
			string(mustJSON(ids)), len(ids), n.mastery)
	}
}
