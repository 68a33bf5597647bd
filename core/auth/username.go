package auth

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kolibri/core/api"
	"kolibri/store"
)

// maxUsername is how many characters a new name may have. Names that come with other devices'
// accounts may be longer (kolibri/core/auth/models.py: validate_username_max_length).
const maxUsername = 30

// The texts that the front end knows for bad names.
const (
	usernameCharacters = "Enter a valid username. This value can contain only letters, numbers, and underscores."
	usernameTooLong    = "Required. 30 characters or fewer. Letters and digits only"
)

// usernameForbidden are the characters a name cannot have, beside white space.
const usernameForbidden = "`~!@#$%^&*()-+={}[]|\\/:;\"'<>,.?"

// ForbiddenInUsername tells whether a name cannot have a character.
func ForbiddenInUsername(c rune) bool {
	return unicode.IsSpace(c) || c >= 0x1c && c <= 0x1f || strings.ContainsRune(usernameForbidden, c)
}

// checkUsername returns the id and message of what is wrong with a name, or nothing.
func checkUsername(name string) (id, message string) {
	if strings.ContainsFunc(name, ForbiddenInUsername) {
		return api.Invalid, usernameCharacters
	}
	if utf8.RuneCountInString(name) > maxUsername {
		return api.MaxLength, usernameTooLong
	}
	return "", ""
}

// cleanUsername is the body field of a name.
func cleanUsername(r *api.Request, v any) (any, string, string) {
	name, id, message := api.CleanString(0, false)(r, v)
	if id != "" {
		return nil, id, message
	}
	id, message = checkUsername(name.(string))
	return name, id, message
}

// account is what signing in and naming need to know of a user.
type account struct {
	ID, Username, FullName, Password, DatasetID string
	HasRoles, IsSuperuser, HasOSUser            bool
}

const accountColumns = `u.id, u.username, u.full_name, u.password, u.dataset_id,
	EXISTS (SELECT 1 FROM kolibriauth_role r WHERE r.user_id = u.id), COALESCE(d.is_superuser, FALSE),
	EXISTS (SELECT 1 FROM device_osuser o WHERE o.user_id = u.id)`

const accountTables = "kolibriauth_facilityuser u LEFT JOIN device_devicepermissions d ON d.user_id = u.id"

func scanAccount(row store.Scanner) (account, error) {
	var a account
	err := row.Scan(&a.ID, &a.Username, &a.FullName, &a.Password, &a.DatasetID, &a.HasRoles, &a.IsSuperuser, &a.HasOSUser)
	return a, err
}

// The scopes in which names are looked up, as conditions on the user u.
const (
	inFacility  = "u.facility_id = ?"
	isSuperuser = "u.id IN (SELECT user_id FROM device_devicepermissions WHERE is_superuser = TRUE)"
)

// named finds the users whose name is this one in whatever case and script, those with exactly this
// name first, then those with roles, then who came first.
func named(tx *store.Tx, name, scope string, args ...any) ([]account, error) {
	// SQL knows the cases of ASCII at best. For other scripts it narrows down to names of the same
	// length, which simple case folding keeps.
	condition, value := "lower(u.username) = ?", any(strings.ToLower(name))
	if strings.ContainsFunc(name, func(c rune) bool { return c > unicode.MaxASCII }) {
		condition, value = "length(u.username) = ?", utf8.RuneCountInString(name)
	}
	all, err := store.Select(tx, scanAccount, "SELECT "+accountColumns+" FROM "+accountTables+" WHERE "+scope+
		" AND u.date_deleted IS NULL AND "+condition+" ORDER BY u.date_joined, u.id", append(slices.Clone(args), value)...)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(a account) bool { return !strings.EqualFold(a.Username, name) })
	rank := func(a account) int {
		switch {
		case a.Username == name:
			return 0
		case a.HasRoles:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b account) int { return rank(a) - rank(b) })
	return all, nil
}
