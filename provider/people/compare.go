//go:build !js

package people

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kolibri/provider/text"
)

// Reason is something that speaks for or against two accounts being one person's. Weight is how far it
// moves the score: up to 1 for, down to -1 against.
type Reason struct {
	Field  string  `json:"field"` // identifier, email, username or name
	Text   string  `json:"text"`
	Weight float64 `json:"weight"`
}

// account is a Person as it is compared.
type account struct {
	number                      int64
	names                       []string // folded, sorted
	whole                       string   // the names in one, without spaces
	line                        string   // the same in the order in which they were written
	username, email, identifier string
}

// maxNames is how many parts of a name are compared.
const maxNames = 6

func newAccount(u Person) account {
	a := account{number: u.number, email: mail(u.Email), identifier: plain(u.Identifier), username: plain(u.Username)}
	a.names, a.line = nameParts(u.Name)
	if len(a.names) == 0 && strings.ContainsAny(u.Username, "._- ") { // "jane.doe" is a name too
		a.names, a.line = nameParts(strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return ' '
			}
			return r
		}, u.Username))
	}
	a.whole = strings.Join(a.names, "")
	if utf8.RuneCountInString(a.username) < 3 {
		a.username = ""
	}
	if utf8.RuneCountInString(a.identifier) < 3 {
		a.identifier = ""
	}
	return a
}

// nameParts are the parts of a name, sorted: which comes first differs between lists and cultures. Rows
// of letters in a script without spaces stay together. line is all of them as they were written.
func nameParts(name string) (parts []string, line string) {
	last := -1
	text.Words(text.Clean(name), func(word string, start, end int) bool {
		if start == last && text.Unspaced(word) && len(parts) > 0 {
			parts[len(parts)-1] += word
		} else {
			parts = append(parts, word)
		}
		last = end
		return len(parts) <= maxNames
	})
	parts = parts[:min(len(parts), maxNames)]
	line = strings.Join(parts, "")
	slices.Sort(parts)
	return parts, line
}

// plain is a username or number without what is left out of them at times.
func plain(s string) string {
	var b strings.Builder
	text.Words(text.Clean(s), func(word string, _, _ int) bool { b.WriteString(word); return true })
	return b.String()
}

// mail is an address as it is compared, or "" if it is none. What follows a + is a note.
func mail(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	local, domain, ok := strings.Cut(s, "@")
	if local, _, _ = strings.Cut(local, "+"); !ok || local == "" || !strings.Contains(domain, ".") {
		return ""
	}
	return local + "@" + domain
}

// compare scores two accounts and says why. alone: nobody else at either provider has the name.
func compare(a, b *account, alone bool) (score float64, reasons []Reason) {
	against := 1.0
	rest := 1.0 // what no reason speaks for yet
	add := func(field, why string, weight float64) {
		reasons = append(reasons, Reason{field, why, weight})
		if weight > 0 {
			rest *= 1 - weight
		} else {
			against *= 1 + weight
		}
	}
	if a.identifier != "" && b.identifier != "" {
		if a.identifier == b.identifier {
			add("identifier", "the same identifier", 0.9)
		} else {
			add("identifier", "different identifiers", -0.4)
		}
	}
	if a.email != "" && b.email != "" {
		if a.email == b.email {
			add("email", "the same email address", 0.9)
		} else {
			add("email", "different email addresses", -0.1)
		}
	}
	switch {
	case a.username == "" || b.username == "":
	case a.username == b.username:
		add("username", "the same username", 0.45)
	case near(a.username, b.username) >= 0.85:
		add("username", "similar usernames", 0.15)
	}
	switch like := likeness(a, b); {
	case a.whole == "" || b.whole == "":
	case like >= 0.999 && alone:
		add("name", "the same name, which nobody else has", 0.7)
	case like >= 0.999:
		add("name", "the same name, which others have too", 0.45)
	case like >= 0.75:
		add("name", fmt.Sprintf("similar names (%d %%)", int(like*100)), math.Round(60*like)/100)
	case like < 0.4 && script(a.whole) == script(b.whole):
		add("name", "different names", -0.4)
	}
	score = (1 - rest) * against
	return math.Round(score*1000) / 1000, reasons
}

// script tells names apart that cannot be compared letter by letter.
func script(name string) string {
	r, _ := utf8.DecodeRuneInString(name)
	for _, s := range []string{"Latin", "Arabic", "Cyrillic", "Han", "Devanagari", "Greek", "Hebrew", "Hiragana", "Hangul", "Thai", "Ethiopic", "Bengali", "Tamil"} {
		if unicode.Is(unicode.Scripts[s], r) {
			return s
		}
	}
	return ""
}

// likeness of two names, 0 to 1, whatever the order of their parts and the spaces between them.
func likeness(one, other *account) float64 {
	a, b := one.names, other.names
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	taken := make([]bool, len(b))
	sum := 0.0
	for _, x := range a {
		best, at := 0.0, -1
		for j, y := range b {
			if s := alike(x, y); !taken[j] && s > best {
				best, at = s, j
			}
		}
		if at >= 0 {
			taken[at] = true
		}
		sum += best
	}
	parts := sum / float64(len(a)) * (1 - 0.08*float64(len(b)-len(a))) // middle names are left out at times
	if len(a) == 1 && len(b) > 1 {
		parts = min(parts, 0.6) // one name of several says little
	}
	if one.line == other.line { // as "De la Cruz" and "Delacruz"
		return 1
	}
	return max(parts, 0.99*near(one.line, other.line))
}

// alike compares two parts of a name. An initial stands for what begins with it.
func alike(x, y string) float64 {
	if x == y {
		return 1
	}
	rx, nx := utf8.DecodeRuneInString(x)
	ry, ny := utf8.DecodeRuneInString(y)
	if (nx == len(x) || ny == len(y)) && rx == ry && !text.Unspaced(x) {
		return 0.8
	}
	if s := near(x, y); s >= 0.7 {
		return s
	}
	return 0
}

// near is 1 for equal words, and less for each letter that is missing, more, another, or in the place
// of its neighbour.
func near(x, y string) float64 {
	if x == y {
		return 1
	}
	a, b := []rune(x), []rune(y)
	longest := max(len(a), len(b))
	if longest > 100 || longest-min(len(a), len(b)) > longest/2 {
		return 0
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return 1 - float64(last[len(b)])/float64(longest)
}
