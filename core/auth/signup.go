package auth

import (
	"net/http"

	"kolibri/core/api"
)

// signUpView lets people make their own accounts, where the facility lets them.
// kolibri/core/auth/api.py: SignUpViewSet, PublicSignUpViewSet
type signUpView struct{ *accounts }

func (v signUpView) routes() []api.Route {
	return []api.Route{
		{Name: "kolibri:core:signup-list", Method: http.MethodPost, Handle: v.signUp, NoTx: true, CSRFAlways: true},
		{Name: "kolibri:core:publicsignup-list", Method: http.MethodPost, Handle: v.publicSignUp, NoTx: true},
	}
}

// newAccount is a new account in the answer that makes it.
type newAccount struct {
	ID                string     `json:"id"`
	Username          string     `json:"username"`
	FullName          string     `json:"full_name"`
	Facility          string     `json:"facility"`
	Roles             []userRole `json:"roles"`
	IsSuperuser       bool       `json:"is_superuser"`
	IDNumber          string     `json:"id_number"`
	Gender            string     `json:"gender"`
	BirthYear         string     `json:"birth_year"`
	ExtraDemographics any        `json:"extra_demographics"`
	PicturePassword   *string    `json:"picture_password"`
}

// signUp makes an account and signs its owner in.
func (v signUpView) signUp(r *api.Request) (any, error) {
	made, err := v.make(r, func(id string) error { return SignIn(r, id) })
	if err != nil {
		return nil, err
	}
	return RenewCSRF(v.h, api.Created(made))
}

// publicSignUp makes an account for somebody who comes with another device.
func (v signUpView) publicSignUp(r *api.Request) (any, error) {
	made, err := v.make(r, func(string) error { return nil })
	if err != nil {
		return nil, err
	}
	return api.Created(made), nil
}

func (v signUpView) make(r *api.Request, then func(id string) error) (made newAccount, err error) {
	err = v.register(r, func() (*userForm, error) {
		f, err := v.form(r, func(*Collection) error { return nil })
		if err != nil {
			return nil, err
		}
		return f, open(r, f.facility.DatasetID)
	}, func(id string) error {
		u, err := readUser(r.Tx, id)
		if err != nil {
			return err
		}
		made = newAccount{u.ID, u.Username, u.FullName, u.Facility, u.Roles, u.IsSuperuser, u.IDNumber, u.Gender, u.BirthYear, u.ExtraDemographics, u.PicturePassword}
		return then(id)
	})
	return made, err
}

// open refuses a facility in which nobody signs up, or of which this device holds a part only.
func open(r *api.Request, dataset string) error {
	var open bool
	err := r.Tx.QueryRow("SELECT learner_can_sign_up FROM kolibriauth_facilitydataset WHERE id = ?", dataset).Scan(&open)
	if err != nil {
		return err
	}
	full, err := FullFacility(r.Tx, dataset)
	if err == nil && (!open || !full) {
		err = r.PermissionDenied()
	}
	return err
}
