package facility

import (
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"kolibri/core/api"
	"kolibri/core/auth"
	authjobs "kolibri/core/auth/jobs"
	logjobs "kolibri/core/logger/jobs"
	"kolibri/store"
)

// forbiddenPage is the 403 of plain views (django.views.defaults.permission_denied).
const forbiddenPage = "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>403 Forbidden</title>\n</head>\n<body>\n  <h1>403 Forbidden</h1><p></p>\n</body>\n</html>\n"

// administered is the facility of the path, which the person must be an admin of. Without an id it
// is the person's own.
// kolibri/plugins/facility/views.py: _get_facility_check_permissions
func administered(r *api.Request) (*auth.Collection, error) {
	forbidden := &api.Error{Status: http.StatusForbidden, HTML: forbiddenPage}
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	if p.IsAnonymous() {
		return nil, forbidden
	}
	id := p.FacilityID
	if given := r.Param("facility_id"); given != "" {
		id, _ = api.ParseUUID(given)
	}
	f, err := auth.LoadCollection(r.Tx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && f.Kind != auth.KindFacility {
		return nil, api.NoPage()
	}
	if err != nil {
		return nil, err
	}
	ok, err := p.HasRoleForCollection(r.Tx, f.ID, auth.Admin)
	if err == nil && !ok {
		err = forbidden
	}
	return f, err
}

// isoformat writes a moment as Python's datetime.isoformat does in UTC.
func isoformat(t time.Time) string {
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05+00:00")
	}
	return t.Format("2006-01-02T15:04:05.000000+00:00")
}

// firstLogDate tells since when there is something to export: now, if there is nothing.
func (f *Facility) firstLogDate(r *api.Request) (any, error) {
	c, err := administered(r)
	if err != nil {
		return nil, err
	}
	var first store.Zoned
	err = r.Tx.QueryRow("SELECT MIN(start_timestamp) FROM logger_contentsessionlog WHERE dataset_id = ? AND kind <> 'quiz'", c.DatasetID).Scan(&first)
	if err != nil {
		return nil, err
	}
	at := first.Time()
	if at.IsZero() {
		at = r.Now()
	}
	return map[string]string{"first_log_date": isoformat(at)}, nil
}

// file is the latest export of a kind: its name in the media folder and the name that a person's
// browser gives it. The name is empty when there was never an export.
func (f *Facility) file(r *api.Request, kind string, c *auth.Collection) (name, download string, err error) {
	start := c.Name + "_" + c.ID[:4] + "_"
	if kind == "user" {
		users := f.host.Pages.Text(r.Lang, "Default name for the exported CSV file of facility user data. Please keep the underscore between words in the translation", "users")
		// the original does so with the blanks that slugs have for dashes
		return authjobs.UsersFile(c), start + strings.ReplaceAll(users, "-", "_") + ".csv", nil
	}
	from, to, err := logjobs.Requested(r.Tx, logjobs.Kind(kind), c)
	if errors.Is(err, store.ErrNotFound) {
		return "", "", nil
	}
	const context = "Default name for the exported CSV file with content %s logs. Please keep the underscores between words in the translation"
	first := f.slug(r, strings.Replace(context, "%s", kind, 1), "content_"+kind+"_logs_from_")
	second := f.slug(r, strings.Replace(context, "%s", "summary", 1), "to_")
	return logjobs.LogsFile(logjobs.Kind(kind), c, from, to), start + first + from.Format(time.DateOnly) + "_" + second + to.Format(time.DateOnly) + ".csv", err
}

// slug is a text that is part of a file's name; the translations are kept ready for that.
func (f *Facility) slug(r *api.Request, context, text string) string {
	return strings.Trim(f.host.Pages.Text(r.Lang, context, text), "-_")
}

// exportedFiles tells when the exports were made that can be downloaded.
func (f *Facility) exportedFiles(r *api.Request) (any, error) {
	c, err := administered(r)
	if err != nil {
		return nil, err
	}
	times := map[string]*string{}
	for _, kind := range []string{"session", "summary", "user"} {
		times[kind] = nil
		name, _, err := f.file(r, kind, c)
		if err != nil {
			return nil, err
		}
		_, modified, err := f.host.Media.Stat(name)
		if errors.Is(err, fs.ErrNotExist) || name == "" {
			continue
		}
		if err != nil {
			return nil, err
		}
		text := isoformat(modified)
		times[kind] = &text
	}
	return times, nil
}

// download sends an export.
func (f *Facility) download(r *api.Request) (any, error) {
	c, err := administered(r)
	if err != nil {
		return nil, err
	}
	var name, download string
	switch kind := r.Param("csv_type"); kind {
	case "session", "summary", "user":
		if name, download, err = f.file(r, kind, c); err != nil {
			return nil, err
		}
	}
	if name == "" {
		return nil, api.NoPage()
	}
	size, _, err := f.host.Media.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, api.NoPage()
	}
	if err != nil {
		return nil, err
	}
	answer := &api.Response{Status: http.StatusOK, Stream: func(w http.ResponseWriter, _ *http.Request) {
		file, err := f.host.Media.Open(name)
		if err == nil {
			_, err = io.Copy(w, file)
			_ = file.Close()
		}
		if err != nil {
			f.host.Log.Error("an export cannot be sent", "file", name, "error", err)
		}
	}}
	return answer.WithHeader("Content-Type", "text/csv").WithHeader("Content-Length", strconv.FormatInt(size, 10)).
		WithHeader("Content-Disposition", headerText("attachment; filename="+download)), nil
}

// headerText is a header's value as Django sends it: what Latin-1 lacks makes it an encoded word.
func headerText(text string) string {
	latin := make([]byte, 0, len(text))
	for _, c := range text {
		switch {
		case c > unicode.MaxLatin1:
			return "=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte(text)) + "?="
		case c < ' ':
			c = ' '
		}
		latin = append(latin, byte(c))
	}
	return string(latin)
}
