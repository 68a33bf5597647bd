package jobs

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/csv"
)

// The messages about a file of accounts (kolibri/core/auth/management/commands/bulkimportusers.py).
var (
	tooLong            = message{"Error when the command is executed in the Terminal (command prompt)", "Value in column '{}' has too many characters"}
	notValid           = message{"", "Value in column '{}' not valid"}
	duplicatedUsername = message{"", "Username is duplicated"}
	invalidUsername    = message{"", "Username only can contain characters, numbers and underscores"}
	requiredColumn     = message{"Error message indicating that the CSV file selected for import is missing a required column", "The column '{}' is required"}
	invalidHeader      = message{"Error message indicating that one column header in the CSV file selected for import is missing or incorrect", "Incorrect header label found in the first row"}
	unreadable         = message{"", "Error trying to read csv file: {}"}
	requiredPassword   = message{"", "The password field is required. To leave the password unchanged in existing users, insert an asterisk (*)"}
	unknownUUID        = message{"", "Cannot update user with ID: '{}' because no user with that database ID exists in this facility"}
	invalidUUID        = message{"", "Database ID is not valid"}
)

// message is a text with its gettext context; {} stands for what it is about.
type message struct{ context, text string }

func (say Say) about(m message, what string) string {
	return strings.Replace(say(m.context, m.text), "{}", what, 1)
}

// LineError is what is wrong with a line. Row is its number among those that are not empty, the head
// aside, or names the account that the database could not hold as it is.
type LineError struct {
	Row      any     `json:"row"`
	Username *string `json:"username,omitempty"`
	Message  string  `json:"message"`
	Field    string  `json:"field"`
	Value    *string `json:"value"`
}

// FileError is what is wrong with a file as a whole, in the reader's language.
type FileError struct{ Messages []string }

// Error implements error as the original's CommandError reads.
func (e *FileError) Error() string {
	quoted := make([]string, len(e.Messages))
	for i, m := range e.Messages {
		quoted[i] = "'" + m + "'"
	}
	return "File errors: [" + strings.Join(quoted, ", ") + "]"
}

// line is a line of the file that may be imported.
type line struct {
	number                          int
	uuid, username, password        string
	fullName, identifier, birthYear string
	gender, kind                    string
	enrolled, assigned              []string
}

// usersFile is a file of accounts, read and checked as far as that goes without the database.
type usersFile struct {
	// count is how many lines of text the file has, which the progress is measured by.
	count  int
	lines  []*line
	errors []LineError
	// known tells whether the facility has an account of a name in lower case, deleted ones included.
	known   func(lower string) bool
	say     Say
	places  map[string]int // of the columns in a record
	classes map[string]string
	seen    map[string]bool
}

// readUsers reads a file. known is asked for names in lower case.
func readUsers(data []byte, say Say, known func(lower string) bool) (*usersFile, error) {
	f := &usersFile{known: known, say: say, classes: map[string]string{}, seen: map[string]bool{}}
	text, err := csv.Decode(data)
	if err != nil {
		return nil, &FileError{[]string{say.about(unreadable, err.Error())}}
	}
	f.count = csv.Lines(text)
	r := csv.NewReader(text)
	head, err := r.Read()
	if err := f.readHead(head, err); err != nil {
		return nil, err
	}
	for number := 1; ; {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return f, nil
		case err != nil:
			return nil, &FileError{[]string{say.about(unreadable, err.Error())}}
		case len(record) == 0:
			continue
		}
		f.read(number, record)
		number++
	}
}

// readHead finds the columns. What stands in brackets counts, so that the labels may be translated.
func (f *usersFile) readHead(head []string, err error) error {
	if errors.Is(err, io.EOF) {
		return &FileError{[]string{f.say.about(invalidHeader, "")}}
	}
	if err != nil {
		return &FileError{[]string{f.say.about(unreadable, err.Error())}}
	}
	f.places = map[string]int{}
	known, other := 0, 0
	for i, label := range head {
		name := label
		if _, inner, ok := strings.Cut(label, "("); ok {
			name, _, _ = strings.Cut(inner, ")")
		}
		if isColumn(name) {
			known++
			f.places[name] = i
		} else {
			other++
		}
	}
	var wrong []string
	switch {
	case other > 0 && known > 0: // said twice, as the original does
		wrong = []string{f.say.about(invalidHeader, ""), f.say.about(invalidHeader, "")}
	case other > 0:
		wrong = []string{f.say.about(invalidHeader, "")}
	default:
		for _, c := range columns {
			if _, ok := f.places[c.name]; !ok {
				wrong = append(wrong, f.say.about(requiredColumn, c.name))
			}
		}
	}
	if wrong != nil {
		return &FileError{wrong}
	}
	return nil
}

func isColumn(name string) bool {
	for _, c := range columns {
		if c.name == name {
			return true
		}
	}
	return false
}

// read checks a line, and keeps it if nothing is wrong with it.
func (f *usersFile) read(number int, record []string) {
	cell := func(name string) *string {
		if i := f.places[name]; i < len(record) {
			return &record[i]
		}
		return nil
	}
	text := func(name string) string {
		if v := cell(name); v != nil {
			return *v
		}
		return ""
	}
	before := len(f.errors)
	fail := func(column, message string) {
		f.errors = append(f.errors, LineError{Row: number, Message: message, Field: column, Value: cell(column)})
	}
	l := &line{number: number, uuid: text("UUID"), username: text("USERNAME"), password: text("PASSWORD"), fullName: text("FULL_NAME"),
		identifier: answer(text("IDENTIFIER")), birthYear: answer(text("BIRTH_YEAR")), gender: answer(text("GENDER")), kind: strings.ToUpper(text("USER_TYPE"))}
	lower := strings.ToLower(l.username)
	if l.username == "" || f.seen[lower] || l.uuid == "" && f.known(lower) {
		fail("USERNAME", f.say.about(duplicatedUsername, ""))
	}
	for _, c := range checks {
		if !c.fits(cell(c.column)) {
			what := c.what
			if what == "" {
				what = c.column
			}
			fail(c.column, f.say.about(c.message, what))
		}
	}
	if len(f.errors) > before {
		return
	}
	f.seen[lower] = true
	l.enrolled = f.classNames(text("ENROLLED_IN"))
	if l.kind != "LEARNER" { // a learner coaches no class
		l.assigned = f.classNames(text("ASSIGNED_TO"))
	}
	f.lines = append(f.lines, l)
}

// answer is the answer to a question about a person; DEFERRED is none.
func answer(text string) string {
	if text = strings.ToUpper(strings.TrimSpace(text)); text == auth.Deferred {
		return ""
	}
	return text
}

// classNames reads the names of classes, each in the way in which it was written first.
func (f *usersFile) classNames(text string) []string {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		lower := strings.ToLower(name)
		if f.classes[lower] == "" {
			f.classes[lower] = name
		}
		if name = f.classes[lower]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// check is a rule for a column. A cell that a short line lacks is nil.
type check struct {
	column  string
	fits    func(cell *string) bool
	message message
	what    string // in the message instead of the column
}

// checks are the rules in the order in which they are reported.
var checks = []check{
	{"UUID", func(v *string) bool { return v == nil || *v == "" || isUUID(*v) }, invalidUUID, ""},
	{"FULL_NAME", atMost(125), tooLong, ""},
	{"BIRTH_YEAR", isYear, notValid, ""},
	{"USERNAME", atMost(125), tooLong, ""},
	{"USERNAME", func(v *string) bool { return v != nil && !strings.ContainsFunc(*v, auth.ForbiddenInUsername) }, invalidUsername, ""},
	{"USERNAME", func(v *string) bool { return v != nil && *v != "" }, requiredColumn, ""},
	{"PASSWORD", atMost(128), tooLong, ""},
	{"PASSWORD", func(v *string) bool { return v != nil && *v != "" }, requiredPassword, ""},
	{"USER_TYPE", oneOf("LEARNER", "ADMIN", "FACILITY_COACH", "CLASS_COACH"), notValid, ""},
	{"GENDER", oneOf("", "MALE", "FEMALE", auth.NotSpecified, auth.Deferred), notValid, ""},
	{"IDENTIFIER", atMost(64), tooLong, ""},
	{"ENROLLED_IN", classesFit, tooLong, "Class name"},
	{"ASSIGNED_TO", classesFit, tooLong, "Class name"},
}

func isUUID(text string) bool { _, ok := api.ParseUUID(text); return ok }

func atMost(length int) func(*string) bool {
	return func(v *string) bool { return v != nil && utf8.RuneCountInString(*v) <= length }
}

func isYear(v *string) bool {
	if v == nil || *v == "" || *v == auth.Deferred {
		return true
	}
	year, ok := number(strings.TrimSpace(*v))
	return ok && year >= 1900 && year <= 99999
}

// number reads a whole number as Python's int does: in the digits of any script, with single underscores
// between them.
func number(text string) (int, bool) {
	if strings.HasPrefix(text, "_") || strings.HasSuffix(text, "_") || strings.Contains(text, "__") ||
		strings.HasPrefix(text, "-_") || strings.HasPrefix(text, "+_") {
		return 0, false
	}
	n, err := strconv.Atoi(strings.Map(func(c rune) rune {
		switch {
		case c == '_':
			return -1
		case c > unicode.MaxASCII && unicode.Is(unicode.Nd, c):
			return '0' + digit(c)
		}
		return c
	}, text))
	return n, err == nil
}

// digit is the value of a decimal digit. Scripts have theirs in runs of ten, from nought up; those of
// mathematics, five such runs, are the only ones that touch.
func digit(c rune) rune {
	if c >= '\U0001d7ce' {
		return (c - '\U0001d7ce') % 10
	}
	n := rune(0)
	for unicode.Is(unicode.Nd, c-n-1) {
		n++
	}
	return n
}

func oneOf(values ...string) func(*string) bool {
	return func(v *string) bool { return v != nil && slices.Contains(values, strings.ToUpper(*v)) }
}

func classesFit(v *string) bool {
	if v == nil || *v == auth.Deferred {
		return true
	}
	for name := range strings.SplitSeq(*v, ",") {
		if utf8.RuneCountInString(name) > 50 {
			return false
		}
	}
	return true
}
