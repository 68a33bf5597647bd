package jobs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/tasks"
	"kolibri/store"
)

// maxUsersFile is the largest file of accounts: some hundred thousand lines.
const maxUsersFile = 64 << 20

// Import is an order to import accounts.
type Import struct {
	Facility *auth.Collection
	// DryRun only tells what would be done.
	DryRun bool
	// Delete removes the facility's other accounts, admins and the person By aside.
	Delete bool
	By     string
	Say    Say
	// Pause is called between the steps of the writing: it may give way to others, and end the work.
	Pause func() error
}

// Report is what an import did or would do.
type Report struct {
	Errors  []LineError
	Classes ClassCounts
	Users   Counts
}

// Run reads a file of accounts, checks it and, unless it is a dry run, does what it says in one
// transaction. A *FileError says that it is no such file. complete is called within that
// transaction. progress hears of hundred parts of the work.
// kolibri/core/auth/management/commands/bulkimportusers.py
func (o Import) Run(ctx context.Context, host *api.Host, data []byte, progress func(done float64) error, complete func(*store.Tx, *Report) error) (*Report, error) {
	file, p, err := o.plan(ctx, host, data)
	if err != nil {
		return nil, err
	}
	// the original measures its progress in these steps
	n, created, updated := float64(file.count), float64(len(p.create)), float64(len(p.update))
	done := 2 + float64(len(file.lines))*50/n + (created*created+updated*updated)*40/(n*n)
	if err := progress(1); err != nil {
		return nil, err
	}
	if o.DryRun {
		return o.report(p, file), progress(done)
	}
	hashed := 0.0
	keys, err := hashPasswords(ctx, host, append(p.create[:len(p.create):len(p.create)], p.update...), func() error {
		hashed++
		return progress(1 + (done-1)*hashed/(created+updated+1))
	})
	if err != nil {
		return nil, err
	}
	if err := progress(done); err != nil {
		return nil, err
	}
	var report *Report
	err = host.DB.Write(ctx, func(tx *store.Tx) error {
		members, err := readMembers(tx, o.Facility)
		if err != nil {
			return err
		}
		now, err := makePlan(tx, o.Facility, file, members, o.Delete, o.By)
		if err != nil {
			return err
		}
		for _, c := range now.create {
			if keys[c.number] == "" {
				return errors.New("accounts were changed by others meanwhile: import the file again")
			}
		}
		m := &importer{tx: tx, random: host.Rand, f: o.Facility, keys: keys, users: map[int]string{}, classes: map[string]*auth.Collection{},
			pause: o.Pause}
		if err := m.apply(now, o.By); err != nil {
			return err
		}
		report = o.report(now, file)
		if o.Delete { // the original counts when the new classes are there
			report.Classes.Cleared += len(now.newClasses)
		}
		return complete(tx, report)
	})
	return report, err
}

// plan reads the file and makes the plan.
func (o Import) plan(ctx context.Context, host *api.Host, data []byte) (file *usersFile, p *plan, err error) {
	err = host.DB.Read(ctx, func(tx *store.Tx) error {
		members, err := readMembers(tx, o.Facility)
		if err != nil {
			return err
		}
		names := make(map[string]bool, len(members))
		for _, m := range members {
			names[strings.ToLower(m.username)] = true
		}
		if file, err = readUsers(data, o.Say, func(lower string) bool { return names[lower] }); err != nil {
			return err
		}
		p, err = makePlan(tx, o.Facility, file, members, o.Delete, o.By)
		return err
	})
	return file, p, err
}

func (o Import) report(p *plan, file *usersFile) *Report {
	r := &Report{Errors: append(append([]LineError{}, file.errors...), p.errors...),
		Users: Counts{len(p.create), len(p.update), len(p.remove)}, Classes: ClassCounts{Created: len(p.newClasses), Updated: len(p.classes)}}
	if o.Delete {
		r.Classes.Cleared = len(p.clear)
	}
	return r
}

// validateImport takes a file, or the name of one that was checked before.
// kolibri/core/auth/tasks.py: ImportUsersFromCSVValidator
func validateImport(host *api.Host) func(*api.Request, *auth.Person, map[string]any) (tasks.Spec, error) {
	return func(r *api.Request, who *auth.Person, data map[string]any) (tasks.Spec, error) {
		values, err := r.Clean(data, []api.Field{
			{Name: "csvfilename", Optional: true, Clean: api.CleanString(0, false)},
			{Name: "dryrun", Optional: true, Default: false, Clean: api.CleanBool},
			{Name: "delete", Optional: true, Default: false, Clean: api.CleanBool},
			localeField(host), optionalFacility(),
		}, false)
		if err != nil {
			return tasks.Spec{}, err
		}
		fail := func(text string) (tasks.Spec, error) {
			return tasks.Spec{}, api.FieldError(api.Invalid, "non_field_errors", text)
		}
		upload, given := r.File("csvfile")
		switch {
		case given && values.Has("csvfilename"):
			return fail("Only one of csvfile or csvfilename can be specified")
		case !given && !values.Has("csvfilename"):
			return fail("One of csvfile or csvfilename must be specified")
		case given && upload.Size == 0:
			return tasks.Spec{}, api.FieldError("EMPTY", "csvfile", "The submitted file is empty.")
		case given && upload.Size > maxUsersFile:
			return tasks.Spec{}, api.FieldError(api.Invalid, "csvfile", "The file is too large.")
		}
		facility, err := facilityOf(who, values)
		if err != nil {
			return tasks.Spec{}, err
		}
		name := "temp/" + values.String("csvfilename")
		if given {
			token, err := auth.Token(host.Rand, 8, "abcdefghijklmnopqrstuvwxyz0123456789_")
			if err != nil {
				return tasks.Spec{}, err
			}
			name = "temp/tmp" + token + ".upload.csv"
			src, err := upload.Open()
			if err != nil {
				return tasks.Spec{}, err
			}
			defer src.Close()
			err = host.Media.Save(name, func(w io.Writer) error {
				_, err := io.Copy(w, src)
				return err
			})
			if err != nil {
				return tasks.Spec{}, err
			}
		} else if _, _, err := host.Media.Stat(name); err != nil || path.Dir(path.Clean(name)) != "temp" {
			return fail("Supplied csvfilename does not exist")
		}
		spec := tasks.Spec{Args: []any{name}, FacilityID: facility, Kwargs: map[string]any{"locale": values.String("locale"), "facility": facility,
			"dryrun": values.Bool("dryrun"), "delete": values.Bool("delete")}}
		if !who.IsAnonymous() {
			spec.Kwargs["userid"] = who.ID
		}
		return spec, nil
	}
}

// runImport is the job. A dry run keeps the file for the second phase.
func runImport(host *api.Host) func(context.Context, *tasks.Task) (any, error) {
	return func(ctx context.Context, t *tasks.Task) (any, error) {
		name, _ := t.Job.Args[0].(string)
		text := func(key string) string { s, _ := t.Job.Kwargs[key].(string); return s }
		order := Import{By: text("userid"), Say: sayIn(host, text("locale")), Pause: t.Check}
		order.DryRun, _ = t.Job.Kwargs["dryrun"].(bool)
		order.Delete, _ = t.Job.Kwargs["delete"].(bool)
		err := t.Read(func(tx *store.Tx) (err error) {
			order.Facility, err = auth.LoadCollection(tx, text("facility"))
			return err
		})
		if err != nil {
			return nil, err
		}
		tell := func(r *Report) map[string]any {
			return map[string]any{"overall_error": []string{}, "per_line_errors": r.Errors, "classes": r.Classes, "users": r.Users, "filename": path.Base(name)}
		}
		data, err := readMedia(host, name)
		var report *Report
		if err == nil {
			report, err = order.Run(ctx, host, data, func(done float64) error { return t.Progress(done, 100, nil) }, func(tx *store.Tx, r *Report) error {
				if err := t.MetadataIn(tx, tell(r)); err != nil {
					return err
				}
				return t.Complete(tx, nil) // so that no restart imports twice
			})
		}
		var bad *FileError
		switch {
		case errors.As(err, &bad):
			_ = host.Media.Remove(name)
			err := t.Metadata(map[string]any{"overall_error": bad.Messages, "per_line_errors": 0, "classes": ClassCounts{}, "users": Counts{}, "filename": ""})
			return nil, errors.Join(tasks.Fail("CommandError", bad.Error()), err)
		case err != nil:
			return nil, err
		case order.DryRun:
			return nil, t.Metadata(tell(report))
		}
		return nil, host.Media.Remove(name)
	}
}

func readMedia(host *api.Host, name string) ([]byte, error) {
	f, err := host.Media.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, tasks.Fail("FileNotFoundError", "the uploaded file is gone: choose it again")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxUsersFile))
}
