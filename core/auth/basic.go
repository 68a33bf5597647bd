package auth

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"kolibri/core/api"
	"kolibri/store"
)

// BasicPerson tells who another device speaks for, by the credentials in the request's header: a
// superuser's username, or "username=U&facility=F" for somebody of that facility. Without a header it is
// the anonymous visitor; wrong credentials are a 401. It derives keys: call it without a transaction.
// morango/api/permissions.py: BasicMultiArgumentAuthentication
func BasicPerson(r *api.Request, h *api.Host) (*Person, error) {
	user, password, given := r.HTTP.BasicAuth()
	if !given {
		return &Person{}, nil
	}
	password = fromLatin1(password)
	c, ok := basicCredentials(fromLatin1(user))
	if !ok {
		return nil, errBasic()
	}
	var all []candidate
	err := h.DB.Read(r.Ctx, func(tx *store.Tx) (err error) {
		if c.facility != "" {
			there, err := tx.Exists("SELECT 1 FROM kolibriauth_collection WHERE id = ? AND kind = ?", c.facility, KindFacility)
			if err != nil || !there { // kolibri/core/auth/backends.py: FacilityAuthScope asks no further then
				return err
			}
		}
		all, err = candidates(tx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	found, err := verify(r.Ctx, h.Hasher, all, password)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, errBasic()
	}
	var p *Person
	err = h.DB.Read(r.Ctx, func(tx *store.Tx) (err error) { p, err = LoadPerson(tx, found.ID); return err })
	return p, err
}

// basicCredentials reads what stands in the place of the username.
func basicCredentials(user string) (c credentials, ok bool) {
	if !strings.Contains(user, "=") {
		return credentials{username: user}, true
	}
	for pair := range strings.SplitSeq(user, "&") {
		parts := strings.Split(pair, "=")
		if len(parts) != 2 {
			return c, false
		}
		switch parts[0] {
		case "username":
			c.username = parts[1]
		case "facility":
			if c.facility, ok = api.ParseUUID(parts[1]); !ok && parts[1] != "" {
				return c, false
			}
		}
	}
	return c, true
}

func errBasic() *api.Error { return Unauthorized("Invalid credentials.") }

// fromLatin1 reads credentials that are no UTF-8 as ISO 8859-1, in which the original sends them.
// rest_framework/authentication.py: BasicAuthentication
func fromLatin1(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i])
	}
	return string(runes)
}

// Unauthorized is the 401 that asks for credentials of the Basic kind.
func Unauthorized(text string) *api.Error {
	e := api.Detail(http.StatusUnauthorized, text)
	e.Header = http.Header{"Www-Authenticate": {`Basic realm="api"`}}
	return e
}
