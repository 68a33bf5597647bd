package auth

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"kolibri/core/api"
	"kolibri/store"
)

// BasicPerson tells who another device speaks for, by the credentials in the request's header: a
// username, or "username=U&facility=F" for somebody of that facility. Without a header it is the
// anonymous visitor; wrong credentials are a 401. It derives keys: call it without a transaction.
// morango/api/permissions.py: BasicMultiArgumentAuthentication
func BasicPerson(r *api.Request, h *api.Host) (*Person, error) {
	user, password, given := r.HTTP.BasicAuth()
	if !given {
		return &Person{}, nil
	}
	user, password = fromLatin1(user), fromLatin1(password)
	c := credentials{username: user}
	if strings.Contains(user, "=") {
		c.username = ""
		for _, pair := range strings.Split(user, "&") {
			switch name, value, _ := strings.Cut(pair, "="); name {
			case "username":
				c.username = value
			case "facility":
				c.facility, _ = api.ParseUUID(value)
			}
		}
	}
	var all []candidate
	err := h.DB.Read(r.Ctx, func(tx *store.Tx) (err error) {
		if c.facility == "" {
			if c.facility, err = DefaultFacility(tx); err != nil {
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
		return nil, Unauthorized("Invalid credentials.")
	}
	var p *Person
	err = h.DB.Read(r.Ctx, func(tx *store.Tx) (err error) { p, err = LoadPerson(tx, found.ID); return err })
	return p, err
}

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
