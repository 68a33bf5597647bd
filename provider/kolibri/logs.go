package kolibri

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kolibri/provider/platform"
	"kolibri/provider/upstream"
)

// Kolibri has no list of everybody's logs. Its administrators get them as a file, which a job writes
// (kolibri/core/logger/csv_export.py); that is what milestones and activity are read from.
const (
	tasksPath   = "/api/tasks/tasks/"
	jobPatience = 5 * time.Minute
	firstPoll   = 100 * time.Millisecond
	longestPoll = 2 * time.Second
)

func (k *Kolibri) milestones(ctx context.Context, q platform.Query, yield func(any) error) error {
	return k.logs(ctx, "summary", q, func(r row) error {
		return yield(platform.Milestone{ID: r.user + "-" + r.content, UserID: r.user, CourseID: r.channel, ContentID: r.content, Title: r.title,
			Kind: r.kind, Progress: r.progress, Seconds: r.seconds, StartedAt: r.first, UpdatedAt: r.last, CompletedAt: r.completed})
	})
}

func (k *Kolibri) activity(ctx context.Context, q platform.Query, yield func(any) error) error {
	return k.logs(ctx, "session", q, func(r row) error {
		id := r.user + "-" + r.content
		if r.first != nil {
			id += "-" + strconv.FormatInt(r.first.UnixMicro(), 36)
		}
		return yield(platform.Session{ID: id, UserID: r.user, CourseID: r.channel, ContentID: r.content, Title: r.title,
			Kind: r.kind, Progress: r.progress, Seconds: r.seconds, StartedAt: r.first, EndedAt: r.last})
	})
}

// row is one line of a file of logs.
type row struct {
	user, channel, content, title, kind string
	first, last, completed              *time.Time
	seconds, progress                   float64
}

// job is a task of the server's.
type job struct{ ID, Status string }

func (k *Kolibri) logs(ctx context.Context, kind string, q platform.Query, yield func(row) error) error {
	ids := map[string]string{} // of people by their names, because the file has these
	for token, more := "", true; more; more = token != "" {
		var err error
		if token, err = k.users(ctx, platform.Query{}, token, func(item any) error {
			if u, ok := item.(platform.User); ok {
				ids[u.Username] = u.ID
			}
			return nil
		}); err != nil {
			return err
		}
	}
	k.exporting.Lock()
	defer k.exporting.Unlock()
	facility, err := k.facility(ctx)
	if err != nil {
		return err
	}
	if err := k.export(ctx, kind, facility, q); err != nil {
		return err
	}
	a, _, err := k.do(ctx, http.MethodGet, k.client.URL("/facility/api/downloadcsvfile/"+kind+"/"+facility+"/", nil), nil)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/csv") {
		return fmt.Errorf("%w: it is no file of logs", platform.ErrMalformed)
	}
	return readLogs(a.Body, ids, yield)
}

// export has the server write its file and waits for it.
func (k *Kolibri) export(ctx context.Context, kind, facility string, q platform.Query) error {
	// whole days are asked for; the exact span is cut out of them by the caller
	from, to := "2010-01-01T00:00:00Z", time.Now().UTC().AddDate(0, 0, 1).Format(time.RFC3339)
	if t, err := time.Parse(time.RFC3339, q.Filter["since"]); err == nil {
		from = t.UTC().AddDate(0, 0, -1).Format(time.RFC3339)
	}
	if t, err := time.Parse(time.RFC3339, q.Filter["until"]); err == nil {
		to = t.UTC().AddDate(0, 0, 1).Format(time.RFC3339)
	}
	a, _, err := k.do(ctx, http.MethodPost, k.client.URL(tasksPath, nil), map[string]string{"type": "kolibri.core.logger.tasks.export" + kind + "logcsv",
		"facility": facility, "start_date": from, "end_date": to, "locale": "en"})
	if err != nil {
		return err
	}
	var j job
	if err := upstream.Decode(a, &j); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, jobPatience)
	defer cancel()
	at := k.client.URL(tasksPath+url.PathEscape(j.ID)+"/", nil)
	for poll := firstPoll; ; poll = min(poll*2, longestPoll) {
		select {
		case <-time.After(poll):
		case <-ctx.Done():
			return fmt.Errorf("%w: its export of logs does not end", platform.ErrUnavailable)
		}
		a, _, err := k.do(ctx, http.MethodGet, at, nil)
		if err != nil {
			return err
		}
		if err := upstream.Decode(a, &j); err != nil {
			return err
		}
		switch j.Status {
		case "COMPLETED":
			if a, _, err := k.do(ctx, http.MethodPost, at+"clear/", nil); err == nil { // the task manager shows it no more
				a.Body.Close()
			}
			return nil
		case "FAILED", "CANCELED":
			return fmt.Errorf("%w: its export of logs failed", platform.ErrUnavailable)
		}
	}
}

// columns are the headings of a file of logs in English; deeper folders have columns between them.
var columns = []string{"Username", "Channel id", "Content id", "Content title", "Time of first interaction", "Time of last interaction",
	"Time of completion", "Time Spent (sec)", "Progress (0-1)", "Content kind"}

func readLogs(r io.Reader, ids map[string]string, yield func(row) error) error {
	lines := csv.NewReader(r)
	lines.ReuseRecord = true
	head, err := lines.Read()
	if err != nil {
		return fmt.Errorf("%w: a file of logs without headings", platform.ErrMalformed)
	}
	at := map[string]int{}
	for i, name := range head {
		at[strings.TrimPrefix(name, "\ufeff")] = i
	}
	for _, name := range columns {
		if _, ok := at[name]; !ok && name != "Time of completion" {
			return fmt.Errorf("%w: a file of logs without the column %q", platform.ErrMalformed, name)
		}
	}
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", platform.ErrMalformed, err)
		}
		field := func(name string) string {
			if i, ok := at[name]; ok {
				return strings.Clone(line[i])
			}
			return ""
		}
		v := row{user: ids[field("Username")], channel: field("Channel id"), content: field("Content id"), title: field("Content title"),
			kind: field("Content kind"), first: moment(field("Time of first interaction")), last: moment(field("Time of last interaction")),
			completed: moment(field("Time of completion"))}
		if v.user == "" {
			continue // a guest, or somebody who was deleted
		}
		if v.seconds, err = number(field("Time Spent (sec)")); err != nil {
			return err
		}
		if v.progress, err = number(field("Progress (0-1)")); err != nil {
			return err
		}
		if err := yield(v); err != nil {
			return err
		}
	}
}

func number(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if text != "" && err != nil {
		return 0, fmt.Errorf("%w: %q is no number", platform.ErrMalformed, text)
	}
	return n, nil
}
