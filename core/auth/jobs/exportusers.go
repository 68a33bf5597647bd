package jobs

import (
	"context"
	"io"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/csv"
	"kolibri/core/tasks"
	"kolibri/store"
)

// Say translates one of the original's texts (api.Pages.Text in a chosen language).
type Say func(context, text string) string

// sayIn is Say in a language.
func sayIn(host *api.Host, lang string) Say {
	return func(context, text string) string { return host.Pages.Text(lang, context, text) }
}

// columns are the columns of a file of accounts: what the import knows them by, and how the export
// heads them. kolibri/core/auth/management/commands/bulkexportusers.py: translate_labels
var columns = []struct{ name, context, label string }{
	{"UUID", "", "Database ID ({})"},
	{"USERNAME", "", "Username ({})"},
	{"PASSWORD", "", "Password ({})"},
	{"FULL_NAME", "", "Full name ({})"},
	{"USER_TYPE", "CSV header for the type of user: ADMIN, LEARNER, COACH...", "User type ({})"},
	{"IDENTIFIER", "", "Identifier ({})"},
	{"BIRTH_YEAR", "", "Birth year ({})"},
	{"GENDER", "", "Gender ({})"},
	{"ENROLLED_IN", "CSV file header for the list of classrooms names where the learner is going to be enrolled", "Learner enrollment ({})"},
	{"ASSIGNED_TO", "CSV file header for the list of classrooms names where the tutor is going to be a coach", "Coach assignment ({})"},
}

// userTypes are the types of accounts in a file, by the kind of role at the facility.
var userTypes = map[string]string{"": "LEARNER", auth.Admin: "ADMIN", auth.Coach: "FACILITY_COACH", auth.AssignableCoach: "CLASS_COACH"}

// UsersFile is where a facility's exported accounts lie.
func UsersFile(f *auth.Collection) string {
	return api.MediaName("log_export", f.Name+"_"+f.ID[:4], "_users.csv")
}

// localeField is the language that a job speaks.
// kolibri/core/auth/tasks.py: LocaleChoiceField
func localeField(host *api.Host) api.Field {
	return api.Field{Name: "locale", Clean: func(_ *api.Request, v any) (any, string, string) {
		if code, ok := v.(string); ok && host.Pages.HasLanguage(code) {
			return code, "", ""
		}
		return api.CleanChoice()(nil, v)
	}}
}

// facilityOf is the chosen facility, or that of the person who asks.
func facilityOf(who *auth.Person, values api.Values) (string, error) {
	if id := values.String("facility"); id != "" {
		return id, nil
	}
	if who.FacilityID == "" {
		return "", api.FieldError(api.Invalid, "non_field_errors", "Facility must be specified")
	}
	return who.FacilityID, nil
}

func optionalFacility() api.Field {
	f := facilityKey("facility")
	f.Optional, f.Null = true, true
	return f
}

// kolibri/core/auth/tasks.py: ExportUsersToCSVValidator
func validateExport(host *api.Host) func(*api.Request, *auth.Person, map[string]any) (tasks.Spec, error) {
	return func(r *api.Request, who *auth.Person, data map[string]any) (tasks.Spec, error) {
		values, err := r.Clean(data, []api.Field{localeField(host), optionalFacility()}, false)
		if err != nil {
			return tasks.Spec{}, err
		}
		facility, err := facilityOf(who, values)
		if err != nil {
			return tasks.Spec{}, err
		}
		return tasks.Spec{Kwargs: map[string]any{"locale": values.String("locale"), "facility": facility}, FacilityID: facility}, nil
	}
}

// runExport writes the accounts of a facility to its file.
// kolibri/core/auth/management/commands/bulkexportusers.py
func runExport(host *api.Host) func(context.Context, *tasks.Task) (any, error) {
	return func(ctx context.Context, t *tasks.Task) (any, error) {
		id, _ := t.Job.Kwargs["facility"].(string)
		locale, _ := t.Job.Kwargs["locale"].(string)
		var f *auth.Collection
		err := t.Read(func(tx *store.Tx) (err error) {
			f, err = auth.LoadCollection(tx, id)
			return err
		})
		if err != nil {
			return nil, err
		}
		var all int64
		err = host.Media.Save(UsersFile(f), func(w io.Writer) error {
			all, err = ExportUsers(ctx, host, w, f, sayIn(host, locale), func(done, all int64) error {
				return t.Progress(float64(done), float64(all), nil)
			})
			return err
		})
		if err != nil {
			return nil, err
		}
		return nil, t.Metadata(map[string]any{"overall_error": []string{}, "users": all, "filename": UsersFile(f)})
	}
}

// exportedUser is a line of the file.
type exportedUser struct {
	id                                                      string
	username, fullName, identifier, birthYear, gender, kind string
	enrolled, assigned                                      []string
}

// exportPage is how many accounts are read in one transaction: the tab has one connection, and
// others want it too.
const exportPage = 500

// ExportUsers writes the accounts of a facility, admins aside, and returns how many accounts the
// facility has. Passwords are asterisks, which the import takes for "as it is".
func ExportUsers(ctx context.Context, host *api.Host, to io.Writer, f *auth.Collection, say Say, progress func(done, all int64) error) (all int64, err error) {
	w := csv.NewWriter(to)
	heads := make([]string, 0, len(columns))
	for _, c := range columns {
		heads = append(heads, strings.Replace(say(c.context, c.label), "{}", c.name, 1))
	}
	if err := w.Write(heads...); err != nil {
		return 0, err
	}
	done := int64(0)
	for last := ""; ; {
		var page []*exportedUser
		err := host.DB.Read(ctx, func(tx *store.Tx) (err error) {
			if all, err = tx.Int("SELECT count(*) FROM kolibriauth_facilityuser WHERE facility_id = ? AND date_deleted IS NULL", f.ID); err != nil {
				return err
			}
			page, err = readExport(tx, f, last)
			return err
		})
		if err != nil || len(page) == 0 {
			return all, err
		}
		for _, u := range page {
			last = u.id
			if u.kind == auth.Admin {
				continue
			}
			line := []string{u.id, u.username, "*", u.fullName, userTypes[u.kind], u.identifier, specified(u.birthYear), specified(u.gender),
				strings.Join(u.enrolled, ","), strings.Join(u.assigned, ",")}
			for i := range line {
				line[i] = csv.Sanitize(line[i])
			}
			if err := w.Write(line...); err != nil {
				return all, err
			}
			done++
		}
		if err := progress(done, all); err != nil {
			return all, err
		}
	}
}

// specified is an answer to a question, or nothing when it was not answered.
func specified(answer string) string {
	if answer == auth.NotSpecified || answer == auth.Deferred {
		return ""
	}
	return answer
}

// readExport reads the accounts that come after the one with an id, and their classes.
func readExport(tx *store.Tx, f *auth.Collection, after string) ([]*exportedUser, error) {
	q := (&api.Query{From: "kolibriauth_facilityuser u", Order: "u.id"}).Where("u.facility_id = ? AND u.date_deleted IS NULL", f.ID)
	if after != "" {
		q.Where("u.id > ?", after)
	}
	text, args := q.SQL(`u.id, u.username, u.full_name, u.id_number, u.birth_year, u.gender, COALESCE((SELECT r.kind FROM kolibriauth_role r
		WHERE r.user_id = u.id AND r.collection_id = u.facility_id ORDER BY CASE r.kind WHEN 'admin' THEN 0 WHEN 'coach' THEN 1 ELSE 2 END LIMIT 1), '')`)
	page, err := store.Select(tx, func(row store.Scanner) (*exportedUser, error) {
		u := &exportedUser{}
		return u, row.Scan(&u.id, &u.username, &u.fullName, &u.identifier, &u.birthYear, &u.gender, &u.kind)
	}, text+" LIMIT ?", append(args, exportPage)...)
	if err != nil {
		return nil, err
	}
	byID, ids := map[string]*exportedUser{}, make([]string, 0, len(page))
	for _, u := range page {
		byID[u.id], ids = u, append(ids, u.id)
	}
	for _, from := range []struct {
		table, condition string
		add              func(u *exportedUser, class string)
	}{
		{"kolibriauth_membership", "", func(u *exportedUser, class string) { u.enrolled = append(u.enrolled, class) }},
		{"kolibriauth_role", " AND l.kind = 'coach'", func(u *exportedUser, class string) { u.assigned = append(u.assigned, class) }},
	} {
		err := store.ForEach(tx, func(row store.Scanner) error {
			var user, class string
			if err := row.Scan(&user, &class); err != nil {
				return err
			}
			from.add(byID[user], class)
			return nil
		}, "SELECT l.user_id, c.name FROM "+from.table+" l JOIN kolibriauth_collection c ON c.id = l.collection_id AND c.kind = 'classroom' WHERE l.user_id IN ?"+
			from.condition+" ORDER BY c.name, c.id", store.In(ids))
		if err != nil {
			return nil, err
		}
	}
	return page, nil
}
