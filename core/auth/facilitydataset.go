package auth

import (
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/device/settings"
	"kolibri/morango"
	"kolibri/store"
)

// datasetView serves the settings of facilities.
// kolibri/core/auth/api.py: FacilityDatasetViewSet
type datasetView struct {
	*api.Host
	pictures PictureTask
}

// PictureTask starts the job that gives a facility's learners picture passwords, and returns what
// the front end shows of it.
type PictureTask func(r *api.Request, facility string) (any, error)

func datasetRoutes(h *api.Host, pictures PictureTask) []api.Route {
	const name = "kolibri:core:facilitydataset-"
	v := &datasetView{h, pictures}
	return []api.Route{
		{Name: name + "list", Method: http.MethodGet, Handle: v.index},
		{Name: name + "list", Method: http.MethodPost, Handle: v.create},
		{Name: name + "detail", Method: http.MethodGet, Handle: v.show},
		{Name: name + "detail", Method: http.MethodPut, Handle: v.update},
		{Name: name + "detail", Method: http.MethodPatch, Handle: v.update},
		{Name: name + "detail", Method: http.MethodDelete, Handle: v.remove},
		{Name: name + "resetsettings", Method: http.MethodPost, Handle: v.reset},
		{Name: name + "update-pin", Method: http.MethodPost, Handle: v.updatePIN},
		{Name: name + "update-pin", Method: http.MethodPatch, Handle: v.updatePIN},
		{Name: "kolibri:core:ispinvalid", Method: http.MethodPost, Handle: checkPIN},
		{Name: name + "save-facility-login-settings", Method: http.MethodPatch, Handle: v.saveLogin},
	}
}

// ofFacility narrows datasets d down to those that belong to a facility, as all do but for accidents.
const ofFacility = "EXISTS (SELECT 1 FROM kolibriauth_collection c WHERE c.dataset_id = d.id AND c.kind = 'facility')"

func (v *datasetView) list(r *api.Request, conditions ...any) ([]any, error) {
	q := (&api.Query{From: "kolibriauth_facilitydataset d", Order: "d.id"}).Where(ofFacility)
	if len(conditions) > 0 {
		q.Where(conditions[0].(string), conditions[1:]...)
	}
	facility, err := r.UUIDParam("facility_id")
	if err != nil {
		return nil, err
	}
	if facility != "" {
		q.Where("d.id IN (SELECT dataset_id FROM kolibriauth_collection WHERE id = ?)", facility)
	}
	text, args := q.SQL(selectDataset)
	all, err := store.Select(r.Tx, scanDataset, text, args...)
	if err != nil {
		return nil, err
	}
	device, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(all))
	for _, d := range all {
		m := d.JSON()
		m["allow_guest_access"] = device.GuestsAllowed()
		if m["is_full_facility_import"], err = FullFacility(r.Tx, d.ID); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (v *datasetView) index(r *api.Request) (any, error) { return v.list(r) }

func (v *datasetView) show(r *api.Request) (any, error) {
	id, valid := api.ParseUUID(r.Param("pk"))
	if !valid {
		return nil, r.NotFound()
	}
	return v.one(r, id)
}

func (v *datasetView) one(r *api.Request, id string) (any, error) {
	all, err := v.list(r, "d.id = ?", id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, r.NotFound()
	}
	return all[0], nil
}

// find loads the dataset of the address and checks that the person may change it.
func (v *datasetView) find(r *api.Request, do Action) (*Dataset, error) {
	id, _ := api.ParseUUID(r.Param("pk"))
	d, err := LoadDataset(r.Tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return d, Require(r, do, Datasets, Object{ID: d.ID, DatasetID: d.ID})
}

// datasetFields are the fields of a body. kolibri/core/auth/serializers.py: FacilityDatasetSerializer
var datasetFields = []api.Field{
	{Name: "learner_can_edit_username", Optional: true, Clean: api.CleanBool},
	{Name: "learner_can_edit_name", Optional: true, Clean: api.CleanBool},
	{Name: "learner_can_edit_password", Optional: true, Clean: api.CleanBool},
	{Name: "learner_can_sign_up", Optional: true, Clean: api.CleanBool},
	{Name: "learner_can_delete_account", Optional: true, Clean: api.CleanBool},
	{Name: "learner_can_login_with_no_password", Optional: true, Clean: api.CleanBool},
	{Name: "show_download_button_in_learn", Optional: true, Clean: api.CleanBool},
	{Name: "enable_mark_attendance", Optional: true, Clean: api.CleanBool},
	{Name: "extra_fields", Optional: true, Clean: api.CleanJSON},
	{Name: "picture_password_settings", Optional: true, Null: true, Clean: cleanPictureSettings},
	{Name: "description", Optional: true, Clean: api.CleanString(0, true)},
	{Name: "location", Optional: true, Clean: api.CleanString(200, true)},
	{Name: "registered", Optional: true, Clean: api.CleanBool},
	{Name: "preset", Optional: true, Clean: api.CleanChoice("formal", "nonformal", "informal")},
}

func cleanPictureSettings(r *api.Request, v any) (any, string, string) {
	s, ok := v.(map[string]any)
	_, shows := s["show_icon_text"].(bool)
	switch {
	case !ok:
		return nil, api.Invalid, "Must be an object or null"
	case s["icon_style"] != "standard" && s["icon_style"] != "colorful":
		return nil, api.Invalid, "icon_style must be 'standard' or 'colorful'"
	case !shows:
		return nil, api.Invalid, "show_icon_text must be a boolean"
	}
	return api.CleanJSON(r, v)
}

func (v *datasetView) update(r *api.Request) (any, error) {
	d, err := v.find(r, Update)
	if err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, datasetFields, true)
	if err != nil {
		return nil, err
	}
	for column, value := range values {
		d.set(column, value)
	}
	if err := d.Save(r.Tx); err != nil {
		return nil, shapeIncompatible(err)
	}
	return v.one(r, d.ID)
}

// create finds nothing that it could show: settings come with their facility. Who may not make any
// is told so. (The original leaves settings without a facility behind.)
func (v *datasetView) create(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	if _, err := r.Clean(body, datasetFields, true); err != nil {
		return nil, err
	}
	if err := Require(r, Create, Datasets, Object{}); err != nil {
		return nil, err
	}
	return nil, r.NotFound()
}

func (v *datasetView) remove(r *api.Request) (any, error) {
	d, err := v.find(r, Delete)
	if err != nil {
		return nil, err
	}
	return api.NoContent(), morango.DeleteRows(r.Tx, morango.Delete, morango.FacilityDataset.Table, d.ID)
}

func (v *datasetView) reset(r *api.Request) (any, error) {
	d, err := v.find(r, Update)
	if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Status == http.StatusForbidden {
		return nil, r.PermissionDenied() // to nobody in particular, too
	}
	if err != nil {
		return nil, err
	}
	d.Reset()
	if err := d.Save(r.Tx); err != nil {
		return nil, shapeIncompatible(err)
	}
	return d.JSON(), nil
}

// saveLogin chooses how learners sign in: with a password, without, or by pictures. Who changes to
// pictures starts the job that hands them out.
func (v *datasetView) saveLogin(r *api.Request) (any, error) {
	d, err := v.find(r, Update)
	if err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, loginFields, true)
	if err != nil {
		return nil, err
	}
	pictures := values.String("picture_password_settings")
	enabling := pictures != "" && d.PicturePasswordSettings == ""
	d.PicturePasswordSettings = pictures
	switch {
	case enabling:
		n, err := LearnerCount(r.Tx, d.ID)
		if err != nil {
			return nil, err
		}
		if n >= MaxPictureLearners {
			return nil, api.Detail(http.StatusBadRequest, "Picture passwords exhausted for this facility.")
		}
		d.LearnerCanLoginWithNoPassword, d.LearnerCanEditPassword = true, false
	case pictures != "":
	case api.Truth(body["learner_can_login_with_no_password"]):
		d.LearnerCanLoginWithNoPassword, d.LearnerCanEditPassword = true, false
	default:
		d.LearnerCanLoginWithNoPassword = false
		if values["learner_can_edit_password"] != nil {
			d.LearnerCanEditPassword = values.Bool("learner_can_edit_password")
		}
	}
	if err := d.Save(r.Tx); err != nil {
		return nil, shapeIncompatible(err)
	}
	if !enabling {
		return map[string]any{"dataset": d.JSON()}, nil
	}
	facility, err := facilityOf(r.Tx, d.ID)
	if err != nil {
		return nil, err
	}
	job, err := v.pictures(r, facility.ID)
	if err != nil {
		return nil, err
	}
	return api.Status(http.StatusAccepted, map[string]any{"dataset": d.JSON(), "task": job}), nil
}

var loginFields = []api.Field{
	{Name: "picture_password_settings", Optional: true, Null: true, Clean: cleanPictureSettings},
	{Name: "learner_can_edit_password", Optional: true, Null: true, Clean: func(r *api.Request, v any) (any, string, string) {
		if _, text := v.(string); text {
			v = nil // which the original takes for no boolean
		}
		return api.CleanBool(r, v)
	}},
}

// facilityOf is the facility that settings belong to, or store.ErrNotFound.
func facilityOf(tx *store.Tx, dataset string) (*Collection, error) {
	return store.Get(tx, scanCollection, "SELECT "+collectionColumns+" FROM kolibriauth_collection WHERE dataset_id = ? AND kind = ? ORDER BY id LIMIT 1",
		dataset, KindFacility)
}
