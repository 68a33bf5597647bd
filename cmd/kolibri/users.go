//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"kolibri/core/api"
	"kolibri/core/auth"
	authjobs "kolibri/core/auth/jobs"
	logjobs "kolibri/core/logger/jobs"
	"kolibri/server/pages"
	"kolibri/store"
)

// facilityFlags are what all verbs about a facility take.
type facilityFlags struct{ facility, locale, output string }

func (f *facilityFlags) define(flags *flag.FlagSet) {
	flags.StringVar(&f.facility, "facility", "", "Facility id; without one the default facility is meant")
	flags.StringVar(&f.locale, "locale", "en", "Code of the language for headers and messages")
}

func (f *facilityFlags) defineOutput(flags *flag.FlagSet) {
	f.define(flags)
	flags.StringVar(&f.output, "output-file", "", "The file to write")
	flags.StringVar(&f.output, "O", "", "The file to write")
}

// onFacility opens the home and finds the facility.
func (c *command) onFacility(s *settings, f *facilityFlags, fn func(ctx context.Context, host *api.Host, c *auth.Collection, say authjobs.Say) error) int {
	return c.withPages(func(ctx context.Context, texts *pages.Pages) error {
		if _, ok := texts.Language(f.locale); !ok {
			return fmt.Errorf("there is no language %q", f.locale)
		}
		return c.atHome(ctx, s, func(host *api.Host) error {
			facility, err := f.find(ctx, host.DB)
			if err != nil {
				return err
			}
			return fn(ctx, host, facility, func(context, text string) string { return texts.Text(f.locale, context, text) })
		})
	})
}

// find reads the facility that is meant.
func (f *facilityFlags) find(ctx context.Context, db *store.DB) (facility *auth.Collection, err error) {
	err = db.Read(ctx, func(tx *store.Tx) (err error) {
		id, ok := api.ParseUUID(f.facility)
		if f.facility == "" {
			if id, err = auth.DefaultFacility(tx); err != nil {
				return err
			}
			if ok = id != ""; !ok {
				return errors.New("no default facility exists: set the device up first")
			}
		}
		if ok {
			facility, err = auth.LoadCollection(tx, id)
		}
		if !ok || errors.Is(err, store.ErrNotFound) || err == nil && facility.Kind != auth.KindFacility {
			return fmt.Errorf("there is no facility with the id %q", f.facility)
		}
		return err
	})
	return facility, err
}

// importUsers brings accounts in from a CSV file.
// kolibri/core/auth/management/commands/bulkimportusers.py
func importUsers(c *command, args []string) int {
	var f facilityFlags
	var order authjobs.Import
	options, files := split(args, func(name string) bool {
		return name == "facility" || name == "locale" || name == "userid" || name == "errorlines"
	})
	var lines string
	s, code := c.settings("manage bulkimportusers", options, func(flags *flag.FlagSet) {
		f.define(flags)
		flags.BoolVar(&order.DryRun, "dryrun", false, "Validate data without doing actual database updates")
		flags.BoolVar(&order.Delete, "delete", false, "Delete all users in the facility not included in this import (except admins)")
		flags.StringVar(&order.By, "userid", "", "Id of a user who is not deleted either")
		flags.StringVar(&lines, "errorlines", "", "File to write the errors to")
	})
	if s == nil {
		return code
	}
	if len(files) != 1 {
		return c.usage("kolibri manage bulkimportusers", "the arguments are: bulkimportusers filepath")
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		return c.fail(err)
	}
	return c.onFacility(s, &f, func(ctx context.Context, host *api.Host, facility *auth.Collection, say authjobs.Say) error {
		order.Facility, order.Say, order.Pause = facility, say, ctx.Err
		report, err := order.Run(ctx, host, data, func(float64) error { return ctx.Err() }, func(*store.Tx, *authjobs.Report) error { return nil })
		if err != nil {
			return err
		}
		var text strings.Builder
		for _, e := range report.Errors {
			value := ""
			if e.Value != nil {
				value = *e.Value
			}
			fmt.Fprintf(&text, "row %v, column %s: %s (%q)\n", e.Row, e.Field, e.Message, value)
		}
		fmt.Fprint(c.err, text.String())
		fmt.Fprintf(c.out, "Classes: %d created, %d updated, %d cleared\nUsers: %d created, %d updated, %d deleted\n",
			report.Classes.Created, report.Classes.Updated, report.Classes.Cleared, report.Users.Created, report.Users.Updated, report.Users.Deleted)
		if lines != "" {
			return os.WriteFile(lines, []byte(text.String()), filePermissions)
		}
		return nil
	})
}

// writeNewFile writes a file that appears when it is whole, over an older one only if that is wanted.
func writeNewFile(path string, overwrite bool, write func(io.Writer) error) error {
	if _, err := os.Stat(path); err == nil && !overwrite {
		return fmt.Errorf("%s already exists", path)
	}
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	w := bufio.NewWriter(part)
	if err = write(w); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = part.Chmod(filePermissions)
	}
	if err = errors.Join(err, part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

// exportUsers writes accounts to a CSV file.
// kolibri/core/auth/management/commands/bulkexportusers.py
func exportUsers(c *command, args []string) int {
	var f facilityFlags
	s, code := c.settings("manage bulkexportusers", args, func(flags *flag.FlagSet) {
		f.defineOutput(flags)
		flags.Bool("overwrite", true, "Accepted for the original's sake")
		flags.Bool("w", true, "Accepted for the original's sake")
	})
	if s == nil {
		return code
	}
	return c.onFacility(s, &f, func(ctx context.Context, host *api.Host, facility *auth.Collection, say authjobs.Say) error {
		if f.output == "" {
			f.output = filepath.Base(authjobs.UsersFile(facility))
		}
		return writeNewFile(f.output, true, func(w io.Writer) error {
			_, err := authjobs.ExportUsers(ctx, host, w, facility, say, func(int64, int64) error { return ctx.Err() })
			return err
		})
	})
}

// exportLogs writes what people did to a CSV file.
// kolibri/core/logger/management/commands/exportlogs.py
func exportLogs(c *command, args []string) int {
	var f facilityFlags
	var kind, from, to string
	var overwrite bool
	s, code := c.settings("manage exportlogs", args, func(flags *flag.FlagSet) {
		f.defineOutput(flags)
		for _, name := range []string{"log-type", "l"} {
			flags.StringVar(&kind, name, "session", `Log type to be exported. Valid values are "session" and "summary".`)
		}
		for _, name := range []string{"overwrite", "w"} {
			flags.BoolVar(&overwrite, name, false, "Overwrite the file if it exists")
		}
		flags.StringVar(&from, "start_date", "", "First day, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS")
		flags.StringVar(&to, "end_date", "", "Last day, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS")
	})
	if s == nil {
		return code
	}
	o := logjobs.Export{Kind: logjobs.Kind(kind)}
	if o.Kind != logjobs.Session && o.Kind != logjobs.Summary {
		return c.usage("kolibri manage exportlogs", fmt.Sprintf("argument --log-type: invalid choice: '%s' (choose from session, summary)", kind))
	}
	for _, d := range []struct {
		name, text string
		at         *time.Time
	}{{"start_date", from, &o.From}, {"end_date", to, &o.To}} {
		var err error
		if d.text == "" {
			continue
		}
		if *d.at, err = logjobs.ParseDate(d.text); err != nil {
			return c.usage("kolibri manage exportlogs", "argument --"+d.name+": not a date: "+d.text)
		}
	}
	return c.onFacility(s, &f, func(ctx context.Context, host *api.Host, facility *auth.Collection, say authjobs.Say) error {
		o.Facility, o.Say = facility, say
		if f.output == "" {
			f.output = filepath.Base(logjobs.LogsFile(o.Kind, facility, o.From, o.To))
		}
		return writeNewFile(f.output, overwrite, func(w io.Writer) error {
			return o.Write(ctx, host.DB, w, func(int64, int64) error { return ctx.Err() })
		})
	})
}

// passwordAttempts is how often a password is asked for before the command gives up, as the original does.
const passwordAttempts = 3

// changePassword gives somebody a new password, which is asked for twice.
// django/contrib/auth/management/commands/changepassword.py
func changePassword(c *command, args []string) int {
	var f facilityFlags
	options, names := split(args, func(name string) bool { return name == "facility" || name == "locale" })
	s, code := c.settings("manage changepassword", options, f.define)
	if s == nil {
		return code
	}
	if len(names) != 1 {
		return c.usage("kolibri manage changepassword", "the arguments are: changepassword username")
	}
	return c.onFacility(s, &f, func(ctx context.Context, host *api.Host, facility *auth.Collection, _ authjobs.Say) error {
		fmt.Fprintf(c.out, "Changing password for user '%s'\n", names[0])
		password, err := c.askPassword()
		if err != nil {
			return err
		}
		if err := auth.ResetPassword(ctx, host, facility, names[0], password); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "Password changed successfully for user '%s'\n", names[0])
		return nil
	})
}

// askPassword asks for a new password until it was given twice alike. A terminal does not show it.
func (c *command) askPassword() (string, error) {
	lines := bufio.NewReader(c.in)
	ask := func(prompt string) (string, error) {
		fmt.Fprint(c.out, prompt)
		if f, ok := c.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			defer fmt.Fprintln(c.out)
			text, err := term.ReadPassword(int(f.Fd()))
			return string(text), err
		}
		text, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && text != "" {
			err = nil
		}
		return strings.TrimRight(text, "\r\n"), err
	}
	for range passwordAttempts {
		password, err := ask("Password: ")
		if err != nil {
			return "", fmt.Errorf("no password was given: %w", err)
		}
		again, err := ask("Password (again): ")
		switch {
		case err != nil:
			return "", fmt.Errorf("the password was given once only: %w", err)
		case password == "":
			fmt.Fprintln(c.err, "The password must not be empty. Please try again.")
		case password != again:
			fmt.Fprintln(c.err, "Passwords do not match. Please try again.")
		default:
			return password, nil
		}
	}
	return "", fmt.Errorf("nothing was changed after %d attempts", passwordAttempts)
}

// deleteFacility removes a facility with all its data from this device.
// kolibri/core/auth/management/commands/deletefacility.py
func deleteFacility(c *command, args []string) int {
	var f facilityFlags
	var sure bool
	s, code := c.settings("manage deletefacility", args, func(flags *flag.FlagSet) {
		f.define(flags)
		flags.BoolVar(&sure, "noninteractive", false, "Do not ask")
		flags.Bool("strict", false, "Accepted for the original's sake: a deletion is whole or is not at all")
	})
	if s == nil {
		return code
	}
	return c.onFacility(s, &f, func(ctx context.Context, host *api.Host, facility *auth.Collection, _ authjobs.Say) error {
		if !sure && !c.noInput {
			fmt.Fprintf(c.out, "Are you sure you wish to permanently delete the facility %q with all its data? [yes/no] ", facility.Name)
			answer, err := bufio.NewReader(c.in).ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "yes" && answer != "y" {
				return errors.New("nothing was deleted")
			}
		}
		return host.DB.Write(ctx, func(tx *store.Tx) error { return auth.ForgetFacility(tx, facility) })
	})
}
