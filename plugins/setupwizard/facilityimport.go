package setupwizard

import (
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device"
	"kolibri/core/device/settings"
	"kolibri/morango"
	"kolibri/store"
)

// open refuses everybody once the device is set up.
// kolibri/plugins/setup_wizard/api.py: HasPermissionDuringSetup
func open(r *api.Request, tx *store.Tx) error {
	s, err := settings.Get(tx)
	if err == nil && s.IsProvisioned {
		err = r.Forbidden()
	}
	return err
}

// admin is an account that could become the device's superuser.
type admin struct {
	FullName string `json:"full_name"`
	Username string `json:"username"`
	ID       string `json:"id"`
}

// facilityAdmins lists the admins of a facility that was just imported.
func (s *SetupWizard) facilityAdmins(r *api.Request) (any, error) {
	if err := open(r, r.Tx); err != nil {
		return nil, err
	}
	return store.Select(r.Tx, func(row store.Scanner) (a admin, err error) {
		return a, row.Scan(&a.FullName, &a.Username, &a.ID)
	}, `SELECT u.full_name, u.username, u.id FROM kolibriauth_facilityuser u JOIN kolibriauth_role r ON r.user_id = u.id
		WHERE r.kind = ? AND u.date_deleted IS NULL ORDER BY u.id, r.id`, auth.Admin)
}

// grantSuperuser makes an imported facility's admin, who knows his password, the device's superuser.
func (s *SetupWizard) grantSuperuser(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	user, _ := body["user_id"].(string)
	password, _ := body["password"].(string)
	var who *auth.Person
	var hash string
	err = s.host.DB.Read(r.Ctx, func(tx *store.Tx) error {
		if err := open(r, tx); err != nil {
			return err
		}
		id, ok := api.ParseUUID(user)
		if !ok {
			return r.NotFound()
		}
		if who, err = auth.LoadPerson(tx, id); err != nil {
			return err
		}
		if who.IsAnonymous() {
			return r.NotFound()
		}
		return tx.QueryRow("SELECT password FROM kolibriauth_facilityuser WHERE id = ?", who.ID).Scan(&hash)
	})
	if err != nil {
		return nil, err
	}
	ok, err := auth.CheckPassword(r.Ctx, s.host.Hasher, password, hash)
	if err != nil {
		return nil, err
	}
	if !ok || !who.IsFacilityAdmin() {
		return nil, r.PermissionDenied()
	}
	err = s.host.DB.Write(r.Ctx, func(tx *store.Tx) error {
		if err := open(r, tx); err != nil {
			return err
		}
		return auth.MakeSuperuser(tx, who.ID)
	})
	return map[string]string{"user_id": user}, err
}

// createSuperuser makes a superuser in the one facility there is, or in a new one.
func (s *SetupWizard) createSuperuser(r *api.Request) (any, error) {
	err := s.host.DB.Read(r.Ctx, func(tx *store.Tx) error { return open(r, tx) })
	if err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	account, err := r.Clean(body, auth.AccountFields, false)
	if err != nil {
		return nil, err
	}
	name, _ := body["facility_name"].(string)
	user := auth.NewUser{Username: account.String("username"), FullName: account.String("full_name")}
	if user.FullName == "" {
		user.FullName = user.Username
	}
	if user.Password, err = auth.HashPassword(r.Ctx, s.host.Hasher, s.host.Rand, account.String("password")); err != nil {
		return nil, err
	}
	certificate, err := morango.NewRootCertificate(s.host.Rand)
	if err != nil {
		return nil, err
	}
	err = s.host.DB.Write(r.Ctx, func(tx *store.Tx) error {
		if err := open(r, tx); err != nil {
			return err
		}
		facility, err := s.onlyFacility(tx, name, certificate)
		if err != nil {
			return err
		}
		_, err = device.CreateSuperuser(tx, s.host, facility, user)
		return err
	})
	if errors.Is(err, auth.ErrUsernameTaken) {
		return nil, &api.Error{Status: http.StatusBadRequest, Body: []string{"duplicate"}}
	}
	return map[string]string{"username": user.Username}, err
}

// onlyFacility is the one facility there is, under a new name if one is given, or a new one.
func (s *SetupWizard) onlyFacility(tx *store.Tx, name string, certificate *morango.Certificate) (*auth.Collection, error) {
	ids, err := tx.Strings("SELECT id FROM kolibriauth_collection WHERE kind = ?", auth.KindFacility)
	if err != nil {
		return nil, err
	}
	switch {
	case len(ids) > 1:
		return nil, api.FieldError(api.Invalid, "facility_name", "This device has more than one facility.")
	case len(ids) == 0 && name == "":
		return nil, api.FieldError(api.Required, "facility_name", "This field is required.")
	case len(ids) == 0:
		return auth.CreateFacility(tx, s.host.Rand, auth.NewFacility{Name: name, Certificate: certificate})
	}
	facility, err := auth.LoadCollection(tx, ids[0])
	if err == nil && name != "" {
		err = morango.Update(tx, morango.Facility, facility.ID, morango.Row{"name": name})
	}
	return facility, err
}
