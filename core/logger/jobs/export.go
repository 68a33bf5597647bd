package jobs

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/csv"
	"kolibri/store"
)

// Export is an order to export logs that began on the days from From to To; without them, all.
type Export struct {
	Kind     Kind
	Facility *auth.Collection
	From, To time.Time
	// Say translates a text of the original, given with its gettext context.
	Say func(context, text string) string
}

// column is a column of the file. The folders come before the content id.
type column struct{ context, label string }

var (
	beforeFolders = []column{{"", "Facility name"}, {"", "Username"}, {"CSV column header for the type of user", "User type"},
		{"", "Channel id"}, {"", "Channel name"}}
	afterFolders = []column{{"", "Content id"}, {"", "Content title"},
		{"CSV column header for the time of the first interaction in the exported logs", "Time of first interaction"},
		{"CSV column header for the time of the last interaction in the exported logs", "Time of last interaction"}}
	ofSummaries = column{"CSV column header for the percentage of completion in the exported logs", "Time of completion"}
	atTheEnd    = []column{{"CSV column header for the time spent in a resource in the exported logs", "Time Spent (sec)"},
		{"", "Progress (0-1)"}, {"", "Content kind"}}
)

// userTypes are the texts for the types of users (kolibri/core/auth/constants/user_kinds.py: labels).
var userTypes = map[string]string{"admin": "Admin", "superuser": "Super admin", "classroom assignable coach": "Class coach",
	"coach": "Facility coach", "learner": "Learner"}

// exported is a log with what the file says of it.
type exported struct {
	id, contentID, kind   string
	channelID, channel    *string
	facility, username    *string
	userType              string
	start, end, completed store.Zoned
	timeSpent, progress   float64
	nodeID                string // of the node that was visited, if the log tells
}

// page is how many logs are read in one transaction: the tab has one connection, and others want it too.
const page = 500

func (o Export) table() string { return "logger_content" + string(o.Kind) + "log" }

// Write writes the file, the oldest logs first.
// kolibri/core/logger/csv_export.py: csv_file_generator
func (o Export) Write(ctx context.Context, db *store.DB, to io.Writer, progress func(done, all int64) error) error {
	var ids []string
	var all, levels int64
	err := db.Read(ctx, func(tx *store.Tx) (err error) {
		q := (&api.Query{From: o.table() + " l"}).Where("l.dataset_id = ? AND l.kind <> 'quiz'", o.Facility.DatasetID)
		if !o.From.IsZero() {
			q.Where("l.start_timestamp >= ?", store.FormatZoned(o.From))
		}
		if !o.To.IsZero() {
			q.Where("l.start_timestamp <= ?", store.FormatZoned(o.To.AddDate(0, 0, 1)))
		}
		text, args := q.SQL("l.content_id")
		if levels, err = tx.Int("SELECT MAX(n.level) FROM content_contentnode n WHERE n.content_id IN ("+text+")", args...); err != nil {
			return err
		}
		// the original counts those of all facilities and days
		if all, err = tx.Int("SELECT count(*) FROM " + o.table() + " WHERE kind <> 'quiz'"); err != nil {
			return err
		}
		q.Order = "l.start_timestamp, l.id"
		text, args = q.SQL("l.id")
		ids, err = tx.Strings(text, args...)
		return err
	})
	if err != nil {
		return err
	}
	folders := int(max(levels, 1)) - 1
	w := csv.NewWriter(to)
	if err := w.Write(o.head(folders)...); err != nil {
		return err
	}
	if err := progress(0, all); err != nil {
		return err
	}
	names, done := &library{byNode: map[string]*place{}, byContent: map[[2]string]*place{}}, int64(0)
	for chunk := range slices.Chunk(ids, page) {
		var logs []*exported
		err := db.Read(ctx, func(tx *store.Tx) (err error) {
			if logs, err = o.read(tx, chunk); err == nil {
				err = names.know(tx, logs)
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, l := range logs {
			if err := w.Write(o.line(l, names.of(l), folders)...); err != nil {
				return err
			}
			done++
		}
		if err := progress(done, all); err != nil {
			return err
		}
	}
	return nil
}

func (o Export) head(folders int) []string {
	var labels []string
	add := func(columns ...column) {
		for _, c := range columns {
			labels = append(labels, o.Say(c.context, c.label))
		}
	}
	add(beforeFolders...)
	for i := range folders {
		add(column{"", "Folder level " + strconv.Itoa(i+1)})
	}
	add(afterFolders...)
	if o.Kind == Summary {
		add(ofSummaries)
	}
	add(atTheEnd...)
	return labels
}

func (o Export) line(l *exported, at *place, folders int) []string {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	fields := []string{text(l.facility), text(l.username), o.Say("", userTypes[l.userType]), text(l.channelID), text(l.channel)}
	for i := range folders {
		folder := ""
		if i+1 < len(at.ancestors) { // the first is the channel
			folder = at.ancestors[i+1]
		}
		fields = append(fields, folder)
	}
	fields = append(fields, l.contentID, at.title, moment(l.start), moment(l.end))
	if o.Kind == Summary {
		fields = append(fields, moment(l.completed))
	}
	fields = append(fields, strconv.FormatFloat(l.timeSpent, 'f', 1, 64),
		strconv.FormatFloat(math.Floor(l.progress*10000)/10000, 'f', 4, 64), l.kind)
	for i := range fields {
		fields[i] = csv.Sanitize(fields[i])
	}
	return fields
}

// moment writes a time as Python's str does.
func moment(z store.Zoned) string {
	switch t := z.Time(); {
	case t.IsZero():
		return ""
	case t.Nanosecond()/1000 == 0:
		return t.Format("2006-01-02 15:04:05+00:00")
	default:
		return t.Format("2006-01-02 15:04:05.000000+00:00")
	}
}

// read reads logs in the order of their ids.
func (o Export) read(tx *store.Tx, ids []string) ([]*exported, error) {
	extra, completed := "l.extra_fields", "NULL"
	if o.Kind == Summary {
		completed = "l.completion_timestamp"
		extra = `COALESCE((SELECT s.extra_fields FROM logger_contentsessionlog s WHERE s.user_id = l.user_id AND s.content_id = l.content_id
			AND s.channel_id = l.channel_id ORDER BY COALESCE(s.end_timestamp, '') DESC LIMIT 1), '')`
	}
	byID := make(map[string]*exported, len(ids))
	err := store.ForEach(tx, func(row store.Scanner) error {
		l := &exported{}
		err := row.Scan(&l.id, &l.contentID, &l.kind, &extraText{l}, &l.channelID, &l.channel, &l.facility, &l.username, &l.userType,
			&l.start, &l.end, &l.completed, &l.timeSpent, &l.progress)
		byID[l.id] = l
		return err
	}, `SELECT l.id, l.content_id, l.kind, `+extra+`, l.channel_id, ch.name, f.name, u.username,
			CASE WHEN d.is_superuser = TRUE THEN 'superuser'
				WHEN r.kind IS NOT NULL THEN r.kind
				WHEN EXISTS (SELECT 1 FROM kolibriauth_role o WHERE o.user_id = u.id AND o.kind = 'coach') THEN 'classroom assignable coach'
				ELSE 'learner' END,
			l.start_timestamp, l.end_timestamp, `+completed+`, l.time_spent, l.progress
		FROM `+o.table()+` l
		LEFT JOIN kolibriauth_facilityuser u ON u.id = l.user_id
		LEFT JOIN kolibriauth_collection f ON f.id = u.facility_id
		LEFT JOIN device_devicepermissions d ON d.user_id = u.id
		LEFT JOIN kolibriauth_role r ON r.id = (SELECT o.id FROM kolibriauth_role o WHERE o.user_id = u.id AND o.collection_id = u.facility_id ORDER BY o.id LIMIT 1)
		LEFT JOIN content_channelmetadata ch ON ch.id = l.channel_id
		WHERE l.id IN ?`, store.In(ids))
	if err != nil {
		return nil, err
	}
	logs := make([]*exported, 0, len(ids))
	for _, id := range ids {
		if l := byID[id]; l != nil { // not deleted since
			logs = append(logs, l)
		}
	}
	return logs, nil
}

// extraText reads the node from a log's extra fields.
type extraText struct{ l *exported }

// Scan implements sql.Scanner.
func (e *extraText) Scan(src any) error {
	text, _ := src.(string)
	if raw, ok := src.([]byte); ok {
		text = string(raw)
	}
	var extra struct {
		Context struct {
			NodeID string `json:"node_id"`
		} `json:"context"`
	}
	if json.Unmarshal([]byte(text), &extra) == nil { // what others wrote may have any shape
		e.l.nodeID, _ = api.ParseUUID(extra.Context.NodeID)
	}
	return nil
}

// place is a resource's title and those of the folders it lies in, the channel first.
type place struct {
	title     string
	ancestors []string
}

// library remembers where resources lie: a file names few of them many times.
type library struct {
	byNode    map[string]*place
	byContent map[[2]string]*place // by content and channel
}

func (b *library) of(l *exported) *place {
	p := b.byNode[l.nodeID]
	if l.nodeID == "" && l.channelID != nil {
		p = b.byContent[[2]string{l.contentID, *l.channelID}]
	}
	if p == nil {
		return &place{}
	}
	return p
}

// know reads the resources of logs that are not known yet.
func (b *library) know(tx *store.Tx, logs []*exported) error {
	var nodes, contents []string
	for _, l := range logs {
		if _, known := b.byNode[l.nodeID]; l.nodeID != "" && !known {
			b.byNode[l.nodeID] = nil
			nodes = append(nodes, l.nodeID)
		}
		if l.nodeID == "" && l.channelID != nil {
			key := [2]string{l.contentID, *l.channelID}
			if _, known := b.byContent[key]; !known {
				b.byContent[key] = nil
				contents = append(contents, l.contentID)
			}
		}
	}
	read := func(row store.Scanner) error {
		var id, content, channel string
		var ancestors *string
		p := &place{}
		if err := row.Scan(&id, &content, &channel, &p.title, &ancestors); err != nil {
			return err
		}
		var above []struct {
			Title string `json:"title"`
		}
		if ancestors != nil && json.Unmarshal([]byte(*ancestors), &above) == nil {
			for _, a := range above {
				p.ancestors = append(p.ancestors, a.Title)
			}
		}
		if was, wanted := b.byNode[id]; wanted && was == nil {
			b.byNode[id] = p
		}
		if was, wanted := b.byContent[[2]string{content, channel}]; wanted && was == nil {
			b.byContent[[2]string{content, channel}] = p
		}
		return nil
	}
	return store.ForEach(tx, read, "SELECT id, content_id, channel_id, title, ancestors FROM content_contentnode WHERE id IN ? OR content_id IN ? ORDER BY lft, id",
		store.In(nodes), store.In(contents))
}
