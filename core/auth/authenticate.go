package auth

import (
	"context"
	"errors"
	"slices"

	"kolibri/core/api"
	"kolibri/core/device/settings"
	"kolibri/store"
)

// credentials are what somebody offers at sign-in.
type credentials struct {
	facility, username, password string
	picture                      string
	userID, token                string
}

// candidate is somebody the credentials may be those of.
type candidate struct {
	account
	here         bool // the account is of the facility that was named
	passwordless bool // no password is needed
}

// candidates finds, in the order they are tried, the users whom a name and a facility can mean: the
// facility's people of that name, then superusers of that name from anywhere.
// kolibri/core/auth/backends.py: FacilityUserBackend
func candidates(tx *store.Tx, c credentials) ([]candidate, error) {
	var out []candidate
	if c.facility != "" {
		people, err := named(tx, c.username, inFacility, c.facility)
		if err != nil {
			return nil, err
		}
		open, part, err := openFacility(tx, c.facility)
		if err != nil {
			return nil, err
		}
		for _, a := range people {
			out = append(out, candidate{a, true, open && a.learns(part)})
		}
	}
	supers, err := named(tx, c.username, isSuperuser)
	if err != nil {
		return nil, err
	}
	for _, a := range supers {
		if !slices.ContainsFunc(out, func(k candidate) bool { return k.ID == a.ID }) {
			out = append(out, candidate{account: a})
		}
	}
	return out, nil
}

// learns tells whether an account is a learner's. On a device that holds part of a facility, the
// learner it was set up for may be its superuser too.
func (a account) learns(part bool) bool { return !a.HasRoles && (!a.IsSuperuser || part) }

// openFacility tells whether a facility's learners sign in without password, and whether this device
// holds only a part of it.
func openFacility(tx *store.Tx, facility string) (open, part bool, err error) {
	var dataset string
	err = tx.QueryRow(`SELECT d.learner_can_login_with_no_password, d.id FROM kolibriauth_collection c
		JOIN kolibriauth_facilitydataset d ON d.id = c.dataset_id WHERE c.id = ?`, facility).Scan(&open, &dataset)
	if errors.Is(err, store.ErrNotFound) || err != nil || !open {
		return false, false, ignoreNotFound(err)
	}
	full, err := FullFacility(tx, dataset)
	return open, !full, err
}

func ignoreNotFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// verify returns the first candidate whose password this is, or who needs none. It derives keys, so
// it runs outside transactions.
func verify(ctx context.Context, hasher api.Hasher, all []candidate, password string) (*account, error) {
	for _, k := range all {
		if k.passwordless {
			return &k.account, nil
		}
		ok, err := CheckPassword(ctx, hasher, password, k.Password)
		if err != nil {
			return nil, err
		}
		if ok {
			return &k.account, nil
		}
	}
	return nil, nil
}

// byPicture finds the learner of a facility with a picture password, or nobody.
// kolibri/core/auth/backends.py: PicturePasswordAuthScope
func byPicture(tx *store.Tx, facility, picture string) (*account, error) {
	if facility == "" {
		return nil, nil
	}
	var dataset string
	err := tx.QueryRow(`SELECT d.id FROM kolibriauth_collection c JOIN kolibriauth_facilitydataset d ON d.id = c.dataset_id
		WHERE c.id = ? AND d.picture_password_settings IS NOT NULL AND d.picture_password_settings <> 'null'`, facility).Scan(&dataset)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	a, err := store.Get(tx, scanAccount, "SELECT "+accountColumns+" FROM "+accountTables+
		" WHERE u.dataset_id = ? AND u.picture_password = ? AND u.date_deleted IS NULL", dataset, picture)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	full, err := FullFacility(tx, dataset)
	if err != nil || !a.learns(!full) {
		return nil, err
	}
	return &a, nil
}

// byID finds an account of a facility.
func byID(tx *store.Tx, id, facility string) (*account, error) {
	if facility == "" {
		return nil, nil
	}
	a, err := store.Get(tx, scanAccount, "SELECT "+accountColumns+" FROM "+accountTables+
		" WHERE u.id = ? AND u.facility_id = ? AND u.date_deleted IS NULL", id, facility)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	return &a, nil
}

// DefaultFacility is the id of the facility that people sign in to who name none; empty on a device
// that is not set up. kolibri/core/auth/models.py: Facility.get_default_facility
func DefaultFacility(tx *store.Tx) (string, error) {
	s, err := settings.Get(tx)
	if err != nil || !s.IsProvisioned || s.DefaultFacility != "" {
		if !s.IsProvisioned {
			return "", err
		}
		return s.DefaultFacility, err
	}
	var id string
	err = tx.QueryRow("SELECT id FROM kolibriauth_collection WHERE kind = ? ORDER BY id LIMIT 1", KindFacility).Scan(&id)
	return id, ignoreNotFound(err)
}
