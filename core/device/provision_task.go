package device

import (
	"context"
	"errors"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/core/tasks"
	"kolibri/morango"
	"kolibri/store"
)

var provisioningFields = []api.Field{
	{Name: "facility_id", Optional: true, Null: true, Clean: api.CleanString(50, false)},
	{Name: "preset", Optional: true, Null: true, Clean: api.CleanChoice("formal", "nonformal", "informal")},
	{Name: "language_id", Clean: api.CleanString(15, false)},
	{Name: "device_name", Null: true, Clean: api.CleanString(maxName, false)},
	{Name: "settings", Clean: func(_ *api.Request, v any) (any, string, string) { return v, "", "" }},
	{Name: "allow_guest_access", Null: true, Clean: api.CleanBool},
	{Name: "is_provisioned", Optional: true, Default: true, Clean: api.CleanBool},
	{Name: "is_soud", Optional: true, Default: true, Clean: api.CleanBool},
}

var facilityFields = []api.Field{{Name: "name", Clean: api.CleanString(100, false)}}

// validateProvisioning reads what the setup wizard sends.
// kolibri/core/device/tasks.py: DeviceProvisionValidator
func (d *Device) validateProvisioning(r *api.Request, _ *auth.Person, data map[string]any) (tasks.Spec, error) {
	var bad tasks.Errors
	kwargs := map[string]any(r.CleanInto(&bad.Invalidities, "", data, provisioningFields, false))
	if language, ok := kwargs["language_id"].(string); ok && !d.host.Pages.HasLanguage(language) {
		bad.Add(api.Invalid, "language_id", "Language is not supported by Kolibri")
	}
	nested(r, &bad, data, "facility", facilityFields, true, kwargs)
	nested(r, &bad, data, "superuser", auth.AccountFields, false, kwargs)
	if err := bad.Err(); err != nil {
		return tasks.Spec{}, err
	}
	_, hasFacility := kwargs["facility"]
	_, hasID := kwargs["facility_id"]
	_, hasPreset := kwargs["preset"]
	_, hasSuperuser := kwargs["superuser"]
	switch {
	case !hasSuperuser:
		bad.Add(api.Invalid, "non_field_errors", "Superuser is required for provisioning")
	case hasFacility == hasID:
		bad.Add(api.Invalid, "non_field_errors", "Please provide one of `facility` or `facility_id`; but not both.")
	case hasFacility && !hasPreset:
		bad.Add(api.Invalid, "non_field_errors", "Please provide `preset` if `facility` is specified")
	}
	return tasks.Spec{Kwargs: kwargs}, bad.Err()
}

// nested cleans an object within the body into kwargs.
func nested(r *api.Request, bad *tasks.Errors, data map[string]any, name string, fields []api.Field, null bool, kwargs map[string]any) {
	raw, given := data[name]
	if !given {
		return
	}
	if raw == nil {
		if !null {
			bad.Add(api.NullID, name, "This field may not be null.")
			return
		}
		kwargs[name] = nil
		return
	}
	object, ok := raw.(map[string]any)
	if !ok {
		bad.NotObject(name)
		return
	}
	var inner api.Invalidities
	kwargs[name] = r.CleanInto(&inner, "", object, fields, false)
	bad.Nested(name, &inner)
}

// provisioning is a run of the task.
type provisioning struct {
	*Device
	task *tasks.Task
	args map[string]any

	made      *auth.NewFacility
	superuser auth.NewUser
	custom    map[string]any
}

// runProvisioning sets the device up as the wizard asked.
// kolibri/core/device/tasks.py: provisiondevice
func (d *Device) runProvisioning(ctx context.Context, t *tasks.Task) (any, error) {
	p := &provisioning{Device: d, task: t, args: t.Job.Kwargs}
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	return nil, t.Write(p.write)
}

// prepare does what takes long: the facility's certificate, the password's hash.
func (p *provisioning) prepare(ctx context.Context) (err error) {
	custom, ok := p.args["settings"].(map[string]any)
	if !ok {
		return tasks.Fail("AttributeError", "settings must be an object")
	}
	p.custom = custom
	if facility, ok := p.args["facility"].(map[string]any); ok {
		preset, _ := p.args["preset"].(string)
		if _, ok := auth.PresetSettings(preset); !ok {
			return tasks.Fail("ParseError", "Please check `facility` or `preset` fields.")
		}
		p.made = &auth.NewFacility{Preset: preset}
		p.made.Name, _ = facility["name"].(string)
		p.made.OnMyOwn, _ = custom["on_my_own_setup"].(bool)
		if p.made.Settings, err = settingsOf(custom); err != nil {
			return tasks.Fail("ValidationError", err.Error())
		}
		if p.made.Certificate, err = morango.NewRootCertificate(p.host.Rand); err != nil {
			return err
		}
	}
	account, _ := p.args["superuser"].(map[string]any)
	p.superuser.Username, _ = account["username"].(string)
	p.superuser.FullName, _ = account["full_name"].(string)
	if p.superuser.FullName == "" {
		p.superuser.FullName = p.superuser.Username
	}
	password, _ := account["password"].(string)
	p.superuser.Password = password
	if password != auth.NotSpecified {
		p.superuser.Password, err = auth.HashPassword(ctx, p.host.Hasher, p.host.Rand, password)
	}
	return err
}

// write does everything in one transaction, the job's end included.
func (p *provisioning) write(tx *store.Tx) error {
	facility, preset, err := p.facility(tx)
	if err != nil {
		return err
	}
	superuser, created, err := p.account(tx, facility)
	if err != nil {
		return err
	}
	if err := p.settings(tx, facility, preset, superuser); err != nil {
		return err
	}
	if err := p.provisioned(tx); err != nil {
		return err
	}
	told := map[string]any{"facility_id": facility.ID, "superuser_id": superuser, "username": p.superuser.Username}
	if !created {
		// who came with an imported facility may have a password that nobody here knows
		free, err := tx.Exists("SELECT 1 FROM kolibriauth_facilitydataset WHERE id = ? AND learner_can_login_with_no_password = TRUE", facility.DatasetID)
		if err != nil {
			return err
		}
		if !free {
			told["auth_token"] = auth.MakeToken(p.host, tx.Now(), superuser)
		}
	}
	if err := p.task.MetadataIn(tx, told); err != nil {
		return err
	}
	return p.task.Complete(tx, nil)
}

// facility makes the facility, or finds the one that was imported before.
func (p *provisioning) facility(tx *store.Tx) (c *auth.Collection, preset string, err error) {
	if p.made != nil {
		c, err = auth.CreateFacility(tx, p.host.Rand, *p.made)
		if errors.Is(err, auth.ErrIncompatible) {
			err = tasks.Fail("IncompatibleDeviceSettingError", err.Error())
		}
		return c, p.made.Preset, err
	}
	id, _ := p.args["facility_id"].(string)
	c, err = auth.LoadCollection(tx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && c.Kind != auth.KindFacility {
		return nil, "", tasks.Fail("ParseError", "Facility with id="+id+" does not exist")
	}
	if err == nil {
		err = tx.QueryRow("SELECT preset FROM kolibriauth_facilitydataset WHERE id = ?", c.DatasetID).Scan(&preset)
	}
	return c, preset, err
}

// account makes the superuser, or finds the account that came with an imported facility.
func (p *provisioning) account(tx *store.Tx, facility *auth.Collection) (id string, created bool, err error) {
	err = tx.QueryRow("SELECT id FROM kolibriauth_facilityuser WHERE username = ? AND date_deleted IS NULL ORDER BY facility_id = ? DESC, id LIMIT 1",
		p.superuser.Username, facility.ID).Scan(&id)
	if errors.Is(err, store.ErrNotFound) {
		id, err = CreateSuperuser(tx, p.host, facility, p.superuser)
		if errors.Is(err, auth.ErrUsernameTaken) {
			err = tasks.Fail("ParseError", "`username`, `password`, or `full_name` are missing in `superuser`")
		}
		return id, true, err
	}
	if err != nil {
		return "", false, err
	}
	if p.made != nil {
		if err := auth.AddRole(tx, p.host.Rand, id, facility, auth.Admin); err != nil {
			return "", false, err
		}
	}
	some, err := tx.Exists("SELECT 1 FROM device_devicepermissions")
	if err == nil && !some {
		err = auth.MakeSuperuser(tx, id)
	}
	return id, false, err
}

// settings saves the device's settings (kolibri/core/device/utils.py: provision_device,
// provision_single_user_device).
func (p *provisioning) settings(tx *store.Tx, facility *auth.Collection, preset, superuser string) error {
	device, err := settings.Get(tx)
	if err != nil {
		return err
	}
	provisioned, _ := p.args["is_provisioned"].(bool)
	single, _ := p.args["is_soud"].(bool)
	if device.IsProvisioned && provisioned && !single {
		return tasks.Fail("DeviceAlreadyProvisioned", ErrProvisioned.Error())
	}
	if !device.IsProvisioned || !single {
		prepare(&device, p.host, facility)
		device.Language, _ = p.args["language_id"].(string)
		if name, ok := p.args["device_name"].(string); ok {
			device.Name = name
		}
		device.AllowGuestAccess = preset != "formal"
		if allowed, ok := p.args["allow_guest_access"].(bool); ok {
			device.AllowGuestAccess = allowed
		}
		_, asked := p.custom["on_my_own_setup"]
		device.Extra["allow_learner_download_resources"] = asked && p.made != nil
		device.IsProvisioned = provisioned
		device.SubsetOfUsersDevice = device.SubsetOfUsersDevice || single
		if err := device.Save(tx); err != nil {
			return err
		}
	}
	if single {
		_, err = tx.Exec("INSERT INTO device_devicepermissions (user_id, is_superuser, can_manage_content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			superuser, false, true)
	}
	return err
}
