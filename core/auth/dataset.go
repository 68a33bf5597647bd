package auth

import (
	"encoding/json"
	"errors"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// Dataset is the settings of a facility.
// kolibri/core/auth/models.py: FacilityDataset
type Dataset struct {
	ID                                                                string
	Description, Location, Preset                                     string
	LearnerCanEditUsername, LearnerCanEditName                        bool
	LearnerCanEditPassword, LearnerCanSignUp, LearnerCanDeleteAccount bool
	LearnerCanLoginWithNoPassword, ShowDownloadButtonInLearn          bool
	EnableMarkAttendance, Registered                                  bool
	// ExtraFields and PicturePasswordSettings are JSON text; empty stands for none.
	ExtraFields, PicturePasswordSettings string
}

// datasetColumns are the settings' columns, in the order of fields.
var datasetColumns = []string{"description", "location", "preset", "learner_can_edit_username", "learner_can_edit_name",
	"learner_can_edit_password", "learner_can_sign_up", "learner_can_delete_account", "learner_can_login_with_no_password",
	"show_download_button_in_learn", "enable_mark_attendance", "registered", "extra_fields", "picture_password_settings"}

// fields are pointers to the settings, in the order of datasetColumns.
func (d *Dataset) fields() []any {
	return []any{&d.Description, &d.Location, &d.Preset, &d.LearnerCanEditUsername, &d.LearnerCanEditName,
		&d.LearnerCanEditPassword, &d.LearnerCanSignUp, &d.LearnerCanDeleteAccount, &d.LearnerCanLoginWithNoPassword,
		&d.ShowDownloadButtonInLearn, &d.EnableMarkAttendance, &d.Registered, (*jsonText)(&d.ExtraFields), (*jsonText)(&d.PicturePasswordSettings)}
}

// jsonText reads a column of JSON text; NULL and the text null are both none.
type jsonText string

// Scan implements sql.Scanner.
func (j *jsonText) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*j = jsonText(v)
	case []byte:
		*j = jsonText(v)
	case nil:
		*j = ""
	}
	if *j == "null" {
		*j = ""
	}
	return nil
}

// selectDataset is the columns of a dataset d, for scanDataset.
var selectDataset = func() string {
	text := "d.id"
	for _, c := range datasetColumns {
		text += ", d." + c
	}
	return text
}()

func scanDataset(row store.Scanner) (*Dataset, error) {
	d := &Dataset{}
	return d, row.Scan(append([]any{&d.ID}, d.fields()...)...)
}

// LoadDataset reads a facility's settings, or returns store.ErrNotFound.
func LoadDataset(tx *store.Tx, id string) (*Dataset, error) {
	if id == "" { // which PostgreSQL would not compare with an id
		return nil, store.ErrNotFound
	}
	d, err := store.Get(tx, scanDataset, "SELECT "+selectDataset+" FROM kolibriauth_facilitydataset d WHERE d.id = ?", id)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Save writes the settings, or returns ErrIncompatible.
func (d *Dataset) Save(tx *store.Tx) error {
	withoutPassword := d.LearnerCanLoginWithNoPassword || d.PicturePasswordSettings != ""
	if withoutPassword && d.LearnerCanEditPassword {
		return ErrIncompatible
	}
	return morango.Update(tx, morango.FacilityDataset, d.ID, d.row())
}

// row is the settings as columns.
func (d *Dataset) row() morango.Row {
	row := morango.Row{}
	for i, f := range d.fields() {
		switch v := f.(type) {
		case *string:
			row[datasetColumns[i]] = *v
		case *bool:
			row[datasetColumns[i]] = *v
		case *jsonText:
			row[datasetColumns[i]] = store.Null(string(*v))
		}
	}
	return row
}

// set changes a setting by the name of its column; the value is a cleaned one.
func (d *Dataset) set(column string, value any) {
	for i, f := range d.fields() {
		if datasetColumns[i] != column {
			continue
		}
		switch v := f.(type) {
		case *string:
			*v, _ = value.(string)
		case *bool:
			*v, _ = value.(bool)
		case *jsonText:
			text, _ := value.(string)
			*v = jsonText(text)
		}
	}
}

// Reset sets what the dataset's preset says.
func (d *Dataset) Reset() {
	settings, _ := PresetSettings(d.Preset)
	for column, value := range settings {
		d.set(column, value)
	}
}

// JSON is the settings as answers show them.
func (d *Dataset) JSON() map[string]any {
	m := map[string]any{"id": d.ID}
	for i, f := range d.fields() {
		switch v := f.(type) {
		case *string:
			m[datasetColumns[i]] = *v
		case *bool:
			m[datasetColumns[i]] = *v
		case *jsonText:
			m[datasetColumns[i]] = api.Raw(string(*v))
		}
	}
	return m
}

// extra is one of the dataset's extra fields, or nil.
func (d *Dataset) extra(name string) any { return d.extras()[name] }

func (d *Dataset) extras() map[string]any {
	var all map[string]any
	// extra_fields that are no object, which nothing forbids, have no fields
	_ = json.Unmarshal([]byte(d.ExtraFields), &all)
	return all
}

// setExtra changes one of the dataset's extra fields.
func (d *Dataset) setExtra(name string, value any) error {
	all := d.extras()
	if all == nil {
		all = map[string]any{}
	}
	all[name] = value
	text, err := api.JSON(all)
	d.ExtraFields = string(text)
	return err
}

// shapeIncompatible is the answer to ErrIncompatible.
func shapeIncompatible(err error) error {
	if errors.Is(err, ErrIncompatible) {
		return plainError("Incompatible device setting")
	}
	return err
}
