package auth

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kolibri/core/api"
	"kolibri/core/device/settings"
	"kolibri/morango"
	"kolibri/store"
)

// sessionView answers who is signed in, and signs in and out.
// kolibri/core/auth/api.py: SessionViewSet
type sessionView struct{ *accounts }

func (v sessionView) routes() []api.Route {
	return []api.Route{
		{Name: "kolibri:core:session-list", Method: http.MethodPost, Handle: v.signIn, NoTx: true},
		{Name: "kolibri:core:session-detail", Method: http.MethodPut, Handle: v.heartbeat},
		{Name: "kolibri:core:session-detail", Method: http.MethodDelete, Handle: v.signOut},
	}
}

// sessionState is what pages know of who uses them.
type sessionState struct {
	Username   string   `json:"username"`
	FullName   string   `json:"full_name"`
	UserID     *string  `json:"user_id"`
	FacilityID *string  `json:"facility_id"`
	Kind       []string `json:"kind"`
	// CanManageContent is absent when nobody is signed in.
	CanManageContent   *bool    `json:"can_manage_content,omitempty"`
	FullFacilityImport bool     `json:"full_facility_import"`
	ID                 string   `json:"id"`
	ServerTime         api.Time `json:"server_time"`
	AppContext         bool     `json:"app_context"`
}

// heartbeat tells who is signed in and keeps the session alive.
func (v sessionView) heartbeat(r *api.Request) (any, error) {
	p, err := UserOf(r)
	if err != nil {
		return nil, err
	}
	answer, err := v.state(r, p)
	if err != nil {
		return nil, err
	}
	if p.IsAnonymous() {
		cookie, err := v.visitorCookie(r)
		if err != nil {
			return nil, err
		}
		return answer.SetCookie(cookie), nil
	}
	r.Session.Modified = true // which makes it live on for SessionAge
	if err := v.logActivity(r, p); err != nil {
		var bad *api.Error
		if errors.As(err, &bad) { // a body that cannot be read does not end the session
			return api.Status(bad.Status, map[string]string{"detail": bad.Detail}), nil
		}
		return nil, err
	}
	return answer, nil
}

func (v sessionView) signOut(r *api.Request) (any, error) {
	r.Session.Flush()
	ForgetUser(r)
	return []any{}, nil
}

// signIn makes the session that of whoever the credentials belong to. Keys are derived between two
// transactions, so that nobody waits for them.
func (v sessionView) signIn(r *api.Request) (any, error) {
	var c credentials
	var all []candidate
	var user *account
	err := inTx(r, v.h.DB.Read, func() (err error) {
		if err = v.mayConnect(r); err != nil {
			return err
		}
		if c, err = v.credentials(r); err != nil {
			return err
		}
		if c.userID != "" && ValidToken(v.h, r.Now(), c.userID, c.token) {
			user, err = byID(r.Tx, c.userID, c.facility)
		}
		switch {
		case err != nil || user != nil:
		case c.picture != "": // a wrong one is not followed by a try with the name
			user, err = byPicture(r.Tx, c.facility, c.picture)
		default:
			all, err = candidates(r.Tx, c)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	hash := ""
	if user == nil {
		if user, err = verify(r.Ctx, v.h.Hasher, all, c.password); err != nil {
			return nil, err
		}
		if user == nil {
			return nil, refusal(c, all)
		}
		if c.password != "" && StaleHash(user.Password) {
			if hash, err = HashPassword(r.Ctx, v.h.Hasher, v.h.Rand, c.password); err != nil {
				return nil, err
			}
		}
	}
	if r.Query().Get("prevalidate") == "true" {
		return map[string]string{"full_name": user.FullName}, nil
	}
	var answer *api.Response
	err = inTx(r, v.h.DB.Write, func() (err error) {
		if err = signIn(r, user.ID, hash); err != nil {
			return err
		}
		p, err := UserOf(r)
		if err != nil {
			return err
		}
		if answer, err = v.state(r, p); err != nil {
			return err
		}
		return v.logActivity(r, p)
	})
	if err != nil {
		return nil, err
	}
	return RenewCSRF(v.h, answer)
}

// state is the session's answer for a person.
func (v sessionView) state(r *api.Request, p *Person) (*api.Response, error) {
	app, err := AppContext(r)
	if err != nil {
		return nil, err
	}
	s := sessionState{ID: "current", ServerTime: api.Time(r.Now()), AppContext: app}
	if p.IsAnonymous() {
		facility, err := DefaultFacility(r.Tx)
		if err != nil {
			return nil, err
		}
		if facility != "" {
			s.FacilityID = &facility
		}
		s.Kind, s.FullFacilityImport = []string{"anonymous"}, true
		return api.Status(http.StatusOK, s), nil
	}
	s.Username, s.FullName, s.UserID, s.FacilityID, s.CanManageContent = p.Username, p.FullName, &p.ID, &p.FacilityID, &p.CanManageContent
	s.Kind = p.kinds()
	s.FullFacilityImport, err = FullFacility(r.Tx, p.DatasetID)
	return api.Status(http.StatusOK, s), err
}

// kinds are what a person is, the device's superuser first; who is nothing else is a learner.
// kolibri/core/auth/models.py: FacilityUser.session_data
func (p *Person) kinds() []string {
	kinds := []string{}
	if p.IsSuperuser {
		kinds = append(kinds, "superuser")
	}
	for _, kind := range []string{Admin, Coach, AssignableCoach} {
		for _, role := range p.Roles {
			if role.Kind == kind {
				kinds = append(kinds, kind)
				break
			}
		}
	}
	if len(kinds) == 0 {
		kinds = append(kinds, "learner")
	}
	return kinds
}

// credentials reads the body of a sign-in. What is wrong with it is told in plain texts.
// kolibri/core/auth/api.py: CreateSessionSerializer
func (v sessionView) credentials(r *api.Request) (credentials, error) {
	body, err := r.Data()
	if err != nil {
		return credentials{}, err
	}
	object, err := r.Object()
	if err != nil {
		return credentials{}, plainTexts(err)
	}
	fields := []api.Field{
		{Name: "username", Optional: true, Clean: api.CleanString(0, true)},
		{Name: "user_id", Optional: true, Clean: api.CleanUUID},
		{Name: "password", Optional: true, Clean: api.CleanString(0, true)},
		{Name: "facility", Optional: true, Clean: cleanFacility},
		{Name: "auth_token", Optional: true, Clean: api.CleanString(0, false)},
		{Name: "picture_password", Optional: true, Null: true, Clean: api.CleanString(0, false)},
	}
	var bad api.Invalidities
	values := r.CleanInto(&bad, "", object, fields, false)
	c := credentials{username: values.String("username"), password: values.String("password"), userID: values.String("user_id"),
		token: values.String("auth_token"), picture: values.String("picture_password"), facility: values.String("facility")}
	if c.picture != "" {
		for _, text := range pictureFaults(c.picture) {
			bad.Add(api.Invalid, "picture_password", text)
		}
	}
	if err := bad.Err(); err != nil {
		return c, plainTexts(err)
	}
	if m, _ := body.(map[string]any); m["facility"] == nil {
		c.facility, err = DefaultFacility(r.Tx)
	}
	return c, err
}

// pictureFaults lists what is wrong with the form of a picture password such as "3.7.12".
func pictureFaults(picture string) []string {
	var faults []string
	parts := strings.Split(picture, ".")
	good := len(parts) == 3
	for _, p := range parts {
		n := utf8.RuneCountInString(p)
		good = good && n >= 1 && n <= 2 && !strings.ContainsFunc(p, func(c rune) bool { return !unicode.IsDigit(c) })
	}
	if !good {
		faults = append(faults, "picture_password must be three dot-separated integers.")
	}
	switch n := utf8.RuneCountInString(picture); {
	case n > 8:
		faults = append(faults, "Ensure this field has no more than 8 characters.")
	case n < 5:
		faults = append(faults, "Ensure this field has at least 5 characters.")
	}
	return faults
}

// plainTexts turns an answer with ids into one with the bare messages.
func plainTexts(err error) error {
	var e *api.Error
	if !errors.As(err, &e) || e.Items == nil {
		return err
	}
	texts := make([]any, len(e.Items))
	for i, item := range e.Items {
		texts[i] = item.Metadata["message"]
	}
	return &api.Error{Status: e.Status, Body: texts}
}

// refusal says why credentials fit nobody, as far as the sign-in page needs to know.
func refusal(c credentials, all []candidate) error {
	if c.picture != "" {
		return api.FieldError(api.NotFoundID, "picture_password", "No learner found with that picture password.")
	}
	for _, k := range all {
		if !k.here {
			continue // a superuser of another facility is unknown in this one
		}
		switch {
		case k.Password == NotSpecified && !k.HasOSUser:
			return api.FieldError(api.PasswordNotSpecified, "password", "Username is valid, but password needs to be set before login.")
		case c.password == "":
			return api.FieldError(api.MissingPassword, "password", "Username is valid, but password is missing.")
		}
		return api.Fail(http.StatusUnauthorized, api.InvalidCredentials, nil)
	}
	return api.FieldError(api.NotFoundID, "username", "Username not found.")
}

// mayConnect refuses browsers where only the device's own app is let in. In a tab there is no other
// browser than the one the server runs in.
func (v sessionView) mayConnect(r *api.Request) error {
	s, err := settings.Get(r.Tx)
	if err != nil || s.AllowOtherBrowsersToConnect || v.h.Device.InTab() {
		return err
	}
	if app, err := AppContext(r); err != nil || app {
		return err
	}
	return api.Fail(http.StatusUnauthorized, api.InvalidCredentials, nil)
}

// AppContext tells whether the request comes from the app that Kolibri is embedded in: it then
// carries the device's app key in a cookie. kolibri/core/device/utils.py: valid_app_key_on_request
func AppContext(r *api.Request) (bool, error) {
	cookie, err := r.HTTP.Cookie("app_key_cookie")
	if err != nil || cookie.Value == "" {
		return false, nil
	}
	var key string
	err = r.Tx.QueryRow("SELECT key FROM device_deviceappkey ORDER BY id LIMIT 1").Scan(&key)
	if err != nil {
		return false, ignoreNotFound(err)
	}
	return subtle.ConstantTimeCompare([]byte(key), []byte(cookie.Value)) == 1, nil
}

// visitorCookie is the cookie by which an anonymous visitor's logs are told apart: the one he has,
// or a new one, for another year.
func (v sessionView) visitorCookie(r *api.Request) (*api.Cookie, error) {
	id := ""
	if cookie, err := r.HTTP.Cookie("visitor_id"); err == nil {
		id, _ = api.ParseUUID(cookie.Value)
	}
	if id == "" {
		var err error
		if id, err = morango.NewID(v.h.Rand); err != nil {
			return nil, err
		}
	}
	return &api.Cookie{Name: "visitor_id", Value: id, Path: "/", Expires: r.Now().Add(365 * 24 * time.Hour)}, nil
}

// idle is how long somebody must have been away for a new log of his presence to begin.
const idle = 5 * time.Minute

// logActivity notes that a person is at work, where the page says so.
// kolibri/core/logger/models.py: UserSessionLog.update_log
func (v sessionView) logActivity(r *api.Request, p *Person) error {
	body, err := r.Object()
	if err != nil {
		var e *api.Error
		if errors.As(err, &e) && e.Detail == "" {
			return api.Detail(http.StatusBadRequest, "The body must be an object.")
		}
		return err
	}
	if active, _, _ := api.CleanBool(r, body["active"]); active != true {
		return nil
	}
	now := r.Now()
	var id string
	// logs from the future, which a wrong clock left, are no present ones
	err = r.Tx.QueryRow(`SELECT id FROM logger_usersessionlog WHERE user_id = ? AND last_interaction_timestamp >= ?
		AND last_interaction_timestamp < ? ORDER BY last_interaction_timestamp DESC LIMIT 1`,
		p.ID, store.FormatZoned(now.Add(-idle)), store.FormatZoned(now.Add(idle))).Scan(&id)
	if err == nil {
		return morango.Update(r.Tx, morango.UserSessionLog, id, morango.Row{"last_interaction_timestamp": store.Zoned(now)})
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	part := func(of, name string) string {
		m, _ := body[of].(map[string]any)
		s, _ := m[name].(string)
		return s
	}
	device := part("os", "name") + "," + part("os", "major") + "/" + part("browser", "name") + "," + part("browser", "major")
	if runes := []rune(device); len(runes) > 100 {
		device = string(runes[:100])
	}
	_, err = morango.Insert(r.Tx, v.h.Rand, morango.UserSessionLog, morango.Row{"dataset_id": p.DatasetID, "user_id": p.ID, "channels": "", "pages": "",
		"start_timestamp": store.Zoned(now), "last_interaction_timestamp": store.Zoned(now), "device_info": device})
	return err
}
