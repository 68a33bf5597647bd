package jobs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kolibri/core/auth"
	"kolibri/store"
)

// member is an account that the facility has.
type member struct {
	id, username, fullName, password, gender, birthYear, identifier string
	deleted, isAdmin                                                bool
}

// readMembers reads all accounts of a facility, deleted ones included.
func readMembers(tx *store.Tx, f *auth.Collection) ([]*member, error) {
	return store.Select(tx, func(row store.Scanner) (*member, error) {
		m := &member{}
		return m, row.Scan(&m.id, &m.username, &m.fullName, &m.gender, &m.birthYear, &m.identifier, &m.deleted, &m.isAdmin)
	}, `SELECT u.id, u.username, u.full_name, u.gender, u.birth_year, u.id_number, u.date_deleted IS NOT NULL,
			EXISTS (SELECT 1 FROM kolibriauth_role r WHERE r.user_id = u.id AND r.collection_id = u.facility_id AND r.kind = 'admin')
		FROM kolibriauth_facilityuser u WHERE u.facility_id = ?`, f.ID)
}

// change is a line with the account that it changes; a new account has none.
type change struct {
	*line
	member *member
}

// plan is what an import will do.
type plan struct {
	create, update []change
	// kept are the accounts that the file names, changed or not.
	kept []change
	// remove are the ids of accounts to delete.
	remove []string
	// classes are those that the file names: by its names, the ids of those that there are.
	classes map[string]string
	// newClasses are the names of those to make; clear the ids of those to take all members from.
	newClasses, clear []string
	errors            []LineError
}

// Counts are what an import did or would do.
type Counts struct {
	Created int `json:"created"`
	Updated int `json:"updated"`
	Deleted int `json:"deleted"`
}

// ClassCounts are what an import did or would do with classes.
type ClassCounts struct {
	Created int `json:"created"`
	Updated int `json:"updated"`
	Cleared int `json:"cleared"`
}

// makePlan compares a file with a facility's accounts and classes. by is the id of the person who
// imports, who is never deleted, or empty.
func makePlan(tx *store.Tx, f *auth.Collection, file *usersFile, members []*member, remove bool, by string) (*plan, error) {
	p := &plan{classes: map[string]string{}}
	byID, byName := map[string]*member{}, map[string]*member{}
	for _, m := range members {
		byID[m.id], byName[strings.ToLower(m.username)] = m, m
	}
	for _, l := range file.lines {
		p.place(l, byID[l.uuid], byName, file.say)
	}
	if err := p.planClasses(tx, f, file); err != nil {
		return nil, err
	}
	if remove {
		stay := map[string]bool{by: true}
		for _, c := range p.kept {
			stay[c.member.id] = true
		}
		for _, m := range members {
			if !stay[m.id] && !m.isAdmin {
				p.remove = append(p.remove, m.id)
			}
		}
	}
	p.checkFit(f, file.say)
	return p, nil
}

// place decides what a line means for the facility. m is the account whose id it has, or nil.
func (p *plan) place(l *line, m *member, byName map[string]*member, say Say) {
	fail := func(message message, what, field, value string) {
		p.errors = append(p.errors, LineError{Row: l.number, Username: &l.username, Message: say.about(message, what), Field: field, Value: &value})
	}
	namesake := byName[strings.ToLower(l.username)]
	switch {
	case m != nil:
		p.kept = append(p.kept, change{l, m})
		if m.username != l.username && namesake != nil {
			fail(duplicatedUsername, "", "USERNAME", l.username)
		} else if m.deleted || l.password != "*" || *m != (member{m.id, l.username, l.fullName, "", l.gender, l.birthYear, l.identifier, m.deleted, m.isAdmin}) {
			p.update = append(p.update, change{l, m})
		}
	case l.uuid == "" && namesake != nil:
		fail(duplicatedUsername, "", "USERNAME", l.username)
	case l.uuid != "":
		fail(unknownUUID, l.username, "PASSWORD", "*")
	case l.password == "*":
		fail(requiredPassword, "", "PASSWORD", "*")
	default:
		p.create = append(p.create, change{l, nil})
	}
}

// planClasses finds the classes that the file names, in whatever case.
func (p *plan) planClasses(tx *store.Tx, f *auth.Collection, file *usersFile) error {
	there := map[string][2]string{} // id and name by name in lower case
	err := store.ForEach(tx, func(row store.Scanner) error {
		var id, name string
		err := row.Scan(&id, &name)
		there[strings.ToLower(name)] = [2]string{id, name}
		return err
	}, "SELECT id, name FROM kolibriauth_collection WHERE parent_id = ? AND kind = 'classroom' ORDER BY id", f.ID)
	if err != nil {
		return err
	}
	wanted := map[string]bool{} // of lines that were refused for their form no class is made
	for _, l := range file.lines {
		for _, name := range slices.Concat(l.enrolled, l.assigned) {
			wanted[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if c, ok := there[strings.ToLower(name)]; ok {
			p.classes[name] = c[0]
			delete(there, strings.ToLower(name))
		} else {
			p.newClasses = append(p.newClasses, name)
		}
	}
	for _, c := range there {
		p.clear = append(p.clear, c[0])
	}
	return nil
}

// checkFit reports what the columns of an account were not made for. As in the original, such an
// account is imported all the same; only what a column cannot hold on every database is left out.
// kolibri/core/auth/management/commands/bulkimportusers.py: db_validate_list
func (p *plan) checkFit(f *auth.Collection, say Say) {
	fits := func(c change) bool {
		name := c.fullName
		if name == "" {
			name = c.username
		}
		row := fmt.Sprintf(`"%s"@"%s"`, name, f.Name)
		fail := func(field, value, text string) {
			p.errors = append(p.errors, LineError{Row: row, Message: say("", text), Field: field, Value: &value})
		}
		if utf8.RuneCountInString(c.username) > 30 {
			fail("username", c.username, "Required. 30 characters or fewer. Letters and digits only")
		}
		if year, err := strconv.Atoi(c.birthYear); c.birthYear != "" && err == nil && year > 3000 {
			fail("birth_year", c.birthYear, "Birth year "+c.birthYear+" is invalid, as it is after the year 3000")
		}
		if n := utf8.RuneCountInString(c.fullName); n > 120 {
			fail("full_name", c.fullName, fmt.Sprintf("Ensure this value has at most 120 characters (it has %d).", n))
			return false
		}
		return true
	}
	unfit := func(c change) bool { return !fits(c) }
	p.create = slices.DeleteFunc(p.create, unfit)
	p.update = slices.DeleteFunc(p.update, unfit)
}
