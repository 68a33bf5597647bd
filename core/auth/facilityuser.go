package auth

import (
	"errors"
	"maps"
	"net/http"
	"strconv"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// userView answers for the accounts of facilities.
// kolibri/core/auth/api.py: FacilityUserViewSet
type userView struct{ *accounts }

func (v userView) routes() []api.Route {
	const list, detail = "kolibri:core:facilityuser-list", "kolibri:core:facilityuser-detail"
	return []api.Route{
		{Name: list, Method: http.MethodGet, Handle: livingUsers.list},
		{Name: list, Method: http.MethodPost, Handle: v.create, NoTx: true},
		{Name: list, Method: http.MethodDelete, Handle: v.deleteMany},
		{Name: detail, Method: http.MethodGet, Handle: livingUsers.retrieve},
		{Name: detail, Method: http.MethodPut, Handle: v.update, NoTx: true},
		{Name: detail, Method: http.MethodPatch, Handle: v.update, NoTx: true},
		{Name: detail, Method: http.MethodDelete, Handle: v.delete},
	}
}

func (l userList) retrieve(r *api.Request) (any, error) { return l.one(r, r.Param("pk")) }

// userFields are the fields of a body that makes or changes an account.
// kolibri/core/auth/serializers.py: FacilityUserSerializer
var userFields = []api.Field{
	{Name: "username", Clean: cleanUsername},
	{Name: "full_name", Optional: true, Clean: api.CleanString(120, true)},
	{Name: "password", Clean: api.CleanString(128, false)},
	{Name: "facility", Optional: true, Clean: cleanUserFacility},
	{Name: "id_number", Optional: true, Clean: api.CleanString(64, true)},
	{Name: "gender", Optional: true, Clean: api.CleanChoice("", "MALE", "FEMALE", NotSpecified, Deferred)},
	{Name: "birth_year", Optional: true, Clean: cleanBirthYear},
	{Name: "extra_demographics", Optional: true, Clean: func(_ *api.Request, v any) (any, string, string) { return v, "", "" }},
}

func cleanUserFacility(r *api.Request, v any) (any, string, string) {
	key, id, message := cleanFacility(r, v)
	if id == api.DoesNotExist {
		message = "Facility does not exist."
	}
	return key, id, message
}

// cleanBirthYear accepts a year, an answer that is none, and nothing.
// kolibri/core/auth/models.py: validate_birth_year
func cleanBirthYear(r *api.Request, v any) (any, string, string) {
	text, id, message := api.CleanString(16, true)(r, v)
	year, _ := text.(string)
	if id != "" || year == "" || year == NotSpecified || year == Deferred {
		return text, id, message
	}
	n, err := strconv.Atoi(year)
	switch {
	case err != nil:
		return nil, api.Invalid, year + " is not a valid value for birth_year"
	case n < 1900:
		return nil, api.Invalid, "Birth year " + year + " is invalid, as it is prior to the year 1900"
	case n > 3000:
		return nil, api.Invalid, "Birth year " + year + " is invalid, as it is after the year 3000"
	}
	return year, "", ""
}

// userForm is a body that makes or changes an account, found good.
type userForm struct {
	values   api.Values
	facility *Collection
	// extra is the answers to the facility's own questions as JSON text, if they were given.
	extra string
}

// columns are the columns that the form sets. hash takes the place of the password, if there is one.
func (f *userForm) columns(hash string) morango.Row {
	row := morango.Row{}
	maps.Copy(row, f.values)
	delete(row, "facility")
	if hash != "" {
		row["password"] = hash
	}
	if f.extra != "" {
		row["extra_demographics"] = f.extra
	}
	return row
}

// check finds what is wrong with cleaned values, for a new account of a facility or for the one
// with the id user.
func (a *accounts) check(r *api.Request, values api.Values, user string, facility *Collection) (*userForm, error) {
	f := &userForm{values: values, facility: facility}
	if facility.ID == "" {
		return nil, api.FieldError(api.Required, "facility", "This field is required.")
	}
	if values.String("password") == NotSpecified {
		open, _, err := openFacility(r.Tx, facility.ID)
		if err != nil {
			return nil, err
		}
		if !open {
			return nil, api.FieldError(api.PasswordNotSpecified, "non_field_errors", "No password specified and it is required")
		}
	}
	if extra, ok := values["extra_demographics"]; ok {
		if err := checkDemographics(r.Tx, facility.DatasetID, extra); err != nil {
			return nil, err
		}
		text, err := api.JSON(extra)
		if err != nil {
			return nil, err
		}
		f.extra = string(text)
	}
	return f, f.free(r.Tx, user)
}

// free refuses a name that another account of the facility has, in whatever case.
func (f *userForm) free(tx *store.Tx, user string) error {
	if !f.values.Has("username") {
		return nil
	}
	if err := lockNames(tx, f.facility.ID); err != nil {
		return err
	}
	same, err := named(tx, f.values.String("username"), inFacility, f.facility.ID)
	if err != nil {
		return err
	}
	for _, other := range same {
		if other.ID != user {
			return nameTaken()
		}
	}
	return nil
}

func nameTaken() error {
	return api.FieldError(api.UsernameAlreadyExists, "non_field_errors", "An account with that username already exists.")
}

// form reads and checks the body of a new account. allowed is asked once the fields are good, and
// before it is told what else is wrong.
func (a *accounts) form(r *api.Request, allowed func(facility *Collection) error) (*userForm, error) {
	object, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(object, userFields, false)
	if err != nil {
		return nil, err
	}
	facility := values.String("facility")
	if facility == "" {
		if facility, err = DefaultFacility(r.Tx); err != nil {
			return nil, err
		}
	}
	c := &Collection{} // of no facility, on a device that is not set up
	if facility != "" {
		if c, err = LoadCollection(r.Tx, facility); err != nil {
			return nil, err
		}
	}
	if err := allowed(c); err != nil {
		return nil, err
	}
	return a.check(r, values, "", c)
}

// insert makes the account that a form describes and gives it a picture password where the facility
// has those.
func (a *accounts) insert(r *api.Request, f *userForm, hash string) (string, error) {
	if hash == "" {
		hash = NotSpecified
	}
	u := NewUser{Username: f.values.String("username"), FullName: f.values.String("full_name"), Password: hash,
		Gender: f.values.String("gender"), BirthYear: f.values.String("birth_year"), IDNumber: f.values.String("id_number")}
	if f.extra != "" {
		u.ExtraDemographics = f.extra
	}
	id, err := CreateUser(r.Tx, a.h.Rand, f.facility, u)
	if errors.Is(err, ErrUsernameTaken) {
		return "", nameTaken()
	}
	if err != nil {
		return "", err
	}
	return id, AssignPicturePassword(r.Tx, a.h.Rand, f.facility.DatasetID, id)
}

// hash derives the key of a form's password; there may be none.
func (a *accounts) hash(r *api.Request, f *userForm) (string, error) {
	p := f.values.String("password")
	if p == "" || p == NotSpecified {
		return "", nil
	}
	return HashPassword(r.Ctx, a.h.Hasher, a.h.Rand, p)
}

// register makes an account in three steps: check in a transaction, which reading does; derive the
// key without one; insert in another, in which finish also runs.
func (a *accounts) register(r *api.Request, check func() (*userForm, error), finish func(id string) error) error {
	var f *userForm
	err := inTx(r, a.h.DB.Read, func() (err error) {
		f, err = check()
		return err
	})
	if err != nil {
		return err
	}
	hash, err := a.hash(r, f)
	if err != nil {
		return err
	}
	return inTx(r, a.h.DB.Write, func() error {
		id, err := a.insert(r, f, hash)
		if err != nil {
			return err
		}
		return finish(id)
	})
}

func (v userView) create(r *api.Request) (any, error) {
	var made *userRow
	err := v.register(r, func() (*userForm, error) {
		return v.form(r, func(facility *Collection) error {
			return Require(r, Create, Users, Object{DatasetID: facility.DatasetID})
		})
	}, func(id string) (err error) {
		made, err = readUser(r.Tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return api.Created(made), nil
}

func (v userView) update(r *api.Request) (any, error) {
	var f *userForm
	var user *userRow
	err := inTx(r, v.h.DB.Read, func() (err error) {
		if user, err = userOfPath(r, livingUsers, "pk", Update); err != nil {
			return err
		}
		f, err = v.changes(r, user)
		return err
	})
	if err != nil {
		return nil, err
	}
	hash, err := v.hash(r, f)
	if err != nil {
		return nil, err
	}
	err = inTx(r, v.h.DB.Write, func() (err error) {
		if err = f.free(r.Tx, user.ID); err != nil {
			return err
		}
		if err = morango.Update(r.Tx, morango.FacilityUser, user.ID, f.columns(hash)); err != nil {
			return err
		}
		if f.values.Has("password") { // who came in by the old one is out
			if err = DeleteSessions(r.Tx, []string{user.ID}); err != nil {
				return err
			}
		}
		if user.ID == r.Session.UserID {
			r.Session.SignIn(user.ID)
			ForgetUser(r)
		}
		user, err = readUser(r.Tx, user.ID)
		return err
	})
	return user, err
}

// changes reads and checks the body that changes an account.
func (v userView) changes(r *api.Request, user *userRow) (*userForm, error) {
	object, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(object, userFields, r.HTTP.Method == http.MethodPatch)
	if err != nil {
		return nil, err
	}
	if to := values.String("facility"); to != "" && to != user.Facility {
		return nil, api.FieldError(api.Invalid, "facility", "An account cannot move to another facility.")
	}
	facility, err := LoadCollection(r.Tx, user.Facility)
	if err != nil {
		return nil, err
	}
	return v.check(r, values, user.ID, facility)
}

// userOfPath finds the account whose id is a part of the path, and asks for the permission to do
// something to it.
func userOfPath(r *api.Request, l userList, param string, do Action) (*userRow, error) {
	u, err := l.one(r, r.Param(param))
	if err != nil {
		return nil, err
	}
	return u, Require(r, do, Users, Object{ID: u.ID, DatasetID: u.dataset})
}

// delete hides an account; it can be restored for a month.
func (v userView) delete(r *api.Request) (any, error) {
	u, err := userOfPath(r, livingUsers, "pk", Delete)
	if err != nil {
		return nil, err
	}
	return nil, v.softDelete(r.Tx, []string{u.ID})
}

// deleteMany hides the accounts that the filters name.
func (v userView) deleteMany(r *api.Request) (any, error) {
	ids, err := deletable(r, livingUsers)
	if err != nil {
		return nil, err
	}
	if !narrowed(r) {
		return narrowFirst(), nil
	}
	return nil, v.softDelete(r.Tx, ids)
}

// deletable are the accounts that the filters name and the person may delete. The original lets
// everybody delete everybody in this way; we pass over those whom he may not delete one by one.
// Nobody deletes himself.
func deletable(r *api.Request, l userList) ([]string, error) {
	q, err := l.query(r)
	if err != nil {
		return nil, err
	}
	p, err := UserOf(r)
	if err != nil {
		return nil, err
	}
	text, args := q.find("u.id, u.dataset_id")
	ids, self := []string{}, false
	err = store.ForEach(r.Tx, func(row store.Scanner) error {
		var id, dataset string
		if err := row.Scan(&id, &dataset); err != nil {
			return err
		}
		self = self || id == p.ID
		if p.IsSuperuser || p.IsFacilityAdmin() && dataset == p.DatasetID {
			ids = append(ids, id)
		}
		return nil
	}, text, args...)
	if err == nil && self && narrowed(r) {
		err = r.PermissionDenied()
	}
	return ids, err
}

// narrowFirst refuses to delete or restore everybody.
func narrowFirst() *api.Response { return &api.Response{Status: http.StatusBadRequest, Raw: []byte{}} }

// softDelete hides accounts and ends their sessions.
func (a *accounts) softDelete(tx *store.Tx, ids []string) error {
	for chunk := range chunks(ids) {
		if _, err := morango.UpdateWhere(tx, morango.FacilityUser, morango.Row{"date_deleted": store.Zoned(tx.Now())}, "id IN ?", store.In(chunk)); err != nil {
			return err
		}
		if err := DeleteSessions(tx, chunk); err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return a.cleanUp(tx)
}
