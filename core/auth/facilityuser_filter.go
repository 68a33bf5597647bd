package auth

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"kolibri/core/api"
	"kolibri/store"
)

// userTypes are what user_type can ask for.
var userTypes = []string{"learner", "superuser", Admin, Coach, AssignableCoach}

// narrowing are the parameters that make a bulk deletion more than "everybody"
// (kolibri/core/mixins.py: BulkDeleteMixin.allow_bulk_destroy).
var narrowing = []string{"member_of", "related_to__in", "user_type", "user_type__in", "exclude_member_of", "exclude_user_type",
	"by_ids", "date_joined__gte", "date_joined__lte", "birth_year_gte", "birth_year_lte", "search"}

// narrowed tells whether the request names whom it means.
func narrowed(r *api.Request) bool {
	return slices.ContainsFunc(narrowing, r.Query().Has)
}

// filterUsers adds the conditions that the parameters ask for to a query.
// kolibri/core/auth/api.py: FacilityUserFilter
func filterUsers(r *api.Request, q *userQuery) error {
	f := &userFilter{r: r, q: q}
	const members = "SELECT user_id FROM kolibriauth_membership WHERE collection_id"
	if c := f.collection("member_of"); c != "" {
		f.membersOf(c)
	}
	if list := f.collections("related_to__in"); list != nil {
		in := store.In(list)
		q.byRole("u.facility_id IN ? OR r.collection_id IN ? OR u.id IN ("+members+" IN ?)", in, in, in)
	}
	if t := f.types("user_type", r.Query().Get("user_type")); t != nil {
		ofType(q, t)
	}
	if t := f.types("user_type__in", r.ListParam("user_type__in")...); t != nil {
		ofType(q, t)
	}
	if c := f.collection("exclude_member_of"); c != "" {
		q.Where("NOT (u.facility_id = ? OR u.id IN ("+members+" = ?))", c, c)
	}
	if c := f.collection("exclude_coach_for"); c != "" {
		q.Where("u.id NOT IN (SELECT user_id FROM kolibriauth_role WHERE collection_id = ? AND kind IN ?)", c, store.In([]string{Coach, AssignableCoach}))
	}
	if t := f.types("exclude_user_type", r.Query().Get("exclude_user_type")); t != nil {
		switch t[0] {
		case "learner":
			q.byRole("r.id IS NOT NULL")
		case "superuser":
			q.byRole("d.is_superuser IS NULL OR d.is_superuser = FALSE")
		default:
			q.Where("u.id NOT IN (SELECT user_id FROM kolibriauth_role WHERE kind = ?)", t[0])
		}
	}
	f.joined("date_joined__gte", ">=")
	f.joined("date_joined__lte", "<=")
	f.born("birth_year_gte", ">=")
	f.born("birth_year_lte", "<=")
	if list := r.ListParam("by_ids"); list != nil {
		ids := make([]string, 0, len(list))
		for _, v := range list {
			if v == "" {
				continue // as after a comma at the end
			}
			id, ok := api.ParseUUID(strings.TrimSpace(v))
			if !ok {
				f.bad.Add(api.Invalid, "by_ids", "Enter a valid UUID.")
				break
			}
			ids = append(ids, id)
		}
		q.Where("u.id IN ?", store.In(ids))
	}
	search(q.Query, r.Tx.Dialect(), r.Query().Get("search"), "u.username", "u.full_name")
	if f.err != nil {
		return f.err
	}
	return f.bad.Err()
}

// ofType keeps users of any of the types, and of their roles those that make them so.
func ofType(q *userQuery, types []string) {
	conditions, args := []string{}, []any{}
	kinds := []string{}
	for _, t := range types {
		switch t {
		case "learner":
			conditions = append(conditions, "r.id IS NULL")
		case "superuser":
			conditions = append(conditions, "d.is_superuser = TRUE")
		case Coach: // who may be assigned to classes is a coach too
			kinds = append(kinds, Coach, AssignableCoach)
		default:
			kinds = append(kinds, t)
		}
	}
	if len(kinds) > 0 {
		conditions, args = append(conditions, "r.kind IN ?"), append(args, store.In(kinds))
	}
	q.byRole(strings.Join(conditions, " OR "), args...)
}

// userFilter reads parameters and collects what is wrong with them.
type userFilter struct {
	r   *api.Request
	q   *userQuery
	bad api.Invalidities
	err error
}

func (f *userFilter) collection(name string) string {
	v := f.r.Query().Get(name)
	if v == "" {
		return ""
	}
	if list := f.existing(name, []string{v}); list != nil {
		return list[0]
	}
	return ""
}

func (f *userFilter) collections(name string) []string {
	return f.existing(name, f.r.ListParam(name))
}

// existing returns the ids if all of them are collections.
func (f *userFilter) existing(name string, values []string) []string {
	if len(values) == 0 || f.err != nil {
		return nil
	}
	ids := []string{}
	for _, v := range values {
		if id, ok := api.ParseUUID(strings.TrimSpace(v)); ok {
			ids = append(ids, id)
		}
	}
	good := len(ids) == len(values)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if good {
		var n int64
		n, f.err = f.r.Tx.Int("SELECT count(*) FROM kolibriauth_collection WHERE id IN ?", store.In(ids))
		good = n == int64(len(ids))
	}
	if !good {
		f.bad.Add(api.InvalidChoice, name, "Select a valid choice. That choice is not one of the available choices.")
		return nil
	}
	return ids
}

// membersOf keeps the accounts of a facility and those with a membership. Hardly any collection has
// both, and for one of them there is an index.
func (f *userFilter) membersOf(collection string) {
	const accounts, members = "kolibriauth_facilityuser WHERE facility_id = ?", "kolibriauth_membership WHERE collection_id = ?"
	var facility, joined bool
	f.err = f.r.Tx.QueryRow("SELECT EXISTS (SELECT 1 FROM "+accounts+"), EXISTS (SELECT 1 FROM "+members+")", collection, collection).Scan(&facility, &joined)
	switch {
	case !facility:
		f.q.Where("u.id IN (SELECT user_id FROM "+members+")", collection)
	case !joined:
		f.q.Where("u.facility_id = ?", collection)
	default:
		f.q.Where("u.facility_id = ? OR u.id IN (SELECT user_id FROM "+members+")", collection, collection)
	}
}

func (f *userFilter) types(name string, values ...string) []string {
	if len(values) == 0 || values[0] == "" {
		return nil
	}
	for _, v := range values {
		if !slices.Contains(userTypes, v) {
			f.bad.Add(api.InvalidChoice, name, "Select a valid choice. "+v+" is not one of the available choices.")
			return nil
		}
	}
	return values
}

func (f *userFilter) joined(name, operator string) {
	v := strings.TrimSpace(f.r.Query().Get(name))
	if v == "" {
		return
	}
	t, id, _ := api.CleanTime(f.r, v)
	if id != "" {
		day, err := time.Parse(time.DateOnly, v)
		if err != nil {
			f.bad.Add(api.Invalid, name, "Enter a valid date/time.")
			return
		}
		t = day
	}
	f.q.Where("u.date_joined "+operator+" ?", store.FormatZoned(t.(time.Time)))
}

func (f *userFilter) born(name, operator string) {
	if v := f.r.Query().Get(name); v != "" {
		f.q.Where("u.birth_year NOT IN ? AND u.birth_year "+operator+" ?", store.In([]string{NotSpecified, Deferred}), v)
	}
}

// maxWords bounds how many words of a search count.
const maxWords = 30

// search keeps rows in which each word is found in one of the columns, whatever its case.
// rest_framework/filters.py: SearchFilter
func search(q *api.Query, dialect store.Dialect, text string, columns ...string) {
	for _, word := range searchWords(text) {
		like(q, dialect, "%", word, columns...)
	}
}

// searchWords splits a search as Django REST framework does; there is a limit to how many words count.
func searchWords(text string) []string {
	words := strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || c == ',' || c == 0 })
	return words[:min(len(words), maxWords)]
}

// like keeps rows in which one of the columns has a word after before, which is a pattern, whatever
// the word's case.
func like(q *api.Query, dialect store.Dialect, before, word string, columns ...string) {
	operator, forms := "ILIKE", []string{word}
	if dialect == store.SQLite {
		operator, forms = "LIKE", caseForms(word)
	}
	var conditions []string
	var args []any
	for _, form := range forms {
		pattern := before + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(form) + "%"
		for _, c := range columns {
			conditions = append(conditions, c+" "+operator+` ? ESCAPE '\'`)
			args = append(args, pattern)
		}
	}
	q.Where(strings.Join(conditions, " OR "), args...)
}

// caseForms are the forms in which SQLite, whose LIKE knows the cases of ASCII only, looks for a
// word: in small letters, in capitals, and with a capital first.
func caseForms(word string) []string {
	small := strings.ToLower(word)
	runes := []rune(small)
	runes[0] = unicode.ToTitle(runes[0])
	var forms []string
	for _, form := range []string{small, asciiLower(strings.ToUpper(word)), asciiLower(string(runes))} {
		if !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	return forms
}

// asciiLower writes A to Z small and leaves all other letters.
func asciiLower(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, s)
}
