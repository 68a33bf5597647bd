package auth

import (
	"net/http"
	"slices"

	"kolibri/core/api"
	"kolibri/core/device/settings"
	"kolibri/morango"
	"kolibri/store"
)

// facilityView serves facilities. kolibri/core/auth/api.py: FacilityViewSet, PublicFacilityViewSet
type facilityView struct{ *api.Host }

func facilityRoutes(h *api.Host) []api.Route {
	v := &facilityView{h}
	const name = "kolibri:core:facility-"
	return []api.Route{
		{Name: name + "list", Method: http.MethodGet, Handle: v.index},
		{Name: name + "list", Method: http.MethodPost, Handle: v.create, NoTx: true},
		{Name: name + "detail", Method: http.MethodGet, Handle: v.show},
		{Name: name + "detail", Method: http.MethodPut, Handle: v.update},
		{Name: name + "detail", Method: http.MethodPatch, Handle: v.update},
		{Name: name + "detail", Method: http.MethodDelete, Handle: v.remove},
		{Name: name + "create-facility", Method: http.MethodPost, Handle: v.createPreset, NoTx: true},
		{Name: "kolibri:core:publicfacility-list", Method: http.MethodGet, Handle: v.publicIndex},
		{Name: "kolibri:core:publicfacility-detail", Method: http.MethodGet, Handle: v.publicShow},
	}
}

// facilityJSON is a facility as lists show it.
type facilityJSON struct {
	ID                        string         `json:"id"`
	Name                      string         `json:"name"`
	NumUsers                  int64          `json:"num_users"`
	NumClassrooms             int64          `json:"num_classrooms"`
	NumLearners               int64          `json:"num_learners"`
	LastSuccessfulSync        api.Time       `json:"last_successful_sync"`
	LastFailedSync            api.Time       `json:"last_failed_sync"`
	PicturePasswordsExhausted bool           `json:"picture_passwords_exhausted"`
	Dataset                   map[string]any `json:"dataset"`
}

// facilityColumns: the last successful synchronization is the last finished push, which comes after
// the pull; the last failed one is any transfer that failed.
var facilityColumns = `f.id, f.name,
	(SELECT count(*) FROM kolibriauth_facilityuser u WHERE u.facility_id = f.id AND u.date_deleted IS NULL),
	(SELECT count(*) FROM kolibriauth_collection c WHERE c.parent_id = f.id AND c.kind = 'classroom'),
	(SELECT max(t.last_activity_timestamp) FROM morango_transfersession t WHERE t.filter = replace(CAST(f.dataset_id AS TEXT), '-', '')
		AND t.push = TRUE AND t.active = FALSE AND t.transfer_stage = 'cleanup' AND t.transfer_stage_status = 'completed'),
	(SELECT max(t.last_activity_timestamp) FROM morango_transfersession t WHERE t.filter = replace(CAST(f.dataset_id AS TEXT), '-', '')
		AND t.transfer_stage_status = 'errored'), ` + selectDataset

func (v *facilityView) list(r *api.Request, conditions ...any) ([]facilityJSON, error) {
	q := (&api.Query{From: "kolibriauth_collection f JOIN kolibriauth_facilitydataset d ON d.id = f.dataset_id", Order: "f.id"}).
		Where("f.kind = ?", KindFacility)
	if len(conditions) > 0 {
		q.Where(conditions[0].(string), conditions[1:]...)
	}
	if err := OnlyReadable(r, q, Collections, "f"); err != nil {
		return nil, err
	}
	text, args := q.SQL(facilityColumns)
	all, err := store.Select(r.Tx, func(row store.Scanner) (facilityJSON, error) {
		var f facilityJSON
		d := &Dataset{}
		err := row.Scan(append([]any{&f.ID, &f.Name, &f.NumUsers, &f.NumClassrooms, &f.LastSuccessfulSync, &f.LastFailedSync, &d.ID}, d.fields()...)...)
		f.Dataset = d.JSON()
		delete(f.Dataset, "enable_mark_attendance") // which this list never had
		return f, err
	}, text, args...)
	for i := range all {
		if all[i].NumLearners, err = LearnerCount(r.Tx, all[i].Dataset["id"].(string)); err != nil {
			return nil, err
		}
		all[i].PicturePasswordsExhausted = all[i].NumLearners >= MaxPictureLearners
	}
	return all, err
}

func (v *facilityView) index(r *api.Request) (any, error) { return v.list(r) }

func (v *facilityView) show(r *api.Request) (any, error) {
	id, valid := api.ParseUUID(r.Param("pk"))
	if !valid {
		return nil, r.NotFound()
	}
	return v.one(r, id)
}

func (v *facilityView) one(r *api.Request, id string) (any, error) {
	all, err := v.list(r, "f.id = ?", id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, r.NotFound()
	}
	return all[0], nil
}

var facilityFields = []api.Field{{Name: "name", Clean: api.CleanString(100, false)}}

func (v *facilityView) update(r *api.Request) (any, error) {
	c, err := findCollection(r, KindFacility)
	if err != nil {
		return nil, err
	}
	if err := Require(r, Update, Collections, c.object()); err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, facilityFields, r.HTTP.Method == http.MethodPatch)
	if err != nil {
		return nil, err
	}
	if values.Has("name") {
		if err := morango.Update(r.Tx, morango.Facility, c.ID, morango.Row{"name": values.String("name")}); err != nil {
			return nil, err
		}
	}
	return v.one(r, c.ID)
}

func (v *facilityView) remove(r *api.Request) (any, error) {
	c, err := findCollection(r, KindFacility)
	if err != nil {
		return nil, err
	}
	if err := Require(r, Delete, Collections, c.object()); err != nil {
		return nil, err
	}
	return api.NoContent(), DeleteCollection(r.Tx, c.ID)
}

// create makes a facility as a device's defaults have it.
func (v *facilityView) create(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, facilityFields, false)
	if err != nil {
		return nil, err
	}
	f := NewFacility{Name: values.String("name")}
	var answer any
	err = v.make(r, f, func(f *NewFacility) error {
		device, err := settings.Get(r.Tx)
		if err != nil || device.DemographicFields() == nil {
			return err
		}
		extra, err := api.JSON(map[string]any{"demographic_fields": device.DemographicFields()})
		f.Settings = morango.Row{"extra_fields": string(extra)}
		return err
	}, func(c *Collection) (err error) {
		answer, err = v.one(r, c.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return api.Created(answer), nil
}

// createPreset makes a facility of a kind. It answers nothing.
func (v *facilityView) createPreset(r *api.Request) (any, error) {
	if err := inTx(r, v.DB.Read, func() error { _, err := RequireSuperuser(r); return err }); err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, append(facilityFields[:1:1],
		api.Field{Name: "preset", Clean: api.CleanChoice("formal", "nonformal", "informal")}), false)
	if err != nil {
		return nil, err
	}
	f := NewFacility{Name: values.String("name"), Preset: values.String("preset")}
	if err := v.make(r, f, nil, nil); err != nil {
		return nil, err
	}
	return &api.Response{Status: http.StatusOK, Raw: []byte{}}, nil
}

// make makes a facility if the person may. The facility's key is drawn between two transactions:
// that takes long, and in a browser everybody else would wait for the database.
func (v *facilityView) make(r *api.Request, f NewFacility, prepare func(*NewFacility) error, then func(*Collection) error) error {
	allowed := func() error { return Require(r, Create, Collections, Object{Kind: KindFacility}) }
	if err := inTx(r, v.DB.Read, allowed); err != nil {
		return err
	}
	var err error
	if f.Certificate, err = morango.NewRootCertificate(v.Rand); err != nil {
		return err
	}
	return inTx(r, v.DB.Write, func() error {
		if err := allowed(); err != nil {
			return err
		}
		if prepare != nil {
			if err := prepare(&f); err != nil {
				return err
			}
		}
		c, err := CreateFacility(r.Tx, v.Rand, f)
		if err != nil || then == nil {
			return err
		}
		return then(c)
	})
}

// ForgetFacility removes a facility and everything of it from this device. Other devices hear nothing
// of it, and from one of them it can be fetched again.
// kolibri/core/auth/management/commands/deletefacility.py
func ForgetFacility(tx *store.Tx, facility *Collection) error {
	users, err := tx.Strings("SELECT id FROM kolibriauth_facilityuser WHERE dataset_id = ?", facility.DatasetID)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(users, 500) {
		if err := DeleteSessions(tx, chunk); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM device_syncqueue WHERE user_id IN ?", store.In(chunk)); err != nil {
			return err
		}
	}
	if err := morango.DeleteRows(tx, morango.Forget, morango.FacilityDataset.Table, facility.DatasetID); err != nil {
		return err
	}
	return morango.ForgetSyncs(tx, "partition LIKE ?", []any{facility.DatasetID + "%"}, "top.id = ?", []any{facility.DatasetID})
}

// publicFacility is a facility as other devices see it before they know anybody here.
type publicFacility struct {
	ID                            string `json:"id"`
	Dataset                       string `json:"dataset"`
	Name                          string `json:"name"`
	LearnerCanLoginWithNoPassword bool   `json:"learner_can_login_with_no_password"`
	LearnerCanSignUp              bool   `json:"learner_can_sign_up"`
	OnMyOwnSetup                  any    `json:"on_my_own_setup"`
	PicturePasswordSettings       any    `json:"picture_password_settings"`
}

func (v *facilityView) publicList(r *api.Request, id string) ([]publicFacility, error) {
	q := (&api.Query{From: "kolibriauth_collection f JOIN kolibriauth_facilitydataset d ON d.id = f.dataset_id", Order: "f.id"}).
		Where("f.kind = ?", KindFacility)
	if id != "" {
		q.Where("f.id = ?", id)
	}
	text, args := q.SQL("f.id, f.name, " + selectDataset)
	return store.Select(r.Tx, func(row store.Scanner) (publicFacility, error) {
		var f publicFacility
		d := &Dataset{}
		err := row.Scan(append([]any{&f.ID, &f.Name, &d.ID}, d.fields()...)...)
		f.Dataset, f.LearnerCanLoginWithNoPassword, f.LearnerCanSignUp = d.ID, d.LearnerCanLoginWithNoPassword, d.LearnerCanSignUp
		f.PicturePasswordSettings = api.Raw(d.PicturePasswordSettings)
		if f.OnMyOwnSetup = d.extra("on_my_own_setup"); f.OnMyOwnSetup == nil {
			f.OnMyOwnSetup = false
		}
		return f, err
	}, text, args...)
}

func (v *facilityView) publicIndex(r *api.Request) (any, error) { return v.publicList(r, "") }

func (v *facilityView) publicShow(r *api.Request) (any, error) {
	id, valid := api.ParseUUID(r.Param("pk"))
	if !valid {
		return nil, r.NotFound()
	}
	all, err := v.publicList(r, id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, r.NotFound()
	}
	return all[0], nil
}
