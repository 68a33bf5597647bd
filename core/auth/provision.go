package auth

import (
	"errors"
	"fmt"
	"io"
	"maps"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// DefaultPreset is the kind of a facility that nobody chose one for.
const DefaultPreset = "nonformal"

// Deferred stands in a demographic column of somebody who shall not be asked.
// kolibri/core/auth/constants/demographics.py
const Deferred = "DEFERRED"

// PresetSettings are the columns that a facility of a kind begins with: "formal", "nonformal" or
// "informal". The caller may change the map.
// kolibri/core/auth/constants/facility_configuration_presets.json
func PresetSettings(preset string) (morango.Row, bool) {
	strict := false
	switch preset {
	case "formal":
		strict = true
	case "nonformal", "informal":
	default:
		return nil, false
	}
	return morango.Row{
		"learner_can_edit_username": !strict, "learner_can_edit_name": !strict, "learner_can_edit_password": !strict,
		"learner_can_sign_up": !strict, "learner_can_delete_account": !strict, "learner_can_login_with_no_password": strict,
		"show_download_button_in_learn": !strict, "picture_password_settings": nil,
	}, true
}

// ErrIncompatible is returned for settings that contradict each other: who needs no password to
// sign in has none to edit (FacilityDataset.ensure_compatibility).
var ErrIncompatible = errors.New("learners who sign in without a password cannot edit one")

// NewFacility is what a facility is made from.
type NewFacility struct {
	Name string
	// Preset is its kind, DefaultPreset if empty.
	Preset string
	// Settings are columns of the dataset that differ from the preset's.
	Settings morango.Row
	OnMyOwn  bool
	// Certificate is a new root certificate, which lets the facility synchronize. Making one takes
	// long (an RSA key): do it outside the transaction.
	Certificate *morango.Certificate
}

// CreateFacility makes a facility with its dataset.
func CreateFacility(tx *store.Tx, random io.Reader, f NewFacility) (*Collection, error) {
	if f.Preset == "" {
		f.Preset = DefaultPreset
	}
	row, ok := PresetSettings(f.Preset)
	if !ok {
		return nil, fmt.Errorf("auth: %q is no preset of a facility", f.Preset)
	}
	maps.Copy(row, f.Settings)
	withoutPassword := row["learner_can_login_with_no_password"] == true || row["picture_password_settings"] != nil
	if withoutPassword && row["learner_can_edit_password"] == true {
		return nil, ErrIncompatible
	}
	extra, err := api.JSON(map[string]any{"facility": map[string]any{}, "on_my_own_setup": f.OnMyOwn, "pin_code": ""})
	if err != nil {
		return nil, err
	}
	if err := f.Certificate.Save(tx); err != nil {
		return nil, err
	}
	for column, value := range (morango.Row{"description": "", "location": "", "preset": f.Preset, "registered": false,
		"enable_mark_attendance": false, "extra_fields": string(extra), "$certificate": f.Certificate.ID}) {
		if _, given := row[column]; !given {
			row[column] = value
		}
	}
	dataset, err := morango.Insert(tx, random, morango.FacilityDataset, row)
	if err != nil {
		return nil, err
	}
	c := &Collection{Name: f.Name, Kind: KindFacility, DatasetID: dataset}
	c.ID, err = morango.Insert(tx, random, morango.Facility, morango.Row{"name": f.Name, "kind": KindFacility, "dataset_id": dataset, "parent_id": nil})
	return c, err
}

// NewUser is what an account is made from; the name and everything else is valid.
type NewUser struct {
	Username, FullName string
	// Password is what the column keeps: HashPassword's result, or NotSpecified.
	Password                    string
	Gender, BirthYear, IDNumber string
	ExtraDemographics           any // JSON text or nil
}

// ErrUsernameTaken is returned where the facility has an account of that name, in whatever case.
var ErrUsernameTaken = errors.New("an account with that username already exists")

// CreateUser makes an account in a facility and returns its id.
func CreateUser(tx *store.Tx, random io.Reader, facility *Collection, u NewUser) (string, error) {
	if err := lockNames(tx, facility.ID); err != nil {
		return "", err
	}
	same, err := named(tx, u.Username, inFacility, facility.ID)
	if err != nil {
		return "", err
	}
	if len(same) > 0 {
		return "", ErrUsernameTaken
	}
	ids, err := InsertUsers(tx, random, facility, u)
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// lockNames keeps others from naming accounts of a facility, or classes and groups of a collection,
// until the transaction ends.
func lockNames(tx *store.Tx, collection string) error { return tx.Lock("names " + collection) }

// InsertUsers makes accounts whose names are known to be free, and returns their ids.
func InsertUsers(tx *store.Tx, random io.Reader, facility *Collection, users ...NewUser) ([]string, error) {
	rows := make([]morango.Row, 0, len(users))
	for _, u := range users {
		rows = append(rows, morango.Row{
			"username": u.Username, "full_name": u.FullName, "password": u.Password, "last_login": nil,
			"date_joined": store.Zoned(tx.Now()), "date_deleted": nil, "dataset_id": facility.DatasetID, "facility_id": facility.ID,
			"gender": u.Gender, "birth_year": u.BirthYear, "id_number": u.IDNumber, "extra_demographics": u.ExtraDemographics,
			"picture_password": nil,
		})
	}
	return morango.InsertNew(tx, random, morango.FacilityUser, rows...)
}

// MakeSuperuser gives a user all rights over this device.
func MakeSuperuser(tx *store.Tx, user string) error {
	return GrantDevice(tx, user, true, true)
}

// GrantDevice sets the rights that a user has over this device.
func GrantDevice(tx *store.Tx, user string, superuser, manageContent bool) error {
	_, err := tx.Exec(`INSERT INTO device_devicepermissions (user_id, is_superuser, can_manage_content) VALUES (?, ?, ?)
		ON CONFLICT (user_id) DO UPDATE SET is_superuser = excluded.is_superuser, can_manage_content = excluded.can_manage_content`,
		user, superuser, manageContent)
	return err
}

// ValidUsername tells what is wrong with a new account's name, or nothing.
func ValidUsername(name string) error {
	if name == "" {
		return errors.New("a username is needed")
	}
	if _, message := checkUsername(name); message != "" {
		return errors.New(message)
	}
	return nil
}

// AccountFields are the fields of an account in the body of a request about no facility in particular.
// kolibri/core/device/serializers.py: NoFacilityFacilityUserSerializer
var AccountFields = []api.Field{
	{Name: "username", Clean: cleanUsername},
	{Name: "full_name", Optional: true, Clean: api.CleanString(120, true)},
	{Name: "password", Clean: api.CleanString(128, false)},
}
