// Package jobs is the long work of the logger app: the exports of what learners did
// (kolibri/core/logger/tasks.py). It stands beside core/logger because the task runner needs none of it.
package jobs

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/tasks"
	"kolibri/store"
)

// The task types.
const (
	exportSessions  = "kolibri.core.logger.tasks.exportsessionlogcsv"
	exportSummaries = "kolibri.core.logger.tasks.exportsummarylogcsv"
	cleanUpExports  = "kolibri.core.logger.tasks.log_exports_cleanup"
)

// Kind is a kind of exported log.
type Kind string

// The kinds of exported logs: one line for each visit to a resource, or one for each resource that a
// person visited.
const (
	Session Kind = "session"
	Summary Kind = "summary"
)

// New gives the app's task types their work.
func New(host *api.Host, runner *tasks.Runner) {
	for name, kind := range map[string]Kind{exportSessions: Session, exportSummaries: Summary} {
		runner.Handle(name, tasks.Work{Validate: validateExport, Run: runExport(host, runner, kind)})
	}
	runner.Handle(cleanUpExports, tasks.Work{Run: runCleanup(host)})
}

// validateExport: kolibri/core/logger/tasks.py: ExportLogCSVValidator
func validateExport(r *api.Request, who *auth.Person, data map[string]any) (tasks.Spec, error) {
	values, err := r.Clean(data, []api.Field{
		{Name: "facility", Optional: true, Clean: api.CleanKey("SELECT 1 FROM kolibriauth_collection WHERE kind = 'facility' AND id = ?")},
		{Name: "start_date", Clean: api.CleanString(0, false)},
		{Name: "end_date", Clean: api.CleanString(0, false)},
		{Name: "locale", Optional: true, Clean: api.CleanString(0, false)},
	}, false)
	if err != nil {
		return tasks.Spec{}, err
	}
	facility := values.String("facility")
	if facility == "" {
		facility = who.FacilityID
	}
	if facility == "" {
		return tasks.Spec{}, api.FieldError(api.Invalid, "non_field_errors", "Facility must be specified when no user is available.")
	}
	return tasks.Spec{FacilityID: facility, Args: []any{facility}, Kwargs: map[string]any{"facility": facility,
		"start_date": values.String("start_date"), "end_date": values.String("end_date"), "locale": values["locale"]}}, nil
}

// runExport writes the logs of a facility to their file and remembers for which days they are.
// kolibri/core/logger/management/commands/exportlogs.py
func runExport(host *api.Host, runner *tasks.Runner, kind Kind) func(context.Context, *tasks.Task) (any, error) {
	return func(ctx context.Context, t *tasks.Task) (any, error) {
		text := func(key string) string { s, _ := t.Job.Kwargs[key].(string); return s }
		locale := text("locale")
		if !host.Pages.HasLanguage(locale) {
			locale = "en"
		}
		say := func(context, text string) string { return host.Pages.Text(locale, context, text) }
		o := Export{Kind: kind, Say: say}
		for name, at := range map[string]*time.Time{"start_date": &o.From, "end_date": &o.To} {
			var err error
			if *at, err = ParseDate(text(name)); err != nil {
				what := strings.Replace(say("Error report message when the cell contains an improper data format.", "Content of cell '{}' is not valid"), "{}", name, 1)
				return nil, errors.Join(tasks.Fail("ValueError", what), t.Metadata(map[string]any{"overall_error": what}))
			}
		}
		err := t.Read(func(tx *store.Tx) (err error) {
			o.Facility, err = auth.LoadCollection(tx, text("facility"))
			return err
		})
		if err != nil {
			return nil, err
		}
		name := LogsFile(kind, o.Facility, o.From, o.To)
		err = host.Media.Save(name, func(w io.Writer) error {
			return o.Write(ctx, host.DB, w, func(done, all int64) error { return t.Progress(float64(done), float64(all), nil) })
		})
		if err != nil {
			return nil, err
		}
		return nil, t.Write(func(tx *store.Tx) error {
			if err := t.MetadataIn(tx, map[string]any{"overall_error": "", "filename": strings.TrimPrefix(name, folder)}); err != nil {
				return err
			}
			if err := o.remember(tx); err != nil {
				return err
			}
			return runner.EnqueueIfNone(tx, cleanUpExports, tasks.Spec{}, tasks.Schedule{})
		})
	}
}

const folder = "log_export/"

// LogsFile is where the exported logs of a facility for some days lie.
func LogsFile(kind Kind, f *auth.Collection, from, to time.Time) string {
	return api.MediaName(folder, f.Name+"_"+f.ID[:4], "_content_"+string(kind)+"_logs_from_"+from.Format(time.DateOnly)+"_to_"+to.Format(time.DateOnly)+".csv")
}

// ParseDate reads a day or a moment as exports are given them.
func ParseDate(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	at, _, message := api.CleanTime(nil, text)
	if message != "" {
		return time.Time{}, errors.New(message)
	}
	return at.(time.Time), nil
}

// remember keeps for which days the latest export of a kind was made.
func (o Export) remember(tx *store.Tx) error {
	values := []any{store.Zoned(o.From), store.Zoned(o.To), store.Zoned(tx.Now()), o.Kind, o.Facility.ID}
	n, err := tx.Exec(`UPDATE logger_generatecsvlogrequest SET selected_start_date = ?, selected_end_date = ?, date_requested = ?
		WHERE log_type = ? AND facility_id = ?`, values...)
	if err == nil && n == 0 {
		_, err = tx.Exec(`INSERT INTO logger_generatecsvlogrequest (selected_start_date, selected_end_date, date_requested, log_type, facility_id)
			VALUES (?, ?, ?, ?, ?)`, values...)
	}
	return err
}

// Requested is for which days the latest export of a kind was made, or store.ErrNotFound.
func Requested(tx *store.Tx, kind Kind, f *auth.Collection) (from, to time.Time, err error) {
	var start, end store.Zoned
	err = tx.QueryRow(`SELECT selected_start_date, selected_end_date FROM logger_generatecsvlogrequest WHERE log_type = ? AND facility_id = ?
		ORDER BY id LIMIT 1`, kind, f.ID).Scan(&start, &end)
	return start.Time(), end.Time(), err
}

// runCleanup deletes exports for other days than the latest ones, and those of facilities that are gone.
// kolibri/core/logger/tasks.py: log_exports_cleanup
func runCleanup(host *api.Host) func(context.Context, *tasks.Task) (any, error) {
	return func(_ context.Context, t *tasks.Task) (any, error) {
		files, err := host.Media.List(strings.TrimSuffix(folder, "/"))
		if err != nil {
			return nil, err
		}
		var valid []string
		err = t.Read(func(tx *store.Tx) error {
			return store.ForEach(tx, func(row store.Scanner) error {
				f := &auth.Collection{}
				var kind *Kind
				var from, to store.Zoned
				if err := row.Scan(&f.ID, &f.Name, &kind, &from, &to); err != nil {
					return err
				}
				valid = append(valid, api.MediaName(folder, f.Name+"_"+f.ID[:4], "_users.csv"))
				if kind != nil {
					valid = append(valid, LogsFile(*kind, f, from.Time(), to.Time()))
				}
				return nil
			}, `SELECT c.id, c.name, g.log_type, g.selected_start_date, g.selected_end_date FROM kolibriauth_collection c
				LEFT JOIN logger_generatecsvlogrequest g ON g.facility_id = c.id WHERE c.kind = 'facility'`)
		})
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			if !slices.Contains(valid, name) && !strings.HasSuffix(name, ".part") {
				if err := host.Media.Remove(name); err != nil {
					return nil, err
				}
			}
		}
		return nil, nil
	}
}
